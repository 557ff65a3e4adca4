//! What few tokens have, so that the others do without: a stream, progress, a completion queue, many observers, tasks
//! that clean up after their job.
//!
//! Made under the token's lock when somebody needs it, dropped with the token.

use std::sync::Arc;

use tokio::sync::Notify;

use super::observer::{MoreNotifications, Registration};
use super::stream::Stream;

/// The parts of a token that are made when somebody needs them.
#[derive(Default)]
pub(super) struct Extensions {
    /// Every observer after the first.
    pub(super) observers: Vec<Registration>,
    /// Notified when the token finishes, also if the host has released it by then.
    pub(super) completion: Option<Registration>,
    stream: Option<Arc<Stream>>,
    /// For those of the job's tasks that wait for its end.
    stop: Option<Arc<Notify>>,
    /// Done and total, as the job last said.
    pub(super) progress: (u64, u64),
}

impl Extensions {
    pub(super) fn stream(&mut self) -> &Arc<Stream> {
        self.stream.get_or_insert_default()
    }

    pub(super) fn stop(&mut self) -> &Arc<Notify> {
        self.stop.get_or_insert_default()
    }

    pub(super) fn take_observers(&mut self, is_wanted: impl Fn(&Registration) -> bool) -> Vec<Registration> {
        self.observers.extract_if(.., |registration| is_wanted(registration)).collect()
    }

    /// The token finishes: who is to be notified, and who sends to its stream no more. Under the token's lock, so that
    /// whoever sees the token finished has all its items before it.
    pub(super) fn finish(&mut self) -> MoreNotifications {
        let stream = self.stream.as_ref().map(|stream| stream.end());
        let (observers, completion) = (std::mem::take(&mut self.observers), self.completion.take());
        MoreNotifications { stream, observers, completion, stop: self.stop.take() }
    }

    /// The host releases the token: those who wait for it are notified, and its stream has no reader any more.
    pub(super) fn release_host(&mut self) -> (MoreNotifications, Option<Arc<Stream>>) {
        let observers = std::mem::take(&mut self.observers);
        (MoreNotifications { observers, ..MoreNotifications::default() }, self.stream.clone())
    }
}
