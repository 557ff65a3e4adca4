//! Handle: a value of 8 bytes that names a runner, a token, a queue or a call. Copy it, compare its
//! id and pass it to any thread. The id 0 names nothing.

/// Names a runner: a background thread that runs jobs. Freed with palitra_runner_free.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct palitra_runner {
    /// 0 for no runner.
    pub id: u64,
}

/// Names one submitted job. Freed with palitra_token_free, before or after the job has finished.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct palitra_token {
    /// 0 for no token.
    pub id: u64,
}

/// Names a queue of events. Freed with palitra_queue_free.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct palitra_queue {
    /// 0 for no queue.
    pub id: u64,
}

/// Names one call of a job that the host has registered. Freed with palitra_call_free, before or
/// after it was answered.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct palitra_call {
    /// 0 for no call.
    pub id: u64,
}
