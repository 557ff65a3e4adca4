//! Running: a job's reply is returned to the thread that asked for it, which polls the job once itself.
//!
//! Promise 2: a job that is ready at once costs no hand-off. One that pends moves to the runner's threads; one that may
//! not be polled here starts there: see [`Standing`], and for calls with a timeout [`Job::is_inline`].
//!
//! # Guarantees
//!
//! * A job that is ready at its first poll needs no other thread and no token.
//! * A job that is polled inline is in flight as any other: the runner's runtime outlives it, a shutdown waits for it
//!   within its grace period, and its [`Context`](crate::Context) learns of the end.
//! * A run with a timeout polls inline only a job whose author declares that its first poll never blocks. Any other is
//!   polled on the runner's threads from the start: the timeout holds for a job that never yields.
//! * A job that is ready at its first poll returns its reply, however long that poll took.
//! * A paused clock stands still while a job is polled. So where it is paused no job is polled inline: the runner's
//!   thread would be idle meanwhile, and the clock would jump to the first timer that the job sets.

use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use super::core::{Accepted, Core};
use super::registered::Callee;
use super::running::{Running, drop_caught, poll_caught};
use super::submission::{Payload, Submitter, Wanted, notify_queue};
use crate::current::{Mark, Standing, standing};
use crate::deadline::Until;
use crate::job::{Job, JobFuture, OnDemand, Request, RequestToken};
use crate::reply::{Reply, Status};
use crate::sys::signals;
use crate::token::{HostSide, JobSide, Reading};

/// What came of a job's first poll on the calling thread.
enum FirstPoll<'a> {
    Ready(Reply),
    Pending(Accepted<'a>, JobFuture, OnDemand),
}

/// What came of [`Core::poll_inline`].
pub(crate) enum PolledInline {
    /// The job was ready at once.
    Ready(Reply),
    /// It runs on at the runner.
    Pending(HostSide),
}

impl Core {
    /// Runs a job to its end and returns its reply. Promise 3: timeouts and deadlines hold. Past its timeout the job is
    /// cancelled and the status is [`Status::Deadline`].
    pub(crate) fn run(&self, callee: Callee, payload: Payload<'_>, timeout: Option<Duration>) -> Result<Reply, Status> {
        let polls_inline = self.check_may_run()?;
        self.check_payload(payload.len())?;
        // Before the first poll: the time counts from the call.
        let until = self.until(timeout);
        if !polls_inline || callee.starts_there() || (timeout.is_some() && !callee.job.is_inline()) {
            return self.run_there(callee, payload, until);
        }
        let polled = self.first_poll(payload.into_vec(callee)?, Reading::NOBODY, |request| callee.job.call(request))?;
        self.wait_for(Some(callee.job), polled, until)
    }

    /// Runs a future to its end.
    pub(crate) fn run_future(&self, future: JobFuture) -> Result<Reply, Status> {
        if !self.check_may_run()? {
            return self.submit_future(future)?.token().wait_until(Until::Forever);
        }
        let polled = self.first_poll(Vec::new(), Reading::NOBODY, |_| Ok(future))?;
        self.wait_for(None, polled, Until::Forever)
    }

    /// Starts a job without ever waiting for it: its first poll is on this thread, the others are the runner's. On the
    /// runner's own thread, on one that may not poll, and where only an inline job may be polled, it is submitted as it
    /// is.
    pub(crate) fn poll_inline(
        &self,
        callee: Callee,
        payload: Payload<'_>,
        wanted: Wanted,
    ) -> Result<PolledInline, Status> {
        let only_there = callee.starts_there() || (wanted.inline_only && !callee.job.is_inline());
        if only_there || self.clock.is_paused() || !matches!(standing(self.id), Standing::Host) {
            return self.submit(Submitter::Host, callee, payload, wanted).map(PolledInline::Pending);
        }
        self.check_payload(payload.len())?;
        match self.first_poll(payload.into_vec(callee)?, wanted.reading, |request| callee.job.call(request))? {
            FirstPoll::Ready(reply) => Ok(PolledInline::Ready(reply)),
            FirstPoll::Pending(accepted, future, token) => {
                let (host, job_side) = token.into_token(self)?;
                if let Some(deadline) = wanted.deadline {
                    host.token().set_deadline(deadline);
                }
                notify_queue(&host, wanted.events);
                self.run_on(accepted, Some(callee.job), future, job_side);
                Ok(PolledInline::Pending(host))
            }
        }
    }

