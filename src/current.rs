//! Which runner the calling thread works for: how a call knows that blocking would never end.
//!
//! The runner marks its thread and every poll of a job, also the first one, which `run` does on the host's
//! thread: a job meets the same answer wherever it happens to be polled.

use std::cell::Cell;

/// Names a runner for as long as the process lives; 0 is no runner.
pub(crate) type RunnerId = u32;

thread_local! {
    static CURRENT: Cell<RunnerId> = const { Cell::new(0) };
}

/// The runner that this thread works for now; 0 for a host's thread.
pub(crate) fn current() -> RunnerId {
    CURRENT.get()
}

/// Marks the thread as the runner's until the mark is dropped.
pub(crate) struct Mark {
    before: RunnerId,
}

impl Mark {
    pub(crate) fn set(runner: RunnerId) -> Mark {
        Mark { before: CURRENT.replace(runner) }
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        CURRENT.set(self.before);
    }
}
