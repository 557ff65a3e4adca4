//! The lanes on which work reaches a runner's drivers, and who is woken for it.
//!
//! Jobs that were woken and jobs that are yet to start wait in lanes of their own, so that neither waits behind the
//! other; callbacks have a third (see [`super::callbacks`]). Every driver that runs jobs takes from both of theirs: a
//! job never waits for one certain thread.

use std::sync::Arc;

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

const _: () = assert!(size_of::<QueuedJob>() <= 16);

pub(crate) struct Lanes {
    pub(crate) woken: Lane<Runnable>,
    pub(crate) queued: Lane<QueuedJob>,
    /// One for each driver. The first is that of the runner's own thread.
    bells: Box<[Doorbell]>,
    /// The first of those who run jobs.
    first_for_jobs: usize,
}

impl Lanes {
    /// For so many drivers that run jobs, beside that of the runner's own thread; 0: that one runs them.
    pub(crate) fn new(drivers: usize) -> Lanes {
        let bells = (0..=drivers).map(|_| Doorbell::default()).collect();
        Lanes { woken: Lane::default(), queued: Lane::default(), bells, first_for_jobs: drivers.min(1) }
    }

    /// Queues a job that is to start.
    pub(crate) fn queue(&self, job: &'static Job, token: JobSide) {
        self.queued.add(QueuedJob { job, token });
        self.ring_for_job();
    }

    /// Queues a job that is to start, and wakes nobody: [`Lanes::ring_for_jobs`] does, once for all that were queued.
    #[inline]
    pub(crate) fn queue_silently(&self, job: &'static Job, token: JobSide) {
        self.queued.add(QueuedJob { job, token });
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

    /// Wakes the runner's own thread: for a callback, or for the end.
    pub(crate) fn ring_for_control(&self) {
        self.bells[0].ring();
    }
}
