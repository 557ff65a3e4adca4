/* What the tests of a host's own jobs share: a job that leaves its calls to the test. */
#ifndef PALITRA_TEST_REGISTERED_H
#define PALITRA_TEST_REGISTERED_H

#include "test.h"

#include <stdatomic.h>

/* What the function of a job was called with, for those who answer later. */
struct seen {
    palitra_call call;
    char payload[64];
    atomic_int calls;
    atomic_int frees;
};

static inline void freed(void *seen) { atomic_fetch_add(&((struct seen *)seen)->frees, 1); }

/* Leaves the call to the test. */
static inline void keep(palitra_call call, const void *data, size_t len, void *seen) {
    struct seen *kept = seen;
    CHECK(len < sizeof kept->payload);
    kept->call = call;
    memcpy(kept->payload, data, len + 1);
    atomic_fetch_add(&kept->calls, 1);
}

static inline palitra_job_info named(const char *name) {
    return (palitra_job_info){.name = name, .input = PALITRA_BYTES, .output = PALITRA_TEXT};
}

static inline void register_job(palitra_runner runner, const char *name, palitra_job_fn function, struct seen *seen) {
    palitra_job_info info = named(name);
    CHECK_STATUS(PALITRA_OK, palitra_runner_register(runner, &info, function, seen, freed));
}

/* A call of a job that `keep` has got. */
static inline palitra_token kept_call(palitra_runner runner, struct seen *seen, const char *payload) {
    int before = atomic_load(&seen->calls);
    palitra_token token = submit(runner, "host.keep", payload);
    EVENTUALLY(atomic_load(&seen->calls) == before + 1);
    return token;
}

static inline palitra_status complete(palitra_call call, palitra_status status, int32_t code, const char *text) {
    return palitra_call_complete(call, status, code, PALITRA_TEXT, text, strlen(text));
}

#endif
