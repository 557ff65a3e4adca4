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

static inline bool palitra_glib_is_detached_(void *source)
{
    return g_source_is_destroyed((GSource *)source);
}

static inline gboolean palitra_glib_readable_(gint fd, GIOCondition condition, gpointer data)
{
    palitra_glib *adapter = (palitra_glib *)data; /* GLib keeps it until this returns, detached or not */
    (void)fd;
    (void)condition;
    return palitra_drain(adapter->queue, adapter->callback, adapter->user_data, palitra_glib_is_detached_,
                         g_main_current_source())
               ? G_SOURCE_CONTINUE
               : G_SOURCE_REMOVE;
}

/* Has the callback given the events of the queue by whoever runs the main context; NULL is the default one.
 * At the end of a closed queue the callback is given NULL and the source leaves the context by itself. Answers
 * a source for palitra_glib_detach; NULL for no queue. Its priority is the caller's to set. */
static inline GSource *palitra_glib_attach(GMainContext *context, palitra_queue queue, palitra_event_fn callback,
                                           void *user_data)
{
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

/* Ends the watching and gives the source back, once for each attach, also after the end of the queue. From the
 * callback too, which is then not called again: what it was not given of the batch that it was in is thrown
 * away. NULL does nothing. */
static inline void palitra_glib_detach(GSource *source)
{
    if (source == NULL) return;
    g_source_destroy(source);
    g_source_unref(source);
}

#endif
