/* make growth-memory: a million operations of every path leave no memory, no thread and no descriptor behind.
 *
 *     flat [OPERATIONS [NAME]]     so many of each path, or of those whose names begin so; 1,000,000
 *
 * After a tenth of the operations the memory is what the path needs. What it grows by during the rest must be less than
 * a megabyte: a byte an operation. Where the system lets a driver wait, more jobs are unended at once than before, and
 * the memory for them stays the library's: so a path that grew has two more trials, in which only a leak grows again.
 */
#include "memory.h"
#include "registered.h"
#include "scheduling.h"

#include <malloc.h>

#define MORE_MEMORY (1L << 20)
#define BATCH 100u

static palitra_runner runner;
static palitra_queue queue;
static atomic_long freed_data;

static uint64_t unended(palitra_stats stats) { return stats.queued + stats.running; }

/* Once all jobs have ended but a stream: those that were cancelled do so a moment after their tokens. */
static long memory_at_rest(void) {
    while (unended(stats_of(runner)) > 1) pause_for(0.001);
    malloc_trim(0);
    return memory_now();
}

/* ---- the paths: each does one operation --------------------------------------------------------------- */

static void end(palitra_token token, palitra_status expected) {
    palitra_reply reply;
    CHECK_STATUS(expected, palitra_token_wait(token, PALITRA_FOREVER, &reply));
    palitra_reply_free(&reply);
    palitra_token_free(token);
}

static void runs(void) {
    palitra_reply reply;
    CHECK_STATUS(PALITRA_OK, run(runner, "palitra.echo", "hello", PALITRA_FOREVER, &reply));
    palitra_reply_free(&reply);
}

static void runs_within_a_timeout(void) {
    palitra_reply reply;
    CHECK_STATUS(PALITRA_OK, run(runner, "test.ready", "", SECONDS(60), &reply));
    palitra_reply_free(&reply);
}

static void submits_and_waits(void) { end(submit(runner, "palitra.echo", "hello"), PALITRA_OK); }

static void starts(void) {
    palitra_token token = {0};
    palitra_reply reply;
    CHECK_STATUS(PALITRA_OK, palitra_runner_start(runner, "palitra.echo", "x", 1, NULL, &token, &reply));
    palitra_reply_free(&reply);
}

static void jobs_that_fail(void) {
    end(submit(runner, "test.fail", "{\"code\": 3, \"message\": \"as asked\"}"), PALITRA_JOB_FAILED);
}

static void payloads_that_are_refused(void) { end(submit(runner, "palitra.sleep", "{"), PALITRA_BAD_PAYLOAD); }

static void cancels(void) {
    palitra_token token = submit(runner, "palitra.sleep", "{\"seconds\": 1000}");
    CHECK_STATUS(PALITRA_OK, palitra_token_cancel(token));
    end(token, PALITRA_CANCELLED);
}

static void deadlines(void) {
    palitra_token token = {0};
    palitra_submit_options options;
    palitra_submit_options_init(&options);
    options.deadline_ns = 1;
    CHECK_STATUS(PALITRA_OK, palitra_runner_submit(runner, "test.never", "", 0, &options, &token));
    end(token, PALITRA_DEADLINE);
}

static void tokens_that_are_freed_at_once(void) {
    static unsigned turn;
    palitra_token_free(submit(runner, "palitra.echo", "hello"));
    /* So that the jobs that wait do not pile up. */
    if (++turn % BATCH == 0) submits_and_waits();
}

static void batches_that_are_gathered(void) {
    static unsigned turn;
    palitra_submission jobs[BATCH];
    palitra_token tokens[BATCH];
    palitra_reply replies[BATCH];
    if (turn++ % BATCH != 0) return;
    for (size_t i = 0; i < BATCH; i++) jobs[i] = (palitra_submission){"palitra.echo", (const uint8_t *)"x", 1, i};
    CHECK_STATUS(PALITRA_OK, palitra_runner_submit_many(runner, jobs, BATCH, NULL, tokens, NULL));
    CHECK_STATUS(PALITRA_OK, palitra_runner_gather(runner, tokens, BATCH, 0, PALITRA_FOREVER, replies));
    for (size_t i = 0; i < BATCH; i++) palitra_reply_free(&replies[i]);
    for (size_t i = 0; i < BATCH; i++) palitra_token_free(tokens[i]);
}

static void events_of_a_queue(void) {
    palitra_submit_options options;
    palitra_event event;
    size_t n = 0;
    palitra_submit_options_init(&options);
    options.queue = queue;
    CHECK_STATUS(PALITRA_OK, palitra_runner_submit(runner, "palitra.echo", "x", 1, &options, &event.token));
    CHECK_STATUS(PALITRA_OK, palitra_queue_next(queue, PALITRA_FOREVER, &event, 1, &n));
    palitra_token_free(event.token);
}

static void looks_into_an_empty_queue(void) {
    palitra_event event;
    CHECK_STATUS(PALITRA_PENDING, palitra_queue_next(queue, 0, &event, 1, NULL));
}

static void queues_with_a_descriptor(void) {
    palitra_queue own = {0};
    CHECK_STATUS(PALITRA_OK, palitra_queue_new(&own));
    CHECK(palitra_queue_fd(own) >= 0);
    palitra_queue_free(own);
}

static void count_freed(void *data) {
    atomic_fetch_add(&freed_data, 1);
    free(data);
}

static void ignore(palitra_token token, palitra_status status, void *data) { (void)token, (void)status, (void)data; }

static void callbacks(void) {
    long before = atomic_load(&freed_data);
    palitra_token token = submit(runner, "palitra.echo", "x");
    CHECK_STATUS(PALITRA_OK, palitra_token_on_complete(token, ignore, malloc(100), count_freed));
    CHECK_STATUS(PALITRA_OK, palitra_token_on_ready(token, 0, ignore, malloc(100), count_freed));
    end(token, PALITRA_OK);
    while (atomic_load(&freed_data) != before + 2) sched_yield();
}

