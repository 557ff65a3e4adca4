//! A driver: the loop that takes what waits in the lanes, in turns, until the runner has ended.
//!
//! A runner with one thread has one driver, which calls callbacks, starts jobs and polls those that were woken. With
//! workers the driver of the runner's own thread only calls callbacks and ends the runner. The workers have drivers
//! that run the jobs: two for each worker, because one of them may wait behind a job that blocks its thread.
//!
//! A job's first poll needs no task: a job that is ready costs none. One that pends gets a task of its own.
//!
//! # Guarantees
//!
//! * Between two turns the runtime serves sockets and timers. A turn ends after a number of steps, after a tick of
//!   the coarse clock, when the runtime's budget of cooperation is spent, or when the runner is asked to close.
//! * No job is polled without budget, so every poll may advance. A job that spends all of it gets a fresh one in
//!   another turn, and the others their turns before that.
//! * Callbacks and the request to close come first in a turn: neither waits behind jobs that are queued.
//! * No job starts once the grace period of a shutdown has passed.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use async_task::Runnable;
use tokio::task::coop::has_budget_remaining;
use tokio::time::Sleep;

use super::core::Core;
use super::idle::Idle;
use super::lanes::{QueuedJob, Stash};
use super::running;
use super::watch::Desk;
use crate::job::{Request, RequestToken};
use crate::spin::{SpinLimit, Spun};
use crate::sync::Place;

/// The most steps of a turn: jobs started, jobs polled, callbacks called.
const STEPS: u32 = 256;

pub(crate) struct Driver {
    core: Arc<Core>,
    /// Which bell wakes it.
    number: usize,
    calls_back: bool,
    runs_jobs: bool,
    /// Whether the last step looked for a job that was woken before one that is to start.
    polls_first: Cell<bool>,
    /// Jobs that it starts before any that wait in the lane.
    stash: RefCell<Stash>,
    ending: Ending,
    idle: Idle,
}

impl Driver {
    /// The driver of a runner's own thread. It is ready when the last job has ended after a request to close.
    pub(crate) fn main(core: Arc<Core>, runs_jobs: bool) -> Driver {
        let (polls_first, stash, ending) = (Cell::new(false), RefCell::default(), Ending::default());
        // Between the jobs of workers the runtime decides who looks for more.
        let idle = Idle::new(if runs_jobs { core.spin_limit } else { SpinLimit::NONE });
        Driver { core, number: 0, calls_back: true, runs_jobs, polls_first, stash, ending, idle }
    }

    /// A driver beside it, counted from 1, that runs jobs. It is dropped with the runtime.
    pub(crate) fn beside(core: Arc<Core>, number: usize) -> Driver {
        let idle = Idle::new(SpinLimit::NONE);
        Driver { number, calls_back: false, idle, ..Driver::main(core, true) }
    }

    fn turn(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.core.lanes.bell(self.number).awake();
        if self.has_thread_of_its_own() {
            self.core.watch.awake();
        }
        self.idle.awake(|| self.rung_by_submitter());
        let mut turn = Turn::new(self.core.watch.desk());
        let may_be_more = loop {
            let mut has_more = self.calls_back && self.call_back(&mut turn);
            if self.calls_back && self.ending.is_done(&self.core, cx) {
                return Poll::Ready(());
            }
            has_more |= self.runs_jobs && self.run_jobs(&mut turn);
            if turn.steps > 0 {
                self.idle.worked();
            }
            if has_more {
                break true;
            }
            match self.idle.spin(|| self.has_work()) {
                Spun::News if !turn.is_spent() => {}
                Spun::News | Spun::Nothing => break true,
                Spun::Over => break false,
            }
        };
        if may_be_more {
            // Not by waking itself: such a task may run again before sockets and timers are served.
            let _ = pin!(tokio::task::yield_now()).poll(cx);
        } else if !self.may_sleep(cx) {
            cx.waker().wake_by_ref();
        } else {
            self.idle.asleep();
            if self.has_thread_of_its_own() {
                self.core.watch.parked();
            }
        }
        Poll::Pending
    }

    /// Whether nothing else runs on its thread. The runtime calls no hook when such a thread parks.
    fn has_thread_of_its_own(&self) -> bool {
        self.calls_back && !self.runs_jobs
    }

    /// Calls what is due. Whether there may be more.
    fn call_back(&self, turn: &mut Turn<'_>) -> bool {
        while self.core.callbacks.call_next() {
            turn.step_at_desk();
            if turn.is_spent() {
                return true;
            }
        }
        false
    }

    /// Starts and polls jobs. Whether there may be more.
    fn run_jobs(&self, turn: &mut Turn<'_>) -> bool {
        // Jobs that these wake wait for the next turn, behind whatever else the runtime was woken for meanwhile.
        let mut woken = self.core.lanes.woken.len();
        // A request to close comes before the next step.
        while self.core.closing.count() == self.ending.seen || !self.calls_back {
            if !self.step(turn, &mut woken) {
                return false;
            }
            if turn.is_spent() {
                return true;
            }
        }
        true
    }

