/* A job is queued, running or ended, never two of them: also one that blocks its thread, is polled inline or was
 * cancelled.
 */
#include "counts.h"

/* Those behind it are queued; with workers they may already have been given to one. */
static void a_job_that_blocks_the_thread_is_running(void) {
    for (uint32_t workers = 0; workers < 2; workers++) {
        palitra_runner runner = runner_with_workers(workers);
        palitra_token holder = hold(runner, "{\"seconds\":1.5}");
        palitra_stats stats = stats_of(runner);
        check_counts(&stats, 1, 0, 1);
        submit_detached(runner, 7, "test.ready", "");
        stats = stats_of(runner);
        if (workers == 0) check_counts(&stats, 8, 7, 1);
        else check_counts(&stats, 8, 8 - stats.running, stats.running);
        CHECK_STATUS(PALITRA_PENDING, palitra_token_poll(holder, NULL)); /* it has blocked the thread all the time */
        CHECK_STATUS(PALITRA_OK, wait_and_free(runner, holder));
        EVENTUALLY(stats_of(runner).succeeded == 8);
        stats = stats_of(runner);
        check_counts(&stats, 8, 0, 0);
        palitra_runner_free(runner);
    }
}

static void a_job_that_is_polled_inline_is_running(void) {
    palitra_runner runner = new_runner();
    pthread_t thread = start_inline_run(&(inline_run){runner, "test.slow_start", "{\"hold\":1.5}"});
    palitra_stats stats = stats_of(runner);
    check_counts(&stats, 1, 0, 1);
    join_thread(thread);
    stats = stats_of(runner);
    check_counts(&stats, 1, 0, 0);
    CHECK_NUMBER(1, stats.succeeded);
    palitra_runner_free(runner);
}

/* Cancelled, but still there: it is running until it has been dropped. */
static void a_cancelled_job_is_running_until_it_was_dropped(void) {
    palitra_runner runner = new_runner();
    palitra_token holder = hold(runner, "{\"seconds\":1.5}");
    CHECK_STATUS(PALITRA_OK, palitra_token_cancel(holder));
    palitra_stats stats = stats_of(runner);
    check_counts(&stats, 1, 0, 1);
    CHECK_NUMBER(0, stats.cancelled);
    EVENTUALLY(stats_of(runner).running == 0);
    stats = stats_of(runner);
    check_counts(&stats, 1, 0, 0);
    palitra_token_free(holder);
    palitra_runner_free(runner);
}

int main(void) {
    TEST(a_job_that_blocks_the_thread_is_running);
    TEST(a_job_that_is_polled_inline_is_running);
    TEST(a_cancelled_job_is_running_until_it_was_dropped);
    return 0;
}
