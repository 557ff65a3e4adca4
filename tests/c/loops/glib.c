/* include/adapters/glib.h: no event is lost, no wake-up is for nothing, the host's timer is on time. */
#include "loop.h"

#include "adapters/glib.h"

static gboolean on_tick(gpointer unused) {
    (void)unused;
    tick();
    return G_SOURCE_CONTINUE;
}

static void run_until_the_end(void) {
    GSource *source = palitra_glib_attach(NULL, loop.queue, take, &loop);
    guint timer = g_timeout_add(1, on_tick, NULL);
    CHECK(source != NULL);
    while (loop.ends == 0) g_main_context_iteration(NULL, TRUE);
    CHECK(g_source_is_destroyed(source)); /* the end has taken it out of the loop */
    palitra_glib_detach(source);
    g_source_remove(timer);
}

static void ten_thousand_jobs_beside_a_timer(void) { check_loop(run_until_the_end); }

static GSource *detaching;
static int calls;

static void detach_at_the_second(const palitra_event *event, void *user_data) {
    CHECK(event != NULL && user_data == &calls);
    CHECK_NUMBER(calls, event->tag);
    if (++calls == 2) palitra_glib_detach(detaching);
}

/* A context of the host's own does as well as the default one. */
static void a_callback_that_detaches_is_not_called_again(void) {
    GMainContext *context = g_main_context_new();
    palitra_queue queue;
    calls = 0;
    CHECK_STATUS(PALITRA_OK, palitra_queue_new(&queue));
    finish_four(queue);
    detaching = palitra_glib_attach(context, queue, detach_at_the_second, &calls);
    while (g_main_context_iteration(context, FALSE)) continue;
    CHECK_NUMBER(2, calls);
    palitra_queue_free(queue);
    g_main_context_unref(context);
}

static void a_detached_queue_may_be_freed_at_once(void) {
    palitra_queue queue;
    calls = 0;
    CHECK_STATUS(PALITRA_OK, palitra_queue_new(&queue));
    finish_four(queue);
    palitra_glib_detach(palitra_glib_attach(NULL, queue, detach_at_the_second, &calls));
    palitra_queue_free(queue);
    while (g_main_context_iteration(NULL, FALSE)) continue;
    CHECK_NUMBER(0, calls);
    CHECK(palitra_glib_attach(NULL, queue, detach_at_the_second, &calls) == NULL);
    palitra_glib_detach(NULL);
}

static void answer_and_detach(const palitra_event *event, void *unused) {
    (void)unused;
    answer(event);
    palitra_glib_detach(detaching);
}

static void detach_at_the_first(palitra_queue queue) {
    detaching = palitra_glib_attach(NULL, queue, answer_and_detach, NULL);
    while (g_main_context_iteration(NULL, FALSE)) continue;
}

static void calls_behind_a_detach_fail(void) { check_calls_behind_a_detach(detach_at_the_first); }

int main(void) {
    TEST(ten_thousand_jobs_beside_a_timer);
    TEST(a_callback_that_detaches_is_not_called_again);
    TEST(calls_behind_a_detach_fail);
    TEST(a_detached_queue_may_be_freed_at_once);
    return 0;
}
