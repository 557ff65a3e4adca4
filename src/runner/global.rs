//! The global runner: made on first use, one for each process in a chain of forks.
//!
//! Its lock is held while it is made, never while it is shut down: a job may ask whether it is alive at any
//! moment.

use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::handle::Runner;
use crate::reply::Error;
use crate::sys::fork::PerProcess;

static GLOBAL: PerProcess<Mutex<Option<Runner>>> = PerProcess::new();

fn global() -> MutexGuard<'static, Option<Runner>> {
    GLOBAL.get().lock().unwrap_or_else(PoisonError::into_inner)
}

/// The global runner, made now if there is none or the last one was shut down.
///
/// # Errors
/// As [`Runner::new`].
pub fn global_runner() -> Result<Runner, Error> {
    let mut global = global();
    if let Some(runner) = global.as_ref().filter(|runner| runner.is_alive()) {
        return Ok(runner.clone());
    }
    let runner = Runner::new()?;
    let last = global.replace(runner.clone());
    // Not under the lock: the last handle of a runner waits for its end.
    drop(global);
    drop(last);
    Ok(runner)
}

/// Whether there is a global runner that takes work. Makes none.
pub fn is_runner_alive() -> bool {
    global().as_ref().is_some_and(Runner::is_alive)
}

/// Shuts the global runner down; the next use makes a new one. Without one there is nothing to do.
///
/// # Errors
/// As [`Runner::shutdown`].
pub fn shutdown_global_runner(grace: Option<Duration>) -> Result<(), Error> {
    // Cloned and the lock released, so that the lock is free while the threads are joined.
    let runner = global().clone();
    runner.map_or(Ok(()), |runner| runner.shutdown(grace))
}

/// Runs a future on the global runner.
///
/// ```
/// let sum = palitra::run(async { 40 + 2 })?;
/// assert_eq!(sum, 42);
/// # Ok::<(), palitra::Error>(())
/// ```
///
/// # Errors
/// As [`Runner::run`] and [`Runner::new`].
pub fn run<F>(future: F) -> Result<F::Output, Error>
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    global_runner()?.run(future)
}

/// Runs several futures on the global runner at the same time; their results in order.
///
/// # Errors
/// As [`Runner::gather`] and [`Runner::new`].
pub fn gather<F>(futures: impl IntoIterator<Item = F>) -> Result<Vec<F::Output>, Error>
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    global_runner()?.gather(futures)
}
