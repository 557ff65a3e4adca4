//! The readiness of a queue as a file descriptor: an eventfd, or a pipe where there is none.
//!
//! The descriptor is made for the first who asks for it. A host that never does pays for none.
//!
//! # Guarantees
//!
//! * Readable exactly while events wait, apart from the moment in which somebody is between a count and the system
//!   call that follows it: no lost wake-up, and none for nothing.
//! * A queue that is filled or closed puts a mark in, also where one is already: an edge-triggered loop is notified.
//! * No system call before somebody asks for the descriptor, and then only when the queue becomes filled or empty, not
//!   for every event.
//! * Nobody waits for anybody: who takes does not wait for a producer that has been preempted.
//!
//! # Protocol
//!
//! `waiting` counts the events that were added and not taken. It may be negative for a moment: an event can be
//! taken before its producer has counted it. Each step from 0 to 1 or from above 0 to 0 or below is a turn, and the
//! descriptor is to follow it:
//!
//! ```text
//!   turns + 1;  was it 0?  no: whoever is at it sees this turn too
//!                          yes: look at `waiting`, put or take marks, turns -> 0 if no turn came meanwhile, else again
//! ```
//!
//! So one thread at a time follows, and it stops only when it has seen every turn; a turn comes after the count that it
//! is about. Who asks for the descriptor adds a turn too: it follows what was counted before it was made. A consumer that comes meanwhile empties the descriptor itself, so that its event loop does not wake for
//! nothing while the other thread is preempted, and adds one more turn.

#[cfg(all(test, palitra_model))]
mod model;

use std::io::Result;
use std::os::fd::RawFd;

use crate::sync::{AtomicBool, AtomicIsize, AtomicU32, OnceLock, Ordering};
use crate::sys::eventfd::EventFd;

/// What marks are put into. One thread at a time calls `put` and `take`.
pub(super) trait Marks {
    /// Adds a mark, which wakes whoever waits for the descriptor.
    fn put(&self);
    /// Takes out all that were put in: so many.
    fn take(&self, marks: u32);
    /// Takes out what is in, where that can be done beside whoever has the turn. Called by anyone at any time.
    fn clear(&self);
}

impl Marks for EventFd {
    fn put(&self) {
        EventFd::put(self);
    }

    fn take(&self, marks: u32) {
        EventFd::take(self, marks);
    }

    fn clear(&self) {
        // Where marks are counted, who has the turn takes them out.
        if EventFd::ADDS_UP {
            EventFd::take(self, 1);
        }
    }
}

pub(super) struct Readiness<M = EventFd> {
    waiting: AtomicIsize,
    closed: AtomicBool,
    turns: AtomicU32,
    /// How many marks are in the descriptor. Only for who has the turn.
    marks_in: AtomicU32,
    /// Made for the first who asks.
    marks: OnceLock<M>,
}

impl Readiness {
    /// The descriptor, which is the same every time. Fails if the system refuses it; the next call tries again.
    pub(super) fn fd(&self) -> Result<RawFd> {
        match self.marks.get() {
            Some(marks) => Ok(marks.fd()),
            None => EventFd::new().map(|marks| self.follow_with(marks).fd()),
        }
    }
}

impl<M: Marks> Readiness<M> {
    pub(super) fn new() -> Readiness<M> {
        Readiness {
            waiting: AtomicIsize::new(0),
            closed: AtomicBool::new(false),
            turns: AtomicU32::new(0),
            marks_in: AtomicU32::new(0),
            marks: OnceLock::new(),
        }
    }

    /// From here on these marks, or those of who came first, follow what is counted.
    fn follow_with(&self, marks: M) -> &M {
        let marks = self.marks.get_or_init(|| marks);
        self.turn();
        marks
    }

    /// After one event was added.
    pub(super) fn added_one(&self) {
        if self.waiting.fetch_add(1, Ordering::AcqRel) == 0 {
            self.turn();
        }
    }

