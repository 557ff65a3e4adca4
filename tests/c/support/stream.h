/* What the tests of streams share: a runner, a stream of numbers, and looks at what it has sent. */
#ifndef PALITRA_TEST_STREAM_H
#define PALITRA_TEST_STREAM_H

#include "test.h"

static palitra_runner runner;

static inline palitra_token stream(const char *options) { return submit(runner, "test.stream", options); }

/* The number that a job leaves as text. */
static inline int number_of(const char *job) {
    palitra_reply reply;
    char text[16] = {0};
    CHECK_STATUS(PALITRA_OK, run(runner, job, "", SECONDS(20), &reply));
    CHECK(reply.len < sizeof text);
    memcpy(text, reply.data, reply.len);
    palitra_reply_free(&reply);
    return atoi(text);
}

/* How many streams there are now. */
static inline int streams(void) { return number_of("test.streams"); }

static inline palitra_status next(palitra_token token, palitra_reply *item) {
    return palitra_token_next(token, PALITRA_FOREVER, item);
}

/* The next item is the number `n`. */
static inline void check_item(palitra_token token, unsigned n) {
    char expected[16];
    palitra_reply item;
    snprintf(expected, sizeof expected, "%u", n);
    CHECK_STATUS(PALITRA_OK, next(token, &item));
    CHECK_STATUS(PALITRA_OK, item.status);
    CHECK_NUMBER(PALITRA_TEXT, item.format);
    CHECK_REPLY(expected, item);
    palitra_reply_free(&item);
}

static inline uint64_t sent(palitra_token token) {
    uint64_t done = 99;
    CHECK_STATUS(PALITRA_OK, palitra_token_progress(token, &done, NULL));
    return done;
}

#endif
