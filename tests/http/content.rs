//! What a request carries and how its response is read: queries, authorization, forms, bytes, charsets, compression.

use std::fs;
use std::io::Read;

use palitra::http::code;
use palitra::{Options, Runner, Status};
use serde_json::{Value, json};

use crate::{Failure, assert_failure, checked, get, page, run};
use palitra_test_support::nginx::{BIG, Nginx, PATIENCE};
use palitra_test_support::scripted::Server;

/// Runs `http.fetch`; its head and its body.
fn fetch(runner: &Runner, request: Value, body: Option<&[u8]>) -> Result<(Value, Vec<u8>), Failure> {
    let mut payload = request.to_string().into_bytes();
    if let Some(body) = body {
        payload.push(b'\n');
        payload.extend_from_slice(body);
    }
    let reply = checked(runner.run_job("http.fetch", payload, Some(3 * PATIENCE)).unwrap())?;
    let end = reply.data().iter().position(|byte| *byte == b'\n').expect("a line feed behind the head");
    let (head, body) = reply.data().split_at(end);
    Ok((serde_json::from_slice(head).unwrap(), body[1..].to_vec()))
}

#[test]
fn status_headers_and_bytes_come_together_and_bytes_are_sent() {
    let (nginx, runner) = (Nginx::start(), Runner::new().unwrap());
    let url = nginx.url("/files/bytes");
    let bytes: Vec<u8> = (0..=255).cycle().take(700_000).collect();
    let (head, body) = fetch(&runner, json!({"url": url, "method": "PUT"}), Some(&bytes)).unwrap();
    assert_eq!((head["status"].as_u64(), body.len()), (Some(201), 0));
    let (head, body) = fetch(&runner, json!({"url": url}), None).unwrap();
    assert_eq!((head["status"].as_u64(), head["headers"]["content-length"].as_str()), (Some(200), Some("700000")));
    assert_eq!(head["url"], url);
    assert!(body == bytes);
    // A status that is no success is one of them.
    let (head, body) = fetch(&runner, json!({"url": nginx.url("/missing")}), None).unwrap();
    assert_eq!(head["status"], 404);
    assert!(String::from_utf8_lossy(&body).contains("404 Not Found"));
}

#[test]
fn what_stands_behind_the_json_is_a_line_feed_and_the_body_or_says_so() {
    let (nginx, runner) = (Nginx::start(), Runner::new().unwrap());
    let run = |payload: &str| runner.run_job("http.fetch", payload, Some(PATIENCE)).unwrap();
    let url = nginx.url("/hello");
    for good in [format!("{{\"url\":\n  \"{url}\"}}"), format!("{{\"url\": \"{url}\"}}\n")] {
        assert_eq!(run(&good).status(), Status::Ok, "{good}");
    }
    for (bad, says) in [
        (format!("{{\"url\": \"{url}\"}} x"), "a line feed and the body, and nothing else"),
        (format!("{{\"url\": \"{url}\", \"body\": \"x\"}}"), "unknown field `body`"),
        (String::new(), "it is empty"),
        ("{".into(), "EOF"),
    ] {
        let reply = run(&bad);
        assert_eq!(reply.status(), Status::BadPayload);
        assert!(reply.text().contains(says), "{}", reply.text());
    }
}

#[test]
fn a_query_is_added_to_the_url() {
    let (nginx, runner) = (Nginx::start(), Runner::new().unwrap());
    let query = json!({"a": "b c&d", "n": 5, "many": [true, "ä"], "none": []});
    let page = get(&runner, json!({"url": nginx.url("/asked?x=1"), "query": query})).unwrap();
    assert_eq!(page["body"], "x=1&a=b+c%26d&many=true&many=%C3%A4&n=5|gzip, br, zstd");
    assert_failure(get(&runner, json!({"url": nginx.url("/"), "query": {"a": null}})), 0, &["expected a string"]);
}

#[test]
fn a_form_is_posted() {
    let (nginx, runner) = (Nginx::start(), Runner::new().unwrap());
    let post = |extra: Value| {
        let mut request = json!({"url": nginx.url("/echo"), "form": {"a": "b c", "d": ["1", 2]}});
        request.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        page(&runner, "http.request", request).map(|page| page["body"].clone())
    };
    let agent = concat!("palitra/", env!("CARGO_PKG_VERSION"));
    assert_eq!(post(json!({})).unwrap(), format!("POST|application/x-www-form-urlencoded||{agent}|a=b+c&d=1&d=2"));
    let put = post(json!({"method": "PUT", "headers": {"content-type": "text/plain"}})).unwrap();
    assert_eq!(put, format!("PUT|text/plain||{agent}|a=b+c&d=1&d=2"));
    assert_failure(post(json!({"body": "x"})), code::INVALID_REQUEST, &["only one of them"]);
}

