//! What hosts, jobs and the runner's threads share of one runner: what it takes to submit, and to run.
//!
//! Everything a call needs, and nothing that owns a thread: a job may hold it forever. How a job is begun on the
//! caller's own thread is in [`super::inline`].

use std::sync::{Arc, Weak};
use std::time::Duration;

use super::callbacks::Callbacks;
use super::closing::{Closing, Finished};
use super::lanes::Lanes;
use super::options::Options;
use super::running::Running;
use super::submission::{Caller, Payload, Wanted, tell_events};
use super::watch::Watch;
use crate::current::{RunnerId, Standing, standing, works_for};
use crate::flight::Flight;
use crate::fork;
use crate::job::{Host, Job, JobFuture, States};
use crate::registry;
use crate::reply::{Error, Reply, Status};
use crate::stats::Stats;
use crate::token::{self, Call, Callback, HostSide, JobSide, Observer, Reading, Tenant, TokenRef, Until};

pub(crate) struct Core {
    pub(crate) id: RunnerId,
    pub(crate) lanes: Arc<Lanes>,
    pub(crate) flight: Flight,
    pub(crate) closing: Closing,
    pub(crate) finished: Finished,
    pub(crate) callbacks: Callbacks,
    pub(crate) watch: Arc<Watch>,
    pub(crate) states: States,
    pub(crate) runtime: tokio::runtime::Handle,
    max_payload: usize,
    threads: u32,
    /// How deep in a chain of forks it was made.
    depth: u32,
    me: Weak<Core>,
}

/// A job that was accepted and has not begun. Dropped, it is out of flight again, as cancelled.
pub(super) struct Accepted<'a> {
    core: &'a Core,
}

impl Accepted<'_> {
    /// The job is somebody else's to count from here on.
    #[inline]
    pub(super) fn hand_over(self) {
        std::mem::forget(self);
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
        self.core.ended(Status::Cancelled);
    }
}

