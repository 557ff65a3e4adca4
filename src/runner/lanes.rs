//! The lanes on which work reaches a runner's drivers, and who is woken for it.
//!
//! Jobs that were woken and jobs that are yet to start wait in lanes of their own, so that neither waits behind the
//! other; callbacks have a third (see [`super::callbacks`]). Every driver that runs jobs takes from both of theirs: a
//! job never waits for one certain thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_task::Runnable;
use crossbeam_queue::SegQueue;

use super::doorbell::Doorbell;
use crate::job::Job;
use crate::token::JobSide;

/// A queue without a bound that any thread adds to and takes from.
pub(crate) struct Lane<T> {
    items: SegQueue<T>,
}

impl<T> Default for Lane<T> {
    fn default() -> Self {
        Lane { items: SegQueue::new() }
    }
}

impl<T> Lane<T> {
    pub(crate) fn add(&self, item: T) {
        self.items.push(item);
    }

    #[inline]
    pub(crate) fn take(&self) -> Option<T> {
        // Two loads show that a lane is empty; to take from it costs a fence.
        if self.items.is_empty() { None } else { self.items.pop() }
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        if self.items.is_empty() { 0 } else { self.items.len() }
    }
}

/// A job that is yet to start.
///
/// Kept small: the queue's blocks of 31 then fit what allocators keep at hand for each thread (1,032 bytes in
/// glibc), and a submission is written and read in a few words.
pub(crate) struct QueuedJob {
    pub(crate) job: &'static Job,
    pub(crate) token: JobSide,
}

/// An item of the lane of jobs that are yet to start.
pub(crate) enum Queued {
    One(QueuedJob),
    /// Jobs that were submitted together. Only where one driver starts all jobs: it takes them as its own.
    Many(Box<Batch>),
}

/// Boxed, so that an item of the lane has two words for the one job that it mostly is.
pub(crate) struct Batch(Vec<QueuedJob>);

const _: () = assert!(size_of::<Queued>() <= 16);

/// The jobs that a driver has taken from the lane together and not started yet.
pub(crate) type Stash = std::vec::IntoIter<QueuedJob>;

pub(crate) struct Lanes {
    pub(crate) woken: Lane<Runnable>,
    queued: Lane<Queued>,
    /// How many more jobs wait in the lane than it has items.
    beside: AtomicUsize,
    /// How many the driver has taken with others and not started yet. Written by that driver alone.
    stashed: AtomicUsize,
    /// One for each driver. The first is that of the runner's own thread.
    bells: Box<[Doorbell]>,
    /// The first of those who run jobs.
    first_for_jobs: usize,
}

impl Lanes {
    /// For so many drivers that run jobs, beside that of the runner's own thread; 0: that one runs them.
    pub(crate) fn new(drivers: usize) -> Lanes {
        let bells = (0..=drivers).map(|_| Doorbell::default()).collect();
        Lanes {
            woken: Lane::default(),
            queued: Lane::default(),
            beside: AtomicUsize::new(0),
            stashed: AtomicUsize::new(0),
            bells,
            first_for_jobs: drivers.min(1),
        }
    }

    /// Queues a job that is to start.
    pub(crate) fn queue(&self, job: &'static Job, token: JobSide) {
        self.queued.add(Queued::One(QueuedJob { job, token }));
        self.ring_for_job();
    }

    /// Queues jobs that are to start, and wakes nobody: [`Lanes::ring_for_jobs`] does, once for all that were queued.
    pub(crate) fn queue_many(&self, jobs: Vec<QueuedJob>) {
        if self.first_for_jobs > 0 {
            // None of several drivers keeps jobs to itself: it may be behind one that blocks its thread.
            jobs.into_iter().for_each(|job| self.queued.add(Queued::One(job)));
        } else if !jobs.is_empty() {
            self.beside.fetch_add(jobs.len() - 1, Ordering::Relaxed);
            self.queued.add(Queued::Many(Box::new(Batch(jobs))));
        }
    }

    /// Takes a job that is to start. `stash` is the driver's own.
    #[inline]
    pub(crate) fn take_queued(&self, stash: &mut Stash) -> Option<QueuedJob> {
        if let Some(job) = stash.next() {
            self.stashed.store(stash.len(), Ordering::Relaxed);
            return Some(job);
        }
        match self.queued.take()? {
            Queued::One(job) => Some(job),
            Queued::Many(batch) => {
                let Batch(jobs) = *batch;
                self.beside.fetch_sub(jobs.len() - 1, Ordering::Relaxed);
                *stash = jobs.into_iter();
                let first = stash.next();
                self.stashed.store(stash.len(), Ordering::Relaxed);
                first
            }
        }
    }

    /// How many jobs are yet to start. For a moment it may miss some that a driver is taking.
    pub(crate) fn queued(&self) -> usize {
        self.queued.len() + self.beside.load(Ordering::Relaxed) + self.stashed.load(Ordering::Relaxed)
    }

    /// How many jobs wait for a driver, to start or to be polled again.
    pub(crate) fn waiting(&self) -> usize {
        self.queued() + self.woken.len()
    }

    /// How a job's task gets back to the drivers each time it is woken.
    pub(crate) fn scheduler(self: &Arc<Self>) -> impl Fn(Runnable) + Send + Sync + 'static {
        let lanes = Arc::clone(self);
        move |task| {
            lanes.woken.add(task);
            lanes.ring_for_job();
        }
    }

    pub(crate) fn has_jobs(&self) -> bool {
        !self.woken.is_empty() || !self.queued.is_empty()
    }

    /// How many drivers there are, with that of the runner's own thread.
    pub(crate) fn drivers(&self) -> usize {
        self.bells.len()
    }

    pub(crate) fn bell(&self, driver: usize) -> &Doorbell {
        &self.bells[driver]
    }

    /// Wakes one driver that sleeps and runs jobs, if there is one.
    pub(crate) fn ring_for_job(&self) {
        for bell in &self.bells[self.first_for_jobs..] {
            if bell.ring() {
                return;
            }
        }
    }

    /// Wakes as many drivers that sleep and run jobs as there are jobs for, after those have been queued.
    pub(crate) fn ring_for_jobs(&self, jobs: usize) {
        let sleeping = self.bells[self.first_for_jobs..].iter().filter(|bell| bell.ring());
        let _ = sleeping.take(jobs).count();
    }

    /// Wakes one driver that sleeps and runs jobs on another processor, while the caller goes on to queue jobs.
    pub(crate) fn ring_elsewhere(&self) {
        let _ = self.bells[self.first_for_jobs..].iter().any(Doorbell::ring_elsewhere);
    }

    /// Wakes the runner's own thread: for a callback, or for the end.
    pub(crate) fn ring_for_control(&self) {
        self.bells[0].ring();
    }
}
