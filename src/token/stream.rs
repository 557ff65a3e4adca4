//! The items that a streaming job sends and its host reads: a bounded channel between a task and a thread.
//!
//! # Guarantees
//!
//! * Items arrive in the order in which they were sent, each once.
//! * At most [`CAPACITY`] wait, or as many as the host asked for: a job that is faster than its reader pends in `send`.
//! * Once the token has finished, every send fails, also one that waits; the items that wait can be read.
//! * Once the host has released the token, every send fails and the items that wait are dropped.
//! * A reader that has left leaves nothing of its own behind, nor does a sender that blocks a thread.
//! * A queue is notified of items once each time that a reader had found none before: never more often than a reader
//!   asked, and of every item that a reader may wait for.
//! * Whoever observes the next item is notified once: of an item that waits, or of the end.
//! * Nobody is left waiting: a taken item wakes the senders, a new item the readers, the end both.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::observer::{EndOfStream, Observer};
use crate::panics::contain;
use crate::reply::{Reply, Status};
use crate::sync::{Mutex, Parker, is_planted, lock};

/// How many items wait for their reader at the most, unless the host says another number.
pub(super) const CAPACITY: usize = 16;

#[derive(Default)]
pub(crate) struct Stream {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    items: VecDeque<Reply>,
    /// How many items may wait; 0: [`CAPACITY`].
    capacity: usize,
    /// No item is added any more.
    closed: bool,
    senders: Vec<Waker>,
    readers: Vec<Arc<Parker>>,
    /// Notified of the next item, and then of others.
    observer: Option<Arc<dyn Observer>>,
    /// Notified once, of the next item or of the end.
    observers_of_next: Vec<Arc<dyn Observer>>,
    /// The last reader found nothing, or nobody has read yet: the next item is news.
    is_news: bool,
}

/// The token has finished, or nobody reads its items.
#[derive(Debug)]
pub(crate) struct Closed;

impl State {
    fn capacity(&self) -> usize {
        if self.capacity == 0 { CAPACITY } else { self.capacity }
    }

    /// Whom to notify, outside the lock, that no item comes any more.
    fn take_end(&mut self) -> EndOfStream {
        let (senders, observers) = (&mut self.senders, &mut self.observers_of_next);
        EndOfStream { senders: std::mem::take(senders), observers: std::mem::take(observers) }
    }

    /// Whom to notify, outside the lock, that an item waits.
    fn take_news(&mut self) -> Option<Arc<dyn Observer>> {
        std::mem::take(&mut self.is_news).then(|| self.observer.clone()).flatten()
    }
}

fn notify(observers: impl IntoIterator<Item = Arc<dyn Observer>>, status: Status) {
    observers.into_iter().for_each(|observer| observer.notify(0, status));
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
        let observers = std::mem::take(&mut state.observers_of_next).into_iter().chain(state.take_news());
        drop(state);
        readers.iter().for_each(|reader| reader.unpark());
        notify(observers, Status::Pending);
        Poll::Ready(Ok(()))
    }

    /// How many items wait for their reader at the most. Before the first is sent.
    pub(crate) fn set_capacity(&self, items: u32) {
        lock(&self.state).capacity = items as usize;
    }

    /// Registers whom to notify of items from now on; at once if some wait.
    pub(crate) fn set_observer(&self, observer: Arc<dyn Observer>) {
        let mut state = lock(&self.state);
        state.observer = Some(observer);
        state.is_news = true;
        let observer = if state.items.is_empty() { None } else { state.take_news() };
        drop(state);
        notify(observer, Status::Pending);
    }

    /// Registers whom to notify of the next item, or of the end before one. Returns whether an item waits already: then
    /// nobody is registered. The token's lock is held: the token is pending.
    pub(super) fn observe_next(&self, observer: &Arc<dyn Observer>) -> bool {
        let mut state = lock(&self.state);
        let waits = !state.items.is_empty();
        if !waits {
            state.observers_of_next.push(Arc::clone(observer));
        }
        waits
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
        let frees = item.is_some() && !is_planted("lost-permit");
        let senders = if frees { std::mem::take(&mut state.senders) } else { Vec::new() };
        drop(state);
        for sender in senders {
            // One of another executor that panics is no failure of this reader, and the others are woken.
            contain(|| sender.wake());
        }
        item
    }

    /// A sender that was to be woken has stopped waiting.
    pub(crate) fn forget_sender(&self, sender: &Waker) {
        lock(&self.state).senders.retain(|known| !known.will_wake(sender));
    }

    /// A reader that was to be woken has stopped waiting.
    pub(crate) fn forget(&self, reader: &Arc<Parker>) {
        lock(&self.state).readers.retain(|known| !Arc::ptr_eq(known, reader));
    }

    /// The token finishes: what was sent can be read, and no more is.
    pub(super) fn end(&self) -> EndOfStream {
        let mut state = lock(&self.state);
        state.closed = true;
        state.take_end()
    }

    /// Nobody will read any more.
    pub(crate) fn close(&self) {
        let mut state = lock(&self.state);
        state.closed = true;
        let items = std::mem::take(&mut state.items);
        let readers = std::mem::take(&mut state.readers);
        let end = state.take_end();
        drop(state);
        drop(items);
        end.notify(Status::InvalidHandle);
        readers.iter().for_each(|reader| reader.unpark());
    }
}

#[cfg(all(test, not(palitra_model)))]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::deadline::Until;
    use crate::reply::Format;
    use crate::token::{NewToken, create, with_parker};

    #[test]
    fn a_reader_that_has_left_leaves_nothing_behind() {
        let (host, job) = create(NewToken { runner: u32::MAX, ..NewToken::default() }).unwrap();
        let (token, reader) = (host.token(), with_parker(Arc::clone));
        let users = Arc::strong_count(&reader);
        let next = |timeout| token.next_item(Until::after(Some(timeout))).map(|item| item.status());
        assert_eq!(next(Duration::from_millis(1)), Err(Status::Pending));
        assert_eq!(Arc::strong_count(&reader), users, "after a timeout");
        let mut item = Some(Reply::success(Format::Bytes, Vec::new()));
        let sent = token.poll_send(&mut item, &mut Context::from_waker(Waker::noop()));
        assert!(matches!(sent, Poll::Ready(Ok(()))));
        assert_eq!(next(Duration::from_secs(20)), Ok(Status::Ok));
        job.finish(Reply::success(Format::Bytes, Vec::new()));
        assert_eq!(next(Duration::from_secs(20)), Err(Status::End));
        assert_eq!(Arc::strong_count(&reader), users, "after the end");
    }
}
