/*
 * A palitra queue in a GLib main loop.
 *
 *     GSource *source = palitra_glib_attach(context, queue, callback, user_data);
 *     palitra_glib_detach(source);                         before palitra_queue_free
 *
 * Header only, C99; link with what `pkg-config --libs glib-2.0` says. examples/c/glib.c is a whole program.
 */
#ifndef PALITRA_ADAPTERS_GLIB_H
#define PALITRA_ADAPTERS_GLIB_H

#include "drain.h"

#include <glib-unix.h>

typedef struct palitra_glib {
    palitra_queue queue;
    palitra_event_fn callback;
    void *user_data;
} palitra_glib;

static inline bool palitra_glib_is_detached_(void *source) { return g_source_is_destroyed((GSource *)source); }

static inline gboolean palitra_glib_readable_(gint fd, GIOCondition condition, gpointer data) {
    palitra_glib *adapter = (palitra_glib *)data; /* GLib keeps it until this returns, even if it is detached */
    (void)fd;
    (void)condition;
    return palitra_drain(adapter->queue, adapter->callback, adapter->user_data, palitra_glib_is_detached_,
                         g_main_current_source())
               ? G_SOURCE_CONTINUE
               : G_SOURCE_REMOVE;
}

/* Has the main context (NULL: the default one) call the callback with each event of the queue, on the thread that runs
 * the context. At the end of a closed queue the callback is called with NULL and the source leaves the context by
 * itself. Returns a source for palitra_glib_detach, whose priority the caller may set; NULL if it is not a queue. */
static inline GSource *palitra_glib_attach(GMainContext *context, palitra_queue queue, palitra_event_fn callback,
                                           void *user_data) {
    int fd = palitra_queue_fd(queue);
    palitra_glib *adapter;
    GSource *source;
    if (fd < 0) return NULL;
    adapter = g_new0(palitra_glib, 1);
    adapter->queue = queue;
    adapter->callback = callback;
    adapter->user_data = user_data;
    source = g_unix_fd_source_new(fd, G_IO_IN);
    g_source_set_callback(source, G_SOURCE_FUNC(palitra_glib_readable_), adapter, g_free);
    g_source_attach(source, context);
    return source;
}

/* Stops watching and releases the source: call it once for each attach, also after the end of the queue. The callback
 * may call it, and is then not called again: the rest of its batch is discarded, and the calls in it fail with
 * PALITRA_JOB_FAILED. NULL does nothing. */
static inline void palitra_glib_detach(GSource *source) {
    if (source == NULL) return;
    g_source_destroy(source);
    g_source_unref(source);
}

#endif
