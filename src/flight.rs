//! The jobs in flight of one runner: each from its acceptance until it has been dropped, wherever it is polled.
//!
//! One count serves three: a shutdown waits until nothing is in flight (promise 8), the limit refuses a job beyond it
//! (promise 11), and the statistics are read from it.
//!
//! # Guarantees
//!
//! * No count of jobs that were accepted or have ended ever decreases, and no job is counted twice: each accepted job
//!   has ended or is in flight.
//! * A job that ends by itself is counted before its token finishes: whoever has seen its reply finds it in the
//!   figures. One that was cancelled, or is past its deadline, is counted once it has been dropped.
//! * [`Flight::is_empty`] is true only at a moment at which nothing was in flight and every token of an ended job
//!   had sent its notifications.

use std::time::Duration;

use crate::reply::Status;
use crate::stats::Stats;
use crate::sync::{AtomicU64, Ordering, in_one_order, is_planted};

#[derive(Default)]
pub(crate) struct Flight {
    /// The most jobs at a time; 0: any number.
    max: u64,
    /// Jobs that were ever accepted. Hosts write this, the runner's threads nearly all else.
    submitted: OwnLine<AtomicU64>,
    ended: OwnLine<Ended>,
}

/// Alone on its cache lines: a thread that writes it often does not slow down one that reads or writes something else.
#[derive(Default)]
#[repr(align(128))]
struct OwnLine<T>(T);

#[derive(Default)]
struct Ended {
    succeeded: AtomicU64,
    failed: AtomicU64,
    panicked: AtomicU64,
    cancelled: AtomicU64,
    deadline: AtomicU64,
    /// Jobs that have ended and whose tokens are being finished, on other threads than the runner's own.
    finishing: AtomicU64,
    /// In nanoseconds.
    longest_poll: AtomicU64,
}

impl Flight {
    pub(crate) fn new(max: usize) -> Flight {
        Flight { max: max as u64, ..Flight::default() }
    }

    /// Accepts up to `jobs` jobs at once, at least one, and returns how many: as many as the limit allows.
    /// [`Status::Busy`] at the limit. Each accepted job is to be counted by [`Flight::ended`] once.
    #[inline]
    pub(crate) fn admit(&self, jobs: u64) -> Result<u64, Status> {
        if self.max == 0 {
            self.submitted.0.fetch_add(jobs, Ordering::SeqCst);
            // What comes next is the look at whether the runner is closing.
            in_one_order();
            return Ok(jobs);
        }
        // If others are accepted meanwhile, the exchange fails; jobs that end meanwhile make it look fuller than it is.
        let room = |submitted: u64| jobs.min(self.max.saturating_sub(submitted.saturating_sub(self.ended_so_far())));
        let mut submitted = self.submitted.0.load(Ordering::SeqCst);
        loop {
            let admitted = room(submitted);
            if admitted == 0 {
                return Err(Status::Busy);
            }
            let next = submitted + admitted;
            match self.submitted.0.compare_exchange_weak(submitted, next, Ordering::SeqCst, Ordering::SeqCst) {
                Ok(_) => {
                    in_one_order();
                    return Ok(admitted);
                }
                Err(now) => submitted = now,
            }
        }
    }

    /// One job has been dropped.
    pub(crate) fn ended(&self, status: Status) {
        let counter = match status {
            Status::Ok => &self.ended.0.succeeded,
            Status::JobFailed | Status::BadPayload => &self.ended.0.failed,
            Status::JobPanicked => &self.ended.0.panicked,
            Status::Deadline => &self.ended.0.deadline,
            _ if is_planted("lost-count") => return,
            _ => &self.ended.0.cancelled,
        };
        counter.fetch_add(1, Ordering::SeqCst);
        in_one_order();
    }

    /// Comes before [`Flight::ended`] on a thread that is not the runner's own: the token is being finished.
    pub(crate) fn begin_finish(&self) {
        self.ended.0.finishing.fetch_add(1, Ordering::SeqCst);
    }

    /// And has been.
    pub(crate) fn end_finish(&self) {
        self.ended.0.finishing.fetch_sub(1, Ordering::SeqCst);
        in_one_order();
    }

