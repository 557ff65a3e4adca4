/*
 * A palitra queue in a libuv loop.
 *
 *     palitra_libuv_attach(loop, queue, callback, user_data, &adapter);
 *     palitra_libuv_detach(adapter);                       before palitra_queue_free
 *
 * Header only, C99, in which uv.h needs _POSIX_C_SOURCE defined as 200809L; link with what `pkg-config --libs
 * libuv` says. examples/c/libuv.c is a whole program.
 */
#ifndef PALITRA_ADAPTERS_LIBUV_H
#define PALITRA_ADAPTERS_LIBUV_H

#include "drain.h"

#include <stdlib.h>
#include <uv.h>

/* A queue that a loop watches. Freed by palitra_libuv_detach. */
typedef struct palitra_libuv {
    uv_poll_t poll;
    palitra_queue queue;
    palitra_event_fn callback;
    void *user_data;
} palitra_libuv;

static inline bool palitra_libuv_is_detached_(void *adapter) {
    return uv_is_closing((uv_handle_t *)&((palitra_libuv *)adapter)->poll) != 0;
}

static inline void palitra_libuv_readable_(uv_poll_t *poll, int status, int events) {
    palitra_libuv *adapter = (palitra_libuv *)poll->data;
    (void)status; /* palitra_queue_next returns what is wrong, if anything is */
    (void)events;
    if (palitra_drain(adapter->queue, adapter->callback, adapter->user_data, palitra_libuv_is_detached_, adapter))
        return;
    if (!palitra_libuv_is_detached_(adapter)) uv_poll_stop(poll);
}

static inline void palitra_libuv_closed_(uv_handle_t *handle) { free(handle->data); }

/* Has the loop call the callback with each event of the queue, on the loop's thread; call this on that thread, too. At
 * the end of a closed queue the callback is called with NULL, and the adapter no longer keeps uv_run from returning.
 * Returns 0, or an error of libuv (UV_EBADF if it is not a queue) and no adapter. */
static inline int palitra_libuv_attach(uv_loop_t *loop, palitra_queue queue, palitra_event_fn callback, void *user_data,
                                       palitra_libuv **out) {
    palitra_libuv *adapter = (palitra_libuv *)calloc(1, sizeof *adapter);
    int fd = palitra_queue_fd(queue), error;
    *out = NULL;
    if (adapter == NULL) return UV_ENOMEM;
    error = fd < 0 ? UV_EBADF : uv_poll_init(loop, &adapter->poll, fd);
    if (error != 0) {
        free(adapter);
        return error;
    }
    adapter->poll.data = adapter;
    adapter->queue = queue;
    adapter->callback = callback;
    adapter->user_data = user_data;
    error = uv_poll_start(&adapter->poll, UV_READABLE, palitra_libuv_readable_);
    if (error != 0) uv_close((uv_handle_t *)&adapter->poll, palitra_libuv_closed_);
    else *out = adapter;
    return error;
}

/* Stops watching at once and frees the adapter in the loop's next pass; the queue may be freed right after. Call it on
 * the loop's thread. The callback may call it, and is then not called again: the rest of its batch is discarded, and
 * the calls in it fail with PALITRA_JOB_FAILED. NULL does nothing. */
static inline void palitra_libuv_detach(palitra_libuv *adapter) {
    if (adapter != NULL) uv_close((uv_handle_t *)&adapter->poll, palitra_libuv_closed_);
}

#endif
