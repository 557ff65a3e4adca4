//! Blocking on one token: until it finishes, or until its stream has an item.
//!
//! # Guarantees
//!
//! * Promise 3: timeouts and deadlines hold. A wait past its timeout returns [`Status::Pending`]; it ends at the
//!   token's own deadline too, which it then enforces.
//! * Promise 5: nothing deadlocks on the runner's own thread. There a wait returns [`Status::WouldDeadlock`] instead of
//!   blocking.
//! * A wait that has ended leaves no observer behind.

use std::sync::Arc;
use std::time::Instant;

use super::observer::Observer;
use super::slot::Slot;
use super::table::TokenRef;
use crate::current::{RunnerId, works_for};
use crate::deadline::{Until, earlier};
use crate::reply::{Reply, Status};
use crate::spin::{Sleep, SpinLimit, Spinner};
use crate::sync::Parker;
use crate::sys::processors;

crate::sync::thread_local! {
    static PARKER: Arc<Parker> = Arc::new(Parker::default());
    static SPINNER: Spinner = const { Spinner::new() };
}

/// Calls `wait` with the calling thread's parker, or with a new one while the thread is ending.
pub(crate) fn with_parker<R>(wait: impl FnOnce(&Arc<Parker>) -> R) -> R {
    let parker = PARKER.try_with(Arc::clone).unwrap_or_default();
    wait(&parker)
}

/// Parks the calling thread, which owns `parker`, after it has spun for a moment if that pays. It may return early.
pub(crate) fn park(parker: &Parker, until: Option<Instant>, limit: SpinLimit) {
    SPINNER.with(|spinner| {
        if spinner.spin(limit, || parker.is_notified()) {
            return parker.park_until(until);
        }
        let sleep = Sleep::begin();
        let woken_from = parker.sleep_until(until);
        spinner.slept(limit, &sleep, woken_from);
    });
}

impl Observer for Parker {
    fn notify(&self, _tag: u32, _status: Status) {
        self.unpark_from(processors::this);
    }
}

impl TokenRef {
    /// Blocks until the token has finished, at most until `until`.
    ///
    /// [`Status::Pending`] past `until`, [`Status::WouldDeadlock`] on the thread of the token's own runner,
    /// [`Status::InvalidHandle`] for a stale token.
    pub(crate) fn wait_until(self, until: Until) -> Result<Reply, Status> {
        let (runner, reply) = self.lock()?.look(Reply::clone);
        self.wait_if_pending(runner, reply, until)
    }

    /// The same, for a token that must be of this runner, if of a certain one ([`Status::InvalidArgument`]).
    pub(crate) fn wait_on(self, runner: Option<RunnerId>, until: Until) -> Result<Reply, Status> {
        // One look for all three questions: whose it is, whether it has finished, with what.
        match self.lock()?.look(Reply::clone) {
            (owner, _) if runner.is_some_and(|runner| runner != owner) => Err(Status::InvalidArgument),
            (owner, reply) => self.wait_if_pending(owner, reply, until),
        }
    }

    fn wait_if_pending(self, runner: RunnerId, reply: Option<Reply>, until: Until) -> Result<Reply, Status> {
        if let Some(reply) = reply {
            return Ok(reply);
        }
        if until.has_passed() {
            return Err(Status::Pending);
        }
        if works_for(runner) {
            return Err(Status::WouldDeadlock);
        }
        with_parker(|parker| self.slot.wait_until(self.id().generation, parker, until.instant()))
    }

    /// The next item of a stream. After the last one how the job ended, with [`Status::End`] for a success.
    /// [`Status::Pending`] past `until`, [`Status::WouldDeadlock`] instead of blocking its runner's thread.
    pub(crate) fn next_item(self, until: Until) -> Result<Reply, Status> {
        with_parker(|parker| {
            let observer: Arc<dyn Observer> = Arc::clone(parker) as _;
            let (mut observing, mut registered) = (false, false);
            loop {
                // In this order: all items were sent before the token finished.
                let (runner, finished) = self.lock()?.look(Reply::status);
                let stream = self.lock()?.stream_to_read();
                let reader = (!until.has_passed()).then_some(parker);
                let item = stream.take(reader);
                registered |= item.is_none() && reader.is_some();
                let outcome = match (item, finished) {
                    (Some(item), _) => Some(Ok(item)),
                    (None, Some(Status::Ok)) => Some(Err(Status::End)),
                    (None, Some(_)) => Some(self.poll()),
                    (None, None) if until.has_passed() => Some(Err(Status::Pending)),
                    (None, None) if works_for(runner) => Some(Err(Status::WouldDeadlock)),
                    (None, None) => None,
                };
                if let Some(outcome) = outcome {
                    if registered {
                        self.unobserve(&observer);
                        stream.forget(parker);
                    }
                    return outcome;
                }
                if !observing {
                    observing = true;
                    // Finished meanwhile: look again.
                    if self.observe(&observer, 0)? != Status::Pending {
                        continue;
                    }
                }
                park(parker, earlier(until.instant(), self.deadline()), self.spin_limit());
            }
        })
    }
}

impl Slot {
    /// Blocks the thread that owns `parker` until the token of this generation has finished, or `until`.
    pub(super) fn wait_until(
        &self,
        generation: u32,
        parker: &Arc<Parker>,
        until: Option<Instant>,
    ) -> Result<Reply, Status> {
        let observer: Arc<dyn Observer> = Arc::clone(parker) as _;
        let mut token = self.lock_for_host(generation)?;
        let (deadline, limit) = (token.deadline(), token.spin_limit());
        if token.observe(&observer, 0) == Status::Pending {
            drop(token);
            park(parker, earlier(until, deadline), limit);
            token = self.lock_for_host(generation)?;
        }
        loop {
            if let (_, Some(reply)) = token.look(Reply::clone) {
                return Ok(reply);
            }
            if until.is_some_and(|until| until <= Instant::now()) {
                self.lock_for_host(generation)?.unobserve(&observer);
                // It may have finished between the look and the removal.
                return self.lock_for_host(generation)?.look(Reply::clone).1.ok_or(Status::Pending);
            }
            park(parker, earlier(until, deadline), limit);
            token = self.lock_for_host(generation)?;
        }
    }
}
