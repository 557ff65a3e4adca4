/*
 * The C side of the binding: what would cost several crossings from Go is one call here. Functions that name no
 * Go are in this header; those that call back are in native.c.
 */
#ifndef PALITRA_GO_NATIVE_H
#define PALITRA_GO_NATIVE_H

#include <palitra.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Pointers to bytes are uint8_t, not void, and the addresses in a palitra_go_reply are numbers: cgo then knows that
 * there are no Go pointers in them to check. */

#define PALITRA_GO_SMALL 128u

/* A reply on its way to Go. A small one without details is copied here and freed at once; any other is freed with
 * palitra_go_free. */
typedef struct palitra_go_reply {
    uint64_t token;
    int32_t code;
    palitra_format format;
    uintptr_t data;
    size_t len;
    uintptr_t owner;
    uintptr_t details;
    uint8_t small[PALITRA_GO_SMALL];
} palitra_go_reply;

static inline palitra_status palitra_go_fill(palitra_status status, palitra_reply *reply, palitra_go_reply *filled) {
    filled->code = reply->code;
    filled->format = reply->format;
    filled->len = reply->len;
    filled->data = (uintptr_t)reply->data;
    filled->owner = 0;
    filled->details = reply->status == PALITRA_OK ? 0 : (uintptr_t)palitra_reply_details(reply);
    if (reply->len > sizeof filled->small || filled->details != 0) {
        filled->owner = (uintptr_t)reply->owner;
        return status;
    }
    if (reply->len > 0) memcpy(filled->small, reply->data, reply->len);
    palitra_reply_free(reply);
    return status;
}

static inline void palitra_go_free(const palitra_go_reply *filled) {
    palitra_reply reply = {PALITRA_OK,           0, PALITRA_BYTES, (const uint8_t *)filled->data, filled->len,
                           (void *)filled->owner};
    palitra_reply_free(&reply);
}

/* The calling thread, in the way that every Unix can name it. */
static inline uintptr_t palitra_go_thread(void) { return (uintptr_t)pthread_self(); }

static inline palitra_status palitra_go_describe(const char *job, palitra_go_reply *filled) {
    palitra_reply reply;
    palitra_status status = palitra_job_describe(job, &reply);
    return palitra_go_fill(status, &reply, filled);
}

/* A macro to C, which cgo cannot call. */
static inline void palitra_go_runner_options(palitra_runner_options *options) { palitra_runner_options_init(options); }

static inline palitra_status palitra_go_start(palitra_runner runner, const char *job, const uint8_t *data, size_t len,
                                              palitra_queue queue, uint64_t tag, uint32_t flags, int64_t deadline_ns,
                                              uint32_t stream_items, palitra_go_reply *filled) {
    palitra_submit_options options;
    palitra_token token;
    palitra_reply reply;
    palitra_submit_options_init(&options);
    options.queue = queue;
    options.tag = tag;
    options.flags = flags;
    options.deadline_ns = deadline_ns;
    options.stream_items = stream_items;
    palitra_status status = palitra_runner_start(runner, job, data, len, &options, &token, &reply);
    filled->token = token.id;
    return palitra_go_fill(status, &reply, filled);
}

static inline palitra_status palitra_go_submit(palitra_runner runner, const char *job, const uint8_t *data, size_t len,
                                               palitra_queue queue, uint64_t tag, uint32_t flags, int64_t deadline_ns,
                                               uint32_t stream_items, palitra_token *token) {
    palitra_submit_options options;
    palitra_submit_options_init(&options);
    options.queue = queue;
    options.tag = tag;
    options.flags = flags;
    options.deadline_ns = deadline_ns;
    options.stream_items = stream_items;
    return palitra_runner_submit(runner, job, data, len, &options, token);
}

/* Many jobs, whose names and payloads stand one behind another in `names`, each with a NUL, and in `payloads`. Where
 * two jobs in a row have one name, it stands there once: a name's place is where it begins. The tags count from the
 * first. */
static inline palitra_status palitra_go_submit_many(palitra_runner runner, const uint8_t *names,
                                                    const size_t *name_places, const uint8_t *payloads,
                                                    const size_t *lengths, size_t n, palitra_queue queue, uint64_t tag,
                                                    int64_t deadline_ns, uint32_t stream_items, palitra_token *tokens,
                                                    size_t *taken) {
    palitra_submit_options options;
    palitra_submission *submissions = (palitra_submission *)calloc(n, sizeof *submissions);
    *taken = 0;
    if (submissions == NULL) return PALITRA_TOO_LARGE;
    for (size_t i = 0; i < n; i++) {
        submissions[i] = (palitra_submission){(const char *)names + name_places[i], payloads, lengths[i], tag + i};
        payloads += lengths[i];
    }
    palitra_submit_options_init(&options);
    options.queue = queue;
    options.flags = PALITRA_ITEM_EVENTS;
    options.deadline_ns = deadline_ns;
    options.stream_items = stream_items;
    palitra_status status = palitra_runner_submit_many(runner, submissions, n, &options, tokens, taken);
    free(submissions);
    return status;
}

static inline palitra_status palitra_go_poll(palitra_token token, palitra_go_reply *filled) {
    palitra_reply reply;
    palitra_status status = palitra_token_poll(token, &reply);
    return palitra_go_fill(status, &reply, filled);
}

/* Reads the reply of a token that is not needed any more, and frees the token. */
static inline palitra_status palitra_go_take(palitra_token token, palitra_go_reply *filled) {
    palitra_status status = palitra_go_poll(token, filled);
    palitra_token_free(token);
    return status;
}

/* The next item, if there is one. */
static inline palitra_status palitra_go_next(palitra_token token, palitra_go_reply *filled) {
    palitra_reply item;
    palitra_status status = palitra_token_next(token, 0, &item);
    return palitra_go_fill(status, &item, filled);
}

/* Sends an item, if there is room for it. */
static inline palitra_status palitra_go_send(palitra_call call, const uint8_t *item, size_t len) {
    return palitra_call_send(call, PALITRA_BYTES, item, len, 0);
}

static inline palitra_status palitra_go_complete(palitra_call call, palitra_status status, int32_t code,
                                                 const uint8_t *data, size_t len) {
    return palitra_call_complete(call, status, code, PALITRA_BYTES, data, len);
}

/* Registers the Go function behind a cgo.Handle; the handle is deleted whatever this returns. */
palitra_status palitra_go_on_complete(palitra_token token, uintptr_t handle);

/* Registers the job whose function is behind a cgo.Handle; the handle is deleted when the runner has ended, or if this
 * fails. */
palitra_status palitra_go_register(palitra_runner runner, const char *name, uintptr_t handle);

/* Hands the log to the logger behind a cgo.Handle; 0 ends it. The handle is deleted when another takes its place, or if
 * this fails. */
palitra_status palitra_go_log(int32_t level, uintptr_t handle);

/* Has the function behind a cgo.Handle called when the answer to a call is not needed any more. */
palitra_status palitra_go_on_cancel(palitra_call call, uintptr_t handle);

/* The same, and has the queue notified each time that an item which found no room can be sent. The function takes the
 * place of the one that was registered before. */
palitra_status palitra_go_on_room(palitra_call call, palitra_queue queue, uint64_t tag, uintptr_t handle);

#endif
