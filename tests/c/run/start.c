/* palitra_runner_start: a job that is ready leaves its reply at once, a pending one leaves a token as submit does, and
 * the call never waits.
 *
 * Promise 2: a job that is ready at once costs no hand-off.
 */
#include "test.h"

static palitra_runner runner;

static palitra_status start(const char *job, const char *payload, const palitra_submit_options *options,
                            palitra_token *token, palitra_reply *reply) {
    return palitra_runner_start(runner, job, payload, strlen(payload), options, token, reply);
}

/* Options by which `queue` is notified. */
static palitra_submit_options telling(palitra_queue queue) {
    palitra_submit_options options;
    palitra_submit_options_init(&options);
    options.queue = queue;
    options.tag = 7;
    return options;
}

static void check_event(palitra_queue queue, palitra_token token, palitra_status status) {
    palitra_event event;
    CHECK_STATUS(PALITRA_OK, palitra_queue_next(queue, SECONDS(20), &event, 1, NULL));
    CHECK_NUMBER(7, event.tag);
    CHECK_NUMBER(token.id, event.token.id);
    CHECK_STATUS(status, event.status);
}

static void check_no_event(palitra_queue queue) {
    palitra_event event;
    CHECK_STATUS(PALITRA_PENDING, palitra_queue_next(queue, 0, &event, 1, NULL));
}

/* ---- ready at once ---------------------------------------------------------------------------------- */

static void a_ready_job_leaves_its_reply_and_no_token(void) {
    palitra_token token = {99};
    palitra_reply reply;
    CHECK_STATUS(PALITRA_OK, start("palitra.echo", "hello", NULL, &token, &reply));
    CHECK_NUMBER(0, token.id);
    CHECK_STATUS(PALITRA_OK, reply.status);
    CHECK_REPLY("hello", reply);
    palitra_reply_free(&reply);
    CHECK_STATUS(PALITRA_JOB_FAILED, start("test.fail", "{\"code\":5,\"message\":\"no\"}", NULL, &token, &reply));
    CHECK_NUMBER(5, reply.code);
    CHECK_REPLY("no", reply);
    palitra_reply_free(&reply);
    CHECK_STATUS(PALITRA_JOB_PANICKED, start("test.panic", "boom", NULL, &token, &reply));
    CHECK_REPLY("boom", reply);
    palitra_reply_free(&reply);
    CHECK_NUMBER(0, token.id);
}

static void a_ready_job_needs_no_outs(void) {
    CHECK_STATUS(PALITRA_OK, start("palitra.echo", "hello", NULL, NULL, NULL));
}

static void the_queue_is_not_notified_of_a_ready_job(void) {
    palitra_queue queue;
    palitra_token token;
    CHECK_STATUS(PALITRA_OK, palitra_queue_new(&queue));
    palitra_submit_options options = telling(queue);
    CHECK_STATUS(PALITRA_OK, start("palitra.echo", "hello", &options, &token, NULL));
    palitra_token later = submit(runner, "test.nested", "later");
    CHECK_STATUS(PALITRA_OK, palitra_runner_wait(runner, later, SECONDS(20), NULL));
    check_no_event(queue);
    palitra_token_free(later);
    palitra_queue_free(queue);
}

/* ---- pending ---------------------------------------------------------------------------------------- */

static void a_job_that_pends_leaves_a_token_and_continues(void) {
    palitra_token token;
    palitra_reply reply;
    CHECK_STATUS(PALITRA_PENDING, start("palitra.sleep", "{\"seconds\":0.3}", NULL, &token, &reply));
    CHECK(token.id != 0);
    CHECK_STATUS(PALITRA_PENDING, reply.status);
    palitra_reply_free(&reply);
    CHECK_STATUS(PALITRA_OK, palitra_runner_wait(runner, token, SECONDS(20), &reply));
    CHECK_REPLY("{\"seconds\":0.3}", reply);
    palitra_reply_free(&reply);
    palitra_token_free(token);
}

static void the_queue_is_notified_once_of_a_job_that_pended(void) {
    palitra_queue queue;
    palitra_token token;
    CHECK_STATUS(PALITRA_OK, palitra_queue_new(&queue));
    palitra_submit_options options = telling(queue);
    CHECK_STATUS(PALITRA_PENDING, start("palitra.sleep", "{\"seconds\":0.3}", &options, &token, NULL));
    check_event(queue, token, PALITRA_OK);
    check_no_event(queue);
    palitra_token_free(token);
    CHECK_STATUS(PALITRA_PENDING, start("test.never", "", &options, &token, NULL));
    palitra_token_cancel(token);
    check_event(queue, token, PALITRA_CANCELLED);
    palitra_token_free(token);
    check_no_event(queue);
    palitra_queue_free(queue);
}

static void a_deadline_ends_a_job_that_pended(void) {
    palitra_submit_options options;
    palitra_token token;
    palitra_submit_options_init(&options);
    options.deadline_ns = SECONDS(0.03);
    CHECK_STATUS(PALITRA_PENDING, start("test.never", "", &options, &token, NULL));
    CHECK_STATUS(PALITRA_DEADLINE, palitra_runner_wait(runner, token, SECONDS(20), NULL));
    palitra_token_free(token);
    /* Passed already when the inline poll returns. */
    options.deadline_ns = 1;
    CHECK_STATUS(PALITRA_PENDING, start("test.never", "", &options, &token, NULL));
    CHECK_STATUS(PALITRA_DEADLINE, palitra_token_poll(token, NULL));
    palitra_token_free(token);
}

