//! The lane of callbacks that are due, and the gate that each passes on its way to the host.
//!
//! # Guarantees
//!
//! * A callback is called once, on the runner's thread, under no lock; or dropped uncalled, once.
//! * Once [`Callbacks::close`] has returned, no callback begins. One that had begun may still go on: a shutdown that
//!   closes the gate over it says so.
//! * Nothing stays in the lane of a closed gate: what a callback owns is released when it is clear that nobody will
//!   call it, not when a thread comes back that may never do so.
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

use super::lanes::Lane;
use crate::reply::Status;
use crate::sync::{AtomicU32, Ordering, fence};
use crate::token::Call;

/// A callback that is due, with how its token finished.
struct Due {
    call: Call,
    status: Status,
}

#[derive(Default)]
pub(crate) struct Callbacks {
    gate: Gate,
    due: Lane<Due>,
}

impl Callbacks {
    /// Has `call` called on the runner's thread, which the caller wakes. Dropped uncalled once the gate is closed.
    pub(crate) fn add(&self, call: Call, status: Status) {
        self.due.add(Due { call, status });
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
        let Some(Due { call, status }) = self.due.take() else { return false };
        if self.gate.enter() {
            // A callback of Rust's may panic; there is nobody to tell.
            let _ = catch_unwind(AssertUnwindSafe(|| call(status)));
            self.gate.leave();
        }
        true
    }

    /// No callback begins any more; those that are due are dropped.
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

/// Whether callbacks may begin.
#[derive(Default)]
struct Gate {
    state: AtomicU32,
}

impl Gate {
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
