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

/* ------------------------------------------------------------------------------------------------
 * Library: the versions of this header and of the library that is loaded.
 * ---------------------------------------------------------------------------------------------- */

/**
 * The version of this ABI, and the number in libpalitra.so.1, the name that programs remember the
 * library by. It changes when programs that were built with an older header would no longer work.
 */
#define PALITRA_ABI_VERSION 1
/** The version of the library that this header belongs to: the first number. */
#define PALITRA_VERSION_MAJOR 0
/** The second number. */
#define PALITRA_VERSION_MINOR 2
/** The third number. */
#define PALITRA_VERSION_PATCH 0

/**
 * Returns the version of the library that is loaded.
 *
 * @return a text such as "1.2.3". It is never NULL and lives as long as the library is loaded.
 */
const char *palitra_version(void);

/**
 * Returns the ABI version of the library that is loaded.
 *
 * @return the number, to compare with PALITRA_ABI_VERSION
 */
uint32_t palitra_abi_version(void);

/* ------------------------------------------------------------------------------------------------
 * Status: the result of a call, or how a job ended.
 * ---------------------------------------------------------------------------------------------- */

/**
 * The result of a call, or how a job ended: one of the PALITRA_ numbers below. Later versions may
 * add numbers. No number is reused.
 */
typedef int32_t palitra_status;

/** Success. */
#define PALITRA_OK 0
/**
 * Not finished yet. From a call with a timeout: the timeout passed, and the job runs on. From a
 * shutdown: something still blocks a thread. In an event: items wait.
 */
#define PALITRA_PENDING 1
/** There are no more items or events. */
#define PALITRA_END 2
/** The job ran and returned an error: see the code and the message of the reply. */
#define PALITRA_JOB_FAILED 10
/** The job panicked: see the message of the reply. The runner keeps running. */
#define PALITRA_JOB_PANICKED 11
/** The job was cancelled: by palitra_token_cancel, a fail-fast gather or a shutdown. */
#define PALITRA_CANCELLED 12
/** The deadline of the job, or the timeout of palitra_runner_run, passed. The job was cancelled. */
#define PALITRA_DEADLINE 13
/**
 * The caller's payload is not what the job takes, such as JSON of another shape. The job did not
 * run. The message of the reply says what is wrong.
 */
#define PALITRA_BAD_PAYLOAD 14
/** An argument is NULL, is not UTF-8, or has a size or a value that the function does not take. */
#define PALITRA_INVALID_ARGUMENT 20
/** The handle is zero, stale, forged or of another kind. */
#define PALITRA_INVALID_HANDLE 21
/** The library has no job of that name. */
#define PALITRA_UNKNOWN_JOB 22
/** A limit is reached: of jobs in flight, or of handles. */
#define PALITRA_BUSY 23
/**
 * The payload exceeds the limit of the runner, or there is not enough memory for a copy of it or
 * to watch so many tokens.
 */
#define PALITRA_TOO_LARGE 24
/** The call came from a job or a callback, and would block the runner's own thread. */
#define PALITRA_WOULD_DEADLOCK 25
/** The runner was shut down. */
#define PALITRA_SHUT_DOWN 26
/** The handle was made before this process was forked. */
#define PALITRA_FORKED 27
/**
 * The system refused a thread or a file descriptor, palitra_log_set found another tracing
 * subscriber, or the library has a defect.
 */
#define PALITRA_INTERNAL 29

/**
 * Returns the name of a status, such as "PALITRA_OK".
 *
 * @param status  any number
 *
 * @return the name, or "PALITRA_UNKNOWN_STATUS" for a number that is no status. It is never NULL
 * and lives as long as the library is loaded.
 */
const char *palitra_status_name(palitra_status status);

/**
 * Returns a sentence that says what a status means.
 *
 * @param status  any number
 *
 * @return the sentence. It is never NULL and lives as long as the library is loaded.
 */
const char *palitra_status_message(palitra_status status);

/* ------------------------------------------------------------------------------------------------
 * Time: every timeout, grace period and deadline is a number of nanoseconds.
 * ---------------------------------------------------------------------------------------------- */

/** A timeout: wait as long as it takes. Every negative timeout means the same. */
#define PALITRA_FOREVER (-1)

/** Milliseconds and seconds in nanoseconds: PALITRA_MS(250), PALITRA_SECONDS(1.5). */
#define PALITRA_MS(n) ((int64_t)((n) * INT64_C(1000000)))
#define PALITRA_SECONDS(n) ((int64_t)((n) * INT64_C(1000000000)))

/* ------------------------------------------------------------------------------------------------
 * Handle: a value of 8 bytes that names a runner, a token, a queue or a call. Copy it, compare its
 * id and pass it to any thread. The id 0 names nothing.
 * ---------------------------------------------------------------------------------------------- */

/** Names a runner: a background thread that runs jobs. Freed with palitra_runner_free. */
typedef struct palitra_runner {
  /** 0 for no runner. */
  uint64_t id;
} palitra_runner;

/** Names one submitted job. Freed with palitra_token_free, before or after the job has finished. */
typedef struct palitra_token {
  /** 0 for no token. */
  uint64_t id;
} palitra_token;

/** Names a queue of events. Freed with palitra_queue_free. */
typedef struct palitra_queue {
  /** 0 for no queue. */
  uint64_t id;
} palitra_queue;

/**
 * Names one call of a job that the host has registered. Freed with palitra_call_free, before or
 * after it was answered.
 */
typedef struct palitra_call {
  /** 0 for no call. */
  uint64_t id;
} palitra_call;

/* ------------------------------------------------------------------------------------------------
 * Callback: a function of the program that the library calls. Every callback takes a pointer to
 * user data, and is registered together with a function that frees this data.
 * ---------------------------------------------------------------------------------------------- */

/**
 * Frees the user data of a callback. The library calls it exactly once, on any thread, whether or
 * not the callback was called or registered; palitra_runner_options has the one exception. NULL:
 * there is nothing to free.
 */
typedef void (*palitra_free_fn)(void *user_data);

/* ------------------------------------------------------------------------------------------------
 * Reply: what a finished job leaves, and what one item of a stream is.
 * ---------------------------------------------------------------------------------------------- */

/** What the bytes of a payload or of a reply are. */
typedef int32_t palitra_format;

/** Any bytes. */
#define PALITRA_BYTES 0
/** UTF-8 text. */
#define PALITRA_TEXT 1
/** One JSON value, in UTF-8. */
#define PALITRA_JSON 2

/**
 * The result of a job, or a message that says why there is none. The caller owns it and frees it
 * with palitra_reply_free. The data does not move until then, and outlives the token and the
 * runner.
 *
 * A NUL follows the data of a text, of JSON and of a message, even of an empty one, so it can be
 * printed as a C string, up to the first NUL that it contains. No NUL follows bytes. A payload
 * needs no NUL.
 */
typedef struct palitra_reply {
  /** How the job ended, or why there is no result. */
  palitra_status status;
  /** The number that the job gave its failure; 0 otherwise. */
  int32_t code;
  /** What the data is. */
  palitra_format format;
  /**
   * The result if the status is PALITRA_OK; a message in UTF-8 otherwise. It is not NULL before
   * it is freed, even if it is empty.
   */
  const uint8_t *data;
  /** The length of the data in bytes, without the NUL that follows it. */
  size_t len;
  /** Private to the library; do not change it. */
  void *owner;
} palitra_reply;

/**
 * Frees the data of a reply, and sets data to NULL and len to 0; the status stays. Freeing a reply
 * twice does nothing. Copies of the struct are one reply: free only one of them. May be called at
 * any time, also after the runner was freed and in a forked child.
 *
 * @param reply  a reply that a call has filled, or a struct of zeros; NULL does nothing
 */
void palitra_reply_free(struct palitra_reply *reply);

/**
 * Returns what the failure of a job says to programs, beside its code and its message: the SQLSTATE
 * of a database, the field of a form that is wrong.
 *
 * @param reply  a reply that a call has filled and that was not freed
 *
 * @return JSON in UTF-8 with a NUL behind it, which lives until the reply is freed. NULL if the job
 * gave no details, or if reply is NULL.
 */
const char *palitra_reply_details(const struct palitra_reply *reply);

/* ------------------------------------------------------------------------------------------------
 * Job: an async function that the library holds under a name.
 * ---------------------------------------------------------------------------------------------- */

