//! A token under the lock of its slot: found once, then every step that it can take.
//!
//! [`Slot::lock_for_host`] and [`Slot::lock_for_job`] compare the generation; what they return is that token for as
//! long as the lock is held. A step that leaves something to do outside the lock (notifying observers, waking the job,
//! dropping what a host gave) takes the token by value: it releases the lock first.

use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

use tokio::sync::Notify;

use super::observer::{Notifications, Observer, Registration};
use super::slot::{Life, Phase, Slot, State};
use super::stream::Stream;
use crate::current::RunnerId;
use crate::reply::{Reply, Status};
use crate::spin::SpinLimit;
use crate::sync::{MutexGuard, is_planted, lock};

/// A token, while the lock of its slot is held.
pub(super) struct LockedToken<'a> {
    slot: &'a Slot,
    state: MutexGuard<'a, State>,
}

impl Slot {
    /// The token that the host's name means. [`Status::InvalidHandle`] if the host has released it.
    #[inline]
    pub(super) fn lock_for_host(&self, generation: u32) -> Result<LockedToken<'_>, Status> {
        let state = lock(&self.state);
        let is_valid = state.generation == generation && state.host_holds;
        if is_valid { Ok(LockedToken { slot: self, state }) } else { Err(Status::InvalidHandle) }
    }

    /// The token that the job's name means. `None` once its job has been dropped.
    #[inline]
    pub(super) fn lock_for_job(&self, generation: u32) -> Option<LockedToken<'_>> {
        let state = lock(&self.state);
        (state.generation == generation && state.job_holds).then_some(LockedToken { slot: self, state })
    }

    /// The token that is here now, if it is of this runner and its job has not been dropped.
    pub(super) fn lock_if_of(&self, runner: RunnerId) -> Option<LockedToken<'_>> {
        let state = lock(&self.state);
        (state.runner == runner && state.job_holds).then_some(LockedToken { slot: self, state })
    }
}

impl LockedToken<'_> {
    pub(super) fn runner(&self) -> RunnerId {
        self.state.runner
    }

    pub(super) fn spin_limit(&self) -> SpinLimit {
        self.state.spin_limit
    }

    pub(super) fn life(&mut self) -> &mut Life {
        self.state.life()
    }

    /// Whether nobody can read what the job sends.
    fn is_unread(&self) -> bool {
        self.state.unread
    }

    #[inline]
    fn is_pending(&mut self) -> bool {
        self.state.job_holds && self.state.life().reply().is_none()
    }

    pub(super) fn reply(&mut self) -> Option<&Reply> {
        self.state.life().reply()
    }

    /// When the token is to finish.
    pub(super) fn deadline(&mut self) -> Option<Instant> {
        self.state.life().deadline
    }

    pub(super) fn set_deadline(&mut self, deadline: Instant) {
        self.state.life().deadline = Some(deadline);
    }

    /// Releases the lock, then sends what a step has left to send.
    #[inline(always)]
    fn unlock(self, notifications: Option<Notifications>) {
        drop(self);
        if let Some(notifications) = notifications {
            notifications.send();
        }
    }

    /// A deadline that has passed finishes the token, whoever notices it. Most tokens have none.
    #[inline(always)]
    fn expire(&mut self) -> Option<Notifications> {
        let deadline = self.deadline()?;
        self.expire_at(deadline)
    }

    fn expire_at(&mut self, deadline: Instant) -> Option<Notifications> {
        let has_passed = self.is_pending() && deadline <= Instant::now();
        if has_passed { self.life().finish(Reply::ending(Status::Deadline)) } else { None }
    }

    /// The runner, and what `read` makes of the reply; `None` while the token is pending.
    #[inline(always)]
    pub(super) fn look<R>(mut self, read: impl FnOnce(&Reply) -> R) -> (RunnerId, Option<R>) {
        let notifications = self.expire();
        let seen = (self.runner(), self.reply().map(read));
        self.unlock(notifications);
        seen
    }

    /// How the token finished. [`Status::Pending`] if it has not: then `observer` is registered.
    pub(super) fn observe(&mut self, observer: &Arc<dyn Observer>, tag: u32) -> Status {
        let life = self.life();
        if let Some(reply) = life.reply() {
            return reply.status();
        }
        let registration = Registration { observer: Arc::clone(observer), tag };
        match &life.observer {
            None => life.observer = Some(registration),
            Some(_) => life.extensions().observers.push(registration),
        }
        Status::Pending
    }

    /// How the token finished, or [`Status::Pending`] if an item can be read. `None`: then `observer` is registered.
    pub(super) fn observe_next_item(&mut self, observer: &Arc<dyn Observer>) -> Option<Status> {
        let life = self.life();
        match life.reply() {
            Some(reply) => Some(reply.status()),
            None => life.extensions().stream().observe_next(observer).then_some(Status::Pending),
        }
    }

    pub(super) fn unobserve(mut self, observer: &Arc<dyn Observer>) {
        let is_it = |registration: &Registration| Arc::ptr_eq(&registration.observer, observer);
        let life = self.life();
        let first = life.observer.take_if(|registration| is_it(registration));
        let others = life.extensions.as_mut().map(|extensions| extensions.take_observers(is_it));
        // Outside the lock: these may be the last references.
        drop(self);
        drop((first, others));
    }

    /// Pending -> Finished, by someone other than the job, whose task is woken. Whether this call did it.
    pub(super) fn end(mut self, status: Status) -> bool {
        let is_pending = self.is_pending();
        let notifications = if is_pending { self.life().finish(Reply::ending(status)) } else { None };
        self.unlock(notifications);
        is_pending
    }

    /// Finishes the token if its deadline has passed. The deadline if it is pending.
    pub(super) fn expire_and_unlock(mut self) -> Option<Instant> {
        let notifications = self.expire();
        let deadline = if self.is_pending() { self.deadline() } else { None };
        self.unlock(notifications);
        deadline
    }

    /// The host releases the token if it has finished, and takes the reply. Also whether the slot may be used again.
    #[inline]
    pub(super) fn take(mut self) -> Option<(Reply, bool)> {
        let notifications = self.expire();
        let job_holds = self.state.job_holds;
        let reply = match &mut self.life().phase {
            // Whoever drops the job looks at how its token finished.
            Phase::Finished(reply) if job_holds => Some(reply.clone()),
            Phase::Finished(reply) => Some(std::mem::replace(reply, Reply::ending(Status::Ok))),
            Phase::Queued(_) | Phase::Running => None,
        };
        let Some(reply) = reply else {
            self.unlock(notifications);
            return None;
        };
        let is_reusable = self.release_host();
        if let Some(notifications) = notifications {
            notifications.send();
        }
        Some((reply, is_reusable))
    }

    /// The host releases the token. Those who wait for it wake and find its name stale. Whether the slot may be used
    /// again.
    #[inline(always)]
    pub(super) fn release_host(mut self) -> bool {
        self.state.host_holds = false;
        self.slot.forget_name();
        // The job runs on; only a stream has nobody to send to any more.
        let (notifications, stream) = self.life().release_host();
        let (is_reusable, remains) = self.state.vacate();
        drop(self);
        if let Some(stream) = stream {
            stream.close();
        }
        drop(remains);
        if let Some(notifications) = notifications {
            notifications.send();
        }
        is_reusable
    }
}