    /// Starts a job or polls one of the `woken`. They alternate from turn to turn too, so that neither lane waits where
    /// every step ends its turn. Whether there was a job.
    #[inline]
    fn step(&self, turn: &Turn<'_>, woken: &mut usize) -> bool {
        if *woken == 0 {
            return self.start_one(turn);
        }
        let polls_first = !self.polls_first.replace(!self.polls_first.get());
        (polls_first && self.poll_one(woken)) || self.start_one(turn) || self.poll_one(woken)
    }

    /// Polls one of so many jobs that were woken.
    fn poll_one(&self, woken: &mut usize) -> bool {
        let Some(left) = woken.checked_sub(1) else { return false };
        *woken = left;
        self.core.lanes.woken.take().map(Runnable::run).is_some()
    }

    fn start_one(&self, turn: &Turn<'_>) -> bool {
        let queued = self.core.lanes.take_queued(&mut self.stash.borrow_mut());
        queued.map(|queued| self.start(turn, queued)).is_some()
    }

    /// Starts a job, or drops one that need not or must not start any more.
    fn start(&self, turn: &Turn<'_>, QueuedJob { job, token }: QueuedJob) {
        let may_start = !self.core.closing.grace_has_passed();
        // Cancelled, or its deadline passed, while it was queued: it need not start.
        let Some(payload) = token.take_payload().filter(|_| may_start) else {
            return self.core.ended_with(token.ending(), || drop(token));
        };
        let mut request = Request::new(payload, &*self.core, RequestToken::Made(token.id()));
        let future = match job.call(&mut request) {
            Ok(future) => future,
            Err(reply) => return self.core.ended_with(reply.status(), || token.finish(reply)),
        };
        running::poll_first(&self.core, turn.desk, job, future, token);
    }

    fn may_sleep(&self, cx: &Context<'_>) -> bool {
        self.core.lanes.bell(self.number).may_sleep(cx.waker(), || self.has_work())
    }

    #[inline]
    fn has_work(&self) -> bool {
        (self.runs_jobs && self.core.lanes.has_jobs()) || (self.calls_back && self.has_control())
    }

    #[inline]
    fn has_control(&self) -> bool {
        let (core, closing) = (&self.core, self.core.closing.count());
        !core.callbacks.is_empty() || closing != self.ending.seen || (closing > 0 && core.flight.is_empty())
    }

    /// Where the submitter ran that ended the driver's sleep, if one did.
    fn rung_by_submitter(&self) -> Place {
        let lanes = &self.core.lanes;
        if lanes.queued() == 0 { None } else { lanes.bell(self.number).rung_from() }
    }
}

/// The end of the runner, which the driver of its own thread brings about. Promise 8: a shutdown ends everything
/// within its bound.
#[derive(Default)]
struct Ending {
    /// The newest request to close that was seen.
    seen: u32,
    /// Wakes the driver when the grace period of a shutdown has passed.
    grace: Option<Pin<Box<Sleep>>>,
    /// The grace period has passed and every token has been finished.
    is_cancelled: bool,
}

impl Ending {
    /// Whether the runner was shut down, and everything that was in flight has been dropped.
    #[inline]
    fn is_done(&mut self, core: &Core, cx: &mut Context<'_>) -> bool {
        core.closing.is_requested() && self.is_done_closing(core, cx)
    }

    fn is_done_closing(&mut self, core: &Core, cx: &mut Context<'_>) -> bool {
        let is_news = std::mem::replace(&mut self.seen, core.closing.count()) != self.seen;
        if !self.is_cancelled && self.grace_has_passed(core, is_news, cx) {
            self.is_cancelled = true;
            core.cancel_all();
        }
        if !core.flight.is_empty() || !core.callbacks.is_empty() {
            return false;
        }
        // From here on a job submits nothing either. Whatever was accepted before this is in flight.
        core.closing.end();
        if !core.flight.is_empty() {
            return false;
        }
        core.callbacks.close();
        true
    }

    fn grace_has_passed(&mut self, core: &Core, is_news: bool, cx: &mut Context<'_>) -> bool {
        if is_news {
            let end = core.closing.grace().instant();
            self.grace = end.map(|end| Box::pin(tokio::time::sleep_until(end.into())));
        }
        core.closing.grace_has_passed() || self.grace.as_mut().is_some_and(|grace| grace.as_mut().poll(cx).is_ready())
    }
}

impl Future for Driver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.turn(cx)
    }
}

/// How much of a turn is left.
struct Turn<'a> {
    /// Of the thread that the turn is on.
    desk: Option<&'a Desk>,
    steps: u32,
    /// By the coarse clock.
    began: u64,
}

impl Turn<'_> {
    fn new(desk: Option<&Desk>) -> Turn<'_> {
        let mut turn = Turn { desk, steps: 0, began: 0 };
        turn.step_at_desk();
        turn.began = turn.tick();
        turn
    }

    /// The thread does something other than to poll a job.
    fn step_at_desk(&self) {
        if let Some(desk) = self.desk {
            desk.step();
        }
    }

    fn tick(&self) -> u64 {
        self.desk.map_or(0, Desk::tick)
    }

    /// After a step: whether it was the last of the turn.
    #[inline]
    fn is_spent(&mut self) -> bool {
        self.steps += 1;
        self.steps >= STEPS || self.tick() != self.began || !has_budget_remaining()
    }
}
