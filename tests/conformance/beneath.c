/*
 * What programs in some languages cannot do, or must not: threads where a language has none, a callback, a wait in one,
 * jobs of the program where its binding has none, a fork. For the interpreters of the conformance scenarios, which load
 * this by their FFI as a shared library.
 *
 * It is linked with the library under test. Handles are their numbers.
 */
#include "host_job.h"

#include <palitra.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILD_SECONDS 20
#define LASTING_WORDS 100

/* ---- threads ------------------------------------------------------------------------------------------------ */

struct beneath_thread {
    pthread_t thread;
    palitra_runner runner;
    /* A run's job and payload; NULL for a gather, of which a wait is one of one token. */
    char *job;
    void *payload;
    size_t len;
    palitra_token *tokens;
    palitra_reply *replies;
    size_t n;
};

static void *carry_out(void *data) {
    struct beneath_thread *thread = data;
    if (thread->job != NULL) {
        palitra_runner_run(thread->runner, thread->job, thread->payload, thread->len, PALITRA_FOREVER, thread->replies);
    } else {
        palitra_runner_gather(thread->runner, thread->tokens, thread->n, 0, PALITRA_FOREVER, thread->replies);
    }
    return NULL;
}

static struct beneath_thread *begin(struct beneath_thread thread) {
    struct beneath_thread *begun = malloc(sizeof *begun);
    if (begun == NULL) {
        return NULL;
    }
    *begun = thread;
    begun->replies = calloc(thread.n, sizeof *begun->replies);
    if (begun->replies == NULL || pthread_create(&begun->thread, NULL, carry_out, begun) != 0) {
        abort();
    }
    return begun;
}

/* Starts a thread that runs a job to its end. */
struct beneath_thread *beneath_run(uint64_t runner, const char *job, const void *payload, size_t len) {
    void *copy = malloc(len + 1);
    if (copy == NULL) {
        abort();
    }
    memcpy(copy, len == 0 ? "" : payload, len);
    return begin((struct beneath_thread){.runner = {runner}, .job = strdup(job), .payload = copy, .len = len, .n = 1});
}

/* Starts a thread that waits for tokens. */
struct beneath_thread *beneath_gather(uint64_t runner, const uint64_t *tokens, size_t n) {
    palitra_token *copy = calloc(n, sizeof *copy);
    if (copy == NULL) {
        abort();
    }
    for (size_t i = 0; i < n; i++) {
        copy[i].id = tokens[i];
    }
    return begin((struct beneath_thread){.runner = {runner}, .tokens = copy, .n = n});
}

/* Waits for a thread's end and hands out its replies, one for each token, which the caller frees. */
void beneath_join(struct beneath_thread *thread, palitra_reply *replies) {
    pthread_join(thread->thread, NULL);
    memcpy(replies, thread->replies, thread->n * sizeof *replies);
    free(thread->replies);
    free(thread->tokens);
    free(thread->payload);
    free(thread->job);
    free(thread);
}

/* ---- callback ----------------------------------------------------------------------------------------------- */

struct waiting {
    palitra_token other;
    palitra_reply *reply;
    sem_t called;
};

static void wait_in_callback(palitra_token token, palitra_status status, void *user_data) {
    (void)token;
    (void)status;
    struct waiting *waiting = user_data;
    palitra_token_wait(waiting->other, PALITRA_FOREVER, waiting->reply);
    sem_post(&waiting->called);
}

/* Has a callback of one token wait for another, whose reply the caller frees. */
palitra_status beneath_callback(uint64_t token, uint64_t other, palitra_reply *reply) {
    struct waiting waiting = {.other = {other}, .reply = reply};
    memset(reply, 0, sizeof *reply);
    sem_init(&waiting.called, 0, 0);
    palitra_status status = palitra_token_on_complete((palitra_token){token}, wait_in_callback, &waiting, NULL);
    if (status != PALITRA_OK) {
        return status;
    }
    while (sem_wait(&waiting.called) != 0) {
    }
    return reply->status;
}

static void read_in_callback(palitra_token token, palitra_status status, void *user_data) {
    struct waiting *waiting = user_data;
    (void)status;
    palitra_token_poll(token, waiting->reply);
    sem_post(&waiting->called);
}

/* Waits until a callback has told of a token's end, and hands out its reply, which the caller frees. */
palitra_status beneath_ready(uint64_t token, palitra_reply *reply) {
    struct waiting waiting = {.reply = reply};
    memset(reply, 0, sizeof *reply);
    sem_init(&waiting.called, 0, 0);
    /* After the runner's end nobody calls back, and the token has finished. */
    if (palitra_token_on_ready((palitra_token){token}, 0, read_in_callback, &waiting, NULL) != PALITRA_OK) {
        return palitra_token_poll((palitra_token){token}, reply);
    }
    while (sem_wait(&waiting.called) != 0) {
    }
    return reply->status;
}

/* ---- jobs of the program ------------------------------------------------------------------------------------ */

/* The same word in memory that outlives every job: the words of the scenarios are few, and come over and over. */
static const char *lasting(const char *word) {
    static char *words[LASTING_WORDS];
    for (size_t i = 0; i < LASTING_WORDS; i++) {
        if (words[i] == NULL) {
            words[i] = strdup(word);
        }
        if (words[i] == NULL || strcmp(words[i], word) == 0) {
            return words[i];
        }
    }
    abort();
}

/* Registers a job that does what the word says, in C. */
palitra_status beneath_register(uint64_t runner, const char *job, const char *does) {
    return register_host_job((palitra_runner){runner}, lasting(job), lasting(does));
}

/* Waits for a job's next note, a text that lives on. */
const char *beneath_note(const char *job) { return take_note(job); }

/* ---- fork --------------------------------------------------------------------------------------------------- */

static palitra_status run_global(void) {
    palitra_runner runner;
    palitra_status status = palitra_runner_global(&runner);
    return status != PALITRA_OK ? status : palitra_runner_run(runner, "palitra.echo", "x", 1, PALITRA_FOREVER, NULL);
}

/* Forks; the child calls "wait" for a token, "run" on a runner, or "global". Returns the child's status, or the
 * negative number of the signal that ended it. */
int32_t beneath_fork(const char *call, uint64_t handle) {
    pid_t child = fork();
    if (child == 0) {
        alarm(CHILD_SECONDS);
        palitra_status status =
            strcmp(call, "wait") == 0 ? palitra_token_wait((palitra_token){handle}, PALITRA_FOREVER, NULL)
            : strcmp(call, "run") == 0
                ? palitra_runner_run((palitra_runner){handle}, "palitra.echo", "x", 1, PALITRA_FOREVER, NULL)
                : run_global();
        _exit(status);
    }
    int ended = 0;
    waitpid(child, &ended, 0);
    return WIFSIGNALED(ended) ? -WTERMSIG(ended) : WEXITSTATUS(ended);
}
