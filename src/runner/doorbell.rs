//! How a submitter wakes a sleeping driver, and only a sleeping one.
//!
//! # Guarantees
//!
//! * No lost wake-up: work that was queued before [`Doorbell::ring`] is either seen by the driver before it
//!   sleeps or wakes it.
//! * No idle system call: ringing an awake driver costs a fence and a load.
//!
//! # Protocol
//!
//! ```text
//!   submitter                         driver
//!   queue the work                    asleep = true
//!   fence                             fence
//!   asleep? -> asleep = false, wake   is there work? -> asleep = false, take it; else sleep
//! ```
//!
//! With the two fences at least one side sees what the other did before its own (Dekker's argument).

#[cfg(all(test, palitra_model))]
mod model;

use std::task::Waker;

use crate::sync::{AtomicBool, Mutex, Ordering, Place, fence, is_planted, lock};
use crate::sys::processors;

#[derive(Default)]
pub(crate) struct Doorbell {
    asleep: AtomicBool,
    sleeper: Mutex<Sleeper>,
}

#[derive(Default)]
struct Sleeper {
    waker: Option<Waker>,
    /// Where the driver ran when it fell asleep.
    place: Place,
    /// Where the thread ran that rang last.
    rung_from: Place,
}

impl Doorbell {
    /// Wakes the driver if it sleeps, after the work has been queued. Whether it slept.
    pub(crate) fn ring(&self) -> bool {
        fence(Ordering::SeqCst);
        if !self.asleep.load(Ordering::Relaxed) || !self.asleep.swap(false, Ordering::AcqRel) {
            return false;
        }
        // Cloned, so that no lock is held while the runtime is called.
        let waker = {
            let mut sleeper = lock(&self.sleeper);
            sleeper.rung_from = processors::this();
            sleeper.waker.clone()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
        true
    }

    /// The same, but lets a driver sleep on that fell asleep on this processor: it would only take it from the caller,
    /// who has more work to queue.
    pub(crate) fn ring_elsewhere(&self) -> bool {
        let is_elsewhere = || lock(&self.sleeper).place != processors::this();
        self.asleep.load(Ordering::Relaxed) && is_elsewhere() && self.ring()
    }

    /// The driver is about to sleep: whether it may. Afterwards a ring wakes `waker`.
    pub(crate) fn may_sleep(&self, waker: &Waker, has_work: impl FnOnce() -> bool) -> bool {
        {
            let mut sleeper = lock(&self.sleeper);
            (sleeper.place, sleeper.rung_from) = (processors::this(), None);
            if !sleeper.waker.as_ref().is_some_and(|known| known.will_wake(waker)) {
                sleeper.waker = Some(waker.clone());
            }
        }
        // Swaps, here and below, where stores would do: in a model a store is not ordered with the swap of a ring
        // that comes late.
        self.asleep.swap(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        if has_work() && !is_planted("dropped-wake-up") {
            self.awake();
            return false;
        }
        true
    }

    /// Where the thread ran that rang, since the driver slept.
    pub(crate) fn rung_from(&self) -> Place {
        lock(&self.sleeper).rung_from
    }

    /// The driver is awake, for whatever reason.
    pub(crate) fn awake(&self) {
        // Mostly a ring has said so before.
        if self.asleep.load(Ordering::Relaxed) {
            self.asleep.swap(false, Ordering::Relaxed);
        }
    }
}
