/* libuv: a libuv loop that is notified when jobs finish, beside whatever else it does: here a timer beats.
 *
 *     cc libuv.c -o libuv -I../../include -L../../target/release -lpalitra $(pkg-config --cflags --libs libuv)
 */
#define _POSIX_C_SOURCE 200809L /* uv.h needs it where the compiler is held to strict C */

#include "adapters/libuv.h"

#include <stdio.h>
#include <string.h>

enum { JOBS = 3 };

struct host {
    palitra_queue queue;
    palitra_libuv *adapter;
    uv_timer_t heart;
    int left, beats;
};

static void on_beat(uv_timer_t *heart) { ((struct host *)heart->data)->beats++; }

/* Nothing is left in the loop, so uv_run returns. */
static void stop(struct host *host) {
    palitra_libuv_detach(host->adapter);
    uv_close((uv_handle_t *)&host->heart, NULL);
}

static void on_event(const palitra_event *event, void *user_data) {
    struct host *host = user_data;
    palitra_reply reply;
    palitra_token_poll(event->token, &reply);
    printf("job %d: %s\n", (int)event->tag, (const char *)reply.data);
    palitra_reply_free(&reply);
    palitra_token_free(event->token);
    if (--host->left == 0) stop(host);
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

int main(void) {
    struct host host = {.left = 0};
    palitra_runner runner;
    uv_loop_t *uv = uv_default_loop();
    if (palitra_runner_new(NULL, &runner) != PALITRA_OK || palitra_queue_new(&host.queue) != PALITRA_OK) return 1;
    if (palitra_libuv_attach(uv, host.queue, on_event, &host, &host.adapter) != 0) return 1;
    uv_timer_init(uv, &host.heart);
    host.heart.data = &host;
    uv_timer_start(&host.heart, on_beat, 10, 10);
    submit_all(runner, &host);
    if (host.left == 0) stop(&host);
    uv_run(uv, UV_RUN_DEFAULT);
    printf("the loop went on meanwhile: %s\n", host.beats > 0 ? "yes" : "no");
    palitra_queue_free(host.queue);
    palitra_runner_free(runner);
    uv_loop_close(uv);
    return 0;
}