static void items_of_streams(void) {
    palitra_reply item;
    static palitra_token token;
    if (token.id == 0) token = submit(runner, "test.stream", "{\"items\": 1000}");
    palitra_status status = palitra_token_next(token, PALITRA_FOREVER, &item);
    palitra_reply_free(&item);
    if (status == PALITRA_OK) return;
    CHECK_STATUS(PALITRA_END, status);
    palitra_token_free(token);
    token.id = 0;
}

static void answer(palitra_call call, const void *data, size_t len, void *unused) {
    (void)unused;
    CHECK_STATUS(PALITRA_OK, palitra_call_complete(call, PALITRA_OK, 0, PALITRA_BYTES, data, len));
    palitra_call_free(call);
}

static void jobs_of_the_host(void) { end(submit(runner, "host.answer", "hello"), PALITRA_OK); }

static void calls_with_bad_handles(void) {
    palitra_token forged = {0x123456789abcdefULL};
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_token_poll(forged, NULL));
    CHECK_STATUS(PALITRA_UNKNOWN_JOB, run(runner, "no.such.job", "", 0, NULL));
}

static void statistics(void) {
    palitra_stats stats;
    palitra_stats_init(&stats);
    CHECK_STATUS(PALITRA_OK, palitra_runner_stats(runner, &stats));
}

static void descriptions(void) {
    palitra_reply reply;
    CHECK_STATUS(PALITRA_OK, palitra_job_describe("palitra.echo", &reply));
    palitra_reply_free(&reply);
}

static void runners_one_after_the_other(void) {
    palitra_runner own = new_runner();
    check_echo(own);
    palitra_runner_free(own);
}

static void runners_fifty_at_a_time(void) {
    static palitra_runner many[50];
    static unsigned turn;
    palitra_runner_free(many[turn % 50]);
    many[turn % 50] = new_runner();
    if (++turn % 50 != 0) return;
    for (size_t i = 0; i < 50; i++) check_echo(many[i]);
    for (size_t i = 0; i < 50; i++) palitra_runner_free(many[i]);
}

/* ---- the table -------------------------------------------------------------------------------------- */

static const struct path {
    const char *title;
    void (*operation)(void);
    /* One in so many of the operations: for those that cost so many times as much. */
    long fewer;
} paths[] = {
    {"run", runs, 1},
    {"run within a timeout", runs_within_a_timeout, 1},
    {"submit and wait", submits_and_waits, 1},
    {"start", starts, 1},
    {"jobs that fail", jobs_that_fail, 1},
    {"payloads refused", payloads_that_are_refused, 1},
    {"cancels", cancels, 1},
    {"deadlines", deadlines, 1},
    {"tokens freed at once", tokens_that_are_freed_at_once, 1},
    {"submit_many and gather", batches_that_are_gathered, 1},
    {"events of a queue", events_of_a_queue, 1},
    {"looks at an empty queue", looks_into_an_empty_queue, 1},
    {"queues with descriptor", queues_with_a_descriptor, 1},
    {"callbacks", callbacks, 1},
    {"items of streams", items_of_streams, 1},
    {"jobs of the host", jobs_of_the_host, 1},
    {"calls refused", calls_with_bad_handles, 1},
    {"statistics", statistics, 1},
    {"descriptions", descriptions, 1},
    {"runners in turn", runners_one_after_the_other, 100},
    {"runners, 50 at a time", runners_fifty_at_a_time, 100},
};

static void repeat(const struct path *path, long times) {
    for (long i = 0; i < times; i++) path->operation();
}

/* Whether nothing was left. */
static int measure(const struct path *path, long operations) {
    operations = operations / path->fewer < 100 ? 100 : operations / path->fewer;
    repeat(path, operations < 1000 ? 100 : operations / 10 / 50 * 50);
    int threads = threads_now(), descriptors = descriptors_now();
    long before = memory_at_rest();
    double start = now();
    repeat(path, operations / 50 * 50);
    double each = (now() - start) / (double)operations;
    long after = memory_at_rest();
    for (int i = 0; i < 1000 && threads_now() > threads; i++) pause_for(0.01);
    int is_flat = after - before < MORE_MEMORY && threads_now() <= threads && descriptors_now() <= descriptors;
    printf("%-24s %9ld operations %9.0f ns each %8ld KiB before %8ld after %4d threads %4d descriptors%s\n",
           path->title, operations, each * 1e9, before >> 10, after >> 10, threads_now() - threads,
           descriptors_now() - descriptors, is_flat ? "" : "  NOT FLAT");
    fflush(stdout);
    return is_flat;
}

static int is_flat_in_a_trial(const struct path *path, long operations) {
    for (int trial = 0; trial < 3; trial++)
        if (measure(path, operations)) return 1;
    return 0;
}

int main(int argc, char **argv) {
    long operations = argc > 1 ? atol(argv[1]) : 1000000;
    const char *only = argc > 2 ? argv[2] : "";
    palitra_job_info info = named("host.answer");
    int is_flat = 1;
    running_test = "flat";
    runner = new_runner();
    CHECK_STATUS(PALITRA_OK, palitra_queue_new(&queue));
    CHECK_STATUS(PALITRA_OK, palitra_runner_register(runner, &info, answer, NULL, NULL));
    for (size_t i = 0; i < LENGTH(paths); i++)
        if (strncmp(paths[i].title, only, strlen(only)) == 0) is_flat &= is_flat_in_a_trial(&paths[i], operations);
    palitra_queue_free(queue);
    palitra_runner_free(runner);
    return !is_flat;
}
