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

int main(void) {
    TEST(a_submitted_job_that_blocks_on_its_own_runner_is_refused);
    TEST(a_job_run_with_a_timeout_is_refused_too);
    TEST(a_job_polled_on_the_calling_thread_does_not_hang);
    return 0;
}
