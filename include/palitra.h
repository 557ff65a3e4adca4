/*
 * palitra: synchronous programs call asynchronous code.
 *
 * The contract of every function here, unless its comment says otherwise:
 *
 * - Threads. Anything may be called from any thread, several at once. No thread may be cancelled (pthread_cancel)
 *   inside a call: that ends the process. One that others cancel disables it around its calls
 *   (pthread_setcancelstate); a wait is no cancellation point and ends by its own timeout.
 * - Stack. palitra_runner_run and palitra_runner_start poll a job on the calling thread where 64 KiB of its stack
 *   are left, and on the runner's thread from the start where not. http.get needs 36 KiB, the most of the jobs of
 *   this library.
 * - Held threads. A job that does not yield, and a callback, hold the runner's thread and everything else that needs
 *   it. What does not need it goes on: waits, polls and cancels, deadlines and the end of a grace, which the runner's
 *   watchdog sees to; after 100 ms it logs which job holds the thread.
 * - Handles are values of 8 bytes. A stale, freed, forged or wrong-kind handle answers PALITRA_INVALID_HANDLE
 *   and is never undefined behaviour; freeing twice is safe.
 * - Pointers. A pointer that is not NULL points to memory that holds what its type says for the duration of
 *   the call; nothing is kept beyond it, payloads are copied. Names and texts passed in are UTF-8 that ends
 *   with a NUL. Out pointers may be NULL where the caller does not care.
 * - Replies. A reply that a call was given is always left fit for palitra_reply_free, whatever the call
 *   answers, and is the caller's to free.
 * - Times are nanoseconds: PALITRA_MS and PALITRA_SECONDS. A negative timeout means forever, 0 means do not block.
 * - Options. Structs that begin with their size may grow: prepare each with its init function and change what is to
 *   differ. A struct of zeros with its size set means the same. What an older library does not know must be 0.
 * - Several libraries built on palitra may live in one process. The handle of one is PALITRA_INVALID_HANDLE in the
 *   others.
 * - Versions. Programs remember the library as libpalitra.so.1: the number is PALITRA_ABI_VERSION. Its symbols have no
 *   versions of their own: rustc hands the linker an anonymous version script, beside which GNU ld refuses every other
 *   and lld ignores it.
 * - Signals. A wait is not interrupted by a signal: a program that handles Ctrl-C waits in slices. A handler of the
 *   program's never runs on a thread of the library's: those block all signals but faults and SIGPROF.
 * - Programs started by a callback. Forked, a process has the signal mask that the thread had which made the runner,
 *   and so has what it executes. posix_spawn, system and popen hand on the full mask of the runner's thread instead,
 *   and such a program survives SIGTERM and Ctrl-C: fork and exec, or keep the program's own mask (pthread_sigmask)
 *   and give it to posix_spawnattr_setsigmask with the flag POSIX_SPAWN_SETSIGMASK. A thread that a callback makes
 *   inherits the full mask, too, and its processes do however they are made.
 * - Fork. In a forked child every handle of the parent answers PALITRA_FORKED and nothing of the parent's is
 *   touched; palitra_runner_global and palitra_runner_new make new runners. Replies can be read and freed. In a
 *   line of processes, each forked from the one before, 1,024 can make runners, as many queues, and as many tokens;
 *   later ones are told PALITRA_BUSY.
 * - Exit. A process may exit at any moment with jobs in flight. The library installs no exit or signal
 *   handler, and unloading it leaves it mapped.
 *
 * Written by cbindgen from the sources; change it there.
 */

#ifndef PALITRA_H
#define PALITRA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * A timeout: wait as long as it takes. Any negative timeout means the same; 0 means do not block.
 */
#define PALITRA_FOREVER (-1)

/**
 * A gather flag: return at the first failure in time and cancel the rest.
 */
#define PALITRA_FAIL_FAST 1u

/**
 * A flag of palitra_submit_options: the queue is told of items, too. An event with the status PALITRA_PENDING says
 * that items wait: call palitra_token_next with a timeout of 0 until it answers PALITRA_PENDING. The first item posts
 * one, and after that the first one after each such answer, so a slow reader is told once. One that crosses the
 * job's end, as a cancel, may come after the event of the end. Without a queue PALITRA_INVALID_ARGUMENT.
 */
#define PALITRA_ITEM_EVENTS 1u

/**
 * A flag of palitra_submit_options: nobody will read items, as of a palitra_runner_run. What the job sends is refused,
 * where it would wait for a reader otherwise. Not with PALITRA_ITEM_EVENTS.
 */
#define PALITRA_NO_ITEMS 2u

/**
 * Times in the unit of every timeout, grace and deadline, which is nanoseconds: PALITRA_MS(250), PALITRA_SECONDS(1.5).
 */
