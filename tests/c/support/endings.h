/* Ends many processes in one way, several at a time, and checks how each of them ended.
 *
 * Each is a forked child of a process that has not called the library, so it starts with a library that
 * nobody has touched, as a program of its own does, and costs less. With a way's name as its argument a
 * program ends in that way itself, once: see tests/process.rs.
 *
 * Fit for C and C++.
 */
#ifndef PALITRA_TEST_ENDINGS_H
#define PALITRA_TEST_ENDINGS_H

#include "in_flight.h"

#include <sys/resource.h>

/* How many processes end in each way: every moment of `linger` several times; a thousand for `make test-long`. */
static inline int endings(void) { return getenv("PALITRA_TEST_LONG") == NULL ? 200 : 1000; }

#define ENDINGS_AT_A_TIME 4

/* The exit code of a program that ended as it should. */
#define GOOD_END 7

struct way {
    const char *name;
    /* Ends the process; returns only if main is to do so. */
    void (*leave)(void);
    /* The signal that is to end it; 0: it exits with GOOD_END. */
    int signal_number;
};

/* The moment of the exit moves from child to child: from before the first job has finished to after the last
 * one that finishes. */
static inline void linger(int number) {
    double until = now() + (number % 40) * 0.0001;
    while (now() < until) continue;
}

static inline void check_ending(const struct way *way, int ending) {
    if (way->signal_number == 0) CHECK_EXIT(GOOD_END, ending);
    else CHECK(WIFSIGNALED(ending) && WTERMSIG(ending) == way->signal_number);
}

static inline void prepare_to_leave(int number) {
    static const struct rlimit none = {0, 0};
    CHECK_NUMBER(0, setrlimit(RLIMIT_CORE, &none));
    watchdog();
    set_many_in_flight();
    linger(number);
}

/* Returns true in a child that is to exit by returning from main. */
static inline bool end_many_times(const struct way *way) {
    running_test = way->name;
    printf("%s\n", way->name);
    fflush(NULL);
    for (int started = 0, ended = 0, n = endings(); ended < n;) {
        watchdog();
        if (started < n && started - ended < ENDINGS_AT_A_TIME) {
            pid_t child = fork();
            CHECK(child >= 0);
            if (child == 0) {
                prepare_to_leave(started);
                way->leave();
                return true;
            }
            started++;
            continue;
        }
        int ending = 0;
        while (wait(&ending) < 0) CHECK_NUMBER(EINTR, errno);
        check_ending(way, ending);
        ended++;
    }
    alarm(0);
    return false;
}

/* The main of a program of endings. */
static inline int end_in_every_way(const struct way *ways, size_t n, int argc, char **argv) {
    for (size_t i = 0; i < n; i++) {
        if (argc < 2) {
            if (end_many_times(&ways[i])) return GOOD_END;
        } else if (strcmp(argv[1], ways[i].name) == 0) {
            prepare_to_leave(0);
            ways[i].leave();
            return GOOD_END;
        }
    }
    return argc < 2 ? 0 : 2;
}

#endif
