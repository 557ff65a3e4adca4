/* The end of a runner: it refuses new work, waits for the grace period, cancels, wakes, joins, and never hangs.
 *
 * Promise 8: a shutdown ends everything within its bound.
 */
#include "test.h"

static void it_lets_jobs_finish_within_the_grace_period(void) {
    palitra_runner runner = new_runner();
    palitra_token token = submit(runner, "palitra.sleep", "{\"seconds\": 0.2}");
    double start = now();
    CHECK_STATUS(PALITRA_OK, shutdown_runner(runner, SECONDS(3600)));
    CHECK_TOOK(0, 10, start);
    CHECK_STATUS(PALITRA_OK, palitra_token_poll(token, NULL));
    palitra_token_free(token);
    palitra_runner_free(runner);
}

static void an_endless_grace_period_waits_for_the_last_job(void) {
    palitra_runner runner = new_runner();
    palitra_token token = submit(runner, "palitra.sleep", "{\"seconds\": 0.2}");
    CHECK_STATUS(PALITRA_OK, shutdown_runner(runner, PALITRA_FOREVER));
    CHECK_STATUS(PALITRA_OK, palitra_token_poll(token, NULL));
    palitra_token_free(token);
    palitra_runner_free(runner);
}

static void it_cancels_what_outlives_the_grace_period(void) {
    palitra_runner runner = new_runner(), other = new_runner();
    int before = dropped(other);
    palitra_token tokens[2] = {submit(runner, "test.never", ""), submit(runner, "palitra.sleep", "{\"seconds\": 60}")};
    double start = now();
    CHECK_STATUS(PALITRA_OK, shutdown_runner(runner, SECONDS(0.1)));
    CHECK_TOOK(0.1, 10, start);
    for (size_t i = 0; i < LENGTH(tokens); i++) {
        CHECK_STATUS(PALITRA_CANCELLED, palitra_token_poll(tokens[i], NULL));
        palitra_token_free(tokens[i]);
    }
    CHECK_NUMBER(before + 1, dropped(other));
    palitra_runner_free(runner);
    palitra_runner_free(other);
}

static void afterwards_it_refuses_new_work(void) {
    palitra_runner runner = new_runner();
    palitra_token token = {0};
    palitra_reply reply;
    CHECK_STATUS(PALITRA_OK, shutdown_runner(runner, 0));
    CHECK(!palitra_runner_is_alive(runner));
    CHECK_STATUS(PALITRA_SHUT_DOWN, palitra_runner_submit(runner, "palitra.echo", "x", 1, NULL, &token));
    CHECK_STATUS(PALITRA_SHUT_DOWN, run(runner, "palitra.echo", "x", PALITRA_FOREVER, &reply));
    palitra_reply_free(&reply);
    CHECK_STATUS(PALITRA_SHUT_DOWN, run(runner, "palitra.echo", "x", SECONDS(1), &reply));
    palitra_reply_free(&reply);
    palitra_runner_free(runner);
}

static void *shut_down_when_all_is_done(void *runner) {
    CHECK_STATUS(PALITRA_OK, shutdown_runner(*(palitra_runner *)runner, PALITRA_FOREVER));
    return NULL;
}

static void it_refuses_new_work_already_during_the_grace(void) {
    palitra_runner runner = new_runner();
    palitra_token token = submit(runner, "test.never", ""), refused = {0};
    pthread_t thread = start_thread(shut_down_when_all_is_done, &runner);
    palitra_status status = PALITRA_OK;
    while (status == PALITRA_OK) {
        status = palitra_runner_submit(runner, "test.ready", NULL, 0, NULL, &refused);
        if (status == PALITRA_OK) palitra_token_free(refused);
    }
    CHECK_STATUS(PALITRA_SHUT_DOWN, status);
    CHECK_STATUS(PALITRA_PENDING, palitra_token_poll(token, NULL));
    CHECK_STATUS(PALITRA_OK, palitra_token_cancel(token));
    join_thread(thread);
    palitra_token_free(token);
    palitra_runner_free(runner);
}

static void it_is_idempotent(void) {
    palitra_runner runner = new_runner();
    for (int i = 0; i < 3; i++) CHECK_STATUS(PALITRA_OK, shutdown_runner(runner, i == 1 ? PALITRA_FOREVER : 0));
    palitra_runner_free(runner);
}

static void *shut_down(void *runner) {
    CHECK_STATUS(PALITRA_OK, shutdown_runner(*(palitra_runner *)runner, 0));
    CHECK(!palitra_runner_is_alive(*(palitra_runner *)runner));
    return NULL;
}

static void many_threads_may_race_to_shut_down(void) {
    for (int round = 0; round < 20; round++) {
        palitra_runner runner = new_runner();
        palitra_token token = submit(runner, "test.never", "");
        pthread_t threads[8];
        for (size_t i = 0; i < LENGTH(threads); i++) threads[i] = start_thread(shut_down, &runner);
        for (size_t i = 0; i < LENGTH(threads); i++) join_thread(threads[i]);
        CHECK_STATUS(PALITRA_CANCELLED, palitra_token_poll(token, NULL));
        palitra_token_free(token);
        palitra_runner_free(runner);
    }
}

static struct {
    palitra_runner runner;
    palitra_token token;
} blocked;
static pthread_barrier_t all_blocked;

static void *blocks_in_wait(void *unused) {
    palitra_reply reply;
    (void)unused;
    pthread_barrier_wait(&all_blocked);
    CHECK_STATUS(PALITRA_CANCELLED, palitra_runner_wait(blocked.runner, blocked.token, PALITRA_FOREVER, &reply));
    palitra_reply_free(&reply);
    return NULL;
}

