/* Waiting for many tokens: palitra_runner_gather and palitra_runner_wait_any.
 *
 * Promise 4: a gather keeps the order of its tokens.
 * Promise 3: timeouts and deadlines hold.
 */
#include "test.h"

static palitra_runner runner;

#define FAILS "{\"code\": 7, \"message\": \"no\"}"

static void free_tokens(const palitra_token *tokens, size_t count) {
    for (size_t i = 0; i < count; i++) palitra_token_free(tokens[i]);
}

static void free_replies(palitra_reply *replies, size_t count) {
    for (size_t i = 0; i < count; i++) palitra_reply_free(&replies[i]);
}

static palitra_status gather(const palitra_token *tokens, size_t count, uint32_t flags, palitra_reply *replies) {
    return palitra_runner_gather(runner, tokens, count, flags, PALITRA_FOREVER, replies);
}

/* The first to be submitted is the last to finish. */
static void replies_come_in_the_order_of_the_tokens(void) {
    palitra_token tokens[10];
    palitra_reply replies[LENGTH(tokens)];
    char payload[LENGTH(tokens)][40];
    for (int i = 0; i < (int)LENGTH(tokens); i++) {
        snprintf(payload[i], sizeof payload[i], "{\"seconds\": 0.%02d}", 2 * ((int)LENGTH(tokens) - i));
        tokens[i] = submit(runner, "palitra.sleep", payload[i]);
    }
    CHECK_STATUS(PALITRA_OK, gather(tokens, LENGTH(tokens), 0, replies));
    for (size_t i = 0; i < LENGTH(tokens); i++) {
        double asked = 0, returned = 1;
        char text[64] = {0};
        CHECK_STATUS(PALITRA_OK, replies[i].status);
        CHECK(replies[i].len < sizeof text);
        memcpy(text, replies[i].data, replies[i].len);
        CHECK_NUMBER(1, sscanf(payload[i], "{\"seconds\": %lf", &asked));
        CHECK_NUMBER(1, sscanf(text, "{\"seconds\":%lf", &returned));
        CHECK(asked == returned);
    }
    free_replies(replies, LENGTH(replies));
    free_tokens(tokens, LENGTH(tokens));
}

static void a_thousand_jobs_are_gathered_at_once(void) {
    enum { COUNT = 1000 };
    static palitra_token tokens[COUNT];
    static palitra_reply replies[COUNT];
    char text[16];
    for (int i = 0; i < COUNT; i++) {
        snprintf(text, sizeof text, "%d", i);
        tokens[i] = submit(runner, "palitra.echo", text);
    }
    CHECK_STATUS(PALITRA_OK, gather(tokens, COUNT, 0, replies));
    for (int i = 0; i < COUNT; i++) {
        snprintf(text, sizeof text, "%d", i);
        CHECK_REPLY(text, replies[i]);
    }
    free_replies(replies, COUNT);
    free_tokens(tokens, COUNT);
}

/* The panic is first in time, the failure first in order. */
static void the_status_is_that_of_the_first_in_order_that_did_not_succeed(void) {
    palitra_token tokens[4];
    palitra_reply replies[LENGTH(tokens)];
    tokens[3] = submit(runner, "test.panic", "boom");
    CHECK_STATUS(PALITRA_JOB_PANICKED, palitra_runner_wait(runner, tokens[3], PALITRA_FOREVER, NULL));
    tokens[0] = submit(runner, "palitra.echo", "fine");
    tokens[1] = submit(runner, "test.fail", FAILS);
    tokens[2] = submit(runner, "palitra.sleep", "{\"seconds\": 0.1}");
    CHECK_STATUS(PALITRA_JOB_FAILED, gather(tokens, LENGTH(tokens), 0, replies));
    CHECK_STATUS(PALITRA_OK, replies[0].status);
    CHECK_REPLY("fine", replies[0]);
    CHECK_STATUS(PALITRA_JOB_FAILED, replies[1].status);
    CHECK_NUMBER(7, replies[1].code);
    CHECK_REPLY("no", replies[1]);
    CHECK_STATUS(PALITRA_OK, replies[2].status);
    CHECK_STATUS(PALITRA_JOB_PANICKED, replies[3].status);
    free_replies(replies, LENGTH(replies));
    free_tokens(tokens, LENGTH(tokens));
}

