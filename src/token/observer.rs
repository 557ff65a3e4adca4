//! Who is notified of a token: those who wait for it, its completion queue, its callback.
//!
//! The token knows no more of them than this trait. What an observer does may take locks and call the host, so it is
//! notified outside the token's lock: a step under the lock returns its [`Notifications`], and whoever took the step
//! sends them once the lock is released.

use std::sync::Arc;
use std::task::Waker;

use crate::reply::Status;

/// Is notified of a token, outside every lock, once for each time that it was registered.
pub(crate) trait Observer: Send + Sync {
    /// The token finished with this status; [`Status::InvalidHandle`]: the host released it before. An observer of
    /// items is notified with [`Status::Pending`]: one can be read. `tag` is what it was registered with.
    fn notify(&self, tag: u32, status: Status);
}

pub(super) struct Registration {
    pub(super) observer: Arc<dyn Observer>,
    pub(super) tag: u32,
}

impl Registration {
    fn notify(self, status: Status) {
        self.observer.notify(self.tag, status);
    }
}

/// What is left to do outside the lock, for whoever finished a token or released it as its host.
#[must_use]
pub(super) struct Notifications {
    pub(super) status: Status,
    /// The job's own task, so that it is dropped.
    pub(super) task: Option<Waker>,
    pub(super) observer: Option<Registration>,
    pub(super) more: Option<MoreNotifications>,
}

/// Those that only a token with [extensions](super::extensions) has.
pub(super) struct MoreNotifications {
    /// Tasks beside the job that wait for room in its stream.
    pub(super) senders: Vec<Waker>,
    pub(super) observers: Vec<Registration>,
    pub(super) completion: Option<Registration>,
}

impl Notifications {
    pub(super) fn send(self) {
        if let Some(task) = self.task {
            task.wake();
        }
        if let Some(registration) = self.observer {
            registration.notify(self.status);
        }
        if let Some(more) = self.more {
            more.senders.into_iter().for_each(Waker::wake);
            more.observers.into_iter().chain(more.completion).for_each(|registration| registration.notify(self.status));
        }
    }
}
