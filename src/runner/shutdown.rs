//! How a runner ends: the request, which any thread may make at any time, and the news that it is done.
//!
//! # States
//!
//! ```text
//!   open ---- close ----> closing ---- jobs done or grace over, threads gone ----> finished
//! ```
//!
//! # Guarantees
//!
//! * Closing is never undone; a later request can only shorten the grace.
//! * Finished is announced exactly once, by the runner's thread as its last act, also when the loop panicked.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Instant;

use crate::token::Until;

/// The request to end.
pub(crate) struct Closing {
    /// How often it was made. 0: the runner is open.
    count: AtomicU32,
    grace: Mutex<Until>,
    /// The runner's thread is dropping its jobs.
    under_way: AtomicBool,
}

impl Closing {
    pub(crate) fn new() -> Closing {
        Closing { count: AtomicU32::new(0), grace: Mutex::new(Until::Forever), under_way: AtomicBool::new(false) }
    }

    /// The runner's thread has begun to drop its jobs.
    pub(crate) fn begin(&self) {
        self.under_way.store(true, Ordering::Release);
    }

    pub(crate) fn is_under_way(&self) -> bool {
        self.under_way.load(Ordering::Acquire)
    }

    /// Whether no job has any time left.
    pub(crate) fn is_over(&self) -> bool {
        let (count, grace) = self.get();
        count > 0 && grace.has_passed()
    }

    pub(crate) fn count(&self) -> u32 {
        self.count.load(Ordering::Acquire)
    }

    /// Refuses new work from now on and lets jobs finish until `grace`, or until an earlier request's.
    pub(crate) fn request(&self, grace: Until) {
        let mut known = self.grace.lock().unwrap_or_else(PoisonError::into_inner);
        *known = match (*known, grace) {
            (Until::Forever, other) | (other, Until::Forever) => other,
            (Until::At(a), Until::At(b)) => Until::At(a.min(b)),
            _ => Until::Now,
        };
        self.count.fetch_add(1, Ordering::Release);
    }

    /// How often it was requested, and the shortest grace.
    pub(crate) fn get(&self) -> (u32, Until) {
        let grace = self.grace.lock().unwrap_or_else(PoisonError::into_inner);
        (self.count(), *grace)
    }
}

/// How the runner's threads ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All are gone.
    Clean,
    /// A blocking task of a job would not end; its thread was left behind.
    LeftBehind,
}

/// The news that a runner is done.
#[derive(Default)]
pub(crate) struct Finished {
    outcome: Mutex<Option<Outcome>>,
    news: Condvar,
}

impl Finished {
    pub(crate) fn announce(&self, outcome: Outcome) {
        *self.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
        self.news.notify_all();
    }

    pub(crate) fn is_announced(&self) -> bool {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Blocks until the news or `limit` (`None`: for ever).
    pub(crate) fn wait(&self, limit: Option<Instant>) -> Option<Outcome> {
        let mut outcome = self.outcome.lock().unwrap_or_else(PoisonError::into_inner);
        while outcome.is_none() {
            outcome = match limit.map(|limit| limit.saturating_duration_since(Instant::now())) {
                None => self.news.wait(outcome).unwrap_or_else(PoisonError::into_inner),
                Some(left) if left.is_zero() => return None,
                Some(left) => self.news.wait_timeout(outcome, left).unwrap_or_else(PoisonError::into_inner).0,
            };
        }
        *outcome
    }
}
