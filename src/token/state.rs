//! The token's state machine: everything that happens under the lock of one slot.
//!
//! Guarantees and states are written down in [`super`]. Each operation names the generation it means; under
//! the lock it either finds that tenant or answers [`Status::InvalidHandle`]. What must happen outside the
//! lock (telling observers, waking the job, dropping its waker) is returned by the locked part and done after it.

mod rare;

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

use super::stream::Stream;
use crate::current::RunnerId;
use crate::reply::{Reply, Status};
use crate::sync::{Mutex, MutexGuard, Parker, lock};
use rare::Rare;

/// Is told that a token finished: outside every lock, once for each time it was added.
pub(crate) trait Observer: Send + Sync {
    /// `tag` is the number that the observer was added with.
    fn finished(&self, tag: u32, status: Status);
}

/// Who reads the items of a job.
#[derive(Clone, Copy, Default)]
pub(crate) struct Reading {
    /// Nobody can: what the job sends is refused.
    pub(crate) unread: bool,
    /// How many items wait for their reader at the most; 0: as many as usual.
    pub(crate) most_items: u32,
}

impl Reading {
    pub(crate) const NOBODY: Reading = Reading { unread: true, most_items: 0 };
}

/// What a token is made with.
#[derive(Default)]
pub(crate) struct Tenant {
    pub(crate) runner: RunnerId,
    pub(crate) deadline: Option<Instant>,
    /// `Some`: the job is yet to begin.
    pub(crate) payload: Option<Vec<u8>>,
    pub(crate) reading: Reading,
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
    /// The job has no stream.
    unread: bool,
    /// None while the slot is vacant, but in the slots that are always in use: what stays of a busy moment is a few
    /// words for each slot.
    life: Option<Box<Life>>,
    keeps_life: bool,
}

/// What a token has from its beginning to its end.
#[derive(Default)]
struct Life {
    deadline: Option<Instant>,
    phase: Phase,
    /// The task to wake when the job need not go on.
    task: Option<Waker>,
    observer: Option<Registration>,
    /// What few tokens have.
    rare: Option<Box<Rare>>,
}

/// What a vacant slot has of that.
static VACANT: Life = Life { deadline: None, phase: Phase::Running, task: None, observer: None, rare: None };

impl Deref for State {
    type Target = Life;

    fn deref(&self) -> &Life {
        self.life.as_deref().unwrap_or(&VACANT)
    }
}

impl DerefMut for State {
    fn deref_mut(&mut self) -> &mut Life {
        self.life.get_or_insert_default()
    }
}

/// How far the job is.
#[derive(Default)]
enum Phase {
    /// Not begun; the payload waits here, so that what is queued is no more than a name.
    Queued(Vec<u8>),
    #[default]
    Running,
    Finished(Reply),
}

