//! The limits of a request: time and size. How many redirects: see `redirects`.

use std::time::{Duration, Instant};

use palitra::Runner;
use palitra::http::code;
use serde_json::json;

use crate::content::{ZSTD_ZEROS, packed};
use crate::{assert_failure, checked, get, run};
use palitra_test_support::nginx::{BIG, Nginx, PATIENCE};
use palitra_test_support::process::wait_until;
use palitra_test_support::scripted::Server;

#[test]
fn the_timeout_holds_before_the_response_and_within_its_body() {
    let (nginx, runner) = (Nginx::start(), Runner::new().unwrap());
    for path in ["/silent", "/slow"] {
        let start = Instant::now();
        let result = get(&runner, json!({"url": nginx.url(path), "timeout": 0.3}));
        assert_failure(result, code::TIMEOUT, &[&nginx.url(path), "0.3 seconds"]);
        assert!(start.elapsed() >= Duration::from_millis(300), "{path}: {:?}", start.elapsed());
        assert!(start.elapsed() < PATIENCE / 2, "{path}: {:?}", start.elapsed());
    }
}

#[test]
fn the_timeout_of_a_request_that_waits_its_turn_starts_with_its_turn() {
    let (nginx, runner) = (Nginx::start(), Runner::new().unwrap());
    let silent = json!({"url": nginx.url("/silent"), "timeout": 1}).to_string();
    let mut tokens: Vec<_> = (0..256).map(|_| runner.submit_job("http.get", &*silent).unwrap()).collect();
    let late = json!({"url": nginx.url("/hello"), "timeout": 0.9}).to_string();
    tokens.push(runner.submit_job("http.get", late).unwrap());
    let mut replies = runner.gather_jobs(&tokens, Some(3 * PATIENCE)).unwrap();
    let late = checked(replies.pop().unwrap()).unwrap();
    assert!(late.text().contains("hello"));
    for reply in replies {
        assert_failure(checked(reply), code::TIMEOUT, &["/silent"]);
    }
}

#[test]
fn the_timeout_holds_while_bytes_keep_coming() {
    // Nothing at all, packed, without end: no chunk ever comes of it.
    let nothing = b"\x28\xb5\x2f\xfd\x24\x00\x01\x00\x00\x99\xe9\xd8\x51".repeat(40_000);
    let endless = Server::start(move |mut connection| {
        connection.request();
        connection.send("HTTP/1.1 200 OK\r\ncontent-encoding: zstd\r\n\r\n");
        let end = Instant::now() + 2 * PATIENCE;
        while Instant::now() < end && connection.send(&nothing) {}
    });
    let bomb = packed("zstd", &ZSTD_ZEROS.repeat(900));
    let runner = Runner::new().unwrap();
    for (job, server, timeout) in [("http.stream", &endless, 0.5), ("http.bytes", &bomb, 0.1)] {
        let request = json!({"url": server.url("/"), "timeout": timeout, "max_bytes": 1u64 << 32});
        assert_failure(run(&runner, job, request), code::TIMEOUT, &[&format!("{timeout} seconds")]);
    }
}

#[test]
fn a_body_over_the_limit_is_not_read() {
    let (nginx, runner) = (Nginx::start(), Runner::new().unwrap());
    let limited =
        |path, max_bytes: usize| run(&runner, "http.bytes", json!({"url": nginx.url(path), "max_bytes": max_bytes}));
    assert_eq!(limited("/big", BIG).unwrap().data().len(), BIG);
    assert_failure(limited("/big", BIG - 1), code::BODY_TOO_LARGE, &[&nginx.url("/big"), &(BIG - 1).to_string()]);
    // To read so much would take a minute.
    let start = Instant::now();
    assert_failure(limited("/slow", 1_000_000), code::BODY_TOO_LARGE, &["1000000 bytes"]);
    assert!(start.elapsed() < PATIENCE / 2);
    wait_until("its connection is closed", || nginx.connections().writing == 0);
}

#[test]
fn a_body_of_unknown_length_is_cut_off_at_the_limit() {
    let (nginx, runner) = (Nginx::start(), Runner::new().unwrap());
    let limited =
        |max_bytes: usize| run(&runner, "http.bytes", json!({"url": nginx.url("/chunked"), "max_bytes": max_bytes}));
    assert_eq!(limited(BIG).unwrap().data().len(), BIG);
    assert_failure(limited(BIG - 1), code::BODY_TOO_LARGE, &[&nginx.url("/chunked")]);
    // Long before its end: a body that has arrived whole leaves a connection that can be used again.
    assert_failure(limited(1000), code::BODY_TOO_LARGE, &[&nginx.url("/chunked")]);
    wait_until("its connection is closed", || nginx.connections().open <= 1);
}
