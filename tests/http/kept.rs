//! A kept connection that the server closes just when the next request is on its way to it.

use std::net::Ipv4Addr;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use palitra::Runner;
use palitra::http::code;
use serde_json::json;

use crate::configure::configured;
use crate::{assert_failure, checked, get, page};
use palitra_test_support::nginx::PATIENCE;
use palitra_test_support::process::{run, wait_until};
use palitra_test_support::scripted::Server;

/// A server whose first `brittle` connections bring one response each and break at the second request.
fn server_that_closes(brittle: usize) -> Server {
    Server::start(move |mut connection| {
        while connection.request().is_some() && connection.respond("") {
            if connection.number < brittle {
                connection.request();
                return;
            }
        }
    })
}

#[test]
fn what_may_be_repeated_is_sent_once_more() {
    for method in ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"] {
        let (server, runner) = (server_that_closes(1), Runner::new().unwrap());
        let send = || page(&runner, "http.request", json!({"url": server.url("/"), "method": method}));
        send().unwrap();
        send().unwrap_or_else(|error| panic!("{method}: {error:?}"));
        assert_eq!((server.accepted(), server.requests().len()), (2, 3), "{method}");
    }
}

#[test]
fn a_post_is_not_repeated() {
    let (server, runner) = (server_that_closes(1), Runner::new().unwrap());
    let post = || page(&runner, "http.request", json!({"url": server.url("/"), "method": "POST", "body": "x"}));
    post().unwrap();
    assert_failure(post(), code::BROKEN_RESPONSE, &[&server.url("/"), "the response is broken"]);
    assert_eq!((server.accepted(), server.requests().len()), (1, 2));
}

#[test]
fn the_second_time_goes_over_a_connection_of_its_own() {
    // Several connections are kept, and all are about to be closed.
    let (server, runner) = (server_that_closes(8), Runner::new().unwrap());
    let request = json!({"url": server.url("/")}).to_string();
    for _ in 0..100 {
        let tokens: Vec<_> = (0..8).map(|_| runner.submit_job("http.get", &*request).unwrap()).collect();
        for reply in runner.gather_jobs(&tokens, Some(PATIENCE)).unwrap() {
            checked(reply).unwrap();
        }
    }
}

#[test]
fn a_new_connection_that_breaks_is_not_tried_again() {
    let server = Server::start(|mut connection| drop(connection.request()));
    let runner = Runner::new().unwrap();
    assert_failure(get(&runner, json!({"url": server.url("/")})), code::BROKEN_RESPONSE, &["closed"]);
    assert_eq!((server.accepted(), server.requests().len()), (1, 1));
}

#[test]
fn a_response_that_has_begun_is_not_asked_for_again() {
    let server = Server::start(|mut connection| {
        if connection.request().is_some() && connection.respond("first") && connection.request().is_some() {
            connection.send("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf");
        }
    });
    let runner = Runner::new().unwrap();
    get(&runner, json!({"url": server.url("/")})).unwrap();
    assert_failure(get(&runner, json!({"url": server.url("/")})), code::BROKEN_RESPONSE, &["the response is broken"]);
    wait_until("the server has read both", || server.requests().len() == 2);
    assert_eq!(server.accepted(), 1);
}

/// How many connections to this address the other side has closed and this process has not.
fn half_closed(address: &str) -> usize {
    const CLOSE_WAIT: &str = "08";
    let port: u16 = address.rsplit_once(':').unwrap().1.parse().unwrap();
    let remote = format!("0100007F:{port:04X}");
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let lines = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    lines.filter(|words| words[2] == remote && words[3] == CLOSE_WAIT).count()
}

#[test]
fn connections_that_the_server_closes_are_closed_while_nobody_uses_them() {
    let (arrived, closed) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (arriving, closing) = (Arc::clone(&arrived), Arc::clone(&closed));
    let server = Server::start(move |mut connection| {
        connection.request();
        arriving.fetch_add(1, Ordering::SeqCst);
        // None is given the connection of another.
        wait_until("all have come", || arriving.load(Ordering::SeqCst) >= 8);
        connection.respond("");
        drop(connection);
        closing.fetch_add(1, Ordering::SeqCst);
    });
    let runner = Runner::new().unwrap();
    let request = json!({"url": server.url("/")}).to_string();
    let tokens: Vec<_> = (0..8).map(|_| runner.submit_job("http.get", &*request).unwrap()).collect();
    for reply in runner.gather_jobs(&tokens, Some(PATIENCE)).unwrap() {
        checked(reply).unwrap();
    }
    assert_eq!(server.accepted(), 8);
    wait_until("the server has closed them", || closed.load(Ordering::SeqCst) == 8);
    wait_until("none is half closed", || half_closed(&server.address()) == 0);
    // The next request opens one.
    assert_eq!(get(&runner, json!({"url": server.url("/")})).unwrap()["status"], 200);
    assert_eq!(server.accepted(), 9);
}

