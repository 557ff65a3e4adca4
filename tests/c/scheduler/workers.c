/* Runners with workers: a job that blocks its worker delays no other job, and a helper task must not wait either.
 *
 * Promise 5: nothing deadlocks on the runner's own thread.
 */
#include "scheduling.h"

#define ROUNDS 20

/* Woken from a worker, a job must not wait for that worker while others have nothing to do. The waker blocks its worker
 * until the other has run, and fails if that takes as long as nothing but waiting for the waker can take. */
static void a_woken_job_does_not_wait_for_its_waker(uint32_t workers) {
    palitra_runner runner = runner_with_workers(workers);
    for (int round = 0; round < ROUNDS; round++) {
        palitra_token woken = submit(runner, "test.woken", "");
        EVENTUALLY(stats_of(runner).queued == 0);
        pause_for(0.01);
        palitra_token waker = submit(runner, "test.wake_and_hold", "{\"seconds\":20}");
        CHECK_STATUS(PALITRA_OK, wait_and_free(runner, waker));
        CHECK_STATUS(PALITRA_OK, wait_and_free(runner, woken));
    }
    palitra_runner_free(runner);
}

static void with_two_workers_a_woken_job_does_not_wait_for_its_waker(void) {
    a_woken_job_does_not_wait_for_its_waker(2);
}

static void with_four_workers_a_woken_job_does_not_wait_for_its_waker(void) {
    a_woken_job_does_not_wait_for_its_waker(4);
}

/* Nor does one wait that was woken by a timer or by the host, or that has just been submitted. */
static void others_continue_beside_a_worker_that_is_blocked(void) {
    palitra_runner runner = runner_with_workers(2);
    palitra_token holder = hold(runner, "{\"seconds\":3}");
    for (int i = 0; i < 50; i++) {
        double start = now();
        CHECK_STATUS(PALITRA_OK, wait_and_free(runner, submit(runner, "palitra.sleep", "{\"seconds\":0.002}")));
        CHECK_STATUS(PALITRA_OK, wait_and_free(runner, submit(runner, "test.nested", "x")));
        CHECK_TOOK(0, 0.6, start);
        if (palitra_token_poll(holder, NULL) != PALITRA_PENDING) break;
    }
    palitra_token_free(holder);
    palitra_runner_shutdown(runner, SECONDS(10));
    palitra_runner_free(runner);
}

/* The helper would wait for a job that never ends, on the only worker that could end it. */
static void a_helper_task_that_blocks_would_deadlock(void) {
    for (uint32_t workers = 0; workers < 3; workers++) {
        palitra_runner runner = runner_with_workers(workers);
        palitra_reply reply;
        CHECK_STATUS(PALITRA_OK, run(runner, "test.helper_blocks", "{\"seconds\":3}", SECONDS(20), &reply));
        CHECK_REPLY("PALITRA_WOULD_DEADLOCK", reply);
        palitra_reply_free(&reply);
        CHECK_STATUS(PALITRA_OK, run(runner, "test.helper_blocks", "{\"seconds\":3}", PALITRA_FOREVER, &reply));
        CHECK_REPLY("PALITRA_WOULD_DEADLOCK", reply);
        palitra_reply_free(&reply);
        palitra_runner_free(runner);
    }
}

int main(void) {
    TEST(with_two_workers_a_woken_job_does_not_wait_for_its_waker);
    TEST(with_four_workers_a_woken_job_does_not_wait_for_its_waker);
    TEST(others_continue_beside_a_worker_that_is_blocked);
    TEST(a_helper_task_that_blocks_would_deadlock);
    return 0;
}
