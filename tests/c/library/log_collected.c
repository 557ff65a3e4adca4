/* Messages that are collected: for hosts whose code must not run on a thread of the library. */
#include "test.h"

static palitra_runner runner;

/* Messages of other crates may come between. */
static palitra_status next_of_tests(palitra_reply *message) {
    for (;;) {
        palitra_status status = palitra_log_next(0, message);
        if (status != PALITRA_OK || strstr((const char *)message->data, "test_jobs::logging") != NULL) return status;
        palitra_reply_free(message);
    }
}

static void log_hello(void) { CHECK_STATUS(PALITRA_OK, run(runner, "test.log", "hello", SECONDS(20), NULL)); }

static void check_next(const char *expected) {
    palitra_reply message;
    CHECK_STATUS(PALITRA_OK, next_of_tests(&message));
    CHECK_NUMBER(PALITRA_JSON, message.format);
    CHECK_REPLY(expected, message);
    palitra_reply_free(&message);
}

static void check_hello(void) {
    check_next(
        "{\"level\":3,\"target\":\"palitra_test_jobs::logging\","
        "\"message\":\"job{name=test.log}:page{number=7 kind=plain}: hello n=1\"}");
    check_next(
        "{\"level\":2,\"target\":\"palitra_test_jobs::logging\","
        "\"message\":\"job{name=test.log}:page{number=7 kind=plain}: hello by log\"}");
    check_next(
        "{\"level\":1,\"target\":\"palitra_test_jobs::logging\","
        "\"message\":\"job{name=test.log}: hello in a task\"}");
}

static void nothing_is_there_before_it_is_asked_for(void) {
    palitra_reply message;
    CHECK_STATUS(PALITRA_END, palitra_log_next(PALITRA_FOREVER, &message));
    palitra_reply_free(&message);
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_log_collect(PALITRA_LOG_TRACE + 1, 0));
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_log_collect(-1, 0));
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_log_collect(PALITRA_LOG_INFO, SIZE_MAX));
    CHECK_STATUS(PALITRA_END, palitra_log_next(0, NULL));
}

static void messages_are_taken_once_and_in_order_and_what_waits_outlives_the_end(void) {
    palitra_reply message;
    CHECK_STATUS(PALITRA_OK, palitra_log_collect(PALITRA_LOG_INFO, 0));
    double start = now();
    CHECK_STATUS(PALITRA_PENDING, palitra_log_next(SECONDS(0.05), &message));
    CHECK_TOOK(0.05, 20, start);
    palitra_reply_free(&message);
    log_hello();
    check_hello();
    CHECK_STATUS(PALITRA_PENDING, next_of_tests(&message));
    palitra_reply_free(&message);
    log_hello();
    CHECK_STATUS(PALITRA_OK, palitra_log_collect(PALITRA_LOG_OFF, 0));
    log_hello();
    check_hello();
    CHECK_STATUS(PALITRA_END, palitra_log_next(PALITRA_FOREVER, &message));
    palitra_reply_free(&message);
}

static void those_that_find_no_room_are_counted(void) {
    palitra_reply message;
    CHECK_STATUS(PALITRA_OK, palitra_log_collect(PALITRA_LOG_INFO, 2));
    log_hello();
    log_hello();
    CHECK_STATUS(PALITRA_OK, palitra_log_next(0, NULL));
    CHECK_STATUS(PALITRA_OK, palitra_log_next(0, NULL));
    log_hello();
    CHECK_STATUS(PALITRA_OK, palitra_log_next(0, &message));
    CHECK_REPLY_CONTAINS("4 messages were lost", message);
    palitra_reply_free(&message);
    CHECK_STATUS(PALITRA_OK, palitra_log_collect(PALITRA_LOG_OFF, 0));
}

static void *wait_for_one(void *status) {
    *(palitra_status *)status = palitra_log_next(PALITRA_FOREVER, NULL);
    return NULL;
}

static void a_thread_that_waits_wakes_at_a_message_and_at_the_end(void) {
    palitra_status status = PALITRA_INTERNAL;
    CHECK_STATUS(PALITRA_OK, palitra_log_collect(PALITRA_LOG_ERROR, 0));
    pthread_t thread = start_thread(wait_for_one, &status);
    log_hello();
    join_thread(thread);
    CHECK_STATUS(PALITRA_OK, status);
    thread = start_thread(wait_for_one, &status);
    CHECK_STATUS(PALITRA_OK, palitra_log_set(PALITRA_LOG_OFF, NULL, NULL, NULL));
    join_thread(thread);
    CHECK_STATUS(PALITRA_END, status);
}

static palitra_status in_callback = PALITRA_INTERNAL;

static void wait_in_a_callback(palitra_token token, palitra_status status, void *user_data) {
    (void)token, (void)status, (void)user_data;
    in_callback = palitra_log_next(PALITRA_FOREVER, NULL);
}

static void nothing_waits_on_a_runners_thread(void) {
    CHECK_STATUS(PALITRA_OK, palitra_log_collect(PALITRA_LOG_ERROR, 0));
    palitra_token token = submit(runner, "palitra.echo", "");
    CHECK_STATUS(PALITRA_OK, palitra_token_on_complete(token, wait_in_a_callback, NULL, NULL));
    CHECK_STATUS(PALITRA_OK, palitra_token_wait(token, PALITRA_FOREVER, NULL));
    palitra_token_free(token);
    palitra_runner_free(runner);
    CHECK_STATUS(PALITRA_WOULD_DEADLOCK, in_callback);
    CHECK_STATUS(PALITRA_OK, palitra_log_set(PALITRA_LOG_OFF, NULL, NULL, NULL));
}

int main(void) {
    runner = new_runner();
    TEST(nothing_is_there_before_it_is_asked_for);
    TEST(messages_are_taken_once_and_in_order_and_what_waits_outlives_the_end);
    TEST(those_that_find_no_room_are_counted);
    TEST(a_thread_that_waits_wakes_at_a_message_and_at_the_end);
    TEST(nothing_waits_on_a_runners_thread);
    return 0;
}
