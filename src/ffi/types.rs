//! The structs and numbers of the C ABI. The doc comments become the header's.

#![allow(non_camel_case_types)]

use std::ffi::{c_char, c_void};

/// How a call or a job ended: one of the PALITRA_ numbers that follow. New ones may be added; none is reused.
pub type palitra_status = i32;

/// It succeeded.
pub const PALITRA_OK: palitra_status = 0;
/// It has not finished yet.
pub const PALITRA_PENDING: palitra_status = 1;
/// There is nothing more to come.
pub const PALITRA_END: palitra_status = 2;
/// The job ran and answered an error of its own: see the reply's code and message.
pub const PALITRA_JOB_FAILED: palitra_status = 10;
/// The job panicked: see the reply's message. The runner lives on.
pub const PALITRA_JOB_PANICKED: palitra_status = 11;
/// The job was cancelled before it finished: by a call, a fail-fast gather or a shutdown.
pub const PALITRA_CANCELLED: palitra_status = 12;
/// The job's deadline, or the timeout of its run, passed before it finished.
pub const PALITRA_DEADLINE: palitra_status = 13;
/// The job refused its payload before it began, JSON that does not fit or text that is not UTF-8: see the reply's
/// message. A mistake of the caller's, where PALITRA_JOB_FAILED is the job's own.
pub const PALITRA_BAD_PAYLOAD: palitra_status = 14;
/// An argument is NULL, not UTF-8, or has a size or value that the call does not take.
pub const PALITRA_INVALID_ARGUMENT: palitra_status = 20;
/// The handle is zero, stale, freed, forged or of another kind.
pub const PALITRA_INVALID_HANDLE: palitra_status = 21;
/// No job of that name is registered in this library.
pub const PALITRA_UNKNOWN_JOB: palitra_status = 22;
/// As many are in flight, or exist, as may be.
pub const PALITRA_BUSY: palitra_status = 23;
/// The payload is larger than the runner takes, or than there is memory for.
pub const PALITRA_TOO_LARGE: palitra_status = 24;
/// The call would block the runner's own thread: it came from one of its jobs.
pub const PALITRA_WOULD_DEADLOCK: palitra_status = 25;
/// The runner was shut down.
pub const PALITRA_SHUT_DOWN: palitra_status = 26;
/// The handle was made before this process was forked from its parent.
pub const PALITRA_FORKED: palitra_status = 27;
/// The library could not do its part: the system refused a thread, or a defect of its own.
pub const PALITRA_INTERNAL: palitra_status = 29;

/// What the bytes of a payload or a reply are.
pub type palitra_format = i32;

/// Any bytes.
pub const PALITRA_BYTES: palitra_format = 0;
/// UTF-8 text. In a payload without a NUL at its end; in a reply with one, which its length does not count.
pub const PALITRA_TEXT: palitra_format = 1;
/// One JSON value. In a reply with a NUL at its end, which its length does not count.
pub const PALITRA_JSON: palitra_format = 2;

/// A gather flag: return at the first failure in time and cancel the rest. Written out in cbindgen.toml.
pub const PALITRA_FAIL_FAST: u32 = 1;

/// A flag of `palitra_submit_options`: the queue is told of items, too.
pub const PALITRA_ITEM_EVENTS: u32 = 1;

/// A flag of `palitra_submit_options`: nobody reads items.
pub const PALITRA_NO_ITEMS: u32 = 2;

/// A persistent runtime thread that jobs are submitted to. A value like an integer: copy it, compare its id,
/// pass it to any thread. The id 0 is no runner. Freed with palitra_runner_free; afterwards the handle is
/// stale, and every call answers PALITRA_INVALID_HANDLE for it.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct palitra_runner {
    /// Which runner.
    pub id: u64,
}

/// One submitted job. A value like an integer, as palitra_runner is. The id 0 is no token. Freed with
/// palitra_token_free, before or after the job has finished.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct palitra_token {
    /// Which token.
    pub id: u64,
}

/// A completion queue: tells which jobs have finished. A value like an integer, as palitra_runner is. The id 0
/// is no queue. Freed with palitra_queue_free.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct palitra_queue {
    /// Which queue.
    pub id: u64,
}

/// What a finished job left. Every call that fills one leaves it fit for palitra_reply_free, whatever it
/// answers; the caller owns it and frees it with that function. The data stays where it is until then, also
/// after the token and the runner are gone.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct palitra_reply {
    /// How the job ended, or why there is no reply.
    pub status: palitra_status,
    /// The number that a job gave its failure; 0 otherwise.
    pub code: i32,
    /// What the data is.
    pub format: palitra_format,
    /// The result; unless the status is PALITRA_OK a message in UTF-8. Behind a text, JSON or a message, also an
    /// empty one, stands a NUL: it may be printed as a C string, up to the first NUL of its own. Bytes have none.
    pub data: *const u8,
    /// The length of the data in bytes, without that NUL.
    pub len: usize,
    /// The library's own; do not touch.
    pub owner: *mut c_void,
}

