/* At a runner's limit of jobs or payload a call returns BUSY or TOO_LARGE at once, and nothing was submitted.
 *
 * Promise 11: bad input and limits return a status.
 */
#include "test.h"

static void check_busy(palitra_runner runner) {
    palitra_token token = {99};
    palitra_reply reply;
    double start = now();
    CHECK_STATUS(PALITRA_BUSY, palitra_runner_submit(runner, "test.never", "", 0, NULL, &token));
    CHECK_NUMBER(0, token.id);
    CHECK_STATUS(PALITRA_BUSY, run(runner, "test.never", "", SECONDS(60), &reply));
    CHECK_STATUS(PALITRA_BUSY, reply.status);
    palitra_reply_free(&reply);
    CHECK_TOOK(0, 5, start);
}

/* A job that is ready at its inline poll needs no place; one that pends does. */
static void check_busy_for_a_run_that_pends(palitra_runner runner) {
    CHECK_STATUS(PALITRA_BUSY, run(runner, "palitra.sleep", "{\"seconds\":60}", PALITRA_FOREVER, NULL));
}

/* Where a place is about to be released. */
static palitra_token submit_soon(palitra_runner runner, const char *job, const char *payload) {
    palitra_token token = {0};
    EVENTUALLY(palitra_runner_submit(runner, job, payload, strlen(payload), NULL, &token) == PALITRA_OK);
    return token;
}

static void one_job_too_many_is_refused(void) {
    palitra_runner runner = runner_with((palitra_runner_options){.max_in_flight = 3});
    palitra_token tokens[3];
    for (int i = 0; i < 3; i++) tokens[i] = submit(runner, "test.never", "");
    check_busy(runner);
    check_busy_for_a_run_that_pends(runner);
    CHECK_STATUS(PALITRA_OK, palitra_token_cancel(tokens[1]));
    palitra_token next = submit_soon(runner, "test.never", "");
    check_busy(runner);
    palitra_runner_free(runner);
    for (int i = 0; i < 3; i++) palitra_token_free(tokens[i]);
    palitra_token_free(next);
}

/* A job that ends by itself has released its place when its token has finished; one that is cancelled, or past its
 * deadline, releases it when it has been dropped. */
static void every_end_of_a_job_releases_its_place(void) {
    palitra_runner runner = runner_with((palitra_runner_options){.max_in_flight = 1});
    static const char *const jobs[][2] = {{"palitra.echo", "x"},      {"test.fail", "{\"code\":1,\"message\":\"\"}"},
                                          {"test.fail", "not JSON"},  {"test.panic", "oh"},
                                          {"test.panic_later", "oh"}, {"palitra.sleep", "{\"seconds\":0.001}"}};
    for (size_t i = 0; i < 20 * LENGTH(jobs); i++) {
        palitra_token token = submit(runner, jobs[i % LENGTH(jobs)][0], jobs[i % LENGTH(jobs)][1]);
        palitra_runner_wait(runner, token, PALITRA_FOREVER, NULL);
        palitra_token_free(token);
    }
    CHECK_STATUS(PALITRA_DEADLINE, run(runner, "palitra.sleep", "{\"seconds\":60}", SECONDS(0.01), NULL));
    palitra_token cancelled = submit_soon(runner, "test.never", "");
    CHECK_STATUS(PALITRA_OK, palitra_token_cancel(cancelled));
    palitra_token_free(cancelled);
    palitra_token freed = submit_soon(runner, "palitra.sleep", "{\"seconds\":2}");
    palitra_token_free(freed);
    check_busy(runner); /* a detached job is still running */
    EVENTUALLY(palitra_runner_submit(runner, "test.ready", "", 0, NULL, NULL) == PALITRA_OK);
    palitra_runner_free(runner);
}

static void *submit_many(void *runner) {
    intptr_t refused = 0;
    for (int i = 0; i < 2000; i++) {
        palitra_token token;
        palitra_status status = palitra_runner_submit(*(palitra_runner *)runner, "palitra.echo", "x", 1, NULL, &token);
        CHECK(status == PALITRA_OK || status == PALITRA_BUSY);
        refused += status == PALITRA_BUSY;
        palitra_token_free(token);
    }
    return (void *)refused;
}

static void the_limit_holds_for_many_threads(void) {
    palitra_runner runner = runner_with((palitra_runner_options){.max_in_flight = 8});
    pthread_t threads[4];
    palitra_token tokens[8];
    intptr_t refused = 0;
    for (size_t i = 0; i < LENGTH(threads); i++) threads[i] = start_thread(submit_many, &runner);
    for (size_t i = 0; i < LENGTH(threads); i++) {
        void *result;
        CHECK_NUMBER(0, pthread_join(threads[i], &result));
        refused += (intptr_t)result;
    }
    palitra_stats stats = {.size = sizeof stats};
    EVENTUALLY((palitra_runner_stats(runner, &stats), stats.queued + stats.running == 0));
    CHECK_NUMBER(2000 * LENGTH(threads) - (size_t)refused, stats.succeeded);
    for (size_t i = 0; i < LENGTH(tokens); i++) tokens[i] = submit(runner, "test.never", ""); /* all places are back */
    check_busy(runner);
    palitra_runner_free(runner);
    for (size_t i = 0; i < LENGTH(tokens); i++) palitra_token_free(tokens[i]);
}

static void a_payload_over_the_limit_is_refused(void) {
    palitra_runner runner = runner_with((palitra_runner_options){.max_payload = 10});
    palitra_token token = {99};
    palitra_reply reply;
    CHECK_STATUS(PALITRA_OK, run(runner, "palitra.echo", "0123456789", PALITRA_FOREVER, &reply));
    CHECK_REPLY("0123456789", reply);
    palitra_reply_free(&reply);
    CHECK_STATUS(PALITRA_TOO_LARGE, run(runner, "palitra.echo", "0123456789a", PALITRA_FOREVER, &reply));
    CHECK_STATUS(PALITRA_TOO_LARGE, reply.status);
    palitra_reply_free(&reply);
    CHECK_STATUS(PALITRA_TOO_LARGE, run(runner, "palitra.echo", "0123456789a", SECONDS(1), NULL));
    CHECK_STATUS(PALITRA_TOO_LARGE, palitra_runner_submit(runner, "palitra.echo", "0123456789a", 11, NULL, &token));
    CHECK_NUMBER(0, token.id);
    CHECK_STATUS(PALITRA_OK, palitra_runner_submit(runner, "palitra.echo", "0123456789", 10, NULL, NULL));
    palitra_runner_free(runner);
}

static void without_a_limit_there_is_none(void) {
    palitra_runner runner = new_runner();
    static char large[8 << 20];
    for (int i = 0; i < 20000; i++)
        CHECK_STATUS(PALITRA_OK, palitra_runner_submit(runner, "test.never", "", 0, NULL, NULL));
    CHECK_STATUS(PALITRA_OK, palitra_runner_run(runner, "palitra.echo", large, sizeof large, PALITRA_FOREVER, NULL));
    palitra_runner_free(runner);
}

int main(void) {
    TEST(one_job_too_many_is_refused);
    TEST(every_end_of_a_job_releases_its_place);
    TEST(the_limit_holds_for_many_threads);
    TEST(a_payload_over_the_limit_is_refused);
    TEST(without_a_limit_there_is_none);
    return 0;
}
