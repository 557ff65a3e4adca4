/* One submitted job and its token: wait, poll, cancel, deadlines, freeing.
 *
 * Promise 1: a token finishes exactly once.
 * Promise 3: timeouts and deadlines hold.
 */
#include "test.h"

static palitra_runner runner;

static palitra_token submit_with_deadline(const char *job, const char *payload, int64_t deadline_ns) {
    palitra_token token = {0};
    palitra_submit_options options;
    palitra_submit_options_init(&options);
    options.deadline_ns = deadline_ns;
    CHECK_STATUS(PALITRA_OK, palitra_runner_submit(runner, job, payload, strlen(payload), &options, &token));
    return token;
}

static palitra_status wait_for(palitra_token token) {
    return palitra_runner_wait(runner, token, PALITRA_FOREVER, NULL);
}

static void a_submitted_job_is_waited_for(void) {
    palitra_reply reply;
    palitra_token token = submit(runner, "palitra.echo", "payload");
    CHECK_STATUS(PALITRA_OK, palitra_runner_wait(runner, token, PALITRA_FOREVER, &reply));
    CHECK_STATUS(PALITRA_OK, reply.status);
    CHECK_REPLY("payload", reply);
    palitra_reply_free(&reply);
    palitra_token_free(token);
}

/* The host may reuse its buffer as soon as submit has returned. */
static void the_payload_is_copied(void) {
    char payload[] = "first";
    palitra_reply reply;
    palitra_token token = {0};
    CHECK_STATUS(PALITRA_OK, palitra_runner_submit(runner, "palitra.echo", payload, 5, NULL, &token));
    memset(payload, '#', 5);
    CHECK_STATUS(PALITRA_OK, palitra_runner_wait(runner, token, PALITRA_FOREVER, &reply));
    CHECK_REPLY("first", reply);
    palitra_reply_free(&reply);
    palitra_token_free(token);
}

static void wait_past_its_timeout_returns_pending_and_the_job_runs_on(void) {
    palitra_reply reply;
    palitra_token token = submit(runner, "test.never", "");
    int before = dropped(runner);
    double start = now();
    CHECK_STATUS(PALITRA_PENDING, palitra_runner_wait(runner, token, SECONDS(0.05), &reply));
    CHECK_TOOK(0.05, 5, start);
    CHECK_STATUS(PALITRA_PENDING, reply.status);
    palitra_reply_free(&reply);
    CHECK_NUMBER(before, dropped(runner));
    CHECK_STATUS(PALITRA_PENDING, palitra_token_poll(token, NULL));
    end_never(runner, token);
}

static void a_wait_needs_no_runner(void) {
    palitra_reply reply;
    palitra_token token = submit(runner, "palitra.sleep", "{\"seconds\":0.02}"),
                  never = submit(runner, "test.never", "");
    CHECK_STATUS(PALITRA_OK, palitra_token_wait(token, PALITRA_FOREVER, &reply));
    CHECK_REPLY("{\"seconds\":0.02}", reply);
    palitra_reply_free(&reply);
    CHECK_STATUS(PALITRA_OK, palitra_token_wait(token, 0, NULL));
    double start = now();
    CHECK_STATUS(PALITRA_PENDING, palitra_token_wait(never, SECONDS(0.05), &reply));
    CHECK_TOOK(0.05, 20, start);
    CHECK_STATUS(PALITRA_PENDING, reply.status);
    CHECK_STATUS(PALITRA_PENDING, palitra_token_wait(never, 0, NULL));
    end_never(runner, never);
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_token_wait(never, PALITRA_FOREVER, NULL));
    palitra_token_free(token);
}

static void a_wait_works_after_the_runner_is_gone(void) {
    palitra_reply reply;
    palitra_runner own = new_runner();
    palitra_token done = submit(own, "palitra.echo", "kept"), never = submit(own, "test.never", "");
    CHECK_STATUS(PALITRA_OK, palitra_token_wait(done, PALITRA_FOREVER, NULL));
    palitra_runner_free(own);
    CHECK_STATUS(PALITRA_OK, palitra_token_wait(done, PALITRA_FOREVER, &reply));
    CHECK_REPLY("kept", reply);
    palitra_reply_free(&reply);
    CHECK_STATUS(PALITRA_CANCELLED, palitra_token_wait(never, PALITRA_FOREVER, NULL));
    palitra_token_free(done);
    palitra_token_free(never);
}

