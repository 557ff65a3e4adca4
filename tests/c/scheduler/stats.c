/* The figures of a runner under load: they never decrease, and a job is in exactly one of queued, running, ended. */
#include "scheduling.h"

static void check_counts(const palitra_stats *stats, uint64_t submitted, uint64_t queued, uint64_t running)
{
    if (stats->submitted == submitted && stats->queued == queued && stats->running == running) return;
    fprintf(stderr, "submitted, queued, running: expected %d, %d, %d, saw %d, %d, %d", (int)submitted, (int)queued,
            (int)running, (int)stats->submitted, (int)stats->queued, (int)stats->running);
    fail(__FILE__, __LINE__);
}

/* Those behind it are queued; with workers they may already have been given to one. */
static void a_job_that_blocks_the_thread_is_running(void)
{
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

static void *run_a_hold(void *runner)
{
    palitra_runner *its = runner;
    CHECK_STATUS(PALITRA_OK, run(*its, "test.slow_start", "{\"hold\":1.5}", PALITRA_FOREVER, NULL));
    return NULL;
}

static void a_job_that_is_polled_inline_is_running(void)
{
    palitra_runner runner = new_runner();
    forget_note();
    pthread_t thread = start_thread(run_a_hold, &runner);
    EVENTUALLY(seen("begun"));
    palitra_stats stats = stats_of(runner);
    check_counts(&stats, 1, 0, 1);
    join_thread(thread);
    stats = stats_of(runner);
    check_counts(&stats, 1, 0, 0);
    CHECK_NUMBER(1, stats.succeeded);
    palitra_runner_free(runner);
}

/* Cancelled, but still there: it is running until it has been dropped. */
static void a_cancelled_job_is_running_until_it_was_dropped(void)
{
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

/* ---- under load ------------------------------------------------------------------------------------- */

static struct {
    palitra_runner runner;
    int over;
} load;

static void *keep_submitting(void *number)
{
    static const char *const jobs[][2] = {{"palitra.echo", "x"}, {"palitra.sleep", "{\"seconds\":0.0005}"},
                                          {"test.fail", "{\"code\":1,\"message\":\"\"}"}, {"test.never", ""}};
    for (int i = (int)(intptr_t)number; !__atomic_load_n(&load.over, __ATOMIC_ACQUIRE); i++) {
        palitra_token token = submit(load.runner, jobs[i % 4][0], jobs[i % 4][1]);
        if (i % 4 == 3) CHECK_STATUS(PALITRA_OK, palitra_token_cancel(token));
        else if (i % 2 == 0) palitra_runner_wait(load.runner, token, SECONDS(20), NULL);
        palitra_token_free(token);
        if (i % 16 == 0) run(load.runner, "palitra.sleep", "{\"seconds\":0.0001}", PALITRA_FOREVER, NULL);
    }
    return NULL;
}

#define NEVER_LESS(figure) \
    do { \
        if (seen_now.figure < last.figure) { \
            fprintf(stderr, "%s went down from %" PRIu64 " to %" PRIu64, #figure, last.figure, seen_now.figure); \
            fail(__FILE__, __LINE__); \
        } \
    } while (0)

static void sample_for(double seconds)
{
    palitra_stats last = {0};
    for (double end = now() + seconds; now() < end;) {
        palitra_stats seen_now = stats_of(load.runner);
        NEVER_LESS(submitted);
        NEVER_LESS(succeeded);
        NEVER_LESS(failed);
        NEVER_LESS(panicked);
        NEVER_LESS(cancelled);
        NEVER_LESS(deadline);
        CHECK(seen_now.submitted == seen_now.queued + seen_now.running + ended(seen_now));
        last = seen_now;
    }
    CHECK(last.succeeded > 0 && last.failed > 0 && last.cancelled > 0);
}

static void figures_never_decrease(void)
{
    for (uint32_t workers = 0; workers < 3; workers += 2) {
        pthread_t threads[4];
        load.runner = runner_with_workers(workers);
        load.over = 0;
        for (size_t i = 0; i < LENGTH(threads); i++) threads[i] = start_thread(keep_submitting, (void *)(intptr_t)i);
        sample_for(2);
        __atomic_store_n(&load.over, 1, __ATOMIC_RELEASE);
        for (size_t i = 0; i < LENGTH(threads); i++) join_thread(threads[i]);
        CHECK_STATUS(PALITRA_OK, shutdown_runner(load.runner, SECONDS(10)));
        palitra_stats stats = stats_of(load.runner);
        check_counts(&stats, ended(stats), 0, 0);
        palitra_runner_free(load.runner);
    }
}

/* A host finds what it has submitted in the figures at once. */
static void what_was_submitted_is_counted(void)
{
    palitra_runner runner = new_runner();
    for (uint64_t i = 1; i <= 20000; i++) {
        submit_detached(runner, 1, "test.ready", "");
        CHECK_NUMBER(i, stats_of(runner).submitted);
    }
    palitra_runner_free(runner);
}

int main(void)
{
    TEST(a_job_that_blocks_the_thread_is_running);
    TEST(a_job_that_is_polled_inline_is_running);
    TEST(a_cancelled_job_is_running_until_it_was_dropped);
    TEST(figures_never_decrease);
    TEST(what_was_submitted_is_counted);
    return 0;
}
