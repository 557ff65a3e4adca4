/* A busy library, for tests of what happens when its process exits: a thousand jobs with callbacks, some just
 * finishing, some that never will, and threads that wait for them in every way there is.
 *
 * Fit for C and C++.
 */
#ifndef PALITRA_TEST_IN_FLIGHT_H
#define PALITRA_TEST_IN_FLIGHT_H

#include "test.h"

#define JOBS_IN_FLIGHT 1000

static palitra_runner busy_runner;
static palitra_queue busy_queue;
static palitra_token busy_tokens[JOBS_IN_FLIGHT];

/* Writes to memory that its finalizer frees: an exit that frees it while the runner uses it would show. */
static inline void note_the_status(palitra_token token, palitra_status status, void *user_data) {
    (void)token;
    *(palitra_status *)user_data = status;
}

static inline void submit_one_of_many(int number) {
    static const char *const seconds[] = {"0.0001", "0.001", "0.003", "100"};
    palitra_submit_options options;
    char payload[64];
    palitra_submit_options_init(&options);
    options.queue = busy_queue;
    options.tag = (uint64_t)number;
    int length = snprintf(payload, sizeof payload, "{\"seconds\": %s}", seconds[number % 4]);
    const char *job = number % 8 < 4 ? "palitra.sleep" : "palitra.echo";
    palitra_token *token = &busy_tokens[number];
    CHECK_STATUS(PALITRA_OK, palitra_runner_submit(busy_runner, job, payload, (size_t)length, &options, token));
    CHECK_STATUS(PALITRA_OK, palitra_token_on_complete(*token, note_the_status, malloc(sizeof(palitra_status)), free));
}

static inline void *gather_the_many(void *unused) {
    palitra_runner_gather(busy_runner, busy_tokens, JOBS_IN_FLIGHT, 0, PALITRA_FOREVER, NULL);
    return unused;
}

static inline void *drain_the_many(void *unused) {
    palitra_event events[16];
    size_t n = 0;
    while (palitra_queue_next(busy_queue, PALITRA_FOREVER, events, LENGTH(events), &n) == PALITRA_OK) continue;
    return unused;
}

static inline void *run_forever(void *unused) {
    run(busy_runner, "palitra.sleep", "{\"seconds\": 100}", PALITRA_FOREVER, NULL);
    return unused;
}

/* To be called once in a process: nothing of this is ever freed. */
static inline void set_many_in_flight(void) {
    busy_runner = new_runner();
    CHECK_STATUS(PALITRA_OK, palitra_queue_new(&busy_queue));
    for (int i = 0; i < JOBS_IN_FLIGHT; i++) submit_one_of_many(i);
    start_thread(gather_the_many, NULL);
    start_thread(drain_the_many, NULL);
    start_thread(run_forever, NULL);
}

#endif
