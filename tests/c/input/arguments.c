/* Names, payloads, arrays, lengths, times and outputs: NULL, huge and extreme ones. Each call returns a status and
 * leaves alone what it must not touch.
 *
 * Promise 11: bad input and limits return a status.
 */
#include "bad_input.h"

#define HUGE_LENGTH (SIZE_MAX / 2 + 1)

static void check_submission_refused(const char *job, const void *data, size_t length, palitra_status expected) {
    palitra_reply reply = garbage_reply();
    palitra_token token = {0};
    CHECK_STATUS(expected, palitra_runner_run(runner, job, data, length, PALITRA_FOREVER, &reply));
    check_fit(expected, &reply);
    reply = garbage_reply();
    CHECK_STATUS(expected, palitra_runner_run(runner, job, data, length, SECONDS(1), &reply));
    check_fit(expected, &reply);
    CHECK_STATUS(expected, palitra_runner_run(runner, job, data, length, 0, NULL));
    CHECK_STATUS(expected, palitra_runner_submit(runner, job, data, length, NULL, &token));
    CHECK_NUMBER(0, token.id);
}

static void job_names_are_checked(void) {
    static char long_name[100000];
    memset(long_name, 'x', sizeof long_name - 1);
    check_submission_refused(NULL, "x", 1, PALITRA_INVALID_ARGUMENT);
    check_submission_refused("", "x", 1, PALITRA_UNKNOWN_JOB);
    check_submission_refused(long_name, "x", 1, PALITRA_UNKNOWN_JOB);
    CHECK_REFUSED(palitra_runner_run(runner, "\xff\xfe", "x", 1, PALITRA_FOREVER, NULL));
    CHECK_REFUSED(palitra_runner_submit(runner, "\xff\xfe", "x", 1, NULL, NULL));
    CHECK_REFUSED(palitra_runner_start(runner, "\xff\xfe", "x", 1, NULL, NULL, NULL));
}

static void payloads_are_checked(void) {
    check_submission_refused("palitra.echo", NULL, 1, PALITRA_INVALID_ARGUMENT);
    CHECK_REFUSED(palitra_runner_run(runner, "palitra.echo", "x", HUGE_LENGTH, PALITRA_FOREVER, NULL));
    CHECK_REFUSED(palitra_runner_run(runner, "palitra.echo", "x", SIZE_MAX, PALITRA_FOREVER, NULL));
    CHECK_REFUSED(palitra_runner_submit(runner, "palitra.echo", "x", SIZE_MAX, NULL, NULL));
}

/* No machine has so much memory. Nothing of it is read. */
static void a_length_that_no_memory_holds_is_refused(void) {
    const size_t absurd[] = {(size_t)1 << 47, (size_t)1 << 62};
    for (size_t i = 0; i < LENGTH(absurd); i++) {
        palitra_token token = {99};
        palitra_reply reply;
        for (int timeout = -1; timeout <= 0; timeout++) {
            CHECK_STATUS(PALITRA_TOO_LARGE,
                         palitra_runner_run(runner, "palitra.echo", "x", absurd[i], timeout, &reply));
            CHECK_STATUS(PALITRA_TOO_LARGE, reply.status);
        }
        CHECK_STATUS(PALITRA_TOO_LARGE, palitra_runner_submit(runner, "palitra.echo", "x", absurd[i], NULL, &token));
        CHECK_NUMBER(0, token.id);
        CHECK_STATUS(PALITRA_TOO_LARGE,
                     palitra_runner_start(runner, "palitra.echo", "x", absurd[i], NULL, &token, &reply));
        CHECK_STATUS(PALITRA_TOO_LARGE, reply.status);
        size_t n = absurd[i] / sizeof token;
        CHECK_REFUSED(palitra_runner_gather(runner, &pending, n, 0, 0, NULL));
        CHECK_REFUSED(palitra_runner_gather(runner, &pending, n, PALITRA_FAIL_FAST, 0, NULL));
    }
}

static void arrays_of_tokens_are_checked(void) {
    palitra_reply reply = garbage_reply();
    size_t index = 99;
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_runner_gather(runner, NULL, 1, 0, PALITRA_FOREVER, NULL));
    CHECK_REFUSED(palitra_runner_gather(runner, &pending, SIZE_MAX, 0, PALITRA_FOREVER, NULL));
    CHECK_REFUSED(palitra_runner_gather(runner, &pending, SIZE_MAX / sizeof pending, 0, PALITRA_FOREVER, NULL));
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT,
                 palitra_runner_gather(runner, &pending, 1, ~PALITRA_FAIL_FAST, PALITRA_FOREVER, &reply));
    check_fit(PALITRA_INVALID_ARGUMENT, &reply);
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_runner_wait_any(runner, NULL, 1, PALITRA_FOREVER, &index));
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_runner_wait_any(runner, NULL, 0, PALITRA_FOREVER, &index));
    CHECK_REFUSED(palitra_runner_wait_any(runner, &pending, SIZE_MAX, PALITRA_FOREVER, &index));
    CHECK_NUMBER(99, index);
}

