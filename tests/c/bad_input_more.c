/* Queues, streams, progress, callbacks, stats and logs, called with NULL, zero, huge and stale values and with
 * handles of another kind: each answers a status and leaves alone what it must not touch. Promise 11. */
#include "test.h"

static palitra_runner runner;
static palitra_token pending; /* unfinished throughout */
static palitra_queue queue;   /* open and empty throughout */

static palitra_event garbage_event(void)
{
    palitra_event event;
    memset(&event, 0xAA, sizeof event);
    return event;
}

static void check_untouched(const palitra_event *event)
{
    palitra_event garbage = garbage_event();
    CHECK_NUMBER(garbage.tag, event->tag);
    CHECK_NUMBER(garbage.token.id, event->token.id);
    CHECK_NUMBER(garbage.status, event->status);
}

static int calls, frees;

static void count_call(palitra_token token, palitra_status status, void *user_data)
{
    (void)token, (void)status, (void)user_data;
    calls++;
}

static void count_free(void *user_data)
{
    CHECK(user_data == &frees);
    frees++;
}

/* ---- handles ---------------------------------------------------------------------------------------- */

static void check_no_queue(uint64_t id)
{
    palitra_queue bad = {id};
    palitra_event event = garbage_event();
    palitra_submit_options options;
    palitra_token token = {99};
    size_t n = 99;
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_queue_next(bad, PALITRA_FOREVER, &event, 1, &n));
    CHECK_NUMBER(0, n);
    check_untouched(&event);
    CHECK_NUMBER(-1, palitra_queue_fd(bad));
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_queue_close(bad));
    palitra_queue_free(bad);
    if (id == 0) return; /* where no queue is meant */
    palitra_submit_options_init(&options);
    options.queue = bad;
    CHECK_REFUSED(palitra_runner_submit(runner, "palitra.echo", "x", 1, &options, &token));
    CHECK_NUMBER(0, token.id);
}

static void check_no_token(uint64_t id)
{
    palitra_token bad = {id};
    palitra_reply item;
    uint64_t done = 99, total = 99;
    memset(&item, 0xAA, sizeof item);
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_token_next(bad, PALITRA_FOREVER, &item));
    CHECK_STATUS(PALITRA_INVALID_HANDLE, item.status);
    palitra_reply_free(&item);
    palitra_reply_free(&item);
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_token_next(bad, 0, NULL));
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_token_progress(bad, &done, &total));
    CHECK_NUMBER(99, done);
    CHECK_NUMBER(99, total);
    int before = frees;
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_token_on_complete(bad, count_call, &frees, count_free));
    CHECK_NUMBER(before + 1, frees);
    CHECK_NUMBER(0, calls);
}

static void check_no_runner(uint64_t id)
{
    palitra_stats stats;
    memset(&stats, 0xAA, sizeof stats);
    stats.size = sizeof stats;
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_runner_stats((palitra_runner){id}, &stats));
    CHECK_NUMBER(0xAAAAAAAAu, stats.threads);
}

static void forged_handles_are_invalid(void)
{
    static const uint64_t forged[] = {0, 1, 2, UINT32_MAX, (uint64_t)UINT32_MAX + 1, UINT64_MAX, UINT64_MAX - 1,
                                      (uint64_t)1 << 63, 0x5555555555555555u, 0xAAAAAAAAAAAAAAAAu};
    for (size_t i = 0; i < LENGTH(forged); i++) {
        if (forged[i] != queue.id) check_no_queue(forged[i]);
        if (forged[i] != pending.id) check_no_token(forged[i]);
        if (forged[i] != runner.id) check_no_runner(forged[i]);
    }
    for (int bit = 0; bit < 64; bit++) {
        check_no_queue(queue.id ^ (uint64_t)1 << bit);
        check_no_token(pending.id ^ (uint64_t)1 << bit);
        check_no_runner(runner.id ^ (uint64_t)1 << bit);
    }
}

static void a_handle_of_another_kind_is_invalid(void)
{
    CHECK(queue.id != runner.id && queue.id != pending.id);
    check_no_queue(runner.id);
    check_no_queue(pending.id);
    check_no_token(queue.id);
    check_no_token(runner.id);
    check_no_runner(queue.id);
    check_no_runner(pending.id);
    palitra_runner_free((palitra_runner){queue.id});
    palitra_token_free((palitra_token){queue.id});
    CHECK(palitra_queue_fd(queue) >= 0);
}

