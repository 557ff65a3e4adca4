//! `http.download`: a page becomes a file, whole or not at all.

use std::fs;
use std::path::Path;
use std::process::Command;

use palitra::Runner;
use palitra::http::code;
use serde_json::{Value, json};

use crate::folder::Folder;
use crate::{Failure, assert_failure, checked, get, page};
use palitra_test_support::nginx::{BIG, Nginx, PATIENCE};
use palitra_test_support::process::{run, wait_until};
use palitra_test_support::scripted::Server;

fn download(runner: &Runner, url: &str, path: &str, extra: Value) -> Result<Value, Failure> {
    let mut request = json!({"url": url, "path": path});
    request.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    page(runner, "http.download", request)
}

#[test]
fn a_page_becomes_a_file() {
    let (nginx, runner, folder) = (Nginx::start(), Runner::new().unwrap(), Folder::new());
    for path in ["/big", "/chunked", "/packed"] {
        let file = folder.path(&path[1..]);
        let reply = download(&runner, &nginx.url(path), &file, json!({})).unwrap();
        assert_eq!((reply["status"].as_u64(), reply["bytes"].as_u64()), (Some(200), Some(BIG as u64)));
        assert_eq!((reply["path"].as_str(), reply["url"].as_str()), (Some(&*file), Some(&*nginx.url(path))));
        assert!(reply["headers"].get("content-encoding").is_none());
        assert!(fs::read(file).unwrap().iter().all(|byte| *byte == b'.'));
    }
    assert_eq!(folder.names(), ["big", "chunked", "packed"]);
}

#[test]
fn a_file_that_is_there_is_replaced_only_when_asked_to() {
    let (nginx, runner, folder) = (Nginx::start(), Runner::new().unwrap(), Folder::new());
    let file = folder.path("file");
    fs::write(&file, "mine").unwrap();
    let result = download(&runner, &nginx.url("/hello"), &file, json!({}));
    assert_failure(result, code::FILE_EXISTS, &[&nginx.url("/hello"), &file, "exists"]);
    assert_eq!(fs::read(&file).unwrap(), b"mine");
    // A failure leaves the old one.
    let result = download(&runner, &nginx.url("/missing"), &file, json!({"overwrite": true}));
    assert_failure(result, 404, &["404 Not Found"]);
    assert_eq!(fs::read(&file).unwrap(), b"mine");
    download(&runner, &nginx.url("/hello"), &file, json!({"overwrite": true})).unwrap();
    assert_eq!(fs::read(&file).unwrap(), b"hello");
    wait_until("nothing else is left", || folder.names() == ["file"]);
}

#[test]
fn a_file_that_came_meanwhile_is_not_replaced() {
    let folder = Folder::new();
    let file = folder.path("file");
    let theirs = file.clone();
    let server = Server::start(move |mut connection| {
        connection.request();
        fs::write(&theirs, "theirs").unwrap();
        connection.respond("ours");
    });
    let result = download(&Runner::new().unwrap(), &server.url("/"), &file, json!({}));
    assert_failure(result, code::FILE_EXISTS, &[&file]);
    assert_eq!(fs::read(&file).unwrap(), b"theirs");
    wait_until("nothing else is left", || folder.names() == ["file"]);
}

#[test]
fn a_path_that_cannot_be_written_says_why() {
    let (nginx, runner, folder) = (Nginx::start(), Runner::new().unwrap(), Folder::new());
    let to = |path: &str| download(&runner, &nginx.url("/hello"), path, json!({}));
    assert_failure(to(&folder.path("none/file")), code::CANNOT_WRITE, &["none/file", "No such file"]);
    assert_failure(to(&folder.path("")[..folder.path("").len() - 1]), code::CANNOT_WRITE, &["directory"]);
    for bad in ["", "/", "..", "a\0b", "folder/"] {
        assert_failure(to(bad), code::INVALID_REQUEST, &["is not one of a file"]);
    }
}

#[test]
fn what_fails_or_is_cancelled_leaves_nothing() {
    let (nginx, runner, folder) = (Nginx::start(), Runner::new().unwrap(), Folder::new());
    let file = folder.path("file");
    let half = Server::that_sends("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf");
    assert_failure(download(&runner, &half.url("/"), &file, json!({})), code::BROKEN_RESPONSE, &["broken"]);
    let limited = download(&runner, &nginx.url("/chunked"), &file, json!({"max_bytes": 1000}));
    assert_failure(limited, code::BODY_TOO_LARGE, &["1000 bytes"]);
    wait_until("nothing is left", || folder.names().is_empty());
    let slow = json!({"url": nginx.url("/slow"), "path": file}).to_string();
    let token = runner.submit_job("http.download", slow).unwrap();
    wait_until("it is written to", || !folder.names().is_empty() && nginx.connections().writing == 1);
    token.cancel();
    wait_until("nothing is left", || folder.names().is_empty());
}

