/* Every function, called with an invalid handle (zero, forged, stale, of another kind): it returns INVALID_HANDLE,
 * nothing crashes, and what a call must not touch it leaves alone.
 *
 * Promise 11: bad input and limits return a status.
 */
#include "bad_input.h"

static int calls, frees;

static void count_call(palitra_token token, palitra_status status, void *user_data) {
    (void)token, (void)status, (void)user_data;
    calls++;
}

static void count_free(void *user_data) {
    CHECK(user_data == &frees);
    frees++;
}

static void check_no_stats(uint64_t id) {
    palitra_stats stats;
    memset(&stats, 0xAA, sizeof stats);
    stats.size = sizeof stats;
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_runner_stats((palitra_runner){id}, &stats));
    CHECK_NUMBER(0xAAAAAAAAu, stats.threads);
}

static void check_no_runner(uint64_t id) {
    palitra_runner bad = {id};
    palitra_reply reply = garbage_reply();
    palitra_token token = {0};
    CHECK(!palitra_runner_is_alive(bad));
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_runner_run(bad, "palitra.echo", "x", 1, PALITRA_FOREVER, &reply));
    check_fit(PALITRA_INVALID_HANDLE, &reply);
    reply = garbage_reply();
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_runner_run(bad, "palitra.echo", "x", 1, 1, &reply));
    check_fit(PALITRA_INVALID_HANDLE, &reply);
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_runner_submit(bad, "palitra.echo", "x", 1, NULL, &token));
    CHECK_NUMBER(0, token.id);
    palitra_submission one = {"palitra.echo", NULL, 0, 0};
    size_t taken = 7;
    token.id = 7;
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_runner_submit_many(bad, &one, 1, NULL, &token, &taken));
    CHECK(taken == 0 && token.id == 0);
    reply = garbage_reply();
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_runner_wait(bad, pending, PALITRA_FOREVER, &reply));
    check_fit(PALITRA_INVALID_HANDLE, &reply);
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_runner_wait_any(bad, &pending, 1, PALITRA_FOREVER, NULL));
    reply = garbage_reply();
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_runner_gather(bad, &pending, 1, 0, PALITRA_FOREVER, &reply));
    check_fit(PALITRA_INVALID_HANDLE, &reply);
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_runner_shutdown(bad, 0));
    check_no_stats(id);
    palitra_runner_free(bad);
}

static void check_no_stream_or_callback(uint64_t id) {
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
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_token_on_ready(bad, 0, count_call, &frees, count_free));
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_token_on_ready(bad, PALITRA_OR_ITEM, count_call, &frees, count_free));
    CHECK_NUMBER(before + 3, frees);
    CHECK_NUMBER(0, calls);
}

static void check_no_token(uint64_t id) {
    palitra_token bad = {id}, both[2] = {pending, bad};
    palitra_reply reply = garbage_reply(), replies[2] = {garbage_reply(), garbage_reply()};
    size_t index;
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_token_poll(bad, &reply));
    check_fit(PALITRA_INVALID_HANDLE, &reply);
    reply = garbage_reply();
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_token_wait(bad, PALITRA_FOREVER, &reply));
    check_fit(PALITRA_INVALID_HANDLE, &reply);
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_token_cancel(bad));
    reply = garbage_reply();
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_runner_wait(runner, bad, PALITRA_FOREVER, &reply));
    check_fit(PALITRA_INVALID_HANDLE, &reply);
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_runner_wait_any(runner, both, 2, PALITRA_FOREVER, &index));
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_runner_gather(runner, both, 2, 0, PALITRA_FOREVER, replies));
    check_fit(PALITRA_INVALID_HANDLE, &replies[0]);
    check_fit(PALITRA_INVALID_HANDLE, &replies[1]);
    check_no_stream_or_callback(id);
    palitra_token_free(bad);
    CHECK_STATUS(PALITRA_PENDING, palitra_token_poll(pending, NULL));
}

