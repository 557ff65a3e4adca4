/*
 * What the adapters share: taking the events of a queue that an event loop has found readable.
 *
 * A loop's turn takes one batch and no more. What is left keeps the queue's descriptor readable, so the loop
 * comes again after its timers and its other descriptors had theirs: a queue that fills faster than it is
 * drained starves nobody. For a loop that polls edge-triggered this does not do: it must drain until
 * palitra_queue_next answers PALITRA_PENDING.
 */
#ifndef PALITRA_ADAPTERS_DRAIN_H
#define PALITRA_ADAPTERS_DRAIN_H

#include "../palitra.h"

/* The most events that one turn of the loop takes. */
#define PALITRA_DRAIN_BATCH 64

/*
 * Is given each event, on the thread of the loop; and NULL, once and last, when the queue was closed and all
 * its events have been given.
 */
typedef void (*palitra_event_fn)(const palitra_event *event, void *user_data);

/* Whether the callback has detached the adapter meanwhile: then it is not called again. */
typedef bool (*palitra_detached_fn)(void *adapter);

/*
 * Takes one batch without blocking and gives it to the callback. Answers whether more may come: false after
 * the end of the queue, whose descriptor stays readable and is not to be polled any more.
 */
static inline bool palitra_drain(palitra_queue queue, palitra_event_fn callback, void *user_data,
                                 palitra_detached_fn is_detached, void *adapter)
{
    palitra_event events[PALITRA_DRAIN_BATCH];
    size_t count = 0, i;
    palitra_status status = palitra_queue_next(queue, 0, events, PALITRA_DRAIN_BATCH, &count);
    for (i = 0; i < count; i++) {
        callback(&events[i], user_data);
        if (is_detached != NULL && is_detached(adapter)) return false;
    }
    if (status == PALITRA_OK || status == PALITRA_PENDING) return true;
    callback(NULL, user_data); /* the end; or no queue of this process, from which nothing comes either */
    return false;
}

#endif
