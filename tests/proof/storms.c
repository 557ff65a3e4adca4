/* make storms: many host threads do everything at once to a runner that another thread shuts down and makes anew, while
 * signals rain and children are forked.
 *
 *     storms [ROUNDS]     so many runners, one after the other; 10,000
 *
 * At the end the counts add up: every job that was accepted has ended once, every call of the program's own job was
 * answered once, every callback's data was freed once. Threads, descriptors and memory are what they were after the
 * first tenth of the rounds. The library prints nothing but the panics that jobs were asked for.
 *
 * Promise 1: a token finishes exactly once.
 * Promise 6: callbacks run once.
 * Promise 8: a shutdown ends everything within its bound.
 * Promise 10: the host's process stays as it is.
 */
#include "masks.h"
#include "memory.h"
#include "registered.h"

#include <sys/time.h>

enum { THREADS = 16, JOBS = 6, ALL_ROUNDS = 10000 };

/* How much more memory the end may have than the tenth of the way, in bytes: the allocator's own, as sixteen threads
 * have arenas that fill and empty. */
#define MORE_MEMORY (24L << 20)

static const char *const jobs[][2] = {
    {"palitra.echo", "hello"},
    {"palitra.sleep", "{\"seconds\": 0.0005}"},
    {"palitra.sleep", "{\"seconds\": 30}"},
    {"test.never", ""},
    {"test.panic", "as the storm asked"},
    {"test.fail", "{\"code\": 3, \"message\": \"as asked\"}"},
    {"test.spawn_blocking", "{\"seconds\": 0.0001}"},
    {"test.nested", "inside"},
    {"host.storm", "to the program"},
};

/* What is counted, all over. */
static struct {
    atomic_long accepted, finished, registered, called_back, freed, calls, answers;
    atomic_long pending;
    atomic_long alarms, profiles, children, elsewhere;
} count;

static _Atomic uint64_t current;
static atomic_int is_over;
static palitra_queue queue;
static _Thread_local int is_the_hosts;

static palitra_runner current_runner(void) { return (palitra_runner){atomic_load(&current)}; }

static unsigned next_random(unsigned *state) { return (*state = *state * 1664525u + 1013904223u) >> 16; }

/* ---- signals ---------------------------------------------------------------------------------------- */

static void handle(int number) {
    atomic_fetch_add(number == SIGALRM ? &count.alarms : number == SIGPROF ? &count.profiles : &count.children, 1);
    /* Profilers count every thread, so SIGPROF is blocked nowhere. */
    if (number != SIGPROF && !is_the_hosts) atomic_fetch_add(&count.elsewhere, 1);
}

static void let_it_rain(long microseconds) {
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
    struct itimerval every = {{0, microseconds}, {0, microseconds}};
    CHECK(sigaction(SIGALRM, &action, NULL) == 0 && sigaction(SIGPROF, &action, NULL) == 0);
    CHECK(sigaction(SIGCHLD, &action, NULL) == 0);
    CHECK(setitimer(ITIMER_REAL, &every, NULL) == 0 && setitimer(ITIMER_PROF, &every, NULL) == 0);
}

/* Threads of the program's begin with the signals blocked: until here nobody knows whose they are. */
static void be_the_hosts(void) {
    is_the_hosts = 1;
    mask_of_this_thread(SIG_UNBLOCK, SIGALRM, SIGCHLD);
}

/* ---- what the threads do ---------------------------------------------------------------------------- */

static void free_data(void *data) {
    atomic_fetch_add(&count.freed, 1);
    free(data);
}

static void called_back(palitra_token token, palitra_status status, void *data) {
    (void)token, (void)status, (void)data;
    atomic_fetch_add(&count.called_back, 1);
}

static void answer(palitra_call call, const void *data, size_t len, void *unused) {
    (void)unused;
    atomic_fetch_add(&count.calls, 1);
    palitra_status status = palitra_call_complete(call, PALITRA_OK, 0, PALITRA_TEXT, data, len);
    CHECK(status == PALITRA_OK || status == PALITRA_CANCELLED);
    CHECK_STATUS(PALITRA_END,
                 status == PALITRA_OK ? palitra_call_complete(call, PALITRA_OK, 0, 0, NULL, 0) : PALITRA_END);
    palitra_call_free(call);
    atomic_fetch_add(&count.answers, 1);
}

