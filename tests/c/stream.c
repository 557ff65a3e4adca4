/* Streams: items in order, a slow reader slows the job, the end and the failure come after the last item, and a
 * stream that nobody reads any more leaves nothing behind. */
#include "test.h"

static palitra_runner runner;

static palitra_token stream(const char *options)
{
    return submit(runner, "test.stream", options);
}

/* The number that a job leaves as text. */
static int number_of(const char *job)
{
    palitra_reply reply;
    char text[16] = {0};
    CHECK_STATUS(PALITRA_OK, run(runner, job, "", SECONDS(20), &reply));
    CHECK(reply.len < sizeof text);
    memcpy(text, reply.data, reply.len);
    palitra_reply_free(&reply);
    return atoi(text);
}

/* How many streams there are now. */
static int streams(void)
{
    return number_of("test.streams");
}

static palitra_status next(palitra_token token, palitra_reply *item)
{
    return palitra_token_next(token, PALITRA_FOREVER, item);
}

/* The next item is the number `n`. */
static void check_item(palitra_token token, unsigned n)
{
    char expected[16];
    palitra_reply item;
    snprintf(expected, sizeof expected, "%u", n);
    CHECK_STATUS(PALITRA_OK, next(token, &item));
    CHECK_STATUS(PALITRA_OK, item.status);
    CHECK_NUMBER(PALITRA_TEXT, item.format);
    CHECK_REPLY(expected, item);
    palitra_reply_free(&item);
}

static uint64_t sent(palitra_token token)
{
    uint64_t done = 99;
    CHECK_STATUS(PALITRA_OK, palitra_token_progress(token, &done, NULL));
    return done;
}

/* ---- reading ---------------------------------------------------------------------------------------- */

static void many_items_come_in_order_and_then_the_end(void)
{
    palitra_token token = stream("{\"items\":20000}");
    palitra_reply item;
    for (unsigned n = 0; n < 20000; n++) check_item(token, n);
    CHECK_STATUS(PALITRA_END, next(token, &item));
    palitra_reply_free(&item);
    CHECK_STATUS(PALITRA_END, palitra_token_next(token, 0, NULL));
    CHECK_STATUS(PALITRA_OK, palitra_runner_wait(runner, token, PALITRA_FOREVER, NULL));
    palitra_token_free(token);
}

static void a_job_that_streams_nothing_ends_at_once(void)
{
    palitra_token token = submit(runner, "palitra.echo", "x"), empty = stream("{\"items\":0}");
    CHECK_STATUS(PALITRA_END, next(token, NULL));
    CHECK_STATUS(PALITRA_END, next(empty, NULL));
    palitra_token_free(token);
    palitra_token_free(empty);
}

