//! What is refused before anything is sent, and that the message says why.

use palitra::http::code;
use palitra::{Runner, Status};
use serde_json::json;

use crate::{assert_failure, checked, get, page, run};
use palitra_test_support::nginx::PATIENCE;

#[test]
fn a_request_that_cannot_be_sent_says_why() {
    let runner = Runner::new().unwrap();
    let url = "http://127.0.0.1/";
    let cases = [
        (json!({"url": "/relative"}), "\"/relative\" is not one: relative URL without a base"),
        (json!({"url": "http://"}), "empty host"),
        (json!({"url": ""}), "relative URL"),
        (json!({"url": "ftp://127.0.0.1/"}), "scheme ftp, not http or https"),
        (json!({"url": "file:///etc/passwd"}), "scheme file"),
        (json!({"url": "ftp://me:word@a.example/"}), "\"ftp://...@a.example/\" is of the scheme ftp"),
        (json!({"url": "http://me:word@["}), "\"http://...@[\" is not one"),
        (json!({"url": format!("{url}{}", "x".repeat(70_000))}), "the url has 70017 bytes; 65534 are allowed"),
        (json!({"url": url, "method": "GET /"}), "\"GET /\" is not an HTTP method"),
        (json!({"url": url, "method": ""}), "\"\" is not an HTTP method"),
        (json!({"url": url, "method": "CONNECT"}), "CONNECT opens a tunnel"),
        (json!({"url": url, "headers": {"a b": "c"}}), "\"a b\" is not a header name"),
        (json!({"url": url, "headers": {"": "c"}}), "\"\" is not a header name"),
        (json!({"url": url, "headers": {"x": "a\r\ny: b"}}), "the value of the header \"x\" holds a line break"),
        (json!({"url": url, "headers": {"x": "a\0"}}), "the value of the header \"x\""),
        (json!({"url": url, "headers": {"Content-Length": "5"}}), "\"Content-Length\" follows from the body"),
        (json!({"url": url, "headers": {"transfer-encoding": "chunked"}}), "follows from the body"),
        (json!({"url": url, "timeout": 0}), "timeout is 0 seconds; more than 0"),
        (json!({"url": url, "timeout": -1}), "timeout is -1 seconds"),
        (json!({"url": url, "timeout": 1e300}), "at most 31536000"),
    ];
    for (request, says) in cases {
        let result = page(&runner, "http.request", request);
        assert!(!result.as_ref().is_err_and(|(_, message)| message.contains("word")), "{result:?} shows a password");
        assert_failure(result, code::INVALID_REQUEST, &[says]);
    }
    let many: serde_json::Map<_, _> = (0..40_000).map(|n| (format!("x-{n}"), "".into())).collect();
    let result = get(&runner, json!({"url": url, "headers": many}));
    assert_failure(result, code::INVALID_REQUEST, &["40000 headers; 1000 are allowed"]);
}

#[test]
fn a_payload_that_is_not_the_request_says_what_is_wrong() {
    let runner = Runner::new().unwrap();
    let url = "http://127.0.0.1/";
    let cases = [
        ("http.get", json!({"url": url, "body": "x"}), "unknown field `body`, expected one of `url`, `headers`"),
        ("http.get", json!({"url": url, "method": "PUT"}), "unknown field `method`"),
        ("http.bytes", json!({"url": url, "max_size": 1}), "unknown field `max_size`"),
        ("http.request", json!({"url": url, "Method": "PUT"}), "unknown field `Method`"),
        ("http.get", json!({}), "missing field `url`"),
        ("http.get", json!({"url": 5}), "integer `5`, expected a string"),
        ("http.get", json!({"url": url, "headers": {"x": 5}}), "integer `5`, expected a string"),
        ("http.get", json!({"url": url, "max_bytes": -1}), "integer `-1`, expected u64"),
        ("http.get", json!({"url": url, "redirects": 0.5}), "floating point `0.5`, expected u32"),
        ("http.get", json!("http://127.0.0.1/"), "expected struct"),
    ];
    for (job, request, says) in cases {
        assert_failure(run(&runner, job, request), 0, &[says]);
    }
    for not_json in [&b""[..], b"{", b"\xff", br#"{"url": "http://127.0.0.1/", "timeout": NaN}"#] {
        let reply = runner.run_job("http.get", not_json, Some(PATIENCE)).unwrap();
        assert_eq!(reply.status(), Status::BadPayload);
        assert_failure(checked(reply), 0, &["the payload does not fit"]);
    }
}
