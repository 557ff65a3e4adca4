//! Jobs that make the end of their runner awkward: they outlive it, block it, or submit more work in it.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use palitra::{Context, JobError, Json, State, job};
use serde::Deserialize;

use crate::hold::{Time, hold};

/// Awaits a blocking task, which only `test.let_go` can end before its time. The task leaves the note "begun".
#[job("test.blocking")]
async fn blocking(Json(time): Json<Time>) -> Result<(), JobError> {
    let task = tokio::task::spawn_blocking(move || {
        set_seen("begun");
        hold(time.duration());
    });
    task.await.map_err(|error| JobError::from(error.to_string()))
}

/// A state whose destructor blocks.
#[derive(Default)]
struct Slow {
    nanoseconds: AtomicU64,
}

impl Drop for Slow {
    fn drop(&mut self) {
        std::thread::sleep(Duration::from_nanos(*self.nanoseconds.get_mut()));
    }
}

/// Leaves a state whose destructor blocks for as long as the payload says.
#[job("test.slow_state")]
async fn slow_state(state: State<Slow>, Json(time): Json<Time>) {
    let nanoseconds = u64::try_from(time.duration().as_nanos()).unwrap_or(u64::MAX);
    state.nanoseconds.store(nanoseconds, Ordering::SeqCst);
}

#[derive(Deserialize)]
struct Slowly {
    hold: f64,
    sleep: Option<f64>,
}

/// Leaves the note "begun", blocks its thread in its first poll, and then sleeps as jobs do.
#[job("test.slow_start")]
async fn slow_start(Json(slowly): Json<Slowly>) -> &'static str {
    set_seen("begun");
    std::thread::sleep(Duration::from_secs_f64(slowly.hold));
    if let Some(seconds) = slowly.sleep {
        tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
    }
    "to its end"
}

/// The note that a job of this process left last.
static SEEN: Mutex<String> = Mutex::new(String::new());

fn set_seen(text: impl Into<String>) {
    *SEEN.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = text.into();
}

/// Leaves its payload as the note.
#[job("test.leave_note")]
async fn leave_note(text: String) {
    set_seen(text);
}

/// The note that a job left last.
#[job("test.seen")]
async fn seen() -> String {
    SEEN.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
}

/// Blocks its thread and leaves a note: "begun", and "cancelled" once its context says so.
#[job("test.watchful")]
async fn watchful(context: Context, Json(time): Json<Time>) {
    set_seen("begun");
    let began = Instant::now();
    while began.elapsed() < time.duration() {
        if context.is_cancelled() {
            set_seen("cancelled");
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Echoes its payload by way of another job, which it submits after a sleep.
#[job("test.nested_later")]
async fn nested_later(context: Context, text: String) -> Result<String, JobError> {
    tokio::time::sleep(Duration::from_millis(300)).await;
    let token = context.submit_job("palitra.echo", text)?;
    Ok(token.await?.text().into_owned())
}

/// Blocks its thread, then submits another job and leaves the name of the status as its note.
#[job("test.late_submit")]
async fn late_submit(context: Context, Json(time): Json<Time>) {
    set_seen("begun");
    std::thread::sleep(time.duration());
    set_seen(match context.submit_job("palitra.echo", "") {
        Ok(_) => "PALITRA_OK",
        Err(error) => error.status().name(),
    });
}