/** Describes a job. The strings belong to the library and live as long as it is loaded. */
typedef struct palitra_job_info {
  /** The name of the job. */
  const char *name;
  /** The documentation of the job; empty if it has none. */
  const char *doc;
  /** The format of the payload that the job takes. */
  palitra_format input;
  /** The format of the reply when the job succeeds. */
  palitra_format output;
} palitra_job_info;

/**
 * Returns how many jobs this library holds.
 *
 * @return the number of jobs. It does not change while the library is loaded.
 */
size_t palitra_job_count(void);

/**
 * Describes one job. The jobs are in the order of their names.
 *
 * @param index  an index below palitra_job_count
 * @param out    receives the description; unchanged unless the call returns PALITRA_OK
 *
 * @return one of these:
 * - PALITRA_OK
 * - PALITRA_INVALID_ARGUMENT: the index is too large, or out is NULL
 */
palitra_status palitra_job_at(size_t index, struct palitra_job_info *out);

/**
 * Describes one job in full, or all jobs of the library, as a JSON document. The object of a job
 * has these members:
 *
 * - "name" and "doc": what palitra_job_at says
 * - "inline": whether its first poll never blocks, as its author declares
 * - "payload": an object with "format", which is "json", "text" or "bytes", and with "schema", the
 *   JSON Schema (draft 2020-12) of the payload, if it is known. Missing if the job takes none.
 * - "reply": the same of the reply when the job succeeds
 * - "items": the same of each item, if the job says that it streams
 * - "errors": the codes that it fails with, if its error has names for them: an object with its
 *   "name", and "codes", an array of objects with "name", "code" and "doc"
 *
 * Bytes that are JSON, a line feed and further bytes have the schema of that JSON as "head", which
 * is true if it is not known. A schema is known if the author derives it and the library was built
 * with schemas. The document for all jobs is an object with "palitra", the version, "schemas",
 * whether the library has any, and "jobs", an array in the order of their names.
 *
 * Later versions may add members. The document of a library is the same each time.
 *
 * @param name  the name of the job; NULL: all jobs
 * @param out   receives the document, which the caller frees; may be NULL
 *
 * @return one of these:
 * - PALITRA_OK
 * - PALITRA_INVALID_ARGUMENT: the name is not UTF-8
 * - PALITRA_UNKNOWN_JOB: the library holds no such job; the reply names the job, and the one with
 *   the most similar name
 */
palitra_status palitra_job_describe(const char *name, struct palitra_reply *out);

/**
 * Finds the job with the most similar name, for a message after PALITRA_UNKNOWN_JOB. A reply of
 * that status has such a message already; a call without a reply, such as palitra_runner_submit,
 * has none. The most similar name is the one with the fewest letters to change. Case does not
 * count.
 *
 * @param name  the name of a job, perhaps misspelled
 *
 * @return the name of that job, which is the same name if it is the name of a job. NULL if no
 * name is similar, or if the name is NULL or not UTF-8. The text lives as long as the library is
 * loaded.
 */
const char *palitra_job_nearest(const char *name);

/* ------------------------------------------------------------------------------------------------
 * HTTP: the code in the reply of an HTTP job that failed, with the status PALITRA_JOB_FAILED. From
 * 100 on it is the status of the server: of the jobs whose reply has no room for it, a status
 * outside 200 to 299 is a failure.
 * ---------------------------------------------------------------------------------------------- */

/** The request cannot be sent as it is: an invalid URL, method, header, field or path. */
#define PALITRA_HTTP_INVALID_REQUEST 1
/**
 * The server or its proxy cannot be reached: the name is unknown, it refused, the network is down.
 */
#define PALITRA_HTTP_CANNOT_CONNECT 2
/** The timeout of the request passed before the response was complete. */
#define PALITRA_HTTP_TIMEOUT 3
/** More redirects than the request allows. */
#define PALITRA_HTTP_TOO_MANY_REDIRECTS 4
/** The body, unpacked if it comes compressed, is larger than the request allows. */
#define PALITRA_HTTP_BODY_TOO_LARGE 5
/** The certificate of the server is not trusted, or the encrypted connection failed. */
#define PALITRA_HTTP_TLS 6
/** The response is not HTTP, breaks its rules, or broke off. */
#define PALITRA_HTTP_BROKEN_RESPONSE 7
/** The body is not text in its charset, or the charset is unknown. */
#define PALITRA_HTTP_NOT_TEXT 8
/** The file of a download exists. */
#define PALITRA_HTTP_FILE_EXISTS 9
/** There is no space for the file of a download: the disk is full, or a quota is reached. */
#define PALITRA_HTTP_NO_SPACE 10
/** The file of a download cannot be written, for another reason. */
#define PALITRA_HTTP_CANNOT_WRITE 11
/** A file that is to be sent cannot be read, or became shorter meanwhile. */
#define PALITRA_HTTP_CANNOT_READ 12
/** The job that produces the body failed, or its items are not of the announced length. */
#define PALITRA_HTTP_BODY_FAILED 13

/* ------------------------------------------------------------------------------------------------
 * Log: the messages of the library, and of the Rust crates in it, for one callback or collected.
 * ---------------------------------------------------------------------------------------------- */

/** Log nothing. */
#define PALITRA_LOG_OFF 0
/** Errors only. */
#define PALITRA_LOG_ERROR 1
/** Warnings too, such as a job that blocks its thread for more than 100 ms. */
#define PALITRA_LOG_WARN 2
/** Rare events too. */
#define PALITRA_LOG_INFO 3
/** Details that help to find a defect, too. */
#define PALITRA_LOG_DEBUG 4
/** Everything. */
#define PALITRA_LOG_TRACE 5

/**
 * Is called with each message of the library. It is called from any thread, from several at once,
 * and under no lock of the library. Messages that it causes itself are discarded.
 *
 * @param level      one of the PALITRA_LOG_ numbers
 * @param target     where the message comes from; lives until the function returns
 * @param message    the text; lives until the function returns
 * @param user_data  what palitra_log_set was given
 */
typedef void (*palitra_log_fn)(int32_t level,
                               const char *target,
                               const char *message,
                               void *user_data);

/**
 * Registers the log callback, in place of the one before. Without one, a message costs nothing.
 * The function and its level change together, even if several threads set them at once. The
 * former function may still be running on another thread when this call returns; its user data is
 * freed afterwards. A forked child has no log callback until it registers one.
 *
 * @param level           the most detailed level that is logged; PALITRA_LOG_OFF ends logging
 * @param function        the callback; NULL ends logging
 * @param user_data       passed to the callback
 * @param free_user_data  frees the user data, exactly once, also if this call fails; may be NULL
 *
 * @return one of these:
 * - PALITRA_OK
 * - PALITRA_INVALID_ARGUMENT: the level is none of the PALITRA_LOG_ numbers
 * - PALITRA_INTERNAL: Rust code of this library has set a tracing subscriber of its own
 */
palitra_status palitra_log_set(int32_t level,
                               palitra_log_fn function,
                               void *user_data,
                               palitra_free_fn free_user_data);

/**
 * Collects the messages, in place of a log callback, for palitra_log_next. For languages whose code
 * must not run on a thread of the library. A forked child collects nothing until it asks for it.
 *
 * @param level  the most detailed level that is logged; PALITRA_LOG_OFF ends logging: what was
 *               collected can still be read
 * @param most   how many messages wait at most, up to 1048576; 0: 1024. Of those for which there is
 *               no room the number is logged, once there is.
 *
 * @return one of these:
 * - PALITRA_OK
 * - PALITRA_INVALID_ARGUMENT: the level is none of the PALITRA_LOG_ numbers, or most is too large
 * - PALITRA_INTERNAL: Rust code of this library has set a tracing subscriber of its own
 */
palitra_status palitra_log_collect(int32_t level, size_t most);

/**
 * Takes the next message that was collected, each once. Blocks until there is one.
 *
 * @param timeout_ns  how long to wait; any negative number means forever
 * @param message     filled with JSON, {"level": 2, "target": "palitra", "message": "..."}; the
 *                    level is one of the PALITRA_LOG_ numbers. May be NULL: it is discarded.
 *
 * @return one of these:
 * - PALITRA_OK
 * - PALITRA_PENDING: the timeout passed without a message
 * - PALITRA_END: nothing is collected, or no longer, and every message was taken
 * - PALITRA_WOULD_DEADLOCK: the call would wait, and came from a job or a callback
 */
palitra_status palitra_log_next(int64_t timeout_ns, struct palitra_reply *message);

/* ------------------------------------------------------------------------------------------------
 * Runner: a background thread that runs jobs and keeps their state from one job to the next.
 * ---------------------------------------------------------------------------------------------- */

