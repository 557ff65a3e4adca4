//! Runners for the tests of jobs: their clock is paused, so that a job that sleeps for an hour takes no time. With the
//! feature `testing`, which belongs under an author's `[dev-dependencies]`: what is built for hosts goes without.
//!
//! ```
//! use std::time::Duration;
//!
//! use palitra::{Status, job, testing};
//!
//! /// Reminds after an hour.
//! #[job("doc.remind")]
//! async fn remind(text: String) -> String {
//!     tokio::time::sleep(Duration::from_secs(3600)).await;
//!     text
//! }
//!
//! let runner = testing::runner()?;
//! assert_eq!(runner.run_job("doc.remind", "tea", None)?.text(), "tea");
//! let late = runner.run_job("doc.remind", "tea", Some(Duration::from_secs(60)))?;
//! assert_eq!(late.status(), Status::Deadline);
//! # Ok::<(), palitra::Error>(())
//! ```
//!
//! # The paused clock
//!
//! It is that of tokio (`tokio::time::pause`): it stands still while anything can run, and jumps to the next timer as
//! soon as nothing else is to do. Jobs are polled on the runner's thread alone, also by `run`: the clock would not wait
//! for a poll on another thread. By it go the timers of jobs, their deadlines (`run_job` with a timeout,
//! `submit_job_within`) and the grace period of a shutdown. By the system's go the waits of a test's own thread
//! (`wait` and `gather` with a timeout), and the deadlines that C gives.
//!
//! What comes from outside, from a socket or another thread, comes too late where a timer waits for it: the clock jumps
//! to the timer. While a `spawn_blocking` runs it does not. A job that is to be tested so has its peers in the same
//! runner.

use crate::reply::Error;
use crate::runner::{Options, Runner};

/// A runner whose clock is paused. The same as [`Options::paused_clock`].
///
/// # Errors
/// As [`Runner::new`].
pub fn runner() -> Result<Runner, Error> {
    Runner::with_options(Options { paused_clock: true, ..Options::default() })
}
