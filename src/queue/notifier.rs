//! The observers that turn what happens to a token, or to a call, into events of a queue.
//!
//! # Guarantees
//!
//! * The end of a token is pushed once, by whoever finishes it; also if the host has released it by then.
//! * A queue that is gone is no error: nothing is pushed.

use std::sync::{Arc, Weak};
use std::task::Wake;

use super::{Event, Queue, Subject};
use crate::reply::Status;
use crate::token::{Observer, TokenId};

pub(crate) struct QueueNotifier {
    queue: Weak<Queue>,
    tag: u64,
    token: Option<TokenId>,
}

impl QueueNotifier {
    /// `token`: what the events name, if the host has a handle of it.
    pub(crate) fn new(queue: Weak<Queue>, tag: u64, token: Option<TokenId>) -> QueueNotifier {
        QueueNotifier { queue, tag, token }
    }
}

impl Observer for QueueNotifier {
    fn notify(&self, _tag: u32, status: Status) {
        if let Some(queue) = self.queue.upgrade() {
            queue.push(Event { tag: self.tag, subject: Subject::Token(self.token), status });
        }
    }
}

/// Turns what happens to a call that the host has taken into events. Woken, it says that an item can be sent.
pub(crate) struct CallNotifier {
    queue: Weak<Queue>,
    tag: u64,
    /// The host's name for it.
    call: u64,
}

impl CallNotifier {
    pub(crate) fn new(queue: Weak<Queue>, tag: u64, call: u64) -> CallNotifier {
        CallNotifier { queue, tag, call }
    }

    pub(crate) fn notify(&self, status: Status) {
        if let Some(queue) = self.queue.upgrade() {
            queue.push(Event { tag: self.tag, subject: Subject::Call(self.call), status });
        }
    }
}

impl Wake for CallNotifier {
    fn wake(self: Arc<Self>) {
        self.notify(Status::Ok);
    }
}