/// A server whose page has 10 bytes and a version. It breaks off in the middle of its first response.
fn server_that_breaks_off(version: &'static str) -> Server {
    Server::start(move |mut connection| {
        let Some(head) = connection.request() else { return };
        let head = head.to_ascii_lowercase();
        if connection.number == 0 {
            connection.send(format!("HTTP/1.1 200 OK\r\ncontent-length: 10\r\netag: {version}\r\n\r\n01234"));
        } else if head.contains("range: bytes=5-") && head.contains("if-range: \"a\"") {
            connection.send(
                "HTTP/1.1 206 Partial Content\r\ncontent-length: 5\r\ncontent-range: bytes 5-9/10\r\n\
                 etag: \"a\"\r\n\r\n56789",
            );
        } else {
            connection.send("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nABCDEFGHIJ");
        }
    })
}

#[test]
fn a_download_goes_on_where_it_broke_off_if_the_page_is_the_same() {
    // A weak version promises the meaning, not the bytes.
    for (version, status, content) in [("\"a\"", 206, "0123456789"), ("W/\"a\"", 200, "ABCDEFGHIJ")] {
        let (server, runner, folder) = (server_that_breaks_off(version), Runner::new().unwrap(), Folder::new());
        let file = folder.path("file");
        let again = || download(&runner, &server.url("/"), &file, json!({"resume": true}));
        assert_failure(again(), code::BROKEN_RESPONSE, &["broken"]);
        if status == 206 {
            assert_eq!(folder.names(), ["file.part", "file.part.from"]);
            assert_eq!(fs::read(folder.path("file.part")).unwrap(), b"01234");
        }
        let reply = again().unwrap();
        assert_eq!((reply["status"].as_u64(), reply["bytes"].as_u64()), (Some(status), Some(10)));
        assert_eq!(fs::read_to_string(&file).unwrap(), content);
        assert_eq!(folder.names(), ["file"]);
    }
}

#[test]
fn nginx_sends_the_rest_or_all_if_the_page_is_another() {
    let (nginx, runner, folder) = (Nginx::start(), Runner::new().unwrap(), Folder::new());
    let url = nginx.url("/big");
    let tag = get(&runner, json!({"url": url})).unwrap()["headers"]["etag"].as_str().unwrap().to_string();
    let earlier = |name: &str, from: String| {
        fs::write(folder.path(&format!("{name}.part")), "x".repeat(1000)).unwrap();
        fs::write(folder.path(&format!("{name}.part.from")), from).unwrap();
        let reply = download(&runner, &url, &folder.path(name), json!({"resume": true})).unwrap();
        let file = fs::read(folder.path(name)).unwrap();
        (reply["status"].as_u64().unwrap(), file.len(), file.iter().filter(|byte| **byte == b'x').count())
    };
    assert_eq!(earlier("same", format!("{url}\n{tag}\n")), (206, BIG, 1000));
    assert_eq!(earlier("other-version", format!("{url}\n\"other\"\n")), (200, BIG, 0));
    assert_eq!(earlier("other-page", format!("{url}x\n{tag}\n")), (200, BIG, 0));
    assert_eq!(earlier("no-note", String::new()), (200, BIG, 0));
}

/// What a download that goes on after five bytes of the version `"a"` gets of a server that sends this to whoever asks
/// for the rest, and a page of three bytes to whoever asks for all; and what is in the folder then.
fn go_on_with(rest: &'static str) -> (Result<Value, Failure>, Folder) {
    go_on_from("\"a\"", rest)
}

/// The same with another version.
fn go_on_from(version: &str, rest: &'static str) -> (Result<Value, Failure>, Folder) {
    let (runner, folder) = (Runner::new().unwrap(), Folder::new());
    let server = Server::start(move |mut connection| {
        while let Some(head) = connection.request() {
            let is_rest = head.to_ascii_lowercase().contains("range: bytes=5-");
            connection.send(if is_rest { rest } else { "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nNEW" });
        }
    });
    fs::write(folder.path("file.part"), "01234").unwrap();
    fs::write(folder.path("file.part.from"), format!("{}\n{version}\n", server.url("/"))).unwrap();
    (download(&runner, &server.url("/"), &folder.path("file"), json!({"resume": true})), folder)
}

