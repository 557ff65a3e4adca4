/*
 * Jobs of the host, whose calls come as events of the queue.
 */
#include "addon.h"

/* register(runner, name, doc, input, output, tag, maxWaiting): the status. Its calls are events with this tag. */
napi_value register_job(napi_env env, napi_callback_info info) {
    ARGUMENTS(7)
    palitra_runner runner;
    struct bytes name, doc = {0};
    double numbers[4];
    for (size_t i = 0; i < 4; i++) {
        if (!read_double(env, argument[3 + i], &numbers[i])) {
            return NULL;
        }
    }
    if (!read_u64(env, argument[0], &runner.id) || !read_name(env, argument[1], &name, NULL)) {
        return NULL;
    }
    palitra_status status = PALITRA_INTERNAL;
    bool is_read = read_name(env, argument[2], &doc, NULL);
    if (is_read) {
        palitra_job_info described = {name.data, doc.data, (palitra_format)numbers[0], (palitra_format)numbers[1]};
        status = addon->palitra.runner_register_queued(runner, &described, addon->queue, (uint64_t)numbers[2],
                                                       (size_t)numbers[3]);
    }
    free_bytes(&name);
    free_bytes(&doc);
    return is_read ? return_status(addon, status) : NULL;
}

/* payload(call, isBytes): a Buffer or a string. */
napi_value payload(napi_env env, napi_callback_info info) {
    ARGUMENTS(2)
    palitra_call call;
    bool is_bytes;
    const void *data;
    size_t len;
    napi_value value;
    if (!read_u64(env, argument[0], &call.id) || !check(env, napi_get_value_bool(env, argument[1], &is_bytes))) {
        return NULL;
    }
    palitra_status status = addon->palitra.call_payload(call, &data, &len);
    addon->out[0] = status;
    if (status != PALITRA_OK) {
        return undefined(env);
    }
    napi_status made = is_bytes ? napi_create_buffer_copy(env, len, data, NULL, &value)
                                : napi_create_string_utf8(env, data, len, &value);
    return check(env, made) ? value : NULL;
}

/* A call, a status, a code, a format and data, as the arguments of complete. */
napi_value complete(napi_env env, napi_callback_info info) {
    ARGUMENTS(5)
    palitra_call call;
    double numbers[3];
    struct bytes data;
    for (size_t i = 0; i < 3; i++) {
        if (!read_double(env, argument[1 + i], &numbers[i])) {
            return NULL;
        }
    }
    if (!read_u64(env, argument[0], &call.id) || !read_bytes(env, argument[4], &data, NULL)) {
        return NULL;
    }
    palitra_status status = addon->palitra.call_complete(call, (palitra_status)numbers[0], (int32_t)numbers[1],
                                                         (palitra_format)numbers[2], data.data, data.len);
    free_bytes(&data);
    return return_status(addon, status);
}

/* send(call, format, data): the status, PENDING if the reader has enough. */
napi_value send_item(napi_env env, napi_callback_info info) {
    ARGUMENTS(3)
    palitra_call call;
    double format;
    struct bytes data;
    if (!read_u64(env, argument[0], &call.id) || !read_double(env, argument[1], &format) ||
        !read_bytes(env, argument[2], &data, NULL)) {
        return NULL;
    }
    palitra_status status = addon->palitra.call_send(call, (palitra_format)format, data.data, data.len, 0);
    free_bytes(&data);
    return return_status(addon, status);
}

/* report(call, done, total): the status. */
napi_value report(napi_env env, napi_callback_info info) {
    ARGUMENTS(3)
    palitra_call call;
    double done, total;
    bool is_read = read_u64(env, argument[0], &call.id) && read_double(env, argument[1], &done) &&
                   read_double(env, argument[2], &total);
    return is_read ? return_status(addon, addon->palitra.call_progress(call, (uint64_t)done, (uint64_t)total)) : NULL;
}

/* notify(call, tag): the status. What happens to the call is an event with this tag. */
napi_value notify(napi_env env, napi_callback_info info) {
    ARGUMENTS(2)
    palitra_call call;
    double tag;
    bool is_read = read_u64(env, argument[0], &call.id) && read_double(env, argument[1], &tag);
    return is_read ? return_status(addon, addon->palitra.call_notify(call, addon->queue, (uint64_t)tag)) : NULL;
}

napi_value free_call(napi_env env, napi_callback_info info) {
    ARGUMENTS(1)
    palitra_call call;
    if (read_u64(env, argument[0], &call.id)) {
        addon->palitra.call_free(call);
    }
    return NULL;
}
