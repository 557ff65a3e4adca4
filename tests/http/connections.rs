//! Connections: kept, shared by no two runners, closed when nobody waits for them, and how they fail.

use std::time::Duration;

use palitra::http::code;
use palitra::{Options, Runner, Status};
use serde_json::json;

use crate::{assert_failure, checked, get};
use palitra_test_support::nginx::{Nginx, PATIENCE, closed_port};
use palitra_test_support::process::wait_until;

#[test]
fn a_connection_is_kept_alive_from_call_to_call() {
    let (nginx, runner) = (Nginx::start(), Runner::new().unwrap());
    let request = json!({"url": nginx.url("/hello")}).to_string();
    // Without a timeout a job is polled inline, with one it starts on the runner's thread: the connection is the same.
    for timeout in [None, Some(PATIENCE)] {
        for job in ["http.get", "http.request", "http.bytes"].into_iter().cycle().take(30) {
            checked(runner.run_job(job, &*request, timeout).unwrap()).unwrap();
        }
    }
    assert_eq!(nginx.connections().accepted, 1);
}

#[test]
fn worker_threads_share_the_connections() {
    let nginx = Nginx::start();
    let runner = Runner::with_options(Options { worker_threads: 3, ..Options::default() }).unwrap();
    let request = json!({"url": nginx.url("/hello")}).to_string();
    for _ in 0..50 {
        let tokens: Vec<_> = (0..64).map(|_| runner.submit_job("http.bytes", &*request).unwrap()).collect();
        // Some are cancelled wherever they are.
        for token in &tokens[60..] {
            token.cancel();
        }
        for reply in runner.gather_jobs(&tokens[..60], Some(PATIENCE)).unwrap() {
            assert_eq!(checked(reply).unwrap().data(), b"hello");
        }
    }
    // Each at most 64, and as many again for those that were cancelled.
    assert!(nginx.connections().accepted <= 64 + 50 * 4, "{:?}", nginx.connections());
    runner.shutdown(Some(Duration::ZERO)).unwrap();
    wait_until("the connections are closed", || nginx.connections().open == 0);
}

#[test]
fn each_runner_has_connections_of_its_own_and_closes_them_with_itself() {
    let nginx = Nginx::start();
    for n in 1..=3 {
        let runner = Runner::new().unwrap();
        get(&runner, json!({"url": nginx.url("/hello")})).unwrap();
        assert_eq!(nginx.connections().accepted, n);
        assert_eq!(nginx.connections().open, 1);
        runner.shutdown(Some(Duration::ZERO)).unwrap();
        wait_until("the connection is closed", || nginx.connections().open == 0);
    }
}

#[test]
fn a_kept_connection_that_the_server_closed_is_replaced() {
    let (nginx, runner) = (Nginx::start(), Runner::new().unwrap());
    for n in 1..=3 {
        get(&runner, json!({"url": nginx.url("/brief")})).unwrap();
        assert_eq!(nginx.connections().accepted, n);
        wait_until("the server has closed it", || nginx.connections().open == 0);
    }
}

#[test]
fn cancelling_a_request_closes_its_connection() {
    let (nginx, runner) = (Nginx::start(), Runner::new().unwrap());
    for path in ["/slow", "/silent"] {
        let token = runner.submit_job("http.get", json!({"url": nginx.url(path)}).to_string()).unwrap();
        wait_until("the request has arrived", || nginx.connections().open >= 1);
        assert!(token.cancel());
        assert_eq!(token.wait(Some(PATIENCE)).unwrap().status(), Status::Cancelled);
        wait_until("its connection is closed", || nginx.connections().open == 0);
    }
}

#[test]
fn a_refused_connection_says_so() {
    let runner = Runner::new().unwrap();
    let url = format!("http://127.0.0.1:{}/", closed_port());
    assert_failure(get(&runner, json!({"url": url})), code::CANNOT_CONNECT, &[&url, "Connection refused"]);
}

#[test]
fn an_unknown_host_says_so() {
    let runner = Runner::new().unwrap();
    let url = "http://no-such-host.invalid/";
    assert_failure(get(&runner, json!({"url": url})), code::CANNOT_CONNECT, &[url, "lookup"]);
}

#[test]
fn a_server_that_dies_half_way_is_a_failure() {
    let (mut nginx, runner) = (Nginx::start(), Runner::new().unwrap());
    let url = nginx.url("/slow");
    let token = runner.submit_job("http.get", json!({"url": url}).to_string()).unwrap();
    wait_until("the body is on its way", || nginx.connections().writing == 1);
    nginx.kill();
    let reply = token.wait(Some(PATIENCE)).unwrap();
    assert_failure(checked(reply), code::BROKEN_RESPONSE, &[&url, "the response is broken"]);
}
