//! What happens when a token finishes, besides waking those who wait: an event in a queue, a callback.
//!
//! # Guarantees
//!
//! * An event is pushed once, by whoever finishes the token; also if the host has let go of it by then.
//! * A callback is called at most once, on its runner's thread, outside every lock. It is not called when the
//!   host lets go of the unfinished token, or when the runner's thread is gone.
//! * A callback is dropped exactly once, called or not: what it owns is freed.

use std::sync::{Mutex, PoisonError, Weak};

use super::{Observer, TokenId};
use crate::queue::Queue;
use crate::reply::Status;

/// A token that has finished, or has items, as its queue tells it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event {
    pub(crate) tag: u64,
    /// Its name, if the host has one.
    pub(crate) token: Option<TokenId>,
    pub(crate) status: Status,
}

/// Pushes an event into a queue, if that still exists.
pub(crate) struct Events {
    pub(crate) queue: Weak<Queue<Event>>,
    pub(crate) tag: u64,
    pub(crate) token: Option<TokenId>,
}

impl Events {
    /// [`Status::Pending`] says that items wait, anything else how the token finished.
    pub(crate) fn push(&self, status: Status) {
        if let Some(queue) = self.queue.upgrade() {
            queue.push(Event { tag: self.tag, token: self.token, status });
        }
    }
}

impl Observer for Events {
    fn finished(&self, _tag: u32, status: Status) {
        self.push(status);
    }
}

/// A callback that is due: to be called on the runner's thread, with how the token finished.
pub(crate) type Call = Box<dyn FnOnce(Status) + Send>;

/// A callback that waits for its token.
pub(crate) struct Callback<Dispatch> {
    call: Mutex<Option<Call>>,
    /// Takes it to the runner's thread; drops it if that is gone.
    dispatch: Dispatch,
}

impl<Dispatch: Fn(Call, Status)> Callback<Dispatch> {
    pub(crate) fn new(call: Call, dispatch: Dispatch) -> Self {
        Callback { call: Mutex::new(Some(call)), dispatch }
    }
}

impl<Dispatch: Fn(Call, Status) + Send + Sync> Observer for Callback<Dispatch> {
    fn finished(&self, _tag: u32, status: Status) {
        let call = self.call.lock().unwrap_or_else(PoisonError::into_inner).take();
        match call {
            // The host has let go: dropped, not called.
            Some(call) if status == Status::InvalidHandle => drop(call),
            Some(call) => (self.dispatch)(call, status),
            None => {}
        }
    }
}
