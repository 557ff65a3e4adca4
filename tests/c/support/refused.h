/* A system that allows so many threads and no more, and one that refuses exactly one thread.
 *
 * The program's own pthread_create goes before the C library's, in the libraries that it is linked with too. */
#ifndef PALITRA_TEST_REFUSED_H
#define PALITRA_TEST_REFUSED_H

#include "test.h"

#include <dlfcn.h>
#include <limits.h>

/* How many threads made here may live at a time. */
static int allowed = INT_MAX;
/* Which creation is refused, counted down from here; 0: none. */
static int refuse_in;
/* How many live, were made, and were refused; and how many were made by a thread that does not block SIGUSR2. */
static int living, made, refused, made_open;

struct birth {
    void *(*function)(void *);
    void *argument;
};

static void *be_born(void *given) {
    struct birth birth = *(struct birth *)given;
    free(given);
    void *result = birth.function(birth.argument);
    __atomic_sub_fetch(&living, 1, __ATOMIC_SEQ_CST);
    return result;
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*function)(void *), void *argument) {
    static int (*next)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    sigset_t mask;
    if (next == NULL) {
        void *symbol = dlsym(RTLD_NEXT, "pthread_create");
        if (symbol == NULL) abort();
        memcpy(&next, &symbol, sizeof next);
    }
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    if (!sigismember(&mask, SIGUSR2)) __atomic_add_fetch(&made_open, 1, __ATOMIC_SEQ_CST);
    int mine =
        __atomic_load_n(&refuse_in, __ATOMIC_SEQ_CST) > 0 && __atomic_sub_fetch(&refuse_in, 1, __ATOMIC_SEQ_CST) == 0;
    if (mine || __atomic_add_fetch(&living, 1, __ATOMIC_SEQ_CST) > allowed) {
        if (!mine) __atomic_sub_fetch(&living, 1, __ATOMIC_SEQ_CST);
        __atomic_add_fetch(&refused, 1, __ATOMIC_SEQ_CST);
        return EAGAIN;
    }
    struct birth *birth = malloc(sizeof *birth);
    if (birth == NULL) abort();
    *birth = (struct birth){function, argument};
    __atomic_add_fetch(&made, 1, __ATOMIC_SEQ_CST);
    int error = next(thread, attributes, be_born, birth);
    if (error != 0) {
        __atomic_sub_fetch(&living, 1, __ATOMIC_SEQ_CST);
        free(birth);
    }
    return error;
}

#endif
