//! Jobs that stream items or report progress, as tests need it.

use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};

use palitra::{Context, JobError, Json, job};
use serde::Deserialize;

/// How many `test.stream` are there now: what a stream leaves behind would show here.
static STREAMS: AtomicUsize = AtomicUsize::new(0);

struct Counted;

impl Counted {
    fn new() -> Counted {
        STREAMS.fetch_add(1, Ordering::SeqCst);
        Counted
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        STREAMS.fetch_sub(1, Ordering::SeqCst);
    }
}

#[derive(Deserialize)]
struct Stream {
    /// How many: "0", "1" and so on.
    items: u64,
    /// Fails instead of sending this one.
    fail_at: Option<u64>,
    /// Pends forever after the last.
    #[serde(default)]
    forever: bool,
}

/// Streams items, and reports as its progress how many it has sent.
#[job("test.stream")]
async fn stream(context: Context, Json(stream): Json<Stream>) -> Result<(), JobError> {
    let _count = Counted::new();
    for n in 0..stream.items {
        if stream.fail_at == Some(n) {
            return Err(JobError::new(7, format!("failed at {n}")));
        }
        context.send(n.to_string()).await?;
        context.progress(n + 1, stream.items);
    }
    if stream.forever {
        pending::<()>().await;
    }
    Ok(())
}

/// How many `test.stream` there are now in this process.
#[job("test.streams")]
async fn streams() -> String {
    STREAMS.load(Ordering::SeqCst).to_string()
}

/// How many helper tasks of `test.stream_beside` there are now.
static HELPERS: AtomicUsize = AtomicUsize::new(0);

/// Has a task beside the job stream "0", "1" and so on, until a send fails; the job itself pends forever.
#[job("test.stream_beside")]
async fn stream_beside(context: Context) {
    HELPERS.fetch_add(1, Ordering::SeqCst);
    tokio::spawn(async move {
        let mut sent = 0_u64;
        while context.send(sent.to_string()).await.is_ok() {
            sent += 1;
            context.progress(sent, 0);
        }
        HELPERS.fetch_sub(1, Ordering::SeqCst);
    });
    pending::<()>().await;
}

/// How many helper tasks of `test.stream_beside` there are now in this process.
#[job("test.helpers")]
async fn helpers() -> String {
    HELPERS.load(Ordering::SeqCst).to_string()
}

#[derive(Deserialize)]
struct Progress {
    /// What it reports one after the other, yielding each time: done, total.
    steps: Vec<(u64, u64)>,
    /// Whether it finishes after that, or pends forever.
    finish: bool,
}

/// Reports its progress.
#[job("test.progress")]
async fn progress(context: Context, Json(progress): Json<Progress>) {
    for (done, total) in progress.steps {
        context.progress(done, total);
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    if !progress.finish {
        pending::<()>().await;
    }
}
