//! A completion queue: events from any number of producers, drained by the host, with a readiness descriptor.
//!
//! Tokens push through a [`QueueNotifier`], the C functions drain.
//!
//! # Guarantees
//!
//! * Every event that was pushed before the queue was closed is drained exactly once, in the order of pushing.
//! * The descriptor is readable while events wait, and after the close; see [`readiness`].
//! * Pushing never blocks, and wakes a thread only if one waits. Nor does taking events with [`Until::Now`]: it waits for
//!   no producer that was preempted.
//!
//! # States
//!
//! ```text
//!   open ---- close ----> closed: later events are discarded; next drains what is left, then fails with END
//! ```

mod notifier;
mod readiness;

use std::os::fd::RawFd;

use crate::call::Offer;
use crate::channel::Channel;
use crate::current::works_for_any;
use crate::deadline::Until;
use crate::reply::Status;
use crate::token::TokenId;
pub(crate) use notifier::{CallNotifier, QueueNotifier};
use readiness::Readiness;

/// Something has happened to a token, or to a call of a job of the host's.
pub(crate) struct Event {
    pub(crate) tag: u64,
    pub(crate) subject: Subject,
    pub(crate) status: Status,
}

/// What an event is about.
pub(crate) enum Subject {
    /// A token, if the host has a handle of it, has finished, or with [`Status::Pending`] has items to read.
    Token(Option<TokenId>),
    /// A job of the host's was called.
    Offer(Offer),
    /// A call that the host has taken, by the host's own name for it: [`Status::Cancelled`] says that its answer is not
    /// needed any more, [`Status::Ok`] that there is room for an item.
    Call(u64),
}

pub(crate) struct Queue {
    events: Channel<Event>,
    readiness: Readiness,
}

impl Queue {
    pub(crate) fn new() -> Queue {
        Queue { events: Channel::new(), readiness: Readiness::new() }
    }

    /// Whether the queue took the event: it does until it is closed.
    pub(crate) fn push(&self, event: Event) -> bool {
        let is_sent = self.events.send(event);
        if is_sent {
            self.readiness.added_one();
        }
        is_sent
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.events.is_closed()
    }

    /// Moves up to `max` events to `take`, which says whether it has one for the host; blocks for the first of them.
    /// Returns how many the host has. [`Status::Pending`] past `until`, [`Status::End`] when the queue is closed and
    /// empty, [`Status::WouldDeadlock`] instead of blocking a runner's thread.
    pub(crate) fn next(&self, until: Until, max: usize, mut take: impl FnMut(Event) -> bool) -> Result<usize, Status> {
        let (mut taken, mut given) = (0, 0);
        while given < max
            && let Ok(event) = self.events.try_receive()
        {
            taken += 1;
            given += usize::from(take(event));
        }
        while given == 0 {
            if taken > 0 {
                // All were stale.
                self.readiness.took(taken);
            }
            given = usize::from(take(self.wait(until).inspect_err(|_| self.readiness.found_nothing())?));
            taken = 1;
        }
        self.readiness.took(taken);
        Ok(given)
    }

    fn wait(&self, until: Until) -> Result<Event, Status> {
        // The runner whose jobs fill the queue may be the one that this thread works for.
        if matches!(until, Until::Now) || !works_for_any() {
            return self.events.receive(until);
        }
        self.events.try_receive().map_err(|status| match status {
            Status::Pending => Status::WouldDeadlock,
            status => status,
        })
    }

    /// Discards what is pushed from now on and wakes whoever waits.
    pub(crate) fn close(&self) {
        // First: who is woken by the readiness must find the end, or an edge-triggered loop sleeps forever.
        if self.events.close() {
            self.readiness.closed();
        }
    }

    /// Fails if the system refuses the descriptor, which is made at the first call.
    pub(crate) fn fd(&self) -> std::io::Result<RawFd> {
        self.readiness.fd()
    }
}
