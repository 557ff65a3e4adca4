/*
 * tests/conformance/beneath.c for Node: what no program in JavaScript can do. For the interpreter of the conformance
 * scenarios, tests/conformance/conformance.mjs.
 */
#include "values.h"

#include <palitra.h>

#define FORGED UINT64_C(0x0123456789abcdef)

palitra_status beneath_callback(uint64_t token, uint64_t other, palitra_reply *reply);
int32_t beneath_fork(const char *call, uint64_t handle);

static napi_value forged_token(napi_env env, napi_callback_info info) {
    (void)info;
    return from_double(env, palitra_token_poll((palitra_token){FORGED}, NULL));
}

static napi_value forged_runner(napi_env env, napi_callback_info info) {
    (void)info;
    return from_double(env, palitra_runner_submit((palitra_runner){FORGED}, "palitra.echo", NULL, 0, NULL, NULL));
}

/* callback(token, other): [status, text]. */
static napi_value callback(napi_env env, napi_callback_info info) {
    napi_value argument[2], list, text;
    size_t count = 2;
    uint64_t token, other;
    palitra_reply reply;
    if (!check(env, napi_get_cb_info(env, info, &count, argument, NULL, NULL)) || !read_u64(env, argument[0], &token) ||
        !read_u64(env, argument[1], &other)) {
        return NULL;
    }
    palitra_status status = beneath_callback(token, other, &reply);
    bool is_made = check(env, napi_create_array(env, &list)) &&
                   check(env, napi_create_string_utf8(env, (const char *)reply.data, reply.len, &text)) &&
                   check(env, napi_set_element(env, list, 0, from_double(env, status))) &&
                   check(env, napi_set_element(env, list, 1, text));
    palitra_reply_free(&reply);
    return is_made ? list : NULL;
}

/* fork(call, handle): the child's status, or the negative number of the signal that ended it. */
static napi_value fork_it(napi_env env, napi_callback_info info) {
    napi_value argument[2];
    size_t count = 2;
    struct bytes call;
    uint64_t handle;
    if (!check(env, napi_get_cb_info(env, info, &count, argument, NULL, NULL)) ||
        !read_string(env, argument[0], &call, NULL) || !read_u64(env, argument[1], &handle)) {
        return NULL;
    }
    int32_t ended = beneath_fork(call.data, handle);
    free_bytes(&call);
    return from_double(env, ended);
}

NAPI_MODULE_INIT() {
    static const struct {
        const char *name;
        napi_callback function;
    } functions[] = {
        {"forgedToken", forged_token}, {"forgedRunner", forged_runner}, {"callback", callback}, {"fork", fork_it}};
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        napi_value function;
        if (!check(env, napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].function, NULL,
                                             &function)) ||
            !check(env, napi_set_named_property(env, exports, functions[i].name, function))) {
            return NULL;
        }
    }
    return exports;
}
