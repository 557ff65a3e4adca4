/* A job that would wait for its own runner fails at once. It does not hang the runner.
 *
 * Promise 5: nothing deadlocks on the runner's own thread.
 */
#include "test.h"

static void check_would_deadlock(palitra_reply *reply) {
    CHECK_REPLY("PALITRA_WOULD_DEADLOCK", *reply);
    palitra_reply_free(reply);
}

static void a_submitted_job_that_blocks_on_its_own_runner_is_refused(void) {
    palitra_runner runner = new_runner();
    palitra_reply reply;
    palitra_token token = submit(runner, "test.block", "");
    CHECK_STATUS(PALITRA_OK, palitra_runner_wait(runner, token, SECONDS(20), &reply));
    check_would_deadlock(&reply);
    palitra_token_free(token);
    check_echo(runner);
    palitra_runner_free(runner);
}

static void a_job_run_with_a_timeout_is_refused_too(void) {
    palitra_runner runner = new_runner();
    palitra_reply reply;
    CHECK_STATUS(PALITRA_OK, run(runner, "test.block", "", SECONDS(20), &reply));
    check_would_deadlock(&reply);
    check_echo(runner);
    palitra_runner_free(runner);
}

/* Without a timeout the job is polled on the calling thread; the watchdog is the judge. */
static void a_job_polled_on_the_calling_thread_does_not_hang(void) {
    palitra_runner runner = new_runner();
    palitra_reply reply;
    CHECK_STATUS(PALITRA_OK, run(runner, "test.block", "", PALITRA_FOREVER, &reply));
    CHECK_REPLY_CONTAINS("PALITRA_", reply);
    palitra_reply_free(&reply);
    check_echo(runner);
    palitra_runner_free(runner);
}

static palitra_runner own;
static uint64_t submitted_before;
static int refused;

static uint64_t submitted(void) {
    palitra_stats stats;
    palitra_stats_init(&stats);
    CHECK_STATUS(PALITRA_OK, palitra_runner_stats(own, &stats));
    return stats.submitted;
}

static void submit_to_wait(palitra_token token, palitra_status status, void *user_data) {
    palitra_submit_options options;
    palitra_submission one = {.job = "test.never"};
    palitra_reply reply;
    (void)status;
    (void)user_data;
    palitra_submit_options_init(&options);
    options.flags = PALITRA_WILL_WAIT;
    submitted_before = submitted();
    CHECK_STATUS(PALITRA_WOULD_DEADLOCK, palitra_runner_submit(own, "test.never", NULL, 0, &options, &token));
    CHECK_STATUS(PALITRA_WOULD_DEADLOCK, palitra_runner_submit_many(own, &one, 1, &options, &token, NULL));
    CHECK_STATUS(PALITRA_WOULD_DEADLOCK, palitra_runner_start(own, "test.never", NULL, 0, &options, &token, &reply));
    palitra_reply_free(&reply);
    __atomic_store_n(&refused, 1, __ATOMIC_RELEASE);
}

static void a_job_that_could_not_be_waited_for_is_not_submitted(void) {
    palitra_submit_options options;
    palitra_submit_options_init(&options);
    options.flags = PALITRA_WILL_WAIT;
    own = new_runner();
    palitra_token ready = submit(own, "test.ready", ""), elsewhere;
    CHECK_STATUS(PALITRA_OK, palitra_token_on_complete(ready, submit_to_wait, NULL, NULL));
    EVENTUALLY(__atomic_load_n(&refused, __ATOMIC_ACQUIRE));
    CHECK_NUMBER(submitted_before, submitted());
    CHECK_STATUS(PALITRA_OK, palitra_runner_submit(own, "palitra.echo", "x", 1, &options, &elsewhere));
    CHECK_STATUS(PALITRA_OK, palitra_token_wait(elsewhere, SECONDS(20), NULL));
    palitra_token_free(ready);
    palitra_token_free(elsewhere);
    palitra_runner_free(own);
}

int main(void) {
    TEST(a_submitted_job_that_blocks_on_its_own_runner_is_refused);
    TEST(a_job_run_with_a_timeout_is_refused_too);
    TEST(a_job_polled_on_the_calling_thread_does_not_hang);
    TEST(a_job_that_could_not_be_waited_for_is_not_submitted);
    return 0;
}
