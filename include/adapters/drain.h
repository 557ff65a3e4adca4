/*
 * What the adapters share: taking the events of a queue that an event loop has found readable.
 *
 * Each pass of the loop takes one batch and no more. What is left keeps the queue's descriptor readable, so the loop
 * returns to it after its timers and its other descriptors: a queue that fills faster than it is drained starves
 * nothing else. This does not suffice for a loop that polls edge-triggered: that must drain until palitra_queue_next
 * returns PALITRA_PENDING.
 */
#ifndef PALITRA_ADAPTERS_DRAIN_H
#define PALITRA_ADAPTERS_DRAIN_H

#include "../palitra.h"

/* The most events that one pass of the loop takes. */
#define PALITRA_DRAIN_BATCH 64

/*
 * Is called with each event, on the thread of the loop. It is called with NULL, once and last, when the queue was
 * closed and has no more events.
 */
typedef void (*palitra_event_fn)(const palitra_event *event, void *user_data);

/* Returns whether the callback has detached the adapter meanwhile: then it is not called again. */
typedef bool (*palitra_detached_fn)(void *adapter);

/*
 * Takes one batch without blocking and calls the callback with each event. Returns whether more may come: false after
 * the end of the queue, whose descriptor stays readable and must not be polled any more.
 */
static inline bool palitra_drain(palitra_queue queue, palitra_event_fn callback, void *user_data,
                                 palitra_detached_fn is_detached, void *adapter) {
    palitra_event events[PALITRA_DRAIN_BATCH];
    size_t count = 0, i;
    palitra_status status = palitra_queue_next(queue, 0, events, PALITRA_DRAIN_BATCH, &count);
    for (i = 0; i < count; i++) {
        callback(&events[i], user_data);
        if (is_detached == NULL || !is_detached(adapter)) continue;
        /* The calls in the rest were taken out of the queue: nobody else would end them. */
        while (++i < count)
            if (events[i].status == PALITRA_PENDING) palitra_call_free(palitra_event_call(&events[i]));
        return false;
    }
    if (status == PALITRA_OK || status == PALITRA_PENDING) return true;
    callback(NULL, user_data); /* the end, or not a queue of this process: no event will come */
    return false;
}

#endif
