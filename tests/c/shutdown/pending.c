/* A shutdown that returns PENDING, because a job does not yield, has kept its bound and has run every finalizer. A
 * later shutdown completes it.
 *
 * Promise 8: a shutdown ends everything within its bound.
 * Promise 6: callbacks run once.
 */
#include "scheduling.h"

/* ---- callbacks and finalizers ----------------------------------------------------------------------- */

#define CALLBACKS 100

static struct {
    int calls, frees[CALLBACKS + 1];
} owed;

static void count_call(palitra_token token, palitra_status status, void *user_data) {
    (void)token;
    (void)status;
    (void)user_data;
    __atomic_fetch_add(&owed.calls, 1, __ATOMIC_ACQ_REL);
}

static void count_free(void *user_data) { __atomic_fetch_add((int *)user_data, 1, __ATOMIC_ACQ_REL); }

static int calls(void) { return __atomic_load_n(&owed.calls, __ATOMIC_ACQUIRE); }

static void check_freed_once(size_t n) {
    for (size_t i = 0; i < n; i++) CHECK_NUMBER(1, __atomic_load_n(&owed.frees[i], __ATOMIC_ACQUIRE));
}

/* Those of jobs that had finished before, of jobs that the shutdown ended, and of the job that blocks the thread. */
static void finalizers_have_run_and_no_callback_comes(void) {
    for (uint32_t workers = 0; workers < 2; workers++) {
        memset(&owed, 0, sizeof owed);
        palitra_runner runner = runner_with_workers(workers);
        palitra_token tokens[CALLBACKS], stuck;
        for (int i = 0; i < CALLBACKS; i++) tokens[i] = submit(runner, "test.never", "");
        stuck = hold(runner, "{\"seconds\":2.5}");
        for (int i = 0; i < CALLBACKS; i++)
            CHECK_STATUS(PALITRA_OK, palitra_token_on_complete(tokens[i], count_call, &owed.frees[i], count_free));
        CHECK_STATUS(PALITRA_OK, palitra_token_on_complete(stuck, count_call, &owed.frees[CALLBACKS], count_free));
        for (int i = 0; i < CALLBACKS / 2; i++) CHECK_STATUS(PALITRA_OK, palitra_token_cancel(tokens[i]));
        double start = now();
        CHECK_STATUS(PALITRA_PENDING, palitra_runner_shutdown(runner, 0));
        CHECK_TOOK(0, 1.6, start);
        int at_return = calls();
        check_freed_once(CALLBACKS + 1);
        CHECK_STATUS(PALITRA_OK, shutdown_runner(runner, SECONDS(10))); /* the job has returned */
        CHECK_NUMBER(at_return, calls());
        check_freed_once(CALLBACKS + 1);
        for (int i = 0; i < CALLBACKS; i++) palitra_token_free(tokens[i]);
        palitra_token_free(stuck);
        palitra_runner_free(runner);
    }
}

static void a_callback_that_comes_later_is_refused_and_freed(void) {
    memset(&owed, 0, sizeof owed);
    palitra_runner runner = new_runner();
    palitra_token stuck = hold(runner, "{\"seconds\":1.8}");
    CHECK_STATUS(PALITRA_PENDING, palitra_runner_shutdown(runner, 0));
    CHECK_STATUS(PALITRA_SHUT_DOWN, palitra_token_on_complete(stuck, count_call, &owed.frees[0], count_free));
    check_freed_once(1);
    palitra_token_free(stuck);
    palitra_runner_free(runner);
    CHECK_NUMBER(0, calls());
}

static struct {
    double seconds;
    int began, over;
} slow;

static void take_long(palitra_token token, palitra_status status, void *user_data) {
    (void)token;
    (void)status;
    (void)user_data;
    __atomic_store_n(&slow.began, 1, __ATOMIC_RELEASE);
    pause_for(slow.seconds);
    __atomic_store_n(&slow.over, 1, __ATOMIC_RELEASE);
}

