/* include/adapters/libuv.h: no event is lost, no wake-up is for nothing, the host's timer is on time. */
#include "loop.h"

#include "adapters/libuv.h"

static uv_timer_t timer;

static void on_tick(uv_timer_t *unused) {
    (void)unused;
    tick();
    if (loop.ends > 0) uv_close((uv_handle_t *)&timer, NULL);
}

static void run_until_the_end(void) {
    uv_loop_t uv;
    palitra_libuv *adapter;
    CHECK_NUMBER(0, uv_loop_init(&uv));
    CHECK_NUMBER(0, uv_timer_init(&uv, &timer));
    CHECK_NUMBER(0, uv_timer_start(&timer, on_tick, 1, 1));
    CHECK_NUMBER(0, palitra_libuv_attach(&uv, loop.queue, take, &loop, &adapter));
    CHECK_NUMBER(0, uv_run(&uv, UV_RUN_DEFAULT)); /* the end stops the adapter, so that this returns */
    palitra_libuv_detach(adapter);
    CHECK_NUMBER(0, uv_run(&uv, UV_RUN_DEFAULT));
    CHECK_NUMBER(0, uv_loop_close(&uv));
}

static void ten_thousand_jobs_beside_a_timer(void) { check_loop(run_until_the_end); }

static palitra_libuv *detaching;
static int calls;

static void detach_at_the_second(const palitra_event *event, void *user_data) {
    CHECK(event != NULL && user_data == &calls);
    CHECK_NUMBER(calls, event->tag);
    if (++calls == 2) palitra_libuv_detach(detaching);
}

static void a_callback_that_detaches_is_not_called_again(void) {
    uv_loop_t uv;
    palitra_queue queue;
    calls = 0;
    CHECK_STATUS(PALITRA_OK, palitra_queue_new(&queue));
    finish_four(queue);
    CHECK_NUMBER(0, uv_loop_init(&uv));
    CHECK_NUMBER(0, palitra_libuv_attach(&uv, queue, detach_at_the_second, &calls, &detaching));
    CHECK_NUMBER(0, uv_run(&uv, UV_RUN_DEFAULT));
    CHECK_NUMBER(2, calls);
    palitra_queue_free(queue);
    CHECK_NUMBER(0, uv_loop_close(&uv));
}

static void a_detached_queue_may_be_freed_at_once(void) {
    uv_loop_t uv;
    palitra_queue queue;
    palitra_libuv *adapter;
    calls = 0;
    CHECK_STATUS(PALITRA_OK, palitra_queue_new(&queue));
    finish_four(queue);
    CHECK_NUMBER(0, uv_loop_init(&uv));
    CHECK_NUMBER(0, palitra_libuv_attach(&uv, queue, detach_at_the_second, &calls, &adapter));
    palitra_libuv_detach(adapter);
    palitra_queue_free(queue);
    CHECK_NUMBER(0, uv_run(&uv, UV_RUN_DEFAULT));
    CHECK_NUMBER(0, calls);
    CHECK_NUMBER(UV_EBADF, palitra_libuv_attach(&uv, queue, detach_at_the_second, &calls, &adapter));
    CHECK(adapter == NULL);
    palitra_libuv_detach(adapter);
    CHECK_NUMBER(0, uv_loop_close(&uv));
}

static void answer_and_detach(const palitra_event *event, void *unused) {
    (void)unused;
    answer(event);
    palitra_libuv_detach(detaching);
}

static void detach_at_the_first(palitra_queue queue) {
    uv_loop_t uv;
    CHECK_NUMBER(0, uv_loop_init(&uv));
    CHECK_NUMBER(0, palitra_libuv_attach(&uv, queue, answer_and_detach, NULL, &detaching));
    CHECK_NUMBER(0, uv_run(&uv, UV_RUN_DEFAULT));
    CHECK_NUMBER(0, uv_loop_close(&uv));
}

static void calls_behind_a_detach_fail(void) { check_calls_behind_a_detach(detach_at_the_first); }

int main(void) {
    TEST(ten_thousand_jobs_beside_a_timer);
    TEST(a_callback_that_detaches_is_not_called_again);
    TEST(calls_behind_a_detach_fail);
    TEST(a_detached_queue_may_be_freed_at_once);
    return 0;
}
