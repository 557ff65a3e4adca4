/* What the tests of bad input share: a runner, a pending token and an empty queue that must survive every call, and
 * outputs full of garbage that a call must overwrite or leave alone. */
#ifndef PALITRA_TEST_BAD_INPUT_H
#define PALITRA_TEST_BAD_INPUT_H

#include "test.h"

static palitra_runner runner; /* alive throughout */
static palitra_token pending; /* of that runner, pending throughout */
static palitra_queue queue;   /* open and empty throughout */

static inline palitra_reply garbage_reply(void) {
    palitra_reply reply;
    memset(&reply, 0xAA, sizeof reply);
    return reply;
}

static inline palitra_event garbage_event(void) {
    palitra_event event;
    memset(&event, 0xAA, sizeof event);
    return event;
}

static inline void check_untouched(const palitra_event *event) {
    palitra_event garbage = garbage_event();
    CHECK_NUMBER(garbage.tag, event->tag);
    CHECK_NUMBER(garbage.token.id, event->token.id);
    CHECK_NUMBER(garbage.status, event->status);
}

/* A refused call has still left a reply that may be freed, and freed again. */
static inline void check_fit(palitra_status expected, palitra_reply *reply) {
    CHECK_STATUS(expected, reply->status);
    palitra_reply_free(reply);
    palitra_reply_free(reply);
}

static inline void begin_bad_input(void) {
    runner = new_runner();
    pending = submit(runner, "test.never", "");
    CHECK_STATUS(PALITRA_OK, palitra_queue_new(&queue));
}

static inline void after_all_this_everything_is_well(void) {
    palitra_event event;
    check_echo(runner);
    CHECK_STATUS(PALITRA_PENDING, palitra_token_poll(pending, NULL));
    CHECK_STATUS(PALITRA_PENDING, palitra_queue_next(queue, 0, &event, 1, NULL));
}

static inline int end_bad_input(void) {
    TEST(after_all_this_everything_is_well);
    palitra_token_free(pending);
    palitra_queue_free(queue);
    palitra_runner_free(runner);
    return 0;
}

#endif