/** Is called on a thread of a runner as it starts or stops: see palitra_runner_options. */
typedef void (*palitra_thread_fn)(void *user_data);

/** How to make a runner. Call palitra_runner_options_init first, then set what is to differ. */
typedef struct palitra_runner_options {
  /** The size of this struct in bytes; palitra_runner_options_init sets it. */
  uint32_t size;
  /** Threads that run jobs beside the runner's own, up to 4096. 0: none, the default. */
  uint32_t worker_threads;
  /** The most threads at a time for the blocking parts of jobs, up to 4096. 0: 512. */
  uint32_t max_blocking_threads;
  /** Must be 0. */
  uint32_t flags;
  /** The name of the runner's threads in UTF-8; it is copied. NULL: "palitra". */
  const char *thread_name;
  /** The stack of each thread in bytes, 64 KiB to 1 GiB. 0: 2 MiB. */
  size_t thread_stack_size;
  /**
   * The most jobs in flight at a time; submitting another returns PALITRA_BUSY. 0: no limit. A
   * job is in flight from its acceptance until it is dropped. A job that was cancelled, or whose
   * deadline passed, is dropped at its next await.
   */
  size_t max_in_flight;
  /** The largest payload in bytes; a larger one fails with PALITRA_TOO_LARGE. 0: no limit. */
  size_t max_payload;
  /**
   * Is called first on each thread of the runner, with thread_user_data: on its own thread, its
   * watchdog, its workers and the threads for the blocking parts of jobs. Use it to attach the
   * thread to a Java VM, to name it to a profiler, or to set its priority or processors. Several
   * threads may be in it at once, even before palitra_runner_new returns. It must not wait for
   * the runner: the thread does no work before it returns. NULL: nothing is called.
   */
  palitra_thread_fn thread_start;
  /**
   * Is called last on each thread that thread_start was called on, with thread_user_data. A
   * shutdown waits for it, within the limit of the shutdown. A thread that a job never returns
   * from ends with the process, without this call. NULL: nothing is called.
   */
  palitra_thread_fn thread_stop;
  /** The argument of thread_start and thread_stop. */
  void *thread_user_data;
  /**
   * Frees thread_user_data, on any thread, once neither function will be called again: at the
   * latest when the runner has been freed and its last thread has ended. It is also called when
   * palitra_runner_new fails, unless the size of this struct is invalid. NULL: nothing is called.
   */
  palitra_free_fn thread_free;
  /**
   * The longest that the runner's thread without work, and a thread that waits for one of its
   * jobs, spin before they sleep, in nanoseconds, up to 1,000,000. Each spins only as long as
   * that has paid lately, and never where there is but one processor. 0: 20,000. Negative: they
   * sleep at once.
   */
  int64_t spin_limit_ns;
  /**
   * What its jobs' states are configured by, such as a pool of connections: a JSON object in
   * UTF-8 with a member for each state, by the name that the documentation of the jobs says. What
   * is not named here is as palitra_configure set it before. NULL: nothing is.
   */
  const char *config;
} palitra_runner_options;

/**
 * Sets the size of the struct, and the defaults, which are zeros. The macro below passes the
 * size: palitra_runner_options_init(&options).
 *
 * @param options  the struct; NULL does nothing
 * @param size     its size in bytes; a size that no version of the struct has does nothing
 */
void palitra_runner_options_init(struct palitra_runner_options *options, uint32_t size);
#define palitra_runner_options_init(options) \
  palitra_runner_options_init((options), sizeof(palitra_runner_options))

/**
 * Makes a runner and starts its threads.
 *
 * @param options  NULL for the defaults: one thread, no limits
 * @param out      receives the runner, which the caller frees; the id 0 unless the call returns
 *                 PALITRA_OK
 *
 * @return PALITRA_OK, or why there is no runner:
 * - PALITRA_INVALID_ARGUMENT: out is NULL, or the options are invalid
 * - PALITRA_INTERNAL: the system refuses a thread or a file descriptor. What was made before is
 *   undone.
 * - PALITRA_BUSY: no handle is left: see Handles at the top
 */
palitra_status palitra_runner_new(const struct palitra_runner_options *options,
                                  struct palitra_runner *out);

/**
 * Configures the runners that are made from now on, the global one among them, also in forked
 * children: see the field config of palitra_runner_options. What was configured before is
 * replaced. Meant to be called once, at the start of a program: what is replaced is kept in
 * memory.
 *
 * @param json  a JSON object in UTF-8; it is copied. NULL or empty: nothing is configured.
 *
 * @return PALITRA_OK, or PALITRA_INVALID_ARGUMENT: it is not a JSON object. The log says where.
 */
palitra_status palitra_configure(const char *json);

/**
 * Returns the global runner of this process, and makes it if there is none or it was shut down.
 * Every caller gets the same handle. It belongs to the library and need not be freed; freeing it
 * shuts the runner down for everyone. After a shutdown the handle stays valid until the next
 * global runner is made.
 *
 * @param out  receives the runner; the id 0 unless the call returns PALITRA_OK
 *
 * @return PALITRA_OK, or why there is no runner:
 * - PALITRA_INVALID_ARGUMENT: out is NULL
 * - PALITRA_INTERNAL: the system refuses a thread or a file descriptor
 * - PALITRA_BUSY: no handle is left: see Handles at the top
 */
palitra_status palitra_runner_global(struct palitra_runner *out);

/**
 * Returns whether there is a global runner that accepts jobs. Does not make one.
 *
 * @return whether there is one
 */
bool palitra_is_runner_alive(void);

/**
 * Shuts the global runner down, as palitra_runner_shutdown does. The next palitra_runner_global
 * makes a new one.
 *
 * @param grace_ns  the grace period: see palitra_runner_shutdown
 *
 * @return one of these:
 * - PALITRA_OK: the runner has ended, or there is none
 * - PALITRA_PENDING: a thread is still blocked a second after the grace period: see
 *   palitra_runner_shutdown
 * - PALITRA_WOULD_DEADLOCK: the call came from a job or a callback of this runner. Nothing was
 *   done.
 */
palitra_status palitra_shutdown_global_runner(int64_t grace_ns);

/**
 * Returns whether a runner accepts jobs.
 *
 * @param runner  any handle
 *
 * @return false if the runner was shut down, is invalid, or belongs to the parent process
 */
bool palitra_runner_is_alive(struct palitra_runner runner);

/**
 * Shuts a runner down: refuses new jobs, lets the jobs in flight finish during the grace period,
 * cancels the rest, finishes every token, wakes every waiting thread, and joins the runner's
 * threads. Several threads may call it at once: the grace period that ends first holds for all.
 * The handle stays valid until palitra_runner_free, and the replies of finished tokens stay
 * readable.
 *
 * Every job in flight has the grace period, also one that palitra_runner_run waits for in another
 * thread. A job may submit jobs to its own runner during the grace period. No job starts
 * afterwards.
 *
 * @param runner    the runner
 * @param grace_ns  the grace period; any negative number means no limit
 *
 * @return one of these:
 * - PALITRA_OK: the runner has ended
 * - PALITRA_PENDING: a second after the grace period something still blocks a thread: a job that
 *   does not yield, an inline poll, the blocking part of a job, a callback, or the destructor of
 *   a state. Every token has finished, no further callback is called, and the user data of those
 *   that were due has been freed. A callback that is running may go on. The runner ends by itself
 *   when the thread is free. Another call waits again, for its own grace period and a second, and
 *   returns PALITRA_OK once the runner has ended.
 * - PALITRA_INVALID_HANDLE: the runner is invalid
 * - PALITRA_WOULD_DEADLOCK: the call came from a job or a callback of this runner. Nothing was
 *   done.
 * - PALITRA_FORKED: the runner belongs to the parent process
 */
palitra_status palitra_runner_shutdown(struct palitra_runner runner, int64_t grace_ns);

/**
 * Frees a runner. The handle is stale from now on; its tokens stay valid, and are freed on their
 * own. A runner that is alive is shut down first, with a grace period of 0. This blocks for a
 * second at most, and not at all after a shutdown that returned PALITRA_PENDING. From a job or a
 * callback of this runner it returns at once, and the runner ends by itself.
 *
 * @param runner  the runner. An invalid handle, or one of the parent process, does nothing.
 */
void palitra_runner_free(struct palitra_runner runner);

/* ------------------------------------------------------------------------------------------------
 * Stats: how a runner is doing.
 * ---------------------------------------------------------------------------------------------- */

