//! The loop on the runner's thread: takes submissions, starts jobs, polls those that pend, ends with shutdown.
//!
//! A runner with one thread polls each new job at once, in the loop; a job that is ready costs no task. Those
//! that pend live in one set, each with a waker of its own. A runner with workers gives every job to them as a
//! task, so that a job that computes does not hold up the next.
//!
//! The loop takes turns: after a batch of submissions or of polls it yields to the runtime, so that sockets
//! and timers are served however fast the hosts submit.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use crossbeam_channel::Receiver;
use futures_util::stream::{FuturesUnordered, Stream};
use tokio::task::JoinSet;
use tokio::time::Sleep;

use super::options::LINGER;
use super::running::Running;
use super::{Core, Submission};
use crate::job::{Request, RequestToken};
use crate::reply::Status;

/// Submissions started, and jobs polled, before the runtime has its turn.
const BATCH: usize = 256;

pub(crate) struct Driver {
    core: Arc<Core>,
    submissions: Receiver<Submission>,
    jobs: Jobs,
    /// Rings when the grace of a shutdown is over.
    grace: Option<Pin<Box<Sleep>>>,
    /// The newest call of shutdown that was seen.
    closing: u32,
    /// How long jobs on workers may take to be dropped at the end.
    patience: Option<Pin<Box<Sleep>>>,
}

/// The jobs that are pending.
pub(crate) enum Jobs {
    /// On the runner's own thread.
    Here(FuturesUnordered<Running>),
    /// On the runtime's workers.
    Workers(JoinSet<()>),
}

impl Driver {
    pub(crate) fn new(core: Arc<Core>, submissions: Receiver<Submission>, jobs: Jobs) -> Driver {
        Driver { core, submissions, jobs, grace: None, closing: 0, patience: None }
    }

    /// One turn. Ready when the runner has been shut down and its jobs are done or out of grace.
    fn turn(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.core.doorbell.awake();
        let more = self.start_submissions() | self.jobs.poll_some(cx);
        self.core.counters.running.store(self.jobs.len(), Ordering::Relaxed);
        if self.core.closing.count() > 0 && (self.is_idle() || self.grace_is_over(cx)) && self.is_cleared(cx) {
            return Poll::Ready(());
        }
        let has_work = || !self.submissions.is_empty() || self.core.closing.count() != self.closing;
        if more || !self.core.doorbell.may_sleep(cx.waker(), has_work) {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }

    /// Whether there may be more.
    fn start_submissions(&mut self) -> bool {
        for _ in 0..BATCH {
            match self.submissions.try_recv() {
                Ok(submission) => self.start(submission),
                Err(_) => return false,
            }
        }
        true
    }

    fn start(&mut self, submission: Submission) {
        match submission {
            Submission::Continue(running) => self.jobs.push(*running),
            Submission::Call(due) => self.core.calls.make(due.0, due.1),
            Submission::Start { job, token } => {
                // Cancelled or out of time while it was queued: it need not begin.
                let Some(payload) = token.begin() else {
                    self.core.counters.ended(token.ending());
                    return;
                };
                let mut request = Request::new(payload, &*self.core, RequestToken::Made(token.id()));
                match job.start(&mut request) {
                    Err(reply) => {
                        self.core.counters.ended(reply.status());
                        token.finish(reply);
                    }
                    Ok(future) => self.jobs.push_new(Running::new(&self.core, job.name(), future, token)),
                }
            }
        }
    }

    fn is_idle(&self) -> bool {
        self.submissions.is_empty() && self.jobs.len() == 0
    }

    fn grace_is_over(&mut self, cx: &mut Context<'_>) -> bool {
        let (count, grace) = self.core.closing.get();
        if count != self.closing {
            self.closing = count;
            self.grace = grace.instant().map(|end| Box::pin(tokio::time::sleep_until(end.into())));
        }
        grace.has_passed() || self.grace.as_mut().is_some_and(|grace| grace.as_mut().poll(cx).is_ready())
    }
}

/// The end: jobs are dropped and their callbacks called before anything else goes.
impl Driver {
    /// Whether the jobs that were still running are gone. Those on workers take until their next await.
    fn is_cleared(&mut self, cx: &mut Context<'_>) -> bool {
        self.core.closing.begin();
        match &mut self.jobs {
            Jobs::Here(jobs) => jobs.clear(),
            Jobs::Workers(jobs) => {
                jobs.abort_all();
                while let Poll::Ready(Some(_)) = jobs.poll_join_next(cx) {}
                let patience = self.patience.get_or_insert_with(|| Box::pin(tokio::time::sleep(LINGER)));
                if !jobs.is_empty() && patience.as_mut().poll(cx).is_pending() {
                    return false;
                }
            }
        }
        self.core.counters.running.store(self.jobs.len(), Ordering::Relaxed);
        self.clear_queue();
        true
    }

    /// What is queued ends as cancelled; callbacks, also those of these jobs, are called.
    fn clear_queue(&mut self) {
        while let Ok(submission) = self.submissions.try_recv() {
            match submission {
                Submission::Call(due) => self.core.calls.make(due.0, due.1),
                Submission::Start { .. } => {
                    self.core.counters.ended(Status::Cancelled);
                    drop(submission);
                }
                Submission::Continue(running) => drop(running),
            }
        }
    }
}

impl Future for Driver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.turn(cx)
    }
}

impl Jobs {
    /// A job that was not polled yet.
    fn push_new(&mut self, mut running: Running) {
        match self {
            Jobs::Here(_) if running.poll_before_spawn().is_ready() => {}
            _ => self.push(running),
        }
    }

    fn push(&mut self, mut running: Running) {
        running.set_alarm();
        match self {
            Jobs::Here(jobs) => jobs.push(running),
            Jobs::Workers(jobs) => {
                jobs.spawn(running);
            }
        }
    }

    /// Polls those that were woken, and forgets those that ended. Whether there may be more.
    fn poll_some(&mut self, cx: &mut Context<'_>) -> bool {
        for _ in 0..BATCH {
            let ended = match self {
                Jobs::Here(jobs) => Pin::new(jobs).poll_next(cx).map(|job| job.is_some()),
                Jobs::Workers(jobs) => jobs.poll_join_next(cx).map(|job| job.is_some()),
            };
            if !matches!(ended, Poll::Ready(true)) {
                return false;
            }
        }
        true
    }

    fn len(&self) -> usize {
        match self {
            Jobs::Here(jobs) => jobs.len(),
            Jobs::Workers(jobs) => jobs.len(),
        }
    }
}
