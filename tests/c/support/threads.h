/* Looks at every thread of this process but the first: none leaves a signal open that the host could handle. */
#ifndef PALITRA_TEST_THREADS_H
#define PALITRA_TEST_THREADS_H

#include "refused.h"

static inline int is_the_hosts(const char *thread) { return atoi(thread) == getpid(); }

/* The signals that a thread may leave open: faults, SIGPROF, and what no program can block. */
static inline uint64_t may_be_open(void) {
    static const int open[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGPROF, SIGKILL, SIGSTOP, 32, 33};
    uint64_t set = 0;
    for (size_t i = 0; i < LENGTH(open); i++) set |= UINT64_C(1) << (open[i] - 1);
    return set;
}

/* The blocked signals of a thread; all if it has ended meanwhile. */
static inline uint64_t blocked_by(const char *thread) {
    char path[64], line[256];
    uint64_t blocked = UINT64_MAX;
    snprintf(path, sizeof path, "/proc/self/task/%.20s/status", thread);
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "SigBlk: %" SCNx64, &blocked) == 1) break;
    if (file != NULL) fclose(file);
    return blocked;
}

/* Returns how many threads of the library there are. */
static inline int check_threads(void) {
    int threads = 0;
    DIR *tasks = opendir("/proc/self/task");
    CHECK(tasks != NULL);
    for (struct dirent *task; (task = readdir(tasks)) != NULL;) {
        if (task->d_name[0] == '.' || is_the_hosts(task->d_name)) continue;
        uint64_t open = ~blocked_by(task->d_name) & ~may_be_open();
        if (open != 0) {
            fprintf(stderr, "a thread leaves these signals open: %" PRIx64, open);
            fail(__FILE__, __LINE__);
        }
        threads++;
    }
    closedir(tasks);
    CHECK_NUMBER(0, made_open);
    return threads;
}

/* Each program shows first that it would notice. */
static int is_open;

static inline void *leave_signals_open(void *unused) {
    __atomic_store_n(&is_open, 1, __ATOMIC_SEQ_CST);
    for (;;) pause();
    return unused;
}

static inline void check_with_an_open_thread(void *unused) {
    (void)unused;
    close(STDERR_FILENO);
    start_thread(leave_signals_open, NULL);
    EVENTUALLY(__atomic_load_n(&is_open, __ATOMIC_SEQ_CST));
    check_threads();
}

static void a_thread_that_leaves_signals_open_is_noticed(void) {
    CHECK_EXIT(1, in_child(check_with_an_open_thread, NULL));
}

#endif
