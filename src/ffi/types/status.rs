//! Statuses, as numbers of C.

/// The result of a call, or how a job ended: one of the PALITRA_ numbers below. Later versions may
/// add numbers. No number is reused.
pub type palitra_status = i32;

/// Success.
pub const PALITRA_OK: palitra_status = 0;
/// Not finished yet. From a call with a timeout: the timeout passed, and the job runs on. From a
/// shutdown: something still blocks a thread. In an event: items wait.
pub const PALITRA_PENDING: palitra_status = 1;
/// There are no more items or events.
pub const PALITRA_END: palitra_status = 2;
/// The job ran and returned an error: see the code and the message of the reply.
pub const PALITRA_JOB_FAILED: palitra_status = 10;
/// The job panicked: see the message of the reply. The runner keeps running.
pub const PALITRA_JOB_PANICKED: palitra_status = 11;
/// The job was cancelled: by palitra_token_cancel, a fail-fast gather or a shutdown.
pub const PALITRA_CANCELLED: palitra_status = 12;
/// The deadline of the job, or the timeout of palitra_runner_run, passed. The job was cancelled.
pub const PALITRA_DEADLINE: palitra_status = 13;
/// The caller's payload is not what the job takes, such as JSON of another shape. The job did not
/// run. The message of the reply says what is wrong.
pub const PALITRA_BAD_PAYLOAD: palitra_status = 14;
/// An argument is NULL, is not UTF-8, or has a size or a value that the function does not take.
pub const PALITRA_INVALID_ARGUMENT: palitra_status = 20;
/// The handle is zero, stale, forged or of another kind.
pub const PALITRA_INVALID_HANDLE: palitra_status = 21;
/// The library has no job of that name.
pub const PALITRA_UNKNOWN_JOB: palitra_status = 22;
/// A limit is reached: of jobs in flight, or of handles.
pub const PALITRA_BUSY: palitra_status = 23;
/// The payload exceeds the limit of the runner, or there is not enough memory for a copy of it or
/// to watch so many tokens.
pub const PALITRA_TOO_LARGE: palitra_status = 24;
/// The call came from a job or a callback, and would block the runner's own thread.
pub const PALITRA_WOULD_DEADLOCK: palitra_status = 25;
/// The runner was shut down.
pub const PALITRA_SHUT_DOWN: palitra_status = 26;
/// The handle was made before this process was forked.
pub const PALITRA_FORKED: palitra_status = 27;
/// The system refused a thread or a file descriptor, palitra_log_set found another tracing
/// subscriber, or the library has a defect.
pub const PALITRA_INTERNAL: palitra_status = 29;