#define PALITRA_MS(n) ((int64_t)((n) * INT64_C(1000000)))
#define PALITRA_SECONDS(n) ((int64_t)((n) * INT64_C(1000000000)))

/**
 * Nothing is logged.
 */
#define PALITRA_LOG_OFF 0

/**
 * Only errors.
 */
#define PALITRA_LOG_ERROR 1

/**
 * Also warnings, such as a job that holds its thread for more than 100 ms.
 */
#define PALITRA_LOG_WARN 2

/**
 * Also what happens rarely.
 */
#define PALITRA_LOG_INFO 3

/**
 * Also what helps to find a fault.
 */
#define PALITRA_LOG_DEBUG 4

/**
 * Everything.
 */
#define PALITRA_LOG_TRACE 5

/**
 * The version of this ABI, and the number in the name that programs remember the library by: libpalitra.so.1. It
 * changes when a program built against an older header would no longer work.
 */
#define PALITRA_ABI_VERSION 1

/**
 * The version of the library that this header came with: the first number of palitra_version.
 */
#define PALITRA_VERSION_MAJOR 0

/**
 * The second number of the version.
 */
#define PALITRA_VERSION_MINOR 2

/**
 * The third number of the version.
 */
#define PALITRA_VERSION_PATCH 0

/**
 * How a call or a job ended: one of the PALITRA_ numbers that follow. New ones may be added; none is reused.
 */
typedef int32_t palitra_status;

/**
 * What the bytes of a payload or a reply are.
 */
typedef int32_t palitra_format;

/**
 * What a job is. The strings belong to the library and live as long as it is loaded.
 */
typedef struct palitra_job_info {
  /**
   * The name it is submitted by.
   */
  const char *name;
  /**
   * Its documentation; empty if it has none.
   */
  const char *doc;
  /**
   * The format of the payload it takes.
   */
  palitra_format input;
  /**
   * The format of the reply it leaves when it succeeds.
   */
  palitra_format output;
} palitra_job_info;

/**
 * Is given a message of the library: one of the PALITRA_LOG_ levels, where it comes from, and the text, which
 * lives for the call. From any thread, several at once, under no lock of the library.
 */
typedef void (*palitra_log_fn)(int32_t level, const char *target, const char *message, void *user_data);

/**
 * Frees the user data of a callback. Called exactly once, on any thread, whatever became of the callback;
 * NULL where there is nothing to free.
 */
typedef void (*palitra_free_fn)(void *user_data);

/**
 * What a finished job left. Every call that fills one leaves it fit for palitra_reply_free, whatever it
 * answers; the caller owns it and frees it with that function. The data stays where it is until then, also
 * after the token and the runner are gone.
 */
typedef struct palitra_reply {
  /**
   * How the job ended, or why there is no reply.
   */
  palitra_status status;
  /**
   * The number that a job gave its failure; 0 otherwise.
   */
  int32_t code;
  /**
   * What the data is.
   */
  palitra_format format;
  /**
   * The result; unless the status is PALITRA_OK a message in UTF-8. Behind a text, JSON or a message, also an
   * empty one, stands a NUL: it may be printed as a C string, up to the first NUL of its own. Bytes have none.
   */
  const uint8_t *data;
  /**
   * The length of the data in bytes, without that NUL.
   */
  size_t len;
  /**
   * The library's own; do not touch.
   */
  void *owner;
} palitra_reply;

/**
 * Is called on a thread of a runner, as its first or its last act: see palitra_runner_options.
 */
typedef void (*palitra_thread_fn)(void *user_data);

/**
 * How a runner is to be made. Call palitra_runner_options_init first, then change what is to differ. A struct of
 * zeros with its size set means the defaults too.
 */
