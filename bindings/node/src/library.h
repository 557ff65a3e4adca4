/*
 * A library built on palitra, opened by its path: the functions that this addon calls.
 *
 * The addon is not linked with any: one process may load the library that comes with the package and libraries of jobs
 * of its own, each with its own functions.
 */
#ifndef PALITRA_NODE_LIBRARY_H
#define PALITRA_NODE_LIBRARY_H

#include <dlfcn.h>
#include <palitra.h>
#include <stddef.h>

#define FUNCTIONS(FUNCTION) \
    FUNCTION(version) \
    FUNCTION(abi_version) \
    FUNCTION(status_name) \
    FUNCTION(status_message) \
    FUNCTION(job_count) \
    FUNCTION(job_at) \
    FUNCTION(job_nearest) \
    FUNCTION(job_describe) \
    FUNCTION(reply_free) \
    FUNCTION(reply_details) \
    FUNCTION(configure) \
    FUNCTION(runner_new) \
    FUNCTION(runner_is_alive) \
    FUNCTION(runner_run) \
    FUNCTION(runner_start) \
    FUNCTION(runner_submit) \
    FUNCTION(runner_submit_many) \
    FUNCTION(runner_stats) \
    FUNCTION(runner_shutdown) \
    FUNCTION(runner_free) \
    FUNCTION(token_poll) \
    FUNCTION(token_next) \
    FUNCTION(token_cancel) \
    FUNCTION(token_progress) \
    FUNCTION(token_free) \
    FUNCTION(queue_new) \
    FUNCTION(queue_fd) \
    FUNCTION(queue_next) \
    FUNCTION(queue_free) \
    FUNCTION(event_call) \
    FUNCTION(runner_register_queued) \
    FUNCTION(call_payload) \
    FUNCTION(call_complete) \
    FUNCTION(call_send) \
    FUNCTION(call_progress) \
    FUNCTION(call_notify) \
    FUNCTION(call_free)

struct functions {
#define MEMBER(name) __typeof__(&palitra_##name) name;
    FUNCTIONS(MEMBER)
#undef MEMBER
};

/* Opens the library for good, as it may have threads. Returns NULL, or a message that lives until the next call. */
static inline const char *open_library(const char *path, struct functions *functions) {
    void *image = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (image == NULL) {
        return dlerror();
    }
#define LOOK_UP(name) \
    functions->name = (__typeof__(functions->name))dlsym(image, "palitra_" #name); \
    if (functions->name == NULL) { \
        return "not a library of palitra, or too old: palitra_" #name " is missing"; \
    }
    FUNCTIONS(LOOK_UP)
#undef LOOK_UP
    return functions->abi_version() == PALITRA_ABI_VERSION ? NULL : "the library has another ABI version";
}

#endif