/* Everything that may come of a job or a call while its runner is shut down and freed, and another takes its place: to
 * that one the tokens are another's. */
static void check_ending(const char *call, palitra_status status) {
    static const palitra_status allowed[] = {
        PALITRA_OK,       PALITRA_PENDING,   PALITRA_JOB_FAILED,     PALITRA_JOB_PANICKED, PALITRA_CANCELLED,
        PALITRA_DEADLINE, PALITRA_SHUT_DOWN, PALITRA_INVALID_HANDLE, PALITRA_UNKNOWN_JOB,  PALITRA_INVALID_ARGUMENT};
    for (size_t i = 0; i < LENGTH(allowed); i++)
        if (status == allowed[i]) return;
    fprintf(stderr, "%s: %s", call, palitra_status_name(status));
    fail(__FILE__, __LINE__);
}

static size_t submit_some(palitra_token *tokens, unsigned *random) {
    size_t accepted = 0;
    for (int i = 0; i < JOBS; i++) {
        const char *const *job = jobs[next_random(random) % LENGTH(jobs)];
        palitra_submit_options options;
        palitra_submit_options_init(&options);
        options.queue = queue;
        if (next_random(random) % 4 == 0) options.deadline_ns = SECONDS(0.001);
        palitra_token *token = &tokens[accepted];
        check_ending("submit",
                     palitra_runner_submit(current_runner(), job[0], job[1], strlen(job[1]), &options, token));
        if (token->id == 0) continue;
        accepted++;
        atomic_fetch_add(&count.accepted, 1);
        if (next_random(random) % 3 != 0) continue;
        atomic_fetch_add(&count.registered, 1);
        check_ending("on_complete", palitra_token_on_complete(*token, called_back, malloc(16), free_data));
    }
    return accepted;
}

static void wait_for_some(const palitra_token *tokens, size_t n, unsigned *random) {
    palitra_reply replies[JOBS];
    palitra_runner runner = current_runner();
    switch (next_random(random) % 5) {
    case 0:
        check_ending("gather", palitra_runner_gather(runner, tokens, n, PALITRA_FAIL_FAST, SECONDS(0.002), replies));
        for (size_t i = 0; i < n; i++) palitra_reply_free(&replies[i]);
        break;
    case 1: check_ending("wait_any", palitra_runner_wait_any(runner, tokens, n, SECONDS(0.002), NULL)); break;
    case 2:
        for (size_t i = 0; i < n; i++) check_ending("cancel", palitra_token_cancel(tokens[i]));
        for (size_t i = 0; i < n; i++) check_ending("wait", palitra_token_wait(tokens[i], PALITRA_FOREVER, NULL));
        break;
    case 3: check_ending("run", run(runner, "host.storm", "ran", SECONDS(0.002), NULL)); break;
    default: check_ending("poll", palitra_token_poll(tokens[0], NULL));
    }
}

static void *be_busy(void *seed) {
    unsigned random = *(unsigned *)seed;
    be_the_hosts();
    while (!atomic_load(&is_over)) {
        palitra_token tokens[JOBS] = {{0}};
        size_t accepted = submit_some(tokens, &random);
        if (accepted > 0) wait_for_some(tokens, accepted, &random);
        else pause_for(0.0001);
        for (size_t i = 0; i < accepted; i++) palitra_token_free(tokens[i]);
    }
    return NULL;
}

static pthread_t start_busy(unsigned *seed, unsigned number) {
    *seed = number + 1;
    return start_thread(be_busy, seed);
}

/* Every accepted job is an event, once. */
static void *drain(void *unused) {
    palitra_event events[64];
    size_t n = 0;
    be_the_hosts();
    while (palitra_queue_next(queue, PALITRA_FOREVER, events, LENGTH(events), &n) == PALITRA_OK)
        atomic_fetch_add(&count.finished, (long)n);
    return unused;
}

/* How late the system was at most with a thread that wanted the processor, in seconds. */
static double latest;

static void *fork_children(void *unused) {
    be_the_hosts();
    while (!atomic_load(&is_over)) {
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) _exit(palitra_runner_is_alive(current_runner()) ? 1 : 0);
        int ending = 0;
        while (waitpid(child, &ending, 0) < 0) CHECK_NUMBER(EINTR, errno);
        CHECK_NUMBER(0, ending);
        double start = now();
        pause_for(0.005);
        if (now() - start - 0.005 > latest) latest = now() - start - 0.005;
    }
    return unused;
}

