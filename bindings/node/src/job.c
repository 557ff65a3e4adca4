/*
 * Jobs: submitted one by one or together, and their tokens.
 */
#include "addon.h"

/* A name and a payload as JavaScript gives them. */
struct request {
    palitra_runner runner;
    struct bytes job, payload;
    scratch job_scratch, payload_scratch;
};

static bool read_request(napi_env env, const napi_value argument[3], struct request *request) {
    request->payload.heap = NULL;
    if (!read_u64(env, argument[0], &request->runner.id) ||
        !read_name(env, argument[1], &request->job, request->job_scratch)) {
        return false;
    }
    if (!read_bytes(env, argument[2], &request->payload, request->payload_scratch)) {
        free_bytes(&request->job);
        return false;
    }
    return true;
}

static void free_request(struct request *request) {
    free_bytes(&request->job);
    free_bytes(&request->payload);
}

/* The arguments deadline, flags, stream items and tag. */
static bool read_options(struct addon *addon, const napi_value argument[4], palitra_submit_options *options) {
    double numbers[4];
    for (size_t i = 0; i < 4; i++) {
        if (!read_double(addon->env, argument[i], &numbers[i])) {
            return false;
        }
    }
    *options = (palitra_submit_options){
        .size = sizeof *options,
        .deadline_ns = (int64_t)numbers[0],
        .flags = (uint32_t)numbers[1],
        .stream_items = (uint32_t)numbers[2],
        .tag = (uint64_t)numbers[3],
        .queue = addon->queue,
    };
    return true;
}

/* The arguments of one submission; the request is to be freed. */
#define SUBMISSION_ARGUMENTS \
    ARGUMENTS(7) \
    struct request request; \
    palitra_submit_options options; \
    if (!read_options(addon, argument + 3, &options) || !read_request(env, argument, &request)) { \
        return NULL; \
    }

/* runSync(runner, job, payload, timeout): the reply. Blocks until the job has finished. */
napi_value run_sync(napi_env env, napi_callback_info info) {
    ARGUMENTS(4)
    struct request request;
    double timeout;
    if (!read_double(env, argument[3], &timeout) || !read_request(env, argument, &request)) {
        return NULL;
    }
    palitra_reply reply;
    addon->palitra.runner_run(request.runner, request.job.data, request.payload.data, request.payload.len,
                              (int64_t)timeout, &reply);
    free_request(&request);
    return take_reply(addon, &reply);
}

/* start(runner, job, payload, deadline, flags, streamItems, tag): the reply if the job was ready at once or refused; the
 * token, and PENDING in out, otherwise. */
napi_value start(napi_env env, napi_callback_info info) {
    SUBMISSION_ARGUMENTS
    palitra_token token;
    palitra_reply reply;
    palitra_status status = addon->palitra.runner_start(request.runner, request.job.data, request.payload.data,
                                                        request.payload.len, &options, &token, &reply);
    free_request(&request);
    if (status != PALITRA_PENDING) {
        return take_reply(addon, &reply);
    }
    addon->palitra.reply_free(&reply);
    addon->out[0] = status;
    return from_u64(env, token.id);
}

/* submit(runner, job, payload, deadline, flags, streamItems, tag): the token, or 0n; status in out. */
napi_value submit(napi_env env, napi_callback_info info) {
    SUBMISSION_ARGUMENTS
    palitra_token token;
    addon->out[0] = addon->palitra.runner_submit(request.runner, request.job.data, request.payload.data,
                                                 request.payload.len, &options, &token);
    free_request(&request);
    return from_u64(env, token.id);
}

/* One job of submit_many, out of the arrays of names and payloads. */
static bool read_submission(napi_env env, napi_value names, napi_value payloads, uint32_t i,
                            struct bytes *name_and_payload) {
    napi_value name, payload;
    return check(env, napi_get_element(env, names, i, &name)) &&
           check(env, napi_get_element(env, payloads, i, &payload)) &&
           read_name(env, name, &name_and_payload[0], NULL) && read_bytes(env, payload, &name_and_payload[1], NULL);
}

