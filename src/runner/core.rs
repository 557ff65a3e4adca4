//! What hosts, jobs and the runner's threads share of one runner, and what it takes to accept a job.
//!
//! It owns no thread: a job may hold it forever. What is done with a job that was accepted is in the rooms below.
//!
//! # Guarantees
//!
//! * A job that was accepted is in flight until it has been dropped, and the runner does not end before that.
//! * A job that ends by itself is counted as ended before its token finishes.
//! * A token that is made while the runner's tokens are cancelled is cancelled too.

use std::sync::{Arc, Weak};
use std::time::Duration;

use super::callbacks::Callbacks;
use super::clock::Clock;
use super::closing::{Closing, Finished};
use super::lanes::Lanes;
use super::options::Options;
use super::registered::{Callee, RegisteredJobs};
use super::submission::Submitter;
use super::watch::Watch;
use crate::configuration::Configuration;
use crate::current::{RunnerId, works_for};
use crate::deadline::Until;
use crate::flight::Flight;
use crate::job::{Registered, States};
use crate::reply::Status;
use crate::spin::SpinLimit;
use crate::stats::Stats;
use crate::sys::fork;
use crate::token::{self, HostSide, JobSide, NewToken};

pub(crate) struct Core {
    pub(crate) id: RunnerId,
    pub(crate) lanes: Arc<Lanes>,
    pub(crate) flight: Flight,
    pub(crate) closing: Closing,
    pub(crate) finished: Finished,
    pub(crate) callbacks: Callbacks,
    pub(crate) watch: Arc<Watch>,
    pub(crate) states: States,
    pub(super) registered: RegisteredJobs,
    pub(crate) runtime: tokio::runtime::Handle,
    max_payload: usize,
    pub(super) clock: Clock,
    pub(super) spin_limit: SpinLimit,
    threads: u32,
    /// The [depth](fork::depth) of the process that made it.
    depth: u32,
    me: Weak<Core>,
}

/// Jobs that were accepted, mostly one. Dropped, they are out of flight again, as cancelled.
pub(super) struct Accepted<'a> {
    core: &'a Core,
    jobs: u64,
}

impl Accepted<'_> {
    pub(super) fn jobs(&self) -> u64 {
        self.jobs
    }

    /// From here on somebody else counts the job as ended.
    #[inline]
    pub(super) fn hand_over(self) {
        std::mem::forget(self);
    }

    /// The same for one of several.
    #[inline]
    pub(super) fn hand_over_one(&mut self) {
        self.jobs -= 1;
    }

    /// The job has ended and is dropped.
    #[inline]
    pub(super) fn ended(self, status: Status) {
        self.core.ended(status);
        std::mem::forget(self);
    }
}

impl Drop for Accepted<'_> {
    fn drop(&mut self) {
        for _ in 0..self.jobs {
            self.core.ended(Status::Cancelled);
        }
    }
}

/// The token of a job that has ended is being finished, until this is dropped: also where that panics.
struct Finishing<'a>(&'a Core);

impl Finishing<'_> {
    fn begin(core: &Core) -> Finishing<'_> {
        core.flight.begin_finish();
        Finishing(core)
    }
}

impl Drop for Finishing<'_> {
    fn drop(&mut self) {
        self.0.flight.end_finish();
        self.0.has_left();
    }
}

impl Core {
    pub(crate) fn new(
        id: RunnerId,
        runtime: tokio::runtime::Handle,
        watch: Arc<Watch>,
        drivers: usize,
        options: &Options,
        configuration: Configuration,
    ) -> Arc<Core> {
        Arc::new_cyclic(|me| Core {
            id,
            lanes: Arc::new(Lanes::new(drivers)),
            flight: Flight::new(options.max_in_flight),
            closing: Closing::new(),
            finished: Finished::default(),
            callbacks: Callbacks::default(),
            watch,
            states: States::new(configuration),
            registered: RegisteredJobs::default(),
            runtime,
            max_payload: if options.max_payload == 0 { usize::MAX } else { options.max_payload },
            clock: Clock::of(options),
            spin_limit: options.spin_limit(),
            threads: 1 + options.worker_threads,
            depth: fork::depth(),
            me: Weak::clone(me),
        })
    }

    /// Whether other threads than the runner's own run jobs.
    pub(super) fn has_workers(&self) -> bool {
        self.threads > 1
    }

    pub(super) fn to_arc(&self) -> Arc<Core> {
        match self.me.upgrade() {
            Some(core) => core,
            None => unreachable!("a runner is borrowed, so it is alive"),
        }
    }

    pub(super) fn weak(&self) -> &Weak<Core> {
        &self.me
    }

    /// Whether this process has the runner's thread.
    pub(crate) fn check_process(&self) -> Result<(), Status> {
        if self.depth == fork::depth() { Ok(()) } else { Err(Status::Forked) }
    }

