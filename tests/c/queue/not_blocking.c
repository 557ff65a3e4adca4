/* A timeout of 0 does not block: whoever takes events waits for no producer that has lost its processor.
 *
 * Promise 3: timeouts and deadlines hold.
 *
 * A consumer in real time shares one processor with the runner's thread, which it interrupts at any instruction and
 * which does not run again before the consumer sleeps. Were the consumer to wait for it, the system would end that
 * after 0.95 seconds, when it takes the processor from whoever has had it in real time for so long.
 */
#include "test.h"

#include <poll.h>
#include <sched.h>

/* ---- the processor is not given up ------------------------------------------------------------------- */

static int yields;

/* Goes before the C library's, in the library too. */
int sched_yield(void) {
    __atomic_add_fetch(&yields, 1, __ATOMIC_SEQ_CST);
    return 0;
}

static void a_look_that_finds_nothing_gives_the_processor_to_nobody(void) {
    palitra_queue queue = {0};
    palitra_event event;
    palitra_reply message;
    CHECK_STATUS(PALITRA_OK, palitra_queue_new(&queue));
    CHECK_STATUS(PALITRA_OK, palitra_log_collect(PALITRA_LOG_TRACE, 0));
    while (palitra_log_next(0, &message) == PALITRA_OK) palitra_reply_free(&message);
    yields = 0;
    for (int i = 0; i < 10; i++) {
        CHECK_STATUS(PALITRA_PENDING, palitra_queue_next(queue, 0, &event, 1, NULL));
        CHECK_STATUS(PALITRA_PENDING, palitra_log_next(0, &message));
    }
    CHECK_NUMBER(0, yields);
    CHECK_STATUS(PALITRA_OK, palitra_log_collect(PALITRA_LOG_OFF, 0));
    palitra_queue_free(queue);
}

/* ---- nobody is waited for ---------------------------------------------------------------------------- */

#define BATCH 500u
#define ENOUGH 200000u

static struct {
    palitra_runner runner;
    palitra_queue queue;
    int stop;
    size_t submitted;
} shared;

static int share_one_processor(void) {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    return sched_setaffinity(0, sizeof one, &one);
}

static void *keep_submitting(void *unused) {
    palitra_submission echoes[BATCH];
    palitra_token tokens[BATCH];
    palitra_submit_options options;
    (void)unused;
    palitra_submit_options_init(&options);
    options.queue = shared.queue;
    for (size_t i = 0; i < BATCH; i++) echoes[i] = (palitra_submission){"palitra.echo", NULL, 0, 0};
    while (!__atomic_load_n(&shared.stop, __ATOMIC_SEQ_CST)) {
        size_t accepted = 0;
        CHECK_STATUS(PALITRA_OK, palitra_runner_submit_many(shared.runner, echoes, BATCH, &options, tokens, &accepted));
        shared.submitted += accepted;
        CHECK_STATUS(PALITRA_OK, palitra_runner_gather(shared.runner, tokens, BATCH, 0, SECONDS(20), NULL));
        for (size_t i = 0; i < BATCH; i++) palitra_token_free(tokens[i]);
    }
    return NULL;
}

/* Returns how many it took. */
static size_t take_in_real_time(double *longest) {
    palitra_event events[8];
    size_t taken = 0, n = 0;
    for (double start = now(); taken < ENOUGH && now() - start < 3;) {
        /* Odd, so that it comes at another instruction each time. */
        pause_for(17e-6 + 1e-7 * (double)(taken % 97));
        double before = now();
        palitra_status status = palitra_queue_next(shared.queue, 0, events, LENGTH(events), &n);
        double took = now() - before;
        CHECK(status == PALITRA_OK || status == PALITRA_PENDING);
        if (took > *longest) *longest = took;
        taken += n;
    }
    return taken;
}

/* Whatever moment somebody was interrupted at, the descriptor tells the truth when all has come to rest. */
static void check_that_nothing_is_left(size_t taken) {
    palitra_event events[64];
    size_t n;
    while (palitra_queue_next(shared.queue, 0, events, LENGTH(events), &n) == PALITRA_OK) taken += n;
    CHECK_NUMBER(shared.submitted, taken);
    struct pollfd fd = {palitra_queue_fd(shared.queue), POLLIN, 0};
    CHECK_NUMBER(0, poll(&fd, 1, 0));
}

/* The longest call of a consumer in real time, in seconds. */
static double longest_call(void) {
    struct sched_param real_time = {1}, usual = {0};
    double longest = 0;
    memset(&shared, 0, sizeof shared);
    CHECK_STATUS(PALITRA_OK, palitra_queue_new(&shared.queue));
    shared.runner = new_runner();
    CHECK(palitra_queue_fd(shared.queue) >= 0);
    pthread_t producer = start_thread(keep_submitting, NULL);
    const int refused = sched_setscheduler(0, SCHED_FIFO, &real_time);
    if (refused != 0) printf("  the system refuses real time: %s\n", strerror(errno));
    size_t taken = take_in_real_time(&longest);
    CHECK_NUMBER(0, sched_setscheduler(0, SCHED_OTHER, &usual));
    __atomic_store_n(&shared.stop, 1, __ATOMIC_SEQ_CST);
    join_thread(producer);
    palitra_runner_free(shared.runner);
    printf("  %zu events taken, the longest call took %.3f ms\n", taken, longest * 1e3);
    CHECK(taken > 0);
    check_that_nothing_is_left(taken);
    palitra_queue_free(shared.queue);
    return longest;
}

static void a_consumer_in_real_time_waits_for_no_producer(void) {
    CHECK_NUMBER(0, share_one_processor());
    CHECK_SOON(0.2, longest_call());
}

int main(void) {
    TEST(a_look_that_finds_nothing_gives_the_processor_to_nobody);
    TEST(a_consumer_in_real_time_waits_for_no_producer);
    return 0;
}
