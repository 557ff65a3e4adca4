//! Which runner the calling thread works for: how a call knows that blocking would never end.
//!
//! The runner marks its thread and every poll of a job, also the first one, which `run` does on the host's
//! thread: a job meets the same answer wherever it happens to be polled.

use std::cell::Cell;

/// Names a runner for as long as the process lives; 0 is no runner.
pub(crate) type RunnerId = u32;

/// Whom a thread works for: 0 is nobody.
#[derive(Clone, Copy)]
struct Marks {
    /// Whose thread it is. A job of this one may `run` a future of another, whose first poll is then here.
    first: RunnerId,
    /// Whose job is polled now.
    last: RunnerId,
}

thread_local! {
    static MARKS: Cell<Marks> = const { Cell::new(Marks { first: 0, last: 0 }) };
}

/// Whether this thread works for the runner now, so that it must not wait for it.
pub(crate) fn works_for(runner: RunnerId) -> bool {
    let marks = MARKS.get();
    marks.first == runner || marks.last == runner
}

/// Whether this thread works for any runner now.
pub(crate) fn works_for_any() -> bool {
    MARKS.get().first != 0
}

/// In a forked child: its thread works for nobody.
pub(crate) fn forget() {
    MARKS.set(Marks { first: 0, last: 0 });
}

/// Marks the thread as the runner's until the mark is dropped.
pub(crate) struct Mark {
    before: Marks,
}

impl Mark {
    pub(crate) fn set(runner: RunnerId) -> Mark {
        let before = MARKS.get();
        let first = if before.first == 0 { runner } else { before.first };
        MARKS.set(Marks { first, last: runner });
        Mark { before }
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        MARKS.set(self.before);
    }
}
