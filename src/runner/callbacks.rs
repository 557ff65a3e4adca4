//! Callbacks: those that wait for their token, the lane of those that are due, and the gate in front of the host.
//!
//! # Guarantees
//!
//! * Promise 6: callbacks run once. A callback is called once, on the runner's thread, under no lock; or dropped
//!   uncalled, once. It is not called when the host releases the pending token, or when the runner's thread is gone.
//! * A callback that is [due in any case](When::AnyCase) is called exactly once. While a job blocks the runner's thread,
//!   the watchdog calls it; where the gate is closed, whoever finds it there. So somebody who waits for it is never
//!   left waiting.
//! * No callback is called while another runs, but by a shutdown past its bound.
//! * Once [`Callbacks::close`] has returned, no other callback is called. One that was called before may still run, if
//!   it was a shutdown past its bound that closed the gate; such a shutdown returns `PENDING`.
//! * Nothing stays in a lane of a closed gate: what a callback owns is released as soon as it is clear that nobody
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

use std::sync::{Mutex, PoisonError};

use super::lanes::Lane;
use crate::panics::contain;
use crate::reply::Status;
use crate::sync::{AtomicU32, Ordering, fence, is_planted};
use crate::token::Observer;

/// What a host wants to have called on the runner's thread, with how the token finished.
pub(crate) type Callback = Box<dyn FnOnce(Status) + Send>;

/// When a callback is called.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// While the runner's thread calls back and the host has not released the pending token.
    Alive,
    /// In any case: also once the token was released, and by another thread where the runner's own cannot.
    AnyCase,
}

/// A callback that waits for its token.
pub(super) struct CallbackObserver<Dispatch> {
    when: When,
    callback: Mutex<Option<Callback>>,
    /// Takes it to the runner's thread; drops it if that is gone.
    dispatch: Dispatch,
}

impl<Dispatch: Fn(Callback, Status)> CallbackObserver<Dispatch> {
    pub(super) fn new(when: When, callback: Callback, dispatch: Dispatch) -> Self {
        CallbackObserver { when, callback: Mutex::new(Some(callback)), dispatch }
    }
}

impl<Dispatch: Fn(Callback, Status) + Send + Sync> Observer for CallbackObserver<Dispatch> {
    fn notify(&self, _tag: u32, status: Status) {
        let callback = self.callback.lock().unwrap_or_else(PoisonError::into_inner).take();
        match callback {
            // The host has released the token: dropped, not called.
            Some(callback) if status == Status::InvalidHandle && self.when == When::Alive => drop(callback),
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

impl Due {
    fn call(self) {
        // A callback of Rust's may panic; nobody waits for it.
        contain(|| (self.callback)(self.status));
    }
}

#[derive(Default)]
pub(crate) struct Callbacks {
    gate: CallbackGate,
    due: Lane<Due>,
    due_in_any_case: Lane<Due>,
}

impl Callbacks {
    /// Has `callback` called on the runner's thread, which the caller wakes. Once the gate is closed it is dropped
    /// uncalled, or called here if it is due in any case.
    pub(crate) fn add(&self, when: When, callback: Callback, status: Status) {
        let due = Due { callback, status };
        match when {
            When::Alive => self.due.add(due),
            When::AnyCase => self.due_in_any_case.add(due),
        }
        // Whoever closes the gate empties the lanes, unless it was too early to find this in them.
        if self.gate.is_closed() && !is_planted("forgotten-callback") {
            self.clear();
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.due.is_empty() && self.due_in_any_case.is_empty()
    }

    /// Calls the next one that is due, on the runner's thread. Whether there was one, and nobody else was calling.
    pub(crate) fn call_next(&self) -> bool {
        !self.is_empty() && self.call(|| self.due_in_any_case.take().or_else(|| self.due.take()))
    }

    /// Calls those that are due in any case, on the watchdog's thread.
    pub(crate) fn call_for_blocked_thread(&self) {
        while !self.due_in_any_case.is_empty() && self.call(|| self.due_in_any_case.take()) {}
    }

    /// Calls what `next` takes, inside the gate.
    fn call(&self, next: impl FnOnce() -> Option<Due>) -> bool {
        if !self.gate.enter() {
            return false;
        }
        let due = next();
        let was_due = due.is_some();
        if let Some(due) = due {
            due.call();
        }
        self.gate.leave();
        was_due
    }

    /// No callback is called any more: those that are due are dropped. Those that are due in any case are called here.
    pub(crate) fn close(&self) {
        self.gate.close();
        self.clear();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.gate.is_closed()
    }

    fn clear(&self) {
        while let Some(due) = self.due.take() {
            // Dropping it calls a finalizer of the host's.
            contain(|| drop(due));
        }
        while let Some(due) = self.due_in_any_case.take() {
            due.call();
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
