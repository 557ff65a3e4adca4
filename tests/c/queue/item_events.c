/* PALITRA_ITEM_EVENTS: the queue is notified that items wait, once each time that a reader had found none. None is
 * lost.
 */
#include "test.h"

#include <poll.h>

static palitra_runner runner;
static palitra_queue queue;

/* Each test has a queue of its own: an event of items that crosses the cancel of its job may come late. */
static void fresh_queue(void) {
    palitra_queue_free(queue);
    CHECK_STATUS(PALITRA_OK, palitra_queue_new(&queue));
}

static palitra_submit_options notifying(uint32_t flags) {
    palitra_submit_options options;
    palitra_submit_options_init(&options);
    options.flags = flags;
    options.queue = queue;
    options.tag = 7;
    return options;
}

static palitra_token stream(const char *payload) {
    palitra_submit_options options = notifying(PALITRA_ITEM_EVENTS);
    palitra_token token;
    CHECK_STATUS(PALITRA_OK, palitra_runner_submit(runner, "test.stream", payload, strlen(payload), &options, &token));
    return token;
}

static palitra_status next_event(void) {
    palitra_event event;
    CHECK_STATUS(PALITRA_OK, palitra_queue_next(queue, SECONDS(20), &event, 1, NULL));
    CHECK_NUMBER(7, event.tag);
    return event.status;
}

static void check_no_event(void) {
    palitra_event event;
    CHECK_STATUS(PALITRA_PENDING, palitra_queue_next(queue, 0, &event, 1, NULL));
}

/* Reads what waits and returns how many items there were. `status` says what ended the reading. */
static unsigned drain(palitra_token token, palitra_status *status) {
    unsigned items = 0;
    while ((*status = palitra_token_next(token, 0, NULL)) == PALITRA_OK) items++;
    return items;
}

/* As an event loop reads: an event, then every item that waits, and so on to the end. */
static unsigned read_all(palitra_token token, unsigned *events) {
    palitra_status status = PALITRA_PENDING;
    unsigned items = 0;
    for (*events = 0; status == PALITRA_PENDING; ++*events) {
        next_event();
        items += drain(token, &status);
    }
    CHECK_STATUS(PALITRA_END, status);
    return items;
}

static void items_that_were_sent_before_anyone_read_notify_once(void) {
    fresh_queue();
    palitra_token token = stream("{\"items\":3,\"forever\":true}");
    palitra_status status;
    uint64_t sent = 0;
    CHECK_STATUS(PALITRA_PENDING, next_event());
    EVENTUALLY(palitra_token_progress(token, &sent, NULL) == PALITRA_OK && sent == 3);
    check_no_event();
    CHECK_NUMBER(3, drain(token, &status));
    CHECK_STATUS(PALITRA_PENDING, status);
    check_no_event();
    palitra_token_cancel(token);
    CHECK_STATUS(PALITRA_CANCELLED, next_event());
    palitra_token_free(token);
}

static void every_item_of_a_long_stream_is_read_by_its_events(void) {
    fresh_queue();
    unsigned events;
    palitra_token token = stream("{\"items\":20000}");
    CHECK_NUMBER(20000, read_all(token, &events));
    palitra_token_free(token);
    /* The event of the end, unless it was read last. */
    palitra_event event;
    palitra_queue_next(queue, 0, &event, 1, NULL);
    check_no_event();
}

static void a_slow_reader_is_notified_once(void) {
    fresh_queue();
    palitra_status status;
    palitra_token token = stream("{\"items\":1000}");
    CHECK_STATUS(PALITRA_PENDING, next_event());
    for (unsigned n = 0; n < 500; n++) CHECK_STATUS(PALITRA_OK, palitra_token_next(token, SECONDS(20), NULL));
    palitra_token_cancel(token);
    do status = next_event();
    while (status == PALITRA_PENDING); /* a wait that found nothing asked for more */
    CHECK_STATUS(PALITRA_CANCELLED, status);
    palitra_token_free(token);
}

static void the_descriptor_is_readable_for_items(void) {
    fresh_queue();
    struct pollfd ready = {palitra_queue_fd(queue), POLLIN, 0};
    palitra_token token = stream("{\"items\":1,\"forever\":true}");
    CHECK_NUMBER(1, poll(&ready, 1, 20000));
    CHECK_STATUS(PALITRA_PENDING, next_event());
    palitra_token_cancel(token);
    CHECK_STATUS(PALITRA_CANCELLED, next_event());
    palitra_token_free(token);
}

static void the_items_of_an_inline_poll_notify(void) {
    fresh_queue();
    palitra_submit_options options = notifying(PALITRA_ITEM_EVENTS);
    palitra_token token;
    palitra_status status;
    const char payload[] = "{\"items\":3,\"forever\":true}";
    CHECK_STATUS(PALITRA_PENDING,
                 palitra_runner_start(runner, "test.stream", payload, sizeof payload - 1, &options, &token, NULL));
    CHECK_STATUS(PALITRA_PENDING, next_event());
    CHECK_NUMBER(3, drain(token, &status));
    palitra_token_cancel(token);
    CHECK_STATUS(PALITRA_CANCELLED, next_event());
    palitra_token_free(token);
}

static void the_end_of_a_job_that_was_late_before_it_started_notifies(void) {
    fresh_queue();
    palitra_submit_options options = notifying(PALITRA_ITEM_EVENTS);
    palitra_token token;
    options.deadline_ns = 1;
    CHECK_STATUS(PALITRA_OK, palitra_runner_submit(runner, "test.never", "", 0, &options, &token));
    CHECK_STATUS(PALITRA_DEADLINE, next_event());
    palitra_token_free(token);
    check_no_event();
}

static void without_the_flag_only_the_end_notifies(void) {
    fresh_queue();
    palitra_submit_options options = notifying(0);
    palitra_token token;
    CHECK_STATUS(PALITRA_OK, palitra_runner_submit(runner, "test.stream", "{\"items\":3}", 11, &options, &token));
    CHECK_STATUS(PALITRA_OK, next_event());
    check_no_event();
    palitra_token_free(token);
}

int main(void) {
    runner = new_runner();
    TEST(items_that_were_sent_before_anyone_read_notify_once);
    TEST(every_item_of_a_long_stream_is_read_by_its_events);
    TEST(a_slow_reader_is_notified_once);
    TEST(the_descriptor_is_readable_for_items);
    TEST(the_items_of_an_inline_poll_notify);
    TEST(the_end_of_a_job_that_was_late_before_it_started_notifies);
    TEST(without_the_flag_only_the_end_notifies);
    palitra_queue_free(queue);
    palitra_runner_free(runner);
    return 0;
}