static void at_its_timeout_it_returns_pending_as_do_the_replies_that_are_missing(void) {
    palitra_token tokens[3] = {submit(runner, "palitra.echo", "done"), submit(runner, "test.never", ""),
                               submit(runner, "test.fail", FAILS)};
    palitra_reply replies[LENGTH(tokens)];
    CHECK_STATUS(PALITRA_OK, palitra_runner_wait(runner, tokens[0], PALITRA_FOREVER, NULL));
    CHECK_STATUS(PALITRA_JOB_FAILED, palitra_runner_wait(runner, tokens[2], PALITRA_FOREVER, NULL));
    double start = now();
    CHECK_STATUS(PALITRA_PENDING, palitra_runner_gather(runner, tokens, LENGTH(tokens), 0, SECONDS(0.1), replies));
    CHECK_TOOK(0.1, 5, start);
    CHECK_REPLY("done", replies[0]);
    CHECK_STATUS(PALITRA_PENDING, replies[1].status);
    CHECK_STATUS(PALITRA_JOB_FAILED, replies[2].status);
    free_replies(replies, LENGTH(replies));

    CHECK_STATUS(PALITRA_PENDING, palitra_token_poll(tokens[1], NULL));
    CHECK_STATUS(PALITRA_PENDING, palitra_runner_gather(runner, tokens, LENGTH(tokens), 0, 0, NULL));
    end_never(runner, tokens[1]);
    free_tokens(tokens, LENGTH(tokens));
}

static void fail_fast_returns_the_first_failure_in_time_after_cancelling_the_rest(void) {
    palitra_token tokens[4] = {submit(runner, "test.never", ""),
                               submit(runner, "palitra.sleep", "{\"seconds\": 60}"),
                               {0},
                               submit(runner, "test.never", "")};
    palitra_reply replies[LENGTH(tokens)];
    int before = dropped(runner);
    double start = now();
    tokens[2] = submit(runner, "test.fail", FAILS);
    CHECK_STATUS(PALITRA_JOB_FAILED, gather(tokens, LENGTH(tokens), PALITRA_FAIL_FAST, replies));
    CHECK_TOOK(0, 10, start);
    CHECK_STATUS(PALITRA_JOB_FAILED, replies[2].status);
    CHECK_REPLY("no", replies[2]);
    for (size_t i = 0; i < LENGTH(tokens); i++) {
        if (i == 2) continue;
        CHECK(replies[i].status == PALITRA_CANCELLED || replies[i].status == PALITRA_PENDING);
        CHECK_STATUS(PALITRA_CANCELLED, palitra_runner_wait(runner, tokens[i], PALITRA_FOREVER, NULL));
    }
    EVENTUALLY(dropped(runner) == before + 2);
    free_replies(replies, LENGTH(replies));
    free_tokens(tokens, LENGTH(tokens));
}

static void fail_fast_keeps_what_had_succeeded(void) {
    palitra_token tokens[2] = {submit(runner, "palitra.echo", "kept"), submit(runner, "test.fail", FAILS)};
    palitra_reply replies[LENGTH(tokens)];
    CHECK_STATUS(PALITRA_OK, palitra_runner_wait(runner, tokens[0], PALITRA_FOREVER, NULL));
    CHECK_STATUS(PALITRA_JOB_FAILED, gather(tokens, LENGTH(tokens), PALITRA_FAIL_FAST, replies));
    CHECK_STATUS(PALITRA_OK, replies[0].status);
    CHECK_REPLY("kept", replies[0]);
    free_replies(replies, LENGTH(replies));
    free_tokens(tokens, LENGTH(tokens));
}

static void fail_fast_without_a_failure_is_an_ordinary_gather(void) {
    palitra_token tokens[2] = {submit(runner, "palitra.sleep", "{\"seconds\": 0.05}"),
                               submit(runner, "palitra.echo", "b")};
    palitra_reply replies[LENGTH(tokens)];
    CHECK_STATUS(PALITRA_OK, gather(tokens, LENGTH(tokens), PALITRA_FAIL_FAST, replies));
    CHECK_STATUS(PALITRA_OK, replies[0].status);
    CHECK_REPLY("b", replies[1]);
    free_replies(replies, LENGTH(replies));
    free_tokens(tokens, LENGTH(tokens));
}

