/* Inline polls on threads with little stack: where the stack is too small, the runner's thread polls the job.
 *
 * Promise 2: a job that is ready at once costs no hand-off.
 */
#include "test.h"

#include <limits.h>
#include <sys/mman.h>

#define GUARD 65536u

static palitra_runner runner;

struct call {
    const char *job;
    const char *payload;
    bool starts; /* instead of running to the end */
    palitra_status status;
};

static void *make_call(void *argument) {
    struct call *call = argument;
    size_t length = strlen(call->payload);
    palitra_token token = {0};
    if (call->starts) {
        call->status = palitra_runner_start(runner, call->job, call->payload, length, NULL, &token, NULL);
        palitra_token_free(token);
    } else {
        call->status = palitra_runner_run(runner, call->job, call->payload, length, PALITRA_FOREVER, NULL);
    }
    return NULL;
}

/* Calls on a thread with exactly that stack: the C library may reuse a larger one. */
static void call_on(size_t size, void *(*function)(void *), void *argument) {
    pthread_attr_t attributes;
    pthread_t thread;
    char *memory = mmap(NULL, GUARD + size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != MAP_FAILED);
    CHECK_NUMBER(0, mprotect(memory, GUARD, PROT_NONE));
    CHECK_NUMBER(0, pthread_attr_init(&attributes));
    CHECK_NUMBER(0, pthread_attr_setstack(&attributes, memory + GUARD, size));
    CHECK_NUMBER(0, pthread_create(&thread, &attributes, function, argument));
    join_thread(thread);
    CHECK_NUMBER(0, pthread_attr_destroy(&attributes));
    CHECK_NUMBER(0, munmap(memory, GUARD + size));
}

static palitra_status call_with(size_t stack, const char *job, const char *payload, bool starts) {
    struct call call = {job, payload, starts, PALITRA_INTERNAL};
    call_on(stack, make_call, &call);
    return call.status;
}

/* The smallest that the system allows, and sizes around the one from which on a job is polled inline. */
static const size_t sizes[] = {16 << 10, 24 << 10, 32 << 10, 48 << 10, 60 << 10,
                               64 << 10, 72 << 10, 96 << 10, 128 << 10};

static void a_job_that_needs_much_stack_runs_on_a_thread_with_little(void) {
    for (size_t i = 0; i < LENGTH(sizes); i++) {
        if (sizes[i] < (size_t)PTHREAD_STACK_MIN * slowness()) continue; /* valgrind has needs of its own */
        CHECK_STATUS(PALITRA_OK, call_with(sizes[i], "test.stack", "{\"bytes\":49152}", false));
        CHECK_STATUS(PALITRA_OK, call_with(sizes[i], "palitra.echo", "hello", false));
    }
}

static void a_job_is_polled_where_the_stack_suffices_and_submitted_where_not(void) {
    CHECK_STATUS(PALITRA_OK, call_with(1 << 20, "palitra.echo", "hello", true));
    CHECK_STATUS(PALITRA_OK, call_with(160 << 10, "palitra.echo", "hello", true));
    CHECK_STATUS(PALITRA_PENDING, call_with(64 << 10, "palitra.echo", "hello", true));
}

static palitra_status deep_start(size_t bytes) {
    volatile char frame[1024];
    frame[0] = (char)bytes;
    if (bytes > sizeof frame) {
        palitra_status status = deep_start(bytes - sizeof frame);
        return frame[0] == (char)bytes ? status : PALITRA_INTERNAL;
    }
    return palitra_runner_start(runner, "palitra.echo", "hello", 5, NULL, NULL, NULL);
}

static void *start_high_and_low(void *unused) {
    (void)unused;
    CHECK_STATUS(PALITRA_OK, deep_start(0));
    CHECK_STATUS(PALITRA_PENDING, deep_start((256 - 48) << 10));
    CHECK_STATUS(PALITRA_OK, deep_start(0));
    return NULL;
}

static void what_is_left_of_the_stack_counts(void) { call_on(256 << 10, start_high_and_low, NULL); }

static void a_process_polls_on_its_first_thread(void) {
    CHECK_STATUS(PALITRA_OK, palitra_runner_start(runner, "palitra.echo", "hello", 5, NULL, NULL, NULL));
}

static volatile palitra_status seen;

static void start_in_handler(int signal_number) {
    (void)signal_number;
    seen = palitra_runner_start(runner, "palitra.echo", "hello", 5, NULL, NULL, NULL);
}

/* Raised where the thread holds no lock, so the handler may call the library. */
static void a_stack_that_is_not_the_threads_own_is_used_as_it_is(void) {
    static char alternate[256 << 10];
    stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate}, old;
    struct sigaction action = {.sa_handler = start_in_handler, .sa_flags = SA_ONSTACK};
    CHECK_NUMBER(0, sigaltstack(&stack, &old));
    CHECK_NUMBER(0, sigaction(SIGUSR1, &action, NULL));
    seen = PALITRA_INTERNAL;
    CHECK_NUMBER(0, raise(SIGUSR1));
    CHECK_STATUS(PALITRA_OK, seen);
    CHECK_NUMBER(0, sigaltstack(&old, NULL));
}

int main(void) {
    runner = new_runner();
    TEST(a_job_that_needs_much_stack_runs_on_a_thread_with_little);
    TEST(a_job_is_polled_where_the_stack_suffices_and_submitted_where_not);
    TEST(what_is_left_of_the_stack_counts);
    TEST(a_process_polls_on_its_first_thread);
    TEST(a_stack_that_is_not_the_threads_own_is_used_as_it_is);
    palitra_runner_free(runner);
    return 0;
}
