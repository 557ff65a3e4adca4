//! The arguments of a submission: who submits, what, and how. A payload for which there is no memory is refused
//! (promise 11).

use std::sync::{Arc, Weak};
use std::time::Instant;

use super::registered::Callee;
use crate::current::{RunnerId, works_for};
use crate::queue::{Queue, QueueNotifier};
use crate::reply::Status;
use crate::token::{HostSide, Reading};

/// Who submits.
#[derive(Clone, Copy)]
pub(crate) enum Submitter {
    Host,
    /// A job of the same runner, from whichever thread.
    Job,
}

/// How a job is to be submitted, or many alike.
#[derive(Default)]
pub(crate) struct Wanted {
    pub(crate) deadline: Option<Instant>,
    pub(crate) events: Option<EventsWanted>,
    pub(crate) reading: Reading,
    /// Whether the calling thread may poll an inline job only, and queues any other.
    pub(crate) inline_only: bool,
    /// Whether the calling thread will wait for it, which must not be one that works for the runner.
    pub(crate) will_wait: bool,
}

impl Wanted {
    /// Whether this thread may submit so.
    #[inline]
    pub(super) fn check(&self, runner: RunnerId) -> Result<(), Status> {
        if self.will_wait && works_for(runner) { Err(Status::WouldDeadlock) } else { Ok(()) }
    }
}

/// Which queue is to be notified of a submitted job.
#[derive(Clone)]
pub(crate) struct EventsWanted {
    pub(crate) queue: Weak<Queue>,
    /// Of one job; each of many has its own.
    pub(crate) tag: u64,
    /// Whether the host has a handle of the token.
    pub(crate) named: bool,
    /// Whether it is notified of items that wait, too.
    pub(crate) items: bool,
}

/// Has a queue notified of the token's end, and of its items if that is wanted.
#[inline]
pub(super) fn notify_queue(host: &HostSide, wanted: Option<EventsWanted>) {
    if let Some(wanted) = wanted {
        wanted.register(host);
    }
}

impl EventsWanted {
    fn register(self, host: &HostSide) {
        let token = self.named.then(|| host.token().id());
        let notifier = Arc::new(QueueNotifier::new(self.queue, self.tag, token));
        if self.items {
            host.token().set_item_observer(Arc::clone(&notifier) as _);
        }
        host.token().set_completion(notifier);
    }
}

/// The length of a payload that every process has memory for.
const SMALL: usize = 1 << 16;

/// A payload that is copied only once all is known to be well.
pub(crate) enum Payload<'a> {
    Owned(Vec<u8>),
    Borrowed(&'a [u8]),
}

impl Payload<'_> {
    pub(super) fn len(&self) -> usize {
        match self {
            Payload::Owned(bytes) => bytes.len(),
            Payload::Borrowed(bytes) => bytes.len(),
        }
    }

    /// For this job. [`Status::TooLarge`] if there is no memory for a copy.
    #[inline]
    pub(super) fn into_vec(self, job: Callee) -> Result<Vec<u8>, Status> {
        let payload = match self {
            Payload::Owned(bytes) => bytes,
            Payload::Borrowed(bytes) => copied(bytes)?,
        };
        job.address(payload)
    }
}

/// A copy of what a host gives. [`Status::TooLarge`] if there is no memory for it: the length is the host's word.
#[inline]
pub(crate) fn copied(payload: &[u8]) -> Result<Vec<u8>, Status> {
    // The way that can fail costs more, and matters where the length may be absurd.
    if payload.len() <= SMALL { Ok(payload.to_vec()) } else { copied_if_it_fits(payload) }
}

#[cold]
fn copied_if_it_fits(payload: &[u8]) -> Result<Vec<u8>, Status> {
    let mut copy = Vec::new();
    copy.try_reserve_exact(payload.len()).map_err(|_| Status::TooLarge)?;
    copy.extend_from_slice(payload);
    Ok(copy)
}
