/*
 * Values of JavaScript as arguments of C, and back. A function that returns false or NULL has thrown.
 */
#ifndef PALITRA_NODE_VALUES_H
#define PALITRA_NODE_VALUES_H

#define NAPI_VERSION 8
#include <node_api.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Leaves the exception of a failed call pending, or throws what Node-API says of it. */
static inline bool check(napi_env env, napi_status status) {
    if (status == napi_ok) {
        return true;
    }
    bool is_pending = false;
    napi_is_exception_pending(env, &is_pending);
    if (!is_pending) {
        const napi_extended_error_info *info = NULL;
        napi_get_last_error_info(env, &info);
        napi_throw_error(env, NULL,
                         info != NULL && info->error_message != NULL ? info->error_message : "Node-API failed");
    }
    return false;
}

/* Bytes that JavaScript lends, or a copy of a string in UTF-8. */
struct bytes {
    const void *data;
    size_t len;
    char *heap;
};

/* Where a short string is copied to. */
typedef char scratch[512];

static inline void free_bytes(struct bytes *bytes) {
    free(bytes->heap);
    bytes->heap = NULL;
}

/* Without a scratch, NULL, the copy is on the heap. It ends with a NUL that is not counted. */
static inline bool read_string(napi_env env, napi_value value, struct bytes *bytes, char *scratch_of_call) {
    bytes->heap = NULL;
    if (!check(env, napi_get_value_string_utf8(env, value, NULL, 0, &bytes->len))) {
        return false;
    }
    char *data = scratch_of_call;
    if (data == NULL || bytes->len >= sizeof(scratch)) {
        data = bytes->heap = malloc(bytes->len + 1);
        if (data == NULL) {
            napi_throw_error(env, NULL, "not enough memory for a copy of the string");
            return false;
        }
    }
    bytes->data = data;
    return check(env, napi_get_value_string_utf8(env, value, data, bytes->len + 1, &bytes->len));
}

/* A string that C reads up to its NUL, so there must be none before. */
static inline bool read_name(napi_env env, napi_value value, struct bytes *bytes, char *scratch_of_call) {
    if (!read_string(env, value, bytes, scratch_of_call)) {
        return false;
    }
    if (memchr(bytes->data, 0, bytes->len) != NULL) {
        free_bytes(bytes);
        napi_throw_type_error(env, NULL, "the string contains a NUL");
        return false;
    }
    return true;
}

/* A string, a typed array (such as a Buffer), or undefined, which is empty. */
static inline bool read_bytes(napi_env env, napi_value value, struct bytes *bytes, char *scratch_of_call) {
    bytes->data = NULL;
    bytes->len = 0;
    bytes->heap = NULL;
    napi_valuetype type;
    if (!check(env, napi_typeof(env, value, &type))) {
        return false;
    }
    if (type == napi_undefined) {
        return true;
    }
    if (type == napi_string) {
        return read_string(env, value, bytes, scratch_of_call);
    }
    bool is_buffer = false;
    if (!check(env, napi_is_buffer(env, value, &is_buffer))) {
        return false;
    }
    if (!is_buffer) {
        napi_throw_type_error(env, NULL, "expected a string or a Uint8Array");
        return false;
    }
    return check(env, napi_get_buffer_info(env, value, (void **)&bytes->data, &bytes->len));
}

static inline bool read_u64(napi_env env, napi_value value, uint64_t *number) {
    bool is_lossless;
    return check(env, napi_get_value_bigint_uint64(env, value, number, &is_lossless));
}

static inline bool read_double(napi_env env, napi_value value, double *number) {
    return check(env, napi_get_value_double(env, value, number));
}

static inline napi_value from_u64(napi_env env, uint64_t number) {
    napi_value value;
    return check(env, napi_create_bigint_uint64(env, number, &value)) ? value : NULL;
}

static inline napi_value from_double(napi_env env, double number) {
    napi_value value;
    return check(env, napi_create_double(env, number, &value)) ? value : NULL;
}

static inline napi_value from_string(napi_env env, const char *text) {
    napi_value value;
    return check(env, napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &value)) ? value : NULL;
}

static inline napi_value undefined(napi_env env) {
    napi_value value;
    return check(env, napi_get_undefined(env, &value)) ? value : NULL;
}

#endif