typedef struct palitra_runner_options {
  /**
   * The size of this struct in bytes, set by palitra_runner_options_init. Later versions add members at the end;
   * a program and a library of different versions understand each other as far as both know the struct.
   */
  uint32_t size;
  /**
   * Threads that run jobs beside the runner's own, at most 4096. 0, the default: the runner's own thread
   * runs them all.
   */
  uint32_t worker_threads;
  /**
   * The most threads for blocking parts of jobs at a time, at most 4096. 0: 512.
   */
  uint32_t max_blocking_threads;
  /**
   * Must be 0.
   */
  uint32_t flags;
  /**
   * The name of the runner's threads, UTF-8; copied. NULL: "palitra".
   */
  const char *thread_name;
  /**
   * The stack of each thread in bytes, 64 KiB to 1 GiB. 0: 2 MiB.
   */
  size_t thread_stack_size;
  /**
   * The most jobs in flight at a time; one more is PALITRA_BUSY. A job is in flight from its acceptance until it has
   * been dropped: one that was cancelled, or is late, until its next await. 0: unbounded.
   */
  size_t max_in_flight;
  /**
   * The largest payload in bytes; a larger one is answered PALITRA_TOO_LARGE. 0: unbounded.
   */
  size_t max_payload;
  /**
   * Called with thread_user_data as the first thing on each thread of the runner, its own, its watchdog, its workers
   * and the threads for blocking parts of jobs: to attach it to a Java VM, name it to a profiler, give it another
   * priority or other processors. Several threads may be in it at once, also before palitra_runner_new has
   * returned. It must not wait for the runner: no work is done on the thread until it returns. NULL: nothing is
   * called.
   */
  palitra_thread_fn thread_start;
  /**
   * Called with thread_user_data as the last thing on each of these threads, on every thread on which
   * thread_start was called. A shutdown waits for it within its bound. A thread that a job never gives back ends
   * with the process, without this call. NULL: nothing is called.
   */
  palitra_thread_fn thread_stop;
  /**
   * What thread_start and thread_stop are called with.
   */
  void *thread_user_data;
  /**
   * Frees thread_user_data, unless NULL: exactly once, on any thread, when neither function will be called any
   * more, at the latest when the runner has been freed and its last thread has ended. Also when
   * palitra_runner_new fails, unless because of a size that no version of this struct has.
   */
  palitra_free_fn thread_free;
} palitra_runner_options;

/**
 * A completion queue: tells which jobs have finished. A value like an integer, as palitra_runner is. The id 0
 * is no queue. Freed with palitra_queue_free.
 */
typedef struct palitra_queue {
  /**
   * Which queue.
   */
  uint64_t id;
} palitra_queue;

/**
 * How a job is to be submitted. Call palitra_submit_options_init first, then change what is to differ. A struct of
 * zeros with its size set means the defaults too.
 */
typedef struct palitra_submit_options {
  /**
   * The size of this struct in bytes, set by palitra_submit_options_init.
   */
  uint32_t size;
  /**
   * 0, PALITRA_ITEM_EVENTS or PALITRA_NO_ITEMS.
   */
  uint32_t flags;
  /**
   * The job is cancelled and its token finishes as PALITRA_DEADLINE so many nanoseconds after the call, some
   * hundredths of a second later where a job holds the runner's thread.
   * 0, the default, or negative: none. For a moment that has passed already use 1.
   */
  int64_t deadline_ns;
  /**
   * The queue that is told when the job finishes. The id 0, the default: none.
   */
  struct palitra_queue queue;
  /**
   * What the queue's event is to carry, for the caller to know it by.
   */
  uint64_t tag;
  /**
   * How many items of a stream wait for their reader at the most, up to 65536: a job that is further ahead waits
   * before it sends the next. 0: 16.
   */
  uint32_t stream_items;
  /**
   * Must be 0.
   */
  uint32_t reserved;
} palitra_submit_options;

/**
 * How a runner is doing. The figures are taken one after the other while the runner goes on.
 */
typedef struct palitra_stats {
  /**
   * The size of this struct in bytes, set by palitra_stats_init or by hand.
   */
  uint32_t size;
  /**
   * The threads that run jobs: the runner's own and its workers.
   */
  uint32_t threads;
  /**
   * Jobs that the runner ever accepted.
   */
  uint64_t submitted;
  /**
   * Jobs that have begun and have not been dropped, first polls on callers' threads included.
   */
  uint64_t running;
  /**
   * Jobs that have not begun yet.
   */
  uint64_t queued;
  /**
   * Jobs that succeeded.
   */
  uint64_t succeeded;
  /**
   * Jobs that failed with an error of their own, or whose payload did not fit.
   */
  uint64_t failed;
  /**
   * Jobs that panicked.
   */
  uint64_t panicked;
  /**
   * Jobs that were dropped after they were cancelled.
   */
  uint64_t cancelled;
  /**
   * Jobs that were dropped after their deadline.
   */
  uint64_t deadline;
  /**
   * The longest time that one step of a job, from one await to the next, held a thread of the runner, in
   * nanoseconds, to a few milliseconds.
   */
  uint64_t longest_poll_ns;
} palitra_stats;

/**
 * A persistent runtime thread that jobs are submitted to. A value like an integer: copy it, compare its id,
 * pass it to any thread. The id 0 is no runner. Freed with palitra_runner_free; afterwards the handle is
 * stale, and every call answers PALITRA_INVALID_HANDLE for it.
 */
typedef struct palitra_runner {
  /**
   * Which runner.
   */
  uint64_t id;
} palitra_runner;

/**
 * One submitted job. A value like an integer, as palitra_runner is. The id 0 is no token. Freed with
 * palitra_token_free, before or after the job has finished.
 */
typedef struct palitra_token {
  /**
   * Which token.
   */
  uint64_t id;
} palitra_token;