/* submitMany(runner, names, payloads, deadline, flags, streamItems, firstTag): the tokens of those that were submitted,
 * whose tags count up; status in out. */
napi_value submit_many(napi_env env, napi_callback_info info) {
    ARGUMENTS(7)
    palitra_runner runner;
    palitra_submit_options options;
    uint32_t n;
    if (!read_u64(env, argument[0], &runner.id) || !read_options(addon, argument + 3, &options) ||
        !check(env, napi_get_array_length(env, argument[1], &n))) {
        return NULL;
    }
    struct bytes *texts = calloc((size_t)n * 2 + 1, sizeof *texts);
    palitra_submission *submissions = calloc((size_t)n + 1, sizeof *submissions);
    palitra_token *tokens = calloc((size_t)n + 1, sizeof *tokens);
    size_t taken = 0;
    bool is_read = texts != NULL && submissions != NULL && tokens != NULL;
    if (!is_read) {
        napi_throw_error(env, NULL, "not enough memory for so many jobs");
    }
    for (uint32_t i = 0; is_read && i < n; i++) {
        struct bytes *text = &texts[(size_t)i * 2];
        is_read = read_submission(env, argument[1], argument[2], i, text);
        submissions[i] = (palitra_submission){text[0].data, text[1].data, text[1].len, options.tag + i};
    }
    if (is_read) {
        addon->out[0] = addon->palitra.runner_submit_many(runner, submissions, n, &options, tokens, &taken);
    }
    napi_value list = NULL;
    is_read = is_read && check(env, napi_create_array_with_length(env, taken, &list));
    for (uint32_t i = 0; is_read && i < taken; i++) {
        napi_value token = from_u64(env, tokens[i].id);
        is_read = token != NULL && check(env, napi_set_element(env, list, i, token));
    }
    for (size_t i = 0; texts != NULL && i < (size_t)n * 2; i++) {
        free_bytes(&texts[i]);
    }
    free(texts);
    free(submissions);
    free(tokens);
    return is_read ? list : NULL;
}

/* The argument of what is done to one token. */
#define TOKEN_ARGUMENT \
    ARGUMENTS(1) \
    palitra_token token; \
    if (!read_u64(env, argument[0], &token.id)) { \
        return NULL; \
    }

/* poll(token): the reply, PENDING in out if there is none yet. */
napi_value poll_token(napi_env env, napi_callback_info info) {
    TOKEN_ARGUMENT
    palitra_reply reply;
    addon->palitra.token_poll(token, &reply);
    return take_reply(addon, &reply);
}

/* next(token): the next item, PENDING in out if there is none yet. */
napi_value next_item(napi_env env, napi_callback_info info) {
    TOKEN_ARGUMENT
    palitra_reply item;
    addon->palitra.token_next(token, 0, &item);
    return take_reply(addon, &item);
}

napi_value cancel(napi_env env, napi_callback_info info) {
    TOKEN_ARGUMENT
    return return_status(addon, addon->palitra.token_cancel(token));
}

/* progress(token): how much is done, and the total in out[0]... as an array of two numbers. */
napi_value progress(napi_env env, napi_callback_info info) {
    TOKEN_ARGUMENT
    uint64_t done = 0, total = 0;
    napi_value list;
    addon->out[0] = addon->palitra.token_progress(token, &done, &total);
    bool is_made = check(env, napi_create_array_with_length(env, 2, &list)) &&
                   check(env, napi_set_element(env, list, 0, from_double(env, (double)done))) &&
                   check(env, napi_set_element(env, list, 1, from_double(env, (double)total)));
    return is_made ? list : NULL;
}

napi_value free_token(napi_env env, napi_callback_info info) {
    TOKEN_ARGUMENT
    addon->palitra.token_free(token);
    return NULL;
}
