//! The items that a streaming job sends and its host reads: a bounded channel between a task and a thread.
//!
//! # Guarantees
//!
//! * Items arrive in the order in which they were sent, each once.
//! * At most [`CAPACITY`] wait: a job that is faster than its reader pends in `send`.
//! * When the host lets go of the token the items that wait are dropped and every send fails from then on.
//! * Nobody is left waiting: a taken item wakes the senders, a new item the readers, the end both.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::reply::Reply;
use crate::sync::{Mutex, Parker, lock};

/// How many items wait for their reader at the most.
pub(crate) const CAPACITY: usize = 16;

#[derive(Default)]
pub(crate) struct Stream {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    items: VecDeque<Reply>,
    closed: bool,
    senders: Vec<Waker>,
    readers: Vec<Arc<Parker>>,
}

/// The host has let go of the token.
pub(crate) struct Closed;

impl Stream {
    /// Adds the item, or keeps it and wakes the task of `cx` when there is room.
    pub(crate) fn poll_send(&self, item: &mut Option<Reply>, cx: &mut Context<'_>) -> Poll<Result<(), Closed>> {
        let mut state = lock(&self.state);
        if state.closed {
            return Poll::Ready(Err(Closed));
        }
        if state.items.len() >= CAPACITY {
            if !state.senders.iter().any(|sender| sender.will_wake(cx.waker())) {
                state.senders.push(cx.waker().clone());
            }
            return Poll::Pending;
        }
        state.items.extend(item.take());
        let readers = std::mem::take(&mut state.readers);
        drop(state);
        readers.iter().for_each(|reader| reader.unpark());
        Poll::Ready(Ok(()))
    }

    /// The next item; without one, `reader` is woken when there is one.
    pub(crate) fn take(&self, reader: Option<&Arc<Parker>>) -> Option<Reply> {
        let mut state = lock(&self.state);
        let item = state.items.pop_front();
        match (&item, reader) {
            (None, Some(reader)) if !state.readers.iter().any(|known| Arc::ptr_eq(known, reader)) => {
                state.readers.push(Arc::clone(reader));
            }
            _ => {}
        }
        let senders = if item.is_some() { std::mem::take(&mut state.senders) } else { Vec::new() };
        drop(state);
        senders.into_iter().for_each(Waker::wake);
        item
    }

    /// Nobody will read on.
    pub(crate) fn close(&self) {
        let mut state = lock(&self.state);
        state.closed = true;
        let items = std::mem::take(&mut state.items);
        let senders = std::mem::take(&mut state.senders);
        let readers = std::mem::take(&mut state.readers);
        drop(state);
        drop(items);
        senders.into_iter().for_each(Waker::wake);
        readers.iter().for_each(|reader| reader.unpark());
    }
}