    /// Whether the runner takes jobs of hosts.
    pub(crate) fn is_alive(&self) -> bool {
        self.check_process().is_ok() && !self.closing.is_requested()
    }

    /// The job of this name: the host's, if it has registered one, else the library's.
    #[inline(always)]
    pub(crate) fn find_job(&self, name: &[u8]) -> Option<Callee> {
        self.registered.find(name)
    }

    /// Registers a job of the host's.
    ///
    /// [`Status::InvalidArgument`] for an empty name and for one that is registered on this runner already,
    /// [`Status::ShutDown`], [`Status::Forked`].
    pub(crate) fn register(&self, name: &str, function: Registered) -> Result<(), Status> {
        self.check_process()?;
        if self.closing.is_requested() {
            return Err(Status::ShutDown);
        }
        self.registered.add(name, function)
    }

    /// Whether the runner takes jobs of this submitter: of a host until it is shut down, of its own jobs until the
    /// grace period of the shutdown has passed.
    #[inline(always)]
    fn check_open(&self, submitter: Submitter) -> Result<(), Status> {
        if self.closing.is_requested() { self.check_grace(submitter) } else { Ok(()) }
    }

    #[cold]
    fn check_grace(&self, submitter: Submitter) -> Result<(), Status> {
        let is_job = matches!(submitter, Submitter::Job) || works_for(self.id);
        if is_job && !self.closing.grace_has_passed() { Ok(()) } else { Err(Status::ShutDown) }
    }

    /// Takes a job into flight: from here on a shutdown waits until it is counted as ended.
    ///
    /// A job that only the second look refuses is counted as cancelled, so that no count goes back.
    #[inline(always)]
    pub(super) fn accept(&self, submitter: Submitter) -> Result<Accepted<'_>, Status> {
        self.accept_many(submitter, 1)
    }

    /// The same for so many jobs, at least one, or the first of them if the limit does not allow all.
    #[inline(always)]
    pub(super) fn accept_many(&self, submitter: Submitter, jobs: u64) -> Result<Accepted<'_>, Status> {
        self.check_process()?;
        self.check_open(submitter)?;
        let accepted = Accepted { core: self, jobs: self.flight.admit(jobs)? };
        // Again: either this sees the request to close, or the thread that ends the runner sees the job in flight.
        self.check_open(submitter)?;
        Ok(accepted)
    }

    /// A job has been dropped.
    #[inline]
    pub(super) fn ended(&self, status: Status) {
        self.flight.ended(status);
        self.has_left();
    }

    /// A job has been dropped, and `finish` finishes its token. Whoever sees the token finished sees the job counted,
    /// and the runner does not end in between.
    pub(super) fn ended_with(&self, status: Status, finish: impl FnOnce()) {
        if !self.has_workers() {
            // On the runner's own thread, which looks at nothing in between.
            self.ended(status);
            return finish();
        }
        let _finishing = Finishing::begin(self);
        self.flight.ended(status);
        finish();
    }

    /// The end of the runner may have waited for this job.
    #[inline]
    fn has_left(&self) {
        if self.closing.is_requested() {
            self.lanes.ring_for_control();
        }
    }

    /// For this long, by the runner's clock; `None` is forever.
    #[inline(always)]
    pub(super) fn until(&self, timeout: Option<Duration>) -> Until {
        self.clock.until(&self.runtime, timeout)
    }

    pub(super) fn check_payload(&self, len: usize) -> Result<(), Status> {
        if len > self.max_payload { Err(Status::TooLarge) } else { Ok(()) }
    }

    /// Makes the token of an accepted job.
    #[inline(always)]
    pub(super) fn make_token(&self, new: NewToken) -> Result<(HostSide, JobSide), Status> {
        let made = token::create(NewToken { spin_limit: self.spin_limit, ..new })?;
        self.end_if_cancelled(&made.0);
        Ok(made)
    }

    /// After a token was made: all tokens of the runner may have been cancelled just before.
    #[inline]
    pub(super) fn end_if_cancelled(&self, made: &HostSide) {
        if self.closing.is_cancelled() {
            let _ = made.token().end(Status::Cancelled);
        }
    }

    /// Finishes every token of the runner and has its jobs dropped: at once those that wait, at their next await those
    /// that are being polled.
    pub(crate) fn cancel_all(&self) {
        self.closing.cancel();
        token::finish_all_of(self.id, Status::Cancelled);
    }

    /// What the runner's own thread does once its driver has ended, however that came: nobody submits any more, every
    /// token is finished, and no callback is called.
    pub(super) fn end(&self) {
        self.closing.end();
        self.cancel_all();
        self.callbacks.close();
    }

    /// How the runner is doing.
    pub(crate) fn stats(&self) -> Stats {
        self.flight.stats(|| self.lanes.queued(), self.threads)
    }
}