    /// Whether this thread may poll the job. Fails if it may not even wait for it.
    fn check_may_run(&self) -> Result<bool, Status> {
        self.check_process()?;
        if self.closing.is_requested() {
            return Err(Status::ShutDown);
        }
        match standing(self.id) {
            Standing::Worker => Err(Status::WouldDeadlock),
            Standing::Host => Ok(!self.clock.is_paused()),
            Standing::Waiter => Ok(false),
        }
    }

    /// Runs a job on the runner's threads from the start.
    fn run_there(&self, callee: Callee, payload: Payload<'_>, until: Until) -> Result<Reply, Status> {
        let deadline = self.timer_of(until);
        let wanted = Wanted { deadline, reading: Reading::NOBODY, ..Wanted::default() };
        wait_or_cancel(&self.submit(Submitter::Host, callee, payload, wanted)?, until)
    }

    #[inline(always)]
    fn wait_for(&self, job: Option<&'static Job>, polled: FirstPoll<'_>, until: Until) -> Result<Reply, Status> {
        match polled {
            FirstPoll::Ready(reply) => Ok(reply),
            FirstPoll::Pending(accepted, future, token) => {
                let (host, job_side) = token.into_token(self)?;
                self.run_on(accepted, job, future, job_side);
                wait_or_cancel(&host, until)
            }
        }
    }

    /// The end of a wait that the thread which waits cannot see: that of a paused clock.
    #[inline(always)]
    fn timer_of(&self, until: Until) -> Option<Instant> {
        if self.clock.is_paused() { until.instant() } else { None }
    }

    #[inline]
    fn first_poll(
        &self,
        payload: Vec<u8>,
        reading: Reading,
        start: impl FnOnce(&mut Request<'_>) -> Result<JobFuture, Reply>,
    ) -> Result<FirstPoll<'_>, Status> {
        // Before the job starts, so that one that is refused has done nothing.
        let accepted = self.accept(Submitter::Host)?;
        let token = OnDemand::new(reading);
        let polled = {
            let _signals = signals::Poll::begin();
            #[cfg(not(palitra_simulation))]
            let _runtime = self.runtime.enter();
            let _mark = Mark::set(self.id);
            let mut request = Request::new(payload, self, RequestToken::OnDemand(&token));
            start(&mut request).and_then(poll_once)
        };
        let future = match polled {
            Ok(future) => future,
            Err(reply) => {
                drop(token);
                accepted.ended(reply.status());
                return Ok(FirstPoll::Ready(reply));
            }
        };
        if let Err(forked) = self.check_process() {
            // The job has forked. In the child there is no runner to run it on, and nothing of the parent's is dropped.
            std::mem::forget((accepted, future));
            return Err(forked);
        }
        Ok(FirstPoll::Pending(accepted, future, token))
    }

    /// Hands a job that has started here to the runner. One whose token has finished meanwhile is dropped there.
    fn run_on(&self, accepted: Accepted<'_>, job: Option<&'static Job>, future: JobFuture, token: JobSide) {
        accepted.hand_over();
        Running::new(self.to_arc(), job, future, token).into_task().schedule();
    }
}

/// The job's reply; or, past `until`, that its deadline has passed.
fn wait_or_cancel(host: &HostSide, until: Until) -> Result<Reply, Status> {
    match host.token().wait_until(until) {
        Err(Status::Pending) => {
            // Either this ends it, or it has just ended by itself.
            host.token().end(Status::Deadline)?;
            host.token().poll()
        }
        ended => ended,
    }
}

/// The future if it pends; its reply if it is ready, and then it has been dropped.
#[inline]
fn poll_once(mut future: JobFuture) -> Result<JobFuture, Reply> {
    match poll_caught(&mut future, &mut Context::from_waker(Waker::noop())) {
        Poll::Pending => Ok(future),
        Poll::Ready(reply) => {
            drop_caught(future);
            Err(reply)
        }
    }
}
