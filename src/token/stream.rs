//! The items that a streaming job sends and its host reads: a bounded channel between a task and a thread.
//!
//! # Guarantees
//!
//! * Items arrive in the order in which they were sent, each once.
//! * At most [`CAPACITY`] wait, or as many as the host asked for: a job that is faster than its reader pends in `send`.
//! * When the host lets go of the token the items that wait are dropped and every send fails from then on.
//! * A queue is told of items once each time that a reader had found none before, so never of more than a reader
//!   has asked for, and no item is left untold.
//! * Nobody is left waiting: a taken item wakes the senders, a new item the readers, the end both.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::Events;
use crate::reply::{Reply, Status};
use crate::sync::{Mutex, Parker, lock};

/// How many items wait for their reader at the most, unless the host says another number.
pub(crate) const CAPACITY: usize = 16;

#[derive(Default)]
pub(crate) struct Stream {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    items: VecDeque<Reply>,
    /// How many items may wait; 0: [`CAPACITY`].
    capacity: usize,
    closed: bool,
    senders: Vec<Waker>,
    readers: Vec<Arc<Parker>>,
    /// Told of the next item, if there is a queue to tell.
    events: Option<Arc<Events>>,
    /// The last reader found nothing, or nobody has read yet: the next item is news.
    is_news: bool,
}

/// The host has let go of the token.
pub(crate) struct Closed;

impl State {
    fn capacity(&self) -> usize {
        if self.capacity == 0 { CAPACITY } else { self.capacity }
    }

    /// Whom to tell, outside the lock, that an item waits.
    fn news(&mut self) -> Option<Arc<Events>> {
        std::mem::take(&mut self.is_news).then(|| self.events.clone()).flatten()
    }
}

fn tell(events: Option<Arc<Events>>) {
    if let Some(events) = events {
        events.push(Status::Pending);
    }
}

impl Stream {
    /// Adds the item, or keeps it and wakes the task of `cx` when there is room.
    pub(crate) fn poll_send(&self, item: &mut Option<Reply>, cx: &mut Context<'_>) -> Poll<Result<(), Closed>> {
        let mut state = lock(&self.state);
        if state.closed {
            return Poll::Ready(Err(Closed));
        }
        if state.items.len() >= state.capacity() {
            if !state.senders.iter().any(|sender| sender.will_wake(cx.waker())) {
                state.senders.push(cx.waker().clone());
            }
            return Poll::Pending;
        }
        state.items.extend(item.take());
        let readers = std::mem::take(&mut state.readers);
        let events = state.news();
        drop(state);
        readers.iter().for_each(|reader| reader.unpark());
        tell(events);
        Poll::Ready(Ok(()))
    }

    /// How many items wait for their reader at the most. Before the first is sent.
    pub(crate) fn set_capacity(&self, items: usize) {
        lock(&self.state).capacity = items;
    }

    /// Has a queue told of items from now on; at once if some wait.
    pub(crate) fn tell(&self, events: Arc<Events>) {
        let mut state = lock(&self.state);
        state.events = Some(events);
        state.is_news = true;
        let events = if state.items.is_empty() { None } else { state.news() };
        drop(state);
        tell(events);
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
        // Under the lock that the next item comes in by: it cannot slip in between unnoticed.
        state.is_news |= item.is_none();
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
