/* No job starves another, and many jobs do not starve a timer: each has a cooperative budget of its own. */
#include "scheduling.h"

static void a_sleep_ends_on_time_beside_many_jobs_that_take_a_lock(void) {
    palitra_runner runner = new_runner();
    double start = now();
    palitra_token sleep = submit(runner, "palitra.sleep", "{\"seconds\":0.15}");
    submit_detached(runner, 200000, "test.read_lock", "");
    CHECK_STATUS(PALITRA_OK, palitra_runner_wait(runner, sleep, SECONDS(10), NULL));
    CHECK_TOOK(0.15, 2, start);
    palitra_token_free(sleep);
    palitra_runner_free(runner);
}

/* From the first submission to the end of the last job. */
static double time_of(const char *job, int n) {
    palitra_runner runner = new_runner();
    double start = processor_time();
    submit_detached(runner, n, job, "");
    EVENTUALLY(stats_of(runner).succeeded == (uint64_t)n);
    double time = processor_time() - start;
    palitra_runner_free(runner);
    return time;
}

static void jobs_that_take_a_lock_cost_what_others_cost(void) {
    double echoes = time_of("palitra.echo", 200000);
    double locks = time_of("test.read_lock", 200000);
    if (locks >= (8 * echoes + 0.5) * slowness()) {
        fprintf(stderr, "200,000 echoes took %.3f s, 200,000 read locks %.3f s", echoes, locks);
        fail(__FILE__, __LINE__);
    }
}

static struct {
    palitra_runner runner;
    int over;
} flood;

/* Keeps as many in flight as the runner takes. */
static void *keep_flooding(void *unused) {
    while (!__atomic_load_n(&flood.over, __ATOMIC_ACQUIRE)) {
        palitra_status status = palitra_runner_submit(flood.runner, "test.read_lock", "", 0, NULL, NULL);
        if (status == PALITRA_BUSY) pause_for(0.0001);
        else CHECK_STATUS(PALITRA_OK, status);
    }
    return unused;
}

static void a_sleep_ends_while_a_flood_of_jobs_lasts(void) {
    flood.runner = runner_with((palitra_runner_options){.max_in_flight = 20001});
    pthread_t thread = start_thread(keep_flooding, NULL);
    for (int i = 0; i < 5; i++) {
        double start = now();
        palitra_token sleep = {0};
        const char *payload = "{\"seconds\":0.01}";
        EVENTUALLY(palitra_runner_submit(flood.runner, "palitra.sleep", payload, strlen(payload), NULL, &sleep) ==
                   PALITRA_OK);
        CHECK_STATUS(PALITRA_OK, palitra_runner_wait(flood.runner, sleep, SECONDS(5), NULL));
        CHECK_TOOK(0.01, 2, start);
        palitra_token_free(sleep);
    }
    __atomic_store_n(&flood.over, 1, __ATOMIC_RELEASE);
    join_thread(thread);
    palitra_runner_free(flood.runner);
}

static void a_job_whose_awaits_are_always_ready_stops_nobody(void) {
    for (uint32_t workers = 0; workers < 2; workers++) {
        palitra_runner runner = runner_with_workers(workers);
        palitra_token hog = submit(runner, "test.hog", "{\"seconds\":4}");
        for (int i = 0; i < 5; i++) {
            double start = now();
            palitra_token sleep = submit(runner, "palitra.sleep", "{\"seconds\":0.01}");
            palitra_token lock = submit(runner, "test.read_lock", "");
            CHECK_STATUS(PALITRA_OK, wait_and_free(runner, lock));
            CHECK_STATUS(PALITRA_OK, wait_and_free(runner, sleep));
            CHECK_TOOK(0.01, 0.6, start);
        }
        CHECK_STATUS(PALITRA_PENDING, palitra_token_poll(hog, NULL));
        CHECK_STATUS(PALITRA_OK, palitra_token_cancel(hog)); /* takes effect while it runs */
        EVENTUALLY(stats_of(runner).running == 0);
        palitra_token_free(hog);
        palitra_runner_free(runner);
    }
}

/* From before the last of n sleeps is due until the last has ended. */
static double time_of_timers(int n) {
    palitra_runner runner = new_runner();
    submit_detached(runner, n, "palitra.sleep", "{\"seconds\":0.4}");
    pause_for(0.39);
    double start = processor_time();
    EVENTUALLY(stats_of(runner).succeeded == (uint64_t)n);
    double time = processor_time() - start;
    palitra_runner_free(runner);
    return time;
}

static void timers_that_are_due_at_once_cost_no_square(void) {
    double few = time_of_timers(30000);
    CHECK_LINEAR(few, time_of_timers(120000));
}

/* The best of a few tries, for the sake of a machine that is very busy. */
static void a_hundred_thousand_timers_end_on_time(void) {
    double best = 1e9, bound = 1.5 * slowness();
    for (int i = 0; i < 5 && best >= bound; i++) {
        palitra_runner runner = new_runner();
        double start = now();
        submit_detached(runner, 100000, "palitra.sleep", "{\"seconds\":0.05}");
        EVENTUALLY(stats_of(runner).succeeded == 100000);
        double time = now() - start;
        CHECK(time >= 0.05);
        if (time < best) best = time;
        palitra_runner_free(runner);
    }
    CHECK(best < bound);
}

/* A deadline is a timer of the library's own. From before the last of n deadlines is due until the last has passed. */
static double time_of_deadlines(int n) {
    palitra_runner runner = new_runner();
    palitra_submit_options options;
    palitra_submit_options_init(&options);
    options.deadline_ns = SECONDS(0.4);
    for (int i = 0; i < n; i++)
        CHECK_STATUS(PALITRA_OK, palitra_runner_submit(runner, "test.never", "", 0, &options, NULL));
    pause_for(0.39);
    double start = processor_time();
    EVENTUALLY(stats_of(runner).deadline == (uint64_t)n);
    double time = processor_time() - start;
    palitra_runner_free(runner);
    return time;
}

static void deadlines_that_pass_at_once_cost_no_square(void) {
    double few = time_of_deadlines(30000);
    CHECK_LINEAR(few, time_of_deadlines(120000));
}

int main(void) {
    TEST(a_sleep_ends_on_time_beside_many_jobs_that_take_a_lock);
    TEST(jobs_that_take_a_lock_cost_what_others_cost);
    TEST(a_sleep_ends_while_a_flood_of_jobs_lasts);
    TEST(a_job_whose_awaits_are_always_ready_stops_nobody);
    TEST(a_hundred_thousand_timers_end_on_time);
    TEST(timers_that_are_due_at_once_cost_no_square);
    TEST(deadlines_that_pass_at_once_cost_no_square);
    return 0;
}
