//! An unbounded channel: items from any number of producers, in order, for consumers that look or sleep.
//!
//! # Guarantees
//!
//! * Every item that was sent before the close is received exactly once, in the order of sending.
//! * Sending waits for nobody, and makes a system call only if a consumer sleeps. Receiving without blocking waits for
//!   no producer, wherever that was preempted: an item is there as a whole or not at all.
//! * A consumer that sleeps is woken by what is sent, and by the close.
//!
//! Consumers take turns at what they have taken out of the inbox, under a lock that no producer takes. A sleeping
//! consumer is counted before its last look, and a producer looks at the count after it has added its item: one of the
//! two sees the other.

#[cfg(all(test, palitra_model))]
mod model;

use crate::deadline::Until;
use crate::reply::Status;
use crate::sync::{AtomicUsize, Condvar, Mutex, MutexGuard, Ordering, PoisonError, in_one_order, lock};
use crate::sys::inbox::{Inbox, Items};

pub(crate) struct Channel<T> {
    sent: Inbox<T>,
    /// What was taken out of `sent` and not received yet.
    taken: Mutex<Items<T>>,
    /// How many consumers sleep, or are about to.
    sleeping: AtomicUsize,
    sleep: Mutex<()>,
    wake: Condvar,
}

impl<T> Channel<T> {
    pub(crate) fn new() -> Channel<T> {
        Channel {
            sent: Inbox::new(),
            taken: Mutex::new(Items::default()),
            sleeping: AtomicUsize::new(0),
            sleep: Mutex::new(()),
            wake: Condvar::new(),
        }
    }

    /// Whether the channel took the item: it does until it is closed.
    pub(crate) fn send(&self, item: T) -> bool {
        let is_sent = self.sent.add(item);
        if is_sent && self.somebody_sleeps() {
            self.wake.notify_one();
        }
        is_sent
    }

    /// Takes no item from now on, and wakes whoever sleeps. Whether it was open.
    pub(crate) fn close(&self) -> bool {
        let was_open = {
            let mut taken = lock(&self.taken);
            self.sent.close().map(|rest| taken.append(rest)).is_some()
        };
        if was_open && self.somebody_sleeps() {
            self.wake.notify_all();
        }
        was_open
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.sent.is_closed()
    }

    /// The next item if there is one: else [`Status::Pending`], or [`Status::End`] if none will come.
    pub(crate) fn try_receive(&self) -> Result<T, Status> {
        let mut taken = lock(&self.taken);
        if let Some(item) = taken.next() {
            return Ok(item);
        }
        // The close needs the lock too, so nothing comes between these two looks.
        let is_closed = self.sent.is_closed();
        *taken = self.sent.take();
        taken.next().ok_or(if is_closed { Status::End } else { Status::Pending })
    }

    /// The next item, which may come until then.
    pub(crate) fn receive(&self, until: Until) -> Result<T, Status> {
        match self.try_receive() {
            Err(Status::Pending) if !matches!(until, Until::Now) => self.sleep(until),
            received => received,
        }
    }

    fn sleep(&self, until: Until) -> Result<T, Status> {
        let mut guard = lock(&self.sleep);
        self.sleeping.fetch_add(1, Ordering::SeqCst);
        in_one_order();
        let mut is_over = false;
        let received = loop {
            // Also when the time is over: whoever was woken for an item has it, and nobody else is woken for it.
            match self.try_receive() {
                Err(Status::Pending) if !is_over => (guard, is_over) = self.wait(guard, until),
                received => break received,
            }
        };
        self.sleeping.fetch_sub(1, Ordering::SeqCst);
        received
    }

    /// Waits to be woken. Whether the time is over.
    fn wait<'a>(&self, guard: MutexGuard<'a, ()>, until: Until) -> (MutexGuard<'a, ()>, bool) {
        let Some(instant) = until.instant() else {
            return (self.wake.wait(guard).unwrap_or_else(PoisonError::into_inner), false);
        };
        let left = instant.saturating_duration_since(std::time::Instant::now());
        let waited = self.wake.wait_timeout(guard, left).unwrap_or_else(PoisonError::into_inner);
        (waited.0, left.is_zero())
    }

    /// If so, from here on whoever is counted waits to be woken, or has seen what this thread did before.
    fn somebody_sleeps(&self) -> bool {
        in_one_order();
        let somebody_sleeps = self.sleeping.load(Ordering::SeqCst) > 0;
        if somebody_sleeps {
            drop(lock(&self.sleep));
        }
        somebody_sleeps
    }
}

#[cfg(all(test, not(palitra_model)))]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn what_was_sent_before_the_close_is_received_and_then_the_end() {
        let channel = Channel::new();
        assert_eq!(channel.try_receive(), Err(Status::Pending));
        assert!(channel.send(1) && channel.send(2));
        assert_eq!(channel.try_receive(), Ok(1));
        assert!(channel.send(3) && channel.close() && !channel.close());
        assert!(!channel.send(4));
        assert_eq!([channel.try_receive(), channel.receive(Until::Forever)], [Ok(2), Ok(3)]);
        assert_eq!(channel.receive(Until::Forever), Err(Status::End));
    }

    #[test]
    fn a_timeout_ends_a_sleep() {
        let channel = Channel::<()>::new();
        let start = Instant::now();
        let until = Until::after(Some(Duration::from_millis(20)));
        assert_eq!(channel.receive(until), Err(Status::Pending));
        assert!(start.elapsed() >= Duration::from_millis(20));
    }

    #[test]
    fn every_consumer_that_sleeps_is_woken() {
        let channel = Channel::new();
        std::thread::scope(|scope| {
            let consumers = [(); 4].map(|()| scope.spawn(|| channel.receive(Until::Forever)));
            while channel.sleeping.load(Ordering::SeqCst) < 4 {
                std::thread::yield_now();
            }
            assert!(channel.send(1) && channel.send(2) && channel.close());
            let mut received = consumers.map(|consumer| consumer.join().unwrap());
            received.sort_by_key(|item| item.unwrap_or(9));
            assert_eq!(received, [Ok(1), Ok(2), Err(Status::End), Err(Status::End)]);
        });
    }
}