/**
 * Is told once that a job finished, and how. On the runner's thread, under no lock of the library: it may
 * call everything that does not block.
 */
typedef void (*palitra_complete_fn)(struct palitra_token token, palitra_status status, void *user_data);

/**
 * A finished job, or one whose items wait, as its queue tells it.
 */
typedef struct palitra_event {
  /**
   * The tag that the job was submitted with.
   */
  uint64_t tag;
  /**
   * The job's token; the id 0 if it was submitted without one. Stale if it was freed meanwhile.
   */
  struct palitra_token token;
  /**
   * How the job ended; PALITRA_PENDING if items of it wait, see PALITRA_ITEM_EVENTS.
   */
  palitra_status status;
} palitra_event;

/**
 * It succeeded.
 */
#define PALITRA_OK 0

/**
 * It has not finished yet.
 */
#define PALITRA_PENDING 1

/**
 * There is nothing more to come.
 */
#define PALITRA_END 2

/**
 * The job ran and answered an error of its own: see the reply's code and message.
 */
#define PALITRA_JOB_FAILED 10

/**
 * The job panicked: see the reply's message. The runner lives on.
 */
#define PALITRA_JOB_PANICKED 11

/**
 * The job was cancelled before it finished: by a call, a fail-fast gather or a shutdown.
 */
#define PALITRA_CANCELLED 12

/**
 * The job's deadline, or the timeout of its run, passed before it finished.
 */
#define PALITRA_DEADLINE 13

/**
 * The job refused its payload before it began, JSON that does not fit or text that is not UTF-8: see the reply's
 * message. A mistake of the caller's, where PALITRA_JOB_FAILED is the job's own.
 */
#define PALITRA_BAD_PAYLOAD 14

/**
 * An argument is NULL, not UTF-8, or has a size or value that the call does not take.
 */
#define PALITRA_INVALID_ARGUMENT 20

/**
 * The handle is zero, stale, freed, forged or of another kind.
 */
#define PALITRA_INVALID_HANDLE 21

/**
 * No job of that name is registered in this library.
 */
#define PALITRA_UNKNOWN_JOB 22

/**
 * As many are in flight, or exist, as may be.
 */
#define PALITRA_BUSY 23

/**
 * The payload is larger than the runner takes, or than there is memory for.
 */
#define PALITRA_TOO_LARGE 24

/**
 * The call would block the runner's own thread: it came from one of its jobs.
 */
#define PALITRA_WOULD_DEADLOCK 25

/**
 * The runner was shut down.
 */
#define PALITRA_SHUT_DOWN 26

/**
 * The handle was made before this process was forked from its parent.
 */
#define PALITRA_FORKED 27

/**
 * The library could not do its part: the system refused a thread, or a defect of its own.
 */
#define PALITRA_INTERNAL 29

/**
 * Any bytes.
 */
#define PALITRA_BYTES 0

/**
 * UTF-8 text. In a payload without a NUL at its end; in a reply with one, which its length does not count.
 */
#define PALITRA_TEXT 1

/**
 * One JSON value. In a reply with a NUL at its end, which its length does not count.
 */
#define PALITRA_JSON 2

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The version of the library, such as "1.2.3". Never NULL; lives as long as the library is loaded.
 */
const char *palitra_version(void);

/**
 * The ABI version of the library that is loaded; compare it with PALITRA_ABI_VERSION of the header.
 */
uint32_t palitra_abi_version(void);

/**
 * The name of a status, such as "PALITRA_OK"; "PALITRA_UNKNOWN_STATUS" for a number that is none.
 * Never NULL; lives as long as the library is loaded.
 */
const char *palitra_status_name(palitra_status status);

/**
 * One sentence that says what a status means. Never NULL; lives as long as the library is loaded.
 */
const char *palitra_status_message(palitra_status status);

/**
 * How many jobs this library holds. It never changes while the library is loaded.
 */
size_t palitra_job_count(void);

/**
 * Describes the job at an index below palitra_job_count, in the order of names.
 *
 * Answers PALITRA_OK; PALITRA_INVALID_ARGUMENT for an index beyond the last or a NULL out, which leaves the
 * out as it was.
 */
palitra_status palitra_job_at(size_t index, struct palitra_job_info *out);

/**
 * The name of the job that a caller may have meant by this one: the registered name with the fewest letters to
 * change, upper and lower case alike; the name itself if it is registered. NULL where no job's name is near, and for
 * a NULL or one that is not UTF-8. For the message of a PALITRA_UNKNOWN_JOB that came without a reply, as from
 * palitra_runner_submit. The text belongs to the library and lives as long as it is loaded.
 */
const char *palitra_job_nearest(const char *name);

