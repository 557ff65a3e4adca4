//! Who waits for whom: turns, streams, huge replies and the log.

use std::time::Duration;

use palitra::Runner;
use palitra::http::code;
use serde_json::json;

use crate::{assert_failure, get};
use palitra_test_support::c::{PALITRA, compile};
use palitra_test_support::nginx::{Nginx, PATIENCE};
use palitra_test_support::process::{run_well, wait_until};
use palitra_test_support::scripted::Server;

#[test]
fn streams_that_nobody_reads_stop_no_other_requests() {
    let (nginx, runner) = (Nginx::start(), Runner::new().unwrap());
    let stream = json!({"url": nginx.url("/slow")}).to_string();
    let unread: Vec<_> = (0..300).map(|_| runner.submit_job("http.stream", &*stream).unwrap()).collect();
    wait_until("all have begun", || nginx.connections().writing == 300);
    for _ in 0..3 {
        assert_eq!(get(&runner, json!({"url": nginx.url("/hello")})).unwrap()["body"], "hello");
    }
    drop(unread);
}

#[test]
fn a_timeout_covers_the_wait_for_a_turn_when_asked_to() {
    let (nginx, runner) = (Nginx::start(), Runner::new().unwrap());
    // Makes the client. Those who wait for that begin one after another, and a job that comes later may be before them.
    get(&runner, json!({"url": nginx.url("/hello")})).unwrap();
    let silent = json!({"url": nginx.url("/silent"), "timeout": PATIENCE.as_secs()}).to_string();
    let silent: Vec<_> = (0..256).map(|_| runner.submit_job("http.get", &*silent).unwrap()).collect();
    let impatient = json!({"url": nginx.url("/hello"), "timeout": 0.2, "timeout_includes_wait": true});
    assert_failure(get(&runner, impatient.clone()), code::TIMEOUT, &["waited 0.2 seconds for its turn"]);
    drop(silent);
    runner.shutdown(Some(Duration::ZERO)).unwrap();
    let runner = Runner::new().unwrap();
    let mut patient = impatient;
    patient["timeout"] = PATIENCE.as_secs().into();
    assert_eq!(get(&runner, patient).unwrap()["body"], "hello");
}

#[test]
fn announcements_without_end_are_a_failure() {
    let server = Server::start(|mut connection| {
        connection.request();
        while connection.send("HTTP/1.1 103 Early Hints\r\nlink: </style.css>\r\n\r\n".repeat(10)) {}
    });
    let runner = Runner::new().unwrap();
    let result = get(&runner, json!({"url": server.url("/"), "timeout": 1000}));
    assert_failure(result, code::BROKEN_RESPONSE, &["more than 100 responses with a status below 200"]);
}

#[test]
fn some_announcements_come_before_the_response() {
    let server = Server::start(|mut connection| {
        connection.request();
        connection.send("HTTP/1.1 103 Early Hints\r\n\r\n".repeat(100));
        connection.respond("at last");
    });
    let runner = Runner::new().unwrap();
    assert_eq!(get(&runner, json!({"url": server.url("/")})).unwrap()["body"], "at last");
}

#[test]
fn the_log_is_called_under_no_lock_that_a_request_needs() {
    let nginx = Nginx::start();
    let program = compile("tests/c/http/log.c", PALITRA);
    let (url, other) = (nginx.url("/hello"), nginx.url("/hello").replace("127.0.0.1", "localhost"));
    run_well(program.command().args([url, other]).env("NO_PROXY", "127.0.0.1,localhost"), 6 * PATIENCE);
}
