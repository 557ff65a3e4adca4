//! Requests whose body another job produces.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use palitra::http::code;
use palitra::{Context, JobError, Runner, Status};
use palitra_test_support::nginx::{Nginx, PATIENCE};
use palitra_test_support::process::{run_well, wait_until};
use palitra_test_support::scripted::Server;
use serde_json::{Value, json};

use crate::configure::configured;
use crate::{assert_failure, checked, page};

const ITEM: usize = 64 << 10;

/// Set to where the program is to upload to, when this program is the one that uploads.
const UPLOADS_TO: &str = "PALITRA_TEST_UPLOADS_TO";

/// A runner with jobs that produce bodies.
fn runner() -> Runner {
    let runner = Runner::new().unwrap();
    runner.register("test.words", words).unwrap();
    runner.register("test.many", |context, payload| many(context, payload, Arc::default())).unwrap();
    runner
}

/// Sends each word of its payload; "fail" ends it.
async fn words(context: Context, payload: Vec<u8>) -> Result<(), JobError> {
    for word in String::from_utf8_lossy(&payload).split(' ') {
        if word == "fail" {
            return Err(JobError::new(77, "out of words"));
        }
        context.send(word.to_string()).await?;
    }
    Ok(())
}

/// Sends so many items, and counts them.
async fn many(context: Context, payload: Vec<u8>, sent: Arc<AtomicUsize>) -> Result<(), JobError> {
    let items: usize = String::from_utf8_lossy(&payload).parse().map_err(|error| JobError::from_error(1, &error))?;
    for number in 0..items {
        context.send(vec![number as u8; ITEM]).await?;
        sent.fetch_add(1, Ordering::SeqCst);
    }
    Ok(())
}

/// What the server says of a body: its method, content type and so on, and the body.
fn echoed(nginx: &Nginx, runner: &Runner, path: &str, from: Value) -> Value {
    page(runner, "http.request", json!({"url": nginx.url(path), "body_from": from})).unwrap()["body"].clone()
}

#[test]
fn the_items_of_a_job_are_the_body() {
    let (nginx, runner) = (Nginx::start(), runner());
    for length in [Value::Null, json!(9)] {
        let from = json!({"job": "test.words", "payload": "one  two six", "length": length});
        let body = echoed(&nginx, &runner, "/echo", from);
        assert!(
            body.as_str().unwrap().starts_with("POST|") && body.as_str().unwrap().ends_with("|onetwosix"),
            "{body}"
        );
    }
    let fetch =
        json!({"url": nginx.url("/echo"), "method": "PUT", "body_from": {"job": "test.words", "payload": {"a": 1}}});
    let reply = checked(runner.run_job("http.fetch", fetch.to_string(), Some(PATIENCE)).unwrap()).unwrap();
    assert!(reply.text().ends_with("|{\"a\":1}"), "JSON as it is: {}", reply.text());
    let empty = json!({"job": "test.words"});
    assert!(echoed(&nginx, &runner, "/echo", empty).as_str().unwrap().ends_with('|'));
}

#[test]
fn it_is_called_again_where_a_redirect_leads() {
    let (nginx, runner) = (Nginx::start(), runner());
    let body = echoed(&nginx, &runner, "/temporary", json!({"job": "test.words", "payload": "once more"}));
    assert!(body.as_str().unwrap().ends_with("|oncemore"), "{body}");
}

#[test]
fn its_length_is_announced_only_if_it_is_given() {
    let runner = runner();
    let server = Server::start(|mut connection| while connection.request().is_some() && connection.respond("") {});
    for length in [Value::Null, json!(3)] {
        let from = json!({"job": "test.words", "payload": "one", "length": length});
        page(&runner, "http.request", json!({"url": server.url("/"), "body_from": from})).unwrap();
    }
    let heads: Vec<_> = server.requests().iter().map(|head| head.to_ascii_lowercase()).collect();
    assert!(
        heads[0].contains("\r\ntransfer-encoding: chunked\r\n") && !heads[0].contains("content-length"),
        "{heads:?}"
    );
    assert!(heads[1].contains("\r\ncontent-length: 3\r\n") && !heads[1].contains("transfer-encoding"), "{heads:?}");
}

