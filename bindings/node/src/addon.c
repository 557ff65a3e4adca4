/*
 * What lib/ needs of C: the calls of a library of palitra, and its completion queue in the event loop of Node.
 *
 * load(path, isMainThread, onEvents) opens a library and returns its functions, for one thread of JavaScript. They do
 * not block, except where their comment says so. Handles are BigInts, times nanoseconds, payloads strings or
 * Uint8Arrays. A function that fills a reply leaves its status, code and format in `out` and returns its data.
 *
 * Every job that lib/ waits for has the one queue, whose descriptor the event loop watches: no thread waits for it, and
 * none of libuv's workers is held. As long as jobs are pending, the watch keeps the process alive: ref and unref.
 */
#include "addon.h"

/* ---- the library ------------------------------------------------------------------------------------------ */

/* jobs(): name, doc, input and output of each. */
static napi_value jobs(napi_env env, napi_callback_info info) {
    ARGUMENTS(1)
    napi_value list, job;
    if (!check(env, napi_create_array(env, &list))) {
        return NULL;
    }
    for (uint32_t i = 0; i < addon->palitra.job_count(); i++) {
        palitra_job_info described;
        if (addon->palitra.job_at(i, &described) != PALITRA_OK || !check(env, napi_create_object(env, &job)) ||
            !set(env, job, "name", from_string(env, described.name)) ||
            !set(env, job, "doc", from_string(env, described.doc)) ||
            !set(env, job, "input", from_double(env, described.input)) ||
            !set(env, job, "output", from_double(env, described.output)) ||
            !check(env, napi_set_element(env, list, i, job))) {
            return NULL;
        }
    }
    return list;
}

/* describe(name): a reply, the JSON document. Of all jobs without a name. */
static napi_value describe(napi_env env, napi_callback_info info) {
    ARGUMENTS(1)
    struct bytes name;
    palitra_reply document;
    if (!read_bytes(env, argument[0], &name, NULL)) {
        return NULL;
    }
    addon->palitra.job_describe(name.data, &document);
    free_bytes(&name);
    return take_reply(addon, &document);
}

/* nearest(name): the job with the most similar name, or undefined. */
static napi_value nearest(napi_env env, napi_callback_info info) {
    ARGUMENTS(1)
    struct bytes name;
    scratch scratch_of_call;
    if (!read_name(env, argument[0], &name, scratch_of_call)) {
        return NULL;
    }
    const char *found = addon->palitra.job_nearest(name.data);
    free_bytes(&name);
    return found == NULL ? undefined(env) : from_string(env, found);
}

static napi_value status_name(napi_env env, napi_callback_info info) {
    ARGUMENTS(1)
    double status;
    return read_double(env, argument[0], &status) ? from_string(env, addon->palitra.status_name((palitra_status)status))
                                                  : NULL;
}

static napi_value status_message(napi_env env, napi_callback_info info) {
    ARGUMENTS(1)
    double status;
    return read_double(env, argument[0], &status)
               ? from_string(env, addon->palitra.status_message((palitra_status)status))
               : NULL;
}

/* configure(json): the status. */
static napi_value configure(napi_env env, napi_callback_info info) {
    ARGUMENTS(1)
    struct bytes json;
    if (!read_string(env, argument[0], &json, NULL)) {
        return NULL;
    }
    palitra_status status = addon->palitra.configure(json.data);
    free_bytes(&json);
    return return_status(addon, status);
}

/* ---- the event loop --------------------------------------------------------------------------------------- */

/* Has lib/ settle the jobs of one batch. What it throws is nobody's to catch. Returns whether this thread still runs
 * JavaScript: a worker that is being terminated does not. */
static bool tell_events(struct addon *addon) {
    napi_env env = addon->env;
    napi_handle_scope scope;
    napi_value global, function, length, exception;
    for (size_t i = 0; i < addon->batch_len; i++) {
        addon->events[2 * i] = (double)addon->batch[i].tag;
        addon->events[2 * i + 1] = addon->batch[i].status;
        addon->calls[i] = addon->palitra.event_call(&addon->batch[i]).id;
    }
    if (napi_open_handle_scope(env, &scope) != napi_ok) {
        return false;
    }
    bool is_told = napi_get_global(env, &global) == napi_ok &&
                   napi_get_reference_value(env, addon->on_events, &function) == napi_ok &&
                   napi_create_double(env, (double)addon->batch_len, &length) == napi_ok &&
                   (napi_make_callback(env, addon->context, global, function, 1, &length, NULL) == napi_ok ||
                    (napi_get_and_clear_last_exception(env, &exception) == napi_ok &&
                     napi_fatal_exception(env, exception) == napi_ok));
    napi_close_handle_scope(env, scope);
    return is_told;
}

