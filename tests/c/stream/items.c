/* Streams: items come in order, a slow reader slows the job, and the end or the failure comes after the last item.
 *
 * Promise 5: nothing deadlocks on the runner's own thread.
 */
#include "stream.h"

/* ---- reading ---------------------------------------------------------------------------------------- */

static void many_items_come_in_order_and_then_the_end(void) {
    palitra_token token = stream("{\"items\":20000}");
    palitra_reply item;
    for (unsigned n = 0; n < 20000; n++) check_item(token, n);
    CHECK_STATUS(PALITRA_END, next(token, &item));
    palitra_reply_free(&item);
    CHECK_STATUS(PALITRA_END, palitra_token_next(token, 0, NULL));
    CHECK_STATUS(PALITRA_OK, palitra_runner_wait(runner, token, PALITRA_FOREVER, NULL));
    palitra_token_free(token);
}

static void a_job_that_streams_nothing_ends_at_once(void) {
    palitra_token token = submit(runner, "palitra.echo", "x"), empty = stream("{\"items\":0}");
    CHECK_STATUS(PALITRA_END, next(token, NULL));
    CHECK_STATUS(PALITRA_END, next(empty, NULL));
    palitra_token_free(token);
    palitra_token_free(empty);
}

static void a_failure_half_way_comes_after_the_items_before_it(void) {
    palitra_token token = stream("{\"items\":40,\"fail_at\":30}");
    palitra_reply item;
    for (unsigned n = 0; n < 30; n++) check_item(token, n);
    for (int again = 0; again < 2; again++) {
        CHECK_STATUS(PALITRA_JOB_FAILED, next(token, &item));
        CHECK_NUMBER(7, item.code);
        CHECK_REPLY("failed at 30", item);
        palitra_reply_free(&item);
    }
    palitra_token_free(token);
}

static void items_are_read_also_after_the_job_failed(void) {
    palitra_token token = stream("{\"items\":9,\"fail_at\":8}");
    CHECK_STATUS(PALITRA_JOB_FAILED, palitra_runner_wait(runner, token, PALITRA_FOREVER, NULL));
    for (unsigned n = 0; n < 8; n++) check_item(token, n);
    CHECK_STATUS(PALITRA_JOB_FAILED, next(token, NULL));
    palitra_token_free(token);
}

static void a_null_item_is_discarded(void) {
    palitra_token token = stream("{\"items\":3}");
    check_item(token, 0);
    CHECK_STATUS(PALITRA_OK, next(token, NULL));
    check_item(token, 2);
    CHECK_STATUS(PALITRA_END, next(token, NULL));
    palitra_token_free(token);
}

static void a_timeout_without_an_item_returns_pending(void) {
    palitra_token token = stream("{\"items\":1,\"forever\":true}");
    palitra_reply item;
    check_item(token, 0);
    double start = now();
    CHECK_STATUS(PALITRA_PENDING, palitra_token_next(token, SECONDS(0.05), &item));
    CHECK_TOOK(0.05, 5, start);
    palitra_reply_free(&item);
    start = now();
    CHECK_STATUS(PALITRA_PENDING, palitra_token_next(token, 0, NULL));
    CHECK_TOOK(0, 1, start);
    palitra_token_free(token);
}

/* ---- back-pressure ---------------------------------------------------------------------------------- */

static void a_slow_reader_slows_the_job(void) {
    palitra_token token = stream("{\"items\":100000}");
    EVENTUALLY(sent(token) > 0);
    pause_for(0.1);
    uint64_t ahead = sent(token);
    CHECK(ahead <= 64);
    for (unsigned n = 0; n < 200; n++) {
        check_item(token, n);
        CHECK(sent(token) <= n + 1 + 64);
    }
    EVENTUALLY(sent(token) >= 200 + ahead); /* and it continues as far as it is read */
    CHECK_STATUS(PALITRA_PENDING, palitra_token_poll(token, NULL));
    palitra_token_free(token);
    EVENTUALLY(streams() == 0);
}

/* ---- who reads -------------------------------------------------------------------------------------- */

static unsigned char taken[5000];

