//! Blocked threads: for a time, or for as long as a test wants, however busy the machine is.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use palitra::{Json, job};
use serde::Deserialize;

/// How many `test.hold` have started in this process.
static HOLDS: AtomicUsize = AtomicUsize::new(0);

/// The threads of this process that are held, and how many of them may go before their time.
static GATE: Mutex<Gate> = Mutex::new(Gate { held: 0, may_go: 0 });
static CHANGED: Condvar = Condvar::new();

struct Gate {
    held: usize,
    may_go: usize,
}

/// The payload of the jobs that last for a time.
#[derive(Deserialize)]
pub struct Time {
    pub seconds: f64,
}

impl Time {
    pub fn duration(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }
}

/// Blocks this thread without using a processor, until the time is over or `test.let_go` ends it.
pub fn hold(time: Duration) {
    let mut gate = GATE.lock().unwrap_or_else(PoisonError::into_inner);
    gate.held += 1;
    CHANGED.notify_all();
    let waited = CHANGED.wait_timeout_while(gate, time, |gate| gate.may_go == 0);
    let (mut gate, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
    gate.held -= 1;
    if !timeout.timed_out() {
        gate.may_go -= 1;
    }
}

/// Blocks its thread and does not yield.
#[job("test.hold")]
async fn hold_thread(Json(time): Json<Time>) {
    HOLDS.fetch_add(1, Ordering::SeqCst);
    hold(time.duration());
}

/// How many jobs `test.hold` have started in this process.
#[job("test.holds")]
async fn holds() -> String {
    HOLDS.load(Ordering::SeqCst).to_string()
}

/// Blocks its own thread until another is held.
#[job("test.await_hold")]
async fn await_hold() {
    let gate = GATE.lock().unwrap_or_else(PoisonError::into_inner);
    drop(CHANGED.wait_while(gate, |gate| gate.held == 0));
}

/// Ends one hold, or the next that begins.
#[job("test.let_go", inline)]
async fn let_go() {
    GATE.lock().unwrap_or_else(PoisonError::into_inner).may_go += 1;
    CHANGED.notify_all();
}