/**
 * The figures of a runner, read one after the other while the runner works. Every submitted job
 * is queued, running, or counted by how it ended. No figure except running and queued ever
 * decreases.
 */
typedef struct palitra_stats {
  /** The size of this struct in bytes; palitra_stats_init sets it. */
  uint32_t size;
  /** Threads that run jobs: the runner's own and its workers. */
  uint32_t threads;
  /** Jobs that the runner has accepted since it was made. */
  uint64_t submitted;
  /** Jobs that have started and have not been dropped, on any thread. */
  uint64_t running;
  /** Jobs that have not started. */
  uint64_t queued;
  /** Jobs that succeeded. */
  uint64_t succeeded;
  /** Jobs that returned an error, or whose payload was not what they take. */
  uint64_t failed;
  /** Jobs that panicked. */
  uint64_t panicked;
  /** Jobs that were cancelled and have been dropped. */
  uint64_t cancelled;
  /** Jobs that passed their deadline and have been dropped. */
  uint64_t deadline;
  /**
   * The longest time that a job blocked a thread of the runner between two awaits, in
   * nanoseconds. It is exact to a few milliseconds.
   */
  uint64_t longest_poll_ns;
} palitra_stats;

/**
 * Sets the size of the struct, and everything else to 0. The macro below passes the size:
 * palitra_stats_init(&stats).
 *
 * @param stats  the struct; NULL does nothing
 * @param size   its size in bytes; a size that no version of the struct has does nothing
 */
void palitra_stats_init(struct palitra_stats *stats, uint32_t size);
#define palitra_stats_init(stats) \
  palitra_stats_init((stats), sizeof(palitra_stats))

/**
 * Reads the figures of a runner. Works after a shutdown, too.
 *
 * @param runner  the runner
 * @param out     receives the figures. Its size must be set, by palitra_stats_init or by hand; as
 *                many bytes are written.
 *
 * @return one of these:
 * - PALITRA_OK
 * - PALITRA_INVALID_ARGUMENT: out is NULL, or no version of the struct has its size
 * - PALITRA_INVALID_HANDLE: the runner is invalid
 * - PALITRA_FORKED: the runner belongs to the parent process
 */
palitra_status palitra_runner_stats(struct palitra_runner runner, struct palitra_stats *out);

/* ------------------------------------------------------------------------------------------------
 * Submit: running jobs on a runner, with or without waiting for them.
 * ---------------------------------------------------------------------------------------------- */

/**
 * A flag: the queue is also notified of items, by an event with the status PALITRA_PENDING: of the
 * first item, and then of the first item after each palitra_token_next that found none. At such an
 * event, call palitra_token_next with a timeout of 0 as long as it returns PALITRA_OK. If another
 * thread cancels the job while it sends an item, the event of the item may come after the event of
 * the job's end. Without a queue, submitting returns PALITRA_INVALID_ARGUMENT.
 */
#define PALITRA_ITEM_EVENTS 1u
/**
 * A flag: nobody will read items. A job that sends one gets an error, where it would wait for a
 * reader otherwise. Cannot be combined with PALITRA_ITEM_EVENTS.
 */
#define PALITRA_NO_ITEMS 2u
/**
 * A flag: palitra_runner_start polls the job on the calling thread only if it is an inline job,
 * one whose author declares that its first poll never blocks; any other is only submitted. So the
 * call returns at once whatever the job does, and the caller can keep a timeout of its own.
 * palitra_runner_submit ignores the flag: it never polls.
 */
#define PALITRA_INLINE_ONLY 4u
/**
 * A flag: the caller will wait for the token. So submitting returns PALITRA_WOULD_DEADLOCK, and
 * nothing is submitted, where waiting would: in a job or a callback of the runner.
 */
#define PALITRA_WILL_WAIT 8u

/** How to submit a job. Call palitra_submit_options_init first, then set what is to differ. */
typedef struct palitra_submit_options {
  /** The size of this struct in bytes; palitra_submit_options_init sets it. */
  uint32_t size;
  /**
   * PALITRA_ITEM_EVENTS, PALITRA_NO_ITEMS, PALITRA_INLINE_ONLY, PALITRA_WILL_WAIT, combined with
   * |, or 0.
   */
  uint32_t flags;
  /**
   * The deadline, in nanoseconds after the call: the job is cancelled then, and its token
   * finishes with PALITRA_DEADLINE. This is some hundredths of a second late if a job blocks the
   * runner's thread. 0, the default, or negative: no deadline. 1 stands for a deadline that has
   * passed already.
   */
  int64_t deadline_ns;
  /** The queue that is notified when the job finishes. The id 0: none, the default. */
  struct palitra_queue queue;
  /** Any number; the events of the job carry it. */
  uint64_t tag;
  /** The most items that wait for a reader, up to 65536; then the job waits. 0: 16. */
  uint32_t stream_items;
  /** Must be 0. */
  uint32_t reserved;
} palitra_submit_options;

/** One job of palitra_runner_submit_many. */
typedef struct palitra_submission {
  /** The name of the job. */
  const char *job;
  /** The payload, which is copied; may be NULL if the length is 0. */
  const uint8_t *data;
  /** The length of the payload in bytes. */
  size_t len;
  /** Any number; the events of the job carry it, in place of the tag of the options. */
  uint64_t tag;
} palitra_submission;

/**
 * Sets the size of the struct, and the defaults, which are zeros. The macro below passes the
 * size: palitra_submit_options_init(&options).
 *
 * @param options  the struct; NULL does nothing
 * @param size     its size in bytes; a size that no version of the struct has does nothing
 */
void palitra_submit_options_init(struct palitra_submit_options *options, uint32_t size);
#define palitra_submit_options_init(options) \
  palitra_submit_options_init((options), sizeof(palitra_submit_options))

/**
 * Runs a job, waits until it has finished, and fills its reply.
 *
 * Without a timeout (PALITRA_FOREVER) the calling thread polls the job once. A job that is ready
 * at once needs no other thread; any other continues on the runner. With a timeout it does so
 * only for an inline job, one whose author declares that its first poll never blocks, such as
 * palitra.echo. Any other starts on the runner's thread, so that the timeout holds for a job that
 * never yields, too. An inline job that is ready at that poll leaves its reply, even if the
 * timeout has passed or is 0.
 *
 * Nobody can read the items of a job that is run this way: the first item that it sends is
 * refused, and most jobs then fail with "nobody reads the stream any more". Submit such a job and
 * read its items with palitra_token_next.
 *
 * @param runner      the runner
 * @param job         the name of the job
 * @param data        the payload, which is copied; may be NULL if the length is 0
 * @param len         the length of the payload in bytes
 * @param timeout_ns  when to cancel the job, counted from the call; any negative number means
 *                    never
 * @param out         receives the reply, which the caller frees; may be NULL
 *
 * @return how the job ended:
 * - PALITRA_OK: it succeeded
 * - PALITRA_JOB_FAILED: it returned an error
 * - PALITRA_JOB_PANICKED: it panicked
 * - PALITRA_BAD_PAYLOAD: the payload is not what the job takes
 * - PALITRA_DEADLINE: the timeout passed, and the job was cancelled
 * - PALITRA_CANCELLED: the runner was shut down before it finished
 *
 * or why it did not run:
 * - PALITRA_INVALID_ARGUMENT: the name is NULL or not UTF-8, or the data is NULL and the length
 *   is not 0
 * - PALITRA_INVALID_HANDLE: the runner is invalid
 * - PALITRA_UNKNOWN_JOB: there is no such job; the reply names the job, and the one with the most
 *   similar name
 * - PALITRA_BUSY: the runner has as many jobs in flight as its options allow; or no handle is
 *   left for the token: see Handles at the top
 * - PALITRA_TOO_LARGE: the payload exceeds the limit of the runner, or there is not enough memory
 *   for a copy
 * - PALITRA_WOULD_DEADLOCK: the call came from a job or a callback of this runner
 * - PALITRA_SHUT_DOWN: the runner was shut down
 * - PALITRA_FORKED: the runner belongs to the parent process
 */
palitra_status palitra_runner_run(struct palitra_runner runner,
                                  const char *job,
                                  const void *data,
                                  size_t len,
                                  int64_t timeout_ns,
                                  struct palitra_reply *out);

