/* A job that the calling thread polls inline is in flight like every other: a shutdown sees it, waits for it, ends it.
 *
 * Promise 2: a job that is ready at once costs no hand-off.
 * Promise 8: a shutdown ends everything within its bound.
 */
#include "scheduling.h"

static struct {
    palitra_runner runner;
    const char *job, *payload;
    palitra_status status;
    double ended;
    palitra_reply reply;
} running;

static void *run_here(void *unused) {
    running.status = run(running.runner, running.job, running.payload, PALITRA_FOREVER, &running.reply);
    running.ended = now();
    return unused;
}

/* Returns while a thread of the host's polls the job inline. */
static pthread_t begin_with(void *(*how)(void *), uint32_t workers, const char *job, const char *payload) {
    running.runner = runner_with_workers(workers);
    running.job = job;
    running.payload = payload;
    forget_note();
    pthread_t thread = start_thread(how, NULL);
    EVENTUALLY(seen("begun"));
    return thread;
}

static pthread_t begin(uint32_t workers, const char *job, const char *payload) {
    return begin_with(run_here, workers, job, payload);
}

static void a_shutdown_waits_for_an_inline_poll(void) {
    for (uint32_t workers = 0; workers < 2; workers++) {
        pthread_t thread = begin(workers, "test.slow_start", "{\"hold\":0.8}");
        CHECK_STATUS(PALITRA_OK, shutdown_runner(running.runner, SECONDS(10)));
        double returned = now();
        join_thread(thread);
        CHECK_STATUS(PALITRA_OK, running.status);
        CHECK(returned >= running.ended - 0.1); /* it is dropped a little before its run returns */
        palitra_reply_free(&running.reply);
        palitra_runner_free(running.runner);
    }
}

/* Shuts down while a job is polled inline that blocks its thread for 0.3 s and then sleeps for 0.2 s. */
static void check_shutdown_during_an_inline_poll(uint32_t workers, int64_t grace_ns, palitra_status expected) {
    pthread_t thread = begin(workers, "test.slow_start", "{\"hold\":0.3,\"sleep\":0.2}");
    CHECK_STATUS(PALITRA_OK, shutdown_runner(running.runner, grace_ns));
    join_thread(thread);
    CHECK_STATUS(expected, running.status);
    if (expected == PALITRA_OK) CHECK_REPLY("to its end", running.reply);
    palitra_reply_free(&running.reply);
    palitra_runner_free(running.runner);
}

static void a_job_that_pends_after_its_inline_poll_has_its_grace_period(void) {
    for (uint32_t workers = 0; workers < 2; workers++)
        check_shutdown_during_an_inline_poll(workers, SECONDS(10), PALITRA_OK);
}

static void an_inline_poll_notices_the_end(void) {
    for (uint32_t workers = 0; workers < 2; workers++) {
        pthread_t thread = begin(workers, "test.watchful", "{\"seconds\":3}");
        double start = now();
        CHECK_STATUS(PALITRA_PENDING, palitra_runner_shutdown(running.runner, 0));
        CHECK_TOOK(0.9, 1.6, start);
        CHECK(seen("cancelled"));
        join_thread(thread);
        palitra_reply_free(&running.reply);
        CHECK_STATUS(PALITRA_OK, shutdown_runner(running.runner, SECONDS(5)));
        palitra_runner_free(running.runner);
    }
}

/* Without a panic of tokio's, whose timer the job starts after the end: tests/c.rs looks at what is printed. */
static void a_timer_in_an_inline_poll_after_the_end_is_a_cancel(void) {
    for (uint32_t workers = 0; workers < 2; workers++)
        check_shutdown_during_an_inline_poll(workers, SECONDS(0.05), PALITRA_CANCELLED);
}

/* Also after a shutdown that returned PENDING: the runtime outlives the poll. */
static void a_timer_in_an_inline_poll_after_a_pending_shutdown_is_a_cancel(void) {
    pthread_t thread = begin(0, "test.slow_start", "{\"hold\":2.5,\"sleep\":0.2}");
    CHECK_STATUS(PALITRA_PENDING, palitra_runner_shutdown(running.runner, 0));
    join_thread(thread);
    CHECK_STATUS(PALITRA_CANCELLED, running.status);
    palitra_reply_free(&running.reply);
    CHECK_STATUS(PALITRA_OK, shutdown_runner(running.runner, SECONDS(5)));
    palitra_runner_free(running.runner);
}

/* palitra_runner_start polls inline, as palitra_runner_run does. */
static void *start_here(void *unused) {
    palitra_token token = {0};
    running.status =
        palitra_runner_start(running.runner, running.job, running.payload, strlen(running.payload), NULL, &token, NULL);
    CHECK_STATUS(PALITRA_PENDING, running.status);
    running.status = palitra_runner_wait(running.runner, token, SECONDS(20), NULL);
    palitra_token_free(token);
    return unused;
}

static void a_started_job_is_in_flight_from_the_start(void) {
    pthread_t thread = begin_with(start_here, 0, "test.slow_start", "{\"hold\":0.8,\"sleep\":0.2}");
    CHECK_STATUS(PALITRA_OK, shutdown_runner(running.runner, SECONDS(10)));
    join_thread(thread);
    CHECK_STATUS(PALITRA_OK, running.status);
    palitra_runner_free(running.runner);
}

int main(void) {
    TEST(a_shutdown_waits_for_an_inline_poll);
    TEST(a_job_that_pends_after_its_inline_poll_has_its_grace_period);
    TEST(an_inline_poll_notices_the_end);
    TEST(a_timer_in_an_inline_poll_after_the_end_is_a_cancel);
    TEST(a_timer_in_an_inline_poll_after_a_pending_shutdown_is_a_cancel);
    TEST(a_started_job_is_in_flight_from_the_start);
    return 0;
}
