//! The token's state machine: everything that happens under the lock of one slot.
//!
//! Guarantees and states are written down in [`super`]. Each operation names the generation it means; under
//! the lock it either finds that tenant or answers [`Status::InvalidHandle`]. What must happen outside the
//! lock (telling observers, waking the job, dropping its waker) is returned by the locked part and done after it.

use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

use crate::current::RunnerId;
use crate::reply::{Reply, Status};
use crate::sync::{Mutex, MutexGuard, Parker, lock};

/// Is told that a token finished: outside every lock, once for each time it was added.
pub(crate) trait Observer: Send + Sync {
    /// `tag` is the number that the observer was added with.
    fn finished(&self, tag: u32, status: Status);
}

/// One slot: vacant, or the state of the token that lives in it now.
#[derive(Default)]
pub(crate) struct TokenCell {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Counts the tenants; stale names have an older one.
    generation: u32,
    runner: RunnerId,
    /// The host's name for the token is valid.
    host_holds: bool,
    /// The runner has yet to finish or drop the job.
    job_holds: bool,
    deadline: Option<Instant>,
    /// `Some`: finished.
    reply: Option<Reply>,
    /// The task to wake when the job need not go on.
    task: Option<Waker>,
    observer: Option<Registration>,
    /// Every observer after the first: few tokens have any.
    more_observers: Option<Box<Vec<Registration>>>,
}

struct Registration {
    observer: Arc<dyn Observer>,
    tag: u32,
}

/// What is left to do, outside the lock, for the one who finished a token or let the host go.
#[derive(Default)]
struct Aftermath {
    status: Option<Status>,
    task: Option<Waker>,
    observer: Option<Registration>,
    more_observers: Option<Box<Vec<Registration>>>,
}

impl Aftermath {
    fn settle(self) {
        let Some(status) = self.status else { return };
        if let Some(task) = self.task {
            task.wake();
        }
        for registration in self.observer.into_iter().chain(self.more_observers.into_iter().flat_map(|more| *more)) {
            registration.observer.finished(registration.tag, status);
        }
    }
}

impl State {
    fn is_pending(&self) -> bool {
        self.job_holds && self.reply.is_none()
    }

    fn is_vacant(&self) -> bool {
        !self.host_holds && !self.job_holds
    }

    /// Pending -> Finished. The caller has checked that the token is pending.
    fn finish(&mut self, reply: Reply) -> Aftermath {
        let status = reply.status();
        self.reply = Some(reply);
        self.notify(status)
    }

    /// Everyone who asked is told.
    fn notify(&mut self, status: Status) -> Aftermath {
        Aftermath {
            status: Some(status),
            task: self.task.take(),
            observer: self.observer.take(),
            more_observers: self.more_observers.take(),
        }
    }

    /// A deadline that has passed finishes the token, whoever notices it.
    fn expire(&mut self, now: Instant) -> Option<Aftermath> {
        let expired = self.is_pending() && self.deadline.is_some_and(|deadline| deadline <= now);
        expired.then(|| self.finish(Reply::ending(Status::Deadline)))
    }

    /// Finished -> Vacant, or nothing while a side still holds on. Whether the slot may be reused.
    fn vacate(&mut self) -> (bool, Option<Reply>) {
        if !self.is_vacant() {
            return (false, None);
        }
        // A slot whose names are used up is never reused: no stale handle can ever meet a namesake.
        (self.generation < u32::MAX, self.reply.take())
    }
}

impl TokenCell {
    /// Vacant -> Pending. Answers the generation of the new tenant.
    pub(crate) fn open(&self, runner: RunnerId, deadline: Option<Instant>) -> u32 {
        let mut state = lock(&self.state);
        state.generation += 1;
        state.runner = runner;
        state.deadline = deadline;
        (state.host_holds, state.job_holds) = (true, true);
        state.generation
    }

