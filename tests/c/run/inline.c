/* Bounded calls of inline jobs: jobs whose authors declare that their first poll never blocks.
 *
 * Promise 2: a job that is ready at once costs no hand-off.
 * Promise 3: timeouts and deadlines hold.
 */
#include "test.h"

/* A runner whose thread a job blocks: what becomes ready meanwhile was polled by the calling thread. */
static palitra_runner blocked_runner(palitra_token *holding) {
    palitra_runner runner = new_runner();
    *holding = submit(runner, "test.hold", "{\"seconds\": 2}");
    return runner;
}

static void free_blocked(palitra_runner runner, palitra_token holding) {
    CHECK_STATUS(PALITRA_PENDING, palitra_token_poll(holding, NULL));
    CHECK_STATUS(PALITRA_OK, palitra_token_wait(holding, SECONDS(20), NULL));
    palitra_token_free(holding);
    palitra_runner_free(runner);
}

static palitra_status start(palitra_runner runner, const char *job, const char *payload, palitra_token *token,
                            palitra_reply *reply) {
    palitra_submit_options options;
    palitra_submit_options_init(&options);
    options.flags = PALITRA_INLINE_ONLY;
    return palitra_runner_start(runner, job, payload, strlen(payload), &options, token, reply);
}

static void an_inline_job_that_is_ready_needs_no_runner_thread(void) {
    palitra_token holding, token = {99};
    palitra_reply reply;
    palitra_runner runner = blocked_runner(&holding);
    CHECK_STATUS(PALITRA_OK, run(runner, "palitra.echo", "bounded", SECONDS(20), &reply));
    CHECK_REPLY("bounded", reply);
    palitra_reply_free(&reply);
    CHECK_STATUS(PALITRA_OK, start(runner, "palitra.echo", "started", &token, &reply));
    CHECK_REPLY("started", reply);
    CHECK_NUMBER(0, token.id);
    palitra_reply_free(&reply);
    CHECK_STATUS(PALITRA_BAD_PAYLOAD, run(runner, "palitra.sleep", "[]", SECONDS(20), NULL));
    free_blocked(runner, holding);
}

static void any_other_job_starts_on_the_runners_thread(void) {
    palitra_token holding, token;
    palitra_reply reply;
    palitra_runner runner = blocked_runner(&holding);
    CHECK_STATUS(PALITRA_DEADLINE, run(runner, "test.ready", "", SECONDS(0.05), NULL));
    CHECK_STATUS(PALITRA_PENDING, start(runner, "test.ready", "", &token, &reply));
    CHECK_STATUS(PALITRA_PENDING, reply.status);
    palitra_reply_free(&reply);
    free_blocked(runner, holding);
    palitra_token_free(token);
}

/* The first execution of any job on this runner. */
static void a_job_that_never_yields_meets_its_deadline_the_first_time(void) {
    palitra_runner runner = new_runner();
    palitra_token token;
    double started = now();
    CHECK_STATUS(PALITRA_DEADLINE, run(runner, "test.hold", "{\"seconds\": 3}", SECONDS(0.1), NULL));
    CHECK_STATUS(PALITRA_PENDING, start(runner, "test.hold", "{\"seconds\": 0}", &token, NULL));
    CHECK_STATUS(PALITRA_PENDING, palitra_token_poll(token, NULL));
    CHECK_TOOK(0.1, 2.5, started);
    palitra_token_free(token);
    palitra_runner_free(runner);
}

static void an_inline_job_that_pends_has_the_time_that_is_left(void) {
    palitra_runner runner = new_runner();
    palitra_reply reply;
    double started = now();
    CHECK_STATUS(PALITRA_OK, run(runner, "palitra.sleep", "{\"seconds\":0.1}", SECONDS(20), &reply));
    CHECK_TOOK(0.1, 10, started);
    CHECK_REPLY("{\"seconds\":0.1}", reply);
    palitra_reply_free(&reply);
    started = now();
    CHECK_STATUS(PALITRA_DEADLINE, run(runner, "palitra.sleep", "{\"seconds\":60}", SECONDS(0.2), &reply));
    CHECK_TOOK(0.2, 10, started);
    CHECK_STATUS(PALITRA_DEADLINE, reply.status);
    palitra_reply_free(&reply);
    /* The first poll has used it all up: the job gets no more. */
    int before = dropped(runner);
    started = now();
    CHECK_STATUS(PALITRA_DEADLINE,
                 run(runner, "test.inline_hold", "{\"seconds\":0.2,\"pends\":true}", SECONDS(0.19), NULL));
    CHECK_TOOK(0.2, 10, started);
    EVENTUALLY(dropped(runner) == before + 1);
    palitra_runner_free(runner);
}

/* A reply that is there is a reply, and not to block is no reason not to look. */
static void a_job_that_is_ready_at_its_inline_poll_leaves_its_reply_whatever_the_time(void) {
    palitra_runner runner = new_runner();
    palitra_reply reply;
    CHECK_STATUS(PALITRA_OK, run(runner, "palitra.echo", "zero", 0, &reply));
    CHECK_REPLY("zero", reply);
    palitra_reply_free(&reply);
    CHECK_STATUS(PALITRA_OK, run(runner, "test.inline_hold", "{\"seconds\":0.2,\"pends\":false}", SECONDS(0.01), NULL));
    CHECK_STATUS(PALITRA_DEADLINE, run(runner, "palitra.sleep", "{\"seconds\":60}", 0, NULL));
    palitra_runner_free(runner);
}

static void what_is_only_submitted_may_have_the_flag(void) {
    palitra_runner runner = new_runner();
    palitra_submit_options options;
    palitra_token token;
    palitra_submit_options_init(&options);
    options.flags = PALITRA_INLINE_ONLY | PALITRA_NO_ITEMS;
    CHECK_STATUS(PALITRA_OK, palitra_runner_submit(runner, "palitra.echo", "x", 1, &options, &token));
    CHECK_STATUS(PALITRA_OK, palitra_token_wait(token, SECONDS(20), NULL));
    palitra_token_free(token);
    palitra_runner_free(runner);
}

static void bounds_and_the_end_refuse_a_bounded_call(void) {
    palitra_runner runner = runner_with((palitra_runner_options){.max_in_flight = 1, .max_payload = 4});
    palitra_token never = submit(runner, "test.never", "");
    CHECK_STATUS(PALITRA_BUSY, run(runner, "palitra.echo", "x", SECONDS(20), NULL));
    CHECK_STATUS(PALITRA_TOO_LARGE, run(runner, "palitra.echo", "large", SECONDS(20), NULL));
    CHECK_STATUS(PALITRA_OK, shutdown_runner(runner, 0));
    CHECK_STATUS(PALITRA_SHUT_DOWN, run(runner, "palitra.echo", "x", SECONDS(20), NULL));
    palitra_token_free(never);
    palitra_runner_free(runner);
}

int main(void) {
    TEST(an_inline_job_that_is_ready_needs_no_runner_thread);
    TEST(any_other_job_starts_on_the_runners_thread);
    TEST(a_job_that_never_yields_meets_its_deadline_the_first_time);
    TEST(an_inline_job_that_pends_has_the_time_that_is_left);
    TEST(a_job_that_is_ready_at_its_inline_poll_leaves_its_reply_whatever_the_time);
    TEST(what_is_only_submitted_may_have_the_flag);
    TEST(bounds_and_the_end_refuse_a_bounded_call);
    return 0;
}
