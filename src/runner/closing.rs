//! How a runner ends: the request, which any thread may make at any time, and the news that it is done.
//!
//! # States
//!
//! ```text
//!   open ---- request ----> closing ---- grace over, or nothing in flight ----> over ---- threads gone ----> finished
//! ```
//!
//! # Guarantees
//!
//! * Closing is never undone; a later request can only shorten the grace.
//! * Hosts submit while it is open, jobs until it is over. Whoever is accepted is in flight, and the runner's thread
//!   does not end while anything is.
//! * Once it is [cancelled](Closing::cancel), every token of the runner is finished: those that existed by the one who
//!   cancelled, later ones by the one who made them. It does not take the runner's thread.
//! * Finished is announced exactly once, by the runner's thread as its last act, also when its loop panicked.

#[cfg(all(test, palitra_model))]
mod model;

use std::time::Instant;

use crate::deadline::Until;
use crate::sync::{AtomicBool, AtomicU32, Condvar, Mutex, Ordering, PoisonError, in_one_order, lock};

/// The request to end.
pub(crate) struct Closing {
    /// How often it was made. 0: the runner is open.
    count: AtomicU32,
    grace: Mutex<Until>,
    /// Whoever makes a token from now on finishes it.
    cancelled: AtomicBool,
    /// A shutdown has returned without the runner's end.
    abandoned: AtomicBool,
}

impl Closing {
    pub(crate) fn new() -> Closing {
        Closing {
            count: AtomicU32::new(0),
            grace: Mutex::new(Until::Forever),
            cancelled: AtomicBool::new(false),
            abandoned: AtomicBool::new(false),
        }
    }

    /// How often it was requested.
    pub(crate) fn count(&self) -> u32 {
        self.count.load(Ordering::SeqCst)
    }

    pub(crate) fn is_requested(&self) -> bool {
        self.count() > 0
    }

    /// Whether no job has any time left.
    pub(crate) fn is_over(&self) -> bool {
        self.is_requested() && self.grace().has_passed()
    }

    /// The shortest grace of all requests.
    pub(crate) fn grace(&self) -> Until {
        *lock(&self.grace)
    }

    /// Refuses new work of hosts from now on and lets jobs finish until `grace`, or until an earlier request's.
    pub(crate) fn request(&self, grace: Until) {
        let mut known = lock(&self.grace);
        *known = match (*known, grace) {
            (Until::Forever, other) | (other, Until::Forever) => other,
            (Until::At(a), Until::At(b)) => Until::At(a.min(b)),
            _ => Until::Now,
        };
        self.count.fetch_add(1, Ordering::SeqCst);
        in_one_order();
    }

    /// Before all tokens of the runner are finished: from now on whoever makes one finishes it.
    pub(crate) fn cancel(&self) {
        self.cancelled.store(true, Ordering::SeqCst);
    }

    /// After a token was made: whether it is to be finished by its maker.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::SeqCst)
    }

    /// A shutdown gives up on the runner's thread.
    pub(crate) fn abandon(&self) {
        self.abandoned.store(true, Ordering::SeqCst);
    }

    pub(crate) fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::SeqCst)
    }
}

/// The news that a runner is done: its jobs are dropped, its threads gone but for the last steps of its own.
#[derive(Default)]
pub(crate) struct Finished {
    is_announced: Mutex<bool>,
    news: Condvar,
}

impl Finished {
    pub(crate) fn announce(&self) {
        *lock(&self.is_announced) = true;
        self.news.notify_all();
    }

    /// Blocks until the news or `limit` (`None`: forever). Whether the news has come.
    pub(crate) fn wait(&self, limit: Option<Instant>) -> bool {
        let mut is_announced = lock(&self.is_announced);
        while !*is_announced {
            is_announced = match limit.map(|limit| limit.saturating_duration_since(Instant::now())) {
                None => self.news.wait(is_announced).unwrap_or_else(PoisonError::into_inner),
                Some(left) if left.is_zero() => return false,
                Some(left) => self.news.wait_timeout(is_announced, left).unwrap_or_else(PoisonError::into_inner).0,
            };
        }
        true
    }
}
