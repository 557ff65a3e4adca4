/* Callbacks that are called in any case, exactly once and on time: also when the token is freed, while a job blocks the
 * runner's thread, and when the shutdown gives up.
 *
 * Promise 3: deadlines hold; Promise 6: callbacks run once.
 */
#include "calls.h"
#include "scheduling.h"

static palitra_runner runner;

static palitra_status on_ready(palitra_token token, uint32_t flags, struct call *call) {
    return palitra_token_on_ready(token, flags, note_call, call, note_free);
}

static void check_called(struct call *call, palitra_token token, palitra_status status) {
    EVENTUALLY(frees(call) > 0);
    CHECK_NUMBER(1, calls(call));
    CHECK_NUMBER(1, frees(call));
    CHECK(!call->freed_before_called);
    CHECK_NUMBER(token.id, call->token.id);
    CHECK_STATUS(status, call->status);
    CHECK(!pthread_equal(call->thread, pthread_self()));
}

static void it_is_called_when_the_job_finishes_or_has_finished(void) {
    struct call first = {0}, second = {0};
    palitra_token token = submit(runner, "palitra.sleep", "{\"seconds\":0.02}");
    CHECK_STATUS(PALITRA_OK, on_ready(token, 0, &first));
    check_called(&first, token, PALITRA_OK);
    CHECK_STATUS(PALITRA_OK, on_ready(token, PALITRA_OR_ITEM, &second));
    check_called(&second, token, PALITRA_OK);
    palitra_token_free(token);
}

static void it_is_called_when_the_token_is_freed_and_not_in_that_call(void) {
    struct call end = {0}, item = {0};
    palitra_token token = submit(runner, "test.never", "");
    CHECK_STATUS(PALITRA_OK, on_ready(token, 0, &end));
    CHECK_STATUS(PALITRA_OK, on_ready(token, PALITRA_OR_ITEM, &item));
    palitra_token_free(token);
    check_called(&end, token, PALITRA_INVALID_HANDLE);
    check_called(&item, token, PALITRA_INVALID_HANDLE);
}

static void it_is_called_when_an_item_can_be_read(void) {
    palitra_token token = submit(runner, "test.stream", "{\"items\":2}");
    for (int i = 0; i < 2; i++) {
        struct call call = {0};
        CHECK_STATUS(PALITRA_OK, on_ready(token, PALITRA_OR_ITEM, &call));
        EVENTUALLY(frees(&call) > 0);
        CHECK_NUMBER(1, calls(&call));
        CHECK_STATUS(PALITRA_OK, palitra_token_next(token, 0, NULL));
    }
    struct call call = {0};
    CHECK_STATUS(PALITRA_OK, on_ready(token, PALITRA_OR_ITEM, &call));
    check_called(&call, token, PALITRA_OK);
    CHECK_STATUS(PALITRA_END, palitra_token_next(token, 0, NULL));
    palitra_token_free(token);
}

static void it_is_called_while_a_job_blocks_the_thread(void) {
    struct call cancelled = {0}, late = {0}, plain = {0};
    palitra_submit_options soon;
    palitra_submit_options_init(&soon);
    soon.deadline_ns = PALITRA_MS(50);
    palitra_token holding = hold(runner, "{\"seconds\":3}"), never = submit(runner, "test.never", ""), passing;
    double start = now();
    CHECK_STATUS(PALITRA_OK, palitra_runner_submit(runner, "test.never", NULL, 0, &soon, &passing));
    CHECK_STATUS(PALITRA_OK, on_ready(never, 0, &cancelled));
    CHECK_STATUS(PALITRA_OK, on_ready(passing, PALITRA_OR_ITEM, &late));
    CHECK_STATUS(PALITRA_OK, palitra_token_on_complete(never, note_call, &plain, note_free));
    CHECK_STATUS(PALITRA_OK, palitra_token_cancel(never));
    check_called(&cancelled, never, PALITRA_CANCELLED);
    check_called(&late, passing, PALITRA_DEADLINE);
    CHECK_STATUS(PALITRA_PENDING, palitra_token_poll(holding, NULL));
    CHECK_TOOK(0, 2.5, start);
    /* The other callback stays with the runner's own thread. */
    CHECK_NUMBER(0, calls(&plain));
    CHECK_STATUS(PALITRA_OK, wait_and_free(runner, holding));
    EVENTUALLY(frees(&plain) == 1);
    CHECK_NUMBER(1, calls(&plain));
    CHECK(pthread_equal(cancelled.thread, late.thread) && !pthread_equal(cancelled.thread, plain.thread));
    palitra_token_free(never);
    palitra_token_free(passing);
}

