/* What every C test shares: checks that say what they saw, a watchdog, and short names for common steps.
 *
 * A test program is a few functions, each named after what it checks, and a main that lists them:
 *
 *     static void a_ready_job_succeeds(void) { CHECK_STATUS(PALITRA_OK, palitra_runner_run(...)); }
 *     int main(void) { TEST(a_ready_job_succeeds); return 0; }
 *
 * A failed check prints file, line and both values and ends the process at once, from whatever thread, so
 * that nothing broken has to clean up. The watchdog bounds every test: a thread that should have been woken
 * and was not makes the test fail, never hang.
 *
 * PALITRA_TEST_ONLY, the name of one test, leaves the others out.
 *
 * PALITRA_TEST_SLOWNESS stretches the watchdog and the upper bounds on time (valgrind is slow); lower
 * bounds and the times handed to the library stay as written.
 */
#ifndef PALITRA_TEST_H
#define PALITRA_TEST_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* strict C hides POSIX otherwise; so this header is included first */
#endif

#include "palitra.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* How long one test may take before the watchdog ends it, before stretching. */
#define WATCHDOG_SECONDS 30u

/* Seconds as the library counts time. */
#define SECONDS(seconds) ((int64_t)((seconds) * 1e9))

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* ---- failing ---------------------------------------------------------------------------------------- */

static const char *running_test = "(none)";

static inline void fail(const char *file, int line) {
    fprintf(stderr, "\n  in test %s, at %s:%d\n", running_test, file, line);
    fflush(NULL);
    _exit(1);
}

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "CHECK(%s) does not hold", #condition); \
            fail(__FILE__, __LINE__); \
        } \
    } while (0)

static inline void check_number(const char *file, int line, const char *text, intmax_t expected, intmax_t seen) {
    if (expected == seen) return;
    fprintf(stderr, "%s: expected %" PRIdMAX ", saw %" PRIdMAX, text, expected, seen);
    fail(file, line);
}

#define CHECK_NUMBER(expected, seen) check_number(__FILE__, __LINE__, #seen, (intmax_t)(expected), (intmax_t)(seen))

static inline void check_status(const char *file, int line, const char *text, palitra_status expected,
                                palitra_status seen) {
    if (expected == seen) return;
    fprintf(stderr, "%s: expected %s (%d), saw %s (%d)", text, palitra_status_name(expected), (int)expected,
            palitra_status_name(seen), (int)seen);
    fail(file, line);
}

#define CHECK_STATUS(expected, seen) check_status(__FILE__, __LINE__, #seen, (expected), (seen))

/* The call was refused, with any of the statuses for that. */
static inline void check_refused(const char *file, int line, const char *text, palitra_status seen) {
    if (seen >= PALITRA_INVALID_ARGUMENT && seen < PALITRA_INTERNAL) return;
    fprintf(stderr, "%s: expected a refusal, saw %s (%d)", text, palitra_status_name(seen), (int)seen);
    fail(file, line);
}

#define CHECK_REFUSED(seen) check_refused(__FILE__, __LINE__, #seen, (seen))

static inline void check_text(const char *file, int line, const char *text, const char *expected, const void *seen,
                              size_t length) {
    if (seen != NULL && length == strlen(expected) && memcmp(expected, seen, length) == 0) return;
    fprintf(stderr, "%s: expected \"%s\", saw ", text, expected);
    if (seen == NULL) fputs("NULL", stderr);
    else fprintf(stderr, "%zu bytes \"%.*s\"", length, length > 200 ? 200 : (int)length, (const char *)seen);
    fail(file, line);
}

/* Compares the bytes of a palitra_reply with a C string. */
#define CHECK_REPLY(expected, reply) check_text(__FILE__, __LINE__, #reply, (expected), (reply).data, (reply).len)

static inline void check_contains(const char *file, int line, const char *part, const palitra_reply *reply) {
    size_t length = strlen(part);
    for (size_t i = 0; reply->data != NULL && i + length <= reply->len; i++)
        if (memcmp(reply->data + i, part, length) == 0) return;
    fprintf(stderr, "expected a reply with \"%s\" in it, saw %zu bytes \"%.*s\"", part, reply->len,
            reply->len > 200 ? 200 : (int)reply->len, reply->data == NULL ? "" : (const char *)reply->data);
    fail(file, line);
}

#define CHECK_REPLY_CONTAINS(part, reply) check_contains(__FILE__, __LINE__, (part), &(reply))

/* ---- time ------------------------------------------------------------------------------------------- */

