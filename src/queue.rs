//! A completion queue: events from any number of producers, drained by the host, with a readiness descriptor.
//!
//! Tokens push through a [`QueueNotifier`], the C functions drain.
//!
//! # Guarantees
//!
//! * Every event that was pushed before the queue was closed is drained exactly once, in the order of pushing.
//! * The descriptor is readable while events wait, and after the close; see [`readiness`].
//! * Pushing never blocks, and wakes a thread only if one waits.
//!
//! # States
//!
//! ```text
//!   open ---- close ----> closed: later events are discarded; next drains what is left, then fails with END
//! ```

mod notifier;
mod readiness;

use std::os::fd::RawFd;
use std::sync::{PoisonError, RwLock};

use crossbeam_channel::{Receiver, RecvError, RecvTimeoutError, Sender, TryRecvError};

use crate::current::works_for_any;
use crate::deadline::Until;
use crate::reply::Status;
use crate::token::TokenId;
pub(crate) use notifier::QueueNotifier;
use readiness::Readiness;

/// A token has finished, or has items to read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event {
    pub(crate) tag: u64,
    /// The token, if the host has a handle of it.
    pub(crate) token: Option<TokenId>,
    /// How the token finished; [`Status::Pending`]: items can be read.
    pub(crate) status: Status,
}

pub(crate) struct Queue {
    /// Gone once the queue is closed.
    sender: RwLock<Option<Sender<Event>>>,
    receiver: Receiver<Event>,
    readiness: Readiness,
}

impl Queue {
    pub(crate) fn new() -> Queue {
        let (sender, receiver) = crossbeam_channel::unbounded();
        Queue { sender: RwLock::new(Some(sender)), receiver, readiness: Readiness::new() }
    }

    pub(crate) fn push(&self, event: Event) {
        let sender = self.sender.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = &*sender
            && sender.send(event).is_ok()
        {
            self.readiness.added_one();
        }
    }

    /// Moves up to `max` events to `take`; blocks for the first of them. Returns how many there were.
    /// [`Status::Pending`] past `until`, [`Status::End`] when the queue is closed and empty,
    /// [`Status::WouldDeadlock`] instead of blocking a runner's thread.
    pub(crate) fn next(&self, until: Until, max: usize, mut take: impl FnMut(Event)) -> Result<usize, Status> {
        let mut taken = 0;
        while taken < max
            && let Ok(event) = self.receiver.try_recv()
        {
            take(event);
            taken += 1;
        }
        if taken == 0 {
            take(self.wait(until).inspect_err(|_| self.readiness.found_nothing())?);
            taken = 1;
        }
        self.readiness.took(taken);
        Ok(taken)
    }

    fn wait(&self, until: Until) -> Result<Event, Status> {
        let pending = |error| match error {
            RecvTimeoutError::Timeout => Status::Pending,
            RecvTimeoutError::Disconnected => Status::End,
        };
        match until {
            // Not a wait with a deadline that has passed: that one looks for some microseconds first.
            Until::Now => self.receiver.try_recv().map_err(|error| match error {
                TryRecvError::Empty => Status::Pending,
                TryRecvError::Disconnected => Status::End,
            }),
            // The runner whose jobs fill the queue may be this one.
            _ if works_for_any() => self.wait(Until::Now).map_err(|status| match status {
                Status::Pending => Status::WouldDeadlock,
                status => status,
            }),
            Until::At(instant) => self.receiver.recv_deadline(instant).map_err(pending),
            Until::Forever => self.receiver.recv().map_err(|RecvError| Status::End),
        }
    }

    /// Discards what is pushed from now on and wakes whoever waits.
    pub(crate) fn close(&self) {
        let sender = self.sender.write().unwrap_or_else(PoisonError::into_inner).take();
        if sender.is_some() {
            // First: who is woken by the readiness must find the end, or an edge-triggered loop sleeps forever.
            drop(sender);
            self.readiness.closed();
        }
    }

    /// Fails if the system refuses the descriptor, which is made at the first call.
    pub(crate) fn fd(&self) -> std::io::Result<RawFd> {
        self.readiness.fd()
    }
}