#[test]
fn a_part_that_was_not_asked_for_is_not_joined() {
    for other in [
        "HTTP/1.1 206 Partial Content\r\ncontent-length: 3\r\ncontent-range: bytes 7-9/10\r\n\r\n789",
        "HTTP/1.1 206 Partial Content\r\ncontent-length: 3\r\ncontent-range: lines 5-9/10\r\n\r\n567",
        "HTTP/1.1 206 Partial Content\r\ncontent-length: 5\r\n\r\n56789",
        "HTTP/1.1 206 Partial Content\r\ncontent-length: 5\r\ncontent-range: bytes 5-9/9\r\n\r\n56789",
        "HTTP/1.1 206 Partial Content\r\ncontent-length: 0\r\ncontent-range: bytes 5-4/10\r\n\r\n",
    ] {
        let (result, folder) = go_on_with(other);
        assert_failure(result, code::BROKEN_RESPONSE, &["another part than the one from byte 5 on"]);
        assert_eq!(folder.names(), ["file.part", "file.part.from"]);
        assert_eq!(fs::read(folder.path("file.part")).unwrap(), b"01234");
    }
}

#[test]
fn a_part_that_is_not_as_long_as_it_says_is_not_the_end() {
    for other in [
        "HTTP/1.1 206 Partial Content\r\ncontent-length: 3\r\ncontent-range: bytes 5-9/10\r\n\r\n567",
        "HTTP/1.1 206 Partial Content\r\ncontent-length: 7\r\ncontent-range: bytes 5-9/10\r\n\r\n56789XX",
    ] {
        let (result, folder) = go_on_with(other);
        assert_failure(result, code::BROKEN_RESPONSE, &["other bytes than those from 5 to 9"]);
        assert_eq!(folder.names(), ["file.part", "file.part.from"]);
        let part = fs::read_to_string(folder.path("file.part")).unwrap();
        assert!(part.len() >= 5 && "0123456789".starts_with(&part), "{part}");
    }
}

#[test]
fn a_server_that_sends_less_than_the_rest_is_asked_again() {
    let (runner, folder) = (Runner::new().unwrap(), Folder::new());
    let server = Server::start(move |mut connection| {
        while let Some(head) = connection.request() {
            let head = head.to_ascii_lowercase();
            let first = head.split("range: bytes=").nth(1).and_then(|range| range.split('-').next());
            let first: usize = first.unwrap().parse().unwrap();
            let end = (first + 3).min(10);
            connection.send(format!(
                "HTTP/1.1 206 Partial Content\r\ncontent-length: {}\r\ncontent-range: bytes {first}-{}/10\r\n\
                 etag: \"a\"\r\n\r\n{}",
                end - first,
                end - 1,
                &"0123456789"[first..end],
            ));
        }
    });
    fs::write(folder.path("file.part"), "01234").unwrap();
    fs::write(folder.path("file.part.from"), format!("{}\n\"a\"\n", server.url("/"))).unwrap();
    let reply = download(&runner, &server.url("/"), &folder.path("file"), json!({"resume": true})).unwrap();
    assert_eq!((reply["status"].as_u64(), reply["bytes"].as_u64()), (Some(206), Some(10)));
    assert_eq!(fs::read(folder.path("file")).unwrap(), b"0123456789");
    assert_eq!(folder.names(), ["file"]);
    let requests: Vec<_> = server.requests().iter().map(|head| head.to_ascii_lowercase()).collect();
    assert!(requests.iter().all(|head| head.contains("if-range: \"a\"")), "{requests:?}");
    assert_eq!(requests.len(), 2);
}

#[test]
fn a_part_of_another_version_or_without_an_end_is_not_joined_and_the_page_is_fetched_as_a_whole() {
    let (monday, tuesday) = ("Mon, 01 Jan 2024 00:00:00 GMT", "last-modified: Tue, 02 Jan 2024 00:00:00 GMT");
    for (version, range, header) in [
        ("\"a\"", "5-9/10", "etag: \"b\""),
        ("\"a\"", "5-9/10", "etag: W/\"a\""),
        (monday, "5-9/10", tuesday),
        // Nobody can tell whether more follows.
        ("\"a\"", "5-9/*", "etag: \"a\""),
    ] {
        let rest = format!(
            "HTTP/1.1 206 Partial Content\r\ncontent-length: 5\r\ncontent-range: bytes {range}\r\n{header}\r\n\r\n56789"
        );
        let (result, folder) = go_on_from(version, rest.leak());
        let reply = result.unwrap();
        assert_eq!((reply["status"].as_u64(), reply["bytes"].as_u64()), (Some(200), Some(3)), "{range} {header}");
        assert_eq!(fs::read(folder.path("file")).unwrap(), b"NEW");
        assert_eq!(folder.names(), ["file"]);
    }
}