static inline unsigned slowness(void) {
    const char *text = getenv("PALITRA_TEST_SLOWNESS");
    int value = text == NULL ? 1 : atoi(text);
    return value < 1 ? 1u : (unsigned)value;
}

static inline double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static inline void pause_for(double seconds) {
    struct timespec left = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    while (nanosleep(&left, &left) != 0 && errno == EINTR) continue;
}

static inline void check_took(const char *file, int line, double seconds, double at_least, double below) {
    if (seconds >= at_least && seconds < below * slowness()) return;
    fprintf(stderr, "took %.3f s, expected at least %.3f and less than %.3f", seconds, at_least, below * slowness());
    fail(file, line);
}

/* The time since `start`, a value of now(), lies in the given bounds. */
#define CHECK_TOOK(at_least, below, start) check_took(__FILE__, __LINE__, now() - (start), (at_least), (below))

/* `took`, seconds that are measured anew each time, lies below the bound in one of five tries. Who is woken up is so each
 * time; on a busy machine it may still wait for a processor. */
#define CHECK_SOON(below, took) \
    do { \
        double least_ = (took); \
        for (int try_ = 1; try_ < 5 && least_ >= (below) * slowness(); try_++) { \
            double took_ = (took); \
            if (took_ < least_) least_ = took_; \
        } \
        check_took(__FILE__, __LINE__, least_, 0, (below)); \
    } while (0)

/* Waits, bounded by the watchdog, for something that no call of the library can be waited on for. */
#define EVENTUALLY(condition) \
    do { \
        while (!(condition)) pause_for(0.001); \
    } while (0)

/* ---- the watchdog and the list of tests ------------------------------------------------------------- */

static inline void watchdog_bites(int signal_number) {
    static const char message[] = "the watchdog ended a test that took too long: ";
    (void)signal_number;
    if (write(STDERR_FILENO, message, sizeof message - 1) < 0) _exit(125);
    if (write(STDERR_FILENO, running_test, strlen(running_test)) < 0) _exit(125);
    _exit(124);
}

/* A forked child does not inherit its parent's alarm and calls this for itself. */
static inline void watchdog(void) {
    signal(SIGALRM, watchdog_bites);
    alarm(WATCHDOG_SECONDS * slowness());
}

static inline void run_test(const char *name, void (*test)(void)) {
    const char *only = getenv("PALITRA_TEST_ONLY");
    if (only != NULL && strcmp(only, name) != 0) return;
    running_test = name;
    printf("%s\n", name);
    fflush(stdout);
    watchdog();
    test();
    alarm(0);
}

#define TEST(function) run_test(#function, function)

/* ---- common steps ----------------------------------------------------------------------------------- */

static inline palitra_runner new_runner(void) {
    palitra_runner runner = {0};
    CHECK_STATUS(PALITRA_OK, palitra_runner_new(NULL, &runner));
    CHECK(runner.id != 0);
    return runner;
}

/* With these options; what they leave out is the default. */
static inline palitra_runner runner_with(palitra_runner_options options) {
    palitra_runner runner = {0};
    options.size = sizeof options;
    CHECK_STATUS(PALITRA_OK, palitra_runner_new(&options, &runner));
    return runner;
}

/* No runner is made with these options: they are invalid. */
static inline void check_invalid_options(palitra_runner_options options) {
    palitra_runner runner = {1};
    options.size = sizeof options;
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_runner_new(&options, &runner));
    CHECK_NUMBER(0, runner.id);
}

static inline palitra_runner runner_with_workers(uint32_t workers) {
    palitra_runner_options options;
    palitra_runner_options_init(&options);
    options.worker_threads = workers;
    return runner_with(options);
}

/* Submits a job that must be accepted, with a C string as its payload. */
static inline palitra_token submit(palitra_runner runner, const char *job, const char *payload) {
    palitra_token token = {0};
    CHECK_STATUS(PALITRA_OK, palitra_runner_submit(runner, job, payload, strlen(payload), NULL, &token));
    CHECK(token.id != 0);
    return token;
}

static inline palitra_status run(palitra_runner runner, const char *job, const char *payload, int64_t timeout_ns,
                                 palitra_reply *reply) {
    return palitra_runner_run(runner, job, payload, strlen(payload), timeout_ns, reply);
}

/* Shuts down. On a busy machine threads that would end may get too little of a processor in the second that a shutdown
 * waits for them: then again, a few times. */
#define SHUTDOWNS 10

static inline void check_waited(palitra_status status, double start) {
    if (status == PALITRA_PENDING) CHECK_TOOK(1, 1e9, start);
}

