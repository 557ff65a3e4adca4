/* glib: a GLib main loop that is notified when jobs finish, beside whatever else it does: here a timer beats.
 *
 *     cc glib.c -o glib -I../../include -L../../target/release -lpalitra $(pkg-config --cflags --libs glib-2.0)
 */
#include "adapters/glib.h"

#include <stdio.h>
#include <string.h>

enum { JOBS = 3 };

struct host {
    palitra_queue queue;
    GMainLoop *main_loop;
    int left, beats;
};

static gboolean on_beat(gpointer user_data) {
    ((struct host *)user_data)->beats++;
    return G_SOURCE_CONTINUE;
}

static void on_event(const palitra_event *event, void *user_data) {
    struct host *host = user_data;
    palitra_reply reply;
    if (event == NULL) { /* the queue was closed and is empty */
        g_main_loop_quit(host->main_loop);
        return;
    }
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

int main(void) {
    struct host host = {.main_loop = g_main_loop_new(NULL, FALSE)};
    palitra_runner runner;
    GSource *source;
    if (palitra_runner_new(NULL, &runner) != PALITRA_OK || palitra_queue_new(&host.queue) != PALITRA_OK) return 1;
    source = palitra_glib_attach(NULL, host.queue, on_event, &host);
    g_timeout_add(10, on_beat, &host);
    submit_all(runner, &host);
    if (host.left > 0) g_main_loop_run(host.main_loop);
    printf("the loop went on meanwhile: %s\n", host.beats > 0 ? "yes" : "no");
    palitra_glib_detach(source);
    palitra_queue_free(host.queue);
    palitra_runner_free(runner);
    g_main_loop_unref(host.main_loop);
    return 0;
}