/* One batch a turn of the loop: the descriptor stays readable as long as events wait, and timers have their turn. */
static void on_readable(uv_poll_t *watch, int status, int readable) {
    (void)status;
    (void)readable;
    struct addon *addon = watch->data;
    if (addon->palitra.queue_next(addon->queue, 0, addon->batch, BATCH, &addon->batch_len) == PALITRA_OK &&
        !tell_events(addon)) {
        uv_poll_stop(&addon->watch);
    }
}

static napi_value ref(napi_env env, napi_callback_info info) {
    ARGUMENTS(1)
    uv_ref((uv_handle_t *)&addon->watch);
    return NULL;
}

static napi_value unref(napi_env env, napi_callback_info info) {
    ARGUMENTS(1)
    uv_unref((uv_handle_t *)&addon->watch);
    return NULL;
}

/* ---- the environment's end -------------------------------------------------------------------------------- */

/* Frees the token or the call of each event of the batch, which lib/ may have freed. */
static void free_batch(struct addon *addon) {
    for (size_t i = 0; i < addon->batch_len; i++) {
        palitra_call call = addon->palitra.event_call(&addon->batch[i]);
        if (call.id != 0) {
            addon->palitra.call_free(call);
        } else {
            addon->palitra.token_free(addon->batch[i].token);
        }
    }
}

/* Frees what jobs have left, once their runners have ended. Each token that lib/ has not freed is in an event that
 * waits now, or in the batch in which JavaScript was terminated. So is each call: lib/ frees those that were cancelled.
 */
static void free_leftovers(struct addon *addon) {
    do {
        free_batch(addon);
    } while (addon->palitra.queue_next(addon->queue, 0, addon->batch, BATCH, &addon->batch_len) == PALITRA_OK);
}

/* The process's own end needs no more. A worker's must leave nothing behind. */
static void end_addon(uv_handle_t *watch) {
    struct addon *addon = watch->data;
    if (!addon->is_main_thread) {
        free_runners(addon);
        free_leftovers(addon);
        addon->palitra.queue_free(addon->queue);
    }
    free(addon->runners);
    napi_remove_async_cleanup_hook(addon->cleanup);
    free(addon);
}

static void on_cleanup(napi_async_cleanup_hook_handle cleanup, void *data) {
    (void)cleanup;
    struct addon *addon = data;
    addon->is_ending = true;
    uv_poll_stop(&addon->watch);
    if (!addon->is_main_thread || addon->shutdown_count > 0) {
        cut_runners_short(addon);
    }
    end_if_idle(addon);
}

void end_if_idle(struct addon *addon) {
    if (addon->is_ending && addon->shutdown_count == 0) {
        uv_close((uv_handle_t *)&addon->watch, end_addon);
    }
}

/* ---- load ------------------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    napi_callback function;
} FUNCTIONS_OF_A_LIBRARY[] = {
    {"describe", describe},
    {"register", register_job},
    {"payload", payload},
    {"complete", complete},
    {"send", send_item},
    {"report", report},
    {"notify", notify},
    {"freeCall", free_call},
    {"newRunner", new_runner},
    {"isAlive", is_alive},
    {"stats", stats},
    {"shutDown", shut_down},
    {"runSync", run_sync},
    {"start", start},
    {"submit", submit},
    {"submitMany", submit_many},
    {"poll", poll_token},
    {"next", next_item},
    {"cancel", cancel},
    {"progress", progress},
    {"free", free_token},
    {"jobs", jobs},
    {"nearest", nearest},
    {"statusName", status_name},
    {"configure", configure},
    {"statusMessage", status_message},
    {"ref", ref},
    {"unref", unref},
};

/* A typed array over memory of its own, which lives as long as the addon. */
static bool set_array(struct addon *addon, napi_value object, const char *name, napi_typedarray_type type, size_t n,
                      size_t size, void **memory, napi_ref *reference) {
    napi_value buffer, array;
    napi_env env = addon->env;
    return check(env, napi_create_arraybuffer(env, n * size, memory, &buffer)) &&
           check(env, napi_create_typedarray(env, type, n, buffer, 0, &array)) &&
           check(env, napi_create_reference(env, array, 1, reference)) && set(env, object, name, array);
}