static inline palitra_status shutdown_runner(palitra_runner runner, int64_t grace_ns) {
    double start = now();
    palitra_status status = palitra_runner_shutdown(runner, grace_ns);
    check_waited(status, start);
    for (int i = 1; status == PALITRA_PENDING && i < SHUTDOWNS; i++) status = palitra_runner_shutdown(runner, 0);
    return status;
}

static inline palitra_status shutdown_global_runner(int64_t grace_ns) {
    double start = now();
    palitra_status status = palitra_shutdown_global_runner(grace_ns);
    check_waited(status, start);
    for (int i = 1; status == PALITRA_PENDING && i < SHUTDOWNS; i++) status = palitra_shutdown_global_runner(0);
    return status;
}

/* One echo to the runner's thread and back: it is alive and well. */
static inline void check_echo(palitra_runner runner) {
    palitra_reply reply;
    palitra_token token = submit(runner, "palitra.echo", "hello");
    CHECK_STATUS(PALITRA_OK, palitra_runner_wait(runner, token, SECONDS(20), &reply));
    CHECK_REPLY("hello", reply);
    palitra_reply_free(&reply);
    palitra_token_free(token);
}

/* The global runner of this process from its first use to its end. Fits in_child. */
static inline void use_the_global_runner(void *unused) {
    palitra_runner runner = {0};
    (void)unused;
    CHECK(!palitra_is_runner_alive());
    CHECK_STATUS(PALITRA_OK, palitra_runner_global(&runner));
    CHECK(palitra_is_runner_alive());
    check_echo(runner);
    palitra_token token = submit(runner, "palitra.sleep", "{\"seconds\": 0.001}");
    CHECK_STATUS(PALITRA_OK, palitra_runner_wait(runner, token, PALITRA_FOREVER, NULL));
    palitra_token_free(token);
    CHECK_STATUS(PALITRA_OK, shutdown_global_runner(0));
    CHECK(!palitra_is_runner_alive());
}

/* How many test.never futures were dropped so far: the trace that a cancelled job leaves, if it had started.
 * The question makes whatever was submitted to the runner before start. */
static inline int dropped(palitra_runner runner) {
    palitra_reply reply;
    char text[16] = {0};
    CHECK_STATUS(PALITRA_OK, run(runner, "test.drops", "", SECONDS(20), &reply));
    CHECK(reply.len < sizeof text);
    memcpy(text, reply.data, reply.len);
    palitra_reply_free(&reply);
    return atoi(text);
}

/* Cancels and frees a test.never and waits until it was dropped, so that the next test counts from a runner at rest. */
static inline void end_never(palitra_runner runner, palitra_token token) {
    int before = dropped(runner);
    CHECK_STATUS(PALITRA_OK, palitra_token_cancel(token));
    EVENTUALLY(dropped(runner) == before + 1);
    palitra_token_free(token);
}

static inline int entries_of(const char *path) {
    int entries = 0;
    DIR *directory = opendir(path);
    CHECK(directory != NULL);
    while (readdir(directory) != NULL) entries++;
    closedir(directory);
    return entries - 2; /* "." and ".." */
}

/* The threads of this process. */
static inline int threads_now(void) { return entries_of("/proc/self/task"); }

/* Its open descriptors. */
static inline int descriptors_now(void) { return entries_of("/proc/self/fd") - 1; /* the one that reads them */ }

static inline pthread_t start_thread(void *(*function)(void *), void *argument) {
    pthread_t thread;
    CHECK_NUMBER(0, pthread_create(&thread, NULL, function, argument));
    return thread;
}

static inline void join_thread(pthread_t thread) { CHECK_NUMBER(0, pthread_join(thread, NULL)); }

/* Runs `function` in a forked child under its own watchdog and returns how the child ended (waitpid's
 * status). A child that returns from `function` ends through exit(0), with everything exit does. */
static inline int in_child(void (*function)(void *), void *argument) {
    int ending = 0;
    fflush(NULL);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        watchdog();
        function(argument);
        exit(0);
    }
    while (waitpid(child, &ending, 0) < 0) CHECK_NUMBER(EINTR, errno);
    return ending;
}

static inline void check_exit(const char *file, int line, int code, int ending) {
    if (WIFEXITED(ending) && WEXITSTATUS(ending) == code) return;
    if (WIFSIGNALED(ending)) fprintf(stderr, "expected exit %d, the child died of signal %d", code, WTERMSIG(ending));
    else fprintf(stderr, "expected exit %d, the child exited with %d", code, WEXITSTATUS(ending));
    fail(file, line);
}

#define CHECK_EXIT(code, ending) check_exit(__FILE__, __LINE__, (code), (ending))

#endif
