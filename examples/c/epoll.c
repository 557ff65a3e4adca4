/* epoll: an epoll loop that is notified when jobs finish, beside whatever else it watches.
 *
 * With nothing but the system's own headers:
 *
 *     cc epoll.c -o epoll -I../../include -L../../target/release -lpalitra
 */
#define _POSIX_C_SOURCE 200809L

#include "adapters/epoll.h"

#include <stdio.h>
#include <unistd.h>

enum { JOBS = 3 };

struct host {
    palitra_queue queue;
    int left;
};

static void on_event(const palitra_event *event, void *user_data) {
    struct host *host = user_data;
    palitra_reply reply;
    if (event == NULL) return; /* the queue was closed and is empty: the loop ends */
    palitra_token_poll(event->token, &reply);
    printf("job %d: %s\n", (int)event->tag, (const char *)reply.data);
    palitra_reply_free(&reply);
    palitra_token_free(event->token);
    if (--host->left == 0) palitra_queue_close(host->queue);
}

/* Submits the jobs, and counts those that were accepted. */
static void submit_all(palitra_runner runner, struct host *host) {
    static const char *const payloads[JOBS] = {"{\"seconds\":0.3}", "{\"seconds\":0.1}", "{\"seconds\":0.2}"};
    palitra_submit_options options;
    palitra_submit_options_init(&options);
    options.queue = host->queue;
    for (options.tag = 0; options.tag < JOBS; options.tag++) {
        const char *payload = payloads[options.tag];
        palitra_token token; /* comes back with the event */
        palitra_status status =
            palitra_runner_submit(runner, "palitra.sleep", payload, strlen(payload), &options, &token);
        /* No event comes of a job that was refused: it is not to be waited for. */
        if (status == PALITRA_OK) host->left++;
        else fprintf(stderr, "job %d: %s\n", (int)options.tag, palitra_status_message(status));
    }
}

static void run_loop(int epfd, struct host *host) {
    bool more = true;
    while (more) {
        struct epoll_event ready[16];
        int count = epoll_wait(epfd, ready, 16, -1);
        for (int i = 0; i < count; i++)
            if (ready[i].data.ptr == host) more = palitra_epoll_drain(epfd, host->queue, on_event, host);
    }
}

int main(void) {
    struct host host = {{0}, 0};
    palitra_runner runner;
    int epfd = epoll_create1(EPOLL_CLOEXEC);
    epoll_data_t data;
    if (palitra_runner_new(NULL, &runner) != PALITRA_OK || palitra_queue_new(&host.queue) != PALITRA_OK) return 1;
    data.ptr = &host;
    if (palitra_epoll_add(epfd, host.queue, data) != 0) return 1;
    submit_all(runner, &host);
    if (host.left > 0) run_loop(epfd, &host);
    palitra_queue_free(host.queue);
    palitra_runner_free(runner);
    close(epfd);
    return 0;
}
