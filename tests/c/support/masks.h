/* Which signals the calling thread blocks. */
#ifndef PALITRA_TEST_MASKS_H
#define PALITRA_TEST_MASKS_H

#include "test.h"

/* Blocks or unblocks two signals: SIG_BLOCK, SIG_UNBLOCK. */
static inline void mask_of_this_thread(int how, int one, int other) {
    sigset_t both;
    sigemptyset(&both);
    sigaddset(&both, one);
    sigaddset(&both, other);
    CHECK_NUMBER(0, pthread_sigmask(how, &both, NULL));
}

/* Whatever the program was started with. */
static inline void unblock_all_signals(void) {
    sigset_t none;
    sigemptyset(&none);
    CHECK_NUMBER(0, pthread_sigmask(SIG_SETMASK, &none, NULL));
}

#endif
