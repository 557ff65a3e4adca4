//! Work that would block the runner's thread, on a thread of its own.
//!
//! Not the runtime's blocking threads: where the system refuses one, `spawn_blocking` panics, and an HTTP job is to
//! fail with a code. Such a thread is not waited for when its runner ends; it holds nothing of the runner's, but while it
//! delivers its result, which wakes the job: the job may have gone on and its runner ended before it is done with that.
//! [`delivered`] waits for this moment.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Builder;
use std::time::Duration;

use tokio::sync::oneshot::{Receiver, channel};

use crate::sys::fork::PerProcess;
use crate::sys::signals::Blocked;

/// The threads of this process that deliver their results.
static DELIVERING: PerProcess<AtomicUsize> = PerProcess::new();

/// Starts the work; its result, or an error if the system refuses a thread. The result never comes if the work panics.
pub(super) fn spawn<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> io::Result<Receiver<T>> {
    let (done, result) = channel();
    // The thread inherits the mask: no handler of the host's may run there.
    let _mask = Blocked::new();
    Builder::new().name("palitra-http".into()).spawn(move || {
        let result = work();
        let delivering = DELIVERING.get();
        delivering.fetch_add(1, Ordering::SeqCst);
        let _ = done.send(result);
        delivering.fetch_sub(1, Ordering::SeqCst);
    })?;
    Ok(result)
}

/// Waits until the threads whose results have come hold nothing of a runner's any more.
pub(super) async fn delivered() {
    while DELIVERING.get().load(Ordering::SeqCst) > 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Does work that takes long but does not wait; on the calling thread if the system refuses another. `None` if it
/// panicked.
pub(super) async fn compute<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    // Here until one of the two threads takes it.
    let place = Arc::new(Mutex::new(Some(work)));
    let theirs = Arc::clone(&place);
    match spawn(move || take(&theirs).map(|work| work())) {
        Ok(result) => result.await.ok().flatten(),
        Err(_) => take(&place).map(|work| work()),
    }
}

fn take<T>(place: &Mutex<Option<T>>) -> Option<T> {
    place.lock().unwrap_or_else(PoisonError::into_inner).take()
}