#[test]
fn of_too_many_connections_the_one_that_was_used_longest_ago_is_closed() {
    let closed = Arc::new(AtomicUsize::new(0));
    let server = || {
        let closing = Arc::clone(&closed);
        Server::start(move |mut connection| {
            while connection.request().is_some() && connection.respond("") {}
            closing.fetch_add(1, Ordering::SeqCst);
        })
    };
    let (one, two, three) = (server(), server(), server());
    let runner = configured(json!({"idle_connections": 2}));
    // The third takes the place of the second.
    for server in [&one, &two, &one, &three] {
        get(&runner, json!({"url": server.url("/")})).unwrap();
    }
    wait_until("one is closed", || closed.load(Ordering::SeqCst) == 1);
    for server in [&one, &three] {
        get(&runner, json!({"url": server.url("/")})).unwrap();
    }
    assert_eq!([&one, &two, &three].map(|server| server.accepted()), [1; 3]);
    get(&runner, json!({"url": two.url("/")})).unwrap();
    assert_eq!(two.accepted(), 2);
}

#[test]
fn a_crawl_of_many_hosts_keeps_few_descriptors() {
    let server =
        Server::on_all_addresses(|mut connection| while connection.request().is_some() && connection.respond("") {});
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 64; exec \"$@\"", "sh"]).arg(std::env::current_exe().unwrap());
    command.args(["--exact", "kept::child_that_crawls", "--ignored", "--nocapture"]);
    let ended = run(command.env("PALITRA_TEST_HTTP", server.url("/")), 6 * PATIENCE);
    assert!(ended.status.success() && ended.output.contains("1 passed"), "{}{}", ended.output, ended.errors);
}

#[test]
#[ignore = "the child of a_crawl_of_many_hosts_keeps_few_descriptors"]
fn child_that_crawls() {
    const KEPT: usize = 8;
    let url = std::env::var("PALITRA_TEST_HTTP").unwrap();
    let runner = configured(json!({"idle_connections": KEPT}));
    let descriptors = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let crawl = |number: u32| {
        let host = Ipv4Addr::from_bits(Ipv4Addr::new(127, 0, 1, 0).to_bits() + number);
        get(&runner, json!({"url": url.replace("0.0.0.0", &host.to_string())})).unwrap();
    };
    crawl(0);
    let before = descriptors();
    (1..100).for_each(crawl);
    // The last may not be closed yet.
    assert!(descriptors() <= before + KEPT, "{} after {before}", descriptors());
}

#[test]
fn connections_that_nobody_uses_are_closed_after_their_time() {
    let closed = Arc::new(AtomicUsize::new(0));
    let closing = Arc::clone(&closed);
    let server = Server::start(move |mut connection| {
        while connection.request().is_some() && connection.respond("") {}
        closing.fetch_add(1, Ordering::SeqCst);
    });
    let (short, usual) = (configured(json!({"idle_timeout": 0.5})), Runner::new().unwrap());
    let started = Instant::now();
    for runner in [&short, &usual] {
        get(runner, json!({"url": server.url("/")})).unwrap();
    }
    wait_until("the one is closed by its client", || closed.load(Ordering::SeqCst) == 1);
    // The server itself closes what is silent for its patience.
    let took = started.elapsed();
    assert!(took >= Duration::from_millis(500) && took < PATIENCE, "{took:?}");
    // The other is kept: 90 seconds are not over. And the next request of the first opens a connection anew.
    get(&usual, json!({"url": server.url("/")})).unwrap();
    assert_eq!((server.accepted(), closed.load(Ordering::SeqCst)), (2, 1));
    get(&short, json!({"url": server.url("/")})).unwrap();
    assert_eq!(server.accepted(), 3);
    wait_until("that is closed in its turn", || closed.load(Ordering::SeqCst) == 2);
}
