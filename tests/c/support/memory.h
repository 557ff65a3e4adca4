/* How much memory this process has now. */
#ifndef PALITRA_TEST_MEMORY_H
#define PALITRA_TEST_MEMORY_H

#include "test.h"

/* In bytes: what is in memory, and what is mapped. */
static inline long memory_of(int resident) {
    long pages[2] = {0};
    FILE *file = fopen("/proc/self/statm", "r");
    CHECK(file != NULL && fscanf(file, "%ld %ld", &pages[0], &pages[1]) == 2);
    fclose(file);
    return pages[resident] * sysconf(_SC_PAGESIZE);
}

static inline long memory_now(void) { return memory_of(1); }
static inline long mapped_now(void) { return memory_of(0); }

#endif
