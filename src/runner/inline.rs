//! How a job is begun on the thread of its caller: the first poll there, the rest on the runner.
//!
//! # Guarantees
//!
//! * A job that is ready at its first poll needs no other thread and no token.
//! * A job whose first poll is under way is in flight as any other: the runner's runtime outlives it, a shutdown
//!   waits for it within its grace, and its [`Context`](crate::Context) learns of the end.

use std::task::{Context, Poll, Waker};

use super::core::{Accepted, Core};
use super::running::{Running, drop_caught, poll_caught};
use super::submission::{Caller, Payload, Wanted, tell_events};
use crate::current::{Mark, Standing, standing};
use crate::deadline::Until;
use crate::job::{Job, JobFuture, OnDemand, Request, RequestToken};
use crate::reply::{Reply, Status};
use crate::sys::signals;
use crate::token::{HostSide, JobSide, Reading};

/// What came of a job's first poll on its caller's thread.
enum Begun<'a> {
    Ended(Reply),
    Pending(Accepted<'a>, JobFuture, OnDemand),
}

/// What came of [`Core::start`].
pub(crate) enum Started {
    /// The job was ready at once.
    Ended(Reply),
    /// It goes on at the runner.
    Pending(HostSide),
}

impl Core {
    /// Begins a job without ever waiting for it: the first poll on this thread, then the runner's. From the runner's
    /// own thread, and from one that may not poll, it is submitted as it is.
    pub(crate) fn start(&self, job: &'static Job, payload: Payload<'_>, wanted: Wanted) -> Result<Started, Status> {
        if !matches!(standing(self.id), Standing::Host) {
            return self.submit(Caller::Host, job, payload, wanted).map(Started::Pending);
        }
        payload.check(self)?;
        match self.begin(payload.into_vec()?, wanted.reading, |request| job.call(request))? {
            Begun::Ended(reply) => Ok(Started::Ended(reply)),
            Begun::Pending(accepted, future, token) => {
                let (host, job_side) = token.into_token(self)?;
                if let Some(deadline) = wanted.deadline {
                    host.token().set_deadline(deadline);
                }
                tell_events(&host, wanted.events);
                self.go_on(accepted, Some(job), future, job_side);
                Ok(Started::Pending(host))
            }
        }
    }

    /// Runs a job to its end.
    pub(super) fn run_inline(&self, job: &'static Job, payload: Vec<u8>) -> Result<Reply, Status> {
        let begun = self.begin(payload, Reading::NOBODY, |request| job.call(request))?;
        self.finish_inline(Some(job), begun)
    }

    /// Runs a future to its end.
    pub(crate) fn run_future(&self, future: JobFuture) -> Result<Reply, Status> {
        if !self.check_may_run()? {
            return self.submit_future(future)?.token().wait_until(Until::Forever);
        }
        let begun = self.begin(Vec::new(), Reading::NOBODY, |_| Ok(future))?;
        self.finish_inline(None, begun)
    }

    fn finish_inline(&self, job: Option<&'static Job>, begun: Begun<'_>) -> Result<Reply, Status> {
        match begun {
            Begun::Ended(reply) => Ok(reply),
            Begun::Pending(accepted, future, token) => {
                let (host, job_side) = token.into_token(self)?;
                self.go_on(accepted, job, future, job_side);
                host.token().wait_until(Until::Forever)
            }
        }
    }

    /// The first poll.
    #[inline]
    fn begin(
        &self,
        payload: Vec<u8>,
        reading: Reading,
        start: impl FnOnce(&mut Request<'_>) -> Result<JobFuture, Reply>,
    ) -> Result<Begun<'_>, Status> {
        // Before the job begins: one that is refused has not done half of its work.
        let accepted = self.accept(Caller::Host)?;
        let token = OnDemand::new(reading);
        let polled = {
            let _signals = signals::Poll::begin();
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
                return Ok(Begun::Ended(reply));
            }
        };
        if let Err(forked) = self.check_process() {
            // The job has forked. In the child there is no runner to go on, and nothing of the parent's is dropped.
            std::mem::forget((accepted, future));
            return Err(forked);
        }
        Ok(Begun::Pending(accepted, future, token))
    }

    /// Hands a job that has begun here to the runner. One whose token has finished meanwhile is dropped there.
    fn go_on(&self, accepted: Accepted<'_>, job: Option<&'static Job>, future: JobFuture, token: JobSide) {
        accepted.hand_over();
        Running::new(self.to_arc(), job, future, token).into_task().schedule();
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
