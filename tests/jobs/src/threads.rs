//! Jobs that use threads of the runtime's for blocking, and that start programs.

use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use palitra::{JobError, Json, job};
use serde::Deserialize;

#[derive(Deserialize)]
struct Blocking {
    seconds: f64,
}

/// Blocks a thread of its own for as long as the payload says, and waits for it.
#[job("test.spawn_blocking")]
async fn spawn_blocking(Json(blocking): Json<Blocking>) -> Result<(), JobError> {
    let time = Duration::from_secs_f64(blocking.seconds);
    block(move || std::thread::sleep(time)).await
}

async fn block<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> Result<R, JobError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| JobError::from(error.to_string()))
}

#[derive(Deserialize)]
struct Program {
    means: Means,
    place: Place,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Means {
    /// As the standard library does it, by `posix_spawn`.
    Plain,
    /// With what the library has for authors of jobs.
    HostSignals,
    /// By `fork`, which a hook before `exec` needs.
    Fork,
}

#[derive(Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Place {
    /// In the job's first poll.
    Here,
    /// There too, after the job has had a blocking thread made.
    HereAfterBlocking,
    /// After the job has pended.
    Later,
    /// On a thread for blocking.
    Blocking,
}

/// Starts a program that only a signal ends. Returns the number of its process, which the caller must end and reap.
#[job("test.command")]
async fn command(Json(program): Json<Program>) -> Result<String, JobError> {
    match program.place {
        Place::Here => {}
        Place::HereAfterBlocking => drop(tokio::task::spawn_blocking(|| {})),
        Place::Later => tokio::time::sleep(Duration::from_millis(1)).await,
        Place::Blocking => return block(move || start(program.means)).await?,
    }
    start(program.means)
}

fn start(means: Means) -> Result<String, JobError> {
    let mut command = Command::new("sleep");
    // A program that outlives the test keeps none of its files open.
    command.arg("60").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match means {
        Means::Plain => {}
        Means::HostSignals => drop(palitra::host_signals(&mut command)),
        // SAFETY: does nothing.
        Means::Fork => drop(unsafe { command.pre_exec(|| Ok(())) }),
    }
    let program = command.spawn().map_err(|error| JobError::from(error.to_string()))?;
    Ok(program.id().to_string())
}