/**
 * Submits a job. Does not block, and may be called from a job or a callback of the same runner.
 *
 * @param runner   the runner
 * @param job      the name of the job
 * @param data     the payload, which is copied; may be NULL if the length is 0
 * @param len      the length of the payload in bytes
 * @param options  NULL for the defaults
 * @param out      receives the token, which the caller frees; the id 0 unless the call returns
 *                 PALITRA_OK. NULL: the job runs without a token, and items that it sends are
 *                 refused.
 *
 * @return PALITRA_OK, or why nothing was submitted:
 * - PALITRA_INVALID_ARGUMENT: the name is NULL or not UTF-8, the data is NULL and the length is
 *   not 0, or the options are invalid
 * - PALITRA_INVALID_HANDLE: the runner, or the queue of the options, is invalid
 * - PALITRA_UNKNOWN_JOB: there is no such job; see palitra_job_nearest
 * - PALITRA_BUSY: the runner has as many jobs in flight as its options allow; or no handle is
 *   left for the token: see Handles at the top
 * - PALITRA_TOO_LARGE: the payload exceeds the limit of the runner, or there is not enough memory
 *   for a copy
 * - PALITRA_SHUT_DOWN: the runner was shut down. Its own jobs may submit until the grace period
 *   has passed.
 * - PALITRA_WOULD_DEADLOCK: the call came from a job or a callback of this runner, with
 *   PALITRA_WILL_WAIT
 * - PALITRA_FORKED: the runner, or the queue of the options, belongs to the parent process
 */
palitra_status palitra_runner_submit(struct palitra_runner runner,
                                     const char *job,
                                     const void *data,
                                     size_t len,
                                     const struct palitra_submit_options *options,
                                     struct palitra_token *out);

/**
 * Submits many jobs in order, for less than half of what as many calls of palitra_runner_submit
 * cost, and wakes the runner once for all of them. Does not block, and may be called from a job or
 * a callback of the same runner.
 *
 * At the first job that is refused it stops and returns why, as palitra_runner_submit would for
 * this one. The jobs before it were submitted; neither it nor those behind it were. So a host can
 * go on from there: wait for a job and try again after PALITRA_BUSY, or leave out the one that is
 * refused for what it is.
 *
 * @param runner       the runner
 * @param submissions  the jobs, which may differ; may be NULL if there are none. A name that is
 *                     the same pointer again is the same job.
 * @param n            how many there are
 * @param options      how to submit each of them; NULL for the defaults. The deadline counts from
 *                     the call. The tag is not used: each job has its own.
 * @param tokens       receives n tokens in the order of the jobs, which the caller frees; the id 0
 *                     for a job that was not submitted. NULL: the jobs run without tokens, and
 *                     items that they send are refused.
 * @param taken        receives how many jobs were submitted; may be NULL
 *
 * @return PALITRA_OK: all of them were, or there are none. Or why not all were submitted, of those
 * that palitra_runner_submit returns:
 * - PALITRA_INVALID_ARGUMENT: the array of jobs is NULL, an array is not aligned, there are more
 *   jobs than handles for them, or the options are invalid: nothing was submitted. Or the name of
 *   a job is NULL or not UTF-8, or its data is NULL and its length is not 0.
 * - PALITRA_INVALID_HANDLE: the runner, or the queue of the options, is invalid; nothing was
 *   submitted
 * - PALITRA_UNKNOWN_JOB: there is no job of the name; see palitra_job_nearest
 * - PALITRA_BUSY: the runner has as many jobs in flight as its options allow; or no handle is
 *   left for a token: see Handles at the top
 * - PALITRA_TOO_LARGE: a payload exceeds the limit of the runner, or there is not enough memory
 *   for a copy
 * - PALITRA_SHUT_DOWN: the runner was shut down, maybe during the call
 * - PALITRA_WOULD_DEADLOCK: as from palitra_runner_submit; nothing was submitted
 * - PALITRA_FORKED: the runner, or the queue of the options, belongs to the parent process;
 *   nothing was submitted
 */
palitra_status palitra_runner_submit_many(struct palitra_runner runner,
                                          const struct palitra_submission *submissions,
                                          size_t n,
                                          const struct palitra_submit_options *options,
                                          struct palitra_token *tokens,
                                          size_t *taken);

/**
 * Submits a job after polling it once on the calling thread, as palitra_runner_run does, but
 * never waits for it. A job that is ready at once needs no other thread and gets no token.
 *
 * From a job or a callback of the same runner this only submits; with the flag
 * PALITRA_INLINE_ONLY also a job that is not an inline job. The deadline of the options counts
 * from this call and does not interrupt the poll.
 *
 * @param runner   the runner
 * @param job      the name of the job
 * @param data     the payload, which is copied; may be NULL if the length is 0
 * @param len      the length of the payload in bytes
 * @param options  NULL for the defaults
 * @param token    receives the token, which the caller frees, if the call returns
 *                 PALITRA_PENDING; the id 0 otherwise. NULL: a pending job runs without a token.
 * @param reply    receives the reply, which the caller frees; may be NULL
 *
 * @return one of these:
 * - PALITRA_PENDING: the job is pending and continues on the runner, as after
 *   palitra_runner_submit
 * - how the job ended, as from palitra_runner_run: it was ready at once. The queue of the options
 *   is not notified, and the items that the job sent are discarded.
 * - why nothing was submitted, as from palitra_runner_submit. The reply of PALITRA_UNKNOWN_JOB
 *   names the job, and the one with the most similar name.
 */
palitra_status palitra_runner_start(struct palitra_runner runner,
                                    const char *job,
                                    const void *data,
                                    size_t len,
                                    const struct palitra_submit_options *options,
                                    struct palitra_token *token,
                                    struct palitra_reply *reply);

/* ------------------------------------------------------------------------------------------------
 * Wait: waiting for the tokens of a runner, for one or for many.
 * ---------------------------------------------------------------------------------------------- */

/** A flag of palitra_runner_gather: return at the first failure, and cancel the other jobs. */
#define PALITRA_FAIL_FAST 1u
/**
 * A flag of palitra_runner_gather: free the tokens of the jobs that have finished. Those of pending
 * jobs stay valid past a timeout, and all do if nothing was waited for.
 */
#define PALITRA_FREE_TOKENS 2u

/**
 * Waits until a job has finished, and fills its reply. Any number of threads may wait for one
 * token, and each gets a reply of its own. Works after a shutdown, too: then every token has
 * finished.
 *
 * @param runner      the runner of the token; it may have been freed
 * @param token       the token; it stays valid
 * @param timeout_ns  how long to wait; any negative number means forever
 * @param out         receives the reply, which the caller frees; may be NULL
 *
 * @return how the job ended, or why there is no reply:
 * - PALITRA_PENDING: the timeout passed; the job runs on
 * - PALITRA_INVALID_ARGUMENT: the token belongs to another runner
 * - PALITRA_INVALID_HANDLE: the runner was never one, or was freed and the token is another's; or
 *   the token is invalid or was freed meanwhile
 * - PALITRA_WOULD_DEADLOCK: the call would wait, and came from a job or a callback of this runner
 * - PALITRA_FORKED: a handle belongs to the parent process
 */
palitra_status palitra_runner_wait(struct palitra_runner runner,
                                   struct palitra_token token,
                                   int64_t timeout_ns,
                                   struct palitra_reply *out);

/**
 * Waits until one of several jobs has finished, in whatever way. If several have finished already,
 * it takes the first in the array, and does not look at those after it. It takes the same token
 * again if that is still in the array at the next call.
 *
 * Each call looks at the tokens up to the one that it returns. To take the next of many jobs
 * again and again, submit them with a queue: the cost of palitra_queue_next does not grow with
 * their number.
 *
 * @param runner      the runner of the tokens; it may have been freed
 * @param tokens      the tokens; they stay valid
 * @param n           how many there are, at least 1
 * @param timeout_ns  how long to wait; any negative number means forever
 * @param index       receives the index of a token that has finished; unchanged unless the call
 *                    returns PALITRA_OK. May be NULL.
 *
 * @return one of these:
 * - PALITRA_OK
 * - PALITRA_PENDING: the timeout passed
 * - PALITRA_INVALID_ARGUMENT: there are no tokens, or a token belongs to another runner
 * - PALITRA_INVALID_HANDLE: the runner was never one, or was freed and a token is another's; or a
 *   token is invalid or was freed meanwhile
 * - PALITRA_TOO_LARGE: there is not enough memory to watch so many tokens
 * - PALITRA_WOULD_DEADLOCK: the call would wait, and came from a job or a callback of this runner
 * - PALITRA_FORKED: a handle belongs to the parent process
 */
