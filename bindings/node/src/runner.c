/*
 * Runners: made, asked, shut down, freed.
 */
#include "addon.h"

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

/* One shutdown, which blocks one of libuv's workers for the grace period and a second at most. */
struct shutdown {
    struct addon *addon;
    napi_async_work work;
    napi_deferred deferred;
    palitra_runner runner;
    int64_t grace_ns;
    bool frees;
    palitra_status status;
};

static void shut_down_on_worker(napi_env env, void *data) {
    (void)env;
    struct shutdown *shutdown = data;
    shutdown->status = shutdown->addon->palitra.runner_shutdown(shutdown->runner, shutdown->grace_ns);
    if (shutdown->frees) {
        shutdown->addon->palitra.runner_free(shutdown->runner);
    }
}

static void end_shutdown(napi_env env, napi_status status, void *data) {
    struct shutdown *shutdown = data;
    if (shutdown->frees) {
        forget_runner(shutdown->addon, shutdown->runner.id);
    }
    if (status != napi_cancelled) {
        napi_value value = from_double(env, shutdown->status);
        if (value != NULL) {
            napi_resolve_deferred(env, shutdown->deferred, value);
        }
    }
    napi_delete_async_work(env, shutdown->work);
    free(shutdown);
}

/* shutDown(runner, grace, frees): a promise of the status. */
napi_value shut_down(napi_env env, napi_callback_info info) {
    ARGUMENTS(3)
    struct shutdown *shutdown = calloc(1, sizeof *shutdown);
    double grace;
    napi_value promise, name;
    if (shutdown == NULL) {
        napi_throw_error(env, NULL, "not enough memory");
        return NULL;
    }
    shutdown->addon = addon;
    name = from_string(env, "palitra:shutdown");
    if (!read_u64(env, argument[0], &shutdown->runner.id) || !read_double(env, argument[1], &grace) ||
        !check(env, napi_get_value_bool(env, argument[2], &shutdown->frees)) || name == NULL ||
        !check(env, napi_create_promise(env, &shutdown->deferred, &promise)) ||
        !check(env,
               napi_create_async_work(env, NULL, name, shut_down_on_worker, end_shutdown, shutdown, &shutdown->work))) {
        free(shutdown);
        return NULL;
    }
    shutdown->grace_ns = (int64_t)grace;
    if (!check(env, napi_queue_async_work(env, shutdown->work))) {
        napi_delete_async_work(env, shutdown->work);
        free(shutdown);
        return NULL;
    }
    return promise;
}

void free_runners(struct addon *addon) {
    for (size_t i = 0; i < addon->runner_count; i++) {
        addon->palitra.runner_free((palitra_runner){addon->runners[i]});
    }
}