static void *read_to_the_end(void *token) {
    for (;;) {
        palitra_reply item;
        char text[16] = {0};
        palitra_status status = next(*(palitra_token *)token, &item);
        if (status == PALITRA_OK) {
            CHECK(item.len < sizeof text);
            memcpy(text, item.data, item.len);
            CHECK_NUMBER(0, __atomic_exchange_n(&taken[atoi(text)], 1, __ATOMIC_RELAXED));
        } else {
            CHECK_STATUS(PALITRA_END, status);
        }
        palitra_reply_free(&item);
        if (status == PALITRA_END) return NULL;
    }
}

static void several_readers_share_the_items(void) {
    palitra_token token = stream("{\"items\":5000}");
    pthread_t readers[4];
    for (size_t i = 0; i < LENGTH(readers); i++) readers[i] = start_thread(read_to_the_end, &token);
    for (size_t i = 0; i < LENGTH(readers); i++) join_thread(readers[i]);
    for (size_t i = 0; i < LENGTH(taken); i++) CHECK_NUMBER(1, taken[i]);
    palitra_token_free(token);
}

static palitra_status seen_in_callback;

static void next_from_a_callback(palitra_token unused, palitra_status status, void *token) {
    (void)unused, (void)status;
    __atomic_store_n(&seen_in_callback, palitra_token_next(*(palitra_token *)token, PALITRA_FOREVER, NULL),
                     __ATOMIC_RELEASE);
}

static void reading_on_the_runners_thread_returns_would_deadlock(void) {
    palitra_token token = stream("{\"items\":0,\"forever\":true}"), trigger = submit(runner, "test.ready", "");
    seen_in_callback = PALITRA_OK;
    CHECK_STATUS(PALITRA_OK, palitra_token_on_complete(trigger, next_from_a_callback, &token, NULL));
    EVENTUALLY(__atomic_load_n(&seen_in_callback, __ATOMIC_ACQUIRE) == PALITRA_WOULD_DEADLOCK);
    palitra_token_free(trigger);
    CHECK_STATUS(PALITRA_OK, palitra_token_cancel(token));
    palitra_token_free(token);
}

/* ---- nobody can read -------------------------------------------------------------------------------- */

static void check_nobody_reads(palitra_status status, palitra_reply *reply) {
    CHECK_STATUS(PALITRA_JOB_FAILED, status);
    CHECK_REPLY("nobody reads the stream any more", *reply);
    palitra_reply_free(reply);
}

/* However many items it has. The watchdog bounds a run that waits for a reader. */
static void a_run_refuses_items_whether_it_has_a_timeout_or_not(void) {
    static const char *const payloads[] = {"{\"items\":1}", "{\"items\":40}", "{\"items\":1,\"forever\":true}"};
    palitra_reply reply;
    for (size_t i = 0; i < LENGTH(payloads); i++) {
        palitra_status status = run(runner, "test.stream", payloads[i], PALITRA_FOREVER, &reply);
        check_nobody_reads(status, &reply);
        status = run(runner, "test.stream", payloads[i], SECONDS(20), &reply);
        check_nobody_reads(status, &reply);
    }
    CHECK_STATUS(PALITRA_OK, run(runner, "test.stream", "{\"items\":0}", PALITRA_FOREVER, NULL));
    EVENTUALLY(streams() == 0);
}

static void a_job_that_is_submitted_without_a_token_streams_to_nobody(void) {
    palitra_stats stats = {.size = sizeof stats};
    CHECK_STATUS(PALITRA_OK, palitra_runner_stats(runner, &stats));
    uint64_t before = stats.failed;
    for (int i = 0; i < 50; i++)
        CHECK_STATUS(PALITRA_OK, palitra_runner_submit(runner, "test.stream", "{\"items\":1}", 11, NULL, NULL));
    EVENTUALLY(palitra_runner_stats(runner, &stats) == PALITRA_OK && stats.failed == before + 50);
}

