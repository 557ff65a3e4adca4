/* Preloaded into a program: its runners take as many jobs at a time as MAX_IN_FLIGHT says, and payloads as long as
 * MAX_PAYLOAD says, so that jobs are refused which it counts on. */
#define _GNU_SOURCE

#include <dlfcn.h>
#include <palitra.h>
#include <stdlib.h>

typedef palitra_status new_fn(const palitra_runner_options *options, palitra_runner *out);

static size_t limit(const char *name) { return getenv(name) == NULL ? 0 : (size_t)atoi(getenv(name)); }

palitra_status palitra_runner_new(const palitra_runner_options *options, palitra_runner *out) {
    palitra_runner_options small;
    (void)options;
    palitra_runner_options_init(&small);
    small.max_in_flight = limit("MAX_IN_FLIGHT");
    small.max_payload = limit("MAX_PAYLOAD");
    /* Not by a cast: ISO C has none from a pointer to data. */
    union {
        void *found;
        new_fn *real;
    } next = {dlsym(RTLD_NEXT, "palitra_runner_new")};
    return next.real(&small, out);
}
