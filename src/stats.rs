//! How a runner is doing, as its host reads it.

use std::time::Duration;

/// A snapshot of a runner: each job that was submitted is queued, running or has ended. No figure but `queued` and
/// `running` ever decreases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Jobs and futures that the runner ever accepted.
    pub submitted: u64,
    /// Started and not ended.
    pub running: u64,
    /// Not started yet.
    pub queued: u64,
    /// Ended with success.
    pub succeeded: u64,
    /// Ended with an error of their own, or refused their payload.
    pub failed: u64,
    /// Ended by a panic.
    pub panicked: u64,
    /// Dropped after they were cancelled.
    pub cancelled: u64,
    /// Dropped after their deadline.
    pub deadline: u64,
    /// The longest time that one poll of a job took a thread of the runner, to a few milliseconds.
    pub longest_poll: Duration,
    /// The threads that run jobs: the runner's own and its workers.
    pub threads: u32,
}