static void wait_in_callback(palitra_token token, palitra_status status, void *seen) {
    palitra_token never = {((uint64_t *)seen)[0]};
    (void)status;
    ((uint64_t *)seen)[1] = (uint64_t)palitra_token_wait(never, PALITRA_FOREVER, NULL);
    ((uint64_t *)seen)[2] = (uint64_t)palitra_token_wait(token, PALITRA_FOREVER, NULL);
}

static void a_wait_on_the_runners_own_thread_would_deadlock(void) {
    palitra_runner own = new_runner();
    palitra_token never = submit(own, "test.never", ""), token = submit(own, "palitra.echo", "x");
    uint64_t seen[3] = {never.id, 99, 99};
    CHECK_STATUS(PALITRA_OK, palitra_token_on_complete(token, wait_in_callback, seen, NULL));
    CHECK_STATUS(PALITRA_OK, palitra_token_wait(token, PALITRA_FOREVER, NULL));
    palitra_runner_free(own); /* and the callback has been */
    CHECK_NUMBER(PALITRA_WOULD_DEADLOCK, seen[1]);
    CHECK_NUMBER(PALITRA_OK, seen[2]);
    palitra_token_free(token);
    palitra_token_free(never);
}

static void a_deadline_of_zero_is_none(void) {
    palitra_token token = submit_with_deadline("palitra.sleep", "{\"seconds\": 0.02}", 0);
    CHECK_STATUS(PALITRA_OK, wait_for(token));
    palitra_token_free(token);
    token = submit_with_deadline("test.never", "", 1);
    CHECK_STATUS(PALITRA_DEADLINE, wait_for(token));
    palitra_token_free(token);
}

static void poll_never_blocks(void) {
    palitra_reply reply;
    palitra_token token = submit(runner, "test.never", "");
    double start = now();
    CHECK_STATUS(PALITRA_PENDING, palitra_token_poll(token, &reply));
    CHECK_STATUS(PALITRA_PENDING, reply.status);
    palitra_reply_free(&reply);
    CHECK_STATUS(PALITRA_PENDING, palitra_token_poll(token, NULL));
    CHECK_STATUS(PALITRA_PENDING, palitra_runner_wait(runner, token, 0, NULL));
    CHECK_TOOK(0, 5, start);
    end_never(runner, token);
}

static void poll_returns_the_jobs_own_status_once_it_has_finished(void) {
    palitra_reply reply;
    palitra_token token = submit(runner, "test.fail", "{\"code\": -3, \"message\": \"worse\"}");
    EVENTUALLY(palitra_token_poll(token, NULL) != PALITRA_PENDING);
    CHECK_STATUS(PALITRA_JOB_FAILED, palitra_token_poll(token, &reply));
    CHECK_NUMBER(-3, reply.code);
    CHECK_REPLY("worse", reply);
    palitra_reply_free(&reply);
    palitra_token_free(token);
}

static void a_finished_token_may_be_waited_on_twice_and_each_reply_is_freed_on_its_own(void) {
    palitra_reply first, second, third;
    palitra_token token = submit(runner, "palitra.echo", "again");
    CHECK_STATUS(PALITRA_OK, palitra_runner_wait(runner, token, PALITRA_FOREVER, &first));
    CHECK_STATUS(PALITRA_OK, palitra_runner_wait(runner, token, PALITRA_FOREVER, &second));
    palitra_reply_free(&first);
    CHECK_STATUS(PALITRA_OK, palitra_token_poll(token, &third));
    palitra_token_free(token);
    CHECK_REPLY("again", second);
    palitra_reply_free(&second);
    CHECK_REPLY("again", third);
    palitra_reply_free(&third);
}

static void a_panic_in_a_submitted_job_is_its_status(void) {
    palitra_reply reply;
    palitra_token token = submit(runner, "test.panic", "a reason");
    CHECK_STATUS(PALITRA_JOB_PANICKED, palitra_runner_wait(runner, token, PALITRA_FOREVER, &reply));
    CHECK_REPLY_CONTAINS("a reason", reply);
    palitra_reply_free(&reply);
    palitra_token_free(token);
    check_echo(runner);
}

static void cancel_finishes_the_token_and_drops_the_job(void) {
    int before = dropped(runner);
    palitra_token token = submit(runner, "test.never", "");
    CHECK_NUMBER(before, dropped(runner));
    CHECK_STATUS(PALITRA_OK, palitra_token_cancel(token));
    CHECK_STATUS(PALITRA_CANCELLED, wait_for(token));
    CHECK_STATUS(PALITRA_CANCELLED, palitra_token_poll(token, NULL));
    EVENTUALLY(dropped(runner) == before + 1);
    palitra_token_free(token);
}