/// What a job is. The strings belong to the library and live as long as it is loaded.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct palitra_job_info {
    /// The name it is submitted by.
    pub name: *const c_char,
    /// Its documentation; empty if it has none.
    pub doc: *const c_char,
    /// The format of the payload it takes.
    pub input: palitra_format,
    /// The format of the reply it leaves when it succeeds.
    pub output: palitra_format,
}

/// How a runner is to be made. Call palitra_runner_options_init first, then change what is to differ. A struct of
/// zeros with its size set means the defaults too.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct palitra_runner_options {
    /// The size of this struct in bytes, set by palitra_runner_options_init. Later versions add members at the end;
    /// a program and a library of different versions understand each other as far as both know the struct.
    pub size: u32,
    /// Threads that run jobs beside the runner's own, at most 4096. 0, the default: the runner's own thread
    /// runs them all.
    pub worker_threads: u32,
    /// The most threads for blocking parts of jobs at a time, at most 4096. 0: 512.
    pub max_blocking_threads: u32,
    /// Must be 0.
    pub flags: u32,
    /// The name of the runner's threads, UTF-8; copied. NULL: "palitra".
    pub thread_name: *const c_char,
    /// The stack of each thread in bytes, 64 KiB to 1 GiB. 0: 2 MiB.
    pub thread_stack_size: usize,
    /// The most jobs in flight at a time; one more is PALITRA_BUSY. A job is in flight from its acceptance until it has
    /// been dropped: one that was cancelled, or is late, until its next await. 0: unbounded.
    pub max_in_flight: usize,
    /// The largest payload in bytes; a larger one is answered PALITRA_TOO_LARGE. 0: unbounded.
    pub max_payload: usize,
    /// Called with thread_user_data as the first thing on each thread of the runner, its own, its watchdog, its workers
    /// and the threads for blocking parts of jobs: to attach it to a Java VM, name it to a profiler, give it another
    /// priority or other processors. Several threads may be in it at once, also before palitra_runner_new has
    /// returned. It must not wait for the runner: no work is done on the thread until it returns. NULL: nothing is
    /// called.
    pub thread_start: palitra_thread_fn,
    /// Called with thread_user_data as the last thing on each of these threads, on every thread on which
    /// thread_start was called. A shutdown waits for it within its bound. A thread that a job never gives back ends
    /// with the process, without this call. NULL: nothing is called.
    pub thread_stop: palitra_thread_fn,
    /// What thread_start and thread_stop are called with.
    pub thread_user_data: *mut c_void,
    /// Frees thread_user_data, unless NULL: exactly once, on any thread, when neither function will be called any
    /// more, at the latest when the runner has been freed and its last thread has ended. Also when
    /// palitra_runner_new fails, unless because of a size that no version of this struct has.
    pub thread_free: palitra_free_fn,
}

/// How a job is to be submitted. Call palitra_submit_options_init first, then change what is to differ. A struct of
/// zeros with its size set means the defaults too.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct palitra_submit_options {
    /// The size of this struct in bytes, set by palitra_submit_options_init.
    pub size: u32,
    /// 0, PALITRA_ITEM_EVENTS or PALITRA_NO_ITEMS.
    pub flags: u32,
    /// The job is cancelled and its token finishes as PALITRA_DEADLINE so many nanoseconds after the call, some
    /// hundredths of a second later where a job holds the runner's thread.
    /// 0, the default, or negative: none. For a moment that has passed already use 1.
    pub deadline_ns: i64,
    /// The queue that is told when the job finishes. The id 0, the default: none.
    pub queue: palitra_queue,
    /// What the queue's event is to carry, for the caller to know it by.
    pub tag: u64,
    /// How many items of a stream wait for their reader at the most, up to 65536: a job that is further ahead waits
    /// before it sends the next. 0: 16.
    pub stream_items: u32,
    /// Must be 0.
    pub reserved: u32,
}

/// A finished job, or one whose items wait, as its queue tells it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct palitra_event {
    /// The tag that the job was submitted with.
    pub tag: u64,
    /// The job's token; the id 0 if it was submitted without one. Stale if it was freed meanwhile.
    pub token: palitra_token,
    /// How the job ended; PALITRA_PENDING if items of it wait, see PALITRA_ITEM_EVENTS.
    pub status: palitra_status,
}

