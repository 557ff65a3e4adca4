//! The atomics, cells, locks and waits of the state machines: the arena and the table of handles, the token, the
//! runner's wake-ups, counts and end, the channel, the queue's readiness.
//!
//! Their rooms take them from here and from nowhere else, so that two other builds, of the package tests/models, run the
//! same code:
//!
//! * with the cfg `palitra_model` under loom, which tries every order in which two or three threads can meet: the rooms
//!   named `model`;
//! * with the cfg `palitra_simulation` under shuttle, which plays a whole runner and its hosts in orders that a seed
//!   chooses: `src/runner/simulation.rs`.
//!
//! # Guarantees
//!
//! * [`lock`] never panics. It takes over a poisoned lock: the room of that lock keeps the state behind it whole, and
//!   calls nothing of a host's while it holds it.
//! * [`Parker::park_until`] may return early; whoever parks looks at its own condition again.

#[cfg(not(palitra_model))]
mod cell;
#[cfg(all(test, palitra_model))]
pub(crate) mod model;
#[cfg(any(palitra_model, palitra_simulation))]
mod once_lock;

#[cfg(not(palitra_model))]
pub(crate) use cell::UnsafeCell;
#[cfg(not(any(palitra_model, palitra_simulation)))]
pub(crate) use std::sync::{
    Condvar, Mutex, MutexGuard, OnceLock,
    atomic::{AtomicBool, AtomicIsize, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence},
};

#[cfg(palitra_model)]
pub(crate) use loom::cell::UnsafeCell;
#[cfg(palitra_model)]
pub(crate) use loom::sync::{
    Condvar, Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicIsize, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence},
};

#[cfg(palitra_simulation)]
pub(crate) use shuttle::sync::{
    Condvar, Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicIsize, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence},
};

#[cfg(any(palitra_model, palitra_simulation))]
pub(crate) use once_lock::OnceLock;

/// Variables of a thread, which is a coroutine in a simulation.
#[cfg(palitra_simulation)]
pub(crate) use shuttle::thread_local;
#[cfg(not(palitra_simulation))]
pub(crate) use std::thread_local;

pub(crate) use std::sync::PoisonError;
use std::time::Instant;

/// Declares a static that holds atomics of this room. Those of a model cannot be constants: it makes the static at its
/// first use. A simulation makes it anew for each schedule.
macro_rules! shared_static {
    ($(#[$attribute:meta])* static $name:ident: $type:ty = $new:expr;) => {
        $(#[$attribute])*
        #[cfg(not(any(palitra_model, palitra_simulation)))]
        static $name: $type = $new;
        $(#[$attribute])*
        #[cfg(palitra_model)]
        static $name: std::sync::LazyLock<$type> = std::sync::LazyLock::new(|| $new);
        #[cfg(palitra_simulation)]
        shuttle::lazy_static! {
            $(#[$attribute])*
            static ref $name: $type = $new;
        }
    };
}
pub(crate) use shared_static;

/// Between an access to one place and the next to another, all of them `SeqCst`: every thread sees them in one order.
///
/// The hardware keeps that order by itself. loom takes such accesses for acquire and release, and knows the order of
/// fences.
#[inline]
pub(crate) fn in_one_order() {
    #[cfg(palitra_model)]
    fence(Ordering::SeqCst);
}

/// Whether this error is planted, to see that it is found: tests/proof/planted.sh. Only in a simulation.
#[inline(always)]
pub(crate) fn is_planted(error: &str) -> bool {
    cfg!(palitra_simulation) && std::env::var("PALITRA_PLANTED").is_ok_and(|planted| planted == error)
}

/// Takes the lock, also when a thread panicked while it held it.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Blocks one thread until another one notifies it.
///
/// States: `EMPTY` (nobody waits, no notification), `PARKED` (the owner sleeps or is about to), `NOTIFIED` (a
/// notification that the owner has not seen yet).
/// A notification is never lost: it ends the park that is under way, or the next one.
#[derive(Default)]
pub(crate) struct Parker {
    state: AtomicU32,
    /// Where the thread ran that ended the last sleep.
    lock: Mutex<Place>,
    wake: Condvar,
}

/// The number of a processor; none where it is not known.
pub(crate) type Place = Option<u32>;

const EMPTY: u32 = 0;
const PARKED: u32 = 1;
const NOTIFIED: u32 = 2;

impl Parker {
    /// Blocks until [`unpark`](Self::unpark) or `until` (`None`: forever). Only the owner calls this.
    pub(crate) fn park_until(&self, until: Option<Instant>) {
        self.sleep_until(until);
    }

    /// The same. Where the thread ran that woke the owner, if it slept.
    pub(crate) fn sleep_until(&self, until: Option<Instant>) -> Place {
        if self.take_notification() {
            return None;
        }
        let mut guard = lock(&self.lock);
        *guard = None;
        // Under the lock, so that an unpark between this exchange and the wait below must wait for the lock,
        // and its notify cannot come before the wait.
        if self.state.compare_exchange(EMPTY, PARKED, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
            guard = self.wait(guard, until);
        }
        let place = *guard;
        drop(guard);
        // A swap, not a store: another unpark may have come since this one was seen, and no later park returns for
        // it. Only by reading what it wrote is all that its thread did before visible here.
        self.state.swap(EMPTY, Ordering::SeqCst);
        place
    }

    fn wait<'a>(&'a self, mut guard: MutexGuard<'a, Place>, until: Option<Instant>) -> MutexGuard<'a, Place> {
        while self.state.load(Ordering::SeqCst) != NOTIFIED {
            guard = match until {
                None => self.wake.wait(guard).unwrap_or_else(PoisonError::into_inner),
                Some(until) => {
                    let left = until.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return guard;
                    }
                    self.wake.wait_timeout(guard, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        guard
    }

    /// Wakes the owner, or lets its next park return at once. From any thread; a system call only if it sleeps.
    pub(crate) fn unpark(&self) {
        self.unpark_from(|| None);
    }

    /// The same, by a thread that says where it runs.
    pub(crate) fn unpark_from(&self, place: impl FnOnce() -> Place) {
        if self.state.swap(NOTIFIED, Ordering::SeqCst) == PARKED {
            *lock(&self.lock) = place();
            self.wake.notify_one();
        }
    }

    /// Whether the next park returns at once.
    pub(crate) fn is_notified(&self) -> bool {
        self.state.load(Ordering::Relaxed) == NOTIFIED
    }

    fn take_notification(&self) -> bool {
        self.state.compare_exchange(NOTIFIED, EMPTY, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }
}
