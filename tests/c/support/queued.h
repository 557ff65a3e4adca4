/* What the tests of queued calls share: a job whose calls a queue delivers, and taking them out. */
#ifndef PALITRA_TEST_QUEUED_H
#define PALITRA_TEST_QUEUED_H

#include "registered.h"

#define CALLED UINT64_C(7)
#define NOTIFIED UINT64_C(8)

static inline palitra_queue new_queue(void) {
    palitra_queue queue = {0};
    CHECK_STATUS(PALITRA_OK, palitra_queue_new(&queue));
    return queue;
}

static inline palitra_status register_with(palitra_runner runner, const char *name, palitra_queue queue,
                                           size_t max_waiting) {
    palitra_job_info info = named(name);
    return palitra_runner_register_queued(runner, &info, queue, CALLED, max_waiting);
}

static inline void register_queued(palitra_runner runner, palitra_queue queue) {
    CHECK_STATUS(PALITRA_OK, register_with(runner, "host.queued", queue, 0));
}

/* The call that the next event, with this tag and status, is about. */
static inline palitra_call next_call(palitra_queue queue, uint64_t tag, palitra_status status) {
    palitra_event event;
    CHECK_STATUS(PALITRA_OK, palitra_queue_next(queue, SECONDS(20), &event, 1, NULL));
    CHECK_NUMBER(tag, event.tag);
    CHECK_STATUS(status, event.status);
    palitra_call call = palitra_event_call(&event);
    CHECK(call.id != 0);
    return call;
}

static inline palitra_call take_call(palitra_queue queue) { return next_call(queue, CALLED, PALITRA_PENDING); }

static inline void check_payload(palitra_call call, const char *expected) {
    const void *data;
    size_t len;
    CHECK_STATUS(PALITRA_OK, palitra_call_payload(call, &data, &len));
    check_text(__FILE__, __LINE__, "the payload", expected, data, len);
    CHECK(((const char *)data)[len] == '\0');
}

static inline void check_fails(palitra_token token, const char *message) {
    palitra_reply reply;
    CHECK_STATUS(PALITRA_JOB_FAILED, palitra_token_wait(token, SECONDS(20), &reply));
    CHECK_REPLY(message, reply);
    palitra_reply_free(&reply);
    palitra_token_free(token);
}

static inline void check_no_event(palitra_queue queue) {
    palitra_event event;
    CHECK_STATUS(PALITRA_PENDING, palitra_queue_next(queue, 0, &event, 1, NULL));
}

#endif
