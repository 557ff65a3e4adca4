/* The time of a shutdown is linear in the number of jobs. No job starts after the grace period.
 *
 * Promise 8: a shutdown ends everything within its bound.
 */
#include "scheduling.h"

static void end_with_many(uint32_t workers, const char *job, const char *payload) {
    palitra_runner runner = runner_with_workers(workers);
    submit_detached(runner, 100000, job, payload);
    EVENTUALLY(stats_of(runner).queued == 0);
    double start = processor_time();
    CHECK_STATUS(PALITRA_OK, shutdown_runner(runner, 0));
    CHECK(processor_time() - start < 2 * slowness());
    palitra_stats stats = stats_of(runner);
    CHECK_NUMBER(100000, stats.cancelled);
    CHECK_NUMBER(0, stats.queued + stats.running);
    palitra_runner_free(runner);
}

static void a_hundred_thousand_jobs_end_at_once(void) {
    end_with_many(0, "test.never", "");
    end_with_many(0, "palitra.sleep", "{\"seconds\":60}");
}

static void a_hundred_thousand_jobs_of_workers_end_at_once(void) {
    end_with_many(2, "test.never", "");
    end_with_many(2, "palitra.sleep", "{\"seconds\":60}");
}

/* They have not started when the shutdown comes: none starts, and none is lost. */
static void a_hundred_thousand_queued_jobs_end_at_once(void) {
    for (uint32_t workers = 0; workers < 3; workers += 2) {
        palitra_runner runner = runner_with_workers(workers);
        submit_detached(runner, 100000, "test.never", "");
        CHECK_STATUS(PALITRA_OK, shutdown_runner(runner, 0));
        palitra_stats stats = stats_of(runner);
        CHECK_NUMBER(100000, stats.cancelled);
        palitra_runner_free(runner);
    }
}

static double time_of_shutdown(uint32_t workers, int n) {
    palitra_runner runner = runner_with_workers(workers);
    submit_detached(runner, n, "test.never", "");
    EVENTUALLY(stats_of(runner).queued == 0);
    double start = processor_time();
    palitra_runner_shutdown(runner, 0);
    double time = processor_time() - start;
    palitra_runner_free(runner);
    return time;
}

static void a_shutdown_costs_no_square(void) {
    double few = time_of_shutdown(0, 25000);
    CHECK_LINEAR(few, time_of_shutdown(0, 100000));
}

static void a_shutdown_with_workers_costs_no_square(void) {
    double few = time_of_shutdown(2, 25000);
    CHECK_LINEAR(few, time_of_shutdown(2, 100000));
}

/* The job that blocks the thread when the shutdown is called is waited for; the next does not start. */
static void no_job_starts_after_the_grace_period(void) {
    for (uint32_t workers = 0; workers < 2; workers++) {
        palitra_runner runner = runner_with_workers(workers);
        palitra_token first = hold(runner, "{\"seconds\":0.1}");
        submit_detached(runner, 60, "test.hold", "{\"seconds\":0.1}");
        int before = holds();
        double start = now();
        CHECK_STATUS(PALITRA_OK, shutdown_runner(runner, 0));
        CHECK_TOOK(0, 5, start);
        CHECK(holds() <= before + 1);
        palitra_stats stats = stats_of(runner);
        CHECK_NUMBER(61, ended(stats));
        palitra_token_free(first);
        palitra_runner_free(runner);
    }
}

/* As above, but with a grace period that ends between two of them. */
static void a_grace_period_that_ends_between_two_jobs_ends_them(void) {
    palitra_runner runner = new_runner();
    palitra_token first = hold(runner, "{\"seconds\":0.1}");
    submit_detached(runner, 60, "test.hold", "{\"seconds\":0.1}");
    double start = now();
    CHECK_STATUS(PALITRA_OK, shutdown_runner(runner, SECONDS(0.35)));
    CHECK_TOOK(0.35, 5, start);
    CHECK(stats_of(runner).cancelled >= 50);
    palitra_token_free(first);
    palitra_runner_free(runner);
}

int main(void) {
    TEST(a_hundred_thousand_jobs_end_at_once);
    TEST(a_hundred_thousand_jobs_of_workers_end_at_once);
    TEST(a_hundred_thousand_queued_jobs_end_at_once);
    TEST(a_shutdown_costs_no_square);
    TEST(a_shutdown_with_workers_costs_no_square);
    TEST(no_job_starts_after_the_grace_period);
    TEST(a_grace_period_that_ends_between_two_jobs_ends_them);
    return 0;
}