static void check_no_queue(uint64_t id) {
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

static void forged_handles_are_invalid(void) {
    static const uint64_t forged[] = {0,
                                      1,
                                      2,
                                      UINT32_MAX,
                                      (uint64_t)UINT32_MAX + 1,
                                      UINT64_MAX,
                                      UINT64_MAX - 1,
                                      (uint64_t)1 << 63,
                                      0x5555555555555555u,
                                      0xAAAAAAAAAAAAAAAAu};
    for (size_t i = 0; i < LENGTH(forged); i++) {
        if (forged[i] != runner.id) check_no_runner(forged[i]);
        if (forged[i] != pending.id) check_no_token(forged[i]);
        if (forged[i] != queue.id) check_no_queue(forged[i]);
    }
}

static void a_handle_with_one_bit_changed_is_invalid(void) {
    for (int bit = 0; bit < 64; bit++) {
        check_no_runner(runner.id ^ (uint64_t)1 << bit);
        check_no_token(pending.id ^ (uint64_t)1 << bit);
        check_no_queue(queue.id ^ (uint64_t)1 << bit);
    }
}

static void a_handle_of_another_kind_is_invalid(void) {
    CHECK(queue.id != runner.id && queue.id != pending.id && runner.id != pending.id);
    check_no_runner(pending.id);
    check_no_runner(queue.id);
    check_no_token(runner.id);
    check_no_token(queue.id);
    check_no_queue(runner.id);
    check_no_queue(pending.id);
    CHECK(palitra_queue_fd(queue) >= 0);
}

static void a_stale_handle_is_invalid_also_after_its_slot_was_reused(void) {
    palitra_runner old_runner = new_runner();
    palitra_token old_token = submit(runner, "palitra.echo", "x");
    palitra_runner_free(old_runner);
    palitra_token_free(old_token);
    check_no_runner(old_runner.id);
    check_no_token(old_token.id);
    for (int i = 0; i < 300; i++) {
        palitra_token token = submit(runner, "test.ready", "");
        CHECK(token.id != old_token.id);
        palitra_token_free(token);
    }
    palitra_runner next = new_runner();
    CHECK(next.id != old_runner.id);
    check_no_runner(old_runner.id);
    check_no_token(old_token.id);
    palitra_runner_free(next);
}

static void a_stale_queue_is_invalid_also_after_its_slot_was_reused(void) {
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

/* The library's own handle of the global runner, freed by mistake. */
static void freeing_the_global_runner_leaves_room_for_the_next(void) {
    palitra_runner first, second;
    CHECK_STATUS(PALITRA_OK, palitra_runner_global(&first));
    palitra_runner_free(first);
    check_no_runner(first.id);
    CHECK_STATUS(PALITRA_OK, palitra_runner_global(&second));
    CHECK(second.id != first.id);
    check_echo(second);
    CHECK_STATUS(PALITRA_OK, shutdown_global_runner(0));
}

static void a_token_of_another_runner_is_refused(void) {
    palitra_runner other = new_runner();
    palitra_reply reply;
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_runner_wait(other, pending, PALITRA_FOREVER, &reply));
    check_fit(PALITRA_INVALID_ARGUMENT, &reply);
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_runner_wait_any(other, &pending, 1, PALITRA_FOREVER, NULL));
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_runner_gather(other, &pending, 1, 0, PALITRA_FOREVER, &reply));
    check_fit(PALITRA_INVALID_ARGUMENT, &reply);
    palitra_runner_free(other);
}

int main(void) {
    begin_bad_input();
    TEST(forged_handles_are_invalid);
    TEST(a_handle_with_one_bit_changed_is_invalid);
    TEST(a_handle_of_another_kind_is_invalid);
    TEST(a_stale_handle_is_invalid_also_after_its_slot_was_reused);
    TEST(a_stale_queue_is_invalid_also_after_its_slot_was_reused);
    TEST(freeing_the_global_runner_leaves_room_for_the_next);
    TEST(a_token_of_another_runner_is_refused);
    return end_bad_input();
}
