/* Spinning: the runner's thread and a thread that waits look for news for a moment before they sleep.
 *
 * Promise 10: the host's process stays as it is: what does nothing uses no processor.
 * Promise 11: bad input and limits return a status.
 */
#include "test.h"

#define LIMIT(nanoseconds) ((palitra_runner_options){.spin_limit_ns = (nanoseconds)})

static double processor_seconds(void) {
    struct timespec used;
    CHECK_NUMBER(0, clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used));
    return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

/* Enough that both threads spin, where they may. */
static void many_quick_calls(palitra_runner runner) {
    for (int i = 0; i < 3000; i++) {
        palitra_reply reply;
        palitra_token token = submit(runner, "palitra.echo", "quick");
        CHECK_STATUS(PALITRA_OK, palitra_token_wait(token, SECONDS(20), &reply));
        CHECK_REPLY("quick", reply);
        palitra_reply_free(&reply);
        palitra_token_free(token);
    }
}

static void every_limit_works(void) {
    const int64_t limits[] = {0, -1, INT64_MIN, 1, 1000, SECONDS(0.001)};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        palitra_runner runner = runner_with(LIMIT(limits[i]));
        many_quick_calls(runner);
        palitra_runner_free(runner);
    }
}

static void a_limit_above_a_millisecond_is_invalid(void) {
    const int64_t limits[] = {SECONDS(0.001) + 1, INT64_MAX};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) check_invalid_options(LIMIT(limits[i]));
}

/* The longest limit there is, so that a thread that went on spinning would show. */
static void a_runner_without_jobs_uses_no_processor(void) {
    palitra_runner runner = runner_with(LIMIT(SECONDS(0.001)));
    many_quick_calls(runner);
    pause_for(0.1); /* the watchdog falls asleep too */
    double before = processor_seconds();
    pause_for(1);
    check_took(__FILE__, __LINE__, processor_seconds() - before, 0, 0.02);
    palitra_runner_free(runner);
}

/* 300 sleeps of 2 ms, which a thread that spun for each would pay with 0.3 s. */
static void waiting_for_what_takes_longer_than_the_limit_soon_uses_no_processor(void) {
    palitra_runner runner = runner_with(LIMIT(SECONDS(0.001)));
    many_quick_calls(runner);
    double before = processor_seconds();
    for (int i = 0; i < 300; i++) {
        CHECK_STATUS(PALITRA_OK, run(runner, "palitra.sleep", "{\"seconds\": 0.002}", SECONDS(20), NULL));
    }
    check_took(__FILE__, __LINE__, processor_seconds() - before, 0, 0.1);
    palitra_runner_free(runner);
}

int main(void) {
    TEST(every_limit_works);
    TEST(a_limit_above_a_millisecond_is_invalid);
    TEST(a_runner_without_jobs_uses_no_processor);
    TEST(waiting_for_what_takes_longer_than_the_limit_soon_uses_no_processor);
    return 0;
}