static void a_job_that_is_submitted_without_items_streams_to_nobody(void) {
    palitra_submit_options options;
    palitra_token token;
    palitra_reply reply;
    palitra_submit_options_init(&options);
    options.flags = PALITRA_NO_ITEMS;
    CHECK_STATUS(PALITRA_OK, palitra_runner_submit(runner, "test.stream", "{\"items\":40}", 12, &options, &token));
    check_nobody_reads(palitra_runner_wait(runner, token, PALITRA_FOREVER, &reply), &reply);
    CHECK_STATUS(PALITRA_JOB_FAILED, next(token, NULL));
    palitra_token_free(token);
    check_nobody_reads(palitra_runner_start(runner, "test.stream", "{\"items\":1}", 11, &options, NULL, &reply),
                       &reply);
    options.flags |= PALITRA_ITEM_EVENTS;
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_runner_submit(runner, "test.stream", "", 0, &options, &token));
}

static void what_an_inline_job_streams_is_read_once_it_pends(void) {
    palitra_token token;
    CHECK_STATUS(PALITRA_PENDING,
                 palitra_runner_start(runner, "test.stream", "{\"items\":40}", 12, NULL, &token, NULL));
    for (unsigned n = 0; n < 40; n++) check_item(token, n);
    CHECK_STATUS(PALITRA_END, next(token, NULL));
    palitra_token_free(token);
}

/* ---- as many as the host wants ---------------------------------------------------------------------- */

typedef palitra_status begin(palitra_runner, const char *, const void *, size_t, const palitra_submit_options *,
                             palitra_token *);

static palitra_status begin_here(palitra_runner own, const char *job, const void *data, size_t length,
                                 const palitra_submit_options *options, palitra_token *token) {
    CHECK_STATUS(PALITRA_PENDING, palitra_runner_start(own, job, data, length, options, token, NULL));
    return PALITRA_OK;
}

/* A job that nobody reads sends `expected` items and waits with the next. */
static void check_waiting_items(begin *begin, uint32_t stream_items, uint64_t expected) {
    static const char payload[] = "{\"items\":100000}";
    palitra_submit_options options;
    palitra_token token;
    palitra_submit_options_init(&options);
    options.stream_items = stream_items;
    CHECK_STATUS(PALITRA_OK, begin(runner, "test.stream", payload, sizeof payload - 1, &options, &token));
    EVENTUALLY(sent(token) == expected);
    run(runner, "palitra.sleep", "{\"seconds\":0.03}", SECONDS(20), NULL);
    CHECK_NUMBER(expected, sent(token));
    for (unsigned n = 0; n < 2 * expected && n < 100; n++) check_item(token, n);
    palitra_token_free(token);
}

static void as_many_items_wait_as_the_host_wants(void) {
    begin *const ways[] = {palitra_runner_submit, begin_here};
    for (size_t i = 0; i < LENGTH(ways); i++) {
        check_waiting_items(ways[i], 0, 16);
        check_waiting_items(ways[i], 1, 1);
        check_waiting_items(ways[i], 40, 40);
        check_waiting_items(ways[i], 65536, 65536);
    }
}

int main(void) {
    runner = new_runner();
    TEST(many_items_come_in_order_and_then_the_end);
    TEST(a_job_that_streams_nothing_ends_at_once);
    TEST(a_failure_half_way_comes_after_the_items_before_it);
    TEST(items_are_read_also_after_the_job_failed);
    TEST(a_null_item_is_discarded);
    TEST(a_timeout_without_an_item_returns_pending);
    TEST(several_readers_share_the_items);
    TEST(reading_on_the_runners_thread_returns_would_deadlock);
    palitra_runner_free(runner);
    runner = new_runner(); /* without a stream that was not ended */
    TEST(a_run_refuses_items_whether_it_has_a_timeout_or_not);
    TEST(a_job_that_is_submitted_without_a_token_streams_to_nobody);
    TEST(a_job_that_is_submitted_without_items_streams_to_nobody);
    TEST(what_an_inline_job_streams_is_read_once_it_pends);
    TEST(a_slow_reader_slows_the_job);
    TEST(as_many_items_wait_as_the_host_wants);
    palitra_runner_free(runner);
    return 0;
}