static void arguments_of_queues_are_checked(void) {
    palitra_event events[2] = {garbage_event(), garbage_event()};
    size_t n = 99;
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_queue_new(NULL));
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_queue_next(queue, PALITRA_FOREVER, NULL, 1, &n));
    CHECK_NUMBER(0, n);
    CHECK_REFUSED(palitra_queue_next(queue, PALITRA_FOREVER, events, 0, &n));
    CHECK_REFUSED(palitra_queue_next(queue, PALITRA_FOREVER, NULL, 0, &n));
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_queue_next(queue, PALITRA_FOREVER, events, 2, NULL));
    CHECK_REFUSED(palitra_queue_next(queue, PALITRA_FOREVER, events, SIZE_MAX, &n));
    CHECK_REFUSED(palitra_queue_next(queue, PALITRA_FOREVER, events, SIZE_MAX / sizeof *events, &n));
    CHECK_STATUS(PALITRA_PENDING, palitra_queue_next(queue, 0, events, 1, NULL));
    CHECK_STATUS(PALITRA_PENDING, palitra_queue_next(queue, 1, events, 2, &n));
    check_untouched(&events[0]);
}

static int frees;

static void count_free(void *user_data) {
    CHECK(user_data == &frees);
    frees++;
}

static void arguments_of_logs_are_checked(void) {
    const int32_t wrong[] = {-1, INT32_MIN, 6, INT32_MAX};
    for (size_t i = 0; i < LENGTH(wrong); i++) {
        int before = frees;
        CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_log_set(wrong[i], NULL, &frees, count_free));
        CHECK_NUMBER(before + 1, frees);
    }
}

static void extreme_times_are_taken_as_they_are(void) {
    const int64_t forever[] = {-1, -2, INT64_MIN, INT64_MAX, INT64_MAX - 1};
    for (size_t i = 0; i < LENGTH(forever); i++) {
        palitra_submit_options options;
        palitra_token token = {0};
        palitra_submit_options_init(&options);
        options.deadline_ns = forever[i];
        CHECK_STATUS(PALITRA_OK,
                     palitra_runner_submit(runner, "palitra.sleep", "{\"seconds\":0.01}", 16, &options, &token));
        CHECK_STATUS(PALITRA_OK, palitra_runner_wait(runner, token, forever[i], NULL));
        CHECK_STATUS(PALITRA_OK, palitra_runner_wait_any(runner, &token, 1, forever[i], NULL));
        CHECK_STATUS(PALITRA_OK, palitra_runner_gather(runner, &token, 1, 0, forever[i], NULL));
        CHECK_STATUS(PALITRA_OK,
                     palitra_runner_run(runner, "palitra.sleep", "{\"seconds\":0.01}", 16, forever[i], NULL));
        palitra_token_free(token);
        palitra_runner own = new_runner();
        CHECK_STATUS(PALITRA_OK, shutdown_runner(own, forever[i]));
        palitra_runner_free(own);
    }
}

static void extreme_times_of_queues_and_streams_are_taken_as_they_are(void) {
    const int64_t forever[] = {-1, INT64_MIN, INT64_MAX, INT64_MAX - 1};
    for (size_t i = 0; i < LENGTH(forever); i++) {
        palitra_submit_options options;
        palitra_event event;
        palitra_submit_options_init(&options);
        options.queue = queue;
        palitra_runner_submit(runner, "palitra.sleep", "{\"seconds\":0.01}", 16, &options, NULL);
        CHECK_STATUS(PALITRA_OK, palitra_queue_next(queue, forever[i], &event, 1, NULL));
        palitra_token token = submit(runner, "palitra.sleep", "{\"seconds\":0.01}");
        CHECK_STATUS(PALITRA_END, palitra_token_next(token, forever[i], NULL));
        palitra_token_free(token);
    }
}

static void outputs_may_be_null_or_are_refused(void) {
    palitra_job_info info;
    CHECK_STATUS(PALITRA_OK, palitra_job_at(0, &info));
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_job_at(palitra_job_count(), &info));
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_job_at(SIZE_MAX, &info));
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_job_at(0, NULL));
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_runner_new(NULL, NULL));
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_runner_global(NULL));
    CHECK_STATUS(PALITRA_OK, palitra_runner_submit(runner, "test.ready", NULL, 0, NULL, NULL));
    CHECK_STATUS(PALITRA_PENDING, palitra_runner_wait(runner, pending, 0, NULL));
    CHECK_STATUS(PALITRA_PENDING, palitra_token_poll(pending, NULL));
    palitra_reply_free(NULL);
}

int main(void) {
    begin_bad_input();
    TEST(job_names_are_checked);
    TEST(payloads_are_checked);
    TEST(a_length_that_no_memory_holds_is_refused);
    TEST(arrays_of_tokens_are_checked);
    TEST(arguments_of_queues_are_checked);
    TEST(arguments_of_logs_are_checked);
    TEST(extreme_times_are_taken_as_they_are);
    TEST(extreme_times_of_queues_and_streams_are_taken_as_they_are);
    TEST(outputs_may_be_null_or_are_refused);
    return end_bad_input();
}