#[test]
fn what_it_fails_with_fails_the_request() {
    let (nginx, runner) = (Nginx::start(), runner());
    let request = |from: Value| json!({"url": nginx.url("/echo"), "body_from": from});
    let words = |payload: &str, length: u64| json!({"job": "test.words", "payload": payload, "length": length});
    let cases = [
        (json!({"job": "test.words", "payload": "one fail"}), code::BODY_FAILED, "\"test.words\"", "out of words"),
        (json!({"job": "test.nowhere"}), code::BODY_FAILED, "\"test.nowhere\"", "no job is registered"),
        (words("one two", 4), code::BODY_FAILED, "sent 6 bytes", "length is 4"),
        (words("one two", 9), code::BODY_FAILED, "ended after 6 bytes", "length is 9"),
        (json!({"name": "test.words"}), 0, "unknown field `name`", ""),
    ];
    for (from, code, says, also) in cases {
        assert_failure(page(&runner, "http.request", request(from)), code, &[says, also]);
    }
    let both = json!({"url": nginx.url("/echo"), "body": "x", "body_from": {"job": "test.words"}});
    assert_failure(page(&runner, "http.request", both), code::INVALID_REQUEST, &["only one of them"]);
}

#[test]
fn it_may_be_a_request_of_the_same_client_however_few_turns_there_are() {
    let server = Server::start(|mut connection| while connection.request().is_some() && connection.respond("it") {});
    let from = json!({"job": "http.stream", "payload": {"url": server.url("/from")}});
    let upload = json!({"url": server.url("/to"), "body_from": from, "timeout": 3 * PATIENCE.as_secs()});
    for settings in [json!({"requests": 1}), json!({"requests_per_host": 1})] {
        page(&configured(settings), "http.request", upload.clone()).unwrap();
    }
    let (runner, upload) = (Runner::new().unwrap(), upload.to_string());
    let tokens: Vec<_> = (0..300).map(|_| runner.submit_job("http.request", &*upload).unwrap()).collect();
    for reply in runner.gather_jobs(&tokens, Some(6 * PATIENCE)).unwrap() {
        checked(reply).unwrap();
    }
}

#[test]
fn uploads_wait_for_each_other_and_for_nobody_else() {
    let nginx = Nginx::start();
    for settings in [json!({"requests": 1}), json!({"requests_per_host": 1})] {
        let runner = configured(settings);
        runner.register("test.words", words).unwrap();
        let upload = |timeout: u64| {
            let from = json!({"job": "test.words", "payload": "one"});
            json!({"url": nginx.url("/silent"), "body_from": from, "timeout": timeout, "timeout_includes_wait": true})
        };
        let first = runner.submit_job("http.request", upload(1000).to_string()).unwrap();
        wait_until("it is under way", || nginx.connections().open == 1);
        assert_failure(page(&runner, "http.request", upload(1)), code::TIMEOUT, &["for its turn"]);
        assert_eq!(page(&runner, "http.get", json!({"url": nginx.url("/hello")})).unwrap()["body"], "hello");
        drop(first);
        runner.shutdown(Some(Duration::ZERO)).unwrap();
        wait_until("its connections are closed", || nginx.connections().open == 0);
    }
}

