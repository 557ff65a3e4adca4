//! Requests whose body is a file, or a form with files.

use std::fs::{self, File};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use palitra::Runner;
use palitra::http::code;
use serde_json::{Value, json};

use crate::folder::Folder;
use crate::{assert_failure, checked, page};
use palitra_test_support::nginx::{Nginx, PATIENCE};
use palitra_test_support::process::wait_until;
use palitra_test_support::scripted::Server;

/// Sends it to nginx, which keeps it; what it has kept.
fn kept(nginx: &Nginx, runner: &Runner, mut request: Value) -> Vec<u8> {
    let url = nginx.url("/files/kept");
    request["url"] = json!(url);
    request["method"] = json!("PUT");
    let status = page(runner, "http.request", request).unwrap()["status"].as_u64();
    assert!(matches!(status, Some(201 | 204)), "{status:?}");
    let get = json!({"url": url}).to_string();
    checked(runner.run_job("http.bytes", get, Some(PATIENCE)).unwrap()).unwrap().data().to_vec()
}

#[test]
fn a_file_is_sent_as_it_is() {
    let (nginx, runner, folder) = (Nginx::start(), Runner::new().unwrap(), Folder::new());
    for length in [1, 64 << 10, 5_000_001] {
        let content: Vec<u8> = (0..=250).cycle().take(length).collect();
        fs::write(folder.path("file"), &content).unwrap();
        assert!(kept(&nginx, &runner, json!({"body_file": folder.path("file")})) == content, "of {length} bytes");
    }
}

#[test]
fn a_file_is_posted_unless_the_method_is_another_and_sent_again_where_a_redirect_leads() {
    let (nginx, runner, folder) = (Nginx::start(), Runner::new().unwrap(), Folder::new());
    fs::write(folder.path("file"), "content").unwrap();
    for job in ["http.request", "http.fetch"] {
        let request = json!({"url": nginx.url("/temporary"), "body_file": folder.path("file"),
            "headers": {"content-type": "text/x"}});
        let reply = runner.run_job(job, request.to_string(), Some(PATIENCE)).unwrap();
        assert!(reply.text().contains("POST|text/x||palitra"), "{}", reply.text());
        assert!(reply.text().contains("|content"), "{}", reply.text());
    }
}

#[test]
fn a_form_with_files_is_what_browsers_send() {
    let (nginx, runner, folder) = (Nginx::start(), Runner::new().unwrap(), Folder::new());
    fs::write(folder.path("a.txt"), "of a\r\n").unwrap();
    let parts = json!([
        {"name": "one", "value": "ä"},
        {"name": "a \"b\"\r\n", "value": "{}", "content_type": "application/json"},
        {"name": "file", "file": folder.path("a.txt")},
        {"name": "file", "file": folder.path("a.txt"), "filename": "b.csv", "content_type": "text/csv"},
    ]);
    let text = String::from_utf8(kept(&nginx, &runner, json!({"multipart": parts}))).unwrap();
    let (boundary, _) = text.split_once("\r\n").unwrap();
    assert!(boundary.starts_with("--palitra-") && boundary.len() > 40, "{boundary}");
    let expected = [
        "Content-Disposition: form-data; name=\"one\"\r\n\r\nä",
        "Content-Disposition: form-data; name=\"a %22b%22%0D%0A\"\r\nContent-Type: application/json\r\n\r\n{}",
        "Content-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\
         Content-Type: application/octet-stream\r\n\r\nof a\r\n",
        "Content-Disposition: form-data; name=\"file\"; filename=\"b.csv\"\r\nContent-Type: text/csv\r\n\r\nof a\r\n",
    ];
    let expected: String = expected.iter().map(|part| format!("{boundary}\r\n{part}\r\n")).collect();
    assert_eq!(text, format!("{expected}{boundary}--\r\n"));
    // The server is told the boundary.
    let echo = json!({"url": nginx.url("/echoed"), "multipart": []});
    let echoed = page(&runner, "http.request", echo).unwrap();
    assert!(echoed["body"].as_str().unwrap().starts_with("POST|multipart/form-data; boundary=palitra-"), "{echoed}");
}

#[test]
fn what_cannot_be_sent_says_why() {
    let (nginx, runner, folder) = (Nginx::start(), Runner::new().unwrap(), Folder::new());
    let none = folder.path("none");
    let part = |fields: Value| json!({"multipart": [fields]});
    let cases = [
        (json!({"body_file": none}), code::CANNOT_READ, "cannot be read: No such file"),
        (json!({"body_file": folder.path("")}), code::CANNOT_READ, "it is no regular file"),
        (part(json!({"name": "a", "file": none})), code::CANNOT_READ, "cannot be read: No such file"),
        (json!({"body_file": none, "body": "x"}), code::INVALID_REQUEST, "only one of them"),
        (json!({"multipart": [], "form": {}}), code::INVALID_REQUEST, "only one of them"),
        (part(json!({"name": "a"})), code::INVALID_REQUEST, "the part \"a\": a \"value\" or a \"file\""),
        (part(json!({"name": "a", "value": "", "file": none})), code::INVALID_REQUEST, "the part \"a\""),
        (part(json!({"name": "a", "value": "", "content_type": "a\nb"})), code::INVALID_REQUEST, "line break"),
        (json!({"multipart": [], "headers": {"Content-Type": "x"}}), code::INVALID_REQUEST, "exclude each other"),
        (part(json!({"name": "a", "text": ""})), 0, "unknown field `text`"),
    ];
    for (mut request, code, says) in cases {
        request["url"] = json!(nginx.url("/echo"));
        assert_failure(page(&runner, "http.request", request), code, &[says]);
    }
    assert_eq!(nginx.connections().accepted, 0);
}

#[test]
fn a_file_that_becomes_shorter_breaks_the_request_off() {
    let (runner, folder) = (Runner::new().unwrap(), Folder::new());
    let path = folder.path("file");
    File::create(&path).unwrap().set_len(64 << 20).unwrap();
    let is_shorter = Arc::new(AtomicBool::new(false));
    let theirs = Arc::clone(&is_shorter);
    let server = Server::start(move |mut connection| {
        wait_until("the file is shorter", || theirs.load(Ordering::SeqCst));
        connection.is_closed_by_client();
    });
    let request = json!({"url": server.url("/"), "body_file": path}).to_string();
    let token = runner.submit_job("http.request", request).unwrap();
    // From here on its length is known. Most of it cannot be sent yet.
    wait_until("it is on its way", || server.accepted() == 1);
    File::options().write(true).open(&path).unwrap().set_len(10).unwrap();
    is_shorter.store(true, Ordering::SeqCst);
    let result = checked(token.wait(Some(PATIENCE)).unwrap());
    assert_failure(result, code::CANNOT_READ, &[&path, "it has become shorter"]);
}

#[test]
fn an_empty_file_is_an_empty_body() {
    let (runner, folder) = (Runner::new().unwrap(), Folder::new());
    File::create(folder.path("file")).unwrap();
    let server = Server::that_sends("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    page(&runner, "http.request", json!({"url": server.url("/"), "body_file": folder.path("file")})).unwrap();
    let head = server.requests()[0].to_ascii_lowercase();
    assert!(head.starts_with("post / ") && head.contains("\r\ncontent-length: 0\r\n"), "{head}");
}