palitra_status palitra_runner_wait_any(struct palitra_runner runner,
                                       const struct palitra_token *tokens,
                                       size_t n,
                                       int64_t timeout_ns,
                                       size_t *index);

/**
 * Waits until several jobs have finished, and fills their replies in the order of the tokens.
 *
 * @param runner      the runner of the tokens; it may have been freed
 * @param tokens      the tokens; they stay valid unless they are to be freed. May be NULL if there
 *                    are none.
 * @param n           how many there are
 * @param flags       0, or PALITRA_FAIL_FAST and PALITRA_FREE_TOKENS, or one of them
 * @param timeout_ns  how long to wait; any negative number means forever
 * @param replies     receives n replies, which the caller frees, each on its own; may be NULL
 *
 * @return how the jobs ended:
 * - PALITRA_OK: every job succeeded, or there are no tokens
 * - PALITRA_PENDING: the timeout passed. The jobs run on, and the replies of unfinished jobs have
 *   this status.
 * - with PALITRA_FAIL_FAST: the status of the job that failed first in time; the others are
 *   cancelled
 * - without: the status of the first job in order that did not succeed
 *
 * or why nothing was waited for, which is the status of every reply, too:
 * - PALITRA_INVALID_ARGUMENT: a flag is unknown, the tokens are NULL, or one belongs to another
 *   runner
 * - PALITRA_INVALID_HANDLE: the runner was never one, or was freed and a token is another's; or a
 *   token is invalid
 * - PALITRA_TOO_LARGE: there is not enough memory to watch so many tokens
 * - PALITRA_WOULD_DEADLOCK: the call would wait, and came from a job or a callback of this runner
 * - PALITRA_FORKED: a handle belongs to the parent process
 */
palitra_status palitra_runner_gather(struct palitra_runner runner,
                                     const struct palitra_token *tokens,
                                     size_t n,
                                     uint32_t flags,
                                     int64_t timeout_ns,
                                     struct palitra_reply *replies);

/* ------------------------------------------------------------------------------------------------
 * Token: one submitted job. It is pending, then finishes once, with one status.
 * ---------------------------------------------------------------------------------------------- */

/**
 * Is called once when a job has finished, on the runner's thread and under no lock of the
 * library. It may call every function that does not block.
 *
 * @param token      the token of the job
 * @param status     how the job ended
 * @param user_data  what palitra_token_on_complete was given
 */
typedef void (*palitra_complete_fn)(struct palitra_token token,
                                    palitra_status status,
                                    void *user_data);

/** A flag of palitra_token_on_ready: the callback is also called when an item can be read. */
#define PALITRA_OR_ITEM 1u

/**
 * Returns whether a job has finished, and fills its reply. Does not block. Works also after the
 * runner was shut down and freed.
 *
 * @param token  the token; it stays valid
 * @param out    receives the reply, which the caller frees; may be NULL
 *
 * @return how the job ended, or why there is no reply:
 * - PALITRA_PENDING: the job has not finished
 * - PALITRA_INVALID_HANDLE: the token is invalid
 * - PALITRA_FORKED: the token belongs to the parent process
 */
palitra_status palitra_token_poll(struct palitra_token token, struct palitra_reply *out);

/**
 * Waits until a job has finished, and fills its reply: palitra_runner_wait without naming the
 * runner. Any number of threads may wait for one token, and each gets a reply of its own. Works
 * also after the runner was shut down and freed.
 *
 * @param token       the token; it stays valid
 * @param timeout_ns  how long to wait; any negative number means forever
 * @param out         receives the reply, which the caller frees; may be NULL
 *
 * @return how the job ended, or why there is no reply:
 * - PALITRA_PENDING: the timeout passed; the job runs on
 * - PALITRA_INVALID_HANDLE: the token is invalid, or was freed meanwhile
 * - PALITRA_WOULD_DEADLOCK: the call would wait, and came from a job or a callback of the token's
 *   runner
 * - PALITRA_FORKED: the token belongs to the parent process
 */
palitra_status palitra_token_wait(struct palitra_token token,
                                  int64_t timeout_ns,
                                  struct palitra_reply *out);

/**
 * Cancels a job: its token finishes with PALITRA_CANCELLED, and the job is dropped at its next
 * await. A job that has finished is not changed. Does not block, and does not free the token.
 *
 * @param token  the token
 *
 * @return one of these:
 * - PALITRA_OK
 * - PALITRA_INVALID_HANDLE: the token is invalid
 * - PALITRA_FORKED: the token belongs to the parent process
 */
palitra_status palitra_token_cancel(struct palitra_token token);

/**
 * Waits for the next item of a streaming job. A job whose items nobody reads waits after the
 * first few: a slow reader slows the job. Once the token was freed, items are refused, and most
 * jobs then fail.
 *
 * @param token       the token
 * @param timeout_ns  how long to wait; any negative number means forever
 * @param item        receives the item, which the caller frees. NULL discards the item.
 *
 * @return one of these:
 * - PALITRA_OK: an item
 * - PALITRA_PENDING: the timeout passed
 * - PALITRA_END: the job has succeeded, and there are no more items. palitra_token_poll has its
 *   reply.
 * - how the job ended, if it did not succeed, after the items that it sent before. The item is
 *   its message.
 * - PALITRA_INVALID_HANDLE: the token is invalid, or was freed meanwhile
 * - PALITRA_WOULD_DEADLOCK: the call would wait, and came from a job or a callback of the token's
 *   runner
 * - PALITRA_FORKED: the token belongs to the parent process
 */
palitra_status palitra_token_next(struct palitra_token token,
                                  int64_t timeout_ns,
                                  struct palitra_reply *item);

/**
 * Reads the progress that a job has reported. Both numbers are 0 before its first report, and
 * keep their last values after it has finished. Does not block.
 *
 * @param token  the token
 * @param done   receives how much is done; unchanged unless the call returns PALITRA_OK. May be
 *               NULL.
 * @param total  receives how much there is to do, in the same way. May be NULL.
 *
 * @return one of these:
 * - PALITRA_OK
 * - PALITRA_INVALID_HANDLE: the token is invalid
 * - PALITRA_FORKED: the token belongs to the parent process
 */
palitra_status palitra_token_progress(struct palitra_token token, uint64_t *done, uint64_t *total);

/**
 * Registers a callback for the end of a job. It is called once, on the runner's thread. If the
 * job has finished already, it is called soon. A token may have several, which are called in no
 * particular order. It is not called any more once the unfinished token was freed, or once
 * palitra_runner_shutdown has returned. A child process that is forked in a callback must not
 * return from it, but leave by exit or exec.
 *
 * @param token           the token
 * @param function        the callback
 * @param user_data       passed to the callback
 * @param free_user_data  frees the user data, exactly once, also if this call fails: after the
 *                        callback, or once it is clear that it will not be called. That is when
 *                        palitra_runner_shutdown returns at the latest. May be NULL.
 *
 * @return one of these:
 * - PALITRA_OK
 * - PALITRA_INVALID_ARGUMENT: the function is NULL
 * - PALITRA_INVALID_HANDLE: the token is invalid
 * - PALITRA_SHUT_DOWN: the runner has ended
 * - PALITRA_FORKED: the token belongs to the parent process
 */
palitra_status palitra_token_on_complete(struct palitra_token token,
                                         palitra_complete_fn function,
                                         void *user_data,
                                         palitra_free_fn free_user_data);

/**
 * Registers a callback that is called in any case, exactly once: for a future, a coroutine or an
 * event loop, which waits for it. It is called when the job has finished; or when the token is
 * freed before, with PALITRA_INVALID_HANDLE; with PALITRA_OR_ITEM also when an item can be read,
 * with PALITRA_PENDING. If that is so already, it is called soon.
 *
 * It is called on the runner's thread, or on that of the runner's watchdog while a job blocks the
 * runner's thread: then it is some hundredths of a second late. It does not run at the same time
 * as another callback of the runner. Where a callback blocks the runner's thread itself, the
 * shutdown that returns PALITRA_PENDING calls it, on its own thread.
 *
 * @param token           the token
 * @param flags           0 or PALITRA_OR_ITEM
 * @param function        the callback
 * @param user_data       passed to the callback
 * @param free_user_data  frees the user data, exactly once: after the callback, or before this
 *                        call returns if it fails. May be NULL.
 *
 * @return PALITRA_OK, or why the callback is not called:
 * - PALITRA_INVALID_ARGUMENT: the function is NULL, or a flag is unknown
 * - PALITRA_INVALID_HANDLE: the token is invalid
 * - PALITRA_SHUT_DOWN: the runner has ended
 * - PALITRA_FORKED: the token belongs to the parent process
 */
