/* Loaded before the C library (LD_PRELOAD), for tests/c/process/untouched.c: counts the calls that install a
 * handler of a signal or of the exit, or change one of the few other settings that a whole process shares, and
 * forwards them. Calls made while the program and its libraries are loaded are counted too, so the program
 * compares counts. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

static int asked;

int handlers_asked_for(void);
int handlers_asked_for(void) { return __atomic_load_n(&asked, __ATOMIC_SEQ_CST); }

static void count(void) { __atomic_add_fetch(&asked, 1, __ATOMIC_SEQ_CST); }

/* The function that would have been called without this library. */
static void find_next(const char *name, void *function) {
    void *symbol = dlsym(RTLD_NEXT, name);
    if (symbol == NULL) abort();
    memcpy(function, &symbol, sizeof symbol);
}

#define PASS_ON(name, result, parameters, arguments) \
    result name parameters; \
    result name parameters { \
        result(*next) parameters; \
        count(); \
        find_next(#name, &next); \
        return next arguments; \
    }

typedef void (*handler)(int);

PASS_ON(__cxa_atexit, int, (void (*f)(void *), void *argument, void *library), (f, argument, library))
PASS_ON(__cxa_at_quick_exit, int, (void (*f)(void *), void *library), (f, library))
PASS_ON(on_exit, int, (void (*f)(int, void *), void *argument), (f, argument))
PASS_ON(sigaction, int, (int number, const struct sigaction *new, struct sigaction *old), (number, new, old))
PASS_ON(signal, handler, (int number, handler f), (number, f))
PASS_ON(sigset, handler, (int number, handler f), (number, f))
PASS_ON(sigaltstack, int, (const stack_t *new, stack_t *old), (new, old))
PASS_ON(setitimer, int, (__itimer_which_t which, const struct itimerval *new, struct itimerval *old), (which, new, old))
