//! How a runner ends: the request, which any thread may make at any time, and the notification that it has ended.
//!
//! Promise 8: a shutdown ends everything within its bound. The driver of the runner's own thread brings the end about,
//! and [`thread`](super::thread) completes it; how long a shutdown waits for it is in [`handle`](super::handle).
//!
//! # States
//!
//! ```text
//!   open -- request --> closing -- grace period passed, or nothing in flight --> ending -- threads gone --> finished
//! ```
//!
//! # Guarantees
//!
//! * Closing is never undone; a later request can only shorten the grace period, also that of what is left to do when
//!   the jobs have gone.
//! * Hosts submit while it is open, jobs until the grace period has passed or nothing is in flight. A job that is
//!   accepted is in flight, and the runner's thread does not end while anything is.
//! * Once it is [cancelled](Closing::cancel), every token of the runner is finished: those that existed by the thread
//!   that cancelled, later ones by the thread that makes them. The runner's own thread is not needed for it.
//! * The end is announced exactly once, by the runner's thread as its last act, also when its loop panicked.

#[cfg(all(test, palitra_model))]
mod model;

use std::time::Instant;

use tokio::sync::Notify;

use crate::deadline::{Until, earlier};
use crate::sync::{AtomicBool, AtomicU32, Condvar, Mutex, Ordering, PoisonError, in_one_order, lock};

/// The request to end.
pub(crate) struct Closing {
    /// How often it was made. 0: the runner is open.
    count: AtomicU32,
    grace: Mutex<Until>,
    /// Wakes what is left to do when the jobs have gone: it may have less time now.
    requested: Notify,
    /// Jobs submit nothing any more.
    ending: AtomicBool,
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
            requested: Notify::new(),
            ending: AtomicBool::new(false),
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

    /// Whether the runner is closing and no job has any time left.
    pub(crate) fn grace_has_passed(&self) -> bool {
        self.is_requested() && (self.ending.load(Ordering::SeqCst) || self.grace().has_passed())
    }

    /// The shortest grace period of all requests of hosts.
    pub(crate) fn grace(&self) -> Until {
        *lock(&self.grace)
    }

    /// Refuses new jobs of hosts from now on and lets jobs finish until `grace`, or until the end of an earlier
    /// request's if that comes first.
    pub(crate) fn request(&self, grace: Until) {
        let mut known = lock(&self.grace);
        // A moment, also where it is now: what is left to do when the jobs have gone has its time from then on.
        *known = earlier(known.instant(), grace.instant()).map_or(Until::Forever, Until::At);
        self.count.fetch_add(1, Ordering::SeqCst);
        in_one_order();
        drop(known);
        self.requested.notify_one();
    }

    /// Is ready once a host has requested the end again, also if that was since the last wait. For one task.
    pub(super) async fn requested(&self) {
        self.requested.notified().await;
    }

    /// The runner's own thread is about to end: from now on jobs submit nothing either. The grace period of the hosts
    /// is kept for what is left to do.
    pub(crate) fn end(&self) {
        self.ending.store(true, Ordering::SeqCst);
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

    /// A shutdown stops waiting for the runner's thread.
    pub(crate) fn abandon(&self) {
        self.abandoned.store(true, Ordering::SeqCst);
    }

    pub(crate) fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::SeqCst)
    }
}

/// The notification that a runner has ended: its jobs are dropped, its threads gone but for the last steps of its own.
#[derive(Default)]
pub(crate) struct Finished {
    is_announced: Mutex<bool>,
    changed: Condvar,
}

impl Finished {
    pub(crate) fn announce(&self) {
        *lock(&self.is_announced) = true;
        self.changed.notify_all();
    }

    /// Blocks until the runner has ended, at most until `limit` (`None`: forever). Whether it has.
    pub(crate) fn wait(&self, limit: Option<Instant>) -> bool {
        let mut is_announced = lock(&self.is_announced);
        while !*is_announced {
            is_announced = match limit.map(|limit| limit.saturating_duration_since(Instant::now())) {
                None => self.changed.wait(is_announced).unwrap_or_else(PoisonError::into_inner),
                Some(left) if left.is_zero() => return false,
                Some(left) => self.changed.wait_timeout(is_announced, left).unwrap_or_else(PoisonError::into_inner).0,
            };
        }
        true
    }
}
