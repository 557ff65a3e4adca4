/* The completion queue under many producers (runners of one thread and of several, submitted to by several threads) and
 * many consumers: no event is lost, and none is seen twice.
 *
 * Promise 1: a token finishes exactly once.
 */
#include "test.h"

#include <poll.h>

enum { RUNNERS = 3, SUBMITTERS = 2, CONSUMERS = 3, EACH = 2500, ALL = RUNNERS * SUBMITTERS * EACH };

static struct {
    palitra_queue queue;
    palitra_runner runners[RUNNERS];
    unsigned char seen[ALL];
    int taken;
} many;

static void *produce(void *which) {
    palitra_submit_options options;
    size_t number = (size_t)which;
    palitra_submit_options_init(&options);
    options.queue = many.queue;
    for (size_t i = 0; i < EACH; i++) {
        palitra_token token;
        options.tag = number * EACH + i;
        const char *job = i % 7 == 0 ? "palitra.sleep" : "palitra.echo";
        CHECK_STATUS(PALITRA_OK, palitra_runner_submit(many.runners[number % RUNNERS], job, "{\"seconds\":0.001}", 17,
                                                       &options, &token));
        if (i % 5 == 0) palitra_token_cancel(token);
        palitra_token_free(token);
    }
    return NULL;
}

static void note(const palitra_event *event) {
    CHECK(event->tag < ALL);
    CHECK_NUMBER(0, __atomic_exchange_n(&many.seen[event->tag], 1, __ATOMIC_RELAXED));
    if (__atomic_add_fetch(&many.taken, 1, __ATOMIC_RELAXED) == ALL) palitra_queue_close(many.queue);
}

/* Each in its own way: one waits on the descriptor, one forever, one in slices. */
static void *consume(void *which) {
    palitra_event events[64];
    size_t way = (size_t)which, n;
    struct pollfd fd = {palitra_queue_fd(many.queue), POLLIN, 0};
    const int64_t timeouts[CONSUMERS] = {0, PALITRA_FOREVER, SECONDS(0.001)};
    palitra_status status;
    do {
        if (way == 0) poll(&fd, 1, 20000);
        status = palitra_queue_next(many.queue, timeouts[way], events, 1 + 21 * way, &n);
        for (size_t i = 0; i < n; i++) note(&events[i]);
    } while (status != PALITRA_END);
    return NULL;
}

static void many_producers_and_consumers_lose_nothing_and_see_nothing_twice(void) {
    pthread_t producers[RUNNERS * SUBMITTERS], consumers[CONSUMERS];
    CHECK_STATUS(PALITRA_OK, palitra_queue_new(&many.queue));
    for (size_t i = 0; i < RUNNERS; i++) many.runners[i] = runner_with_workers(i == 0 ? 0 : 2);
    for (size_t i = 0; i < CONSUMERS; i++) consumers[i] = start_thread(consume, (void *)i);
    for (size_t i = 0; i < LENGTH(producers); i++) producers[i] = start_thread(produce, (void *)i);
    for (size_t i = 0; i < LENGTH(producers); i++) join_thread(producers[i]);
    for (size_t i = 0; i < CONSUMERS; i++) join_thread(consumers[i]);
    CHECK_NUMBER(ALL, many.taken);
    for (size_t i = 0; i < RUNNERS; i++) palitra_runner_free(many.runners[i]);
    palitra_queue_free(many.queue);
}

int main(void) {
    TEST(many_producers_and_consumers_lose_nothing_and_see_nothing_twice);
    return 0;
}
