//! Responses: status, headers and body, whatever they are.

use palitra::Runner;
use serde_json::{Value, json};

use crate::{assert_failure, checked, get, page, run};
use palitra_test_support::nginx::{BIG, Nginx, PATIENCE};

#[test]
fn a_page_has_status_url_headers_and_body() {
    let (nginx, runner) = (Nginx::start(), Runner::new().unwrap());
    let page = get(&runner, json!({"url": nginx.url("/hello")})).unwrap();
    assert_eq!(page["status"], 200);
    assert_eq!(page["url"], nginx.url("/hello"));
    assert_eq!(page["headers"]["content-type"], "text/plain");
    assert_eq!(page["headers"]["content-length"], "5");
    assert_eq!(page["body"], "hello");
}

#[test]
fn a_thousand_urls_gathered_at_once_all_have_a_page() {
    let (nginx, runner) = (Nginx::start(), Runner::new().unwrap());
    let request = |n| json!({"url": nginx.url(&format!("/page/{n}"))}).to_string();
    let tokens: Vec<_> = (0..1000).map(|n| runner.submit_job("http.get", request(n)).unwrap()).collect();
    let replies = runner.gather_jobs(&tokens, Some(6 * PATIENCE)).unwrap();
    for (n, reply) in replies.into_iter().enumerate() {
        let page: Value = serde_json::from_slice(checked(reply).unwrap().data()).unwrap();
        assert_eq!((page["status"].as_u64(), page["body"].as_str()), (Some(200), Some(&*format!("/page/{n}"))));
    }
    let accepted = nginx.connections().accepted;
    // 256 are in flight at a time, and each may leave a connection that it had started to make to the next.
    assert!(accepted <= 2 * 256, "{accepted} connections: a process has only so many file descriptors");
}

#[test]
fn a_status_that_is_not_a_success_is_a_page() {
    let (nginx, runner) = (Nginx::start(), Runner::new().unwrap());
    let page = get(&runner, json!({"url": nginx.url("/missing")})).unwrap();
    assert_eq!(page["status"], 404);
    assert!(page["body"].as_str().unwrap().contains("404 Not Found"));
}

#[test]
fn bytes_come_as_they_are_and_a_status_has_no_room_among_them() {
    let (nginx, runner) = (Nginx::start(), Runner::new().unwrap());
    let bytes = |path| run(&runner, "http.bytes", json!({"url": nginx.url(path)}));
    assert_eq!(bytes("/latin1").unwrap().data(), b"\xe9");
    assert_eq!(bytes("/big").unwrap().data().len(), BIG);
    assert_failure(bytes("/missing"), 404, &[&nginx.url("/missing"), "404 Not Found"]);
}

#[test]
fn repeated_headers_are_all_in_the_page() {
    let (nginx, runner) = (Nginx::start(), Runner::new().unwrap());
    let page = get(&runner, json!({"url": nginx.url("/cookies")})).unwrap();
    assert_eq!(page["headers"]["x-many"], "one, two");
    assert_eq!(page["headers"]["set-cookie"], "a=1; Expires=Wed, 01 Jan 2070 00:00:00 GMT\nb=2");
}

#[test]
fn method_headers_and_body_arrive() {
    let (nginx, runner) = (Nginx::start(), Runner::new().unwrap());
    let echo = |request: Value| {
        let mut request = request;
        request["url"] = nginx.url("/echo").into();
        page(&runner, "http.request", request).unwrap()["body"].clone()
    };
    let agent = concat!("palitra/", env!("CARGO_PKG_VERSION"));
    assert_eq!(echo(json!({})), format!("GET|||{agent}|"));
    let headers = json!({"Content-Type": "text/csv", "X-Probe": "späße", "User-Agent": "me"});
    let request = json!({"method": "POST", "headers": headers, "body": "a,b"});
    assert_eq!(echo(request), "POST|text/csv|späße|me|a,b");
}

#[test]
fn put_stores_and_delete_removes() {
    let (nginx, runner) = (Nginx::start(), Runner::new().unwrap());
    let url = nginx.url("/files/note");
    let send = |method: &str, body: Option<&str>| {
        let page = page(&runner, "http.request", json!({"url": url, "method": method, "body": body})).unwrap();
        (page["status"].as_u64().unwrap(), page["body"].as_str().unwrap().to_string())
    };
    let note = "a note\n".repeat(100_000);
    assert_eq!(send("PUT", Some(&note)).0, 201);
    assert_eq!(send("GET", None), (200, note));
    assert_eq!(send("HEAD", None), (200, String::new()));
    assert_eq!(send("DELETE", None).0, 204);
    assert_eq!(send("GET", None).0, 404);
}
