//! What the calling thread is to a runner: how a wait knows that it would never end, and where no job may be polled.
//!
//! Promise 5: nothing deadlocks on the runner's own thread. What would block asks [`works_for`] first and returns
//! `WOULD_DEADLOCK`. The runner marks its threads and every poll of a job, also the first one, which `run` does on the
//! host's thread: a job meets the same refusals wherever it happens to be polled.
//!
//! Promise 10: the host's process stays as it is. A thread that ends drops its variables, the runtime's among them, and
//! may run code after that: the destructors of a C++ program's static objects. There nothing can be polled, while
//! everything else still works. Nor is anything polled where little is left of the thread's stack.

use std::cell::Cell;

use crate::sys::stack;

/// What is to be left for a first poll on a host's thread; with less the job is polled on the runner's from the start.
///
/// http.get, http.request and http.bytes need most of the jobs that ship: on threads with stacks of growing sizes
/// their first poll came through from 36 KiB on, http.stream's from 32, the others' from the smallest of 16 (x86-64,
/// glibc 2.36, release build, with what a thread's start itself takes; see tests/c/run/small_stacks.c). The rest is for
/// jobs of others. It is also the smallest stack that a runner's own thread may have.
const STACK_NEEDED: usize = 64 << 10;

/// Names a runner for as long as the process lives; 0 is no runner.
pub(crate) type RunnerId = u32;

/// Whom a thread works for: 0 is nobody.
#[derive(Clone, Copy)]
struct Marks {
    /// Whose thread it is. A job of this one may `run` a future of another, whose first poll is then here.
    owner: RunnerId,
    /// Whose job is polled now.
    polling: RunnerId,
}

/// How far a thread's life is known.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Life {
    /// Nobody watches for its end.
    Unwatched,
    /// The runtime's variables are there, and [`END`] is dropped before they are.
    Watched,
    Ending,
}

/// What this thread is to the runner.
pub(crate) enum Standing {
    /// It works for the runner now, and must not wait for it.
    Worker,
    /// A host's: it may poll and wait.
    Host,
    /// It may wait, and poll nothing: it is about to end, or has little stack left.
    Waiter,
}

/// Which of a runner's threads this is. Plain numbers: asked at every poll.
#[derive(Clone, Copy)]
struct Place {
    runner: RunnerId,
    number: u32,
}

thread_local! {
    static PLACE: Cell<Place> = const { Cell::new(Place { runner: 0, number: 0 }) };
    static LIFE: Cell<Life> = const { Cell::new(Life::Unwatched) };
    /// The lowest address of this thread's stack while it is watched; 0 before and after.
    static LOWEST: Cell<usize> = const { Cell::new(0) };
    static END: End = const { End };
}

crate::sync::thread_local! {
    static MARKS: Cell<Marks> = const { Cell::new(Marks { owner: 0, polling: 0 }) };
}

/// Dropped when its thread ends, before every variable that was made before it.
struct End;

impl Drop for End {
    fn drop(&mut self) {
        LIFE.set(Life::Ending);
        LOWEST.set(0);
    }
}

/// What this thread is to the runner.
#[inline]
pub(crate) fn standing(runner: RunnerId) -> Standing {
    if works_for(runner) {
        Standing::Worker
    } else if has_room() || (LIFE.get() == Life::Unwatched && watch()) {
        Standing::Host
    } else {
        Standing::Waiter
    }
}

/// Whether the thread is watched and its stack suffices for a first poll. A stack that is not the thread's own, as of a
/// signal handler or a coroutine, is taken to suffice: nobody knows its size.
#[inline]
fn has_room() -> bool {
    let lowest = LOWEST.get();
    lowest != 0 && stack::here().wrapping_sub(lowest) >= STACK_NEEDED
}

/// Once for each thread. Whether it does not end yet, and has room.
#[cold]
fn watch() -> bool {
    // Asking makes the runtime's variables, so that what is made next is dropped before them.
    let gone = tokio::runtime::Handle::try_current().is_err_and(|error| error.is_thread_local_destroyed());
    if gone || END.try_with(|_| ()).is_err() {
        return false;
    }
    LOWEST.set(stack::lowest());
    LIFE.set(Life::Watched);
    has_room()
}

/// Whether this thread works for the runner now, so that it must not wait for it.
pub(crate) fn works_for(runner: RunnerId) -> bool {
    let marks = MARKS.with(Cell::get);
    marks.owner == runner || marks.polling == runner
}

/// Whether this thread works for any runner now.
pub(crate) fn works_for_any() -> bool {
    MARKS.with(Cell::get).owner != 0
}

/// Which of the runner's threads this is; `None` for a thread that is not one of its own.
#[inline]
pub(crate) fn seat(runner: RunnerId) -> Option<usize> {
    let place = PLACE.get();
    (place.runner == runner).then_some(place.number as usize)
}

/// This thread is one of the runner's, until the seat is dropped.
pub(crate) struct Seat(());

impl Seat {
    /// 0 is the runner's own thread, then come its workers.
    pub(crate) fn take(runner: RunnerId, number: u32) -> Seat {
        PLACE.set(Place { runner, number });
        Seat(())
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        PLACE.set(Place { runner: 0, number: 0 });
    }
}

/// In a forked child: its thread works for nobody.
pub(crate) fn forget() {
    PLACE.set(Place { runner: 0, number: 0 });
    MARKS.with(|marks| marks.set(Marks { owner: 0, polling: 0 }));
}

/// Marks the thread as the runner's until the mark is dropped.
pub(crate) struct Mark {
    before: Marks,
}

impl Mark {
    pub(crate) fn set(runner: RunnerId) -> Mark {
        let before = MARKS.with(Cell::get);
        let owner = if before.owner == 0 { runner } else { before.owner };
        MARKS.with(|marks| marks.set(Marks { owner, polling: runner }));
        Mark { before }
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        MARKS.with(|marks| marks.set(self.before));
    }
}
