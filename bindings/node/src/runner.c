/*
 * Runners: made, asked, shut down, freed.
 */
#include "addon.h"

#include <pthread.h>

static bool remember_runner(struct addon *addon, uint64_t runner) {
    uint64_t *runners = realloc(addon->runners, (addon->runner_count + 1) * sizeof *runners);
    if (runners == NULL) {
        return false;
    }
    addon->runners = runners;
    runners[addon->runner_count++] = runner;
    return true;
}

static void forget_runner(struct addon *addon, uint64_t runner) {
    for (size_t i = 0; i < addon->runner_count; i++) {
        if (addon->runners[i] == runner) {
            addon->runners[i] = addon->runners[--addon->runner_count];
            return;
        }
    }
}

/* newRunner(workerThreads, maxBlockingThreads, maxInFlight, maxPayload, name, config): the runner; status in out. */
napi_value new_runner(napi_env env, napi_callback_info info) {
    ARGUMENTS(6)
    double numbers[4];
    for (size_t i = 0; i < 4; i++) {
        if (!read_double(env, argument[i], &numbers[i])) {
            return NULL;
        }
    }
    palitra_runner_options options = {
        .size = sizeof options,
        .worker_threads = numbers[0] < UINT32_MAX ? (uint32_t)numbers[0] : UINT32_MAX,
        .max_blocking_threads = numbers[1] < UINT32_MAX ? (uint32_t)numbers[1] : UINT32_MAX,
        .max_in_flight = (size_t)numbers[2],
        .max_payload = (size_t)numbers[3],
    };
    struct bytes name, config = {0};
    if (!read_name(env, argument[4], &name, NULL)) {
        return NULL;
    }
    palitra_runner runner = {0};
    if (read_bytes(env, argument[5], &config, NULL)) {
        options.thread_name = name.data;
        options.config = config.data;
        addon->out[0] = addon->palitra.runner_new(&options, &runner);
    }
    free_bytes(&name);
    free_bytes(&config);
    if (runner.id != 0 && !remember_runner(addon, runner.id)) {
        addon->palitra.runner_free(runner);
        runner.id = 0;
        addon->out[0] = PALITRA_INTERNAL;
    }
    return from_u64(env, runner.id);
}

napi_value is_alive(napi_env env, napi_callback_info info) {
    ARGUMENTS(1)
    palitra_runner runner;
    napi_value answer;
    if (!read_u64(env, argument[0], &runner.id)) {
        return NULL;
    }
    return check(env, napi_get_boolean(env, addon->palitra.runner_is_alive(runner), &answer)) ? answer : NULL;
}

/* stats(runner): the figures in the order of palitra_stats, from threads on; status in out. */
napi_value stats(napi_env env, napi_callback_info info) {
    ARGUMENTS(1)
    palitra_runner runner;
    if (!read_u64(env, argument[0], &runner.id)) {
        return NULL;
    }
    palitra_stats figures = {.size = sizeof figures};
    addon->out[0] = addon->palitra.runner_stats(runner, &figures);
    const uint64_t values[] = {figures.threads,   figures.submitted,      figures.running,  figures.queued,
                               figures.succeeded, figures.failed,         figures.panicked, figures.cancelled,
                               figures.deadline,  figures.longest_poll_ns};
    napi_value list, value;
    if (!check(env, napi_create_array(env, &list))) {
        return NULL;
    }
    for (uint32_t i = 0; i < sizeof values / sizeof *values; i++) {
        value = from_double(env, (double)values[i]);
        if (value == NULL || !check(env, napi_set_element(env, list, i, value))) {
            return NULL;
        }
    }
    return list;
}

/* One shutdown. It blocks for the grace period and a second at most, on a thread of its own: the end of a process, and
 * of a worker, would wait for one of libuv's. */
struct shutdown {
    struct addon *addon;
    pthread_t thread;
    bool has_thread;
    uv_async_t ended;
    napi_deferred deferred;
    palitra_runner runner;
    int64_t grace_ns;
    bool frees;
    palitra_status status;
};