/* ---- the storm -------------------------------------------------------------------------------------- */

static palitra_runner anew(long round) {
    palitra_runner runner = runner_with_workers(round % 4 == 0 ? 2 : 0);
    palitra_job_info info = named("host.storm");
    CHECK_STATUS(PALITRA_OK, palitra_runner_register(runner, &info, answer, NULL, NULL));
    atomic_store(&current, runner.id);
    return runner;
}

/* Returns what memory there was after a tenth of the rounds. */
static long shut_down_and_make_anew(long rounds, double *longest) {
    long memory = 0;
    palitra_runner runner = anew(0);
    for (long round = 1; round <= rounds; round++) {
        pause_for(0.0002 * (double)(round % 8));
        double start = now();
        palitra_status status = palitra_runner_shutdown(runner, round % 2 ? 0 : SECONDS(0.001));
        if (now() - start > *longest) *longest = now() - start;
        /* No job blocks its thread, but another program may have the processor for longer than the fixed second. */
        for (; status == PALITRA_PENDING; count.pending++) status = palitra_runner_shutdown(runner, 0);
        CHECK_STATUS(PALITRA_OK, status);
        palitra_runner before = runner;
        runner = anew(round);
        palitra_runner_free(before);
        if (round == (rounds + 9) / 10) memory = memory_now();
    }
    atomic_store(&is_over, 1);
    palitra_runner_free(runner);
    return memory;
}

static void check_counts(long rounds, double longest) {
    printf("%ld runners; %ld jobs accepted, %ld finished; %ld calls, %ld answered; %ld callbacks, %ld ran, %ld freed\n",
           rounds + 1, count.accepted, count.finished, count.calls, count.answers, count.registered, count.called_back,
           count.freed);
    printf("%ld SIGALRM, %ld SIGPROF, %ld SIGCHLD; the longest shutdown took %.3f s, %ld returned PENDING\n",
           count.alarms, count.profiles, count.children, longest, count.pending);
    printf("the system was %.3f s late at most with another thread\n", latest);
    /* The bound is a second, and what the system makes of that: a shutdown hands over several times. */
    CHECK(longest < 2 + 10 * latest);
    CHECK(count.accepted > rounds && count.alarms > 0 && count.profiles > 0 && count.children > 0);
    CHECK_NUMBER(count.accepted, count.finished);
    CHECK_NUMBER(count.calls, count.answers);
    CHECK_NUMBER(count.registered, count.freed);
    CHECK(count.called_back <= count.registered && count.called_back > 0);
    CHECK_NUMBER(0, count.elsewhere);
}

int main(int argc, char **argv) {
    long rounds = argc > 1 ? atol(argv[1]) : ALL_ROUNDS;
    pthread_t threads[THREADS], drains, forks;
    unsigned seeds[THREADS];
    double longest = 0, start = now();
    running_test = "storms";
    int descriptors = descriptors_now();
    mask_of_this_thread(SIG_BLOCK, SIGALRM, SIGCHLD);
    CHECK_STATUS(PALITRA_OK, palitra_queue_new(&queue));
    for (unsigned i = 0; i < THREADS; i++) threads[i] = start_busy(&seeds[i], i);
    drains = start_thread(drain, NULL);
    forks = start_thread(fork_children, NULL);
    be_the_hosts();
    let_it_rain(2000);
    long memory = shut_down_and_make_anew(rounds, &longest);
    for (size_t i = 0; i < THREADS; i++) join_thread(threads[i]);
    join_thread(forks);
    palitra_queue_close(queue);
    join_thread(drains);
    palitra_queue_free(queue);
    let_it_rain(0);
    EVENTUALLY(threads_now() == 1);
    CHECK_NUMBER(descriptors, descriptors_now());
    check_counts(rounds, longest);
    printf("1 thread and %d descriptors as before; %ld KiB, %ld KiB after a tenth; %.0f s\n", descriptors,
           memory_now() >> 10, memory >> 10, now() - start);
    CHECK(memory_now() - memory < MORE_MEMORY);
    return 0;
}
