//! Jobs that share a thread badly: they hog its budget, wake each other in crowds.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Instant;

use palitra::{Context, JobError, Json, State, job};
use tokio::sync::{Notify, RwLock, Semaphore, mpsc};

use crate::hold::{Time, hold};

/// What the jobs of one runner meet at.
#[derive(Default)]
struct Shared {
    lock: RwLock<u64>,
    gate: Gate,
    notify: Notify,
    /// How many `test.woken` have been woken.
    woken: Mutex<u64>,
    more_woken: Condvar,
}

/// Takes a read lock that nobody ever writes to: always free, but one unit of a cooperative budget.
#[job("test.read_lock")]
async fn read_lock(shared: State<Shared>) -> String {
    shared.lock.read().await.to_string()
}

/// Receives from a channel that is never empty, for as long as the payload says: its own awaits never make it wait.
#[job("test.hog")]
async fn hog(Json(time): Json<Time>) -> Result<(), JobError> {
    let (sender, mut receiver) = mpsc::channel(1);
    let began = Instant::now();
    while began.elapsed().as_secs_f64() < time.seconds {
        sender.send(()).await.map_err(|error| JobError::from(error.to_string()))?;
        receiver.recv().await;
    }
    Ok(())
}

/// Nobody passes before it is opened.
struct Gate(Semaphore);

impl Default for Gate {
    fn default() -> Gate {
        Gate(Semaphore::new(0))
    }
}

/// Waits at the gate of its runner, then blocks its thread.
#[job("test.gated_hold")]
async fn gated_hold(shared: State<Shared>, Json(time): Json<Time>) -> Result<(), JobError> {
    let _passed = shared.gate.0.acquire().await.map_err(|error| JobError::from(error.to_string()))?;
    hold(time.duration());
    Ok(())
}

/// Opens the gate: wakes all who wait at it.
#[job("test.open_gate")]
async fn open_gate(shared: State<Shared>) {
    shared.gate.0.add_permits(1_000_000);
}

/// Waits until another job of its runner wakes it.
#[job("test.woken")]
async fn woken(shared: State<Shared>) {
    shared.notify.notified().await;
    *shared.woken.lock().unwrap_or_else(PoisonError::into_inner) += 1;
    shared.more_woken.notify_all();
}

/// Wakes one `test.woken` and blocks its thread until that one has run. Fails if it has not within the time of the
/// payload.
#[job("test.wake_and_hold")]
async fn wake_and_hold(shared: State<Shared>, Json(time): Json<Time>) -> Result<(), JobError> {
    let woken = shared.woken.lock().unwrap_or_else(PoisonError::into_inner);
    let before = *woken;
    shared.notify.notify_one();
    let most = time.duration();
    let waited = shared.more_woken.wait_timeout_while(woken, most, |woken| *woken == before);
    let (_woken, result) = waited.unwrap_or_else(PoisonError::into_inner);
    if result.timed_out() { Err(JobError::from("the woken job waits for its waker".to_string())) } else { Ok(()) }
}

/// Has a task of its own block on its runner, for at most the time of the payload. Returns the name of the status that
/// the task got.
#[job("test.helper_blocks")]
async fn helper_blocks(context: Context, Json(time): Json<Time>) -> Result<String, JobError> {
    let token = context.submit_job("test.never", "")?;
    let helper = tokio::spawn(async move {
        let waited = token.wait(Some(time.duration()));
        token.cancel();
        waited
    });
    let waited = helper.await.map_err(|error| JobError::from(error.to_string()))?;
    Ok(match waited {
        Ok(reply) => reply.status().name().to_string(),
        Err(error) => error.status().name().to_string(),
    })
}
