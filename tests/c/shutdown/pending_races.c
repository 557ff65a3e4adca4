/* Whoever submits while a shutdown returns PENDING gets a refusal, or a token that finishes.
 *
 * Promise 8: a shutdown ends everything within its bound.
 * Promise 1: a token finishes exactly once.
 */
#include "scheduling.h"

#include <sys/mman.h>

/* Shuts down, without a grace period, a runner whose thread is blocked for longer than that takes. */
static void *shut_down_too_early(void *runner) {
    CHECK_STATUS(PALITRA_PENDING, palitra_runner_shutdown(*(palitra_runner *)runner, 0));
    return NULL;
}

/* ---- a submit that is half-way during the whole shutdown -------------------------------------------- */

static struct {
    void *page;
    size_t size;
    int asked_for, may_go_on;
} slow_payload;

/* Like a page of a slow network file, the payload becomes readable only when the shutdown has long returned. */
static void supply_the_page(int signal_number, siginfo_t *info, void *context) {
    (void)signal_number;
    (void)context;
    if (info->si_addr < slow_payload.page || (char *)info->si_addr >= (char *)slow_payload.page + slow_payload.size)
        _exit(123);
    __atomic_store_n(&slow_payload.asked_for, 1, __ATOMIC_RELEASE);
    while (!__atomic_load_n(&slow_payload.may_go_on, __ATOMIC_ACQUIRE)) pause_for(0.001);
    mprotect(slow_payload.page, slow_payload.size, PROT_READ);
}

static void make_the_payload_slow(void) {
    struct sigaction action = {0};
    action.sa_sigaction = supply_the_page;
    action.sa_flags = SA_SIGINFO;
    CHECK_NUMBER(0, sigaction(SIGSEGV, &action, NULL));
    slow_payload.size = (size_t)sysconf(_SC_PAGESIZE);
    slow_payload.page = mmap(NULL, slow_payload.size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(slow_payload.page != MAP_FAILED);
    slow_payload.asked_for = slow_payload.may_go_on = 0;
}

struct late {
    palitra_runner runner;
    int64_t timeout_ns; /* of a run; 0: submit */
    palitra_status status;
};

static void *submit_slowly(void *argument) {
    struct late *late = argument;
    palitra_token token = {0};
    if (late->timeout_ns != 0) {
        late->status = palitra_runner_run(late->runner, "palitra.echo", slow_payload.page, slow_payload.size,
                                          late->timeout_ns, NULL);
        return NULL;
    }
    late->status =
        palitra_runner_submit(late->runner, "palitra.echo", slow_payload.page, slow_payload.size, NULL, &token);
    if (late->status != PALITRA_OK) return NULL;
    late->status = palitra_runner_wait(late->runner, token, SECONDS(2), NULL);
    palitra_token_free(token);
    return NULL;
}

static palitra_status end_half_way(int64_t timeout_ns) {
    struct late late = {new_runner(), timeout_ns, PALITRA_INTERNAL};
    make_the_payload_slow();
    pthread_t submitter = start_thread(submit_slowly, &late);
    EVENTUALLY(__atomic_load_n(&slow_payload.asked_for, __ATOMIC_ACQUIRE));
    palitra_token stuck = hold(late.runner, "{\"seconds\":6}");
    shut_down_too_early(&late.runner);
    __atomic_store_n(&slow_payload.may_go_on, 1, __ATOMIC_RELEASE);
    join_thread(submitter);
    CHECK_STATUS(PALITRA_CANCELLED,
                 palitra_token_poll(stuck, NULL)); /* the thread is still blocked, or was until now */
    palitra_token_free(stuck);
    palitra_runner_free(late.runner);
    munmap(slow_payload.page, slow_payload.size);
    return late.status;
}

static void a_submit_that_is_half_way_does_not_hang(void) {
    palitra_status status = end_half_way(0);
    if (status != PALITRA_SHUT_DOWN) CHECK_STATUS(PALITRA_CANCELLED, status);
}

static void a_run_that_is_half_way_does_not_hang(void) {
    palitra_status status = end_half_way(SECONDS(2));
    if (status != PALITRA_SHUT_DOWN) CHECK_STATUS(PALITRA_CANCELLED, status);
}

/* ---- many at once ----------------------------------------------------------------------------------- */

static struct {
    palitra_runner runner;
    int over;
} raced;

/* Submits until it is refused, then waits for the last tokens. */
static void *submit_until_refused(void *unused) {
    palitra_token last[256] = {{0}};
    palitra_status status = PALITRA_OK;
    for (size_t i = 0; status == PALITRA_OK; i++) {
        palitra_token *token = &last[i % LENGTH(last)];
        palitra_token_free(*token);
        token->id = 0;
        status = palitra_runner_submit(raced.runner, "palitra.echo", "x", 1, NULL, token);
        if (i % 64 == 0) pause_for(0.0005); /* the queue need not grow much */
    }
    CHECK_STATUS(PALITRA_SHUT_DOWN, status);
    while (!__atomic_load_n(&raced.over, __ATOMIC_ACQUIRE)) pause_for(0.001);
    for (size_t i = 0; i < LENGTH(last); i++) {
        if (last[i].id == 0) continue;
        /* Long before the job returns. */
        CHECK_STATUS(PALITRA_CANCELLED, palitra_runner_wait(raced.runner, last[i], SECONDS(1), NULL));
        palitra_token_free(last[i]);
    }
    return unused;
}

static void what_was_accepted_before_finishes(void) {
    for (int round = 0; round < 3; round++) {
        pthread_t threads[4];
        raced.runner = new_runner();
        raced.over = 0;
        palitra_token stuck = hold(raced.runner, "{\"seconds\":5}");
        for (size_t i = 0; i < LENGTH(threads); i++) threads[i] = start_thread(submit_until_refused, NULL);
        pause_for(0.02 * round);
        shut_down_too_early(&raced.runner);
        __atomic_store_n(&raced.over, 1, __ATOMIC_RELEASE);
        for (size_t i = 0; i < LENGTH(threads); i++) join_thread(threads[i]);
        palitra_token_free(stuck);
        palitra_runner_free(raced.runner);
    }
}

int main(void) {
    TEST(a_submit_that_is_half_way_does_not_hang);
    TEST(a_run_that_is_half_way_does_not_hang);
    TEST(what_was_accepted_before_finishes);
    return 0;
}