    /// Whether nothing is in flight. It may say no for a moment too long, never yes too early.
    pub(crate) fn is_empty(&self) -> bool {
        in_one_order();
        // In this order: a job that has ended is finishing before it is counted, and was accepted before that.
        let ended = self.ended_so_far();
        let finishing = self.ended.0.finishing.load(Ordering::SeqCst);
        finishing == 0 && self.submitted.0.load(Ordering::SeqCst) == ended
    }

    fn ended_so_far(&self) -> u64 {
        [
            &self.ended.0.succeeded,
            &self.ended.0.failed,
            &self.ended.0.panicked,
            &self.ended.0.cancelled,
            &self.ended.0.deadline,
        ]
        .map(|counter| counter.load(Ordering::SeqCst))
        .iter()
        .sum()
    }

    /// One poll took so long.
    pub(crate) fn polled(&self, nanoseconds: u64) {
        self.ended.0.longest_poll.fetch_max(nanoseconds, Ordering::Relaxed);
    }

    /// The figures of one moment. The caller knows how many jobs are `queued`.
    pub(crate) fn stats(&self, queued: impl FnOnce() -> usize, threads: u32) -> Stats {
        let read = |counter: &AtomicU64| counter.load(Ordering::SeqCst);
        let mut stats = Stats {
            succeeded: read(&self.ended.0.succeeded),
            failed: read(&self.ended.0.failed),
            panicked: read(&self.ended.0.panicked),
            cancelled: read(&self.ended.0.cancelled),
            deadline: read(&self.ended.0.deadline),
            queued: queued() as u64,
            longest_poll: Duration::from_nanos(self.ended.0.longest_poll.load(Ordering::Relaxed)),
            threads,
            ..Stats::default()
        };
        let ended = stats.succeeded + stats.failed + stats.panicked + stats.cancelled + stats.deadline;
        // The accepted last, so that they are no fewer than those that were counted above. Those that took the place of
        // jobs that have ended since then came since then, too: without them no more are in flight than the limit allows.
        let most = if self.max == 0 { u64::MAX } else { ended.saturating_add(self.max) };
        stats.submitted = read(&self.submitted.0).min(most);
        // A job may have ended between the two looks: it is counted as queued no more.
        stats.queued = stats.queued.min(stats.submitted - ended);
        stats.running = stats.submitted - ended - stats.queued;
        stats
    }
}

#[cfg(all(test, not(palitra_model)))]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_never_passed_and_ended_jobs_make_room() {
        let flight = Flight::new(2);
        assert_eq!(flight.admit(1), Ok(1));
        assert_eq!(flight.admit(1), Ok(1));
        assert_eq!(flight.admit(1), Err(Status::Busy));
        flight.ended(Status::JobFailed);
        assert_eq!(flight.admit(1), Ok(1));
        assert_eq!(flight.admit(1), Err(Status::Busy));
    }

    #[test]
    fn many_are_admitted_as_far_as_the_limit_allows() {
        let flight = Flight::new(5);
        assert_eq!(flight.admit(3), Ok(3));
        assert_eq!(flight.admit(3), Ok(2));
        assert_eq!(flight.admit(3), Err(Status::Busy));
        flight.ended(Status::Ok);
        assert_eq!(flight.admit(3), Ok(1));
    }

    #[test]
    fn it_is_empty_when_every_job_has_ended_and_its_token_is_finished() {
        let flight = Flight::new(0);
        assert!(flight.is_empty());
        flight.admit(1).unwrap();
        assert!(!flight.is_empty());
        flight.begin_finish();
        flight.ended(Status::Ok);
        assert!(!flight.is_empty());
        flight.end_finish();
        assert!(flight.is_empty());
    }

    #[test]
    fn no_more_jobs_are_counted_than_the_limit_allows_though_others_come_and_go_meanwhile() {
        let flight = Flight::new(2);
        flight.admit(2).unwrap();
        let stats = flight.stats(
            || {
                flight.ended(Status::Ok);
                flight.admit(1).unwrap() as usize
            },
            1,
        );
        assert_eq!((stats.submitted, stats.queued, stats.running, stats.succeeded), (2, 1, 1, 0));
    }

    #[test]
    fn every_accepted_job_is_queued_running_or_ended() {
        let flight = Flight::new(0);
        for _ in 0..5 {
            flight.admit(1).unwrap();
        }
        flight.ended(Status::Deadline);
        let stats = flight.stats(|| 3, 1);
        assert_eq!((stats.submitted, stats.queued, stats.running, stats.deadline), (5, 3, 1, 1));
    }
}