impl Core {
    pub(crate) fn new(
        id: RunnerId,
        runtime: tokio::runtime::Handle,
        watch: Arc<Watch>,
        drivers: usize,
        options: &Options,
    ) -> Arc<Core> {
        Arc::new_cyclic(|me| Core {
            id,
            lanes: Arc::new(Lanes::new(drivers)),
            flight: Flight::new(options.max_in_flight),
            closing: Closing::new(),
            finished: Finished::default(),
            callbacks: Callbacks::default(),
            watch,
            states: States::default(),
            runtime,
            max_payload: if options.max_payload == 0 { usize::MAX } else { options.max_payload },
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

    /// Whether this process has the runner's thread.
    pub(crate) fn check_process(&self) -> Result<(), Status> {
        if self.depth == fork::depth() { Ok(()) } else { Err(Status::Forked) }
    }

    /// Whether the runner takes work of hosts.
    pub(crate) fn is_alive(&self) -> bool {
        self.check_process().is_ok() && !self.closing.is_requested()
    }

    /// Whether the runner takes work of the caller: of a host until it is shut down, of its own jobs until the grace
    /// of that is over.
    #[inline(always)]
    fn check_open(&self, caller: Caller) -> Result<(), Status> {
        if self.closing.is_requested() { self.check_grace(caller) } else { Ok(()) }
    }

    #[cold]
    fn check_grace(&self, caller: Caller) -> Result<(), Status> {
        let is_job = matches!(caller, Caller::Job) || works_for(self.id);
        if is_job && !self.closing.is_over() { Ok(()) } else { Err(Status::ShutDown) }
    }

    /// Takes a job into flight: from here on a shutdown waits until it is counted as ended.
    ///
    /// A job that is refused only by the second look is counted as cancelled, so that no count goes back.
    #[inline(always)]
    pub(super) fn accept(&self, caller: Caller) -> Result<Accepted<'_>, Status> {
        self.check_process()?;
        self.check_open(caller)?;
        self.flight.admit()?;
        let accepted = Accepted { core: self };
        // Again: either this sees the request to close, or whoever ends the runner sees the job in flight.
        self.check_open(caller)?;
        Ok(accepted)
    }

    /// A job has been dropped.
    #[inline]
    pub(super) fn ended(&self, status: Status) {
        self.flight.ended(status);
        self.has_left();
    }

    /// A job has been dropped whose token is to be finished, which `finish` does: whoever sees the token finished sees
    /// the job counted, and the runner does not end in between.
    pub(super) fn ended_with(&self, status: Status, finish: impl FnOnce()) {
        if !self.has_workers() {
            // On the runner's own thread, which looks at nothing in between.
            self.ended(status);
            return finish();
        }
        self.flight.begin_settling();
        self.flight.ended(status);
        finish();
        self.flight.end_settling();
        self.has_left();
    }

    /// It may have been the last for which the end of the runner waits.
    #[inline]
    fn has_left(&self) {
        if self.closing.is_requested() {
            self.lanes.ring_for_control();
        }
    }

    pub(super) fn check_payload(&self, len: usize) -> Result<(), Status> {
        if len > self.max_payload { Err(Status::TooLarge) } else { Ok(()) }
    }

    /// Makes the token of an accepted job.
    #[inline(always)]
    pub(super) fn make_token(&self, tenant: Tenant) -> Result<(HostSide, JobSide), Status> {
        let made = token::create(tenant)?;
        if self.closing.is_cancelled() {
            // Whoever cancelled the runner's tokens may have come by before this one was made.
            let _ = made.0.token().end(Status::Cancelled);
        }
        Ok(made)
    }

    /// Finishes every token of the runner and has its jobs dropped: at once where they wait, at their next await
    /// where they run.
    pub(crate) fn cancel_all(&self) {
        self.closing.cancel();
        token::finish_all_of(self.id, Status::Cancelled);
    }

    /// Queues a job. Everything that can be wrong is found before the payload is copied.
    pub(crate) fn submit(
        &self,
        caller: Caller,
        job: &'static Job,
        payload: Payload<'_>,
        Wanted { deadline, events, reading }: Wanted,
    ) -> Result<HostSide, Status> {
        payload.check(self)?;
        let accepted = self.accept(caller)?;
        let payload = Some(payload.into_vec()?);
        let (host, token) = self.make_token(Tenant { runner: self.id, deadline, payload, reading })?;
        tell_events(&host, events);
        accepted.hand_over();
        self.lanes.start(job, token);
        Ok(host)
    }

    /// Queues a future whose output is a reply.
    pub(crate) fn submit_future(&self, future: JobFuture) -> Result<HostSide, Status> {
        let accepted = self.accept(Caller::Host)?;
        let (host, token) =
            self.make_token(Tenant { runner: self.id, reading: Reading::NOBODY, ..Tenant::default() })?;
        accepted.hand_over();
        Running::new(self.to_arc(), None, future, token).into_task().schedule();
        Ok(host)
    }

    /// Calls `call` on the runner's thread when the token finishes, or soon if it has. Dropped uncalled where
    /// that cannot be, or when the host releases the unfinished token.
    pub(crate) fn on_complete(&self, token: TokenRef, call: Call) -> Result<(), Status> {
        self.check_process()?;
        if self.callbacks.is_closed() {
            return Err(Status::ShutDown);
        }
        let core = Weak::clone(&self.me);
        let dispatch = move |call: Call, status: Status| {
            if let Some(core) = core.upgrade() {
                core.callbacks.add(call, status);
                core.lanes.ring_for_control();
            }
        };
        let callback: Arc<dyn Observer> = Arc::new(Callback::new(call, dispatch));
        match token.observe(&callback, 0)? {
            Status::Pending => {}
            status => callback.finished(0, status),
        }
        Ok(())
    }

    /// How the runner is doing.
    pub(crate) fn stats(&self) -> Stats {
        self.flight.stats(|| self.lanes.starts.len(), self.threads)
    }

    /// Runs a job to its end and returns its reply. See promises 2 and 3.
    pub(crate) fn run(
        &self,
        job: &'static Job,
        payload: Payload<'_>,
        timeout: Option<Duration>,
    ) -> Result<Reply, Status> {
        let polls_here = self.check_may_run()?;
        payload.check(self)?;
        if timeout.is_some() || !polls_here {
            return self.run_within(job, payload, timeout);
        }
        self.run_inline(job, payload.into_vec()?)
    }

    /// Whether the job may be polled on this thread.
    pub(super) fn check_may_run(&self) -> Result<bool, Status> {
        self.check_process()?;
        if self.closing.is_requested() {
            return Err(Status::ShutDown);
        }
        match standing(self.id) {
            Standing::Worker => Err(Status::WouldDeadlock),
            Standing::Host => Ok(true),
            Standing::Waiter => Ok(false),
        }
    }

    /// On the runner's thread from the start, so that the timeout holds for a job that never yields.
    fn run_within(&self, job: &'static Job, payload: Payload<'_>, timeout: Option<Duration>) -> Result<Reply, Status> {
        let host = self.submit(Caller::Host, job, payload, Wanted { reading: Reading::NOBODY, ..Wanted::default() })?;
        match host.token().wait_until(Until::after(timeout)) {
            Err(Status::Pending) => {
                // Either this ends it, or it has just ended by itself.
                host.token().end(Status::Deadline)?;
                host.token().poll()
            }
            answer => answer,
        }
    }
}

impl Host for Core {
    fn states(&self) -> &States {
        &self.states
    }

    fn make_token(&self, reading: Reading) -> Result<(HostSide, JobSide), Status> {
        Core::make_token(self, Tenant { runner: self.id, reading, ..Tenant::default() })
    }

    fn submit(&self, job: &str, payload: Vec<u8>) -> Result<HostSide, Error> {
        let job = registry::find(job.as_bytes()).ok_or_else(|| registry::unknown_job(job))?;
        Ok(Core::submit(self, Caller::Job, job, Payload::Owned(payload), Wanted::default())?)
    }

    fn to_arc(&self) -> Arc<dyn Host> {
        Core::to_arc(self)
    }
}
