/* Many threads that submit many jobs at once, beside a limit, a shutdown, cancels and frees: whatever was taken
 * finishes once, and what was not leaves no trace.
 *
 * Promise 1: a token finishes exactly once.
 * Promise 8: a shutdown ends everything within its bound.
 * Promise 11: bad input and limits return a status.
 */
#include "many.h"

enum { THREADS = 4, EACH = 150 };

struct submitter {
    palitra_runner runner;
    size_t taken;
    palitra_token tokens[EACH];
};

static void join_all(void *(*function)(void *), struct submitter *submitters, pthread_t *threads) {
    for (size_t i = 0; i < THREADS; i++) threads[i] = start_thread(function, &submitters[i]);
}

/* Waits for what was taken: each job has one end. */
static size_t count_ends(struct submitter *submitter, bool may_be_cancelled) {
    for (size_t i = 0; i < submitter->taken; i++) {
        palitra_status status = palitra_runner_wait(submitter->runner, submitter->tokens[i], PALITRA_FOREVER, NULL);
        CHECK(status == PALITRA_OK || (may_be_cancelled && status == PALITRA_CANCELLED));
        CHECK_STATUS(status, palitra_token_poll(submitter->tokens[i], NULL));
        palitra_token_free(submitter->tokens[i]);
    }
    return submitter->taken;
}

static void *submit_until_shut_down(void *argument) {
    struct submitter *submitter = argument;
    palitra_submission jobs[EACH];
    fill(jobs, EACH, "palitra.echo", "x");
    palitra_status status = PALITRA_OK;
    while (status == PALITRA_OK) {
        status = palitra_runner_submit_many(submitter->runner, jobs, EACH, NULL, submitter->tokens, &submitter->taken);
        CHECK_NUMBER(status == PALITRA_OK, submitter->taken == EACH);
        for (size_t i = submitter->taken; i < EACH; i++) CHECK_NUMBER(0, submitter->tokens[i].id);
        count_ends(submitter, true);
    }
    CHECK_STATUS(PALITRA_SHUT_DOWN, status);
    return NULL;
}

static void what_was_taken_before_a_shutdown_ends(void) {
    static struct submitter submitters[THREADS];
    pthread_t threads[THREADS];
    for (unsigned round = 0; round < 30 / slowness(); round++) {
        palitra_runner runner = runner_with_workers(round % 3);
        for (size_t i = 0; i < THREADS; i++) submitters[i].runner = runner;
        join_all(submit_until_shut_down, submitters, threads);
        pause_for(0.0005 * (round % 8));
        CHECK_STATUS(PALITRA_OK, shutdown_runner(runner, SECONDS(0.0005 * (round % 5))));
        for (size_t i = 0; i < THREADS; i++) join_thread(threads[i]);
        palitra_stats stats = stats_of(runner);
        CHECK_NUMBER(stats.submitted, stats.succeeded + stats.cancelled);
        palitra_runner_free(runner);
    }
}

static void *submit_beside_the_limit(void *argument) {
    struct submitter *submitter = argument;
    palitra_submission jobs[EACH];
    size_t all = 0;
    fill(jobs, EACH, "palitra.echo", "x");
    for (unsigned round = 0; round < 200 / slowness(); round++) {
        palitra_status status =
            palitra_runner_submit_many(submitter->runner, jobs, EACH, NULL, submitter->tokens, &submitter->taken);
        CHECK_STATUS(submitter->taken < EACH ? PALITRA_BUSY : PALITRA_OK, status);
        palitra_stats stats = stats_of(submitter->runner);
        CHECK(stats.queued + stats.running <= 100);
        all += count_ends(submitter, false);
    }
    submitter->taken = all;
    return NULL;
}

static void the_limit_holds_and_every_place_comes_back(void) {
    static struct submitter submitters[THREADS];
    palitra_runner runner = runner_with((palitra_runner_options){.max_in_flight = 100});
    pthread_t threads[THREADS];
    size_t taken = 0;
    for (size_t i = 0; i < THREADS; i++) submitters[i].runner = runner;
    join_all(submit_beside_the_limit, submitters, threads);
    for (size_t i = 0; i < THREADS; i++) {
        join_thread(threads[i]);
        taken += submitters[i].taken;
    }
    CHECK_NUMBER(taken, stats_of(runner).submitted);
    CHECK_NUMBER(taken, stats_of(runner).succeeded);
    palitra_token tokens[101];
    palitra_submission jobs[101];
    fill(jobs, 101, "test.never", "");
    CHECK_TAKEN(PALITRA_BUSY, 100, runner, jobs, 101, NULL, tokens);
    palitra_runner_free(runner);
    free_tokens(tokens, 100);
}

/* While others make tokens and free them one by one, and all at once: no slot is given out twice. */
static void *come_and_go(void *argument) {
    struct submitter *submitter = argument;
    palitra_submission jobs[EACH];
    fill(jobs, EACH, "test.never", "");
    for (unsigned round = 0; round < 200 / slowness(); round++) {
        size_t n = 1 + round % EACH;
        CHECK_STATUS(PALITRA_OK, palitra_runner_submit_many(submitter->runner, jobs, n, NULL, submitter->tokens, NULL));
        palitra_token one = submit(submitter->runner, "test.never", "");
        for (size_t i = 0; i < n; i++) {
            CHECK_STATUS(PALITRA_PENDING, palitra_token_poll(submitter->tokens[i], NULL));
            CHECK_STATUS(PALITRA_OK, palitra_token_cancel(submitter->tokens[i]));
        }
        CHECK_STATUS(PALITRA_PENDING, palitra_token_poll(one, NULL));
        for (size_t i = 0; i < n; i++) palitra_token_free(submitter->tokens[i]);
        CHECK_STATUS(PALITRA_OK, palitra_token_cancel(one));
        palitra_token_free(one);
    }
    return NULL;
}

static void no_token_is_given_to_two(void) {
    static struct submitter submitters[THREADS];
    palitra_runner runner = new_runner();
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++) submitters[i].runner = runner;
    join_all(come_and_go, submitters, threads);
    for (size_t i = 0; i < THREADS; i++) join_thread(threads[i]);
    palitra_runner_free(runner);
}

int main(void) {
    TEST(what_was_taken_before_a_shutdown_ends);
    TEST(the_limit_holds_and_every_place_comes_back);
    TEST(no_token_is_given_to_two);
    return 0;
}