#[test]
fn authorization_is_sent_as_asked_and_in_no_message() {
    let (nginx, runner) = (Nginx::start(), Runner::new().unwrap());
    let url = nginx.url("/secrets");
    let sent = |extra: Value| {
        let mut request = json!({"url": url});
        request.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        get(&runner, request).map(|page| page["body"].clone())
    };
    assert_eq!(sent(json!({"basic": ["me", "word"]})).unwrap(), "[Basic bWU6d29yZA==][]");
    assert_eq!(sent(json!({"basic": ["mé", ""]})).unwrap(), "[Basic bcOpOg==][]");
    assert_eq!(sent(json!({"bearer": "abc.def"})).unwrap(), "[Bearer abc.def][]");
    for both in [
        json!({"basic": ["me", "secret"], "bearer": "secret"}),
        json!({"bearer": "secret", "headers": {"Authorization": "secret"}}),
        json!({"bearer": "secret\r\nx: y"}),
        json!({"basic": ["a:b", "secret"]}),
    ] {
        let (failed, message) = sent(both).unwrap_err();
        assert_eq!(failed, code::INVALID_REQUEST);
        assert!(!message.contains("secret"), "{message}");
    }
    // Abroad it stays at home, like any other authorization.
    let abroad = json!({"url": nginx.url("/abroad"), "bearer": "abc"});
    assert_eq!(get(&runner, abroad).unwrap()["body"], "[][]");
}

#[test]
fn a_page_is_decoded_by_its_charset() {
    let (nginx, runner) = (Nginx::start(), Runner::new().unwrap());
    let body = |request| get(&runner, request).map(|page| page["body"].clone());
    assert_eq!(body(json!({"url": nginx.url("/latin1-named")})).unwrap(), "é");
    assert_eq!(body(json!({"url": nginx.url("/latin1"), "charset": "latin1"})).unwrap(), "é");
    let unnamed = body(json!({"url": nginx.url("/latin1")}));
    assert_failure(unnamed, code::NOT_TEXT, &[&nginx.url("/latin1"), "not text in UTF-8", "http.bytes"]);
    let unknown = body(json!({"url": nginx.url("/latin1"), "charset": "klingon"}));
    assert_failure(unknown, code::NOT_TEXT, &["the charset \"klingon\" is unknown"]);
}

#[test]
fn a_compressed_body_is_unpacked_unless_the_host_asked_for_it() {
    let (nginx, runner) = (Nginx::start(), Runner::new().unwrap());
    let url = nginx.url("/packed");
    let (head, body) = fetch(&runner, json!({"url": url}), None).unwrap();
    assert!(body.len() == BIG && body.iter().all(|byte| *byte == b'.'));
    assert!(head["headers"].get("content-encoding").is_none() && head["headers"].get("content-length").is_none());
    let headers = json!({"Accept-Encoding": "gzip"});
    let (head, body) = fetch(&runner, json!({"url": url, "headers": headers}), None).unwrap();
    assert_eq!(head["headers"]["content-encoding"], "gzip");
    assert!(body.len() < BIG / 100 && body.starts_with(b"\x1f\x8b"));
    let asked = get(&runner, json!({"url": nginx.url("/asked")})).unwrap();
    assert_eq!(asked["body"], "|gzip, br, zstd");
    let part = json!({"url": nginx.url("/asked"), "headers": {"Range": "bytes=0-1"}});
    assert_eq!(get(&runner, part).unwrap()["body"], "|");
}

/// "päckt " ten times.
const BROTLI: &[u8] =
    b"\x1b\x45\x00\xf8\x1d\xa9\x53\x9f\x3c\x5c\x8e\xc1\x91\xd6\xda\x70\x81\xd0\xc5\x3d\x91\xc0\xec\x04";
const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd\x20\x46\x6d\x00\x00\x38\x70\xc3\xa4\x63\x6b\x74\x20\x01\x00\x94\x54\x8c";

/// A mebibyte of zeros.
pub(crate) const ZSTD_ZEROS: &[u8] =
    b"\x28\xb5\x2f\xfd\xa0\x00\x00\x10\x00\x54\x00\x00\x10\x00\x00\x01\x00\xfb\xff\x39\xc0\x02\
    \x02\x00\x10\x00\x02\x00\x10\x00\x02\x00\x10\x00\x02\x00\x10\x00\x02\x00\x10\x00\x02\x00\x10\x00\x03\x00\x10\x00";

/// Ten bytes in a window of 128 MiB.
const ZSTD_HUGE_WINDOW: &[u8] = b"\x28\xb5\x2f\xfd\x00\x88\x4d\x00\x00\x18\x61\x62\x63\x01\x00\x86\x6e\x08";

pub(crate) fn packed(coding: &str, body: &[u8]) -> Server {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-encoding: {coding}\r\ncontent-length: {}\r\n\r\n", body.len());
    Server::that_sends([head.as_bytes(), body].concat())
}