static palitra_runner runner_in_a_callback(double seconds) {
    palitra_runner runner = new_runner();
    memset(&owed, 0, sizeof owed);
    slow.seconds = seconds;
    slow.began = slow.over = 0;
    palitra_token token = submit(runner, "palitra.sleep", "{\"seconds\":0.001}");
    CHECK_STATUS(PALITRA_OK, palitra_token_on_complete(token, take_long, &owed.frees[0], count_free));
    EVENTUALLY(__atomic_load_n(&slow.began, __ATOMIC_ACQUIRE));
    palitra_token_free(token);
    return runner;
}

static void a_running_callback_is_waited_for(void) {
    palitra_runner runner = runner_in_a_callback(0.4);
    CHECK_STATUS(PALITRA_OK, shutdown_runner(runner, 0));
    CHECK_NUMBER(1, __atomic_load_n(&slow.over, __ATOMIC_ACQUIRE));
    check_freed_once(1);
    palitra_runner_free(runner);
}

static void a_callback_that_runs_too_long_makes_it_pending(void) {
    palitra_runner runner = runner_in_a_callback(2.2);
    double start = now();
    CHECK_STATUS(PALITRA_PENDING, palitra_runner_shutdown(runner, 0));
    CHECK_TOOK(0.9, 1.6, start);
    CHECK_NUMBER(0, __atomic_load_n(&slow.over, __ATOMIC_ACQUIRE));
    CHECK_NUMBER(0, __atomic_load_n(&owed.frees[0], __ATOMIC_ACQUIRE)); /* it still uses its data */
    CHECK_STATUS(PALITRA_OK, shutdown_runner(runner, SECONDS(10)));
    CHECK_NUMBER(1, __atomic_load_n(&slow.over, __ATOMIC_ACQUIRE));
    check_freed_once(1);
    palitra_runner_free(runner);
}

/* ---- the bound -------------------------------------------------------------------------------------- */

static void freeing_a_stuck_runner_takes_one_bound(void) {
    for (uint32_t workers = 0; workers < 2; workers++) {
        palitra_runner runner = runner_with_workers(workers);
        palitra_token stuck = hold(runner, "{\"seconds\":4}");
        double start = now();
        palitra_runner_free(runner);
        CHECK_TOOK(0.9, 1.6, start);
        CHECK_STATUS(PALITRA_CANCELLED, palitra_token_poll(stuck, NULL));
        palitra_token_free(stuck);
    }
}

static void freeing_after_a_pending_shutdown_takes_one_bound(void) {
    palitra_runner runner = new_runner();
    palitra_token stuck = hold(runner, "{\"seconds\":4}");
    CHECK_STATUS(PALITRA_PENDING, palitra_runner_shutdown(runner, 0));
    double start = now();
    palitra_runner_free(runner);
    CHECK_TOOK(0, 1.6, start);
    palitra_token_free(stuck);
}

static void a_new_global_runner_does_not_wait_for_the_last(void) {
    palitra_runner runner = {0};
    CHECK_STATUS(PALITRA_OK, palitra_runner_global(&runner));
    palitra_token stuck = hold(runner, "{\"seconds\":4}");
    CHECK_STATUS(PALITRA_PENDING, palitra_shutdown_global_runner(0));
    CHECK(!palitra_is_runner_alive());
    double start = now();
    CHECK_STATUS(PALITRA_OK, palitra_runner_global(&runner));
    CHECK_TOOK(0, 0.4, start);
    check_echo(runner);
    palitra_token_free(stuck);
    CHECK_STATUS(PALITRA_OK, shutdown_global_runner(0));
}

