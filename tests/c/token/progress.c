/* Progress: what the job reported last. It is read at any time and never waited for. */
#include "test.h"

static palitra_runner runner;

static void check_progress(palitra_token token, uint64_t done, uint64_t total) {
    uint64_t seen_done = 99, seen_total = 99;
    CHECK_STATUS(PALITRA_OK, palitra_token_progress(token, &seen_done, &seen_total));
    CHECK_NUMBER(done, seen_done);
    CHECK_NUMBER(total, seen_total);
}

static void a_job_that_says_nothing_is_nowhere(void) {
    palitra_token never = submit(runner, "test.never", ""), echo = submit(runner, "palitra.echo", "x");
    check_progress(never, 0, 0);
    CHECK_STATUS(PALITRA_OK, palitra_runner_wait(runner, echo, PALITRA_FOREVER, NULL));
    check_progress(echo, 0, 0);
    palitra_token_free(echo);
    end_never(runner, never);
}

static void the_last_word_stays_when_the_job_has_finished(void) {
    palitra_token token = submit(runner, "test.progress", "{\"steps\":[[1,3],[3,3]],\"finish\":true}");
    CHECK_STATUS(PALITRA_OK, palitra_runner_wait(runner, token, PALITRA_FOREVER, NULL));
    check_progress(token, 3, 3);
    palitra_token_free(token);
}

static void it_is_read_while_the_job_runs_and_after_it_was_cancelled(void) {
    palitra_token token = submit(runner, "test.progress", "{\"steps\":[[18446744073709551615,7]],\"finish\":false}");
    uint64_t done = 0;
    while (done == 0) CHECK_STATUS(PALITRA_OK, palitra_token_progress(token, &done, NULL));
    check_progress(token, UINT64_MAX, 7);
    CHECK_STATUS(PALITRA_OK, palitra_token_progress(token, NULL, NULL));
    CHECK_STATUS(PALITRA_OK, palitra_token_cancel(token));
    check_progress(token, UINT64_MAX, 7);
    palitra_token_free(token);
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_token_progress(token, &done, NULL));
    CHECK_NUMBER(UINT64_MAX, done);
}

static void both_numbers_are_of_the_same_moment(void) {
    palitra_token token = submit(runner, "test.stream", "{\"items\":3000}");
    palitra_status status = PALITRA_OK;
    uint64_t last = 0;
    while (status == PALITRA_OK) {
        uint64_t done, total;
        status = palitra_token_next(token, PALITRA_FOREVER, NULL);
        CHECK_STATUS(PALITRA_OK, palitra_token_progress(token, &done, &total));
        CHECK(done >= last);
        CHECK(total == (done == 0 ? 0 : 3000) && done <= 3000);
        last = done;
    }
    CHECK_STATUS(PALITRA_END, status);
    CHECK_NUMBER(3000, last);
    palitra_token_free(token);
}

static void it_never_waits_for_the_runners_thread(void) {
    palitra_token token = submit(runner, "test.progress", "{\"steps\":[[1,2]],\"finish\":false}");
    uint64_t done = 0;
    while (done == 0) CHECK_STATUS(PALITRA_OK, palitra_token_progress(token, &done, NULL));
    palitra_token spin = submit(runner, "test.spin", "{\"seconds\":2}");
    pause_for(0.05);
    double start = now();
    for (int i = 0; i < 100; i++) check_progress(token, 1, 2);
    CHECK_TOOK(0, 1, start);
    CHECK_STATUS(PALITRA_OK, palitra_runner_wait(runner, spin, PALITRA_FOREVER, NULL));
    palitra_token_free(spin);
    palitra_token_cancel(token);
    palitra_token_free(token);
}

int main(void) {
    runner = new_runner();
    TEST(a_job_that_says_nothing_is_nowhere);
    TEST(the_last_word_stays_when_the_job_has_finished);
    TEST(it_is_read_while_the_job_runs_and_after_it_was_cancelled);
    TEST(both_numbers_are_of_the_same_moment);
    TEST(it_never_waits_for_the_runners_thread);
    palitra_runner_free(runner);
    return 0;
}
