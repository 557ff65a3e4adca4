/* What the tests that measure share: figures, blocked threads, times at several sizes.
 *
 * The jobs block a thread by sleeping in it, so that these tests leave the processors to others: what takes longer
 * than it may is then the library's fault and not the machine's.
 */
#ifndef PALITRA_TEST_SCHEDULING_H
#define PALITRA_TEST_SCHEDULING_H

#include "test.h"

static inline palitra_stats stats_of(palitra_runner runner) {
    palitra_stats stats = {.size = sizeof stats};
    CHECK_STATUS(PALITRA_OK, palitra_runner_stats(runner, &stats));
    return stats;
}

/* How many jobs have ended, however they did. */
static inline uint64_t ended(palitra_stats stats) {
    return stats.succeeded + stats.failed + stats.panicked + stats.cancelled + stats.deadline;
}

/* Submits n jobs that nobody waits for. */
static inline void submit_detached(palitra_runner runner, int n, const char *job, const char *payload) {
    for (int i = 0; i < n; i++)
        CHECK_STATUS(PALITRA_OK, palitra_runner_submit(runner, job, payload, strlen(payload), NULL, NULL));
}

/* Submits a job that is unwanted at once. Returns what the submission returned. */
static inline palitra_status submit_and_cancel(palitra_runner runner) {
    palitra_token token = {0};
    palitra_status status = palitra_runner_submit(runner, "palitra.echo", "x", 1, NULL, &token);
    if (status != PALITRA_OK) return status;
    CHECK_STATUS(PALITRA_OK, palitra_token_cancel(token));
    palitra_token_free(token);
    return status;
}

/* Asks a runner that is never blocked what the jobs of the others have left, or leaves something for it. */
static inline void ask(const char *job, const char *payload, char *text, size_t size) {
    static palitra_runner reader;
    palitra_reply reply;
    if (reader.id == 0) reader = new_runner();
    CHECK_STATUS(PALITRA_OK, run(reader, job, payload, PALITRA_FOREVER, &reply));
    CHECK(reply.len < size);
    memcpy(text, reply.data, reply.len);
    text[reply.len] = '\0';
    palitra_reply_free(&reply);
}

/* How many test.hold have started in this process. */
static inline int holds(void) {
    char text[16];
    ask("test.holds", "", text, sizeof text);
    return atoi(text);
}

/* Removes the note that the last job has left. */
static inline void forget_note(void) {
    char none[1];
    ask("test.leave_note", "", none, sizeof none);
}

/* Whether the note that the last job has left is this one. */
static inline bool seen(const char *note) {
    char text[32];
    ask("test.seen", "", text, sizeof text);
    return strcmp(text, note) == 0;
}

/* Submits a job that blocks its thread, with these options, and returns once it does. */
static inline palitra_token hold_with(palitra_runner runner, const char *payload,
                                      const palitra_submit_options *options) {
    palitra_token token = {0};
    int before = holds();
    CHECK_STATUS(PALITRA_OK, palitra_runner_submit(runner, "test.hold", payload, strlen(payload), options, &token));
    EVENTUALLY(holds() > before);
    return token;
}

static inline palitra_token hold(palitra_runner runner, const char *payload) {
    return hold_with(runner, payload, NULL);
}

static inline palitra_status wait_and_free(palitra_runner runner, palitra_token token) {
    palitra_status status = palitra_runner_wait(runner, token, SECONDS(60), NULL);
    palitra_token_free(token);
    return status;
}

/* The processor time that this process has used. Costs are measured in it: a busy machine adds little to it. */
static inline double processor_time(void) {
    struct timespec time;
    CHECK_NUMBER(0, clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time));
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Four times as many items cost about four times as much processor time, never sixteen times. The fixed part forgives
 * what a busy machine adds to costs that are small. */
static inline void check_linear(const char *file, int line, double of_n, double of_four_n) {
    double limit = (8 * of_n + 0.25) * slowness();
    if (of_four_n < limit) return;
    fprintf(stderr, "n items took %.3f s, 4 n items %.3f s: expected less than %.3f", of_n, of_four_n, limit);
    fail(file, line);
}

#define CHECK_LINEAR(of_n, of_four_n) check_linear(__FILE__, __LINE__, (of_n), (of_four_n))

/* A run on a thread of its own. */
typedef struct inline_run {
    palitra_runner runner;
    const char *job, *payload;
} inline_run;

static inline void *run_inline(void *of) {
    inline_run *its = of;
    CHECK_STATUS(PALITRA_OK, run(its->runner, its->job, its->payload, PALITRA_FOREVER, NULL));
    return NULL;
}

/* Returns while that thread polls the job, which leaves the note "begun". `of` stays until the thread is joined. */
static inline pthread_t start_inline_run(inline_run *of) {
    forget_note();
    pthread_t thread = start_thread(run_inline, of);
    EVENTUALLY(seen("begun"));
    return thread;
}

#endif