static void *blocks_in_wait_any(void *unused) {
    size_t index = 9;
    (void)unused;
    pthread_barrier_wait(&all_blocked);
    CHECK_STATUS(PALITRA_OK, palitra_runner_wait_any(blocked.runner, &blocked.token, 1, PALITRA_FOREVER, &index));
    CHECK_NUMBER(0, index);
    return NULL;
}

static void *blocks_in_gather(void *unused) {
    palitra_reply reply;
    (void)unused;
    pthread_barrier_wait(&all_blocked);
    CHECK_STATUS(PALITRA_CANCELLED,
                 palitra_runner_gather(blocked.runner, &blocked.token, 1, 0, PALITRA_FOREVER, &reply));
    palitra_reply_free(&reply);
    return NULL;
}

static void *blocks_in_run(void *unused) {
    palitra_reply reply;
    (void)unused;
    pthread_barrier_wait(&all_blocked);
    CHECK_STATUS(PALITRA_CANCELLED, run(blocked.runner, "test.never", "", PALITRA_FOREVER, &reply));
    palitra_reply_free(&reply);
    return NULL;
}

static void *blocks_in_run_with_a_timeout(void *unused) {
    (void)unused;
    pthread_barrier_wait(&all_blocked);
    CHECK_STATUS(PALITRA_CANCELLED, run(blocked.runner, "test.never", "", SECONDS(3600), NULL));
    return NULL;
}

static void it_wakes_every_waiter(void) {
    void *(*const waiters[])(void *) = {blocks_in_wait, blocks_in_wait_any, blocks_in_gather, blocks_in_run,
                                        blocks_in_run_with_a_timeout};
    pthread_t threads[LENGTH(waiters)];
    CHECK_NUMBER(0, pthread_barrier_init(&all_blocked, NULL, LENGTH(waiters) + 1));
    blocked.runner = new_runner();
    blocked.token = submit(blocked.runner, "test.never", "");
    for (size_t i = 0; i < LENGTH(waiters); i++) threads[i] = start_thread(waiters[i], NULL);
    pthread_barrier_wait(&all_blocked);
    pause_for(0.2);
    CHECK_STATUS(PALITRA_OK, shutdown_runner(blocked.runner, 0));
    for (size_t i = 0; i < LENGTH(waiters); i++) join_thread(threads[i]);
    palitra_token_free(blocked.token);
    palitra_runner_free(blocked.runner);
    pthread_barrier_destroy(&all_blocked);
}

static void a_job_that_never_yields_makes_it_pending_after_the_grace_and_a_second(void) {
    palitra_runner runner = new_runner();
    palitra_token token = submit(runner, "test.spin", "{\"seconds\": 5}");
    palitra_token behind = submit(runner, "palitra.echo", "never reached");
    pause_for(0.1);
    double start = now();
    CHECK_STATUS(PALITRA_PENDING, palitra_runner_shutdown(runner, SECONDS(0.2)));
    CHECK_TOOK(1.2, 3.5, start);
    CHECK_STATUS(PALITRA_CANCELLED, palitra_runner_wait(runner, token, PALITRA_FOREVER, NULL));
    CHECK_STATUS(PALITRA_CANCELLED, palitra_runner_wait(runner, behind, PALITRA_FOREVER, NULL));
    CHECK(!palitra_runner_is_alive(runner));

    EVENTUALLY(palitra_runner_shutdown(runner, 0) == PALITRA_OK);
    CHECK_STATUS(PALITRA_CANCELLED, palitra_token_poll(token, NULL));
    palitra_token_free(token);
    palitra_token_free(behind);
    palitra_runner_free(runner);
}

static void replies_stay_readable_afterwards(void) {
    palitra_runner runner = new_runner();
    palitra_token token = submit(runner, "palitra.echo", "still here");
    palitra_reply before, after, last;
    CHECK_STATUS(PALITRA_OK, palitra_runner_wait(runner, token, PALITRA_FOREVER, &before));
    CHECK_STATUS(PALITRA_OK, shutdown_runner(runner, 0));
    CHECK_STATUS(PALITRA_OK, palitra_runner_wait(runner, token, 0, &after));
    palitra_runner_free(runner);
    CHECK_STATUS(PALITRA_OK, palitra_token_poll(token, &last));
    palitra_token_free(token);
    CHECK_REPLY("still here", before);
    CHECK_REPLY("still here", after);
    CHECK_REPLY("still here", last);
    palitra_reply_free(&before);
    palitra_reply_free(&after);
    palitra_reply_free(&last);
}

static void freeing_a_runner_shuts_it_down_first(void) {
    palitra_runner runner = new_runner();
    palitra_token token = submit(runner, "test.never", "");
    palitra_runner_free(runner);
    CHECK_STATUS(PALITRA_CANCELLED, palitra_token_poll(token, NULL));
    palitra_token_free(token);
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_runner_shutdown(runner, 0));
}

int main(void) {
    TEST(it_lets_jobs_finish_within_the_grace_period);
    TEST(an_endless_grace_period_waits_for_the_last_job);
    TEST(it_cancels_what_outlives_the_grace_period);
    TEST(afterwards_it_refuses_new_work);
    TEST(it_refuses_new_work_already_during_the_grace);
    TEST(it_is_idempotent);
    TEST(many_threads_may_race_to_shut_down);
    TEST(it_wakes_every_waiter);
    TEST(a_job_that_never_yields_makes_it_pending_after_the_grace_and_a_second);
    TEST(replies_stay_readable_afterwards);
    TEST(freeing_a_runner_shuts_it_down_first);
    return 0;
}