/**
 * Has a function given what the library, and the Rust crates in it, have to say, up to a level: one of the
 * PALITRA_LOG_ numbers. A NULL function or PALITRA_LOG_OFF ends it; while nobody listens a message costs
 * nothing. Function and level are set together, also where several threads set them at once. A new function replaces the one before, which may still be under way on another thread when this
 * returns; its user data is freed after that. In a forked child nobody listens until the child calls this.
 *
 * The free function, unless NULL, is called with the user data exactly once, whatever this call answers.
 *
 * Answers PALITRA_OK; PALITRA_INVALID_ARGUMENT for a level that is none; PALITRA_INTERNAL if Rust code of this
 * library listens to its messages itself.
 */
palitra_status palitra_log_set(int32_t level,
                               palitra_log_fn function,
                               void *user_data,
                               palitra_free_fn free_user_data);

/**
 * Frees what a reply owns and empties it: freeing it again, or freeing NULL, does nothing. A reply that was
 * copied as a struct is one reply: free one of the copies.
 *
 * From any thread, at any time, also after the runner is gone and in a forked child.
 */
void palitra_reply_free(struct palitra_reply *reply);

/**
 * Sets the size and the defaults, which are zeros: `palitra_runner_options_init(&options)`. The macro of this name
 * passes the size that the struct has for the caller, which is how much is written. NULL, and a size that no version
 * of the struct has, do nothing.
 */
void palitra_runner_options_init(struct palitra_runner_options *options,
                                 uint32_t size);

/**
 * Sets the size and the defaults, as palitra_runner_options_init does: `palitra_submit_options_init(&options)`.
 */
void palitra_submit_options_init(struct palitra_submit_options *options,
                                 uint32_t size);

/**
 * Sets the size and makes everything else 0, as palitra_runner_options_init does: `palitra_stats_init(&stats)`.
 */
void palitra_stats_init(struct palitra_stats *stats,
                        uint32_t size);

/**
 * Makes a runner. NULL options mean the defaults: one thread, no limits. The caller frees it with
 * palitra_runner_free.
 *
 * Answers PALITRA_OK; PALITRA_INVALID_ARGUMENT for a NULL out or options that cannot be meant;
 * PALITRA_INTERNAL if the system refuses one of its threads or file descriptors, with all that was made until then
 * undone; PALITRA_BUSY if as many runners exist as can be named, or 1,024 processes in this line of forks have made
 * some. Unless PALITRA_OK the out is the id 0.
 */
palitra_status palitra_runner_new(const struct palitra_runner_options *options,
                                  struct palitra_runner *out);

/**
 * The global runner of this process, made now if there is none or the last one was shut down. The same
 * handle for every caller; it belongs to the library and needs no free. After palitra_shutdown_global_runner
 * it can still be waited on, until the next global runner is made.
 *
 * Answers PALITRA_OK; PALITRA_INVALID_ARGUMENT for a NULL out; PALITRA_INTERNAL.
 */
palitra_status palitra_runner_global(struct palitra_runner *out);

/**
 * Whether the global runner takes work. Makes none.
 */
bool palitra_is_runner_alive(void);

/**
 * Shuts the global runner down as palitra_runner_shutdown does; the next use of the global runner makes a
 * new one. PALITRA_OK if there is none.
 */
palitra_status palitra_shutdown_global_runner(int64_t grace_ns);

/**
 * Whether a runner takes work: false for one that was shut down or freed, for no runner, and in a forked
 * child for a runner of the parent.
 */
bool palitra_runner_is_alive(struct palitra_runner runner);

/**
 * Runs a job to its end and fills its reply, which the caller frees. The payload is copied.
 *
 * The reply of PALITRA_UNKNOWN_JOB names the job and the nearest that there is; see palitra_job_nearest.
 *
 * With a negative timeout the job is polled once on the calling thread; one that is ready at once needs no
 * other thread. Past a timeout of 0 or more nanoseconds the job is cancelled and the answer is
 * PALITRA_DEADLINE.
 *
 * A run has no token, so nobody can read the items of a streaming job: the first one that it sends is refused, and
 * mostly the job fails then, "nobody reads the stream any more". Submit such a job and read palitra_token_next.
 *
 * Answers how the job ended: PALITRA_OK, PALITRA_JOB_FAILED, PALITRA_JOB_PANICKED, PALITRA_CANCELLED,
 * PALITRA_DEADLINE, PALITRA_BAD_PAYLOAD. Or why it was not run: PALITRA_INVALID_ARGUMENT (a NULL name, data that is NULL but not
 * empty), PALITRA_INVALID_HANDLE, PALITRA_UNKNOWN_JOB, PALITRA_BUSY, PALITRA_TOO_LARGE,
 * PALITRA_WOULD_DEADLOCK (from a job of this runner), PALITRA_SHUT_DOWN, PALITRA_FORKED. The out may be NULL.
 */
