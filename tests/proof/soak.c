/* make soak: mixed load for a long time, as a table with a line for each part of it.
 *
 *     soak [MINUTES]     so long; 60
 *
 * Eight threads of the program run, submit, wait, gather, stream, cancel and answer jobs of their own, on one runner
 * with workers and one without; one more makes and frees runners, and forks. A line has the operations of its part, the
 * latency of `run` of a job that sleeps a millisecond and of a ready one as percentiles, memory, threads and
 * descriptors. The first and the last part differ by no thread and no descriptor, and by little memory.
 */
#include "memory.h"
#include "registered.h"

enum { THREADS = 8, PARTS = 20, SAMPLES = 1 << 16 };

/* What sixteen threads' arenas and the samples may add between the first part and the last. */
#define MORE_MEMORY (16L << 20)

static palitra_runner runners[2];
static atomic_int is_over;
static atomic_long operations, failures;

/* The latencies of the part that is going on, in nanoseconds. */
static struct samples {
    _Atomic uint32_t taken[SAMPLES];
    atomic_uint n;
} ready, pending;

static void sample(struct samples *samples, double start) {
    unsigned place = atomic_fetch_add(&samples->n, 1);
    if (place < SAMPLES) atomic_store(&samples->taken[place], (uint32_t)((now() - start) * 1e9));
}

static void expect(palitra_status expected, palitra_status seen) {
    atomic_fetch_add(&operations, 1);
    if (seen == expected) return;
    atomic_fetch_add(&failures, 1);
    fprintf(stderr, "expected %s, saw %s\n", palitra_status_name(expected), palitra_status_name(seen));
}

static void run_and_sample(palitra_runner runner, const char *job, const char *payload, struct samples *samples) {
    palitra_reply reply;
    double start = now();
    expect(PALITRA_OK, run(runner, job, payload, PALITRA_FOREVER, &reply));
    sample(samples, start);
    palitra_reply_free(&reply);
}

static void gather_some(palitra_runner runner) {
    palitra_token tokens[20];
    palitra_reply replies[20];
    for (size_t i = 0; i < LENGTH(tokens); i++) tokens[i] = submit(runner, i % 2 ? "palitra.echo" : "host.answer", "x");
    expect(PALITRA_OK, palitra_runner_gather(runner, tokens, LENGTH(tokens), 0, SECONDS(60), replies));
    for (size_t i = 0; i < LENGTH(tokens); i++) palitra_reply_free(&replies[i]);
    for (size_t i = 0; i < LENGTH(tokens); i++) palitra_token_free(tokens[i]);
}

static void stream_some(palitra_runner runner) {
    palitra_token token = submit(runner, "test.stream", "{\"items\": 20}");
    palitra_reply item;
    palitra_status status = PALITRA_OK;
    while (status == PALITRA_OK) {
        status = palitra_token_next(token, SECONDS(60), &item);
        palitra_reply_free(&item);
    }
    expect(PALITRA_END, status);
    palitra_token_free(token);
}

static void cancel_one(palitra_runner runner) {
    palitra_token token = submit(runner, "palitra.sleep", "{\"seconds\": 1000}");
    expect(PALITRA_OK, palitra_token_cancel(token));
    expect(PALITRA_CANCELLED, palitra_token_wait(token, SECONDS(60), NULL));
    palitra_token_free(token);
}

static void *be_busy(void *number) {
    for (unsigned turn = 0; !atomic_load(&is_over); turn++) {
        palitra_runner runner = runners[(turn + (unsigned)(size_t)number) % 2];
        run_and_sample(runner, "palitra.echo", "hello", &ready);
        run_and_sample(runner, "palitra.sleep", "{\"seconds\": 0.001}", &pending);
        gather_some(runner);
        stream_some(runner);
        cancel_one(runner);
        pause_for(0.001);
    }
    return NULL;
}

static void use_in_child(void *unused) {
    palitra_runner runner = {0};
    (void)unused;
    CHECK_STATUS(PALITRA_FORKED, palitra_runner_shutdown(runners[0], 0));
    CHECK_STATUS(PALITRA_OK, palitra_runner_global(&runner));
    check_echo(runner);
}

static void *make_and_fork(void *unused) {
    while (!atomic_load(&is_over)) {
        palitra_runner own = new_runner();
        check_echo(own);
        palitra_runner_free(own);
        if (in_child(use_in_child, NULL) != 0) atomic_fetch_add(&failures, 1);
        atomic_fetch_add(&operations, 2);
        pause_for(0.5);
    }
    return unused;
}

/* ---- the table -------------------------------------------------------------------------------------- */

static int compare(const void *one, const void *other) {
    uint32_t a = *(const uint32_t *)one, b = *(const uint32_t *)other;
    return (a > b) - (a < b);
}

/* Prints the median, the 99th and the 99.9th of a hundred and the longest in microseconds, and begins anew. */
static void print_percentiles(struct samples *samples) {
    static uint32_t sorted[SAMPLES];
    unsigned n = atomic_exchange(&samples->n, 0);
    if (n > SAMPLES) n = SAMPLES;
    CHECK(n > 0);
    for (unsigned i = 0; i < n; i++) sorted[i] = atomic_load(&samples->taken[i]);
    qsort(sorted, n, sizeof sorted[0], compare);
    size_t places[] = {n / 2, (size_t)n * 99 / 100, (size_t)n * 999 / 1000, n - 1};
    for (unsigned i = 0; i < LENGTH(places); i++) printf(" %8.1f", sorted[places[i]] / 1e3);
    printf(" |");
}

static void answer(palitra_call call, const void *data, size_t len, void *unused) {
    (void)unused;
    palitra_call_complete(call, PALITRA_OK, 0, PALITRA_BYTES, data, len);
    palitra_call_free(call);
}

static void begin(void) {
    palitra_job_info info = named("host.answer");
    for (uint32_t i = 0; i < LENGTH(runners); i++) {
        runners[i] = runner_with_workers(2 * i);
        CHECK_STATUS(PALITRA_OK, palitra_runner_register(runners[i], &info, answer, NULL, NULL));
    }
}

int main(int argc, char **argv) {
    double seconds = (argc > 1 ? atof(argv[1]) : 60) * 60 / PARTS;
    pthread_t threads[THREADS + 1];
    long first = 0, last = 0;
    running_test = "soak";
    begin();
    for (size_t i = 0; i < THREADS; i++) threads[i] = start_thread(be_busy, (void *)i);
    threads[THREADS] = start_thread(make_and_fork, NULL);
    printf(
        "  minute operations |  ready job: 50, 99, 99.9 %%, longest, us |    sleep of 1 ms                          |"
        "    KiB threads\n");
    for (int part = 1; part <= PARTS; part++) {
        pause_for(seconds);
        printf("%8.2f %10ld |", part * seconds / 60, atomic_exchange(&operations, 0));
        print_percentiles(&ready);
        print_percentiles(&pending);
        last = memory_now();
        printf(" %6ld %7d\n", last >> 10, threads_now());
        fflush(stdout);
        if (part == 2) first = last;
    }
    atomic_store(&is_over, 1);
    for (size_t i = 0; i < LENGTH(threads); i++) join_thread(threads[i]);
    for (size_t i = 0; i < LENGTH(runners); i++) palitra_runner_free(runners[i]);
    EVENTUALLY(threads_now() == 1);
    printf("%ld failures; %ld KiB more memory at the end than in the second part\n", failures, (last - first) >> 10);
    CHECK_NUMBER(0, failures);
    CHECK(last - first < MORE_MEMORY);
    return 0;
}
