//! The gate that every callback passes on its way to the host: open until a shutdown has returned.
//!
//! A shutdown that succeeds has joined the thread that calls. One that gave up on a job which never yields has
//! not, and closes the gate instead, so that the thread calls nobody when it comes back.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::reply::Status;
use crate::token::Call;

#[derive(Default)]
pub(crate) struct Calls {
    closed: AtomicBool,
}

impl Calls {
    /// Calls, on the runner's thread and under no lock; or drops the call if the gate is closed.
    pub(crate) fn make(&self, call: Call, status: Status) {
        if self.closed.load(Ordering::Acquire) {
            return;
        }
        // A callback of Rust's may panic; it has nobody to tell.
        let _ = catch_unwind(AssertUnwindSafe(|| call(status)));
    }

    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }
}
