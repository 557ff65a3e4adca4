//! A job in progress: its future and the runner's side of its token, as a task that the drivers run.
//!
//! # Guarantees
//!
//! * Promise 7: a panic ends its job and nothing else. In a poll it finishes the token; in a drop the reply stands.
//! * Whatever else finishes its token wakes the job, which is then dropped instead of polled.
//! * A job that is dropped otherwise finishes its token as cancelled.
//! * A job that ends by itself is dropped before its token finishes: whoever sees its reply knows that it holds nothing
//!   any more.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use async_task::Runnable;
use tokio::time::Sleep;

use super::core::Core;
use super::watch::{A_FUTURE, Desk};
use crate::current::Mark;
use crate::job::{Job, JobFuture, panic_message};
use crate::panics::contain;
use crate::reply::{Reply, Status};
use crate::token::JobSide;

pub(crate) struct Running {
    core: Arc<Core>,
    /// None for a future.
    job: Option<&'static Job>,
    /// Gone once the job has ended.
    progress: Option<(JobFuture, JobSide)>,
    alarm: Alarm,
}

/// The timer that wakes the task at the token's deadline.
enum Alarm {
    /// Set at the first poll of the task, which is within the runtime.
    Unset,
    NoDeadline,
    Set(Pin<Box<Sleep>>),
}

impl Running {
    pub(crate) fn new(core: Arc<Core>, job: Option<&'static Job>, future: JobFuture, token: JobSide) -> Running {
        Running { core, job, progress: Some((future, token)), alarm: Alarm::Unset }
    }

    /// A task of its own, to be scheduled or run. It comes back to the drivers each time that it is woken.
    pub(crate) fn into_task(self) -> Runnable {
        let schedule = self.core.lanes.scheduler();
        let (runnable, task) = async_task::spawn(self, schedule);
        // Its token says how it ended.
        task.detach();
        runnable
    }

    fn advance(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some((future, _)) = &mut self.progress else { return Poll::Ready(()) };
        let _mark = Mark::set(self.core.id);
        poll_watched(&self.core, self.core.watch.desk(), self.job, future, cx).map(|reply| self.end(Some(reply)))
    }

    fn end(&mut self, reply: Option<Reply>) {
        let _mark = Mark::set(self.core.id);
        if let Some((future, token)) = self.progress.take() {
            end(&self.core, future, token, reply);
        }
    }

    fn deadline_has_passed(&mut self, cx: &mut Context<'_>) -> bool {
        if let Alarm::Unset = self.alarm {
            let deadline = self.progress.as_ref().and_then(|(_, token)| token.deadline());
            self.alarm = deadline
                .map_or(Alarm::NoDeadline, |deadline| Alarm::Set(Box::pin(tokio::time::sleep_until(deadline.into()))));
        }
        match &mut self.alarm {
            Alarm::Set(alarm) => alarm.as_mut().poll(cx).is_ready(),
            Alarm::Unset | Alarm::NoDeadline => false,
        }
    }
}

impl Future for Running {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.progress.as_ref().is_none_or(|(_, token)| token.poll_should_stop(cx.waker())) {
            self.end(None);
            return Poll::Ready(());
        }
        if self.deadline_has_passed(cx) {
            self.end(Some(Reply::ending(Status::Deadline)));
            return Poll::Ready(());
        }
        self.advance(cx)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end(None);
    }
}

/// A job's first poll on the runner, on the thread of this desk. One that is ready costs no task; one that pends gets
/// its own.
pub(super) fn poll_first(
    core: &Arc<Core>,
    desk: Option<&Desk>,
    job: &'static Job,
    mut future: JobFuture,
    token: JobSide,
) {
    let _mark = Mark::set(core.id);
    match poll_watched(core, desk, Some(job), &mut future, &mut Context::from_waker(Waker::noop())) {
        Poll::Ready(reply) => end(core, future, token, Some(reply)),
        // The waker was nobody's: the task polls at once.
        Poll::Pending => {
            Running::new(Arc::clone(core), Some(job), future, token).into_task().run();
        }
    }
}

/// Polls a job on a thread that is marked as its runner's; the watchdog sees at the desk what it polls.
#[inline]
fn poll_watched(
    core: &Core,
    desk: Option<&Desk>,
    job: Option<&'static Job>,
    future: &mut JobFuture,
    cx: &mut Context<'_>,
) -> Poll<Reply> {
    if let Some(desk) = desk {
        desk.poll_begins(job.map_or(A_FUTURE, |job| std::ptr::from_ref(job).addr()));
    }
    let poll = poll_caught(future, cx);
    let took = desk.map_or(0, Desk::poll_ended);
    if took > 0 {
        core.flight.polled(took);
    }
    poll
}

/// Drops the job, then finishes its token.
#[inline]
fn end(core: &Core, future: JobFuture, token: JobSide, reply: Option<Reply>) {
    drop_caught(future);
    match reply {
        Some(reply) => {
            // What a job meets that was cancelled meanwhile, as a stream without a reader, it may fail with.
            let finished = if reply.status() == Status::Ok { None } else { token.finished_with() };
            core.ended_with(finished.unwrap_or(reply.status()), || token.finish(reply));
        }
        None => core.ended_with(token.ending(), || drop(token)),
    }
}

/// Polls a job, on a thread that is marked as its runner's. A panic is a reply like any other.
#[inline(always)]
pub(crate) fn poll_caught(future: &mut JobFuture, cx: &mut Context<'_>) -> Poll<Reply> {
    match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
        Ok(poll) => poll,
        Err(panic) => Poll::Ready(Reply::panicked(panic_message(panic))),
    }
}

/// A job's own destructor may panic; its reply stands.
#[inline(always)]
pub(super) fn drop_caught(future: JobFuture) {
    contain(|| drop(future));
}