static void no_tokens_are_gathered_at_once(void) {
    CHECK_STATUS(PALITRA_OK, gather(NULL, 0, 0, NULL));
    CHECK_STATUS(PALITRA_OK, gather(NULL, 0, PALITRA_FAIL_FAST, NULL));
}

static void the_same_token_may_stand_twice(void) {
    palitra_token token = submit(runner, "palitra.echo", "both");
    palitra_token tokens[2] = {token, token};
    palitra_reply replies[LENGTH(tokens)];
    CHECK_STATUS(PALITRA_OK, gather(tokens, LENGTH(tokens), 0, replies));
    palitra_reply_free(&replies[0]);
    CHECK_REPLY("both", replies[1]);
    palitra_reply_free(&replies[1]);
    palitra_token_free(token);
}

static void wait_any_names_one_that_has_finished(void) {
    palitra_token tokens[3] = {submit(runner, "test.never", ""), submit(runner, "palitra.sleep", "{\"seconds\": 0.1}"),
                               submit(runner, "test.never", "")};
    size_t index = 99;
    int before = dropped(runner);
    double start = now();
    CHECK_STATUS(PALITRA_OK, palitra_runner_wait_any(runner, tokens, LENGTH(tokens), PALITRA_FOREVER, &index));
    CHECK_TOOK(0, 5, start);
    CHECK_NUMBER(1, index);
    CHECK_STATUS(PALITRA_OK, palitra_token_poll(tokens[1], NULL));
    CHECK_STATUS(PALITRA_PENDING, palitra_token_poll(tokens[0], NULL));
    CHECK_STATUS(PALITRA_PENDING, palitra_token_poll(tokens[2], NULL));

    CHECK_STATUS(PALITRA_OK, palitra_token_cancel(tokens[2]));
    CHECK_STATUS(PALITRA_OK, palitra_runner_wait_any(runner, tokens + 2, 1, PALITRA_FOREVER, &index));
    CHECK_NUMBER(0, index);
    CHECK_STATUS(PALITRA_OK, palitra_token_cancel(tokens[0]));
    EVENTUALLY(dropped(runner) == before + 2);
    free_tokens(tokens, LENGTH(tokens));
}

static palitra_status statuses[4];
static size_t first;
static int has_called;

static void wait_any_in_a_callback(palitra_token token, palitra_status status, void *argument) {
    palitra_token *tokens = argument, pending[2] = {tokens[0], tokens[0]};
    (void)token, (void)status;
    statuses[0] = palitra_runner_wait_any(runner, tokens, 3, PALITRA_FOREVER, &first);
    statuses[1] = palitra_runner_wait_any(runner, pending, 2, PALITRA_FOREVER, NULL);
    statuses[2] = palitra_runner_wait_any(runner, pending, 2, 0, NULL);
    statuses[3] = palitra_runner_wait_any(runner, tokens, 3, 0, &first);
    __atomic_store_n(&has_called, 1, __ATOMIC_RELEASE);
}

static void wait_any_on_the_runners_thread_names_one_that_has_finished_and_waits_for_none(void) {
    palitra_token tokens[3] = {submit(runner, "test.never", ""), submit(runner, "test.never", ""),
                               submit(runner, "palitra.echo", "x")};
    CHECK_STATUS(PALITRA_OK, palitra_token_on_complete(tokens[2], wait_any_in_a_callback, tokens, NULL));
    CHECK_STATUS(PALITRA_OK, palitra_runner_wait(runner, tokens[2], PALITRA_FOREVER, NULL));
    check_echo(runner);
    EVENTUALLY(__atomic_load_n(&has_called, __ATOMIC_ACQUIRE));
    CHECK_STATUS(PALITRA_OK, shutdown_runner(runner, 0));
    CHECK_STATUS(PALITRA_OK, statuses[0]);
    CHECK_NUMBER(2, first);
    CHECK_STATUS(PALITRA_WOULD_DEADLOCK, statuses[1]);
    CHECK_STATUS(PALITRA_PENDING, statuses[2]);
    CHECK_STATUS(PALITRA_OK, statuses[3]);
    free_tokens(tokens, LENGTH(tokens));
    palitra_runner_free(runner);
    runner = new_runner();
}