#[test]
fn a_page_that_has_become_shorter_is_fetched_as_a_whole() {
    let (result, folder) = go_on_with("HTTP/1.1 416 Range Not Satisfiable\r\ncontent-length: 0\r\n\r\n");
    let reply = result.unwrap();
    assert_eq!((reply["status"].as_u64(), reply["bytes"].as_u64()), (Some(200), Some(3)));
    assert_eq!(fs::read(folder.path("file")).unwrap(), b"NEW");
    assert_eq!(folder.names(), ["file"]);
}

#[test]
fn a_download_that_goes_on_takes_no_range_of_its_caller() {
    let folder = Folder::new();
    let extra = json!({"resume": true, "headers": {"Range": "bytes=1-"}});
    let result = download(&Runner::new().unwrap(), "http://127.0.0.1:9/", &folder.path("file"), extra);
    assert_failure(result, code::INVALID_REQUEST, &["\"resume\"", "\"range\"", "exclude each other"]);
    assert!(folder.names().is_empty());
}

#[test]
fn two_downloads_do_not_write_the_same_part() {
    let (nginx, runner, folder) = (Nginx::start(), Runner::new().unwrap(), Folder::new());
    let request = json!({"url": nginx.url("/slow"), "path": folder.path("file"), "resume": true});
    let token = runner.submit_job("http.download", request.to_string()).unwrap();
    wait_until("the first is written", || nginx.connections().writing == 1);
    let second = page(&Runner::new().unwrap(), "http.download", request);
    assert_failure(second, code::CANNOT_WRITE, &["somebody else is writing"]);
    token.cancel();
    assert!(Path::new(&folder.path("file.part")).exists());
}

#[test]
fn a_download_that_failed_can_be_tried_again_at_once() {
    const TRIES: usize = 1000;
    let (runner, folder) = (Runner::new().unwrap(), Folder::new());
    let server = Server::start(|mut connection| {
        for _ in 0..TRIES {
            connection.request();
            connection.send("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n");
        }
        connection.request();
        connection.respond("0123456789");
    });
    let again = || download(&runner, &server.url("/"), &folder.path("file"), json!({"resume": true}));
    for _ in 0..TRIES {
        assert_failure(again(), 503, &["503"]);
        assert!(folder.names().is_empty());
    }
    assert_eq!(again().unwrap()["bytes"].as_u64(), Some(10));
    assert_eq!(folder.names(), ["file"]);
}

#[test]
fn a_part_that_is_a_link_is_not_followed() {
    let (runner, folder) = (Runner::new().unwrap(), Folder::new());
    let server = Server::that_sends("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nnew");
    fs::write(folder.path("other"), "theirs").unwrap();
    std::os::unix::fs::symlink("other", folder.path("file.part")).unwrap();
    let result = download(&runner, &server.url("/"), &folder.path("file"), json!({"resume": true}));
    assert_failure(result, code::CANNOT_WRITE, &["symbolic links"]);
    assert_eq!(fs::read(folder.path("other")).unwrap(), b"theirs");
}

#[test]
fn a_file_without_space_is_a_code_and_leaves_nothing() {
    let nginx = Nginx::start();
    let mut command = Command::new("sh");
    // So many blocks of half a kibibyte or of one, and no signal that would end the process.
    command.args(["-c", "ulimit -f 100; exec \"$@\"", "sh"]).arg(std::env::current_exe().unwrap());
    command.args(["--exact", "download::child_without_space", "--ignored", "--nocapture"]);
    let ended = run(command.env("PALITRA_TEST_HTTP", nginx.url("/big")), 3 * PATIENCE);
    assert!(ended.status.success() && ended.output.contains("1 passed"), "{}{}", ended.output, ended.errors);
}

#[test]
#[ignore = "the child of a_file_without_space_is_a_code_and_leaves_nothing"]
fn child_without_space() {
    let (runner, folder) = (Runner::new().unwrap(), Folder::new());
    let url = std::env::var("PALITRA_TEST_HTTP").unwrap();
    for timeout in [None, Some(PATIENCE)] {
        let request = json!({"url": url, "path": folder.path("file")}).to_string();
        let reply = runner.run_job("http.download", request, timeout).unwrap();
        assert_failure(checked(reply), code::NO_SPACE, &[&folder.path("file"), "cannot be written"]);
    }
    wait_until("nothing is left", || folder.names().is_empty());
}
