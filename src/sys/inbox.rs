//! A list that every thread may add to and one thread takes whole: by one exchange of a pointer each.
//!
//! It is here for its pointers; it makes no system call.
//!
//! # Guarantees
//!
//! * An item is in the list with the exchange that adds it, and before that nothing of it is. So nobody ever waits for
//!   a thread that has lost its processor, or for any other.
//! * Items are taken in the order in which they were added, each once.
//! * A list that was closed takes in no item.

use std::marker::PhantomData;
use std::ptr::{dangling_mut, null_mut};

use crate::sync::{AtomicPtr, Ordering};

struct Node<T> {
    item: T,
    next: *mut Node<T>,
}

/// No node has this address.
fn closed<T>() -> *mut Node<T> {
    dangling_mut()
}

pub(crate) struct Inbox<T> {
    /// The item that was added last, null or `closed()`. A node that was added belongs to whoever takes it out of here.
    last: AtomicPtr<Node<T>>,
    /// Hands items from thread to thread, as a lock would.
    owns: PhantomData<std::sync::Mutex<T>>,
}

impl<T> Inbox<T> {
    pub(crate) fn new() -> Inbox<T> {
        Inbox { last: AtomicPtr::new(null_mut()), owns: PhantomData }
    }

    /// Whether it was added: it is until the list is closed.
    pub(crate) fn add(&self, item: T) -> bool {
        let node = Box::into_raw(Box::new(Node { item, next: null_mut() }));
        let mut last = self.last.load(Ordering::Acquire);
        while last != closed() {
            // SAFETY: made above, and nobody else's until the exchange below.
            unsafe { (*node).next = last };
            match self.last.compare_exchange_weak(last, node, Ordering::SeqCst, Ordering::Acquire) {
                Ok(_) => return true,
                Err(now) => last = now,
            }
        }
        // SAFETY: made above, and given to nobody.
        drop(unsafe { Box::from_raw(node) });
        false
    }

    /// All that are in it.
    pub(crate) fn take(&self) -> Items<T> {
        let mut last = self.last.load(Ordering::SeqCst);
        while !last.is_null() && last != closed() {
            match self.last.compare_exchange_weak(last, null_mut(), Ordering::SeqCst, Ordering::SeqCst) {
                Ok(_) => return Items::from_last(last),
                Err(now) => last = now,
            }
        }
        Items::default()
    }

    /// All that are in it, and none will follow. `None` if it was closed before.
    pub(crate) fn close(&self) -> Option<Items<T>> {
        let last = self.last.swap(closed(), Ordering::SeqCst);
        (last != closed()).then(|| Items::from_last(last))
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.last.load(Ordering::SeqCst) == closed()
    }
}

impl<T> Drop for Inbox<T> {
    fn drop(&mut self) {
        drop(self.close());
    }
}

/// Items that were taken, in their order.
pub(crate) struct Items<T> {
    first: *mut Node<T>,
}

// SAFETY: it owns its nodes, whose pointers nobody else has.
unsafe impl<T: Send> Send for Items<T> {}

impl<T> Default for Items<T> {
    fn default() -> Items<T> {
        Items { first: null_mut() }
    }
}

impl<T> Items<T> {
    /// Takes over the nodes that an inbox had.
    fn from_last(mut last: *mut Node<T>) -> Items<T> {
        let mut first = null_mut();
        while !last.is_null() {
            // SAFETY: a node of the inbox, which the exchange has given to this thread with all that follow it.
            let next = std::mem::replace(unsafe { &mut (*last).next }, first);
            first = last;
            last = next;
        }
        Items { first }
    }

    /// Puts others behind these.
    pub(crate) fn append(&mut self, mut others: Items<T>) {
        let mut end = &mut self.first;
        while !end.is_null() {
            // SAFETY: not null, so a node of these.
            end = unsafe { &mut (**end).next };
        }
        *end = std::mem::replace(&mut others.first, null_mut());
    }
}

impl<T> Iterator for Items<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        if self.first.is_null() {
            return None;
        }
        // SAFETY: not null, so a node of these, which came from a Box.
        let node = unsafe { Box::from_raw(self.first) };
        self.first = node.next;
        Some(node.item)
    }
}

impl<T> Drop for Items<T> {
    fn drop(&mut self) {
        self.for_each(drop);
    }
}

#[cfg(all(test, not(palitra_model)))]
mod tests {
    use std::rc::Rc;

    use super::*;

    #[test]
    fn items_come_in_the_order_in_which_they_were_added() {
        let inbox = Inbox::new();
        assert!((0..3).all(|number| inbox.add(number)));
        let mut items = inbox.take();
        assert_eq!(items.next(), Some(0));
        assert!(inbox.add(3));
        items.append(inbox.take());
        assert_eq!(items.collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(inbox.take().next(), None);
    }

    #[test]
    fn what_is_added_after_the_close_is_dropped_and_what_was_added_before_is_taken() {
        let (inbox, item) = (Inbox::new(), Rc::new(()));
        assert!(inbox.add(Rc::clone(&item)));
        let rest = inbox.close().unwrap();
        assert!(!inbox.add(Rc::clone(&item)));
        assert!(inbox.is_closed() && inbox.close().is_none() && inbox.take().next().is_none());
        assert_eq!(Rc::strong_count(&item), 2);
        assert_eq!(rest.count(), 1);
    }

    #[test]
    fn a_million_items_that_nobody_takes_are_dropped_with_their_list() {
        let (inbox, item) = (Inbox::new(), Rc::new(()));
        for _ in 0..1_000_000 {
            inbox.add(Rc::clone(&item));
        }
        drop(inbox);
        assert_eq!(Rc::strong_count(&item), 1);
    }
}
