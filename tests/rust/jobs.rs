//! Jobs: what they may take and return, what the registry knows of them, and what they may ask of their runner.
//!
//! Promise 11: bad input and limits return a status.

use std::borrow::Cow;
use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::sync::{LazyLock, Mutex};
use std::thread;
use std::time::Duration;

use palitra::{Context, Format, Framed, IntoReply, Job, JobError, Json, Reply, State, Status, job};
use serde::{Deserialize, Deserializer, Serialize};

use super::{Flag, PATIENCE, assert_refused, bounded, runner, wait_until};

#[derive(Deserialize, Serialize)]
struct Pair {
    left: i32,
    right: i32,
}

/// Reverses its payload.
///
/// Byte by byte.
#[job("rust.bytes")]
async fn bytes(mut payload: Vec<u8>) -> Vec<u8> {
    payload.reverse();
    payload
}

#[job("rust.text")]
async fn text(payload: String) -> String {
    payload.to_uppercase()
}

#[job("rust.json")]
async fn json(Json(pair): Json<Pair>) -> Json<Pair> {
    Json(Pair { left: pair.right, right: pair.left })
}

#[job("rust.framed")]
async fn framed(Framed(pair, bytes): Framed<Pair>) -> Framed<i32> {
    Framed(pair.left + pair.right, bytes)
}

#[job("rust.static")]
async fn fixed() -> &'static str {
    "fixed"
}

/// Decides at run time what it returns.
#[job("rust.any_reply")]
async fn any_reply(kind: String) -> Reply {
    match &*kind {
        "bytes" => Reply::bytes(*b"\xff"),
        "text" => Cow::<str>::Owned(kind).into_reply(),
        "static" => Cow::Borrowed("static").into_reply(),
        "json" => serde_json::json!({"kind": kind}).into_reply(),
        _ => JobError::new(9, "no such kind").into(),
    }
}

#[job("rust.cow")]
async fn cow(payload: Vec<u8>) -> Cow<'static, [u8]> {
    if payload.is_empty() { Cow::Borrowed(b"nothing") } else { Cow::Owned(payload) }
}

#[job("rust.shared_bytes")]
async fn shared_bytes(payload: Vec<u8>) -> bytes::Bytes {
    bytes::Bytes::from(payload).slice(1..)
}

#[job("rust.nothing")]
async fn nothing(_payload: Vec<u8>) {}

#[job("rust.order")]
async fn any_order(context: Context, payload: String, _count: State<u32>, again: Context) -> String {
    format!("{payload} {}", context.is_cancelled() || again.is_cancelled())
}

#[job("rust.unwritable")]
async fn unwritable() -> Json<HashMap<(i32, i32), i32>> {
    Json(HashMap::from([((1, 2), 3)]))
}

/// A payload whose reading panics.
struct Unreadable;

impl<'de> Deserialize<'de> for Unreadable {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        panic!("of the one who reads")
    }
}

#[job("rust.unreadable")]
async fn unreadable(_payload: Json<Unreadable>) {}

#[job("rust.result")]
async fn result(payload: String) -> Result<String, JobError> {
    match &*payload {
        "static" => Err("a static text".into()),
        "owned" => Err(format!("an {payload} text").into()),
        "code" => Err(JobError::new(i32::MIN, "a code")),
        _ => Ok(payload),
    }
}

/// Fails with errors of other libraries.
#[job("rust.errors")]
async fn errors(context: Context, payload: String) -> Result<String, Box<dyn Error + Send + Sync>> {
    match &*payload {
        "parse" => Ok("none".parse::<u16>()?.to_string()),
        "io" => Ok(io_error().await?),
        "causes" => Err(Box::new(Outer { inner: "one.parse".parse::<f64>().unwrap_err() })),
        "code" => Err(JobError::new(7, "kept").into()),
        other => Ok(nested(context, other.to_string()).await?),
    }
}

/// Fails with an error of the system's.
#[job("rust.io_error")]
async fn io_error() -> Result<String, JobError> {
    Ok(std::fs::read_to_string("/no/such/file")?)
}

#[derive(Debug)]
struct Outer<E> {
    inner: E,
}

impl<E> fmt::Display for Outer<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the price is wrong")
    }
}

impl<E: Error + 'static> Error for Outer<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.inner)
    }
}

