/* Completion callbacks: called once, on the runner's thread, under no lock, and never again after the callback was
 * taken back. The finalizer runs exactly once, whatever happened.
 *
 * Promise 6: callbacks run once.
 */
#include "calls.h"

static palitra_runner runner;

static palitra_status on_complete(palitra_token token, struct call *call) {
    return palitra_token_on_complete(token, note_call, call, note_free);
}

/* Every callback that was due has been called. */
static void settle(void) {
    check_echo(runner);
    check_echo(runner);
}

static void check_called(struct call *call, palitra_token token, palitra_status status) {
    EVENTUALLY(frees(call) > 0);
    settle();
    CHECK_NUMBER(1, calls(call));
    CHECK_NUMBER(1, frees(call));
    CHECK(!call->freed_before_called);
    CHECK_NUMBER(token.id, call->token.id);
    CHECK_STATUS(status, call->status);
}

static void check_not_called(struct call *call) {
    CHECK_NUMBER(0, calls(call));
    CHECK_NUMBER(1, frees(call));
}

/* ---- when it is called ------------------------------------------------------------------------------ */

static void it_is_called_when_the_job_finishes(void) {
    static const struct {
        const char *job, *payload;
        palitra_status status;
    } jobs[] = {
        {"palitra.sleep", "{\"seconds\":0.02}", PALITRA_OK},
        {"test.fail", "{\"code\":1,\"message\":\"\"}", PALITRA_JOB_FAILED},
        {"test.panic_later", "oh", PALITRA_JOB_PANICKED},
    };
    for (size_t i = 0; i < LENGTH(jobs); i++) {
        struct call call = {0};
        palitra_token token = submit(runner, jobs[i].job, jobs[i].payload);
        CHECK_STATUS(PALITRA_OK, on_complete(token, &call));
        check_called(&call, token, jobs[i].status);
        palitra_token_free(token);
    }
}

static void it_is_called_soon_when_the_job_has_finished(void) {
    struct call call = {0};
    palitra_token token = submit(runner, "palitra.echo", "x");
    CHECK_STATUS(PALITRA_OK, palitra_runner_wait(runner, token, PALITRA_FOREVER, NULL));
    CHECK_STATUS(PALITRA_OK, on_complete(token, &call));
    check_called(&call, token, PALITRA_OK);
    palitra_token_free(token);
}

static void it_is_called_for_a_cancelled_job(void) {
    struct call call = {0};
    palitra_token token = submit(runner, "test.never", "");
    CHECK_STATUS(PALITRA_OK, on_complete(token, &call));
    settle();
    CHECK_NUMBER(0, calls(&call) + frees(&call));
    CHECK_STATUS(PALITRA_OK, palitra_token_cancel(token));
    check_called(&call, token, PALITRA_CANCELLED);
    palitra_token_free(token);
}

static void it_is_called_on_the_runners_thread(void) {
    palitra_runner shared = runner;
    runner = runner_with_workers(2);
    struct call called[20] = {{0}};
    for (size_t i = 0; i < LENGTH(called); i++) {
        palitra_token token = submit(runner, i % 2 == 0 ? "palitra.echo" : "test.never", "x");
        CHECK_STATUS(PALITRA_OK, on_complete(token, &called[i]));
        if (i % 2 == 1) CHECK_STATUS(PALITRA_OK, palitra_token_cancel(token));
        EVENTUALLY(frees(&called[i]) == 1);
        CHECK(!pthread_equal(pthread_self(), called[i].thread));
        CHECK(pthread_equal(called[0].thread, called[i].thread));
        palitra_token_free(token);
    }
    palitra_runner_free(runner);
    runner = shared;
}

static void several_for_one_token_are_each_called_once(void) {
    struct call called[10] = {{0}};
    palitra_token token = submit(runner, "palitra.sleep", "{\"seconds\":0.02}");
    for (size_t i = 0; i < LENGTH(called); i++) CHECK_STATUS(PALITRA_OK, on_complete(token, &called[i]));
    for (size_t i = 0; i < LENGTH(called); i++) check_called(&called[i], token, PALITRA_OK);
    palitra_token_free(token);
}

