/*
 * palitra: synchronous programs call asynchronous code.
 *
 * A job is an async function that the library holds under a name. A runner is a background thread
 * that runs jobs. Submitting a job to a runner gives a token: wait for it, poll it, cancel it, or
 * read the items that its job streams. A queue collects the events of finished jobs for an event
 * loop.
 *
 *     #include <palitra.h>
 *     #include <stdio.h>
 *     #include <string.h>
 *
 *     int main(void) {
 *         palitra_runner runner;
 *         palitra_status status = palitra_runner_new(NULL, &runner);
 *         if (status != PALITRA_OK) {
 *             fprintf(stderr, "%s\n", palitra_status_message(status));
 *             return 1;
 *         }
 *
 *         // Run a job and wait for its reply.
 *         palitra_reply reply;
 *         palitra_runner_run(runner, "palitra.echo", "hello", 5, PALITRA_FOREVER, &reply);
 *         printf("%.*s\n", (int)reply.len, (const char *)reply.data);
 *         palitra_reply_free(&reply);
 *
 *         // Submit a job, do something else, and wait for its token.
 *         const char *payload = "{\"seconds\": 0.1}";
 *         palitra_token token;
 *         size_t len = strlen(payload);
 *         status = palitra_runner_submit(runner, "palitra.sleep", payload, len, NULL, &token);
 *         if (status == PALITRA_OK) {
 *             status = palitra_token_wait(token, PALITRA_SECONDS(5), &reply);
 *             printf("%s: %s\n", palitra_status_name(status), (const char *)reply.data);
 *             palitra_reply_free(&reply);
 *             palitra_token_free(token);
 *         }
 *
 *         palitra_runner_free(runner);
 *         return status == PALITRA_OK ? 0 : 1;
 *     }
 *
 * These rules apply to every function, unless its comment says otherwise:
 *
 * Threads. Every function may be called from any thread, and by several threads at once.
 * Cancelling a thread inside a call (pthread_cancel) ends the process: disable cancellation
 * around calls (pthread_setcancelstate).
 *
 * Pointers. A pointer that is not NULL points to what its type says until the call returns. The
 * library keeps no pointer after that: payloads are copied. Names and texts are UTF-8 and end
 * with a NUL. The comments say which pointers may be NULL; for any other NULL a function returns
 * PALITRA_INVALID_ARGUMENT.
 *
 * Handles. For an invalid handle (zero, stale, forged or of another kind) a function returns
 * PALITRA_INVALID_HANDLE; it is never undefined behaviour. A handle that was freed is stale.
 * Freeing it again is safe. Several libraries built on palitra may live in one process; the handle
 * of one is invalid in the others. A function that makes a handle returns PALITRA_BUSY if no
 * handle is left: if 2^28 of its kind exist, or if 1,024 processes, each forked from the one
 * before, have made some.
 *
 * Replies. Whatever a call returns, it fills the reply that it was given, and the status of the
 * reply is the one that it returns; in a gather each reply has the status of its own job. The
 * caller frees each reply with palitra_reply_free, also after a failure.
 *
 * Times. Timeouts, grace periods and deadlines are nanoseconds: PALITRA_MS(250),
 * PALITRA_SECONDS(1.5). A negative timeout, such as PALITRA_FOREVER, means forever, which is the
 * same as no timeout; 0 means do not block.
 *
 * Options. A struct that begins with its size may grow at its end in later versions. Its init
 * function sets the size and the defaults; a struct of zeros with its size set means the
 * defaults, too. A program and a library of different versions work together as far as both know
 * the struct: a field that the library does not know must be 0.
 *
 * Blocked threads. A job that does not yield, and a callback, block the runner's thread and
 * everything that needs it. Waits, polls, cancels, deadlines and the end of a grace period do not
 * need it. If a job blocks it for 100 ms, the runner's watchdog logs the name of the job.
 *
 * Stack. palitra_runner_run and palitra_runner_start poll a job on the calling thread only if
 * 64 KiB of its stack are left; otherwise the job starts on the runner's thread.
 *
 * Fork. In a forked child a function returns PALITRA_FORKED for a handle of the parent, or does
 * nothing if it returns nothing. The child makes runners of its own, and may read and free
 * replies.
 *
 * Signals. The library installs no signal handler, and its threads block all signals but faults
 * and SIGPROF. A signal handler must not call any function of the library. A signal does not
 * interrupt a wait: a program that handles Ctrl-C waits in slices. A program that a callback
 * starts may inherit the blocked signals: docs/fork-exit-signals.md says what to do.
 *
 * Exit. A process may exit at any time with jobs in flight. The library installs no exit handler,
 * and dlclose leaves it mapped.
 *
 * Defects. Every function may return PALITRA_INTERNAL. Where its comment does not list that, the
 * library has a defect.
 *
 * The build writes this file from the library's sources: see build/header.rs.
 */

#ifndef PALITRA_H
#define PALITRA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Pedantic C89 has no bool; clang says so at each use, although <stdbool.h> brought one. */
#if defined(__clang__) && !defined(__cplusplus) && \
    (!defined(__STDC_VERSION__) || __STDC_VERSION__ < 199901L)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wc99-extensions"
#endif

#ifdef __cplusplus
extern "C" {
#endif

@section library

@section status

/* ------------------------------------------------------------------------------------------------
 * Time: every timeout, grace period and deadline is a number of nanoseconds.
 * ---------------------------------------------------------------------------------------------- */

/** A timeout: wait as long as it takes. Every negative timeout means the same. */
#define PALITRA_FOREVER (-1)

/** Milliseconds and seconds in nanoseconds: PALITRA_MS(250), PALITRA_SECONDS(1.5). */
#define PALITRA_MS(n) ((int64_t)((n) * INT64_C(1000000)))
#define PALITRA_SECONDS(n) ((int64_t)((n) * INT64_C(1000000000)))

@section handle

@section callback

@section reply

@section job

@section http

@section log

@section runner

@section stats

@section submit

@section wait

@section token

@section queue

@section call

@section queued

#ifdef __cplusplus
}
#endif

#if defined(__clang__) && !defined(__cplusplus) && \
    (!defined(__STDC_VERSION__) || __STDC_VERSION__ < 199901L)
#pragma clang diagnostic pop
#endif

#endif /* PALITRA_H */