/// How a runner is doing. The figures are taken one after the other while the runner goes on.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct palitra_stats {
    /// The size of this struct in bytes, set by palitra_stats_init or by hand.
    pub size: u32,
    /// The threads that run jobs: the runner's own and its workers.
    pub threads: u32,
    /// Jobs that the runner ever accepted.
    pub submitted: u64,
    /// Jobs that have begun and have not been dropped, first polls on callers' threads included.
    pub running: u64,
    /// Jobs that have not begun yet.
    pub queued: u64,
    /// Jobs that succeeded.
    pub succeeded: u64,
    /// Jobs that failed with an error of their own, or whose payload did not fit.
    pub failed: u64,
    /// Jobs that panicked.
    pub panicked: u64,
    /// Jobs that were dropped after they were cancelled.
    pub cancelled: u64,
    /// Jobs that were dropped after their deadline.
    pub deadline: u64,
    /// The longest time that one step of a job, from one await to the next, held a thread of the runner, in
    /// nanoseconds, to a few milliseconds.
    pub longest_poll_ns: u64,
}

/// Is told once that a job finished, and how. On the runner's thread, under no lock of the library: it may
/// call everything that does not block.
pub type palitra_complete_fn =
    Option<unsafe extern "C" fn(token: palitra_token, status: palitra_status, user_data: *mut c_void)>;

/// Is called on a thread of a runner, as its first or its last act: see palitra_runner_options.
pub type palitra_thread_fn = Option<unsafe extern "C" fn(user_data: *mut c_void)>;

/// Is given a message of the library: one of the PALITRA_LOG_ levels, where it comes from, and the text, which
/// lives for the call. From any thread, several at once, under no lock of the library.
pub type palitra_log_fn =
    Option<unsafe extern "C" fn(level: i32, target: *const c_char, message: *const c_char, user_data: *mut c_void)>;

/// Frees the user data of a callback. Called exactly once, on any thread, whatever became of the callback;
/// NULL where there is nothing to free.
pub type palitra_free_fn = Option<unsafe extern "C" fn(user_data: *mut c_void)>;

/// Nothing is logged.
pub const PALITRA_LOG_OFF: i32 = 0;
/// Only errors.
pub const PALITRA_LOG_ERROR: i32 = 1;
/// Also warnings, such as a job that holds its thread for more than 100 ms.
pub const PALITRA_LOG_WARN: i32 = 2;
/// Also what happens rarely.
pub const PALITRA_LOG_INFO: i32 = 3;
/// Also what helps to find a fault.
pub const PALITRA_LOG_DEBUG: i32 = 4;
/// Everything.
pub const PALITRA_LOG_TRACE: i32 = 5;

// The numbers are the core's.
const _: () = {
    use crate::reply::{Format, Status};
    assert!(PALITRA_OK == Status::Ok as i32);
    assert!(PALITRA_PENDING == Status::Pending as i32);
    assert!(PALITRA_END == Status::End as i32);
    assert!(PALITRA_JOB_FAILED == Status::JobFailed as i32);
    assert!(PALITRA_JOB_PANICKED == Status::JobPanicked as i32);
    assert!(PALITRA_CANCELLED == Status::Cancelled as i32);
    assert!(PALITRA_DEADLINE == Status::Deadline as i32);
    assert!(PALITRA_BAD_PAYLOAD == Status::BadPayload as i32);
    assert!(PALITRA_INVALID_ARGUMENT == Status::InvalidArgument as i32);
    assert!(PALITRA_INVALID_HANDLE == Status::InvalidHandle as i32);
    assert!(PALITRA_UNKNOWN_JOB == Status::UnknownJob as i32);
    assert!(PALITRA_BUSY == Status::Busy as i32);
    assert!(PALITRA_TOO_LARGE == Status::TooLarge as i32);
    assert!(PALITRA_WOULD_DEADLOCK == Status::WouldDeadlock as i32);
    assert!(PALITRA_SHUT_DOWN == Status::ShutDown as i32);
    assert!(PALITRA_FORKED == Status::Forked as i32);
    assert!(PALITRA_INTERNAL == Status::Internal as i32);
    assert!(PALITRA_LOG_OFF == 0);
    assert!(PALITRA_LOG_ERROR == 1);
    assert!(PALITRA_LOG_WARN == 2);
    assert!(PALITRA_LOG_INFO == 3);
    assert!(PALITRA_LOG_DEBUG == 4);
    assert!(PALITRA_LOG_TRACE == 5);
    assert!(PALITRA_LOG_TRACE == crate::log::MAX_LEVEL as i32);
    assert!(PALITRA_BYTES == Format::Bytes as i32);
    assert!(PALITRA_TEXT == Format::Text as i32);
    assert!(PALITRA_JSON == Format::Json as i32);
};