static bool watch_queue(struct addon *addon) {
    uv_loop_t *loop;
    if (!check(addon->env, napi_get_uv_event_loop(addon->env, &loop))) {
        return false;
    }
    int fd = addon->palitra.queue_new(&addon->queue) == PALITRA_OK ? addon->palitra.queue_fd(addon->queue) : -1;
    if (fd < 0 || uv_poll_init(loop, &addon->watch, fd) != 0) {
        addon->palitra.queue_free(addon->queue);
        napi_throw_error(addon->env, NULL, "the system refuses a descriptor for the completion queue");
        return false;
    }
    addon->watch.data = addon;
    uv_poll_start(&addon->watch, UV_READABLE, on_readable);
    uv_unref((uv_handle_t *)&addon->watch);
    return true;
}

static bool fill(struct addon *addon, napi_value object, napi_value on_events) {
    napi_env env = addon->env;
    napi_value name = from_string(env, "palitra");
    bool is_filled = name != NULL && check(env, napi_async_init(env, NULL, name, &addon->context)) &&
                     check(env, napi_create_reference(env, on_events, 1, &addon->on_events)) &&
                     check(env, napi_create_reference(env, object, 1, &addon->object)) &&
                     set(env, object, "version", from_string(env, addon->palitra.version())) &&
                     set_array(addon, object, "out", napi_int32_array, 4, sizeof(int32_t), (void **)&addon->out,
                               &addon->out_array) &&
                     set_array(addon, object, "events", napi_float64_array, 2 * BATCH, sizeof(double),
                               (void **)&addon->events, &addon->events_array) &&
                     set_array(addon, object, "calls", napi_biguint64_array, BATCH, sizeof(uint64_t),
                               (void **)&addon->calls, &addon->calls_array);
    for (size_t i = 0; is_filled && i < sizeof FUNCTIONS_OF_A_LIBRARY / sizeof *FUNCTIONS_OF_A_LIBRARY; i++) {
        const char *called = FUNCTIONS_OF_A_LIBRARY[i].name;
        napi_value function;
        is_filled = check(env, napi_create_function(env, called, NAPI_AUTO_LENGTH, FUNCTIONS_OF_A_LIBRARY[i].function,
                                                    addon, &function)) &&
                    set(env, object, called, function);
    }
    return is_filled;
}

/* load(path, isMainThread, onEvents): see the top. onEvents(n) is called with n events in `events`. */
static napi_value load(napi_env env, napi_callback_info info) {
    napi_value argument[3], object;
    size_t count = 3;
    struct bytes path;
    scratch scratch_of_call;
    struct addon *addon = calloc(1, sizeof *addon);
    if (addon == NULL || !check(env, napi_get_cb_info(env, info, &count, argument, NULL, NULL)) ||
        !read_string(env, argument[0], &path, scratch_of_call)) {
        free(addon);
        return NULL;
    }
    addon->env = env;
    const char *trouble = open_library(path.data, &addon->palitra);
    free_bytes(&path);
    if (trouble != NULL) {
        napi_throw_error(env, NULL, trouble);
        free(addon);
        return NULL;
    }
    bool is_filled = check(env, napi_get_value_bool(env, argument[1], &addon->is_main_thread)) &&
                     check(env, napi_create_object(env, &object)) && fill(addon, object, argument[2]) &&
                     watch_queue(addon);
    if (!is_filled) {
        free(addon);
        return NULL;
    }
    /* From here on the environment owns it. */
    return check(env, napi_add_async_cleanup_hook(env, on_cleanup, addon, &addon->cleanup)) ? object : NULL;
}

NAPI_MODULE_INIT() {
    napi_value function;
    bool is_made = check(env, napi_create_function(env, "load", NAPI_AUTO_LENGTH, load, NULL, &function));
    return is_made && set(env, exports, "load", function) ? exports : NULL;
}