static void cancel_of_a_finished_token_changes_nothing(void) {
    palitra_reply reply;
    palitra_token token = submit(runner, "palitra.echo", "done");
    CHECK_STATUS(PALITRA_OK, wait_for(token));
    CHECK_STATUS(PALITRA_OK, palitra_token_cancel(token));
    CHECK_STATUS(PALITRA_OK, palitra_token_poll(token, &reply));
    CHECK_REPLY("done", reply);
    palitra_reply_free(&reply);
    palitra_token_free(token);
}

static void a_deadline_cancels_the_job_and_is_its_status(void) {
    int before = dropped(runner);
    double start = now();
    /* Long enough for the job to start, or it is never dropped. */
    palitra_token token = submit_with_deadline("test.never", "", SECONDS(0.2 * slowness()));
    CHECK_STATUS(PALITRA_DEADLINE, wait_for(token));
    CHECK_TOOK(0.2, 5, start);
    EVENTUALLY(dropped(runner) == before + 1);
    palitra_token_free(token);
}

static void a_deadline_in_good_time_does_nothing(void) {
    palitra_token token = submit_with_deadline("palitra.sleep", "{\"seconds\": 0.05}", SECONDS(25));
    CHECK_STATUS(PALITRA_OK, wait_for(token));
    palitra_token_free(token);
}

/* The runner's thread is blocked, so it cannot be the one that keeps the deadline. */
static void a_deadline_holds_while_the_runner_is_blocked(void) {
    palitra_runner own = new_runner();
    palitra_token token = {0};
    palitra_submit_options options;
    palitra_submit_options_init(&options);
    options.deadline_ns = SECONDS(0.2);
    const char *payload = "{\"seconds\": 3}";
    double start = now();
    CHECK_STATUS(PALITRA_OK, palitra_runner_submit(own, "test.spin", payload, strlen(payload), &options, &token));
    CHECK_STATUS(PALITRA_DEADLINE, palitra_runner_wait(own, token, PALITRA_FOREVER, NULL));
    CHECK_TOOK(0.2, 2, start);
    palitra_token_free(token);
    CHECK_STATUS(PALITRA_OK, shutdown_runner(own, PALITRA_FOREVER));
    palitra_runner_free(own);
}

static void freeing_a_token_detaches_but_does_not_cancel(void) {
    palitra_runner own = new_runner();
    int before = dropped(own);
    palitra_token token = submit(own, "test.never", "");
    palitra_token_free(token);
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_token_poll(token, NULL));
    palitra_token_free(token);
    pause_for(0.1);
    CHECK_NUMBER(before, dropped(own));
    CHECK_STATUS(PALITRA_OK, shutdown_runner(own, 0));
    CHECK_NUMBER(before + 1, dropped(runner));
    palitra_runner_free(own);
}

static void a_job_may_submit_to_its_own_runner_and_await(void) {
    palitra_reply reply;
    palitra_token token = submit(runner, "test.nested", "from within");
    CHECK_STATUS(PALITRA_OK, palitra_runner_wait(runner, token, PALITRA_FOREVER, &reply));
    CHECK_REPLY("from within", reply);
    palitra_reply_free(&reply);
    palitra_token_free(token);
}

int main(void) {
    runner = new_runner();
    TEST(a_submitted_job_is_waited_for);
    TEST(the_payload_is_copied);
    TEST(wait_past_its_timeout_returns_pending_and_the_job_runs_on);
    TEST(a_wait_needs_no_runner);
    TEST(a_wait_works_after_the_runner_is_gone);
    TEST(a_wait_on_the_runners_own_thread_would_deadlock);
    TEST(poll_never_blocks);
    TEST(poll_returns_the_jobs_own_status_once_it_has_finished);
    TEST(a_finished_token_may_be_waited_on_twice_and_each_reply_is_freed_on_its_own);
    TEST(a_panic_in_a_submitted_job_is_its_status);
    TEST(cancel_finishes_the_token_and_drops_the_job);
    TEST(cancel_of_a_finished_token_changes_nothing);
    TEST(a_deadline_cancels_the_job_and_is_its_status);
    TEST(a_deadline_in_good_time_does_nothing);
    TEST(a_deadline_of_zero_is_none);
    TEST(a_deadline_holds_while_the_runner_is_blocked);
    TEST(freeing_a_token_detaches_but_does_not_cancel);
    TEST(a_job_may_submit_to_its_own_runner_and_await);
    palitra_runner_free(runner);
    return 0;
}