enum { THREADS = 4, EACH = 500 };
static struct call from_threads[THREADS * EACH];

static void *register_many(void *which) {
    for (size_t i = 0; i < EACH; i++) {
        struct call *call = &from_threads[(size_t)which * EACH + i];
        palitra_token token = submit(runner, "palitra.echo", "x");
        CHECK_STATUS(PALITRA_OK, on_complete(token, call));
        EVENTUALLY(i % 50 != 0 || frees(call) == 1);
        palitra_token_free(token); /* before or after: called or not */
    }
    return NULL;
}

static void it_is_registered_from_any_thread(void) {
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++) threads[i] = start_thread(register_many, (void *)i);
    for (size_t i = 0; i < THREADS; i++) join_thread(threads[i]);
    settle();
    for (size_t i = 0; i < LENGTH(from_threads); i++) {
        CHECK_NUMBER(1, frees(&from_threads[i]));
        CHECK(calls(&from_threads[i]) <= 1);
        CHECK(i % 50 != 0 || calls(&from_threads[i]) == 1);
    }
}

static void a_null_finalizer_is_none(void) {
    struct call call = {0};
    palitra_token token = submit(runner, "palitra.echo", "x");
    CHECK_STATUS(PALITRA_OK, palitra_token_on_complete(token, note_call, &call, NULL));
    EVENTUALLY(calls(&call) == 1);
    palitra_token_free(token);
}

/* ---- what it may do --------------------------------------------------------------------------------- */

static struct {
    palitra_status waited, ran, shut_down, polled, submitted, cancelled, registered;
    palitra_token next;
    struct call inner;
} inside;

static void do_everything(palitra_token token, palitra_status status, void *unused) {
    (void)status, (void)unused;
    palitra_token other = submit(runner, "test.never", "");
    inside.waited = palitra_runner_wait(runner, other, PALITRA_FOREVER, NULL);
    inside.ran = run(runner, "palitra.echo", "x", PALITRA_FOREVER, NULL);
    inside.shut_down = palitra_runner_shutdown(runner, 0);
    inside.polled = palitra_token_poll(token, NULL);
    inside.cancelled = palitra_token_cancel(other);
    palitra_token_free(other);
    inside.submitted = palitra_runner_submit(runner, "palitra.echo", "x", 1, NULL, &inside.next);
    inside.registered = on_complete(inside.next, &inside.inner);
    palitra_token_free(token);
}

static void it_may_submit_poll_cancel_free_and_register_but_not_block(void) {
    palitra_token token = submit(runner, "palitra.echo", "x");
    CHECK_STATUS(PALITRA_OK, palitra_token_on_complete(token, do_everything, NULL, NULL));
    EVENTUALLY(frees(&inside.inner) == 1);
    CHECK_STATUS(PALITRA_WOULD_DEADLOCK, inside.waited);
    CHECK_STATUS(PALITRA_WOULD_DEADLOCK, inside.ran);
    CHECK_STATUS(PALITRA_WOULD_DEADLOCK, inside.shut_down);
    CHECK_STATUS(PALITRA_OK, inside.polled);
    CHECK_STATUS(PALITRA_OK, inside.cancelled);
    CHECK_STATUS(PALITRA_OK, inside.submitted);
    CHECK_STATUS(PALITRA_OK, inside.registered);
    check_called(&inside.inner, inside.next, PALITRA_OK);
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_token_poll(token, NULL));
    palitra_token_free(inside.next);
}

/* ---- when it is not called -------------------------------------------------------------------------- */

static void a_refused_callback_is_freed(void) {
    struct call null_function = {0}, no_token = {0}, stale = {0}, another_kind = {0}, shut_down = {0};
    palitra_token token = submit(runner, "palitra.echo", "x"), old = submit(runner, "palitra.echo", "x");
    palitra_token_free(old);
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_token_on_complete(token, NULL, &null_function, note_free));
    CHECK_STATUS(PALITRA_INVALID_HANDLE, on_complete((palitra_token){0}, &no_token));
    CHECK_STATUS(PALITRA_INVALID_HANDLE, on_complete(old, &stale));
    CHECK_STATUS(PALITRA_INVALID_HANDLE, on_complete((palitra_token){runner.id}, &another_kind));
    palitra_runner ended = new_runner();
    palitra_token finished = submit(ended, "palitra.echo", "x");
    palitra_runner_shutdown(ended, PALITRA_FOREVER);
    CHECK_STATUS(PALITRA_SHUT_DOWN, on_complete(finished, &shut_down));
    check_not_called(&null_function);
    check_not_called(&no_token);
    check_not_called(&stale);
    check_not_called(&another_kind);
    check_not_called(&shut_down);
    palitra_runner_free(ended);
    palitra_token_free(finished);
    palitra_token_free(token);
}