palitra_status palitra_runner_run(struct palitra_runner runner,
                                  const char *job,
                                  const void *data,
                                  size_t len,
                                  int64_t timeout_ns,
                                  struct palitra_reply *out);

/**
 * Submits a job and returns at once. The payload is copied. NULL options mean the defaults. The caller frees
 * the token with palitra_token_free; with a NULL out the job runs detached, and what it streams is refused.
 *
 * Answers PALITRA_OK; PALITRA_INVALID_ARGUMENT, PALITRA_INVALID_HANDLE, PALITRA_UNKNOWN_JOB, PALITRA_BUSY,
 * PALITRA_TOO_LARGE, PALITRA_SHUT_DOWN, PALITRA_FORKED as palitra_runner_run does. Unless PALITRA_OK nothing
 * was submitted and the out is the id 0. From any thread, also from a job of the same runner.
 *
 * PALITRA_BUSY says that the runner has as many jobs in flight as it may; or that as many tokens exist as can be
 * named, or that 1,024 processes in this line of forks have made some.
 */
palitra_status palitra_runner_submit(struct palitra_runner runner,
                                     const char *job,
                                     const void *data,
                                     size_t len,
                                     const struct palitra_submit_options *options,
                                     struct palitra_token *out);

/**
 * Begins a job and returns at once, with its reply if it was ready: polls it once on the calling thread, as
 * palitra_runner_run does. For a host that must not wait in here, and gets what is ready without another thread.
 *
 * A job that is ready at once leaves its reply, which the caller frees, and no token: the id 0. The answer is how
 * it ended; the queue of the options is not told, and what it streamed is lost. A job that pends goes on at the
 * runner: the answer is PALITRA_PENDING, and the token is as one of palitra_runner_submit with these options. The
 * deadline counts from this call, but does not interrupt the first poll. With a NULL token the job runs detached;
 * the reply may be NULL. From a job of the same runner it is submitted, never polled here.
 *
 * Other answers as of palitra_runner_submit: nothing was begun, and the token is the id 0. The reply of
 * PALITRA_UNKNOWN_JOB names the job and the nearest that there is.
 */
palitra_status palitra_runner_start(struct palitra_runner runner,
                                    const char *job,
                                    const void *data,
                                    size_t len,
                                    const struct palitra_submit_options *options,
                                    struct palitra_token *token,
                                    struct palitra_reply *reply);

/**
 * Waits for a job and fills its reply, which the caller frees, each time anew; the out may be NULL.
 *
 * Answers the job's own status once it has finished; PALITRA_PENDING past the timeout, the job runs on.
 * PALITRA_INVALID_HANDLE, also when the token is freed meanwhile; PALITRA_INVALID_ARGUMENT for a token of
 * another runner; PALITRA_WOULD_DEADLOCK from a job of this runner; PALITRA_FORKED. Any number of threads may
 * wait for the same token. Works after a shutdown, which leaves no token unfinished.
 */
palitra_status palitra_runner_wait(struct palitra_runner runner,
                                   struct palitra_token token,
                                   int64_t timeout_ns,
                                   struct palitra_reply *out);

/**
 * Waits until one of n tokens has finished, however its job ended, and sets the index of it. If some have finished
 * already, that is the first in order, on any thread, and what stands behind it is not looked at.
 *
 * Each call looks at every token before that one. To take the next of many again and again, submit with a queue:
 * palitra_queue_next costs the same however many are unfinished.
 *
 * Returns PALITRA_OK; PALITRA_PENDING past the timeout; PALITRA_INVALID_ARGUMENT for no tokens or a token of
 * another runner; PALITRA_TOO_LARGE for more tokens than there is memory to watch; PALITRA_INVALID_HANDLE,
 * PALITRA_WOULD_DEADLOCK (none has finished, and the call came from a job or callback of this runner),
 * PALITRA_FORKED. The index is written with PALITRA_OK only, and may be NULL.
 */
palitra_status palitra_runner_wait_any(struct palitra_runner runner,
                                       const struct palitra_token *tokens,
                                       size_t n,
                                       int64_t timeout_ns,
                                       size_t *index);

/**
 * Waits for n tokens and fills n replies in the order of the tokens; the caller frees each. The replies may
 * be NULL.
 *
 * Answers PALITRA_OK when every job succeeded, at once for no tokens; else the status of the first in order
 * that did not. PALITRA_PENDING past the timeout: the replies of unfinished jobs say PALITRA_PENDING and the
 * jobs run on. With PALITRA_FAIL_FAST it returns at the first failure in time, with its status, after
 * cancelling the rest.
 *
 * PALITRA_INVALID_ARGUMENT (also for unknown flags or a token of another runner), PALITRA_INVALID_HANDLE,
 * PALITRA_TOO_LARGE (more tokens than there is memory to watch), PALITRA_WOULD_DEADLOCK, PALITRA_FORKED: nothing was
 * waited for, and every reply says so too.
 */
