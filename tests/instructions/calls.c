/* Does one thing so many times, so that its instructions can be counted: tests/instructions.rs.
 *
 *   calls THING TIMES
 */
#include <palitra.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAYLOAD ((const uint8_t *)"hello world")
#define LENGTH ((size_t)11)
/* How many jobs are in flight at a time, but for the things that do one. */
#define WINDOW ((size_t)100)

static palitra_runner runner;
static palitra_queue queue;
static palitra_token tokens[WINDOW];
static palitra_reply replies[WINDOW];
static palitra_event events[WINDOW];

static void require(palitra_status status) {
    if (status == PALITRA_OK) return;
    fprintf(stderr, "%s\n", palitra_status_name(status));
    exit(1);
}

static palitra_token submit(const palitra_submit_options *options) {
    palitra_token token;
    require(palitra_runner_submit(runner, "palitra.echo", PAYLOAD, LENGTH, options, &token));
    return token;
}

static void run_one(void) {
    palitra_reply reply;
    require(palitra_runner_run(runner, "palitra.echo", PAYLOAD, LENGTH, PALITRA_FOREVER, &reply));
    palitra_reply_free(&reply);
}

static void wait_for(palitra_token token) {
    palitra_reply reply;
    require(palitra_token_wait(token, PALITRA_FOREVER, &reply));
    palitra_reply_free(&reply);
    palitra_token_free(token);
}

/* A hand-off for each job: both threads sleep in between. */
static void submit_and_wait(void) { wait_for(submit(NULL)); }

static void submit_then_wait_for_each(void) {
    for (size_t i = 0; i < WINDOW; i++) tokens[i] = submit(NULL);
    for (size_t i = 0; i < WINDOW; i++) wait_for(tokens[i]);
}

static void submit_then_gather(void) {
    for (size_t i = 0; i < WINDOW; i++) tokens[i] = submit(NULL);
    require(palitra_runner_gather(runner, tokens, WINDOW, 0, PALITRA_FOREVER, replies));
    for (size_t i = 0; i < WINDOW; i++) {
        palitra_reply_free(&replies[i]);
        palitra_token_free(tokens[i]);
    }
}

static void submit_many_then_gather(void) {
    palitra_submission submissions[WINDOW];
    for (size_t i = 0; i < WINDOW; i++) submissions[i] = (palitra_submission){"palitra.echo", PAYLOAD, LENGTH, 0};
    require(palitra_runner_submit_many(runner, submissions, WINDOW, NULL, tokens, NULL));
    require(palitra_runner_gather(runner, tokens, WINDOW, PALITRA_FREE_TOKENS, PALITRA_FOREVER, replies));
    for (size_t i = 0; i < WINDOW; i++) palitra_reply_free(&replies[i]);
}

static void submit_then_drain_a_queue(void) {
    palitra_submit_options options;
    palitra_submit_options_init(&options);
    options.queue = queue;
    for (size_t i = 0; i < WINDOW; i++) submit(&options);
    for (size_t taken = 0, n; taken < WINDOW; taken += n) {
        require(palitra_queue_next(queue, PALITRA_FOREVER, events, WINDOW, &n));
        for (size_t i = 0; i < n; i++) wait_for(events[i].token);
    }
}

static const struct {
    const char *name;
    void (*function)(void);
    size_t jobs;
} things[] = {
    {"run", run_one, 1},
    {"hand_off", submit_and_wait, 1},
    {"wait", submit_then_wait_for_each, WINDOW},
    {"gather", submit_then_gather, WINDOW},
    {"submit_many", submit_many_then_gather, WINDOW},
    {"queue", submit_then_drain_a_queue, WINDOW},
};

int main(int argc, char **argv) {
    palitra_runner_options options;
    palitra_runner_options_init(&options);
    options.spin_limit_ns = -1; /* how long a thread spins is no property of the code */
    require(palitra_runner_new(&options, &runner));
    require(palitra_queue_new(&queue));
    for (size_t i = 0; argc == 3 && i < sizeof things / sizeof *things; i++) {
        if (strcmp(things[i].name, argv[1]) != 0) continue;
        size_t times = strtoul(argv[2], NULL, 10) / things[i].jobs;
        for (size_t done = 0; done < times; done++) things[i].function();
        palitra_queue_free(queue);
        palitra_runner_free(runner);
        return 0;
    }
    fputs("usage: calls THING TIMES\n", stderr);
    return 2;
}
