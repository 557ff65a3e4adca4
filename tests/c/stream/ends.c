/* What ends a reading: a cancel, a free, a shutdown, a deadline. A stream that nobody reads any more leaves nothing
 * behind.
 *
 * Promise 1: a token finishes exactly once.
 */
#include "stream.h"

/* ---- what ends a reading ---------------------------------------------------------------------------- */

struct reading {
    palitra_token token;
    palitra_status status;
};

static void *read_on(void *argument) {
    struct reading *reading = argument;
    do reading->status = next(reading->token, NULL);
    while (reading->status == PALITRA_OK);
    return NULL;
}

static void cancel(palitra_token token) { CHECK_STATUS(PALITRA_OK, palitra_token_cancel(token)); }

static void shut_down(palitra_token unused) {
    (void)unused;
    CHECK_STATUS(PALITRA_OK, shutdown_runner(runner, 0));
}

/* One reader waits for a stream that sends no more, until `end` ends it. */
static void check_ends(void (*end)(palitra_token), palitra_status expected) {
    struct reading reading = {stream("{\"items\":20,\"forever\":true}"), PALITRA_OK};
    pthread_t reader = start_thread(read_on, &reading);
    EVENTUALLY(sent(reading.token) == 20);
    pause_for(0.02);
    end(reading.token);
    join_thread(reader);
    CHECK_STATUS(expected, reading.status);
    palitra_token_free(reading.token);
}

/* A task beside the job, which no cancel drops, waits for room. `end` ends its token. */
static void check_ends_a_task_beside_the_job(void (*end)(palitra_token), bool readable) {
    palitra_token token = submit(runner, "test.stream_beside", "");
    EVENTUALLY(sent(token) >= 16);
    pause_for(0.02); /* it waits by then, or comes to an end that is there already */
    end(token);
    EVENTUALLY(number_of("test.helpers") == 0);
    if (readable) {
        uint64_t items = sent(token);
        for (unsigned n = 0; n < items; n++) check_item(token, n);
        CHECK_STATUS(PALITRA_CANCELLED, next(token, NULL));
        palitra_token_free(token);
    }
}

static void a_cancel_ends_a_task_that_waits_to_send_and_what_it_sent_can_be_read(void) {
    check_ends_a_task_beside_the_job(cancel, true);
}

static void a_free_ends_a_task_that_waits_to_send(void) { check_ends_a_task_beside_the_job(palitra_token_free, false); }

static void a_cancel_ends_a_reading(void) { check_ends(cancel, PALITRA_CANCELLED); }

static void a_free_ends_a_reading(void) { check_ends(palitra_token_free, PALITRA_INVALID_HANDLE); }

static void a_shutdown_ends_a_reading(void) {
    palitra_runner shared = runner;
    runner = new_runner();
    check_ends(shut_down, PALITRA_CANCELLED);
    palitra_runner_free(runner);
    runner = shared;
}

static void a_deadline_ends_a_reading(void) {
    palitra_submit_options options;
    palitra_token token;
    palitra_submit_options_init(&options);
    options.deadline_ns = SECONDS(0.05);
    CHECK_STATUS(PALITRA_OK,
                 palitra_runner_submit(runner, "test.stream", "{\"items\":2,\"forever\":true}", 26, &options, &token));
    palitra_status status = PALITRA_OK;
    for (int items = 0; status == PALITRA_OK; items++) {
        CHECK(items <= 2);
        status = next(token, NULL);
    }
    CHECK_STATUS(PALITRA_DEADLINE, status);
    palitra_token_free(token);
}

/* ---- what is left behind ---------------------------------------------------------------------------- */

static void freeing_the_token_ends_the_job(void) {
    palitra_token tokens[50];
    EVENTUALLY(streams() == 0);
    for (size_t i = 0; i < LENGTH(tokens); i++) tokens[i] = stream("{\"items\":1000000}");
    for (size_t i = 0; i < LENGTH(tokens); i++) check_item(tokens[i], 0);
    CHECK_NUMBER(LENGTH(tokens), streams());
    for (size_t i = 0; i < LENGTH(tokens); i++) palitra_token_free(tokens[i]);
    EVENTUALLY(streams() == 0);
}

int main(void) {
    runner = new_runner();
    TEST(a_cancel_ends_a_reading);
    TEST(a_shutdown_ends_a_reading);
    TEST(a_deadline_ends_a_reading);
    TEST(a_free_ends_a_reading);
    palitra_runner_free(runner);
    runner = new_runner(); /* without the streams that send no more and were not ended */
    TEST(a_cancel_ends_a_task_that_waits_to_send_and_what_it_sent_can_be_read);
    TEST(a_free_ends_a_task_that_waits_to_send);
    TEST(freeing_the_token_ends_the_job);
    palitra_runner_free(runner);
    return 0;
}
