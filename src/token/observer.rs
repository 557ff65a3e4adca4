//! Who is notified of a token: those who wait for it, its completion queue, its callback.
//!
//! The token knows no more of them than this trait. What an observer does may take locks and call the host, so it is
//! notified outside the token's lock: a step under the lock returns its [`Notifications`], and whoever took the step
//! sends them once the lock is released.
//!
//! Promise 7: a panic ends its job and nothing else. Tasks that wait may be those of any executor, and its wakers may
//! panic, as where its loop is gone. Whoever sends has others to notify and a job to count: such a panic goes no
//! further.

use std::sync::Arc;
use std::task::Waker;

use tokio::sync::Notify;

use crate::panics::contain;
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
        contain(move || self.observer.notify(self.tag, status));
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
#[derive(Default)]
pub(super) struct MoreNotifications {
    /// If there is one.
    pub(super) stream: Option<EndOfStream>,
    pub(super) observers: Vec<Registration>,
    pub(super) completion: Option<Registration>,
    /// The job's tasks that wait for its end.
    pub(super) stop: Option<Arc<Notify>>,
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
            if let Some(stop) = more.stop {
                contain(|| stop.notify_waiters());
            }
            if let Some(stream) = more.stream {
                stream.notify(self.status);
            }
            more.observers.into_iter().chain(more.completion).for_each(|registration| registration.notify(self.status));
        }
    }
}

/// Who is left to be notified of a stream's end, outside every lock.
#[must_use]
pub(super) struct EndOfStream {
    /// Tasks that wait for room.
    pub(super) senders: Vec<Waker>,
    /// Who waits for the next item.
    pub(super) observers: Vec<Arc<dyn Observer>>,
}

impl EndOfStream {
    pub(super) fn notify(self, status: Status) {
        for sender in self.senders {
            contain(|| sender.wake());
        }
        for observer in self.observers {
            contain(move || observer.notify(0, status));
        }
    }
}