palitra_status palitra_runner_gather(struct palitra_runner runner,
                                     const struct palitra_token *tokens,
                                     size_t n,
                                     uint32_t flags,
                                     int64_t timeout_ns,
                                     struct palitra_reply *replies);

/**
 * Reads how a runner is doing. Call palitra_stats_init first, or set the size of the struct; as much is written.
 * Every job that was submitted is queued, running or has ended: submitted is the sum of the others. No figure but
 * running and queued ever goes back.
 *
 * Answers PALITRA_OK; PALITRA_INVALID_ARGUMENT for a NULL out or a size that no version of the struct has;
 * PALITRA_INVALID_HANDLE, PALITRA_FORKED. Works after a shutdown.
 */
palitra_status palitra_runner_stats(struct palitra_runner runner,
                                    struct palitra_stats *out);

/**
 * Shuts a runner down: refuses new work, lets jobs finish for the grace (negative: as long as they take),
 * cancels the rest, finishes every token, wakes every waiter and joins the threads. Does not free the handle.
 *
 * What is in flight has its grace wherever it is polled, also a palitra_runner_run on another thread. A job may
 * submit to its own runner until the grace is over. No job begins after that.
 *
 * Returns PALITRA_OK; PALITRA_PENDING where something still held a thread a second after the grace: a job that never
 * yields, a first poll, a blocking part of a job, a callback, the destructor of a state. Then every token has finished,
 * no callback begins any more, and the user data of those that were due has been freed. A callback that was under way
 * may go on. The runner ends by itself when the thread comes back; called again, this waits again for its grace and a
 * second, and returns PALITRA_OK once that is so. PALITRA_WOULD_DEADLOCK from a job of this runner, where nothing is
 * done. PALITRA_INVALID_HANDLE, PALITRA_FORKED. May be called by several threads at once. Replies of finished tokens
 * stay readable.
 */
palitra_status palitra_runner_shutdown(struct palitra_runner runner,
                                       int64_t grace_ns);

/**
 * Frees a runner, after shutting it down with a grace of 0: the handle is stale from now on. It waits a second at the
 * most, and not again after a shutdown that returned PALITRA_PENDING. From a job of this runner it returns at once
 * and the runner ends by itself. Freeing a runner twice, or one that is none,
 * does nothing; so does freeing a parent's runner in a forked child.
 */
void palitra_runner_free(struct palitra_runner runner);

/**
 * Looks whether a job has finished; never blocks.
 *
 * Answers the job's own status and fills the reply, which the caller frees, each time anew; the out may be
 * NULL. PALITRA_PENDING while the job runs. PALITRA_INVALID_HANDLE, PALITRA_FORKED.
 * From any thread, also after the token's runner was shut down and freed.
 */
palitra_status palitra_token_poll(struct palitra_token token, struct palitra_reply *out);

/**
 * Waits for a job and fills its reply, which the caller frees, each time anew; the out may be NULL. As
 * palitra_runner_wait, without naming the runner.
 *
 * Returns the job's own status once it has finished; PALITRA_PENDING past the timeout, the job runs on.
 * PALITRA_INVALID_HANDLE, also when the token is freed meanwhile; PALITRA_WOULD_DEADLOCK from a job of the token's
 * runner; PALITRA_FORKED. Any number of threads may wait for the same token, also after its runner was shut down and
 * freed.
 */
palitra_status palitra_token_wait(struct palitra_token token,
                                  int64_t timeout_ns,
                                  struct palitra_reply *out);

/**
 * Finishes a token as PALITRA_CANCELLED and drops its job at its next await. Does not free the token.
 *
 * Answers PALITRA_OK, also if the job had finished: then nothing changes. PALITRA_INVALID_HANDLE,
 * PALITRA_FORKED. Never blocks; from any thread.
 */
palitra_status palitra_token_cancel(struct palitra_token token);

/**
 * Reads the next item of a streaming job and fills it; the caller frees each.
 *
 * Answers PALITRA_OK with an item; PALITRA_PENDING past the timeout; PALITRA_END after the last item of a job
 * that succeeded, at once for a job that streams nothing; how the job ended otherwise, with its message, after
 * the items that it sent before. PALITRA_WOULD_DEADLOCK instead of waiting on the runner's own thread;
 * PALITRA_INVALID_HANDLE, also when the token is freed meanwhile; PALITRA_FORKED. The item may be NULL, which
 * throws it away.
 *
 * A job whose items nobody reads waits after the first few: a slow reader slows the job. Freeing the token
 * ends it.
 */
palitra_status palitra_token_next(struct palitra_token token,
                                  int64_t timeout_ns,
                                  struct palitra_reply *item);

