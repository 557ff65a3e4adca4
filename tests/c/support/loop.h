/* What the tests of the event loop adapters share: ten thousand jobs that finish beside a timer of the host's.
 *
 * Each adapter's test gives `check_loop` a function that runs its loop: it watches the queue with `take` as the
 * callback, calls `tick` every millisecond, and returns once `take` was called for the end.
 *
 * How a stall is measured. On a busy machine a thread may be late without a fault of its own, so there are two
 * bounds. The processor time of the loop's thread between two ticks is bounded in every run: an adapter that
 * drains for too long exceeds it. The time on the wall also shows an adapter that blocks, and everything else on
 * the machine; it is bounded in the best of a few runs, because an adapter that blocks does so in each.
 *
 * A wake-up for nothing shows as a call of palitra_queue_next that finds no event, since an adapter calls it
 * once for each wake-up. To see them the adapters are compiled with a palitra_queue_next that counts: so this
 * is included before them. Few are allowed: a producer may be between its count and its mark (see
 * src/queue/readiness.rs) when the events are taken.
 */
#ifndef PALITRA_TEST_LOOP_H
#define PALITRA_TEST_LOOP_H

#include "queued.h"

#define JOBS 10000
#define LONGEST_STALL 0.020
#define RUNS 10

static struct {
    palitra_runner runner;
    palitra_queue queue;
    unsigned char seen[JOBS];
    int events, ends, wakeups, empty_wakeups, ticks;
    double last_tick, last_tick_computed, longest_gap, longest_computed;
} loop;

static inline palitra_status counting_next(palitra_queue queue, int64_t timeout_ns, palitra_event *events, size_t max,
                                           size_t *n) {
    palitra_status status = palitra_queue_next(queue, timeout_ns, events, max, n);
    loop.wakeups++;
    if (status == PALITRA_PENDING) loop.empty_wakeups++;
    return status;
}

#define palitra_queue_next counting_next

static inline double computed(void) {
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* What the loop's timer calls every millisecond. */
static inline void tick(void) {
    double time = now(), time_computed = computed();
    if (loop.ticks++ > 0) {
        double gap = time - loop.last_tick, own = time_computed - loop.last_tick_computed;
        if (gap > loop.longest_gap) loop.longest_gap = gap;
        if (own > loop.longest_computed) loop.longest_computed = own;
    }
    loop.last_tick = time;
    loop.last_tick_computed = time_computed;
}

/* What the adapter calls. The last event closes the queue. The end is reported in the same way. */
static inline void take(const palitra_event *event, void *user_data) {
    CHECK(user_data == &loop);
    CHECK_NUMBER(0, loop.ends);
    if (event == NULL) {
        loop.ends++;
        return;
    }
    CHECK(event->tag < JOBS);
    CHECK_NUMBER(0, loop.seen[event->tag]);
    loop.seen[event->tag] = 1;
    CHECK_STATUS(PALITRA_OK, event->status);
    palitra_token_free(event->token);
    if (++loop.events == JOBS) CHECK_STATUS(PALITRA_OK, palitra_queue_close(loop.queue));
}

/* Half of the jobs finish in bursts, half when their time has come. */
static inline void *submit_jobs(void *unused) {
    palitra_submit_options options;
    palitra_submit_options_init(&options);
    options.queue = loop.queue;
    (void)unused;
    for (options.tag = 0; options.tag < JOBS; options.tag++) {
        palitra_token token;
        const char *job = options.tag % 2 == 0 ? "palitra.echo" : "palitra.sleep";
        CHECK_STATUS(PALITRA_OK, palitra_runner_submit(loop.runner, job, "{\"seconds\":0.01}", 16, &options, &token));
        if (options.tag % 200 == 0) pause_for(0.001);
    }
    return NULL;
}

/* One run from a new queue to its end. */
static inline void run_loop(void (*run_until_the_end)(void)) {
    memset(&loop, 0, sizeof loop);
    loop.runner = new_runner();
    CHECK_STATUS(PALITRA_OK, palitra_queue_new(&loop.queue));
    pthread_t producer = start_thread(submit_jobs, NULL);
    run_until_the_end();
    join_thread(producer);
    palitra_queue_free(loop.queue);
    palitra_runner_free(loop.runner);
    CHECK_NUMBER(JOBS, loop.events);
    CHECK_NUMBER(1, loop.ends);
    CHECK(loop.ticks > 10);
    CHECK(loop.empty_wakeups <= loop.wakeups / 20);
    CHECK(loop.wakeups > JOBS / 200);
}

static inline void check_loop(void (*run_until_the_end)(void)) {
    double best = 1e9;
    for (int run = 0; run < RUNS && best >= LONGEST_STALL; run++) {
        run_loop(run_until_the_end);
        if (loop.longest_computed >= LONGEST_STALL) printf("the loop computed for %.4f s\n", loop.longest_computed);
        CHECK(loop.longest_computed < LONGEST_STALL);
        if (loop.longest_gap < best) best = loop.longest_gap;
    }
    printf("  longest time between ticks of the timer: %.4f s\n", best);
    CHECK(best < LONGEST_STALL);
}

/* Four jobs that have finished and whose events are in the queue, as one batch. */
static inline void finish_four(palitra_queue queue) {
    palitra_runner runner = new_runner();
    palitra_submit_options options;
    palitra_submit_options_init(&options);
    options.queue = queue;
    for (options.tag = 0; options.tag < 4; options.tag++)
        CHECK_STATUS(PALITRA_OK, palitra_runner_submit(runner, "palitra.echo", "x", 1, &options, NULL));
    CHECK_STATUS(PALITRA_OK, shutdown_runner(runner, PALITRA_FOREVER));
    palitra_runner_free(runner);
}

/* Two calls of a queued job that wait as one batch: the callback answers the first and detaches. */
static inline void check_calls_behind_a_detach(void (*detach_at_the_first)(palitra_queue queue)) {
    palitra_runner runner = new_runner();
    palitra_queue queue = new_queue();
    register_queued(runner, queue);
    palitra_token first = submit(runner, "host.queued", "first"), second = submit(runner, "host.queued", "second");
    check_echo(runner); /* a job that was submitted later has ended: both calls are in the queue */
    detach_at_the_first(queue);
    CHECK_STATUS(PALITRA_OK, palitra_token_wait(first, SECONDS(20), NULL));
    check_fails(second, "the host gave up the call without an answer");
    palitra_token_free(first);
    palitra_queue_free(queue);
    palitra_runner_free(runner);
}

static inline void answer(const palitra_event *event) {
    palitra_call call = palitra_event_call(event);
    CHECK_STATUS(PALITRA_OK, complete(call, PALITRA_OK, 0, "answered"));
    palitra_call_free(call);
}

#endif
