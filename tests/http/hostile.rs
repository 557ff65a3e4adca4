//! Servers that break the rules: each case ends soon, with the page or the code that the table says.
//!
//! What a page may be: whatever curl would take too. What it must never be: something that another response, or another
//! server, had in it.

use std::time::{Duration, Instant};

use palitra::Runner;
use palitra::http::code::{BODY_TOO_LARGE, BROKEN_RESPONSE, CANNOT_CONNECT, INVALID_REQUEST, TIMEOUT};
use serde_json::{Value, json};

use crate::{Failure, assert_failure, get, page, run};
use palitra_test_support::nginx::{PATIENCE, closed_port};
use palitra_test_support::scripted::{Connection, Server};

/// What a case must give.
enum Gives {
    /// A page with this status and body.
    Page(u16, &'static str),
    /// A failure with this code.
    Code(i32),
}

use Gives::{Code, Page};

#[track_caller]
fn check(case: &str, result: Result<Value, Failure>, gives: &Gives) {
    match (gives, result) {
        (Page(status, body), Ok(page)) => {
            assert_eq!(
                (page["status"].as_u64(), page["body"].as_str()),
                (Some((*status).into()), Some(*body)),
                "{case}"
            );
        }
        (Code(code), Err((failed, message))) => {
            assert_eq!(*code, failed, "{case}: {message}");
            assert!(message.len() < 2000, "{case}: a message of {} bytes", message.len());
        }
        (_, result) => panic!("{case} gave {result:.300?}"),
    }
}

/// A response with this head, this body, and no more.
fn with_head(head: &str, body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n{body}")
}

fn chunked(body: &str) -> String {
    with_head("transfer-encoding: chunked", body)
}

#[test]
fn whatever_a_server_sends_ends_as_the_table_says() {
    let header = |count: usize| (0..count).map(|n| format!("x-{n}: y\r\n")).collect::<String>();
    let long = "x".repeat(1 << 20);
    let cases: Vec<(&str, String, Gives)> = vec![
        // Heads.
        ("nothing", String::new(), Code(BROKEN_RESPONSE)),
        ("no HTTP", "SSH-2.0-OpenSSH_9.2\r\n".into(), Code(BROKEN_RESPONSE)),
        ("HTTP/0.9", "<html>hello</html>".into(), Code(BROKEN_RESPONSE)),
        ("HTTP/2 in the clear", "HTTP/2.0 200 OK\r\n\r\n".into(), Code(BROKEN_RESPONSE)),
        ("HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\nhello".into(), Page(200, "hello")),
        ("no reason", "HTTP/1.1 200\r\ncontent-length: 2\r\n\r\nok".into(), Page(200, "ok")),
        ("half a head", "HTTP/1.1 200 OK\r\ncontent-le".into(), Code(BROKEN_RESPONSE)),
        ("a status of two digits", "HTTP/1.1 99 Low\r\n\r\n".into(), Code(BROKEN_RESPONSE)),
        ("a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n".into(), Code(BROKEN_RESPONSE)),
        ("a status of letters", "HTTP/1.1 2x0 OK\r\n\r\n".into(), Code(BROKEN_RESPONSE)),
        ("an unknown status", "HTTP/1.1 799 Odd\r\ncontent-length: 0\r\n\r\n".into(), Page(799, "")),
        ("an unasked upgrade", "HTTP/1.1 101 Switching Protocols\r\n\r\nhello".into(), Code(BROKEN_RESPONSE)),
        ("headers within reason", with_head(&format!("{}content-length: 2", header(50)), "ok"), Page(200, "ok")),
        ("a thousand headers", with_head(&format!("{}content-length: 2", header(1000)), "ok"), Code(BROKEN_RESPONSE)),
        ("a header of a megabyte", with_head(&format!("x: {long}"), ""), Code(BROKEN_RESPONSE)),
        ("a name of a megabyte", with_head(&format!("{long}: x"), ""), Code(BROKEN_RESPONSE)),
        ("a reason of a megabyte", format!("HTTP/1.1 200 {long}\r\n\r\n"), Code(BROKEN_RESPONSE)),
        ("NUL in a value", with_head("x: a\0b\r\ncontent-length: 0", ""), Code(BROKEN_RESPONSE)),
        ("NUL in a name", with_head("x\0: a\r\ncontent-length: 0", ""), Code(BROKEN_RESPONSE)),
        ("NUL in the reason", "HTTP/1.1 200 O\0K\r\ncontent-length: 0\r\n\r\n".into(), Code(BROKEN_RESPONSE)),
        ("a space before the colon", with_head("content-length : 0", ""), Code(BROKEN_RESPONSE)),
        ("a folded value", with_head("x: a\r\n b\r\ncontent-length: 0", ""), Code(BROKEN_RESPONSE)),
        ("a line without a colon", with_head("hello\r\ncontent-length: 0", ""), Code(BROKEN_RESPONSE)),
        ("bare line feeds", "HTTP/1.1 200 OK\ncontent-length: 2\n\nok".into(), Page(200, "ok")),
        // Lengths: two readers must not see two different ends.
        ("two lengths", with_head("content-length: 2\r\ncontent-length: 5", "hello"), Code(BROKEN_RESPONSE)),
        ("a list of lengths", with_head("content-length: 2, 5", "hello"), Code(BROKEN_RESPONSE)),
        ("a length below zero", with_head("content-length: -1", "hello"), Code(BROKEN_RESPONSE)),
        ("a length with a sign", with_head("content-length: +5", "hello"), Code(BROKEN_RESPONSE)),
        ("a length in hexadecimal", with_head("content-length: 0x5", "hello"), Code(BROKEN_RESPONSE)),
        ("a length of no machine", with_head("content-length: 99999999999999999999", "x"), Code(BROKEN_RESPONSE)),
        ("a length over the limit", with_head("content-length: 9999999999999", "x"), Code(BODY_TOO_LARGE)),
        ("a body that ends early", with_head("content-length: 10", "hello"), Code(BROKEN_RESPONSE)),
        (
            "a length and chunks",
            with_head("content-length: 1\r\ntransfer-encoding: chunked", "2\r\nok\r\n0\r\n\r\n"),
            Page(200, "ok"),
        ),
        // Chunks.
        ("chunks", chunked("2\r\nok\r\n0\r\n\r\n"), Page(200, "ok")),
        ("chunks with extensions", chunked("2;a=b\r\nok\r\n0\r\n\r\n"), Page(200, "ok")),
        ("trailers", chunked("2\r\nok\r\n0\r\nx: y\r\n\r\n"), Page(200, "ok")),
        ("no last chunk", chunked("2\r\nok\r\n"), Code(BROKEN_RESPONSE)),
        ("a chunk size of letters", chunked("zz\r\nok\r\n0\r\n\r\n"), Code(BROKEN_RESPONSE)),
        ("a chunk size below zero", chunked("-2\r\nok\r\n0\r\n\r\n"), Code(BROKEN_RESPONSE)),
        ("a chunk size of no machine", chunked("fffffffffffffffff\r\nok"), Code(BROKEN_RESPONSE)),
        ("a chunk longer than it says", chunked("1\r\nok\r\n0\r\n\r\n"), Code(BROKEN_RESPONSE)),
        ("a chunk that never ends", chunked("ffffffffffff\r\nok"), Code(BROKEN_RESPONSE)),
        ("extensions of a megabyte", chunked(&format!("2;{long}\r\nok\r\n0\r\n\r\n")), Code(BROKEN_RESPONSE)),
        ("trailers of a megabyte", chunked(&format!("2\r\nok\r\n0\r\nx: {long}\r\n\r\n")), Code(BROKEN_RESPONSE)),
        (
            "chunks inside chunks",
            with_head("transfer-encoding: chunked, chunked", "2\r\nok\r\n0\r\n\r\n"),
            Page(200, "ok"),
        ),
        // Redirects.
        ("to a file", with_location("file:///etc/passwd"), Code(BROKEN_RESPONSE)),
        ("to ftp", with_location("ftp://127.0.0.1/"), Code(BROKEN_RESPONSE)),
        ("to a script", with_location("javascript:alert(1)"), Code(BROKEN_RESPONSE)),
        ("to data", with_location("data:text/plain,hello"), Code(BROKEN_RESPONSE)),
        ("to no url", with_location("http://["), Code(BROKEN_RESPONSE)),
        ("to no port", with_location("http://127.0.0.1:99999/"), Code(BROKEN_RESPONSE)),
        ("to a long url", with_location(&format!("/{}", "x".repeat(70_000))), Code(BROKEN_RESPONSE)),
        ("to a silent port", with_location(&format!("http://127.0.0.1:{}/", closed_port())), Code(CANNOT_CONNECT)),
        ("nowhere", "HTTP/1.1 302 Found\r\ncontent-length: 2\r\n\r\nok".into(), Page(302, "ok")),
    ];
    let runner = Runner::new().unwrap();
    let start = Instant::now();
    for (case, response, gives) in cases {
        let server = Server::that_sends(response);
        check(case, get(&runner, json!({"url": server.url("/"), "timeout": 60})), &gives);
    }
    assert!(start.elapsed() < 6 * PATIENCE, "a case has waited for its timeout");
}

fn with_location(location: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n")
}

#[test]
fn a_response_that_nobody_asked_for_is_nobodys() {
    let evil = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil";
    let bodies = [
        // Behind a whole response, in the same packet: split from one, as an attacker does who controls a part of it.
        ("GET", format!("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok{evil}")),
        // Bodies where there are none.
        ("GET", format!("HTTP/1.1 204 No Content\r\n\r\n{evil}")),
        ("GET", format!("HTTP/1.1 304 Not Modified\r\n\r\n{evil}")),
        ("HEAD", format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{evil}", evil.len())),
        ("GET", chunked(&format!("2\r\nok\r\n0\r\n\r\n{evil}"))),
    ];
    let runner = Runner::new().unwrap();
    for (method, first) in bodies {
        for _ in 0..10 {
            let response = first.clone();
            let server = Server::start(move |mut connection| {
                while connection.request().is_some() {
                    let sent =
                        if connection.number == 0 { connection.send(&response) } else { connection.respond("good") };
                    if !sent {
                        return;
                    }
                }
            });
            let send = |method| page(&runner, "http.request", json!({"url": server.url("/"), "method": method}));
            send(method).unwrap();
            assert_eq!(send("GET").unwrap()["body"], "good", "after {first:?}");
        }
    }
}

#[test]
fn servers_that_are_slow_or_silent_run_into_the_timeout() {
    let slowly = |connection: &mut Connection, bytes: &str| {
        while connection.send(bytes) {
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    type Serve = Box<dyn Fn(Connection) + Send + Sync>;
    let cases: Vec<(&str, Serve)> = vec![
        ("says nothing", Box::new(|mut connection| _ = connection.is_closed_by_client())),
        ("sends its head byte by byte", Box::new(move |mut connection| slowly(&mut connection, "H"))),
        (
            "sends headers one by one",
            Box::new(move |mut connection| {
                connection.request();
                connection.send("HTTP/1.1 200 OK\r\nx: ");
                slowly(&mut connection, "y");
            }),
        ),
        (
            "sends its body byte by byte",
            Box::new(move |mut connection| {
                connection.request();
                connection.send("HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n");
                slowly(&mut connection, "y");
            }),
        ),
        (
            "announces a response now and then",
            Box::new(move |mut connection| {
                connection.request();
                slowly(&mut connection, "HTTP/1.1 102 Processing\r\n");
            }),
        ),
    ];
    let runner = Runner::new().unwrap();
    for (case, serve) in cases {
        let server = Server::start(serve);
        let result = get(&runner, json!({"url": server.url("/"), "timeout": 0.5}));
        match &result {
            // Letters are no head, and that is clear at once.
            Err((BROKEN_RESPONSE, _)) if case.contains("head byte") => {}
            _ => check(case, result, &Code(TIMEOUT)),
        }
    }
}

#[test]
fn a_server_that_does_not_read_runs_into_the_timeout() {
    let server = Server::start(|connection| {
        std::thread::sleep(2 * PATIENCE / 10);
        drop(connection);
    });
    let runner = Runner::new().unwrap();
    let request = json!({"url": server.url("/"), "method": "PUT", "body": "x".repeat(32 << 20), "timeout": 0.5});
    assert_failure(page(&runner, "http.request", request), TIMEOUT, &["0.5 seconds"]);
}

#[test]
fn endless_heads_and_trailers_end_in_bounded_memory() {
    let cases: [(&str, &str); 3] = [
        ("HTTP/1.1 200 OK\r\n", "x-more: and more\r\n"),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n", "x-more: and more\r\n"),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;", "extension=more;"),
    ];
    let runner = Runner::new().unwrap();
    for (begin, more) in cases {
        let more = more.repeat(1000);
        let server = Server::start(move |mut connection| {
            connection.request();
            connection.send(begin);
            while connection.send(&more) {}
        });
        check(begin, get(&runner, json!({"url": server.url("/"), "timeout": 60})), &Code(BROKEN_RESPONSE));
    }
}

#[test]
fn no_field_smuggles_a_line_into_a_request() {
    let server = Server::start(|mut connection| while connection.request().is_some() && connection.respond("ok") {});
    let runner = Runner::new().unwrap();
    for line in
        ["\r\nInjected: 1", "\nInjected: 1", "\rInjected: 1", "\0Injected: 1", " HTTP/1.1\r\nInjected: 1\r\n\r\n"]
    {
        let url = server.url("/");
        let requests = [
            json!({"url": format!("{url}{line}")}),
            json!({"url": format!("{url}?a={line}")}),
            json!({"url": url.replace("http://", &format!("http://me{line}:word@"))}),
            json!({"url": url, "method": format!("GET{line}")}),
            json!({"url": url, "headers": {(format!("x{line}")): "y"}}),
            json!({"url": url, "headers": {"x": format!("y{line}")}}),
            json!({"url": url, "headers": {"host": format!("y{line}")}}),
            json!({"url": url, "query": {(format!("x{line}")): format!("y{line}")}}),
            json!({"url": url, "form": {(format!("x{line}")): format!("y{line}")}}),
            json!({"url": url, "basic": [format!("x{line}"), format!("y{line}")]}),
            json!({"url": url, "bearer": format!("x{line}")}),
            json!({"url": url, "charset": format!("utf-8{line}")}),
        ];
        for request in requests {
            // Refused or escaped.
            if let Err((failed, message)) = page(&runner, "http.request", request.clone()) {
                assert!([INVALID_REQUEST, 8].contains(&failed), "{request}: {failed}: {message}");
            }
        }
    }
    let requests = server.requests();
    assert!(requests.len() > 20);
    for head in requests {
        let injected = head.split(['\r', '\n']).any(|line| line.to_ascii_lowercase().starts_with("injected:"));
        assert!(!injected && !head.contains('\0'), "{head:?}");
    }
}

#[test]
fn a_url_of_ten_megabytes_is_refused() {
    let runner = Runner::new().unwrap();
    for url in ["http://127.0.0.1/", "http://127.0.0.1/?", "http://me:"] {
        let url = format!("{url}{}", "x".repeat(10 << 20));
        for job in ["http.get", "http.bytes", "http.request"] {
            let (failed, message) = run(&runner, job, json!({"url": url})).unwrap_err();
            assert_eq!(failed, INVALID_REQUEST);
            assert!(message.len() < 1000);
        }
    }
    let long = json!({"url": "http://127.0.0.1/", "query": {"x": "y".repeat(10 << 20)}});
    assert_failure(get(&runner, long), INVALID_REQUEST, &["are allowed"]);
}

#[test]
fn a_redirect_takes_no_secret_to_another_origin() {
    let other = Server::start(|mut connection| {
        while let Some(head) = connection.request() {
            connection.respond(&head.to_ascii_lowercase());
        }
    });
    // The name and password are the server's idea, and never sent.
    let target = other.url("/").replace("http://", "http://evil:word@");
    let server = Server::that_sends(with_location(&target));
    let runner = Runner::new().unwrap();
    for secret in [
        json!({"headers": {"Authorization": "secret"}}),
        json!({"headers": {"Cookie": "secret"}}),
        json!({"headers": {"Proxy-Authorization": "secret"}}),
        json!({"basic": ["me", "secret"]}),
        json!({"bearer": "secret"}),
    ] {
        let mut request = secret.clone();
        request["url"] = server.url("/").replace("http://", "http://me:secret@").into();
        if secret.get("headers").is_none() {
            request["url"] = server.url("/").into();
        }
        let page = get(&runner, request).unwrap();
        let body = page["body"].as_str().unwrap();
        assert!(!body.contains("secret") && !body.contains("authorization") && !body.contains("cookie"), "{body}");
        assert_eq!(page["url"], other.url("/"));
    }
}
