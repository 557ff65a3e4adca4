//! How a runner is to be made, and what is too absurd to try.

use crate::reply::{Error, Status};

/// What a new runner is to be like. The default suits most: one thread, no limits.
///
/// ```
/// use palitra::{Options, Runner};
///
/// let runner = Runner::with_options(Options { worker_threads: 2, ..Options::default() })?;
/// assert_eq!(runner.run(async { 40 + 2 })?, 42);
/// # Ok::<(), palitra::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Threads that run jobs beside the runner's own; 0, the default: the runner's own thread runs them all.
    pub worker_threads: u32,
    /// The most threads for `spawn_blocking` at a time; 0: tokio's default, 512.
    pub max_blocking_threads: u32,
    /// The name of the runner's threads; empty: "palitra".
    pub thread_name: String,
    /// The stack of each thread in bytes; 0: the platform's default for Rust threads, 2 MiB.
    pub thread_stack_size: usize,
    /// The most unfinished jobs at a time; 0: unbounded.
    pub max_in_flight: usize,
    /// The largest payload in bytes; 0: unbounded.
    pub max_payload: usize,
}

const MAX_THREADS: u32 = 4096;
const STACK_SIZES: std::ops::RangeInclusive<usize> = 64 << 10..=1 << 30;

impl Options {
    pub(crate) fn check(&self) -> Result<(), Error> {
        let refuse = |message: String| Err(Error::new(Status::InvalidArgument, message));
        if self.worker_threads > MAX_THREADS || self.max_blocking_threads > MAX_THREADS {
            return refuse(format!("more than {MAX_THREADS} threads"));
        }
        if self.thread_stack_size != 0 && !STACK_SIZES.contains(&self.thread_stack_size) {
            return refuse(format!("a stack of {} bytes, not 64 KiB to 1 GiB", self.thread_stack_size));
        }
        if self.thread_name.contains('\0') {
            return refuse("a thread name with a NUL in it".to_string());
        }
        Ok(())
    }

    pub(crate) fn name(&self) -> &str {
        if self.thread_name.is_empty() { "palitra" } else { &self.thread_name }
    }
}
