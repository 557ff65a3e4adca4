/*
 * What a call of the library leaves, handed over to JavaScript.
 */
#include "addon.h"

static bool keep_details(struct addon *addon, const char *details) {
    napi_value object;
    return check(addon->env, napi_get_reference_value(addon->env, addon->object, &object)) &&
           set(addon->env, object, "details", from_string(addon->env, details));
}

napi_value take_reply(struct addon *addon, palitra_reply *reply) {
    addon->out[0] = reply->status;
    addon->out[1] = reply->code;
    addon->out[2] = reply->format;
    const char *details = addon->palitra.reply_details(reply);
    addon->out[3] = details != NULL;
    if (details != NULL && !keep_details(addon, details)) {
        addon->palitra.reply_free(reply);
        return NULL;
    }
    napi_value data;
    napi_status made = reply->status == PALITRA_OK && reply->format == PALITRA_BYTES
                           ? napi_create_buffer_copy(addon->env, reply->len, reply->data, NULL, &data)
                           : napi_create_string_utf8(addon->env, (const char *)reply->data, reply->len, &data);
    addon->palitra.reply_free(reply);
    return check(addon->env, made) ? data : NULL;
}

napi_value return_status(struct addon *addon, palitra_status status) { return from_double(addon->env, status); }
