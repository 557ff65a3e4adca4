//! The observer that turns what happens to a token into events of a queue.
//!
//! # Guarantees
//!
//! * The end of a token is pushed once, by whoever finishes it; also if the host has released it by then.
//! * A queue that is gone is no error: nothing is pushed.

use std::sync::Weak;

use super::{Event, Queue};
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
            queue.push(Event { tag: self.tag, token: self.token, status });
        }
    }
}