palitra_status palitra_token_on_ready(struct palitra_token token,
                                      uint32_t flags,
                                      palitra_complete_fn function,
                                      void *user_data,
                                      palitra_free_fn free_user_data);

/**
 * Frees a token. The handle is stale from now on, and a thread that waits for it gets
 * PALITRA_INVALID_HANDLE. An unfinished job is detached, not cancelled: it runs on, and its reply
 * is discarded. Does not block.
 *
 * @param token  the token. An invalid handle, or one of the parent process, does nothing.
 */
void palitra_token_free(struct palitra_token token);

/* ------------------------------------------------------------------------------------------------
 * Queue: the events of jobs, for an event loop or for a thread that waits.
 * ---------------------------------------------------------------------------------------------- */

/**
 * Says that a job has finished, that items of a job wait, or what happens to a call of a job of the
 * host: see palitra_event_call.
 */
typedef struct palitra_event {
  /** The tag that the job was submitted or registered with. */
  uint64_t tag;
  /**
   * The token of the job, stale if it was freed: the same handle that submitting returned. The
   * event does not own it: free it once. The id 0 if the job was submitted without a token. In
   * an event about a call, the id of the call.
   */
  struct palitra_token token;
  /** How the job ended; PALITRA_PENDING if items wait: see PALITRA_ITEM_EVENTS. */
  palitra_status status;
} palitra_event;

/**
 * Makes a queue.
 *
 * @param out  receives the queue, which the caller frees; the id 0 unless the call returns
 *             PALITRA_OK
 *
 * @return one of these:
 * - PALITRA_OK
 * - PALITRA_INVALID_ARGUMENT: out is NULL
 * - PALITRA_BUSY: no handle is left: see Handles at the top
 */
palitra_status palitra_queue_new(struct palitra_queue *out);

/**
 * Waits for the first event, and takes it and those that follow, in the order in which the jobs
 * finished. With a timeout of 0 it does not block, and an empty queue costs next to nothing.
 *
 * @param queue       the queue
 * @param timeout_ns  how long to wait; any negative number means forever
 * @param events      receives the events
 * @param max         the most events to take, at least 1
 * @param n           receives how many there were, and 0 unless the call returns PALITRA_OK. May
 *                    be NULL if max is 1.
 *
 * @return one of these:
 * - PALITRA_OK: one event or more
 * - PALITRA_PENDING: the timeout passed
 * - PALITRA_END: the queue was closed, and is empty
 * - PALITRA_INVALID_ARGUMENT: events is NULL, max is 0, or n is NULL and max is not 1
 * - PALITRA_INVALID_HANDLE: the queue is invalid
 * - PALITRA_WOULD_DEADLOCK: the call would wait, and came from a job or a callback of any runner
 * - PALITRA_FORKED: the queue belongs to the parent process
 */
palitra_status palitra_queue_next(struct palitra_queue queue,
                                  int64_t timeout_ns,
                                  struct palitra_event *events,
                                  size_t max,
                                  size_t *n);

/**
 * Returns a file descriptor that is readable while events wait, and once the queue was closed: for
 * epoll, libuv, GLib or asyncio. Whenever it is readable, level-triggered or edge-triggered, call
 * palitra_queue_next with a timeout of 0 as long as it returns PALITRA_OK. The descriptor belongs
 * to the queue: never read, write or close it, and remove it from the event loop before
 * palitra_queue_free. It is made at the first call: a host that never asks for it uses none, and
 * its jobs make no system call when they finish.
 *
 * @param queue  the queue
 *
 * @return the file descriptor, the same every time; -1 if the system refuses one, or the queue is
 *         invalid or belongs to the parent process
 */
int palitra_queue_fd(struct palitra_queue queue);

/**
 * Closes a queue: events of jobs that finish from now on are discarded, and calls of jobs that were
 * registered with it fail: see palitra_runner_register_queued. palitra_queue_next
 * returns the events that are left and then PALITRA_END, also to threads that wait in it. Closing
 * it again does nothing.
 *
 * @param queue  the queue
 *
 * @return one of these:
 * - PALITRA_OK
 * - PALITRA_INVALID_HANDLE: the queue is invalid
 * - PALITRA_FORKED: the queue belongs to the parent process
 */
palitra_status palitra_queue_close(struct palitra_queue queue);

/**
 * Closes and frees a queue. The handle is stale from now on, its events are discarded, calls that
 * nobody has taken fail, and a thread that waits in palitra_queue_next gets PALITRA_END. Tokens
 * that were submitted with the queue stay valid.
 *
 * @param queue  the queue. An invalid handle, or one of the parent process, does nothing.
 */
void palitra_queue_free(struct palitra_queue queue);

/* ------------------------------------------------------------------------------------------------
 * Call: jobs of the host, which it registers on a runner and answers in its own language. Other
 * jobs, and the host itself, call them by name as any other job.
 * ---------------------------------------------------------------------------------------------- */

/**
 * Runs a job of the host: see palitra_runner_register. Is called on a thread of the runner, with no
 * lock of the library held, and must not block: it hands the call to whoever answers it, or
 * answers it itself. It may call every function that does not block.
 *
 * @param call       the call, which the host frees with palitra_call_free
 * @param data       the payload, with a NUL behind it that is not counted. Lives until the function
 *                   has returned and the call is freed.
 * @param len        the length of the payload in bytes
 * @param user_data  what palitra_runner_register was given
 */
typedef void (*palitra_job_fn)(struct palitra_call call,
                               const void *data,
                               size_t len,
                               void *user_data);

/**
 * Is called once when the answer to a call is not needed any more, on the thread of whoever ended
 * it, which is mostly the runner's, and with no lock of the library held. It may call every
 * function that does not block.
 *
 * @param call       the call
 * @param user_data  what palitra_call_on_cancel was given
 */
typedef void (*palitra_cancel_fn)(struct palitra_call call, void *user_data);

/**
 * Registers a job of the host on one runner. Whoever submits a job of this name to the runner, the
 * host or another job, has the function called. It comes before a job of the library that has the
 * same name, so that tests can replace one. Limits, deadlines, cancels, gathers and statistics
 * treat it as any job; it always starts on the runner's threads.
 *
 * The registration lasts until the runner has ended.
 *
 * @param runner          the runner
 * @param info            the name of the job, and the format of its payload: a payload that is not
 *                        UTF-8 or not JSON is refused before the call, if that is its format. It is
 *                        copied. The rest is for readers and may be NULL.
 * @param function        the job
 * @param user_data       passed to the function
 * @param free_user_data  frees the user data, exactly once, also if this call fails: when the
 *                        runner has ended. May be NULL.
 *
 * @return one of these:
 * - PALITRA_OK
 * - PALITRA_INVALID_ARGUMENT: the info, its name or the function is NULL, the name is empty or not
 *   UTF-8, a format is unknown, or the runner has a registered job of this name
 * - PALITRA_INVALID_HANDLE: the runner is invalid
 * - PALITRA_SHUT_DOWN: the runner was shut down
 * - PALITRA_FORKED: the runner belongs to the parent process
 */
palitra_status palitra_runner_register(struct palitra_runner runner,
                                       const struct palitra_job_info *info,
                                       palitra_job_fn function,
                                       void *user_data,
                                       palitra_free_fn free_user_data);

/**
 * Answers a call: the job ends. Any thread may answer. Does not block.
 *
 * @param call    the call
 * @param status  PALITRA_OK: the data is the reply. PALITRA_JOB_FAILED, PALITRA_JOB_PANICKED,
 *                PALITRA_BAD_PAYLOAD, PALITRA_CANCELLED: the job ends so, and the data is a message
 *                in UTF-8.
 * @param code    the number of a failure; 0 otherwise
 * @param format  the format of the data of a success
 * @param data    the reply or the message, which is copied; may be NULL if the length is 0
 * @param len     its length in bytes
 *
 * @return one of these:
 * - PALITRA_OK
 * - PALITRA_END: the call was answered before
 * - PALITRA_CANCELLED: the answer is not needed: the job was cancelled, its deadline passed, or its
 *   runner ended
 * - PALITRA_INVALID_ARGUMENT: the status is none of these, the format is unknown, a message or a
 *   text is not UTF-8, or the data is NULL and the length is not 0. The call stays unanswered.
 * - PALITRA_TOO_LARGE: there is not enough memory for a copy. The call stays unanswered.
 * - PALITRA_INVALID_HANDLE: the call is invalid
 * - PALITRA_FORKED: the call belongs to the parent process
 */