/// Calls the job in each way. All return alike.
fn call(job: &str, payload: &[u8]) -> Reply {
    let runner = runner();
    let (clone, name, copy) = (runner.clone(), job.to_string(), payload.to_vec());
    let replies = [
        bounded(move || clone.run_job(&name, copy, None)).unwrap(),
        runner.run_job(job, payload, Some(PATIENCE)).unwrap(),
        runner.submit_job(job, payload).unwrap().wait(Some(PATIENCE)).unwrap(),
    ];
    let seen = replies.each_ref().map(|reply| (reply.status(), reply.code(), reply.format(), reply.data()));
    assert!(seen.iter().all(|reply| *reply == seen[0]), "{job}: {seen:?}");
    let [reply, ..] = replies;
    reply
}

fn find(name: &str) -> Option<&'static Job> {
    palitra::jobs().into_iter().find(|job| job.name() == name)
}

#[test]
fn a_job_takes_and_gives_bytes_text_json_or_nothing() {
    let cases: [(&str, &[u8], Format, &[u8]); 15] = [
        ("rust.shared_bytes", b"abc", Format::Bytes, b"bc"),
        ("rust.any_reply", b"bytes", Format::Bytes, b"\xff"),
        ("rust.any_reply", b"text", Format::Text, b"text"),
        ("rust.any_reply", b"static", Format::Text, b"static"),
        ("rust.any_reply", b"json", Format::Json, br#"{"kind":"json"}"#),
        ("rust.cow", b"", Format::Bytes, b"nothing"),
        ("rust.cow", b"\x00", Format::Bytes, b"\x00"),
        ("rust.bytes", b"\x00\xff\x01", Format::Bytes, b"\x01\xff\x00"),
        ("rust.text", "häuser".as_bytes(), Format::Text, "HÄUSER".as_bytes()),
        ("rust.json", br#"{"left": 1, "right": 2}"#, Format::Json, br#"{"left":2,"right":1}"#),
        ("rust.framed", b"{\"left\": 1,\n\"right\": 2}\n\x00\n\xff", Format::Bytes, b"3\n\x00\n\xff"),
        ("rust.framed", b"{\"left\": 1, \"right\": 2}", Format::Bytes, b"3\n"),
        ("rust.static", b"ignored", Format::Text, b"fixed"),
        ("rust.nothing", b"ignored", Format::Bytes, b""),
        ("rust.order", b"taken", Format::Text, b"taken false"),
    ];
    for (job, payload, format, expected) in cases {
        let reply = call(job, payload);
        assert_eq!((reply.status(), reply.format(), reply.data()), (Status::Ok, format, expected), "{job}");
    }
}

#[test]
fn an_empty_payload_is_a_payload() {
    assert_eq!(call("rust.bytes", b"").data(), b"");
    assert_eq!(call("rust.text", b"").data(), b"");
}

#[test]
fn a_large_payload_comes_back_whole() {
    let payload: Vec<u8> = (0..10_000_000_u32).map(|n| (n % 251) as u8).collect();
    assert_eq!(runner().run_job("palitra.echo", payload.clone(), None).unwrap().into_bytes(), payload);
    assert_eq!(runner().run_job("test.large", r#"{"bytes": 5000000}"#, None).unwrap().data().len(), 5_000_000);
}

#[test]
fn a_failure_keeps_its_code_and_its_message() {
    for (payload, code, message) in
        [("static", 0, "a static text"), ("owned", 0, "an owned text"), ("code", i32::MIN, "a code")]
    {
        let reply = call("rust.result", payload.as_bytes());
        assert_eq!((reply.status(), reply.code(), &*reply.text()), (Status::JobFailed, code, message));
        assert_eq!(reply.format(), Format::Text, "a message is text");
    }
    assert_eq!(call("rust.result", b"well").text(), "well");
}

#[test]
fn a_payload_that_is_refused_is_bad_and_the_message_says_why() {
    let cases: [(&str, &[u8], &str); 8] = [
        ("rust.framed", b"", "it is empty"),
        ("rust.framed", b"{\"left\": 1}\nbytes", "missing field `right`"),
        ("rust.framed", b"{\"left\": 1, \"right\": 2} bytes", "a line feed and the body, and nothing else"),
        ("rust.text", b"abc\xff", "not UTF-8 from byte 3"),
        ("rust.json", b"", "EOF"),
        ("rust.json", b"{\"left\": 1", "EOF"),
        ("rust.json", br#"{"left": 1}"#, "missing field `right`"),
        ("rust.json", br#"{"left": "x", "right": 2}"#, r#"invalid type: string "x", expected i32"#),
    ];
    for (job, payload, why) in cases {
        let reply = call(job, payload);
        assert_eq!((reply.status(), reply.code()), (Status::BadPayload, JobError::UNSPECIFIED), "{job}");
        assert!(reply.text().contains("payload") && reply.text().contains(why), "{job}: {}", reply.text());
    }
}

#[test]
fn a_payload_whose_reading_panics_fails_its_job_and_nothing_else() {
    let reply = call("rust.unreadable", b"1");
    assert_eq!(reply.status(), Status::JobPanicked);
    assert!(reply.text().contains("of the one who reads"), "{}", reply.text());
}

#[test]
fn the_jobs_that_ship_refuse_what_they_cannot_do() {
    let refused = [Status::JobFailed, Status::BadPayload];
    for (seconds, status) in [("-1", refused[0]), ("1e300", refused[0]), ("\"x\"", refused[1]), ("null", refused[1])] {
        let reply = call("palitra.sleep", format!(r#"{{"seconds": {seconds}}}"#).as_bytes());
        assert_eq!(reply.status(), status, "{seconds}");
    }
    let reply = call("palitra.sleep", br#"{"seconds": 0, "minutes": 1}"#);
    assert!(reply.text().contains("unknown field `minutes`"), "{}", reply.text());
}

#[test]
fn a_result_that_is_no_json_fails_the_job() {
    let reply = call("rust.unwritable", b"");
    assert_eq!(reply.status(), Status::JobFailed);
    assert!(reply.text().contains("cannot be written as JSON"), "{}", reply.text());
}

#[test]
fn the_registry_knows_name_documentation_and_formats() {
    let job = find("rust.bytes").unwrap();
    assert_eq!(job.doc(), "Reverses its payload.\n\nByte by byte.");
    for (name, input, output) in [
        ("rust.bytes", Format::Bytes, Format::Bytes),
        ("rust.text", Format::Text, Format::Text),
        ("rust.json", Format::Json, Format::Json),
        ("rust.static", Format::Bytes, Format::Text),
        ("rust.nothing", Format::Bytes, Format::Bytes),
        ("rust.order", Format::Text, Format::Text),
        ("rust.result", Format::Text, Format::Text),
    ] {
        let job = find(name).unwrap();
        assert_eq!((job.input(), job.output()), (input, output), "{name}");
    }
    let items = ["rust.text", "test.stream", "http.stream"].map(|name| find(name).unwrap().items());
    assert_eq!(items, [None, None, Some(Format::Bytes)]);
    assert_eq!(format!("{job:?}"), "Job { name: \"rust.bytes\", input: Bytes, .. }");
    assert!(find("rust.none").is_none());
}

#[test]
fn the_registry_lists_the_jobs_of_all_crates_by_name_and_each_once() {
    let names: Vec<_> = palitra::jobs().iter().map(|job| job.name()).collect();
    assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
    for name in ["palitra.echo", "palitra.sleep", "test.never", "rust.text"] {
        assert!(names.contains(&name), "{name}");
    }
}

#[test]
fn two_jobs_of_one_name_are_both_refused_and_the_message_says_so() {
    let reply = call("test.twin", b"");
    assert_eq!(reply.status(), Status::JobFailed);
    let message = reply.text();
    assert!(message.contains("two jobs are registered as \"test.twin\""), "{message}");
    assert_eq!(message.matches("jobs/src/lib.rs:").count(), 2, "where they stand: {message}");
    assert_eq!(palitra::jobs().iter().filter(|job| job.name() == "test.twin").count(), 1);
}

#[test]
fn a_job_is_still_a_function() {
    assert_eq!(super::block_on(text("plain".to_string())), "PLAIN");
}

static STEPS: Mutex<Vec<&str>> = Mutex::new(Vec::new());

/// A loop on a blocking thread, where no await can end it.
#[job("rust.blocking_loop")]
async fn blocking_loop(context: Context) {
    let look = move || {
        STEPS.lock().unwrap().push("begun");
        while !context.is_cancelled() {
            thread::sleep(Duration::from_millis(1));
        }
        STEPS.lock().unwrap().push("cancelled");
    };
    let _ = tokio::task::spawn_blocking(look).await;
}

#[test]
fn a_context_tells_a_blocking_loop_that_its_job_was_cancelled() {
    let runner = runner();
    let token = runner.submit_job("rust.blocking_loop", "").unwrap();
    wait_until("the loop runs", || STEPS.lock().unwrap().len() == 1);
    assert_refused(token.wait(Some(Duration::from_millis(20))), Status::Pending);
    assert_eq!(*STEPS.lock().unwrap(), ["begun"]);
    token.cancel();
    wait_until("the loop has ended", || STEPS.lock().unwrap().len() == 2);
}

#[test]
fn a_job_submits_another_to_its_own_runner_and_awaits_it() {
    assert_eq!(call("test.nested", b"inside").text(), "inside");
}

/// Submits the job that its payload names.
#[job("rust.nested")]
async fn nested(context: Context, name: String) -> Result<String, JobError> {
    let reply = context.submit_job(&name, "payload")?.await?.into_result()?;
    Ok(reply.text().into_owned())
}

/// Cancels the job that it submits.
#[job("rust.cancels")]
async fn cancels(context: Context) -> Result<(), JobError> {
    let token = context.submit_job("test.never", "")?;
    token.cancel();
    token.await?.into_result()?;
    Ok(())
}

#[test]
fn what_a_nested_job_fails_with_is_what_its_caller_gets() {
    assert_eq!(call("rust.nested", b"rust.text").text(), "PAYLOAD");
    for (name, status, message) in [
        ("no.such.job", Status::JobFailed, "no.such.job"),
        ("rust.json", Status::JobFailed, "fit"),
        ("test.panic_later", Status::JobPanicked, "payload"),
        ("rust.cancels", Status::Cancelled, "cancelled"),
    ] {
        for outer in ["rust.nested", "rust.errors"] {
            let reply = call(outer, name.as_bytes());
            assert_eq!(reply.status(), status, "{outer} {name}");
            assert!(reply.text().contains(message), "{outer} {name}: {}", reply.text());
        }
    }
}

#[test]
fn an_error_of_another_library_says_its_causes_and_a_boxed_failure_keeps_its_code() {
    for (payload, code, message) in [
        ("parse", 0, "invalid digit found in string"),
        ("io", 0, "No such file or directory (os error 2)"),
        ("causes", 0, "the price is wrong: invalid float literal"),
        ("code", 7, "kept"),
    ] {
        let reply = call("rust.errors", payload.as_bytes());
        let seen = (reply.status(), reply.code(), reply.text());
        assert_eq!(seen, (Status::JobFailed, code, message.into()), "{payload}");
    }
    assert_eq!(call("test.fail_anyhow", b"").text(), "the page was not kept: the disk is full");
}

/// Submits itself until its payload has counted down.
#[job("rust.depth")]
async fn depth(context: Context, left: String) -> Result<String, JobError> {
    let left: u32 = left.parse().map_err(|_| "no number")?;
    if left == 0 {
        return Ok("bottom".to_string());
    }
    Ok(context.submit_job("rust.depth", (left - 1).to_string())?.await?.text().into_owned())
}

#[test]
fn jobs_may_be_nested_deeply_on_one_thread() {
    let runner = runner();
    let reply = bounded(move || runner.run_job("rust.depth", "1000", None)).unwrap();
    assert_eq!(reply.text(), "bottom");
}

static ARRIVED: LazyLock<Flag> = LazyLock::new(Flag::default);
static CANCELLED: LazyLock<Flag> = LazyLock::new(Flag::default);

#[job("rust.fails_once_cancelled")]
async fn fails_once_cancelled() -> Result<(), JobError> {
    ARRIVED.raise();
    CANCELLED.spin();
    Err(JobError::new(1, "nobody reads this"))
}

#[test]
fn a_job_that_fails_because_it_was_cancelled_counts_as_cancelled() {
    let runner = runner();
    runner.run_job("palitra.echo", "", None).unwrap();
    let token = runner.submit_job("rust.fails_once_cancelled", "").unwrap();
    wait_until("the job has begun", || ARRIVED.is_up());
    token.cancel();
    CANCELLED.raise();
    wait_until("it has ended", || runner.stats().unwrap().running == 0);
    let stats = runner.stats().unwrap();
    assert_eq!((stats.succeeded, stats.failed, stats.cancelled), (1, 0, 1));
}
