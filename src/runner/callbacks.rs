//! Callbacks: those that wait for their token, the lane of those that are due, and the gate in front of the host.
//!
//! # Guarantees
//!
//! * Promise 6: callbacks run once. A callback is called once, on the runner's thread, under no lock; or dropped
//!   uncalled, once. It is not called when the host releases the pending token, or when the runner's thread is gone.
//! * Once [`Callbacks::close`] has returned, no callback is called. One that was called before may still run, if it was
//!   a shutdown past its bound that closed the gate; such a shutdown returns `PENDING`.
//! * Nothing stays in the lane of a closed gate: what a callback owns is released as soon as it is clear that nobody
//!   will call it, and does not wait for a thread that may never come back.
//!
//! # States
//!
//! ```text
//!   open ----> calling ----> open
//!    |            |
//!    +-- close ---+--------> closed (and calling, until that call returns)
//! ```

#[cfg(all(test, palitra_model))]
mod model;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use super::lanes::Lane;
use crate::reply::Status;
use crate::sync::{AtomicU32, Ordering, fence};
use crate::token::Observer;

/// What a host wants to have called on the runner's thread, with how the token finished.
pub(crate) type Callback = Box<dyn FnOnce(Status) + Send>;

/// A callback that waits for its token.
pub(super) struct CallbackObserver<Dispatch> {
    callback: Mutex<Option<Callback>>,
    /// Takes it to the runner's thread; drops it if that is gone.
    dispatch: Dispatch,
}

impl<Dispatch: Fn(Callback, Status)> CallbackObserver<Dispatch> {
    pub(super) fn new(callback: Callback, dispatch: Dispatch) -> Self {
        CallbackObserver { callback: Mutex::new(Some(callback)), dispatch }
    }
}

impl<Dispatch: Fn(Callback, Status) + Send + Sync> Observer for CallbackObserver<Dispatch> {
    fn notify(&self, _tag: u32, status: Status) {
        let callback = self.callback.lock().unwrap_or_else(PoisonError::into_inner).take();
        match callback {
            // The host has released the token: dropped, not called.
            Some(callback) if status == Status::InvalidHandle => drop(callback),
            Some(callback) => (self.dispatch)(callback, status),
            None => {}
        }
    }
}

/// A callback that is due, with how its token finished.
struct Due {
    callback: Callback,
    status: Status,
}

#[derive(Default)]
pub(crate) struct Callbacks {
    gate: CallbackGate,
    due: Lane<Due>,
}

impl Callbacks {
    /// Has `callback` called on the runner's thread, which the caller wakes. Dropped uncalled once the gate is closed.
    pub(crate) fn add(&self, callback: Callback, status: Status) {
        self.due.add(Due { callback, status });
        // Whoever closes the gate empties the lane, unless it was too early to find this in it.
        if self.gate.is_closed() {
            self.discard();
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.due.is_empty()
    }

    /// Calls the next one that is due, on the runner's thread. Whether there was one.
    pub(crate) fn call_next(&self) -> bool {
        let Some(Due { callback, status }) = self.due.take() else { return false };
        if self.gate.enter() {
            // A callback of Rust's may panic; nobody waits for it.
            let _ = catch_unwind(AssertUnwindSafe(|| callback(status)));
            self.gate.leave();
        }
        true
    }

    /// No callback is called any more; those that are due are dropped.
    pub(crate) fn close(&self) {
        self.gate.close();
        self.discard();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.gate.is_closed()
    }

    fn discard(&self) {
        while let Some(due) = self.due.take() {
            // Dropping it calls a finalizer of the host's.
            let _ = catch_unwind(AssertUnwindSafe(|| drop(due)));
        }
    }
}

const OPEN: u32 = 0;
const CALLING: u32 = 1;
const CLOSED: u32 = 2;

/// Whether callbacks may be called.
#[derive(Default)]
struct CallbackGate {
    state: AtomicU32,
}

impl CallbackGate {
    /// One step from open to calling: a close comes before it, or finds a call under way.
    fn enter(&self) -> bool {
        self.state.compare_exchange(OPEN, CALLING, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    fn leave(&self) {
        self.state.fetch_and(!CALLING, Ordering::SeqCst);
    }

    /// Whether a call is under way.
    fn close(&self) -> bool {
        let before = self.state.fetch_or(CLOSED, Ordering::SeqCst);
        // The look into the lane comes next, and of the two that look after their own step one sees the other's.
        fence(Ordering::SeqCst);
        before & CALLING != 0
    }

    fn is_closed(&self) -> bool {
        fence(Ordering::SeqCst);
        self.state.load(Ordering::SeqCst) & CLOSED != 0
    }
}
