/* Several threads do everything at once to a runner that another thread shuts down and makes anew, round after round.
 * Every wait ends within its bound and nothing is printed.
 *
 * Promise 1: a token finishes exactly once.
 * Promise 8: a shutdown ends everything within its bound.
 */
#include "test.h"

#define THREADS 4
#define ROUNDS 60
#define JOBS 8

/* The longest that one bounded call may take. */
#define BOUND 10.0

static const char *const payloads[][2] = {
    {"palitra.echo", "hello"},
    {"palitra.sleep", "{\"seconds\": 0.0005}"},
    {"palitra.sleep", "{\"seconds\": 30}"},
    {"test.spin_and_sleep", "{\"spin\": 0.002, \"sleep\": 0.0005}"},
    {"test.never", ""},
    {"test.ready", ""},
    {"test.nested", "inside"},
    {"test.fail", "{\"code\": 3, \"message\": \"as asked\"}"},
    {"test.spawn_blocking", "{\"seconds\": 0.0005}"},
};

static uint64_t current;
static int over;

static palitra_runner current_runner(void) {
    palitra_runner runner = {__atomic_load_n(&current, __ATOMIC_SEQ_CST)};
    return runner;
}

/* Every outcome that a job or a call may have while its runner is shut down and freed. */
static void check_ending(const char *call, palitra_status status) {
    switch (status) {
    case PALITRA_OK:
    case PALITRA_PENDING:
    case PALITRA_JOB_FAILED:
    case PALITRA_CANCELLED:
    case PALITRA_DEADLINE:
    case PALITRA_INVALID_HANDLE:
    case PALITRA_SHUT_DOWN: return;
    default: fprintf(stderr, "%s: %s", call, palitra_status_name(status)); fail(__FILE__, __LINE__);
    }
}

static void check_in_time(const char *call, double start) {
    if (now() - start < BOUND * slowness()) return;
    fprintf(stderr, "%s took %.3f s", call, now() - start);
    fail(__FILE__, __LINE__);
}

static unsigned next_random(unsigned *state) { return (*state = *state * 1664525u + 1013904223u) >> 16; }

static void run_one(unsigned *random) {
    const char *const *job = payloads[next_random(random) % LENGTH(payloads)];
    palitra_reply reply;
    /* Those that never end by themselves are given a timeout, or left to the shutdown. */
    int64_t timeout = next_random(random) % 2 ? SECONDS(0.002) : PALITRA_FOREVER;
    double start = now();
    palitra_status status = run(current_runner(), job[0], job[1], timeout, &reply);
    check_in_time("run", start);
    check_ending(job[0], status);
    palitra_reply_free(&reply);
}

static size_t submit_some(palitra_runner runner, palitra_token *tokens, unsigned *random) {
    size_t count = 0;
    for (int i = 0; i < JOBS; i++) {
        const char *const *job = payloads[next_random(random) % LENGTH(payloads)];
        palitra_submit_options options;
        palitra_reply ended;
        palitra_submit_options_init(&options);
        if (next_random(random) % 4 == 0) options.deadline_ns = SECONDS(0.001);
        palitra_status status =
            next_random(random) % 2
                ? palitra_runner_submit(runner, job[0], job[1], strlen(job[1]), &options, &tokens[count])
                : palitra_runner_start(runner, job[0], job[1], strlen(job[1]), &options, &tokens[count], &ended);
        check_ending("submit", status);
        if (tokens[count].id != 0) count++;
    }
    return count;
}

static void wait_for_some(palitra_runner runner, const palitra_token *tokens, size_t count, unsigned *random) {
    palitra_reply replies[JOBS];
    size_t first = 0;
    double start = now();
    switch (next_random(random) % 4) {
    case 0:
        check_ending("gather",
                     palitra_runner_gather(runner, tokens, count, PALITRA_FAIL_FAST, SECONDS(0.005), replies));
        for (size_t i = 0; i < count; i++) palitra_reply_free(&replies[i]);
        break;
    case 1: check_ending("wait_any", palitra_runner_wait_any(runner, tokens, count, SECONDS(0.005), &first)); break;
    case 2:
        for (size_t i = 0; i < count; i++) check_ending("cancel", palitra_token_cancel(tokens[i]));
        for (size_t i = 0; i < count; i++)
            check_ending("wait", palitra_runner_wait(runner, tokens[i], SECONDS(BOUND), NULL));
        break;
    default: check_ending("wait", palitra_runner_wait(runner, tokens[0], SECONDS(0.002), NULL)); break;
    }
    check_in_time("a wait", start);
}

static void *be_busy(void *seed) {
    unsigned random = *(unsigned *)seed;
    while (!__atomic_load_n(&over, __ATOMIC_SEQ_CST)) {
        palitra_token tokens[JOBS] = {{0}};
        run_one(&random);
        palitra_runner runner = current_runner();
        size_t count = submit_some(runner, tokens, &random);
        if (count > 0) wait_for_some(runner, tokens, count, &random);
        for (size_t i = 0; i < count; i++) palitra_token_free(tokens[i]);
    }
    return NULL;
}

static palitra_runner anew(int round) {
    palitra_runner runner = runner_with_workers(round % 3 == 0 ? 2 : 0);
    __atomic_store_n(&current, runner.id, __ATOMIC_SEQ_CST);
    return runner;
}

static void storm(void *unused) {
    (void)unused;
    pthread_t threads[THREADS];
    unsigned seeds[THREADS];
    palitra_runner runner = anew(0);
    for (unsigned i = 0; i < THREADS; i++) {
        seeds[i] = i + 1;
        threads[i] = start_thread(be_busy, &seeds[i]);
    }
    for (int round = 1; round <= ROUNDS; round++) {
        pause_for(0.01);
        double start = now();
        /* No job blocks its thread, so nothing is left behind. */
        CHECK_STATUS(PALITRA_OK, shutdown_runner(runner, round % 2 ? 0 : SECONDS(0.005)));
        check_in_time("shutdown", start);
        palitra_runner before = runner;
        runner = anew(round);
        palitra_runner_free(before);
    }
    __atomic_store_n(&over, 1, __ATOMIC_SEQ_CST);
    palitra_runner_free(runner);
    for (unsigned i = 0; i < THREADS; i++) join_thread(threads[i]);
}

static void every_wait_ends_and_nothing_is_printed(void) {
    char text[2000] = {0};
    int real = dup(STDERR_FILENO);
    FILE *written = tmpfile();
    CHECK(real >= 0 && written != NULL);
    fflush(stderr);
    CHECK(dup2(fileno(written), STDERR_FILENO) >= 0);
    /* In a child: so that what a failed check or an exit prints is caught and shown, too. */
    int ending = in_child(storm, NULL);
    CHECK(dup2(real, STDERR_FILENO) >= 0);
    if (pread(fileno(written), text, sizeof text - 1, 0) < 0) text[0] = 0;
    fputs(text, stderr);
    CHECK_EXIT(0, ending);
    CHECK_NUMBER(0, strlen(text));
}

int main(void) {
    TEST(every_wait_ends_and_nothing_is_printed);
    return 0;
}
