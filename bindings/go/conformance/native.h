/* What the Go API has no call for: a child after a fork, handles that no call ever returned, and jobs that answer twice
 * or never. */
#ifndef PALITRA_GO_CONFORMANCE_H
#define PALITRA_GO_CONFORMANCE_H

#include <palitra.h>

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#define FORGED UINT64_C(0x0123456789abcdef)

static inline palitra_status poll_forged_token(void) { return palitra_token_poll((palitra_token){FORGED}, NULL); }

static inline palitra_status submit_to_forged_runner(void) {
    palitra_token token;
    return palitra_runner_submit((palitra_runner){FORGED}, "palitra.echo", "", 0, NULL, &token);
}

/* Writes the status of each answer, a byte, into the pipe. */
static inline void answer_twice(palitra_call call, const void *data, size_t len, void *pipe) {
    for (int i = 0; i < 2; i++) {
        unsigned char status = (unsigned char)palitra_call_complete(call, PALITRA_OK, 0, PALITRA_TEXT, data, len);
        if (write((int)(intptr_t)pipe, &status, 1) != 1) _exit(1);
    }
    palitra_call_free(call);
}

static inline void give_up(palitra_call call, const void *data, size_t len, void *pipe) {
    (void)data, (void)len, (void)pipe;
    palitra_call_free(call);
}

static inline palitra_status register_answering(uint64_t runner, const char *name, int twice, intptr_t pipe) {
    const palitra_job_info info = {name, NULL, PALITRA_BYTES, PALITRA_TEXT};
    return palitra_runner_register((palitra_runner){runner}, &info, twice ? answer_twice : give_up, (void *)pipe, NULL);
}

enum in_child { CHILD_WAITS, CHILD_RUNS, CHILD_USES_GLOBAL };

/* The child of a Go program makes C calls only. It has Go's signal handlers, which would swallow an alarm. */
static inline palitra_status in_child(enum in_child what, palitra_runner runner, palitra_token token, const char *job,
                                      const char *payload) {
    signal(SIGALRM, SIG_DFL);
    alarm(20);
    if (what == CHILD_WAITS) return palitra_runner_wait(runner, token, PALITRA_FOREVER, NULL);
    if (what == CHILD_USES_GLOBAL) {
        palitra_status status = palitra_runner_global(&runner);
        if (status != PALITRA_OK) return status;
    }
    return palitra_runner_run(runner, job, payload, strlen(payload), PALITRA_FOREVER, NULL);
}

/* How the child ended, as waitpid reports it; negative if there was none. */
static inline int in_forked_child(enum in_child what, uint64_t runner, uint64_t token, const char *job,
                                  const char *payload) {
    int ended = 0;
    pid_t child = fork();
    if (child == 0) _exit(in_child(what, (palitra_runner){runner}, (palitra_token){token}, job, payload));
    if (child < 0) return -1;
    while (waitpid(child, &ended, 0) != child)
        if (errno != EINTR) return -1;
    return ended;
}

#endif