/* Compared with a smaller one, the fastest call of each, so that neither the machine's speed nor its load matters. */
static void wait_any_looks_no_further_than_the_first_that_has_finished(void) {
    enum { COUNT = 100000 };
    static palitra_token tokens[COUNT];
    double seconds[2] = {0};
    size_t index;
    for (size_t i = 0; i < COUNT; i++) tokens[i] = submit(runner, "test.ready", "");
    CHECK_STATUS(PALITRA_OK, palitra_runner_gather(runner, tokens, COUNT, 0, PALITRA_FOREVER, NULL));
    for (int i = 0; i < 2000; i++) {
        for (int many = 0; many < 2; many++) {
            double start = now();
            CHECK_STATUS(PALITRA_OK,
                         palitra_runner_wait_any(runner, tokens, many ? COUNT : 1, PALITRA_FOREVER, &index));
            double took = now() - start;
            if (i == 0 || took < seconds[many]) seconds[many] = took;
            CHECK_NUMBER(0, index);
        }
        if (seconds[1] > 0.01) break;
    }
    CHECK(seconds[1] < 50 * seconds[0]);
    free_tokens(tokens, COUNT);
}

static void wait_any_of_pending_tokens_is_pending_at_its_timeout(void) {
    palitra_token tokens[2] = {submit(runner, "test.never", ""), submit(runner, "test.never", "")};
    double start = now();
    CHECK_STATUS(PALITRA_PENDING, palitra_runner_wait_any(runner, tokens, LENGTH(tokens), SECONDS(0.1), NULL));
    CHECK_TOOK(0.1, 5, start);
    CHECK_STATUS(PALITRA_PENDING, palitra_runner_wait_any(runner, tokens, LENGTH(tokens), 0, NULL));
    for (size_t i = 0; i < LENGTH(tokens); i++) end_never(runner, tokens[i]);
}

/* The way a program follows many jobs: wait for any, remove it, wait again. */
static void wait_any_finds_each_of_many_in_turn(void) {
    palitra_token left[50];
    size_t count = LENGTH(left), index;
    for (size_t i = 0; i < count; i++) left[i] = submit(runner, "palitra.sleep", "{\"seconds\": 0.01}");
    while (count > 0) {
        CHECK_STATUS(PALITRA_OK, palitra_runner_wait_any(runner, left, count, PALITRA_FOREVER, &index));
        CHECK(index < count);
        CHECK_STATUS(PALITRA_OK, palitra_token_poll(left[index], NULL));
        palitra_token_free(left[index]);
        left[index] = left[--count];
    }
}

/* ---- PALITRA_FREE_TOKENS ------------------------------------------------------------------------------ */

static void check_freed(const palitra_token *tokens, size_t count) {
    for (size_t i = 0; i < count; i++) CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_token_poll(tokens[i], NULL));
}

static void tokens_that_have_finished_are_freed_if_the_host_says_so(void) {
    enum { COUNT = 300 };
    static palitra_token tokens[COUNT];
    static palitra_reply replies[COUNT];
    char text[16];
    for (uint32_t fail_fast = 0; fail_fast <= PALITRA_FAIL_FAST; fail_fast++) {
        for (int i = 0; i < COUNT; i++) {
            snprintf(text, sizeof text, "%d", i);
            tokens[i] = submit(runner, "palitra.echo", text);
        }
        CHECK_STATUS(PALITRA_OK, gather(tokens, COUNT, PALITRA_FREE_TOKENS | fail_fast, replies));
        check_freed(tokens, COUNT);
        for (int i = 0; i < COUNT; i++) {
            snprintf(text, sizeof text, "%d", i);
            CHECK_REPLY(text, replies[i]);
        }
        free_replies(replies, COUNT);
        for (int i = 0; i < COUNT; i++) tokens[i] = submit(runner, "palitra.echo", "x");
        CHECK_STATUS(PALITRA_OK, gather(tokens, COUNT, PALITRA_FREE_TOKENS | fail_fast, NULL));
        check_freed(tokens, COUNT);
    }
}

