/* The figures of a runner: every job is counted once, where it is and how it ended. */
#include "test.h"

static palitra_stats stats_of(palitra_runner runner) {
    palitra_stats stats;
    memset(&stats, 0xAA, sizeof stats);
    palitra_stats_init(&stats);
    CHECK_NUMBER(0, stats.submitted + stats.longest_poll_ns);
    CHECK_STATUS(PALITRA_OK, palitra_runner_stats(runner, &stats));
    CHECK_NUMBER(sizeof stats, stats.size);
    return stats;
}

static uint64_t ended(const palitra_stats *stats) {
    return stats->succeeded + stats->failed + stats->panicked + stats->cancelled + stats->deadline;
}

static void a_new_runner_has_done_nothing(void) {
    palitra_runner runner = new_runner();
    palitra_stats stats = stats_of(runner);
    CHECK_NUMBER(1, stats.threads);
    CHECK_NUMBER(0, stats.submitted + stats.running + stats.queued + ended(&stats) + stats.longest_poll_ns);
    palitra_runner_free(runner);
}

static void threads_are_counted(void) {
    palitra_runner runner = runner_with_workers(3);
    CHECK_NUMBER(4, stats_of(runner).threads);
    palitra_runner_free(runner);
}

static void wait_and_free(palitra_runner runner, palitra_token token) {
    palitra_runner_wait(runner, token, PALITRA_FOREVER, NULL);
    palitra_token_free(token);
}

/* Submitted, polled inline, or run on the runner's thread: it is one job each time. */
static void every_job_is_counted_once_by_how_it_ended(void) {
    palitra_runner runner = new_runner();
    for (int i = 0; i < 3; i++) {
        wait_and_free(runner, submit(runner, "palitra.echo", "x"));
        run(runner, "palitra.echo", "x", PALITRA_FOREVER, NULL);
        run(runner, "palitra.sleep", "{\"seconds\":0.001}", PALITRA_FOREVER, NULL);
        run(runner, "test.ready", "", SECONDS(20), NULL);
    }
    wait_and_free(runner, submit(runner, "test.fail", "{\"code\":1,\"message\":\"\"}"));
    run(runner, "test.fail", "no JSON", PALITRA_FOREVER, NULL);
    run(runner, "test.panic", "oh", PALITRA_FOREVER, NULL);
    wait_and_free(runner, submit(runner, "test.panic_later", "oh"));
    wait_and_free(runner, submit(runner, "test.panic", "oh"));
    palitra_stats stats = stats_of(runner);
    CHECK_NUMBER(12, stats.succeeded);
    CHECK_NUMBER(2, stats.failed);
    CHECK_NUMBER(3, stats.panicked);
    CHECK_NUMBER(0, stats.cancelled + stats.deadline + stats.queued);
    CHECK_NUMBER(17, stats.submitted - stats.running);
    EVENTUALLY(stats_of(runner).running == 0);
    palitra_runner_free(runner);
}

static void the_cancelled_and_the_late_are_counted_apart(void) {
    palitra_runner runner = new_runner();
    for (int i = 0; i < 4; i++) end_never(runner, submit(runner, "test.never", ""));
    CHECK_STATUS(PALITRA_DEADLINE, run(runner, "palitra.sleep", "{\"seconds\":60}", SECONDS(0.01), NULL));
    EVENTUALLY(stats_of(runner).deadline == 1);
    CHECK_NUMBER(4, stats_of(runner).cancelled);
    palitra_runner_free(runner);
}

static void what_runs_and_what_waits_is_counted(void) {
    palitra_runner runner = new_runner();
    palitra_token tokens[5];
    for (int i = 0; i < 5; i++) tokens[i] = submit(runner, "test.never", "");
    EVENTUALLY(stats_of(runner).running == 5);
    double start = now();
    palitra_token spin = submit(runner, "test.spin", "{\"seconds\":1}");
    EVENTUALLY(stats_of(runner).queued == 0); /* it has the thread now */
    for (int i = 0; i < 7; i++) palitra_runner_submit(runner, "test.ready", "", 0, NULL, NULL);
    uint64_t queued = stats_of(runner).queued;
    if (now() - start < 0.9) CHECK_NUMBER(7, queued); /* on a machine too busy the second may be over */
    wait_and_free(runner, spin);
    check_echo(runner);
    EVENTUALLY(stats_of(runner).queued == 0 && stats_of(runner).running == 5);
    palitra_runner_shutdown(runner, 0);
    palitra_stats stats = stats_of(runner); /* of a runner that was shut down too */
    CHECK_NUMBER(5, stats.cancelled);
    CHECK_NUMBER(0, stats.running + stats.queued);
    CHECK_NUMBER(stats.submitted, ended(&stats));
    CHECK_NUMBER(5 + 1 + 7 + 1, stats.submitted);
    palitra_runner_free(runner);
    for (int i = 0; i < 5; i++) palitra_token_free(tokens[i]);
}

static void the_longest_poll_is_remembered(void) {
    palitra_runner runner = new_runner();
    run(runner, "test.spin", "{\"seconds\":0.2}", SECONDS(20), NULL);
    uint64_t longest = stats_of(runner).longest_poll_ns;
    CHECK(longest >= 190000000);
    CHECK(longest < 200000000u * 20 * slowness());
    check_echo(runner);
    run(runner, "test.spin", "{\"seconds\":0.02}", SECONDS(20), NULL);
    CHECK(stats_of(runner).longest_poll_ns >= longest);
    palitra_runner_free(runner);
}

static void the_size_is_the_callers(void) {
    palitra_runner runner = new_runner();
    palitra_stats stats;
    memset(&stats, 0xAA, sizeof stats);
    const uint32_t wrong[] = {0, 1, 4, UINT32_MAX};
    for (size_t i = 0; i < LENGTH(wrong); i++) {
        stats.size = wrong[i];
        CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_runner_stats(runner, &stats));
        CHECK_NUMBER(0xAAAAAAAAu, stats.threads);
    }
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_runner_stats(runner, NULL));
    palitra_runner_free(runner);
    stats.size = sizeof stats;
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_runner_stats(runner, &stats));
}

int main(void) {
    TEST(a_new_runner_has_done_nothing);
    TEST(threads_are_counted);
    TEST(every_job_is_counted_once_by_how_it_ended);
    TEST(the_cancelled_and_the_late_are_counted_apart);
    TEST(what_runs_and_what_waits_is_counted);
    TEST(the_longest_poll_is_remembered);
    TEST(the_size_is_the_callers);
    return 0;
}