/**
 * Reads how far the job said it is; both are 0 before it said anything, and keep their last values after it
 * has finished. Never blocks. The outs may be NULL and are written with PALITRA_OK only.
 *
 * Answers PALITRA_OK, PALITRA_INVALID_HANDLE, PALITRA_FORKED.
 */
palitra_status palitra_token_progress(struct palitra_token token, uint64_t *done, uint64_t *total);

/**
 * Has a function called once when the job finishes, or soon if it has finished: on the runner's thread, under
 * no lock. A child that is forked in it leaves by exit or exec and does not return. Several may be registered for one
 * token; they are called in no particular order. Freeing the unfinished token takes it back. After
 * palitra_runner_shutdown has returned none begins any more.
 *
 * The free function, unless NULL, is called with the user data exactly once, whatever happens and whatever
 * this call returns: after the callback, or when it is clear that it will not be called, which is at the latest when
 * palitra_runner_shutdown returns.
 *
 * Returns PALITRA_OK; PALITRA_INVALID_ARGUMENT for a NULL function; PALITRA_SHUT_DOWN after the runner's end;
 * PALITRA_INVALID_HANDLE, PALITRA_FORKED.
 */
palitra_status palitra_token_on_complete(struct palitra_token token,
                                         palitra_complete_fn function,
                                         void *user_data,
                                         palitra_free_fn free_user_data);

/**
 * Frees a token: the handle is stale from now on. An unfinished job is detached, not cancelled: it runs to
 * its end and its reply is thrown away. Whoever waits for the token is answered PALITRA_INVALID_HANDLE.
 *
 * Freeing a token twice, or one that is none, does nothing. Never blocks; from any thread.
 */
void palitra_token_free(struct palitra_token token);

/**
 * Makes a queue. The caller frees it with palitra_queue_free.
 *
 * Answers PALITRA_OK; PALITRA_INVALID_ARGUMENT for a NULL out; PALITRA_INTERNAL if the system refuses the
 * file descriptor; PALITRA_BUSY if as many queues exist as can be named, or 1,024 processes in this line of forks
 * have made some. Unless PALITRA_OK the out is the id 0.
 */
palitra_status palitra_queue_new(struct palitra_queue *out);

/**
 * Takes up to max events, in the order in which the jobs finished, and sets n to how many there were. Waits
 * for the first of them only. With a timeout of 0 a look into an empty queue costs next to nothing.
 *
 * Answers PALITRA_OK with one event or more; PALITRA_PENDING past the timeout; PALITRA_END when the queue is
 * closed and empty; PALITRA_INVALID_ARGUMENT for NULL events or a max of 0; PALITRA_WOULD_DEADLOCK instead of
 * waiting on a runner's thread; PALITRA_INVALID_HANDLE, PALITRA_FORKED. Unless PALITRA_OK n is 0. The n may be
 * NULL only with a max of 1.
 */
palitra_status palitra_queue_next(struct palitra_queue queue,
                                  int64_t timeout_ns,
                                  struct palitra_event *events,
                                  size_t max,
                                  size_t *n);

/**
 * A file descriptor that is readable while events wait, and after the queue was closed: for epoll, libuv,
 * GLib, asyncio. Poll it, level-triggered or edge-triggered, and then call palitra_queue_next with a timeout
 * of 0 until it answers PALITRA_PENDING; never read, write or close it. It belongs to the queue and is closed
 * by palitra_queue_free: remove it from the event loop before.
 *
 * Answers -1 for no queue, a stale one or a parent's.
 */
int palitra_queue_fd(struct palitra_queue queue);

/**
 * Closes a queue: what finishes from now on is not told, palitra_queue_next drains what is left and then
 * answers PALITRA_END, also to those who wait. Closing again does nothing.
 *
 * Answers PALITRA_OK, PALITRA_INVALID_HANDLE, PALITRA_FORKED.
 */
palitra_status palitra_queue_close(struct palitra_queue queue);

/**
 * Closes and frees a queue: the handle is stale from now on and events that wait are thrown away. Tokens that
 * were submitted with it live on. Whoever waits in palitra_queue_next is answered PALITRA_END.
 *
 * Freeing a queue twice, or one that is none, does nothing; so does freeing a parent's in a forked child.
 */
void palitra_queue_free(struct palitra_queue queue);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* PALITRA_H */

/*
 * How the functions of these names are called in C and C++: the struct grows with the library, and each program says
 * how large it is in its own header. A language that loads the functions by name passes the size itself.
 */
#define palitra_runner_options_init(options) palitra_runner_options_init((options), sizeof(palitra_runner_options))
#define palitra_submit_options_init(options) palitra_submit_options_init((options), sizeof(palitra_submit_options))
#define palitra_stats_init(stats) palitra_stats_init((stats), sizeof(palitra_stats))