/// For the job's side.
impl LockedToken<'_> {
    /// Queued -> Running. The payload; `None` if the token has finished: then the job need not start.
    pub(super) fn take_payload(mut self) -> Option<Vec<u8>> {
        let notifications = self.expire();
        let life = self.life();
        let payload = match &mut life.phase {
            Phase::Queued(payload) => Some(std::mem::take(payload)),
            Phase::Running | Phase::Finished(_) => None,
        };
        if payload.is_some() {
            life.phase = Phase::Running;
        }
        self.unlock(notifications);
        payload
    }

    /// Whether the token has finished, so that the job need not run on.
    pub(super) fn should_stop(mut self) -> bool {
        let notifications = self.expire();
        let should_stop = !self.is_pending();
        self.unlock(notifications);
        should_stop
    }

    /// Whether the job is to be dropped instead of polled. If not, `task` is woken when that changes.
    pub(super) fn poll_should_stop(&mut self, task: &Waker) -> bool {
        if !self.is_pending() {
            return true;
        }
        let known = &mut self.life().task;
        if !known.as_ref().is_some_and(|known| known.will_wake(task)) {
            *known = Some(task.clone());
        }
        false
    }

    /// The job has been dropped: finishes the token if nobody has. Whether the slot may be used again.
    pub(super) fn release_job(mut self, reply: Reply) -> bool {
        let is_pending = self.is_pending();
        let life = self.life();
        // There is no task left to wake.
        let task = life.task.take();
        let finishes = is_pending || is_planted("second-finish");
        let notifications = if finishes { life.finish(reply) } else { None };
        self.state.job_holds = false;
        let (is_reusable, remains) = self.state.vacate();
        drop(self);
        drop((task, remains));
        if let Some(notifications) = notifications {
            notifications.send();
        }
        is_reusable
    }
}

/// What few tokens need.
impl LockedToken<'_> {
    /// Registers whom to notify when the token finishes, also if the host releases it before; at once if it has
    /// finished. Once for each token.
    pub(super) fn set_completion(mut self, observer: Arc<dyn Observer>) {
        match self.reply().map(|reply| reply.status()) {
            None => self.life().extensions().completion = Some(Registration { observer, tag: 0 }),
            Some(status) => {
                drop(self);
                observer.notify(0, status);
            }
        }
    }

    /// The stream that the job sends to; `None` if nobody will read it or the token has finished.
    pub(super) fn stream_to_send(&mut self) -> Option<Arc<Stream>> {
        let is_open = self.is_pending() && !self.is_unread();
        is_open.then(|| Arc::clone(self.life().extensions().stream()))
    }

    pub(super) fn stream_to_read(&mut self) -> Arc<Stream> {
        Arc::clone(self.life().extensions().stream())
    }

    /// What notifies the job's tasks of its end; `None` if the token has finished.
    pub(super) fn stop(&mut self) -> Option<Arc<Notify>> {
        self.is_pending().then(|| Arc::clone(self.life().extensions().stop()))
    }

    pub(super) fn set_progress(&mut self, done: u64, total: u64) {
        if self.is_pending() {
            self.life().extensions().progress = (done, total);
        }
    }

    /// Done and total; (0, 0) before the job said anything.
    pub(super) fn progress(&mut self) -> (u64, u64) {
        self.life().extensions.as_ref().map_or((0, 0), |extensions| extensions.progress)
    }
}
