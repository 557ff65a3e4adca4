//! The HTTP jobs against a real nginx: one test for each thing that holds.
//!
//! Promise 3: timeouts and deadlines hold.
//! Promise 11: bad input and limits return a status.

#![cfg(feature = "http")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod configure;
mod connections;
mod content;
mod download;
mod folder;
mod hostile;
mod kept;
mod limits;
mod produced;
mod proxy;
mod redirects;
mod refusals;
mod responses;
mod socks;
mod stream;
mod tls;
mod turns;
mod upload;

use palitra::{Reply, Runner, Status};
use palitra_test_support::nginx::PATIENCE;
use serde_json::Value;

/// What a failed request leaves: the code and the message.
type Failure = (i32, String);

/// Runs a job whose reply is JSON.
fn page(runner: &Runner, job: &str, request: Value) -> Result<Value, Failure> {
    run(runner, job, request).map(|reply| serde_json::from_slice(reply.data()).unwrap())
}

fn get(runner: &Runner, request: Value) -> Result<Value, Failure> {
    page(runner, "http.get", request)
}

fn run(runner: &Runner, job: &str, request: Value) -> Result<Reply, Failure> {
    checked(runner.run_job(job, request.to_string(), Some(3 * PATIENCE)).unwrap())
}

fn checked(reply: Reply) -> Result<Reply, Failure> {
    match reply.status() {
        Status::Ok => Ok(reply),
        Status::JobFailed | Status::BadPayload => Err((reply.code(), reply.text().into_owned())),
        other => panic!("the job ended {other:?}: {}", reply.text()),
    }
}

/// The failure has this code, and its message says each of these things.
#[track_caller]
fn assert_failure<T: std::fmt::Debug>(result: Result<T, Failure>, code: i32, says: &[&str]) {
    let (actual, message) = result.expect_err("the job should fail");
    assert_eq!(actual, code, "{message}");
    for words in says {
        assert!(message.contains(words), "{message:?} does not say {words:?}");
    }
}