static void a_job_without_a_token_runs_detached(void) {
    palitra_stats stats = {.size = sizeof stats};
    CHECK_STATUS(PALITRA_OK, palitra_runner_stats(runner, &stats));
    uint64_t before = stats.succeeded;
    CHECK_STATUS(PALITRA_PENDING, start("palitra.sleep", "{\"seconds\":0.3}", NULL, NULL, NULL));
    EVENTUALLY(palitra_runner_stats(runner, &stats) == PALITRA_OK && stats.succeeded > before);
}

/* ---- where it may not, or need not ------------------------------------------------------------------ */

static void start_in_callback(palitra_token token, palitra_status status, void *seen) {
    (void)token, (void)status;
    palitra_token made;
    *(palitra_status *)seen = start("palitra.echo", "hello", NULL, &made, NULL);
    palitra_token_free(made);
}

static void on_the_runners_thread_the_job_is_submitted(void) {
    palitra_status seen = PALITRA_INTERNAL;
    palitra_token token = submit(runner, "palitra.echo", "x");
    palitra_token marker;
    CHECK_STATUS(PALITRA_OK, palitra_token_on_complete(token, start_in_callback, &seen, NULL));
    EVENTUALLY(__atomic_load_n(&seen, __ATOMIC_SEQ_CST) != PALITRA_INTERNAL);
    CHECK_STATUS(PALITRA_PENDING, seen);
    marker = submit(runner, "palitra.echo", "y");
    CHECK_STATUS(PALITRA_OK, palitra_runner_wait(runner, marker, SECONDS(20), NULL));
    palitra_token_free(marker);
    palitra_token_free(token);
}

static void what_is_wrong_is_refused_and_makes_no_token(void) {
    palitra_token token = {99};
    palitra_submit_options options;
    palitra_submit_options_init(&options);
    CHECK_STATUS(PALITRA_UNKNOWN_JOB, start("no.such.job", "", NULL, &token, NULL));
    CHECK_NUMBER(0, token.id);
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_runner_start(runner, NULL, "", 0, NULL, &token, NULL));
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_runner_start(runner, "palitra.echo", NULL, 3, NULL, &token, NULL));
    options.flags = 1u << 31;
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, start("palitra.echo", "", &options, &token, NULL));
    options.flags = PALITRA_ITEM_EVENTS; /* without a queue to notify */
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, start("palitra.echo", "", &options, &token, NULL));
    CHECK_STATUS(PALITRA_INVALID_HANDLE,
                 palitra_runner_start((palitra_runner){12345}, "palitra.echo", "", 0, NULL, &token, NULL));
    CHECK_NUMBER(0, token.id);
}

static void limits_hold(void) {
    palitra_runner small = runner_with((palitra_runner_options){.max_in_flight = 1, .max_payload = 4});
    palitra_token token;
    CHECK_STATUS(PALITRA_TOO_LARGE, palitra_runner_start(small, "palitra.echo", "12345", 5, NULL, NULL, NULL));
    CHECK_STATUS(PALITRA_PENDING, palitra_runner_start(small, "test.never", "", 0, NULL, &token, NULL));
    CHECK_STATUS(PALITRA_BUSY, palitra_runner_start(small, "palitra.echo", "1", 1, NULL, NULL, NULL));
    palitra_token_cancel(token);
    EVENTUALLY(palitra_runner_start(small, "palitra.echo", "1", 1, NULL, NULL, NULL) == PALITRA_OK);
    palitra_token_free(token);
    CHECK_STATUS(PALITRA_OK, shutdown_runner(small, 0));
    CHECK_STATUS(PALITRA_SHUT_DOWN, palitra_runner_start(small, "palitra.echo", "1", 1, NULL, NULL, NULL));
    palitra_runner_free(small);
}

static void a_shutdown_ends_a_job_that_pended(void) {
    palitra_runner other = new_runner();
    palitra_token token;
    CHECK_STATUS(PALITRA_PENDING, palitra_runner_start(other, "test.never", "", 0, NULL, &token, NULL));
    CHECK_STATUS(PALITRA_OK, shutdown_runner(other, 0));
    CHECK_STATUS(PALITRA_CANCELLED, palitra_token_poll(token, NULL));
    palitra_token_free(token);
    palitra_runner_free(other);
}

int main(void) {
    runner = new_runner();
    TEST(a_ready_job_leaves_its_reply_and_no_token);
    TEST(a_ready_job_needs_no_outs);
    TEST(the_queue_is_not_notified_of_a_ready_job);
    TEST(a_job_that_pends_leaves_a_token_and_continues);
    TEST(the_queue_is_notified_once_of_a_job_that_pended);
    TEST(a_deadline_ends_a_job_that_pended);
    TEST(a_job_without_a_token_runs_detached);
    TEST(on_the_runners_thread_the_job_is_submitted);
    TEST(what_is_wrong_is_refused_and_makes_no_token);
    TEST(limits_hold);
    TEST(a_shutdown_ends_a_job_that_pended);
    palitra_runner_free(runner);
    return 0;
}
