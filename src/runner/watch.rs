//! What a runner's threads are doing now, as its watchdog sees it, and when the watchdog sleeps.
//!
//! The runner's own thread and each worker has a desk, on which it writes what it polls. Writing costs two plain
//! stores.
//!
//! # Guarantees
//!
//! * The watchdog sleeps only while every thread is parked, and a thread that wakes up wakes a sleeping watchdog.
//! * While it is awake, a thread pays for it with one fence each time that it wakes up, and never with a system call.
//!
//! # Protocol
//!
//! ```text
//!   thread                            watchdog
//!   parked = false                    sleeping = true
//!   fence                             fence
//!   sleeping? -> false, unpark        every desk parked? -> park; else sleeping = false, look on
//! ```

#[cfg(all(test, palitra_model))]
mod model;

use crate::current::{self, RunnerId};
use crate::sync::{AtomicBool, AtomicU64, AtomicUsize, Ordering, Parker, fence};
use crate::sys::clock;

pub(crate) struct Watch {
    runner: RunnerId,
    /// The first is that of the runner's own thread, then one for each worker.
    desks: Box<[Desk]>,
    sleeping: AtomicBool,
    /// The runner has ended: there is nothing left to watch.
    stopped: AtomicBool,
    /// Blocks the watchdog.
    pub(super) parker: Parker,
}

/// What one thread does. Written by that thread alone.
pub(crate) struct Desk {
    parked: AtomicBool,
    /// Counts what it does, so that the same number twice is the same step.
    step: AtomicUsize,
    /// The job that it polls: its address; [`NOTHING`] between polls, [`A_FUTURE`] for what has no name.
    job: AtomicUsize,
    /// When its last step ended, in nanoseconds of the coarse clock.
    clock: AtomicU64,
}

pub(crate) const NOTHING: usize = 0;
pub(crate) const A_FUTURE: usize = 1;

/// What a thread that is not parked does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Doing {
    pub(super) step: usize,
    pub(super) job: usize,
}

impl Watch {
    pub(crate) fn new(runner: RunnerId, threads: usize) -> Watch {
        let desk = || Desk {
            parked: AtomicBool::new(true),
            step: AtomicUsize::new(0),
            job: AtomicUsize::new(NOTHING),
            clock: AtomicU64::new(0),
        };
        Watch {
            runner,
            desks: (0..threads).map(|_| desk()).collect(),
            sleeping: AtomicBool::new(false),
            stopped: AtomicBool::new(false),
            parker: Parker::default(),
        }
    }

    /// This thread's desk; none for a thread that is not the runner's.
    #[inline]
    pub(crate) fn desk(&self) -> Option<&Desk> {
        self.desks.get(current::seat(self.runner)?)
    }

    /// This thread has something to do.
    pub(crate) fn awake(&self) {
        if let Some(desk) = self.desk() {
            desk.parked.store(false, Ordering::Relaxed);
            self.wake();
        }
    }

    fn wake(&self) {
        fence(Ordering::SeqCst);
        if self.sleeping.load(Ordering::Relaxed) && self.sleeping.swap(false, Ordering::AcqRel) {
            self.parker.unpark();
        }
    }

    /// This thread has nothing to do.
    pub(crate) fn parked(&self) {
        if let Some(desk) = self.desk() {
            desk.parked.store(true, Ordering::Relaxed);
        }
    }

    /// The runner has ended.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
        self.parker.unpark();
    }
}

impl Desk {
    /// This thread is about to poll `job`.
    #[inline]
    pub(crate) fn poll_begins(&self, job: usize) {
        self.job.store(job, Ordering::Relaxed);
        self.advance();
    }

    /// It has polled it. Returns the nanoseconds since this thread's last step.
    #[inline]
    pub(crate) fn poll_ended(&self) -> u64 {
        self.job.store(NOTHING, Ordering::Relaxed);
        self.look_at_clock()
    }

    /// This thread has done something other than to poll a job.
    pub(crate) fn step(&self) {
        self.advance();
        self.look_at_clock();
    }

    /// When its last step ended, as a number that changes with every tick of the coarse clock.
    #[inline]
    pub(crate) fn tick(&self) -> u64 {
        self.clock.load(Ordering::Relaxed)
    }

    /// The nanoseconds since the last look.
    #[inline]
    fn look_at_clock(&self) -> u64 {
        let uptime = clock::now();
        let now = uptime.as_secs() * 1_000_000_000 + u64::from(uptime.subsec_nanos());
        let before = self.clock.load(Ordering::Relaxed);
        self.clock.store(now, Ordering::Relaxed);
        now.saturating_sub(before)
    }

    #[inline]
    fn advance(&self) {
        self.step.store(self.step.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
    }
}

/// The watchdog's side.
impl Watch {
    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }

    pub(super) fn threads(&self) -> usize {
        self.desks.len()
    }

    /// What the thread does, unless it is parked.
    pub(super) fn doing(&self, thread: usize) -> Option<Doing> {
        let desk = self.desks.get(thread)?;
        let doing = Doing { step: desk.step.load(Ordering::Relaxed), job: desk.job.load(Ordering::Relaxed) };
        (!desk.parked.load(Ordering::Relaxed)).then_some(doing)
    }

    pub(super) fn is_idle(&self) -> bool {
        self.desks.iter().all(|desk| desk.parked.load(Ordering::Relaxed))
    }

    /// Blocks while every thread is parked and the runner lives.
    pub(super) fn sleep(&self) {
        // Swaps, here and above, where stores would do: in a model a store is not ordered with the swap of a thread
        // that wakes up late.
        self.sleeping.swap(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        if self.is_idle() && !self.is_stopped() {
            self.parker.park_until(None);
        }
        self.sleeping.swap(false, Ordering::Relaxed);
    }
}
