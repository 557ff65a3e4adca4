/*
 * A palitra queue in an epoll loop.
 *
 *     palitra_epoll_add(epfd, queue, data);                data: what epoll_wait returns for it
 *     palitra_epoll_drain(epfd, queue, callback, ...);     each time epoll_wait has returned that
 *     palitra_epoll_remove(epfd, queue);                   before palitra_queue_free
 *
 * Header only, C99. examples/c/epoll.c is a whole program.
 */
#ifndef PALITRA_ADAPTERS_EPOLL_H
#define PALITRA_ADAPTERS_EPOLL_H

#include "drain.h"

#include <string.h>
#include <sys/epoll.h>

/* Adds the queue to the loop: epoll_wait returns `data`, in the field of epoll_data_t that the loop uses, while events
 * wait. Returns 0, or -1 with errno set (EBADF if it is not a queue). */
static inline int palitra_epoll_add(int epfd, palitra_queue queue, epoll_data_t data) {
    struct epoll_event interest;
    memset(&interest, 0, sizeof interest);
    interest.events = EPOLLIN; /* level-triggered: see drain.h */
    interest.data = data;
    return epoll_ctl(epfd, EPOLL_CTL_ADD, palitra_queue_fd(queue), &interest);
}

/* Removes the queue from the loop. A callback may call it, and is still called with the rest of its batch. Returns 0,
 * or -1 with errno set (ENOENT if the queue was not in the loop, or no longer). */
static inline int palitra_epoll_remove(int epfd, palitra_queue queue) {
    struct epoll_event unused; /* old kernels want one */
    memset(&unused, 0, sizeof unused);
    return epoll_ctl(epfd, EPOLL_CTL_DEL, palitra_queue_fd(queue), &unused);
}

/* Calls the callback with each of a batch of the events that wait. At the end of a closed queue it calls it with NULL
 * and removes the queue from the loop. Never blocks. Returns whether more may come. */
static inline bool palitra_epoll_drain(int epfd, palitra_queue queue, palitra_event_fn callback, void *user_data) {
    bool more = palitra_drain(queue, callback, user_data, NULL, NULL);
    if (!more) palitra_epoll_remove(epfd, queue);
    return more;
}

#endif