#[test]
fn brotli_and_zstd_are_unpacked_and_what_is_neither_is_broken() {
    let runner = Runner::new().unwrap();
    let text = "päckt ".repeat(10);
    for (coding, body) in [("br", BROTLI), ("zstd", ZSTD), ("BR", BROTLI)] {
        let body_of = |body: &[u8]| {
            let server = packed(coding, body);
            get(&runner, json!({"url": server.url("/")}))
        };
        assert_eq!(body_of(body).unwrap()["body"], text, "{coding}");
        assert_failure(body_of(&body[..body.len() / 2]), code::BROKEN_RESPONSE, &["cannot be unpacked"]);
        assert_failure(body_of(b"not compressed at all"), code::BROKEN_RESPONSE, &["cannot be unpacked"]);
    }
    for body in [&b""[..], b"\x1f", b"plain text"] {
        let server = packed("gzip", body);
        let result = get(&runner, json!({"url": server.url("/")}));
        // No body at all is the body of a HEAD, or of a server that forgot itself.
        if body.is_empty() {
            assert_eq!(result.unwrap()["body"], "");
        } else {
            assert_failure(result, code::BROKEN_RESPONSE, &["cannot be unpacked"]);
        }
    }
    // A coding that nobody asked for is the host's to undo.
    let server = packed("rot13", b"uryyb");
    assert_eq!(get(&runner, json!({"url": server.url("/")})).unwrap()["body"], "uryyb");
}

#[test]
fn what_a_body_unpacks_to_is_bounded() {
    let (nginx, runner) = (Nginx::start(), Runner::new().unwrap());
    let bytes = |url: &str, max: usize| run(&runner, "http.bytes", json!({"url": url, "max_bytes": max}));
    assert_eq!(bytes(&nginx.url("/packed"), BIG).unwrap().data().len(), BIG);
    assert_failure(bytes(&nginx.url("/packed"), BIG - 1), code::BODY_TOO_LARGE, &[&nginx.url("/packed")]);
    let bomb = packed("zstd", &ZSTD_ZEROS.repeat(100));
    assert_failure(run(&runner, "http.bytes", json!({"url": bomb.url("/")})), code::BODY_TOO_LARGE, &["67108864"]);
    let endless = packed("zstd", &b"\x28\xb5\x2f\xfd\x24\x00\x01\x00\x00\x99\xe9\xd8\x51".repeat(1000));
    assert_failure(bytes(&endless.url("/"), 10), code::BODY_TOO_LARGE, &["10 bytes"]);
    // The brotli is empty, and in a window of 128 MiB; as a coding of HTTP it has one of up to 16 MiB.
    for window in [packed("zstd", ZSTD_HUGE_WINDOW), packed("br", b"\x11\xdb")] {
        assert_failure(bytes(&window.url("/"), 1000), code::BROKEN_RESPONSE, &["cannot be unpacked"]);
    }
}

/// The processor time of a thread of this process, in nanoseconds.
fn processor_time(task: &str) -> u64 {
    let mut text = String::new();
    fs::File::open(format!("/proc/self/task/{task}/schedstat")).unwrap().read_to_string(&mut text).unwrap();
    text.split_whitespace().next().unwrap().parse().unwrap()
}

/// Which thread of this process has this name.
fn thread_named(name: &str) -> String {
    let tasks = fs::read_dir("/proc/self/task").unwrap().map(|task| task.unwrap());
    let mut tasks = tasks.map(|task| task.file_name().into_string().unwrap());
    tasks
        .find(|task| fs::read_to_string(format!("/proc/self/task/{task}/comm")).is_ok_and(|comm| comm.trim() == name))
        .unwrap()
}

#[test]
fn a_huge_page_is_written_beside_the_runners_thread() {
    let nginx = Nginx::start();
    let runner = Runner::with_options(Options { thread_name: "huge-page".into(), ..Options::default() }).unwrap();
    let thread = thread_named("huge-page");
    let costs = |job: &str| {
        let before = processor_time(&thread);
        for _ in 0..5 {
            run(&runner, job, json!({"url": nginx.url("/big")})).unwrap();
        }
        processor_time(&thread) - before
    };
    let (bytes, page) = (costs("http.bytes"), costs("http.get"));
    // What it costs to write so much JSON, here.
    let body = ".".repeat(BIG);
    let own = std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().name("writes-json".into());
        let writes = builder.spawn_scoped(scope, || {
            let own = thread_named("writes-json");
            let before = processor_time(&own);
            for _ in 0..5 {
                assert!(serde_json::to_vec(&json!({"body": body})).unwrap().len() > BIG);
            }
            processor_time(&own) - before
        });
        writes.unwrap().join().unwrap()
    });
    assert!(page < bytes + own / 2, "a page costs the thread {page} ns, bytes {bytes} ns, JSON {own} ns");
}
