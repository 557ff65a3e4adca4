/*
 * What the rooms of the addon share: a library as one thread of JavaScript sees it, and the functions that addon.c
 * gives to JavaScript, each with its arguments in the comment where it is defined.
 */
#ifndef PALITRA_NODE_ADDON_H
#define PALITRA_NODE_ADDON_H

#include "library.h"
#include "values.h"

#include <uv.h>

#define BATCH 256

/* One library as one thread of JavaScript sees it. Lives until that thread's environment ends. */
struct addon {
    struct functions palitra;
    napi_env env;
    napi_async_cleanup_hook_handle cleanup;
    bool is_main_thread;

    palitra_queue queue;
    uv_poll_t watch;
    napi_ref on_events;
    napi_async_context context;
    /* The batch that lib/ was notified of last. */
    palitra_event batch[BATCH];
    size_t batch_len;
    /* Its events, as pairs of a tag and a status: memory of a Float64Array. */
    double *events;
    napi_ref events_array;
    /* The calls that they are about, 0 where they are about a token: memory of a BigUint64Array. */
    uint64_t *calls;
    napi_ref calls_array;
    /* What load returned: JavaScript keeps it as long as this thread of it lives. */
    napi_ref object;
    /* Status, code and format of the last reply, and whether it has details: memory of an Int32Array. */
    int32_t *out;
    napi_ref out_array;

    /* The runners that were made here and not freed. */
    uint64_t *runners;
    size_t runner_count;
    /* The shutdowns that have not ended: each has a thread that uses this. */
    size_t shutdown_count;
    bool is_ending;
};

#define ARGUMENTS(n) \
    napi_value argument[n]; \
    size_t count = n; \
    struct addon *addon; \
    if (!check(env, napi_get_cb_info(env, info, &count, argument, NULL, (void **)&addon))) { \
        return NULL; \
    }

/* Sets a property; false if the value is none. */
static inline bool set(napi_env env, napi_value object, const char *name, napi_value value) {
    return value != NULL && check(env, napi_set_named_property(env, object, name, value));
}

/* Hands a reply over and frees it. The data of bytes is a Buffer, any other a string; the details of a failure are a
 * property of the library. */
napi_value take_reply(struct addon *addon, palitra_reply *reply);

napi_value return_status(struct addon *addon, palitra_status status);

/* Ends the runners that were made here, and with them each shutdown that waits for its grace period. */
void cut_runners_short(struct addon *addon);

/* A thread of JavaScript frees the runners that it made. */
void free_runners(struct addon *addon);

/* Ends an addon whose environment ends, once no shutdown has a thread any more. */
void end_if_idle(struct addon *addon);

napi_value new_runner(napi_env env, napi_callback_info info);
napi_value is_alive(napi_env env, napi_callback_info info);
napi_value stats(napi_env env, napi_callback_info info);
napi_value shut_down(napi_env env, napi_callback_info info);
napi_value run_sync(napi_env env, napi_callback_info info);
napi_value start(napi_env env, napi_callback_info info);
napi_value submit(napi_env env, napi_callback_info info);
napi_value submit_many(napi_env env, napi_callback_info info);
napi_value poll_token(napi_env env, napi_callback_info info);
napi_value next_item(napi_env env, napi_callback_info info);
napi_value cancel(napi_env env, napi_callback_info info);
napi_value progress(napi_env env, napi_callback_info info);
napi_value free_token(napi_env env, napi_callback_info info);
napi_value register_job(napi_env env, napi_callback_info info);
napi_value payload(napi_env env, napi_callback_info info);
napi_value complete(napi_env env, napi_callback_info info);
napi_value send_item(napi_env env, napi_callback_info info);
napi_value report(napi_env env, napi_callback_info info);
napi_value notify(napi_env env, napi_callback_info info);
napi_value free_call(napi_env env, napi_callback_info info);

#endif
