//! `http.stream`: a body of any size passes without being whole in memory. Read by a program of its own,
//! tests/c/stream/http.c, so that its memory can be measured.

use std::fs::{self, File};
use std::path::PathBuf;

use palitra::Runner;
use serde_json::json;

use crate::page;
use palitra_test_support::c::{PALITRA, compile};
use palitra_test_support::nginx::Nginx;
use palitra_test_support::process::{PATIENCE, run_well, scratch, start, wait_until};

/// The length of the body: a gibibyte, of a file with nothing in it.
const HUGE: u64 = 1 << 30;

/// Puts a small page and stretches its file to a gibibyte; returns its URL.
fn huge_page(nginx: &Nginx, name: &str) -> String {
    large_page(nginx, name, HUGE)
}

fn large_page(nginx: &Nginx, name: &str, length: u64) -> String {
    let url = nginx.url(&format!("/files/{name}"));
    let runner = Runner::new().unwrap();
    let put = json!({"url": url, "method": "PUT", "body": "x"});
    assert_eq!(page(&runner, "http.request", put).unwrap()["status"], 201);
    let file = File::options().write(true).open(stored(name)).unwrap();
    file.set_len(length).unwrap();
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

/// The most memory that a process ever had, in kB; 0 once it has ended.
fn most_memory(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0");
    line.split_whitespace().next().unwrap().parse().unwrap()
}

#[test]
fn a_large_page_becomes_a_file_in_little_memory() {
    let (nginx, folder) = (Nginx::start(), scratch("large"));
    let length = 64 << 20;
    let url = large_page(&nginx, "file", length);
    fs::create_dir_all(&folder).unwrap();
    let program = compile("examples/c/fetch.c", PALITRA);
    let mut running = start(program.command().arg("--into").arg(&folder).arg(&url));
    let (process, mut most) = (running.child.id(), 0);
    wait_until("it has ended", || {
        most = most.max(most_memory(process));
        running.child.try_wait().unwrap().is_some()
    });
    let written = running.written();
    assert_eq!(fs::metadata(folder.join("1-file")).map(|file| file.len()).ok(), Some(length), "{written}");
    fs::remove_dir_all(&folder).unwrap();
    assert!(most < 32 << 10, "{most} kB");
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
