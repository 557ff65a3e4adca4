//! A registered job whose calls a queue delivers, for hosts that cannot be called on a thread of the library's.
//!
//! # Guarantees
//!
//! * Each call is put into the queue or fails at once: when the queue was closed or freed, and when too many wait.

use std::sync::{Arc, Weak};

use crate::call::{Call, Offer, Places};
use crate::job::{HostJob, JobFuture, Request, check_payload};
use crate::queue::{Event, Queue, Subject};
use crate::reply::{Format, JobError, Status};

pub(crate) struct QueuedJob {
    queue: Weak<Queue>,
    tag: u64,
    input: Format,
    places: Arc<Places>,
}

impl QueuedJob {
    /// `most`: how many calls may wait to be taken; 0: any number.
    pub(crate) fn new(queue: Weak<Queue>, tag: u64, input: Format, most: usize) -> QueuedJob {
        QueuedJob { queue, tag, input, places: Arc::new(Places::new(most)) }
    }
}

impl HostJob for QueuedJob {
    fn call(&self, payload: Vec<u8>, request: &mut Request<'_>) -> Result<JobFuture, JobError> {
        const CLOSED: &str = "the queue of the job was closed: the host takes no more calls";
        check_payload(self.input, &payload)?;
        let queue = self.queue.upgrade().ok_or(CLOSED)?;
        let (call, calling) = Call::begin(request.token()?, payload);
        let offer = Offer::new(&call, &self.places).ok_or_else(|| {
            JobError::from(format!("{} calls of the job wait for the host, which takes none", self.places.most()))
        })?;
        drop(call);
        if !queue.push(Event { tag: self.tag, subject: Subject::Offer(offer), status: Status::Pending }) {
            return Err(CLOSED.into());
        }
        Ok(Box::pin(calling))
    }

    fn is_over(&self) -> bool {
        self.queue.upgrade().is_none_or(|queue| queue.is_closed())
    }
}
