/*
 * A palitra queue in an epoll loop.
 *
 *     palitra_epoll_add(epfd, queue, data);                what epoll_wait is to answer for it
 *     palitra_epoll_drain(epfd, queue, callback, ...);     each time epoll_wait has answered that
 *     palitra_epoll_remove(epfd, queue);                   before palitra_queue_free
 *
 * Header only, C99. examples/c/epoll.c is a whole program.
 */
#ifndef PALITRA_ADAPTERS_EPOLL_H
#define PALITRA_ADAPTERS_EPOLL_H

#include "drain.h"

#include <string.h>
#include <sys/epoll.h>

/* Has epoll_wait answer `data`, a field of epoll_data_t as the loop uses it, while events wait. Answers 0, or
 * -1 with errno set (EBADF for no queue). */
static inline int palitra_epoll_add(int epfd, palitra_queue queue, epoll_data_t data)
{
    struct epoll_event interest;
    memset(&interest, 0, sizeof interest);
    interest.events = EPOLLIN; /* level-triggered: see drain.h */
    interest.data = data;
    return epoll_ctl(epfd, EPOLL_CTL_ADD, palitra_queue_fd(queue), &interest);
}

/* Takes the queue out of the loop. From a callback too: it is still given the rest of its batch. Answers 0, or
 * -1 with errno set (ENOENT if it was not, or no longer, in the loop). */
static inline int palitra_epoll_remove(int epfd, palitra_queue queue)
{
    struct epoll_event unused; /* old kernels want one */
    memset(&unused, 0, sizeof unused);
    return epoll_ctl(epfd, EPOLL_CTL_DEL, palitra_queue_fd(queue), &unused);
}

/* Gives the callback a batch of the events that wait; at the end of a closed queue gives it NULL and takes the
 * queue out of the loop. Never blocks. Answers whether more may come. */
static inline bool palitra_epoll_drain(int epfd, palitra_queue queue, palitra_event_fn callback, void *user_data)
{
    bool more = palitra_drain(queue, callback, user_data, NULL, NULL);
    if (!more) palitra_epoll_remove(epfd, queue);
    return more;
}

#endif