/// Notes that a job was dropped.
struct Dropped(Arc<AtomicBool>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn a_slow_server_slows_it_and_a_cancel_of_the_request_ends_it() {
    let (sent, dropped) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
    let (counted, noted) = (Arc::clone(&sent), Arc::clone(&dropped));
    let runner = Runner::new().unwrap();
    let job = move |context, payload| {
        let (many, dropped) = (many(context, payload, Arc::clone(&counted)), Dropped(Arc::clone(&noted)));
        async move {
            let _dropped = dropped;
            many.await
        }
    };
    runner.register("test.many", job).unwrap();
    let unread = Arc::clone(&dropped);
    let server = Server::start(move |_connection| wait_until("the client has left", || unread.load(Ordering::SeqCst)));
    let request = json!({"url": server.url("/"), "body_from": {"job": "test.many", "payload": "100000"}});
    let token = runner.submit_job("http.request", request.to_string()).unwrap();
    let settled = || {
        let before = sent.load(Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(100));
        before > 16 && before == sent.load(Ordering::SeqCst)
    };
    wait_until("the connection takes no more", settled);
    // What the sockets of a loopback take beside the items of one stream is a few megabytes.
    let most = (16 << 20) / ITEM;
    assert!(sent.load(Ordering::SeqCst) < most, "{} items were sent to nobody", sent.load(Ordering::SeqCst));
    token.cancel();
    wait_until("the job is dropped", || dropped.load(Ordering::SeqCst));
}

#[test]
fn a_cancel_of_the_job_fails_the_request() {
    let server = Server::start(|mut connection| _ = connection.is_closed_by_client());
    let runner = Runner::new().unwrap();
    runner.register("test.cancelled", |_, _| async { Err::<(), _>(palitra::Error::from(Status::Cancelled)) }).unwrap();
    let request = json!({"url": server.url("/"), "body_from": {"job": "test.cancelled"}});
    assert_failure(page(&runner, "http.request", request), code::BODY_FAILED, &["\"test.cancelled\""]);
}

#[test]
fn a_server_that_responds_early_ends_the_job() {
    let dropped = Arc::<AtomicBool>::default();
    let noted = Arc::clone(&dropped);
    let runner = Runner::new().unwrap();
    let endless = move |context: Context, _| {
        let dropped = Dropped(Arc::clone(&noted));
        async move {
            let _dropped = dropped;
            loop {
                context.send(vec![0; ITEM]).await?;
            }
            #[allow(unreachable_code, reason = "the type of the job")]
            Ok::<(), JobError>(())
        }
    };
    runner.register("test.endless", endless).unwrap();
    let server = Server::start(|mut connection| {
        // The job has begun when the first of its bytes is here.
        connection.head();
        connection.bytes(1);
        connection.send("HTTP/1.1 413 Too Much\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    });
    let request = json!({"url": server.url("/"), "body_from": {"job": "test.endless"}, "timeout": 10});
    let _ = checked(runner.run_job("http.request", request.to_string(), Some(PATIENCE)).unwrap());
    wait_until("the job is dropped", || dropped.load(Ordering::SeqCst));
}

/// In a process of its own, whose memory is this upload's.
#[test]
fn an_upload_of_any_size_takes_little_memory() {
    if let Some(url) = std::env::var_os(UPLOADS_TO) {
        return upload(url.to_str().unwrap());
    }
    let nginx = Nginx::start();
    let mut itself = Command::new(std::env::current_exe().unwrap());
    itself.args(["--exact", "produced::an_upload_of_any_size_takes_little_memory", "--nocapture"]);
    run_well(itself.env(UPLOADS_TO, nginx.url("/files/upload")), 6 * PATIENCE);
}

fn upload(url: &str) {
    let runner = runner();
    let megabytes: usize = if std::env::var_os("PALITRA_TEST_LONG").is_some() { 256 } else { 64 };
    let put = |megabytes: usize| {
        let items = (megabytes << 20) / ITEM;
        let from = json!({"job": "test.many", "payload": items.to_string()});
        let request = json!({"url": url, "method": "PUT", "body_from": from});
        let status = page(&runner, "http.request", request).unwrap()["status"].as_u64();
        assert!(matches!(status, Some(201 | 204)), "{status:?}");
    };
    put(2);
    let before = most_memory();
    put(megabytes);
    let more = most_memory() - before;
    println!("{megabytes} MiB took {more} KiB more than 2 MiB");
    assert!(more < 8 << 10, "{more} KiB");
    let stored = json!({"url": url, "method": "HEAD"});
    let length = &page(&runner, "http.request", stored).unwrap()["headers"]["content-length"];
    assert_eq!(length.as_str().unwrap(), (megabytes << 20).to_string());
}

/// The most that this process had in memory, in KiB.
fn most_memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}
