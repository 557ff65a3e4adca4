//! The options of a runner.

use std::ffi::{c_char, c_void};

use super::callback::palitra_free_fn;

/// Is called on a thread of a runner as it starts or stops: see palitra_runner_options.
pub type palitra_thread_fn = Option<unsafe extern "C" fn(user_data: *mut c_void)>;

/// How to make a runner. Call palitra_runner_options_init first, then set what is to differ.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct palitra_runner_options {
    /// The size of this struct in bytes; palitra_runner_options_init sets it.
    pub size: u32,
    /// Threads that run jobs beside the runner's own, up to 4096. 0: none, the default.
    pub worker_threads: u32,
    /// The most threads at a time for the blocking parts of jobs, up to 4096. 0: 512.
    pub max_blocking_threads: u32,
    /// Must be 0.
    pub flags: u32,
    /// The name of the runner's threads in UTF-8; it is copied. NULL: "palitra".
    pub thread_name: *const c_char,
    /// The stack of each thread in bytes, 64 KiB to 1 GiB. 0: 2 MiB.
    pub thread_stack_size: usize,
    /// The most jobs in flight at a time; submitting another returns PALITRA_BUSY. 0: no limit. A
    /// job is in flight from its acceptance until it is dropped. A job that was cancelled, or whose
    /// deadline passed, is dropped at its next await.
    pub max_in_flight: usize,
    /// The largest payload in bytes; a larger one fails with PALITRA_TOO_LARGE. 0: no limit.
    pub max_payload: usize,
    /// Is called first on each thread of the runner, with thread_user_data: on its own thread, its
    /// watchdog, its workers and the threads for the blocking parts of jobs. Use it to attach the
    /// thread to a Java VM, to name it to a profiler, or to set its priority or processors. Several
    /// threads may be in it at once, even before palitra_runner_new returns. It must not wait for
    /// the runner: the thread does no work before it returns. NULL: nothing is called.
    pub thread_start: palitra_thread_fn,
    /// Is called last on each thread that thread_start was called on, with thread_user_data. A
    /// shutdown waits for it, within the limit of the shutdown. A thread that a job never returns
    /// from ends with the process, without this call. NULL: nothing is called.
    pub thread_stop: palitra_thread_fn,
    /// The argument of thread_start and thread_stop.
    pub thread_user_data: *mut c_void,
    /// Frees thread_user_data, on any thread, once neither function will be called again: at the
    /// latest when the runner has been freed and its last thread has ended. It is also called when
    /// palitra_runner_new fails, unless the size of this struct is invalid. NULL: nothing is called.
    pub thread_free: palitra_free_fn,
    /// The longest that the runner's thread without work, and a thread that waits for one of its
    /// jobs, spin before they sleep, in nanoseconds, up to 1,000,000. Each spins only as long as
    /// that has paid lately, and never where there is but one processor. 0: 20,000. Negative: they
    /// sleep at once.
    pub spin_limit_ns: i64,
    /// What its jobs' states are configured by, such as a pool of connections: a JSON object in
    /// UTF-8 with a member for each state, by the name that the documentation of the jobs says. What
    /// is not named here is as palitra_configure set it before. NULL: nothing is.
    pub config: *const c_char,
}