static void *shut_down_on_thread(void *data) {
    struct shutdown *shutdown = data;
    shutdown->status = shutdown->addon->palitra.runner_shutdown(shutdown->runner, shutdown->grace_ns);
    if (shutdown->frees) {
        shutdown->addon->palitra.runner_free(shutdown->runner);
    }
    uv_async_send(&shutdown->ended);
    return NULL;
}

/* Settles the promise, unless this thread runs no JavaScript any more. */
static void resolve_shutdown(struct shutdown *shutdown) {
    napi_env env = shutdown->addon->env;
    napi_handle_scope scope;
    napi_callback_scope callback;
    napi_value resource, value;
    if (napi_open_handle_scope(env, &scope) != napi_ok) {
        return;
    }
    if (napi_create_object(env, &resource) == napi_ok &&
        napi_open_callback_scope(env, resource, shutdown->addon->context, &callback) == napi_ok) {
        if (napi_create_double(env, shutdown->status, &value) == napi_ok) {
            napi_resolve_deferred(env, shutdown->deferred, value);
        }
        napi_close_callback_scope(env, callback);
    }
    napi_close_handle_scope(env, scope);
}

static void free_shutdown(uv_handle_t *ended) {
    struct shutdown *shutdown = ended->data;
    struct addon *addon = shutdown->addon;
    free(shutdown);
    addon->shutdown_count--;
    end_if_idle(addon);
}

static void on_shutdown(uv_async_t *ended) {
    struct shutdown *shutdown = ended->data;
    if (shutdown->has_thread) {
        /* It has nothing left to do, but Node may unload its code as soon as a worker has ended. */
        pthread_join(shutdown->thread, NULL);
    }
    if (shutdown->frees) {
        forget_runner(shutdown->addon, shutdown->runner.id);
    }
    if (!shutdown->addon->is_ending) {
        resolve_shutdown(shutdown);
    }
    uv_close((uv_handle_t *)ended, free_shutdown);
}

/* shutDown(runner, grace, frees): a promise of the status. */
napi_value shut_down(napi_env env, napi_callback_info info) {
    ARGUMENTS(3)
    struct shutdown *shutdown = calloc(1, sizeof *shutdown);
    double grace;
    napi_value promise;
    uv_loop_t *loop;
    if (shutdown == NULL) {
        napi_throw_error(env, NULL, "not enough memory");
        return NULL;
    }
    shutdown->addon = addon;
    if (!read_u64(env, argument[0], &shutdown->runner.id) || !read_double(env, argument[1], &grace) ||
        !check(env, napi_get_value_bool(env, argument[2], &shutdown->frees)) ||
        !check(env, napi_get_uv_event_loop(env, &loop)) ||
        !check(env, napi_create_promise(env, &shutdown->deferred, &promise))) {
        free(shutdown);
        return NULL;
    }
    shutdown->grace_ns = (int64_t)grace;
    if (uv_async_init(loop, &shutdown->ended, on_shutdown) != 0) {
        napi_throw_error(env, NULL, "the system refuses a descriptor for the shutdown");
        free(shutdown);
        return NULL;
    }
    shutdown->ended.data = shutdown;
    addon->shutdown_count++;
    shutdown->has_thread = pthread_create(&shutdown->thread, NULL, shut_down_on_thread, shutdown) == 0;
    if (!shutdown->has_thread) {
        /* The system refuses one: this one waits. */
        shut_down_on_thread(shutdown);
    }
    return promise;
}

void cut_runners_short(struct addon *addon) {
    for (size_t i = 0; i < addon->runner_count; i++) {
        addon->palitra.runner_shutdown((palitra_runner){addon->runners[i]}, 0);
    }
}

void free_runners(struct addon *addon) {
    for (size_t i = 0; i < addon->runner_count; i++) {
        addon->palitra.runner_free((palitra_runner){addon->runners[i]});
    }
}
