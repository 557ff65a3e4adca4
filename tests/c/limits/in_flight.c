/* max_in_flight counts jobs until they have been dropped: work that nobody wants any more is still work.
 *
 * Promise 11: bad input and limits return a status.
 */
#include "scheduling.h"

static void a_cancelled_job_that_still_runs_counts(void) {
    for (uint32_t workers = 0; workers < 2; workers++) {
        palitra_runner runner = runner_with((palitra_runner_options){.max_in_flight = 1, .worker_threads = workers});
        palitra_token running = hold(runner, "{\"seconds\":1}");
        CHECK_STATUS(PALITRA_OK, palitra_token_cancel(running));
        CHECK_STATUS(PALITRA_BUSY, submit_and_cancel(runner));
        palitra_token_free(running);
        CHECK_STATUS(PALITRA_BUSY, submit_and_cancel(runner));
        EVENTUALLY(submit_and_cancel(runner) == PALITRA_OK);
        palitra_runner_free(runner);
    }
}

static void a_job_that_is_late_counts_until_it_has_gone(void) {
    palitra_runner runner = runner_with((palitra_runner_options){.max_in_flight = 2});
    palitra_token stuck = hold(runner, "{\"seconds\":1}");
    CHECK_STATUS(PALITRA_DEADLINE, run(runner, "test.ready", "", SECONDS(0.02), NULL));
    CHECK_STATUS(PALITRA_BUSY, run(runner, "test.ready", "", SECONDS(0.02), NULL));
    CHECK_STATUS(PALITRA_OK, wait_and_free(runner, stuck));
    EVENTUALLY(run(runner, "palitra.echo", "x", SECONDS(20), NULL) == PALITRA_OK);
    palitra_runner_free(runner);
}

static void a_job_that_is_polled_inline_counts(void) {
    palitra_runner runner = runner_with((palitra_runner_options){.max_in_flight = 1});
    pthread_t thread = start_inline_run(&(inline_run){runner, "test.slow_start", "{\"hold\":0.5}"});
    CHECK_STATUS(PALITRA_BUSY, submit_and_cancel(runner));
    join_thread(thread);
    EVENTUALLY(submit_and_cancel(runner) == PALITRA_OK);
    palitra_runner_free(runner);
}

int main(void) {
    TEST(a_cancelled_job_that_still_runs_counts);
    TEST(a_job_that_is_late_counts_until_it_has_gone);
    TEST(a_job_that_is_polled_inline_counts);
    return 0;
}