static int inside, at_most, total;

/* Two at a time would be seen. */
static void note_overlap(palitra_token token, palitra_status status, void *user_data) {
    (void)token;
    (void)status;
    (void)user_data;
    int here = __atomic_add_fetch(&inside, 1, __ATOMIC_SEQ_CST);
    if (here > at_most) at_most = here;
    pause_for(0.0005);
    __atomic_fetch_sub(&inside, 1, __ATOMIC_SEQ_CST);
    __atomic_fetch_add(&total, 1, __ATOMIC_SEQ_CST);
}

static void it_does_not_run_beside_another_callback(void) {
    palitra_token tokens[200];
    palitra_token holding = hold(runner, "{\"seconds\":0.15}");
    for (size_t i = 0; i < LENGTH(tokens); i++) {
        tokens[i] = submit(runner, "test.never", "");
        CHECK_STATUS(PALITRA_OK, palitra_token_on_ready(tokens[i], 0, note_overlap, NULL, NULL));
        CHECK_STATUS(PALITRA_OK, palitra_token_on_complete(tokens[i], note_overlap, NULL, NULL));
        CHECK_STATUS(PALITRA_OK, palitra_token_cancel(tokens[i]));
    }
    EVENTUALLY(__atomic_load_n(&total, __ATOMIC_SEQ_CST) == 2 * (int)LENGTH(tokens));
    CHECK_NUMBER(1, at_most);
    CHECK_STATUS(PALITRA_OK, wait_and_free(runner, holding));
    for (size_t i = 0; i < LENGTH(tokens); i++) palitra_token_free(tokens[i]);
}

static int release_callback;

static void block(palitra_token token, palitra_status status, void *user_data) {
    (void)token;
    (void)status;
    __atomic_store_n((int *)user_data, 1, __ATOMIC_RELEASE);
    while (!__atomic_load_n(&release_callback, __ATOMIC_ACQUIRE)) pause_for(0.001);
}

static void it_has_been_called_when_a_shutdown_gives_up(void) {
    int blocked = 0;
    struct call call = {0};
    palitra_runner stuck = new_runner();
    palitra_token ready = submit(stuck, "test.ready", ""), never = submit(stuck, "test.never", "");
    CHECK_STATUS(PALITRA_OK, palitra_token_on_complete(ready, block, &blocked, NULL));
    EVENTUALLY(__atomic_load_n(&blocked, __ATOMIC_ACQUIRE));
    CHECK_STATUS(PALITRA_OK, on_ready(never, 0, &call));
    CHECK_STATUS(PALITRA_PENDING, palitra_runner_shutdown(stuck, 0));
    CHECK_NUMBER(1, calls(&call));
    CHECK_NUMBER(1, frees(&call));
    CHECK_STATUS(PALITRA_CANCELLED, call.status);
    __atomic_store_n(&release_callback, 1, __ATOMIC_RELEASE);
    palitra_runner_free(stuck);
    palitra_token_free(ready);
    palitra_token_free(never);
}

static void what_is_refused_is_freed_and_not_called(void) {
    struct call call[4] = {{0}};
    palitra_runner ended = new_runner();
    palitra_token token = submit(runner, "test.never", ""), finished = submit(ended, "test.ready", "");
    palitra_runner_free(ended);
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_token_on_ready(token, 0, NULL, &call[0], note_free));
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, on_ready(token, 2, &call[1]));
    CHECK_STATUS(PALITRA_INVALID_HANDLE, on_ready((palitra_token){0}, 0, &call[2]));
    CHECK_STATUS(PALITRA_SHUT_DOWN, on_ready(finished, 0, &call[3]));
    for (size_t i = 0; i < LENGTH(call); i++) {
        CHECK_NUMBER(0, calls(&call[i]));
        CHECK_NUMBER(1, frees(&call[i]));
    }
    palitra_token_free(token);
    palitra_token_free(finished);
}

int main(void) {
    runner = new_runner();
    TEST(it_is_called_when_the_job_finishes_or_has_finished);
    TEST(it_is_called_when_the_token_is_freed_and_not_in_that_call);
    TEST(it_is_called_when_an_item_can_be_read);
    TEST(it_is_called_while_a_job_blocks_the_thread);
    TEST(it_does_not_run_beside_another_callback);
    TEST(it_has_been_called_when_a_shutdown_gives_up);
    TEST(what_is_refused_is_freed_and_not_called);
    palitra_runner_free(runner);
    return 0;
}
