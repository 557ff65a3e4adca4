/* The grace period lets work finish: jobs may submit to their runner until it is over, hosts may not.
 *
 * Promise 8: a shutdown ends everything within its bound.
 */
#include "scheduling.h"

static void a_job_in_its_grace_period_may_submit_another(void) {
    for (uint32_t workers = 0; workers < 2; workers++) {
        palitra_runner runner = runner_with_workers(workers);
        palitra_reply reply;
        palitra_token token = submit(runner, "test.nested_later", "both");
        double start = now();
        CHECK_STATUS(PALITRA_OK, shutdown_runner(runner, SECONDS(10)));
        CHECK_TOOK(0, 5, start);
        CHECK_STATUS(PALITRA_OK, palitra_token_poll(token, &reply));
        CHECK_REPLY("both", reply);
        palitra_reply_free(&reply);
        palitra_token_free(token);
        palitra_stats stats = stats_of(runner);
        CHECK_NUMBER(2, stats.succeeded);
        CHECK_NUMBER(2, stats.submitted);
        palitra_runner_free(runner);
    }
}

/* Many at a time, so that some submit when all others have ended. */
static void many_jobs_in_their_grace_period_may_submit_others(void) {
    for (uint32_t workers = 0; workers < 3; workers += 2) {
        palitra_runner runner = runner_with_workers(workers);
        submit_detached(runner, 1000, "test.nested_later", "both");
        CHECK_STATUS(PALITRA_OK, shutdown_runner(runner, PALITRA_FOREVER));
        palitra_stats stats = stats_of(runner);
        CHECK_NUMBER(2000, stats.succeeded);
        palitra_runner_free(runner);
    }
}

static void after_the_grace_period_a_job_is_refused(void) {
    for (uint32_t workers = 0; workers < 2; workers++) {
        palitra_runner runner = runner_with_workers(workers);
        forget_note();
        palitra_token token = submit(runner, "test.late_submit", "{\"seconds\":0.7}");
        EVENTUALLY(seen("begun"));
        palitra_runner_shutdown(runner, SECONDS(0.1));
        EVENTUALLY(!seen("begun"));
        CHECK(seen("PALITRA_SHUT_DOWN"));
        palitra_token_free(token);
        palitra_runner_free(runner);
    }
}

/* A job that is polled inline is a job, too. */
static void a_job_that_is_polled_inline_may_submit_another(void) {
    palitra_runner runner = new_runner();
    pthread_t thread = start_inline_run(&(inline_run){runner, "test.late_submit", "{\"seconds\":0.5}"});
    CHECK_STATUS(PALITRA_OK, shutdown_runner(runner, SECONDS(10)));
    join_thread(thread);
    CHECK(seen("PALITRA_OK"));
    CHECK_NUMBER(2, stats_of(runner).succeeded);
    palitra_runner_free(runner);
}

static struct {
    palitra_runner runner;
    palitra_status status;
    palitra_token token;
    int done;
} from_a_callback;

static void submit_another(palitra_token token, palitra_status status, void *user_data) {
    (void)token;
    (void)status;
    (void)user_data;
    from_a_callback.status =
        palitra_runner_submit(from_a_callback.runner, "palitra.echo", "x", 1, NULL, &from_a_callback.token);
    __atomic_store_n(&from_a_callback.done, 1, __ATOMIC_RELEASE);
}

/* A submission on the runner's thread is the runner's own work, though it is the same C function. */
static void a_callback_in_the_grace_period_may_submit_another(void) {
    palitra_runner runner = from_a_callback.runner = new_runner();
    palitra_token token = submit(runner, "palitra.sleep", "{\"seconds\":0.2}");
    palitra_token later =
        submit(runner, "palitra.sleep", "{\"seconds\":0.6}"); /* so that the grace period is not over */
    CHECK_STATUS(PALITRA_OK, palitra_token_on_complete(token, submit_another, NULL, NULL));
    CHECK_STATUS(PALITRA_OK, shutdown_runner(runner, SECONDS(10)));
    CHECK_NUMBER(1, __atomic_load_n(&from_a_callback.done, __ATOMIC_ACQUIRE));
    CHECK_STATUS(PALITRA_OK, from_a_callback.status);
    CHECK_STATUS(PALITRA_OK, palitra_token_poll(from_a_callback.token, NULL));
    palitra_token_free(from_a_callback.token);
    palitra_token_free(token);
    palitra_token_free(later);
    palitra_runner_free(runner);
}

static void *shut_down_slowly(void *runner) {
    CHECK_STATUS(PALITRA_OK, shutdown_runner(*(palitra_runner *)runner, SECONDS(10)));
    return NULL;
}

/* Though jobs are not. */
static void a_host_is_refused_in_the_grace_period(void) {
    palitra_runner runner = new_runner();
    palitra_token token = submit(runner, "test.never", "");
    pthread_t thread = start_thread(shut_down_slowly, &runner);
    EVENTUALLY(!palitra_runner_is_alive(runner));
    CHECK_STATUS(PALITRA_SHUT_DOWN, palitra_runner_submit(runner, "palitra.echo", "x", 1, NULL, NULL));
    CHECK_STATUS(PALITRA_SHUT_DOWN, run(runner, "palitra.echo", "x", PALITRA_FOREVER, NULL));
    CHECK_STATUS(PALITRA_OK, palitra_token_cancel(token));
    join_thread(thread);
    palitra_token_free(token);
    palitra_runner_free(runner);
}

int main(void) {
    TEST(a_job_in_its_grace_period_may_submit_another);
    TEST(many_jobs_in_their_grace_period_may_submit_others);
    TEST(after_the_grace_period_a_job_is_refused);
    TEST(a_job_that_is_polled_inline_may_submit_another);
    TEST(a_callback_in_the_grace_period_may_submit_another);
    TEST(a_host_is_refused_in_the_grace_period);
    return 0;
}