static void a_failure_half_way_comes_after_the_items_before_it(void)
{
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

static void items_are_read_also_after_the_job_failed(void)
{
    palitra_token token = stream("{\"items\":9,\"fail_at\":8}");
    CHECK_STATUS(PALITRA_JOB_FAILED, palitra_runner_wait(runner, token, PALITRA_FOREVER, NULL));
    for (unsigned n = 0; n < 8; n++) check_item(token, n);
    CHECK_STATUS(PALITRA_JOB_FAILED, next(token, NULL));
    palitra_token_free(token);
}

static void a_null_item_is_thrown_away(void)
{
    palitra_token token = stream("{\"items\":3}");
    check_item(token, 0);
    CHECK_STATUS(PALITRA_OK, next(token, NULL));
    check_item(token, 2);
    CHECK_STATUS(PALITRA_END, next(token, NULL));
    palitra_token_free(token);
}

static void a_timeout_without_an_item_answers_pending(void)
{
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

static void a_slow_reader_slows_the_job(void)
{
    palitra_token token = stream("{\"items\":100000}");
    EVENTUALLY(sent(token) > 0);
    pause_for(0.1);
    uint64_t ahead = sent(token);
    CHECK(ahead <= 64);
    for (unsigned n = 0; n < 200; n++) {
        check_item(token, n);
        CHECK(sent(token) <= n + 1 + 64);
    }
    EVENTUALLY(sent(token) >= 200 + ahead); /* and it goes on as far as it is read */
    CHECK_STATUS(PALITRA_PENDING, palitra_token_poll(token, NULL));
    palitra_token_free(token);
    EVENTUALLY(streams() == 0);
}

/* ---- who reads -------------------------------------------------------------------------------------- */

static unsigned char taken[5000];

static void *read_to_the_end(void *token)
{
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

static void several_readers_share_the_items(void)
{
    palitra_token token = stream("{\"items\":5000}");
    pthread_t readers[4];
    for (size_t i = 0; i < LENGTH(readers); i++) readers[i] = start_thread(read_to_the_end, &token);
    for (size_t i = 0; i < LENGTH(readers); i++) join_thread(readers[i]);
    for (size_t i = 0; i < LENGTH(taken); i++) CHECK_NUMBER(1, taken[i]);
    palitra_token_free(token);
}

static palitra_status answer;

static void next_from_a_callback(palitra_token unused, palitra_status status, void *token)
{
    (void)unused, (void)status;
    __atomic_store_n(&answer, palitra_token_next(*(palitra_token *)token, PALITRA_FOREVER, NULL), __ATOMIC_RELEASE);
}

static void reading_on_the_runners_thread_answers_would_deadlock(void)
{
    palitra_token token = stream("{\"items\":0,\"forever\":true}"), trigger = submit(runner, "test.ready", "");
    answer = PALITRA_OK;
    CHECK_STATUS(PALITRA_OK, palitra_token_on_complete(trigger, next_from_a_callback, &token, NULL));
    EVENTUALLY(__atomic_load_n(&answer, __ATOMIC_ACQUIRE) == PALITRA_WOULD_DEADLOCK);
    palitra_token_free(trigger);
    CHECK_STATUS(PALITRA_OK, palitra_token_cancel(token));
    palitra_token_free(token);
}

/* ---- nobody can read -------------------------------------------------------------------------------- */

static void check_nobody_reads(palitra_status status, palitra_reply *reply)
{
    CHECK_STATUS(PALITRA_JOB_FAILED, status);
    CHECK_REPLY("nobody reads the stream any more", *reply);
    palitra_reply_free(reply);
}

/* However many items it has. The watchdog bounds a run that waits for a reader. */
static void a_run_refuses_items_whether_it_has_a_timeout_or_not(void)
{
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

static void a_job_that_is_submitted_without_a_token_streams_to_nobody(void)
{
    palitra_stats stats = {.size = sizeof stats};
    CHECK_STATUS(PALITRA_OK, palitra_runner_stats(runner, &stats));
    uint64_t before = stats.failed;
    for (int i = 0; i < 50; i++)
        CHECK_STATUS(PALITRA_OK, palitra_runner_submit(runner, "test.stream", "{\"items\":1}", 11, NULL, NULL));
    EVENTUALLY(palitra_runner_stats(runner, &stats) == PALITRA_OK && stats.failed == before + 50);
}

static void a_job_that_is_submitted_without_items_streams_to_nobody(void)
{
    palitra_submit_options options;
    palitra_token token;
    palitra_reply reply;
    palitra_submit_options_init(&options);
    options.flags = PALITRA_NO_ITEMS;
    CHECK_STATUS(PALITRA_OK, palitra_runner_submit(runner, "test.stream", "{\"items\":40}", 12, &options, &token));
    check_nobody_reads(palitra_runner_wait(runner, token, PALITRA_FOREVER, &reply), &reply);
    CHECK_STATUS(PALITRA_JOB_FAILED, next(token, NULL));
    palitra_token_free(token);
    check_nobody_reads(palitra_runner_start(runner, "test.stream", "{\"items\":1}", 11, &options, NULL, &reply), &reply);
    options.flags |= PALITRA_ITEM_EVENTS;
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_runner_submit(runner, "test.stream", "", 0, &options, &token));
}

static void what_a_started_job_streams_is_read_once_it_pends(void)
{
    palitra_token token;
    CHECK_STATUS(PALITRA_PENDING,
                 palitra_runner_start(runner, "test.stream", "{\"items\":40}", 12, NULL, &token, NULL));
    for (unsigned n = 0; n < 40; n++) check_item(token, n);
    CHECK_STATUS(PALITRA_END, next(token, NULL));
    palitra_token_free(token);
}

/* ---- what ends a reading ---------------------------------------------------------------------------- */

struct reading {
    palitra_token token;
    palitra_status status;
};

static void *read_on(void *argument)
{
    struct reading *reading = argument;
    do reading->status = next(reading->token, NULL);
    while (reading->status == PALITRA_OK);
    return NULL;
}

static void cancel(palitra_token token)
{
    CHECK_STATUS(PALITRA_OK, palitra_token_cancel(token));
}

static void shut_down(palitra_token unused)
{
    (void)unused;
    CHECK_STATUS(PALITRA_OK, palitra_runner_shutdown(runner, 0));
}

/* One reader waits for a stream that has no more to say, until `end` ends that. */
static void check_ends(void (*end)(palitra_token), palitra_status expected)
{
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
static void check_ends_a_task_beside_the_job(void (*end)(palitra_token), bool readable)
{
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

static void a_cancel_ends_a_task_that_waits_to_send_and_what_it_sent_can_be_read(void)
{
    check_ends_a_task_beside_the_job(cancel, true);
}

static void a_free_ends_a_task_that_waits_to_send(void)
{
    check_ends_a_task_beside_the_job(palitra_token_free, false);
}

static void a_cancel_ends_a_reading(void)
{
    check_ends(cancel, PALITRA_CANCELLED);
}

static void a_free_ends_a_reading(void)
{
    check_ends(palitra_token_free, PALITRA_INVALID_HANDLE);
}

static void a_shutdown_ends_a_reading(void)
{
    palitra_runner shared = runner;
    runner = new_runner();
    check_ends(shut_down, PALITRA_CANCELLED);
    palitra_runner_free(runner);
    runner = shared;
}

static void a_deadline_ends_a_reading(void)
{
    palitra_submit_options options;
    palitra_token token;
    palitra_submit_options_init(&options);
    options.deadline_ns = SECONDS(0.05);
    CHECK_STATUS(PALITRA_OK, palitra_runner_submit(runner, "test.stream", "{\"items\":2,\"forever\":true}", 26, &options, &token));
    palitra_status status = PALITRA_OK;
    for (int items = 0; status == PALITRA_OK; items++) {
        CHECK(items <= 2);
        status = next(token, NULL);
    }
    CHECK_STATUS(PALITRA_DEADLINE, status);
    palitra_token_free(token);
}

/* ---- as many as the host wants ---------------------------------------------------------------------- */

typedef palitra_status begin(palitra_runner, const char *, const void *, size_t, const palitra_submit_options *,
                             palitra_token *);

static palitra_status begin_here(palitra_runner own, const char *job, const void *data, size_t length,
                                 const palitra_submit_options *options, palitra_token *token)
{
    CHECK_STATUS(PALITRA_PENDING, palitra_runner_start(own, job, data, length, options, token, NULL));
    return PALITRA_OK;
}

/* A job that nobody reads sends `expected` items and waits with the next. */
static void check_waiting_items(begin *begin, uint32_t stream_items, uint64_t expected)
{
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

static void as_many_items_wait_as_the_host_wants(void)
{
    begin *const ways[] = {palitra_runner_submit, begin_here};
    for (size_t i = 0; i < LENGTH(ways); i++) {
        check_waiting_items(ways[i], 0, 16);
        check_waiting_items(ways[i], 1, 1);
        check_waiting_items(ways[i], 40, 40);
        check_waiting_items(ways[i], 65536, 65536);
    }
}

/* ---- what is left behind ---------------------------------------------------------------------------- */

static void freeing_the_token_ends_the_job(void)
{
    palitra_token tokens[50];
    EVENTUALLY(streams() == 0);
    for (size_t i = 0; i < LENGTH(tokens); i++) tokens[i] = stream("{\"items\":1000000}");
    for (size_t i = 0; i < LENGTH(tokens); i++) check_item(tokens[i], 0);
    CHECK_NUMBER(LENGTH(tokens), streams());
    for (size_t i = 0; i < LENGTH(tokens); i++) palitra_token_free(tokens[i]);
    EVENTUALLY(streams() == 0);
}

int main(void)
{
    runner = new_runner();
    TEST(many_items_come_in_order_and_then_the_end);
    TEST(a_job_that_streams_nothing_ends_at_once);
    TEST(a_failure_half_way_comes_after_the_items_before_it);
    TEST(items_are_read_also_after_the_job_failed);
    TEST(a_null_item_is_thrown_away);
    TEST(a_timeout_without_an_item_answers_pending);
    TEST(several_readers_share_the_items);
    TEST(reading_on_the_runners_thread_answers_would_deadlock);
    TEST(a_cancel_ends_a_reading);
    TEST(a_shutdown_ends_a_reading);
    TEST(a_deadline_ends_a_reading);
    TEST(a_free_ends_a_reading);
    palitra_runner_free(runner);
    runner = new_runner(); /* without the streams that send no more and were not ended */
    TEST(a_run_refuses_items_whether_it_has_a_timeout_or_not);
    TEST(a_job_that_is_submitted_without_a_token_streams_to_nobody);
    TEST(a_job_that_is_submitted_without_items_streams_to_nobody);
    TEST(what_a_started_job_streams_is_read_once_it_pends);
    TEST(a_cancel_ends_a_task_that_waits_to_send_and_what_it_sent_can_be_read);
    TEST(a_free_ends_a_task_that_waits_to_send);
    TEST(a_slow_reader_slows_the_job);
    TEST(as_many_items_wait_as_the_host_wants);
    TEST(freeing_the_token_ends_the_job);
    palitra_runner_free(runner);
    return 0;
}