static void a_stale_handle_is_invalid_also_after_its_place_was_taken_again(void)
{
    palitra_queue old, next;
    palitra_token token = submit(runner, "test.ready", "");
    CHECK_STATUS(PALITRA_OK, palitra_queue_new(&old));
    palitra_queue_free(old);
    palitra_token_free(token);
    for (int i = 0; i < 300; i++) {
        CHECK_STATUS(PALITRA_OK, palitra_queue_new(&next));
        CHECK(next.id != old.id);
        check_no_queue(old.id);
        palitra_queue_free(next);
        check_no_queue(next.id);
    }
    check_no_token(token.id);
}

/* ---- arguments -------------------------------------------------------------------------------------- */

static void arguments_of_queues_are_checked(void)
{
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

static void arguments_of_stats_are_checked(void)
{
    struct { palitra_stats known; uint64_t unknown[4]; } later;
    memset(&later, 0xAA, sizeof later);
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_runner_stats(runner, NULL));
    const uint32_t wrong[] = {0, 3, 79, UINT32_MAX};
    for (size_t i = 0; i < LENGTH(wrong); i++) {
        later.known.size = wrong[i];
        CHECK_REFUSED(palitra_runner_stats(runner, &later.known));
    }
    later.known.size = sizeof later.known; /* and not a byte beyond it */
    CHECK_STATUS(PALITRA_OK, palitra_runner_stats(runner, &later.known));
    CHECK_NUMBER(0xAAAAAAAAAAAAAAAAu, later.unknown[0]);
}

static void arguments_of_logs_are_checked(void)
{
    const int32_t wrong[] = {-1, INT32_MIN, 6, INT32_MAX};
    for (size_t i = 0; i < LENGTH(wrong); i++) {
        int before = frees;
        CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_log_set(wrong[i], NULL, &frees, count_free));
        CHECK_NUMBER(before + 1, frees);
    }
}

static void extreme_times_are_taken_as_they_are(void)
{
    const int64_t for_ever[] = {-1, INT64_MIN, INT64_MAX, INT64_MAX - 1};
    for (size_t i = 0; i < LENGTH(for_ever); i++) {
        palitra_submit_options options;
        palitra_event event;
        palitra_submit_options_init(&options);
        options.queue = queue;
        palitra_runner_submit(runner, "palitra.sleep", "{\"seconds\":0.01}", 16, &options, NULL);
        CHECK_STATUS(PALITRA_OK, palitra_queue_next(queue, for_ever[i], &event, 1, NULL));
        palitra_token token = submit(runner, "palitra.sleep", "{\"seconds\":0.01}");
        CHECK_STATUS(PALITRA_END, palitra_token_next(token, for_ever[i], NULL));
        palitra_token_free(token);
    }
}

/* No memory holds so much, and nothing is read of it. */
static void a_length_that_no_memory_holds_is_refused(void)
{
    const size_t absurd[] = {(size_t)1 << 47, (size_t)1 << 62};
    for (size_t i = 0; i < LENGTH(absurd); i++) {
        palitra_token token = {99};
        palitra_reply reply;
        for (int timeout = -1; timeout <= 0; timeout++) {
            CHECK_STATUS(PALITRA_TOO_LARGE, palitra_runner_run(runner, "palitra.echo", "x", absurd[i], timeout, &reply));
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

static void after_all_this_everything_is_well(void)
{
    check_echo(runner);
    CHECK_STATUS(PALITRA_PENDING, palitra_token_poll(pending, NULL));
    palitra_event event;
    CHECK_STATUS(PALITRA_PENDING, palitra_queue_next(queue, 0, &event, 1, NULL));
}

int main(void)
{
    runner = new_runner();
    pending = submit(runner, "test.never", "");
    CHECK_STATUS(PALITRA_OK, palitra_queue_new(&queue));
    TEST(forged_handles_are_invalid);
    TEST(a_handle_of_another_kind_is_invalid);
    TEST(a_stale_handle_is_invalid_also_after_its_place_was_taken_again);
    TEST(arguments_of_queues_are_checked);
    TEST(arguments_of_stats_are_checked);
    TEST(arguments_of_logs_are_checked);
    TEST(extreme_times_are_taken_as_they_are);
    TEST(a_length_that_no_memory_holds_is_refused);
    TEST(after_all_this_everything_is_well);
    palitra_token_free(pending);
    palitra_queue_free(queue);
    palitra_runner_free(runner);
    return 0;
}