static void a_destructor_that_blocks_is_within_the_bound(void) {
    for (uint32_t workers = 0; workers < 2; workers++) {
        palitra_runner runner = runner_with_workers(workers);
        CHECK_STATUS(PALITRA_OK, run(runner, "test.slow_state", "{\"seconds\":3}", SECONDS(20), NULL));
        double start = now();
        CHECK_STATUS(PALITRA_PENDING, palitra_runner_shutdown(runner, 0));
        CHECK_TOOK(0.9, 1.6, start);
        CHECK_STATUS(PALITRA_OK, shutdown_runner(runner, SECONDS(10)));
        CHECK_TOOK(2.9, 5, start);
        palitra_runner_free(runner);
    }
}

static void a_destructor_that_blocks_does_not_hold_up_a_free(void) {
    palitra_runner runner = new_runner();
    CHECK_STATUS(PALITRA_OK, run(runner, "test.slow_state", "{\"seconds\":5}", SECONDS(20), NULL));
    double start = now();
    palitra_runner_free(runner);
    CHECK_TOOK(0.9, 1.6, start);
}

/* ---- completed later -------------------------------------------------------------------------------- */

/* Shuts down, too early, a runner that work of two seconds keeps busy. */
static void end_early(palitra_runner runner, palitra_token token) {
    double start = now();
    CHECK_STATUS(PALITRA_PENDING, palitra_runner_shutdown(runner, 0));
    CHECK_STATUS(PALITRA_CANCELLED, palitra_token_poll(token, NULL));
    CHECK_STATUS(PALITRA_OK, shutdown_runner(runner, SECONDS(20)));
    CHECK_TOOK(1.2, 4, start);
    CHECK_STATUS(PALITRA_OK, shutdown_runner(runner, 0));
    palitra_token_free(token);
    palitra_runner_free(runner);
}

static void end_after_a_blocking_task(uint32_t workers) {
    palitra_runner runner = runner_with_workers(workers);
    forget_note();
    palitra_token token = submit(runner, "test.blocking", "{\"seconds\":2}");
    EVENTUALLY(seen("begun"));
    end_early(runner, token);
}

static void end_after_a_held_thread(uint32_t workers) {
    palitra_runner runner = runner_with_workers(workers);
    end_early(runner, hold(runner, "{\"seconds\":2}"));
}

static void pending_becomes_ok_once_the_job_returns(void) {
    holds(); /* its runner's threads are not to be counted */
    int before = threads_now();
    for (uint32_t workers = 0; workers < 2; workers++) {
        end_after_a_blocking_task(workers);
        /* The system lists a thread that was joined for a moment more. */
        EVENTUALLY(threads_now() == before);
        end_after_a_held_thread(workers);
        EVENTUALLY(threads_now() == before);
    }
}

/* Each call waits for its own grace period and a second, whatever the ones before it waited for. */
static void every_call_waits_anew(void) {
    palitra_runner runner = new_runner();
    palitra_token token = hold(runner, "{\"seconds\":4}");
    for (int i = 0; i < 2; i++) {
        double start = now();
        CHECK_STATUS(PALITRA_PENDING, palitra_runner_shutdown(runner, 0));
        CHECK_TOOK(0.9, 1.6, start);
    }
    CHECK_STATUS(PALITRA_OK, shutdown_runner(runner, PALITRA_FOREVER));
    palitra_token_free(token);
    palitra_runner_free(runner);
}

int main(void) {
    TEST(pending_becomes_ok_once_the_job_returns); /* first: the others leave threads behind */
    TEST(finalizers_have_run_and_no_callback_comes);
    TEST(a_callback_that_comes_later_is_refused_and_freed);
    TEST(a_running_callback_is_waited_for);
    TEST(a_callback_that_runs_too_long_makes_it_pending);
    TEST(freeing_a_stuck_runner_takes_one_bound);
    TEST(freeing_after_a_pending_shutdown_takes_one_bound);
    TEST(a_new_global_runner_does_not_wait_for_the_last);
    TEST(a_destructor_that_blocks_is_within_the_bound);
    TEST(a_destructor_that_blocks_does_not_hold_up_a_free);
    TEST(every_call_waits_anew);
    return 0;
}