    /// After so many events were taken.
    pub(super) fn took(&self, events: usize) {
        let events = events as isize;
        let before = self.waiting.fetch_sub(events, Ordering::AcqRel);
        if before > 0 && before <= events && !self.turn() {
            self.clear();
        }
    }

    /// After a look that found no event: a mark that somebody has yet to take out would bring the same look again.
    pub(super) fn found_nothing(&self) {
        if self.turns.load(Ordering::Acquire) > 0 {
            self.clear();
        }
    }

    /// Takes marks out although somebody else has the turn, who may have been preempted. The turn that follows sees to
    /// it that none is missing.
    fn clear(&self) {
        if let Some(marks) = self.marks.get() {
            marks.clear();
            self.turn();
        }
    }

    /// Readable forever, so that an event loop comes and learns of the end.
    pub(super) fn closed(&self) {
        self.closed.store(true, Ordering::Release);
        self.turn();
    }

    /// Has the descriptor follow what was counted. Whether it was this thread's to do.
    fn turn(&self) -> bool {
        let mut seen = 1;
        if self.turns.fetch_add(1, Ordering::AcqRel) > 0 {
            return false;
        }
        loop {
            self.follow();
            match self.turns.compare_exchange(seen, 0, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return true,
                Err(more) => seen = more,
            }
        }
    }

    fn follow(&self) {
        let Some(marks) = self.marks.get() else { return };
        let marks_in = self.marks_in.load(Ordering::Relaxed);
        if self.waiting.load(Ordering::Acquire) > 0 || self.closed.load(Ordering::Acquire) {
            // Also where marks are in already: the queue may have been empty meanwhile.
            marks.put();
            self.marks_in.store(marks_in + 1, Ordering::Relaxed);
        } else if marks_in > 0 {
            marks.take(marks_in);
            self.marks_in.store(0, Ordering::Relaxed);
        }
    }
}

#[cfg(all(test, not(palitra_model)))]
mod tests {
    use super::*;

    fn with_descriptor() -> Readiness {
        let readiness = Readiness::new();
        readiness.fd().unwrap();
        readiness
    }

    fn is_readable(readiness: &Readiness) -> bool {
        readiness.marks.get().unwrap().is_readable()
    }

    #[test]
    fn a_descriptor_that_is_asked_for_late_is_readable_if_events_wait() {
        let (full, emptied) = (Readiness::new(), Readiness::new());
        full.added_one();
        emptied.added_one();
        emptied.took(1);
        assert!(full.marks.get().is_none(), "made for nobody");
        assert_eq!(full.fd().unwrap(), full.fd().unwrap());
        emptied.fd().unwrap();
        assert!(is_readable(&full));
        assert!(!is_readable(&emptied));
    }

    #[test]
    fn readable_exactly_while_events_wait() {
        let readiness = with_descriptor();
        assert!(!is_readable(&readiness));
        readiness.added_one();
        readiness.added_one();
        assert!(is_readable(&readiness));
        readiness.took(1);
        assert!(is_readable(&readiness));
        readiness.took(1);
        assert!(!is_readable(&readiness));
    }

    #[test]
    fn an_event_may_be_taken_before_it_is_counted() {
        let readiness = with_descriptor();
        readiness.took(1);
        readiness.added_one();
        assert!(!is_readable(&readiness));
        readiness.added_one();
        assert!(is_readable(&readiness));
    }

    #[test]
    fn who_takes_does_not_wait_for_a_producer_that_was_preempted() {
        let readiness = with_descriptor();
        // A producer that has counted its event and is yet to take its turn.
        readiness.waiting.fetch_add(1, Ordering::AcqRel);
        let began = std::time::Instant::now();
        readiness.took(1);
        assert!(began.elapsed() < std::time::Duration::from_millis(50), "{:?}", began.elapsed());
        readiness.turn();
        assert!(!is_readable(&readiness), "readable for nothing");
    }

    #[test]
    fn readable_forever_after_the_close() {
        let readiness = with_descriptor();
        readiness.added_one();
        readiness.closed();
        readiness.took(1);
        assert!(is_readable(&readiness));
    }
}