    /// The state of the tenant that the host means.
    fn host_state(&self, generation: u32) -> Result<MutexGuard<'_, State>, Status> {
        let state = lock(&self.state);
        if state.generation == generation && state.host_holds { Ok(state) } else { Err(Status::InvalidHandle) }
    }

    pub(crate) fn runner(&self, generation: u32) -> Result<RunnerId, Status> {
        Ok(self.host_state(generation)?.runner)
    }

    pub(crate) fn poll(&self, generation: u32) -> Result<Reply, Status> {
        let mut state = self.host_state(generation)?;
        if let Some(reply) = &mut state.reply {
            return Ok(reply.share());
        }
        if state.deadline.is_none() {
            return Err(Status::Pending);
        }
        let aftermath = state.expire(Instant::now());
        let answer = state.reply.as_mut().map(Reply::share).ok_or(Status::Pending);
        drop(state);
        aftermath.unwrap_or_default().settle();
        answer
    }

    /// Blocks the thread that owns `parker`.
    pub(crate) fn wait_until(
        &self,
        generation: u32,
        parker: &Arc<Parker>,
        until: Option<Instant>,
    ) -> Result<Reply, Status> {
        let observer: Arc<dyn Observer> = Arc::clone(parker) as _;
        if self.observe(generation, &observer, 0)? != Status::Pending {
            return self.poll(generation);
        }
        let deadline = self.deadline(generation);
        loop {
            parker.park_until(earlier(until, deadline));
            match self.poll(generation) {
                Err(Status::Pending) if until.is_some_and(|until| until <= Instant::now()) => {
                    self.unobserve(generation, &observer);
                    // It may have finished between the look and the removal.
                    return self.poll(generation);
                }
                Err(Status::Pending) => {}
                answer => return answer,
            }
        }
    }

    pub(crate) fn observe(&self, generation: u32, observer: &Arc<dyn Observer>, tag: u32) -> Result<Status, Status> {
        let mut state = self.host_state(generation)?;
        if let Some(reply) = &state.reply {
            return Ok(reply.status());
        }
        let registration = Registration { observer: Arc::clone(observer), tag };
        if state.observer.is_none() {
            state.observer = Some(registration);
        } else {
            state.more_observers.get_or_insert_default().push(registration);
        }
        Ok(Status::Pending)
    }

    pub(crate) fn unobserve(&self, generation: u32, observer: &Arc<dyn Observer>) {
        let Ok(mut state) = self.host_state(generation) else { return };
        let same = |registration: &Registration| Arc::ptr_eq(&registration.observer, observer);
        let first = state.observer.take_if(|registration| same(registration));
        if let Some(more) = &mut state.more_observers {
            more.retain(|registration| !same(registration));
        }
        drop(state);
        drop(first);
    }

    /// Pending -> Finished, by someone other than the job. Whether this call did it.
    pub(crate) fn end(&self, generation: u32, status: Status) -> Result<bool, Status> {
        let mut state = self.host_state(generation)?;
        if !state.is_pending() {
            return Ok(false);
        }
        let aftermath = state.finish(Reply::ending(status));
        drop(state);
        aftermath.settle();
        Ok(true)
    }

    /// The same for whichever token of `runner` lives here now.
    pub(crate) fn finish_tenant_of(&self, runner: RunnerId, status: Status) {
        let mut state = lock(&self.state);
        if state.runner != runner || !state.is_pending() {
            return;
        }
        let aftermath = state.finish(Reply::ending(status));
        drop(state);
        aftermath.settle();
    }

    pub(crate) fn is_over(&self, generation: u32) -> bool {
        let mut state = lock(&self.state);
        if state.generation != generation || !state.is_pending() {
            return true;
        }
        let Some(deadline) = state.deadline else { return false };
        let aftermath = if deadline <= Instant::now() { state.expire(deadline) } else { None };
        drop(state);
        aftermath.map(Aftermath::settle).is_some()
    }

    pub(crate) fn is_over_or_wake(&self, generation: u32, task: &Waker) -> bool {
        let mut state = lock(&self.state);
        if state.generation != generation || !state.is_pending() {
            return true;
        }
        if !state.task.as_ref().is_some_and(|known| known.will_wake(task)) {
            state.task = Some(task.clone());
        }
        false
    }

    pub(crate) fn deadline(&self, generation: u32) -> Option<Instant> {
        let state = lock(&self.state);
        if state.generation == generation { state.deadline } else { None }
    }

    /// The job side lets go, finishing the token if nobody has. Whether the slot may be reused.
    ///
    /// Takes no generation: as long as the job side holds on, the slot has no other tenant.
    pub(crate) fn release_job(&self, reply: Reply) -> bool {
        let mut state = lock(&self.state);
        let (mut aftermath, mut late) = (Aftermath::default(), None);
        if state.is_pending() {
            aftermath = state.finish(reply);
        } else {
            late = Some(reply);
        }
        // The job itself lets go: there is no task left to wake.
        let task = aftermath.task.take().or_else(|| state.task.take());
        state.job_holds = false;
        let (reusable, unread) = state.vacate();
        drop(state);
        drop((task, late, unread));
        aftermath.settle();
        reusable
    }

    /// The host lets go. Waiters on the token wake and find its name stale. Whether the slot may be reused.
    pub(crate) fn release_host(&self, generation: u32) -> Result<bool, Status> {
        let mut state = self.host_state(generation)?;
        state.host_holds = false;
        let task = state.task.take();
        let mut aftermath = state.notify(Status::InvalidHandle);
        // The job goes on as if nothing had happened.
        (state.task, aftermath.task) = (task, None);
        let (reusable, reply) = state.vacate();
        drop(state);
        drop(reply);
        aftermath.settle();
        Ok(reusable)
    }
}

fn earlier(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
