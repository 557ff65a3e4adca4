//! `http.stream`: a body of any size passes without being whole in memory. Read by a program of its own,
//! tests/c/stream/http.c, so that its memory can be measured.

use std::fs::{self, File};
use std::path::PathBuf;

use palitra::Runner;
use serde_json::json;

use crate::page;
use palitra_test_support::c::{PALITRA, compile};
use palitra_test_support::nginx::Nginx;
use palitra_test_support::process::{PATIENCE, run_well, start, wait_until};

/// The length of the body: a gibibyte, of a file with nothing in it.
const HUGE: u64 = 1 << 30;

/// Puts a small page and stretches its file; returns its URL.
fn huge_page(nginx: &Nginx, name: &str) -> String {
    let url = nginx.url(&format!("/files/{name}"));
    let runner = Runner::new().unwrap();
    let put = json!({"url": url, "method": "PUT", "body": "x"});
    assert_eq!(page(&runner, "http.request", put).unwrap()["status"], 201);
    let file = File::options().write(true).open(stored(name)).unwrap();
    file.set_len(HUGE).unwrap();
    url
}

/// Where a server of this process has put the page with this name, which no other test uses.
fn stored(name: &str) -> PathBuf {
    let ours = format!("palitra-nginx-{}-", std::process::id());
    let directories = fs::read_dir(std::env::temp_dir()).unwrap().map(|entry| entry.unwrap());
    let mut ours = directories.filter(|entry| entry.file_name().to_string_lossy().starts_with(&ours));
    let file = ours.find_map(|entry| Some(entry.path().join("www/files").join(name)).filter(|file| file.exists()));
    file.expect("nginx has stored it")
}

#[test]
fn a_gibibyte_passes_in_little_memory_and_its_progress_is_right() {
    let nginx = Nginx::start();
    let url = huge_page(&nginx, "whole");
    let program = compile("tests/c/stream/http.c", PALITRA);
    run_well(program.command().args(["whole", &url, &HUGE.to_string()]), 6 * PATIENCE);
}

#[test]
fn the_head_is_the_first_item_when_asked_for_and_no_status_fails() {
    let nginx = Nginx::start();
    let program = compile("tests/c/stream/http.c", PALITRA);
    for (path, status) in [("/hello", "200"), ("/missing", "404")] {
        run_well(program.command().args(["head", &nginx.url(path), status]), PATIENCE);
    }
}

#[test]
fn freeing_the_token_early_closes_the_connection() {
    let nginx = Nginx::start();
    let url = huge_page(&nginx, "part");
    wait_until("the PUT's connection is closed", || nginx.connections().open == 0);
    let program = compile("tests/c/stream/http.c", PALITRA);
    let running = start(program.command().args(["part", &url]));
    wait_until("the program has freed its token", || running.written().contains("freed"));
    wait_until("its connection is closed", || nginx.connections().open == 0);
    assert_eq!(nginx.connections().accepted, 2);
}

#[test]
fn a_status_that_is_not_a_success_fails_the_stream() {
    let (nginx, runner) = (Nginx::start(), Runner::new().unwrap());
    let stream = |path| crate::run(&runner, "http.stream", json!({"url": nginx.url(path)}));
    crate::assert_failure(stream("/missing"), 404, &[&nginx.url("/missing"), "404 Not Found"]);
}

#[test]
fn a_run_has_no_reader_so_the_stream_fails_at_its_first_chunk() {
    let (nginx, runner) = (Nginx::start(), Runner::new().unwrap());
    let (small, huge) = (nginx.url("/hello"), huge_page(&nginx, "unread"));
    for url in [small, huge] {
        for timeout in [None, Some(PATIENCE)] {
            let reply = runner.run_job("http.stream", json!({"url": url}).to_string(), timeout).unwrap();
            crate::assert_failure(crate::checked(reply), 0, &["nobody reads the stream any more"]);
        }
    }
}
