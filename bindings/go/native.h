/*
 * The C side of the binding: what would cost several crossings from Go is one call here. Functions that name no
 * Go are in this header; those that call back are in native.c.
 */
#ifndef PALITRA_GO_NATIVE_H
#define PALITRA_GO_NATIVE_H

#include <palitra.h>

/* Pointers to bytes are uint8_t, not void: cgo then knows that nothing in them needs a check. */

static inline palitra_status palitra_go_start(palitra_runner runner, const char *job, const uint8_t *data, size_t len,
                                              palitra_queue queue, uint64_t tag, palitra_token *token,
                                              palitra_reply *reply) {
    palitra_submit_options options;
    palitra_submit_options_init(&options);
    options.queue = queue;
    options.tag = tag;
    return palitra_runner_start(runner, job, data, len, &options, token, reply);
}

static inline palitra_status palitra_go_submit(palitra_runner runner, const char *job, const uint8_t *data, size_t len,
                                               palitra_queue queue, uint64_t tag, uint32_t flags, int64_t deadline_ns,
                                               palitra_token *token) {
    palitra_submit_options options;
    palitra_submit_options_init(&options);
    options.queue = queue;
    options.tag = tag;
    options.flags = flags;
    options.deadline_ns = deadline_ns;
    return palitra_runner_submit(runner, job, data, len, &options, token);
}

/* Takes the reply of a token that is not needed any more. */
static inline palitra_status palitra_go_take(palitra_token token, palitra_reply *reply) {
    palitra_status status = palitra_token_poll(token, reply);
    palitra_token_free(token);
    return status;
}

/* Has the Go function behind a cgo.Handle called; the handle is deleted whatever this answers. */
palitra_status palitra_go_on_complete(palitra_token token, uintptr_t handle);

#endif