static void freeing_the_pending_token_takes_it_back(void) {
    struct call called[100] = {{0}};
    for (size_t i = 0; i < LENGTH(called); i++) {
        palitra_token token = submit(runner, "palitra.sleep", "{\"seconds\":60}");
        CHECK_STATUS(PALITRA_OK, on_complete(token, &called[i]));
        CHECK_STATUS(PALITRA_OK, on_complete(token, &called[i]));
        palitra_token_free(token);
        CHECK_NUMBER(2, frees(&called[i])); /* when the free has returned, not later */
        CHECK_NUMBER(0, calls(&called[i]));
    }
    palitra_runner_free(runner);
    runner = new_runner();
    for (size_t i = 0; i < LENGTH(called); i++) CHECK_NUMBER(0, calls(&called[i]));
}

static struct call in_flight[1000];

static void after_a_shutdown_none_is_called(void) {
    palitra_token tokens[LENGTH(in_flight)];
    palitra_runner shared = runner;
    int counted = 0;
    runner = new_runner();
    for (size_t i = 0; i < LENGTH(in_flight); i++) {
        tokens[i] = submit(runner, i % 3 == 0 ? "palitra.echo" : "test.never", "x");
        CHECK_STATUS(PALITRA_OK, on_complete(tokens[i], &in_flight[i]));
    }
    CHECK_STATUS(PALITRA_OK, shutdown_runner(runner, 0));
    for (size_t i = 0; i < LENGTH(in_flight); i++) {
        CHECK_NUMBER(1, frees(&in_flight[i]));
        counted += calls(&in_flight[i]);
    }
    pause_for(0.05);
    for (size_t i = 0; i < LENGTH(in_flight); i++) counted -= calls(&in_flight[i]);
    CHECK_NUMBER(0, counted);
    palitra_runner_free(runner);
    for (size_t i = 0; i < LENGTH(tokens); i++) palitra_token_free(tokens[i]);
    runner = shared;
}

/* A job blocks the thread that would call. After the job the thread calls nothing. */
static void nor_after_a_shutdown_that_was_pending(void) {
    struct call call = {0};
    palitra_runner shared = runner;
    runner = new_runner();
    palitra_token never = submit(runner, "test.never", "");
    CHECK_STATUS(PALITRA_OK, on_complete(never, &call));
    palitra_token spin = submit(runner, "test.spin", "{\"seconds\":4}");
    pause_for(0.1);
    CHECK_STATUS(PALITRA_PENDING, palitra_runner_shutdown(runner, 0));
    int after = calls(&call);
    pause_for(2);
    EVENTUALLY(frees(&call) == 1);
    CHECK_NUMBER(after, calls(&call));
    palitra_runner_free(runner);
    palitra_token_free(never);
    palitra_token_free(spin);
    runner = shared;
}

int main(void) {
    runner = new_runner();
    TEST(it_is_called_when_the_job_finishes);
    TEST(it_is_called_soon_when_the_job_has_finished);
    TEST(it_is_called_for_a_cancelled_job);
    TEST(it_is_called_on_the_runners_thread);
    TEST(several_for_one_token_are_each_called_once);
    TEST(it_is_registered_from_any_thread);
    TEST(a_null_finalizer_is_none);
    TEST(it_may_submit_poll_cancel_free_and_register_but_not_block);
    TEST(a_refused_callback_is_freed);
    TEST(freeing_the_pending_token_takes_it_back);
    TEST(after_a_shutdown_none_is_called);
    TEST(nor_after_a_shutdown_that_was_pending);
    palitra_runner_free(runner);
    return 0;
}
