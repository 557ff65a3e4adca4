//! A call that waits in a queue until its host takes it.
//!
//! # Guarantees
//!
//! * It is taken once, or it fails: an offer that is dropped untaken, with its queue, gives the call up.
//! * A job that has ended leaves its place in the queue until the host comes by, and nothing else. It is offered to
//!   nobody.
//! * No more wait than the host allowed when it registered the job.

#[cfg(all(test, palitra_model))]
mod model;

use std::sync::{Arc, Weak};

use super::Call;
use crate::sync::{AtomicUsize, Ordering};

/// How many calls of one registered job may wait to be taken, and how many do.
pub(crate) struct Places {
    /// 0: any number.
    most: usize,
    taken: AtomicUsize,
}

/// A place for one.
struct Place(Arc<Places>);

impl Places {
    pub(crate) fn new(most: usize) -> Places {
        Places { most, taken: AtomicUsize::new(0) }
    }

    pub(crate) fn most(&self) -> usize {
        self.most
    }

    fn take(self: &Arc<Self>) -> Option<Place> {
        let place = Place(Arc::clone(self));
        let before = self.taken.fetch_add(1, Ordering::Relaxed);
        // One that is refused gives its place back as it is dropped.
        (self.most == 0 || before < self.most).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.taken.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A call, as the queue has it. The job keeps it alive, so that what has ended takes its payload along.
pub(crate) struct Offer {
    call: Weak<Call>,
    _place: Place,
}

impl Offer {
    /// `None` if too many wait already.
    pub(crate) fn new(call: &Arc<Call>, places: &Arc<Places>) -> Option<Offer> {
        Some(Offer { call: Arc::downgrade(call), _place: places.take()? })
    }

    /// The host takes the call; `None` if its job has ended meanwhile.
    pub(crate) fn take(mut self) -> Option<Arc<Call>> {
        std::mem::take(&mut self.call).upgrade()
    }
}

impl Drop for Offer {
    fn drop(&mut self) {
        if let Some(call) = self.call.upgrade() {
            call.fail("the queue of the job was freed before the host took the call");
        }
    }
}
