//! The slot of a token: what it has in each of its states, and how it enters them.
//!
//! Guarantees and states are those of [`super`]; [`locked`](super::locked) has the steps that a token takes on behalf
//! of its host and its job.

use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

use super::extensions::Extensions;
use super::observer::{Notifications, Registration};
use super::stream::Stream;
use crate::current::RunnerId;
use crate::reply::{Reply, Status};
use crate::spin::SpinLimit;
use crate::sync::{AtomicU64, Mutex, Ordering, lock};

/// Who reads the items of a job.
#[derive(Clone, Copy, Default)]
pub(crate) struct Reading {
    /// Nobody can: what the job sends is refused.
    pub(crate) unread: bool,
    /// The most items that wait for their reader; 0: as many as usual.
    pub(crate) most_items: u32,
}

impl Reading {
    pub(crate) const NOBODY: Reading = Reading { unread: true, most_items: 0 };
}

/// What a token is made with.
#[derive(Default)]
pub(crate) struct NewToken {
    pub(crate) runner: RunnerId,
    pub(crate) deadline: Option<Instant>,
    /// `Some`: the job is queued. `None`: it has taken its payload already, or is a future, which has none.
    pub(crate) payload: Option<Vec<u8>>,
    pub(crate) reading: Reading,
    /// For threads that wait for it.
    pub(crate) spin_limit: SpinLimit,
}

/// One slot: vacant, or the state of the token that is in it now.
#[derive(Default)]
pub(crate) struct Slot {
    pub(super) state: Mutex<State>,
    /// Whose token it is and which, as long as the host's name for it is valid; 0 otherwise. Written under the lock, so
    /// that what would only ask for this need not take it.
    named: AtomicU64,
}

#[derive(Default)]
pub(super) struct State {
    /// Counts the tokens that were in this slot; a stale name has an older one.
    pub(super) generation: u32,
    pub(super) runner: RunnerId,
    /// The host's name for the token is valid.
    pub(super) host_holds: bool,
    /// The runner has yet to finish the token or to drop its job.
    pub(super) job_holds: bool,
    /// The job has no stream.
    pub(super) unread: bool,
    pub(super) spin_limit: SpinLimit,
    /// `None` while the slot is vacant, so that of a busy moment no more than a few words for each slot remain.
    life: Option<Box<Life>>,
    /// Keeps `life` while it is vacant, to save an allocation for each token: one of the slots that are used most.
    keeps_life: bool,
}

/// What a token has while it exists.
#[derive(Default)]
pub(super) struct Life {
    pub(super) deadline: Option<Instant>,
    pub(super) phase: Phase,
    /// The task to wake when the job is to be dropped.
    pub(super) task: Option<Waker>,
    pub(super) observer: Option<Registration>,
    /// What few tokens have.
    pub(super) extensions: Option<Box<Extensions>>,
}

/// How far the job is.
#[derive(Default)]
pub(super) enum Phase {
    /// The job is yet to start. Its payload waits here, so that what is queued is no more than a name.
    Queued(Vec<u8>),
    #[default]
    Running,
    Finished(Reply),
}

/// What remains of a token in a slot that has become vacant. Dropping it may call the host.
pub(super) enum Remains {
    Nothing,
    Extensions(#[expect(dead_code, reason = "dropped")] Box<Extensions>),
    Life(#[expect(dead_code, reason = "dropped")] Box<Life>),
}

impl Slot {
    /// Vacant -> Queued or Running. Returns the generation of the new token. `keeps_life`: the slot keeps its
    /// memory while it is vacant.
    #[inline(always)]
    pub(super) fn open(&self, new: NewToken, keeps_life: bool) -> u32 {
        let mut state = lock(&self.state);
        state.generation += 1;
        state.runner = new.runner;
        state.unread = new.reading.unread;
        state.spin_limit = new.spin_limit;
        state.keeps_life = keeps_life;
        (state.host_holds, state.job_holds) = (true, true);
        let generation = state.generation;
        self.named.store(u64::from(new.runner) << 32 | u64::from(generation), Ordering::Release);
        let life = state.life();
        life.deadline = new.deadline;
        life.phase = new.payload.map_or(Phase::Running, Phase::Queued);
        if new.reading.most_items > 0 {
            life.extensions().stream().set_capacity(new.reading.most_items);
        }
        generation
    }

    /// The runner of the token that the host's name means, without the lock. [`Status::InvalidHandle`] if the host has
    /// released it.
    #[inline]
    pub(super) fn owner(&self, generation: u32) -> Result<RunnerId, Status> {
        let named = self.named.load(Ordering::Acquire);
        if named as u32 == generation && named != 0 {
            Ok((named >> 32) as RunnerId)
        } else {
            Err(Status::InvalidHandle)
        }
    }

    /// The host's name is not valid any more. Under the lock.
    #[inline]
    pub(super) fn forget_name(&self) {
        self.named.store(0, Ordering::Release);
    }
}

impl State {
    pub(super) fn life(&mut self) -> &mut Life {
        self.life.get_or_insert_default()
    }

    /// Finished -> Vacant, once neither side holds the token. Whether the slot may be used again, and what is to be
    /// dropped outside the lock.
    #[inline]
    pub(super) fn vacate(&mut self) -> (bool, Remains) {
        if self.host_holds || self.job_holds {
            return (false, Remains::Nothing);
        }
        let remains = match &mut self.life {
            Some(life) if self.keeps_life => {
                // A reply or a payload: nothing but memory.
                life.phase = Phase::Running;
                life.extensions.take().map_or(Remains::Nothing, Remains::Extensions)
            }
            life => life.take().map_or(Remains::Nothing, Remains::Life),
        };
        // A slot whose generations are used up is never used again: no stale name can ever meet a namesake.
        (self.generation < u32::MAX, remains)
    }
}

impl Life {
    pub(super) fn extensions(&mut self) -> &mut Extensions {
        self.extensions.get_or_insert_default()
    }

    pub(super) fn reply(&self) -> Option<&Reply> {
        match &self.phase {
            Phase::Finished(reply) => Some(reply),
            Phase::Queued(_) | Phase::Running => None,
        }
    }

    /// Pending -> Finished. The caller has checked that the token is pending.
    #[inline]
    pub(super) fn finish(&mut self, reply: Reply) -> Option<Notifications> {
        let status = reply.status();
        self.phase = Phase::Finished(reply);
        if self.task.is_none() && self.observer.is_none() && self.extensions.is_none() {
            return None;
        }
        let more = self.extensions.as_mut().map(|extensions| extensions.finish());
        Some(Notifications { status, task: self.task.take(), observer: self.observer.take(), more })
    }

    /// The host releases the token: those who wait for it are notified. Its stream is the caller's to close.
    #[inline]
    pub(super) fn release_host(&mut self) -> (Option<Notifications>, Option<Arc<Stream>>) {
        if self.observer.is_none() && self.extensions.is_none() {
            return (None, None);
        }
        let (more, stream) = self.extensions.as_mut().map(|extensions| extensions.release_host()).unzip();
        let (status, observer) = (Status::InvalidHandle, self.observer.take());
        (Some(Notifications { status, task: None, observer, more }), stream.flatten())
    }
}
