/* What the tests of callbacks share: what a call and the finalizer leave. */
#ifndef PALITRA_TEST_CALLS_H
#define PALITRA_TEST_CALLS_H

#include "test.h"

struct call {
    int calls, frees;
    bool freed_before_called;
    palitra_token token;
    palitra_status status;
    pthread_t thread;
};

static inline void note_call(palitra_token token, palitra_status status, void *user_data) {
    struct call *call = user_data;
    call->token = token;
    call->status = status;
    call->thread = pthread_self();
    call->freed_before_called = __atomic_load_n(&call->frees, __ATOMIC_ACQUIRE) != 0;
    __atomic_fetch_add(&call->calls, 1, __ATOMIC_RELEASE);
}

static inline void note_free(void *user_data) {
    __atomic_fetch_add(&((struct call *)user_data)->frees, 1, __ATOMIC_RELEASE);
}

static inline int calls(struct call *call) { return __atomic_load_n(&call->calls, __ATOMIC_ACQUIRE); }

static inline int frees(struct call *call) { return __atomic_load_n(&call->frees, __ATOMIC_ACQUIRE); }

#endif
