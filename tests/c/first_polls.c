/* The first poll on a host's thread is in flight like every other: a shutdown knows of it, waits for it, ends it. */
#include "scheduling.h"

static struct {
    palitra_runner runner;
    const char *job, *payload;
    palitra_status status;
    double ended;
    palitra_reply reply;
} running;

static void *run_here(void *unused)
{
    running.status = run(running.runner, running.job, running.payload, PALITRA_FOREVER, &running.reply);
    running.ended = now();
    return unused;
}

/* Returns while the job is in its first poll, on a thread of the host's. */
static pthread_t begin_with(void *(*how)(void *), uint32_t workers, const char *job, const char *payload)
{
    running.runner = runner_with_workers(workers);
    running.job = job;
    running.payload = payload;
    forget_note();
    pthread_t thread = start_thread(how, NULL);
    EVENTUALLY(seen("begun"));
    return thread;
}

static pthread_t begin(uint32_t workers, const char *job, const char *payload)
{
    return begin_with(run_here, workers, job, payload);
}

static void a_shutdown_waits_for_a_first_poll(void)
{
    for (uint32_t workers = 0; workers < 2; workers++) {
        pthread_t thread = begin(workers, "test.slow_start", "{\"hold\":0.8}");
        CHECK_STATUS(PALITRA_OK, palitra_runner_shutdown(running.runner, SECONDS(10)));
        double returned = now();
        join_thread(thread);
        CHECK_STATUS(PALITRA_OK, running.status);
        CHECK(returned >= running.ended - 0.1); /* it is dropped a little before its run returns */
        palitra_reply_free(&running.reply);
        palitra_runner_free(running.runner);
    }
}

static void a_job_that_pends_after_its_first_poll_has_its_grace(void)
{
    for (uint32_t workers = 0; workers < 2; workers++) {
        pthread_t thread = begin(workers, "test.slow_start", "{\"hold\":0.8,\"sleep\":0.2}");
        CHECK_STATUS(PALITRA_OK, palitra_runner_shutdown(running.runner, SECONDS(10)));
        join_thread(thread);
        CHECK_STATUS(PALITRA_OK, running.status);
        CHECK_REPLY("to its end", running.reply);
        palitra_reply_free(&running.reply);
        palitra_runner_free(running.runner);
    }
}

static void a_first_poll_notices_the_end(void)
{
    for (uint32_t workers = 0; workers < 2; workers++) {
        pthread_t thread = begin(workers, "test.watchful", "{\"seconds\":3}");
        double start = now();
        CHECK_STATUS(PALITRA_PENDING, palitra_runner_shutdown(running.runner, 0));
        CHECK_TOOK(0.9, 1.6, start);
        CHECK(seen("cancelled"));
        join_thread(thread);
        palitra_reply_free(&running.reply);
        CHECK_STATUS(PALITRA_OK, palitra_runner_shutdown(running.runner, SECONDS(5)));
        palitra_runner_free(running.runner);
    }
}

/* No panic of tokio's, whose timer the job meets after the end: tests/c_scheduler.rs looks at what is printed. */
static void a_timer_in_a_first_poll_after_the_end_is_a_cancel(void)
{
    for (uint32_t workers = 0; workers < 2; workers++) {
        pthread_t thread = begin(workers, "test.slow_start", "{\"hold\":0.8,\"sleep\":0.2}");
        CHECK_STATUS(PALITRA_OK, palitra_runner_shutdown(running.runner, SECONDS(0.05)));
        join_thread(thread);
        CHECK_STATUS(PALITRA_CANCELLED, running.status);
        palitra_reply_free(&running.reply);
        palitra_runner_free(running.runner);
    }
}

/* After a shutdown that gave up on it, too: the runtime outlives the poll. */
static void a_timer_in_a_first_poll_after_a_pending_end_is_a_cancel(void)
{
    pthread_t thread = begin(0, "test.slow_start", "{\"hold\":2.5,\"sleep\":0.2}");
    CHECK_STATUS(PALITRA_PENDING, palitra_runner_shutdown(running.runner, 0));
    join_thread(thread);
    CHECK_STATUS(PALITRA_CANCELLED, running.status);
    palitra_reply_free(&running.reply);
    CHECK_STATUS(PALITRA_OK, palitra_runner_shutdown(running.runner, SECONDS(5)));
    palitra_runner_free(running.runner);
}

/* palitra_runner_start polls here as palitra_runner_run does. */
static void *start_here(void *unused)
{
    palitra_token token = {0};
    running.status = palitra_runner_start(running.runner, running.job, running.payload, strlen(running.payload), NULL,
                                          &token, NULL);
    CHECK_STATUS(PALITRA_PENDING, running.status);
    running.status = palitra_runner_wait(running.runner, token, SECONDS(20), NULL);
    palitra_token_free(token);
    return unused;
}

static void a_started_job_is_in_flight_from_the_start(void)
{
    pthread_t thread = begin_with(start_here, 0, "test.slow_start", "{\"hold\":0.8,\"sleep\":0.2}");
    CHECK_STATUS(PALITRA_OK, palitra_runner_shutdown(running.runner, SECONDS(10)));
    join_thread(thread);
    CHECK_STATUS(PALITRA_OK, running.status);
    palitra_runner_free(running.runner);
}

int main(void)
{
    TEST(a_shutdown_waits_for_a_first_poll);
    TEST(a_job_that_pends_after_its_first_poll_has_its_grace);
    TEST(a_first_poll_notices_the_end);
    TEST(a_timer_in_a_first_poll_after_the_end_is_a_cancel);
    TEST(a_timer_in_a_first_poll_after_a_pending_end_is_a_cancel);
    TEST(a_started_job_is_in_flight_from_the_start);
    return 0;
}
