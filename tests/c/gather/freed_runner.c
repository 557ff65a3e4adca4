/* Waiting for tokens whose runner was freed: they have finished, and every way to wait for them still works. A handle
 * that never was a runner's is refused as before.
 *
 * Promise 1: a token finishes exactly once. Promise 11: bad input returns a status.
 */
#include "test.h"

static palitra_runner freed;
static palitra_token tokens[2];

static void each_way_to_wait_returns_the_replies(void) {
    palitra_reply replies[2];
    size_t index = 7;
    CHECK_STATUS(PALITRA_OK, palitra_runner_wait(freed, tokens[0], PALITRA_FOREVER, &replies[0]));
    CHECK_REPLY("x", replies[0]);
    palitra_reply_free(&replies[0]);
    CHECK_STATUS(PALITRA_CANCELLED, palitra_runner_wait(freed, tokens[1], 0, NULL));
    CHECK_STATUS(PALITRA_OK, palitra_runner_wait_any(freed, tokens, 2, PALITRA_FOREVER, &index));
    CHECK_NUMBER(0, index);
    CHECK_STATUS(PALITRA_CANCELLED, palitra_runner_gather(freed, tokens, 2, PALITRA_FAIL_FAST, SECONDS(20), NULL));
    CHECK_STATUS(PALITRA_CANCELLED, palitra_runner_gather(freed, tokens, 2, 0, PALITRA_FOREVER, replies));
    CHECK_REPLY("x", replies[0]);
    CHECK_STATUS(PALITRA_CANCELLED, replies[1].status);
    palitra_reply_free(&replies[0]);
    palitra_reply_free(&replies[1]);
}

static void a_pending_token_of_another_runner_is_refused(void) {
    palitra_runner other = new_runner();
    palitra_token pending = submit(other, "test.never", "");
    size_t index;
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_runner_wait(freed, pending, PALITRA_FOREVER, NULL));
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_runner_wait_any(freed, &pending, 1, PALITRA_FOREVER, &index));
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_runner_gather(freed, &pending, 1, 0, PALITRA_FOREVER, NULL));
    palitra_token_free(pending);
    palitra_runner_free(other);
}

static void a_handle_that_was_never_a_runner_is_refused(void) {
    /* The last is of the same slot, but of a time to come. */
    const palitra_runner wrong[] = {{0}, {UINT64_MAX}, {tokens[0].id}, {freed.id ^ 1u << 20}};
    size_t index;
    for (size_t i = 0; i < LENGTH(wrong); i++) {
        CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_runner_wait(wrong[i], tokens[0], 0, NULL));
        CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_runner_wait_any(wrong[i], tokens, 2, 0, &index));
        CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_runner_gather(wrong[i], tokens, 2, 0, 0, NULL));
    }
}

int main(void) {
    freed = new_runner();
    tokens[0] = submit(freed, "palitra.echo", "x");
    tokens[1] = submit(freed, "test.never", "");
    CHECK_STATUS(PALITRA_OK, palitra_runner_wait(freed, tokens[0], PALITRA_FOREVER, NULL));
    palitra_runner_free(freed);
    TEST(each_way_to_wait_returns_the_replies);
    TEST(a_pending_token_of_another_runner_is_refused);
    TEST(a_handle_that_was_never_a_runner_is_refused);
    palitra_token_free(tokens[0]);
    palitra_token_free(tokens[1]);
    return 0;
}