static void those_that_are_pending_are_not_freed(void) {
    palitra_token tokens[3] = {submit(runner, "palitra.echo", "done"), submit(runner, "test.never", ""),
                               submit(runner, "test.fail", FAILS)};
    palitra_reply replies[LENGTH(tokens)];
    CHECK_STATUS(PALITRA_JOB_FAILED, palitra_runner_wait(runner, tokens[2], PALITRA_FOREVER, NULL));
    CHECK_STATUS(PALITRA_PENDING,
                 palitra_runner_gather(runner, tokens, LENGTH(tokens), PALITRA_FREE_TOKENS, SECONDS(0.05), replies));
    CHECK_REPLY("done", replies[0]);
    CHECK_STATUS(PALITRA_PENDING, replies[1].status);
    CHECK_REPLY("no", replies[2]);
    free_replies(replies, LENGTH(replies));
    CHECK_STATUS(PALITRA_PENDING, palitra_token_poll(tokens[1], NULL));
    check_freed(tokens, 1);
    check_freed(tokens + 2, 1);
    end_never(runner, tokens[1]);
}

static void none_is_freed_if_one_is_invalid(void) {
    palitra_token tokens[3] = {submit(runner, "palitra.echo", "x"), {0}, submit(runner, "palitra.echo", "y")};
    CHECK_STATUS(PALITRA_INVALID_HANDLE, gather(tokens, LENGTH(tokens), PALITRA_FREE_TOKENS, NULL));
    CHECK_STATUS(PALITRA_INVALID_HANDLE, gather(tokens, LENGTH(tokens), PALITRA_FREE_TOKENS | PALITRA_FAIL_FAST, NULL));
    CHECK_STATUS(PALITRA_OK, palitra_runner_wait(runner, tokens[0], PALITRA_FOREVER, NULL));
    CHECK_STATUS(PALITRA_OK, palitra_runner_wait(runner, tokens[2], PALITRA_FOREVER, NULL));
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, gather(tokens, 1, 4, NULL));
    free_tokens(tokens, LENGTH(tokens));
}

/* The jobs that are cancelled still run: their replies are told apart from those of jobs that have ended. */
static void those_that_fail_fast_cancels_are_freed(void) {
    palitra_token tokens[3] = {submit(runner, "test.never", ""), submit(runner, "test.fail", FAILS),
                               submit(runner, "palitra.sleep", "{\"seconds\": 60}")};
    palitra_reply replies[LENGTH(tokens)];
    int before = dropped(runner);
    CHECK_STATUS(PALITRA_JOB_FAILED, gather(tokens, LENGTH(tokens), PALITRA_FAIL_FAST | PALITRA_FREE_TOKENS, replies));
    CHECK_STATUS(PALITRA_CANCELLED, replies[0].status);
    CHECK_REPLY("no", replies[1]);
    CHECK_STATUS(PALITRA_CANCELLED, replies[2].status);
    free_replies(replies, LENGTH(replies));
    check_freed(tokens, LENGTH(tokens));
    EVENTUALLY(dropped(runner) == before + 1);
}

int main(void) {
    runner = new_runner();
    TEST(replies_come_in_the_order_of_the_tokens);
    TEST(a_thousand_jobs_are_gathered_at_once);
    TEST(the_status_is_that_of_the_first_in_order_that_did_not_succeed);
    TEST(at_its_timeout_it_returns_pending_as_do_the_replies_that_are_missing);
    TEST(fail_fast_returns_the_first_failure_in_time_after_cancelling_the_rest);
    TEST(fail_fast_keeps_what_had_succeeded);
    TEST(fail_fast_without_a_failure_is_an_ordinary_gather);
    TEST(no_tokens_are_gathered_at_once);
    TEST(the_same_token_may_stand_twice);
    TEST(wait_any_names_one_that_has_finished);
    TEST(wait_any_on_the_runners_thread_names_one_that_has_finished_and_waits_for_none);
    TEST(wait_any_looks_no_further_than_the_first_that_has_finished);
    TEST(wait_any_of_pending_tokens_is_pending_at_its_timeout);
    TEST(wait_any_finds_each_of_many_in_turn);
    TEST(tokens_that_have_finished_are_freed_if_the_host_says_so);
    TEST(those_that_are_pending_are_not_freed);
    TEST(none_is_freed_if_one_is_invalid);
    TEST(those_that_fail_fast_cancels_are_freed);
    palitra_runner_free(runner);
    return 0;
}