palitra_status palitra_call_complete(struct palitra_call call,
                                     palitra_status status,
                                     int32_t code,
                                     palitra_format format,
                                     const void *data,
                                     size_t len);

/**
 * Sends an item of the job's stream. Blocks while its reader has enough to read.
 *
 * @param call        the call
 * @param format      the format of the data
 * @param data        the item, which is copied; may be NULL if the length is 0
 * @param len         its length in bytes
 * @param timeout_ns  how long to wait for the reader; any negative number means forever
 *
 * @return one of these:
 * - PALITRA_OK
 * - PALITRA_PENDING: the timeout passed, and the item was not sent
 * - PALITRA_END: nobody reads the stream, or the call was answered
 * - PALITRA_CANCELLED: the answer is not needed any more
 * - PALITRA_WOULD_DEADLOCK: the call would wait, and came from a job or a callback of its runner
 * - PALITRA_INVALID_ARGUMENT: the format is unknown, a text is not UTF-8, or the data is NULL and
 *   the length is not 0
 * - PALITRA_TOO_LARGE: there is not enough memory for a copy
 * - PALITRA_INVALID_HANDLE: the call is invalid
 * - PALITRA_FORKED: the call belongs to the parent process
 */
palitra_status palitra_call_send(struct palitra_call call,
                                 palitra_format format,
                                 const void *data,
                                 size_t len,
                                 int64_t timeout_ns);

/**
 * Says how far the job is, for those who read the progress of its token. Does not block.
 *
 * @param call   the call
 * @param done   how much is done
 * @param total  how much there is to do
 *
 * @return PALITRA_OK, or PALITRA_END, PALITRA_CANCELLED, PALITRA_INVALID_HANDLE or PALITRA_FORKED,
 * as palitra_call_complete
 */
palitra_status palitra_call_progress(struct palitra_call call, uint64_t done, uint64_t total);

/**
 * Registers what is called when the answer to a call is not needed any more: the job was cancelled,
 * its deadline passed, or its runner ends. It takes the place of what was registered before. The
 * job's token has finished by then, and waits for nobody.
 *
 * @param call            the call
 * @param function        the callback
 * @param user_data       passed to the callback
 * @param free_user_data  frees the user data, exactly once, also if this call fails: after the
 *                        callback, or once it is clear that it will not be called. May be NULL.
 *
 * @return one of these:
 * - PALITRA_OK
 * - PALITRA_END: the call was answered, and nothing will be called
 * - PALITRA_CANCELLED: the answer is not needed already, and nothing will be called
 * - PALITRA_INVALID_ARGUMENT: the function is NULL
 * - PALITRA_INVALID_HANDLE: the call is invalid
 * - PALITRA_FORKED: the call belongs to the parent process
 */
palitra_status palitra_call_on_cancel(struct palitra_call call,
                                      palitra_cancel_fn function,
                                      void *user_data,
                                      palitra_free_fn free_user_data);

/**
 * Asks whether the answer to a call is not needed any more.
 *
 * @param call  the call
 *
 * @return whether it is not; false for a call that was answered, for an invalid handle and for one
 * of the parent process
 */
bool palitra_call_is_cancelled(struct palitra_call call);

/**
 * Frees a call. The handle is stale from now on. A call that was not answered fails: its job ends
 * with PALITRA_JOB_FAILED and a message. Does not block.
 *
 * @param call  the call. An invalid handle, or one of the parent process, does nothing.
 */
void palitra_call_free(struct palitra_call call);

/* ------------------------------------------------------------------------------------------------
 * Queued calls: jobs of a host that takes their calls out of a queue, in its own event loop and on
 * its own threads. No function of the host's is called: this is the way for interpreters, whose
 * code must not run on a thread of the library.
 * ---------------------------------------------------------------------------------------------- */

/**
 * Registers a job of the host on one runner, as palitra_runner_register, with a queue in place of
 * a function: each time that the job is called, the queue gets an event with this tag and with
 * PALITRA_PENDING, whose call palitra_event_call returns. The host reads its payload with
 * palitra_call_payload, answers it with palitra_call_complete from any thread, now or later, and
 * frees it.
 *
 * A call whose job ends before the host takes it, cancelled for example, is not delivered. A call
 * that waits in the queue is in flight: it counts for the limit of the runner, and a deadline ends
 * it. Whoever takes the calls must not wait for one of them on the same thread.
 *
 * The registration lasts until the runner has ended or the queue is closed or freed, whichever
 * comes first. From then on a call fails at once with PALITRA_JOB_FAILED and a message; so do, when
 * the queue is freed, those that nobody has taken. Once the queue is closed or freed, the runner
 * takes another registration of that name.
 *
 * @param runner       the runner
 * @param info         the name of the job and the format of its payload: see
 *                     palitra_runner_register
 * @param queue        the queue; it may serve several jobs and runners, and be one that is also
 *                     notified of tokens
 * @param tag          any number; the queue returns it with the events
 * @param max_waiting  how many calls may wait in the queue: one more fails at once, with
 *                     PALITRA_JOB_FAILED and a message. 0: as many as the runner accepts.
 *
 * @return one of these:
 * - PALITRA_OK
 * - PALITRA_INVALID_ARGUMENT: the info or its name is NULL, the name is empty or not UTF-8, a
 *   format is unknown, or the runner has a registered job of this name
 * - PALITRA_INVALID_HANDLE: the runner or the queue is invalid
 * - PALITRA_END: the queue was closed
 * - PALITRA_SHUT_DOWN: the runner was shut down
 * - PALITRA_FORKED: the runner or the queue belongs to the parent process
 */
palitra_status palitra_runner_register_queued(struct palitra_runner runner,
                                              const struct palitra_job_info *info,
                                              struct palitra_queue queue,
                                              uint64_t tag,
                                              size_t max_waiting);

/**
 * Returns the call that an event is about. Its status says what has happened:
 *
 * - PALITRA_PENDING: a job was called, and the host takes the call with this event. It frees it
 *   with palitra_call_free.
 * - PALITRA_CANCELLED, PALITRA_OK: see palitra_call_notify.
 *
 * @param event  an event that palitra_queue_next has filled in
 *
 * @return the call; the id 0 if the event is about a token, or is NULL
 */
struct palitra_call palitra_event_call(const struct palitra_event *event);

/**
 * Returns the payload of a call, however the job was registered. It lives until the call is freed,
 * and is not copied.
 *
 * @param call  the call
 * @param data  receives where the payload is; a NUL that is not counted is behind it. NULL unless
 *              the call returns PALITRA_OK.
 * @param len   receives its length in bytes; 0 unless the call returns PALITRA_OK
 *
 * @return one of these:
 * - PALITRA_OK
 * - PALITRA_INVALID_ARGUMENT: data or len is NULL
 * - PALITRA_INVALID_HANDLE: the call is invalid
 * - PALITRA_FORKED: the call belongs to the parent process
 */
palitra_status palitra_call_payload(struct palitra_call call, const void **data, size_t *len);

/**
 * Has a queue notified of a call, in place of the callback of palitra_call_on_cancel:
 *
 * - once with PALITRA_CANCELLED, when the answer is not needed any more: the job was cancelled, its
 *   deadline passed, or its runner ends;
 * - with PALITRA_OK, each time that palitra_call_send has returned PALITRA_PENDING and the item can
 *   be sent again, or nobody reads the stream any more. So an event loop streams with a timeout
 *   of 0 and never blocks.
 *
 * The events may come after the call was answered or freed: palitra_event_call then returns a stale
 * handle.
 *
 * @param call   the call
 * @param queue  the queue, which may be another than that of the job
 * @param tag    any number; the queue returns it with the events
 *
 * @return one of these:
 * - PALITRA_OK
 * - PALITRA_END: the call was answered, and no event will come
 * - PALITRA_CANCELLED: the answer is not needed already, and no event will come
 * - PALITRA_INVALID_HANDLE: the call or the queue is invalid
 * - PALITRA_FORKED: the call or the queue belongs to the parent process
 */
palitra_status palitra_call_notify(struct palitra_call call,
                                   struct palitra_queue queue,
                                   uint64_t tag);

#ifdef __cplusplus
}
#endif

#if defined(__clang__) && !defined(__cplusplus) && \
    (!defined(__STDC_VERSION__) || __STDC_VERSION__ < 199901L)
#pragma clang diagnostic pop
#endif

#endif /* PALITRA_H */
