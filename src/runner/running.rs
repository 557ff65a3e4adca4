//! A job in progress: its future and the runner's side of its token, polled by whoever has it.
//!
//! Promises: a panic of the job, in a poll or in a drop, ends its token and nothing else; a job whose token
//! has finished is dropped at its next poll; a job that is dropped ends its token as cancelled.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::time::Sleep;

use super::core::Core;
use crate::clock;
use crate::current::{Mark, RunnerId};
use crate::job::{JobFuture, panic_message};
use crate::reply::{Reply, Status};
use crate::stats::Counters;
use crate::token::JobSide;

/// A poll that takes longer than this holds up the other jobs of its thread: worth a warning.
const BLOCKING: Duration = Duration::from_millis(100);

pub(crate) struct Running {
    runner: RunnerId,
    /// What it is called where it holds up its thread; empty for a future.
    name: &'static str,
    counters: Arc<Counters>,
    /// Gone once the job has ended.
    progress: Option<(JobFuture, JobSide)>,
    /// The deadline of the token, if it has one.
    alarm: Option<Pin<Box<Sleep>>>,
}

impl Running {
    pub(crate) fn new(core: &Core, name: &'static str, future: JobFuture, token: JobSide) -> Running {
        let counters = Arc::clone(&core.counters);
        Running { runner: core.id, name, counters, progress: Some((future, token)), alarm: None }
    }

    /// Polls once without a task of its own. After `Pending` the job must be given to one.
    pub(crate) fn poll_before_spawn(&mut self) -> Poll<()> {
        self.advance(&mut Context::from_waker(Waker::noop()))
    }

    /// Sets the alarm for the token's deadline, within the runtime, before the job is given to a task.
    pub(crate) fn set_alarm(&mut self) {
        let deadline = self.progress.as_ref().and_then(|(_, token)| token.deadline());
        self.alarm = deadline.map(|deadline| Box::pin(tokio::time::sleep_until(deadline.into())));
    }

    fn advance(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some((future, _)) = &mut self.progress else { return Poll::Ready(()) };
        let _mark = Mark::set(self.runner);
        let began = clock::now();
        let poll = poll_caught(future, cx);
        let time = clock::now().saturating_sub(began);
        if !time.is_zero() {
            self.held_thread(time);
        }
        poll.map(|reply| self.end(Some(reply)))
    }

    fn held_thread(&self, time: Duration) {
        self.counters.polled(time);
        if time > BLOCKING {
            let name = if self.name.is_empty() { "a future" } else { self.name };
            tracing::warn!(target: "palitra", "{name} held a thread of its runner for {time:?} without an await");
        }
    }

    /// Drops the job, then finishes the token: who sees the reply knows that the job holds nothing any more.
    fn end(&mut self, reply: Option<Reply>) {
        let Some((future, token)) = self.progress.take() else { return };
        let _mark = Mark::set(self.runner);
        let _ = catch_unwind(AssertUnwindSafe(|| drop(future))).map_err(panic_message);
        self.counters.ended(reply.as_ref().map_or_else(|| token.ending(), Reply::status));
        match reply {
            Some(reply) => token.finish(reply),
            None => drop(token),
        }
    }
}

impl Future for Running {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.progress.as_ref().is_none_or(|(_, token)| token.is_over(cx.waker())) {
            self.end(None);
            return Poll::Ready(());
        }
        if self.alarm.as_mut().is_some_and(|alarm| alarm.as_mut().poll(cx).is_ready()) {
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

/// Polls a job, on a thread that is marked as its runner's. A panic is a reply like any other.
#[inline]
pub(crate) fn poll_caught(future: &mut JobFuture, cx: &mut Context<'_>) -> Poll<Reply> {
    match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
        Ok(poll) => poll,
        Err(panic) => Poll::Ready(Reply::panicked(panic_message(panic))),
    }
}
