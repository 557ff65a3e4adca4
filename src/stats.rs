//! What a runner counts: how its jobs ended, and how long the longest poll held its thread.
//!
//! Counted where a job ends, before its token finishes: whoever has seen a reply finds it in the figures.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use crate::reply::Status;

/// A snapshot of a runner. The figures are taken one after the other while the runner goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Jobs and futures that the runner ever took: those that ended, run and wait.
    pub submitted: u64,
    /// Begun and not ended.
    pub running: u64,
    /// Not begun yet.
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
    /// The longest time that one poll of a job held a thread of the runner, to a few milliseconds.
    pub longest_poll: Duration,
    /// The runner's own thread and its workers.
    pub threads: u32,
}

#[derive(Default)]
pub(crate) struct Counters {
    succeeded: AtomicU64,
    failed: AtomicU64,
    panicked: AtomicU64,
    cancelled: AtomicU64,
    deadline: AtomicU64,
    longest_poll: AtomicU64,
    /// Written by the runner's thread.
    pub(crate) running: AtomicUsize,
}

impl Counters {
    /// One job ended.
    pub(crate) fn ended(&self, status: Status) {
        let counter = match status {
            Status::Ok => &self.succeeded,
            Status::JobFailed | Status::BadPayload => &self.failed,
            Status::JobPanicked => &self.panicked,
            Status::Deadline => &self.deadline,
            _ => &self.cancelled,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// One poll held its thread for so long.
    pub(crate) fn polled(&self, time: Duration) {
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.longest_poll.fetch_max(nanoseconds, Ordering::Relaxed);
    }

    pub(crate) fn snapshot(&self, queued: usize, threads: u32) -> Stats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let mut stats = Stats {
            running: self.running.load(Ordering::Relaxed) as u64,
            queued: queued as u64,
            succeeded: read(&self.succeeded),
            failed: read(&self.failed),
            panicked: read(&self.panicked),
            cancelled: read(&self.cancelled),
            deadline: read(&self.deadline),
            longest_poll: Duration::from_nanos(read(&self.longest_poll)),
            threads,
            submitted: 0,
        };
        let ended = stats.succeeded + stats.failed + stats.panicked + stats.cancelled + stats.deadline;
        stats.submitted = ended + stats.running + stats.queued;
        stats
    }
}
