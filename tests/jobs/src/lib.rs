//! The test jobs that tests need: they fail, panic, never finish, spin, block and submit further jobs.
//!
//! Built as `libpalitra_test_jobs.so`, a second library with the whole C ABI, and linked into Rust tests.

mod configured;
mod ending;
mod hold;
mod logging;
mod sharing;
mod stream;
mod threads;
mod typed;

use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use palitra::{Context, Framed, JobError, Json, job};
use serde::Deserialize;

#[derive(Deserialize)]
struct Failure {
    code: i32,
    message: String,
    #[serde(default)]
    details: Option<serde_json::Value>,
}

/// Fails with the code, the message and the details of its payload.
#[job("test.fail")]
async fn fail(Json(Failure { code, message, details }): Json<Failure>) -> Result<(), JobError> {
    let failure = JobError::new(code, message);
    Err(match details {
        Some(details) => failure.with_details(details),
        None => failure,
    })
}

/// Fails with an error of many causes.
#[job("test.fail_anyhow")]
async fn fail_anyhow() -> anyhow::Result<()> {
    Err(anyhow::anyhow!("the disk is full").context("the page was not kept"))
}

/// Panics with its payload.
#[job("test.panic")]
async fn panic(message: String) {
    std::panic::panic_any(message);
}

/// Panics after it has pended.
#[job("test.panic_later")]
async fn panic_later(message: String) {
    tokio::time::sleep(Duration::from_millis(1)).await;
    std::panic::panic_any(message);
}

static DROPS: AtomicUsize = AtomicUsize::new(0);

struct CountDrop;

impl Drop for CountDrop {
    fn drop(&mut self) {
        DROPS.fetch_add(1, Ordering::SeqCst);
    }
}

/// Never finishes.
#[job("test.never")]
async fn never() {
    let _count = CountDrop;
    pending::<()>().await;
}

/// How many jobs `test.never` and `test.inline_hold` that pended were dropped in this process.
#[job("test.drops")]
async fn drops() -> String {
    DROPS.load(Ordering::SeqCst).to_string()
}

#[derive(Deserialize)]
struct Spin {
    seconds: f64,
}

/// Keeps its thread busy and never yields.
#[job("test.spin")]
async fn spin(Json(spin): Json<Spin>) {
    let began = Instant::now();
    while began.elapsed().as_secs_f64() < spin.seconds {
        std::hint::spin_loop();
    }
}

#[derive(Deserialize)]
struct InlineHold {
    seconds: f64,
    pends: bool,
}

/// Says that its first poll never blocks, and blocks its thread all the same. Then it may pend forever: it counts among
/// `test.drops`.
#[job("test.inline_hold", inline)]
async fn inline_hold(Json(hold): Json<InlineHold>) {
    std::thread::sleep(Duration::from_secs_f64(hold.seconds));
    if hold.pends {
        never().await;
    }
}

#[derive(Deserialize)]
struct SpinAndSleep {
    spin: f64,
    sleep: f64,
}

/// Keeps its thread busy at first and then sleeps: time enough for a runner to end under it.
#[job("test.spin_and_sleep")]
async fn spin_and_sleep(Json(times): Json<SpinAndSleep>) {
    let began = Instant::now();
    while began.elapsed().as_secs_f64() < times.spin {
        std::hint::spin_loop();
    }
    tokio::time::sleep(Duration::from_secs_f64(times.sleep)).await;
}

#[derive(Deserialize)]
struct Large {
    bytes: usize,
}

/// Returns as many bytes as the payload says.
#[job("test.large")]
async fn large(Json(large): Json<Large>) -> Vec<u8> {
    vec![b'x'; large.bytes]
}

/// Uses as many bytes of its thread's stack as the payload says, at once.
#[job("test.stack")]
async fn stack(Json(large): Json<Large>) {
    use_stack(large.bytes);
}

#[inline(never)]
fn use_stack(bytes: usize) {
    let frame = std::hint::black_box([0_u8; 1024]);
    if bytes > frame.len() {
        use_stack(bytes - frame.len());
    }
    std::hint::black_box(&frame);
}

/// Returns what it took, with the number of the bytes in the JSON.
#[job("test.framed")]
async fn framed(Framed(head, bytes): Framed<serde_json::Value>) -> Framed<serde_json::Value> {
    Framed(serde_json::json!({"head": head, "bytes": bytes.len()}), bytes)
}

/// Returns nothing, at once.
#[job("test.ready")]
async fn ready() {}

/// Echoes its payload by way of another job on the same runner.
#[job("test.nested")]
async fn nested(context: Context, text: String) -> Result<String, JobError> {
    let token = context.submit_job("palitra.echo", text)?;
    let reply = token.await?;
    Ok(reply.text().into_owned())
}

/// A job by its name, and its payload as text.
#[derive(Deserialize)]
struct Called {
    job: String,
    payload: String,
}

/// Calls another job on the same runner, such as one that the host has registered, and leaves its reply.
#[job("test.call")]
async fn call(context: Context, Json(called): Json<Called>) -> Result<String, JobError> {
    Ok(context.call(&called.job, called.payload).await?.text().into_owned())
}

/// Blocks on a job of its own runner, on the runner's thread. Returns the name of the status that it gets.
#[job("test.block")]
async fn block(context: Context) -> Result<String, JobError> {
    let token = context.submit_job("test.never", "")?;
    let waited = token.wait(None);
    token.cancel();
    match waited {
        Ok(reply) => Ok(reply.status().name().to_string()),
        Err(error) => Ok(error.status().name().to_string()),
    }
}

/// Two jobs with one name, so neither can be called by it.
mod twins {
    use palitra::job;

    #[job("test.twin")]
    async fn first() {}

    #[job("test.twin")]
    async fn second() {}
}