/// What is left of a token in a slot that has become vacant. Dropping it may call anything.
enum Remains {
    Nothing,
    Rare(#[expect(dead_code, reason = "dropped")] Box<Rare>),
    Life(#[expect(dead_code, reason = "dropped")] Box<Life>),
}

struct Registration {
    observer: Arc<dyn Observer>,
    tag: u32,
}

/// Whom to notify, outside the lock, once a token has finished or the host has released it. Mostly nobody.
#[must_use]
struct Aftermath {
    status: Status,
    task: Option<Waker>,
    observer: Option<Registration>,
    more: Option<More>,
}

/// Those whom only a token with [`Rare`] has.
struct More {
    /// Tasks beside the job that waited for room in its stream.
    senders: Vec<Waker>,
    observers: Vec<Registration>,
    completion: Option<Registration>,
}

impl Aftermath {
    fn settle(self) {
        if let Some(task) = self.task {
            task.wake();
        }
        if let Some(registration) = self.observer {
            registration.notify(self.status);
        }
        if let Some(more) = self.more {
            more.senders.into_iter().for_each(Waker::wake);
            more.observers.into_iter().chain(more.completion).for_each(|registration| registration.notify(self.status));
        }
    }
}

#[inline(always)]
fn settle(aftermath: Option<Aftermath>) {
    if let Some(aftermath) = aftermath {
        aftermath.settle();
    }
}

impl Registration {
    fn notify(self, status: Status) {
        self.observer.finished(self.tag, status);
    }
}

impl State {
    fn is_pending(&self) -> bool {
        self.job_holds && !matches!(self.phase, Phase::Finished(_))
    }

    fn reply(&mut self) -> Option<&mut Reply> {
        match &mut self.phase {
            Phase::Finished(reply) => Some(reply),
            _ => None,
        }
    }

    fn is_vacant(&self) -> bool {
        !self.host_holds && !self.job_holds
    }

    /// A deadline that has passed finishes the token, whoever notices it.
    fn expire(&mut self) -> Option<Aftermath> {
        let expired = self.is_pending() && self.deadline.is_some_and(|deadline| deadline <= Instant::now());
        if expired { self.finish(Reply::ending(Status::Deadline)) } else { None }
    }

    /// Finished -> Vacant, or nothing while a side still holds on. Whether the slot may be reused.
    /// What it answers besides is to be dropped outside the lock.
    #[inline]
    fn vacate(&mut self) -> (bool, Remains) {
        if !self.is_vacant() {
            return (false, Remains::Nothing);
        }
        let remains = match &mut self.life {
            Some(life) if self.keeps_life => {
                // A reply or a payload: nothing but memory.
                life.phase = Phase::Running;
                life.rare.take().map_or(Remains::Nothing, Remains::Rare)
            }
            life => life.take().map_or(Remains::Nothing, Remains::Life),
        };
        // A slot whose names are used up is never reused: no stale handle can ever meet a namesake.
        (self.generation < u32::MAX, remains)
    }
}

impl Life {
    /// Has `observer` notified when the token, which is pending, finishes.
    fn observe(&mut self, observer: &Arc<dyn Observer>, tag: u32) {
        let registration = Registration { observer: Arc::clone(observer), tag };
        if self.observer.is_none() {
            self.observer = Some(registration);
        } else {
            self.rare.get_or_insert_default().observers.push(registration);
        }
    }

    /// Pending -> Finished. The caller has checked that the token is pending.
    #[inline]
    fn finish(&mut self, reply: Reply) -> Option<Aftermath> {
        let status = reply.status();
        self.phase = Phase::Finished(reply);
        if self.task.is_none() && self.observer.is_none() && self.rare.is_none() {
            return None;
        }
        let more = self.rare.as_mut().map(|rare| rare.finish());
        Some(Aftermath { status, task: self.task.take(), observer: self.observer.take(), more })
    }

    /// The host releases the token: those who wait for it are notified, and its stream is closed by whoever gets it.
    #[inline]
    fn release_host(&mut self) -> (Option<Aftermath>, Option<Arc<Stream>>) {
        if self.observer.is_none() && self.rare.is_none() {
            return (None, None);
        }
        let (more, stream) = self.rare.as_mut().map(|rare| rare.release_host()).unzip();
        let (status, observer) = (Status::InvalidHandle, self.observer.take());
        (Some(Aftermath { status, task: None, observer, more }), stream.flatten())
    }
}

impl TokenCell {
    /// Vacant -> Queued or Running. Answers the generation of the new tenant. `keeps_life`: the slot is one of those
    /// that are always in use.
    #[inline]
    pub(crate) fn open(&self, tenant: Tenant, keeps_life: bool) -> u32 {
        let mut state = lock(&self.state);
        state.generation += 1;
        state.runner = tenant.runner;
        state.unread = tenant.reading.unread;
        state.keeps_life = keeps_life;
        (state.host_holds, state.job_holds) = (true, true);
        let generation = state.generation;
        let life: &mut Life = &mut state;
        life.deadline = tenant.deadline;
        life.phase = tenant.payload.map_or(Phase::Running, Phase::Queued);
        if tenant.reading.most_items > 0 {
            life.rare.get_or_insert_default().stream.get_or_insert_default().set_capacity(tenant.reading.most_items);
        }
        generation
    }

    /// Queued -> Running. The payload; `None` if the token has finished: then the job need not begin.
    ///
    /// For the job side, as long as which holds on the slot has no other tenant.
    pub(crate) fn begin(&self) -> Option<Vec<u8>> {
        let mut state = lock(&self.state);
        if state.deadline.is_some() {
            let aftermath = state.expire();
            drop(state);
            settle(aftermath);
            state = lock(&self.state);
        }
        match &mut state.phase {
            Phase::Queued(payload) => {
                let payload = std::mem::take(payload);
                state.phase = Phase::Running;
                Some(payload)
            }
            _ => None,
        }
    }

    /// The state of the tenant that the host means.
    fn host_state(&self, generation: u32) -> Result<MutexGuard<'_, State>, Status> {
        let state = lock(&self.state);
        if state.generation == generation && state.host_holds { Ok(state) } else { Err(Status::InvalidHandle) }
    }

    pub(crate) fn runner(&self, generation: u32) -> Result<RunnerId, Status> {
        Ok(self.host_state(generation)?.runner)
    }

    /// The reply, if the token has finished.
    pub(crate) fn poll(&self, generation: u32) -> Result<Reply, Status> {
        self.look(generation, |reply| reply.clone()).1
    }

    /// How the token finished, or `Pending`.
    pub(crate) fn status(&self, generation: u32) -> Result<Status, Status> {
        match self.look(generation, |reply| reply.status()).1 {
            Err(Status::Pending) => Ok(Status::Pending),
            answer => answer,
        }
    }

    /// The runner, and what `read` makes of the reply. A look finishes a token whose deadline has passed.
    pub(crate) fn look<R>(&self, generation: u32, read: impl FnOnce(&mut Reply) -> R) -> (RunnerId, Result<R, Status>) {
        let mut state = match self.host_state(generation) {
            Ok(state) => state,
            Err(status) => return (0, Err(status)),
        };
        let runner = state.runner;
        let aftermath = if state.deadline.is_some() { state.expire() } else { None };
        let answer = state.reply().map(read).ok_or(Status::Pending);
        drop(state);
        settle(aftermath);
        (runner, answer)
    }

    /// Blocks the thread that owns `parker`.
    pub(crate) fn wait_until(
        &self,
        generation: u32,
        parker: &Arc<Parker>,
        until: Option<Instant>,
    ) -> Result<Reply, Status> {
        let observer: Arc<dyn Observer> = Arc::clone(parker) as _;
        let mut state = self.host_state(generation)?;
        if let Some(reply) = state.reply() {
            return Ok(reply.clone());
        }
        state.observe(&observer, 0);
        let deadline = state.deadline;
        drop(state);
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
        if let Some(reply) = state.reply() {
            return Ok(reply.status());
        }
        state.observe(observer, tag);
        Ok(Status::Pending)
    }

    pub(crate) fn unobserve(&self, generation: u32, observer: &Arc<dyn Observer>) {
        let Ok(mut state) = self.host_state(generation) else { return };
        let same = |registration: &Registration| Arc::ptr_eq(&registration.observer, observer);
        let first = state.observer.take_if(|registration| same(registration));
        if let Some(Life { rare: Some(rare), observer, .. }) = state.life.as_deref_mut() {
            rare.observers.retain(|registration| !same(registration));
            // The first place is never empty while others are taken.
            if observer.is_none() {
                *observer = rare.observers.pop();
            }
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
        settle(aftermath);
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
        settle(aftermath);
    }

    /// Ends whichever token of `runner` lives here now, if its deadline has passed. Its deadline, if it is pending.
    pub(crate) fn expire_tenant_of(&self, runner: RunnerId) -> Option<Instant> {
        let mut state = lock(&self.state);
        if state.runner != runner || state.deadline.is_none() {
            return None;
        }
        let aftermath = state.expire();
        let deadline = if state.is_pending() { state.deadline } else { None };
        drop(state);
        settle(aftermath);
        deadline
    }

    pub(crate) fn is_over(&self, generation: u32) -> bool {
        let mut state = lock(&self.state);
        if state.generation != generation || !state.is_pending() {
            return true;
        }
        if state.deadline.is_none() {
            return false;
        }
        let aftermath = state.expire();
        let is_over = !state.is_pending();
        drop(state);
        settle(aftermath);
        is_over
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

    pub(crate) fn set_deadline(&self, generation: u32, deadline: Instant) {
        if let Ok(mut state) = self.host_state(generation) {
            state.deadline = Some(deadline);
        }
    }

    /// The job side lets go, finishing the token if nobody has. Whether the slot may be reused.
    ///
    /// Takes no generation: as long as the job side holds on, the slot has no other tenant.
    pub(crate) fn release_job(&self, reply: Reply) -> bool {
        let mut state = lock(&self.state);
        // The job itself lets go: there is no task left to wake.
        let task = state.task.take();
        let (aftermath, late) = match state.is_pending() {
            true => (state.finish(reply), None),
            false => (None, Some(reply)),
        };
        state.job_holds = false;
        let (reusable, remains) = state.vacate();
        drop(state);
        drop((task, late, remains));
        settle(aftermath);
        reusable
    }

    /// The host lets go. Waiters on the token wake and find its name stale. Whether the slot may be reused.
    pub(crate) fn release_host(&self, generation: u32) -> Result<bool, Status> {
        let mut state = self.host_state(generation)?;
        state.host_holds = false;
        // The job goes on as if nothing had happened; only a stream has nobody to send to any more.
        let (aftermath, stream) = state.release_host();
        let (reusable, remains) = state.vacate();
        drop(state);
        if let Some(stream) = stream {
            stream.close();
        }
        drop(remains);
        settle(aftermath);
        Ok(reusable)
    }

    /// How the token finished, or `Cancelled`; for the job side.
    pub(crate) fn ending(&self) -> Status {
        lock(&self.state).reply().map_or(Status::Cancelled, |reply| reply.status())
    }
}

/// The earlier of two moments; `None` is never.
pub(crate) fn earlier(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
