/* GETs of one page with keep-alive, so many in flight: by palitra through a queue, or by libcurl's multi interface.
 *
 *     http palitra|curl URL REQUESTS IN_FLIGHT        prints microseconds a request, and of the processors
 *
 * Run by benches/http_report.py. libcurl is loaded at run time, so that its headers are not needed: the numbers below
 * are of its ABI, which has not changed since 2000.
 */
#define _GNU_SOURCE
#include "palitra.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define MOST_IN_FLIGHT 1024

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static double processor_time(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e6 +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

static void must(int fine, const char *what) {
    if (fine) return;
    fprintf(stderr, "http: %s\n", what);
    exit(1);
}

/* ---- palitra ---------------------------------------------------------------------------------------- */

static palitra_runner runner;
static palitra_queue queue;

static void submit(const char *request) {
    palitra_submit_options options;
    palitra_token token;
    palitra_submit_options_init(&options);
    options.queue = queue;
    palitra_status status = palitra_runner_submit(runner, "http.bytes", request, strlen(request), &options, &token);
    must(status == PALITRA_OK, palitra_status_message(status));
}

static void with_palitra(const char *url, size_t requests, size_t in_flight) {
    char request[1024];
    palitra_event events[MOST_IN_FLIGHT];
    size_t submitted = 0, finished = 0;
    snprintf(request, sizeof request, "{\"url\":\"%s\"}", url);
    for (; submitted < in_flight && submitted < requests; submitted++) submit(request);
    while (finished < requests) {
        size_t count = 0;
        palitra_queue_next(queue, PALITRA_FOREVER, events, MOST_IN_FLIGHT, &count);
        for (size_t i = 0; i < count; i++, finished++) {
            palitra_reply reply;
            palitra_token_poll(events[i].token, &reply);
            must(reply.status == PALITRA_OK && reply.len > 0, "palitra: a request failed");
            palitra_reply_free(&reply);
            palitra_token_free(events[i].token);
            if (submitted < requests) {
                submit(request);
                submitted++;
            }
        }
    }
}

/* ---- libcurl ---------------------------------------------------------------------------------------- */

enum { WRITEDATA = 10001, URL = 10002, NOPROXY = 10177, WRITEFUNCTION = 20011, MAXCONNECTS = 6, MESSAGE_DONE = 1 };

struct message {
    int message;
    void *easy;
    union {
        void *whatever;
        int result;
    } data;
};

static void *(*easy_init)(void), *(*multi_init)(void);
static int (*easy_setopt)(void *, int, ...), (*multi_setopt)(void *, int, ...);
static int (*multi_add)(void *, void *), (*multi_remove)(void *, void *), (*multi_perform)(void *, int *);
static int (*multi_poll)(void *, void *, unsigned, int, int *);
static struct message *(*multi_info_read)(void *, int *);
static void *multi;

static void load(void *library, const char *name, void *function) {
    void *symbol = dlsym(library, name);
    must(symbol != NULL, name);
    memcpy(function, &symbol, sizeof symbol);
}

static void load_curl(void) {
    void *library = dlopen("libcurl.so.4", RTLD_NOW);
    must(library != NULL, "no libcurl.so.4 (Debian: libcurl4)");
    load(library, "curl_easy_init", &easy_init);
    load(library, "curl_easy_setopt", &easy_setopt);
    load(library, "curl_multi_init", &multi_init);
    load(library, "curl_multi_setopt", &multi_setopt);
    load(library, "curl_multi_add_handle", &multi_add);
    load(library, "curl_multi_remove_handle", &multi_remove);
    load(library, "curl_multi_perform", &multi_perform);
    load(library, "curl_multi_poll", &multi_poll);
    load(library, "curl_multi_info_read", &multi_info_read);
}

/* A body that is kept, as palitra keeps it. */
struct body {
    char *bytes;
    size_t length, room;
};

static size_t keep(char *bytes, size_t size, size_t count, void *kept) {
    struct body *body = kept;
    size *= count;
    if (body->length + size > body->room) {
        body->room = 2 * (body->length + size);
        body->bytes = realloc(body->bytes, body->room);
        must(body->bytes != NULL, "no memory");
    }
    memcpy(body->bytes + body->length, bytes, size);
    body->length += size;
    return size;
}

static void with_curl(const char *url, size_t requests, size_t in_flight) {
    static struct {
        void *easy;
        struct body body;
    } slots[MOST_IN_FLIGHT];
    size_t submitted = 0, finished = 0;
    for (; submitted < in_flight && submitted < requests; submitted++) {
        if (slots[submitted].easy == NULL) slots[submitted].easy = easy_init();
        easy_setopt(slots[submitted].easy, URL, url);
        easy_setopt(slots[submitted].easy, NOPROXY, "*");
        easy_setopt(slots[submitted].easy, WRITEFUNCTION, keep);
        easy_setopt(slots[submitted].easy, WRITEDATA, &slots[submitted].body);
        multi_add(multi, slots[submitted].easy);
    }
    while (finished < requests) {
        int running, left;
        struct message *message;
        multi_perform(multi, &running);
        while ((message = multi_info_read(multi, &left)) != NULL) {
            size_t slot = 0;
            void *easy = message->easy;
            if (message->message != MESSAGE_DONE) continue;
            must(message->data.result == 0, "curl: a request failed");
            while (slots[slot].easy != easy) slot++;
            multi_remove(multi, easy);
            must(slots[slot].body.length > 0, "curl: an empty body");
            free(slots[slot].body.bytes);
            slots[slot].body = (struct body){0};
            finished++;
            if (submitted < requests) {
                multi_add(multi, easy);
                submitted++;
            }
        }
        if (finished < requests) multi_poll(multi, NULL, 0, 1000, NULL);
    }
}

int main(int count, char **arguments) {
    must(count == 5, "palitra|curl URL REQUESTS IN_FLIGHT");
    const char *url = arguments[2];
    size_t requests = strtoul(arguments[3], NULL, 10), in_flight = strtoul(arguments[4], NULL, 10);
    must(in_flight > 0 && in_flight <= MOST_IN_FLIGHT, "in flight: 1 to 1024");
    int curl = strcmp(arguments[1], "curl") == 0;
    void (*run)(const char *, size_t, size_t) = curl ? with_curl : with_palitra;
    if (curl) {
        load_curl();
        multi = multi_init();
        multi_setopt(multi, MAXCONNECTS, (long)MOST_IN_FLIGHT);
    } else {
        must(palitra_runner_new(NULL, &runner) == PALITRA_OK, "no runner");
        must(palitra_queue_new(&queue) == PALITRA_OK, "no queue");
    }
    run(url, 2 * in_flight, in_flight); /* the connections are made */
    double time = now(), processors = processor_time();
    run(url, requests, in_flight);
    printf("%.3f %.3f\n", (now() - time) / (double)requests, (processor_time() - processors) / (double)requests);
    return 0;
}
