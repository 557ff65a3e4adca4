//! examples/c/fetch.c, as a user meets it: against the pages of examples/c/serve.py.

#![cfg(feature = "http")]
#![allow(clippy::expect_used, reason = "a test may panic")]

use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use palitra_test_support::c;
use palitra_test_support::process::{
    Ended, PATIENCE, Running, library_directory, root, run, run_well, scratch, start, wait_until,
};

/// The program under test, compiled once for all tests that run at the same time, and a server for it.
struct Fetch {
    program: Arc<c::Program>,
    base: String,
    _server: Running,
}

impl Fetch {
    fn new() -> Fetch {
        let server = start(Command::new("python3").arg(root().join("examples/c/serve.py")));
        wait_until("serve.py says where it is", || server.written().ends_with('\n'));
        let base = server.written().trim().to_string();
        Fetch { program: Fetch::program(), base, _server: server }
    }

    fn program() -> Arc<c::Program> {
        static COMPILED: Mutex<Weak<c::Program>> = Mutex::new(Weak::new());
        let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
        compiled.upgrade().unwrap_or_else(|| {
            let program = Arc::new(c::compile("examples/c/fetch.c", c::PALITRA));
            *compiled = Arc::downgrade(&program);
            program
        })
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    fn command(&self, options: &[&str], paths: &[&str]) -> Command {
        let mut command = self.program.command();
        command.args(options).args(paths.iter().map(|path| self.url(path)));
        command
    }

    fn run(&self, options: &[&str], paths: &[&str]) -> Ended {
        run(&mut self.command(options, paths), PATIENCE)
    }
}

/// The words of each line: status, bytes, "B", milliseconds, "ms", URL, and the message of a failure.
fn lines(ended: &Ended) -> Vec<Vec<&str>> {
    ended.output.lines().map(|line| line.split_whitespace().collect()).collect()
}

#[test]
fn each_page_has_a_line_in_the_order_asked() {
    let fetch = Fetch::new();
    let paths = ["/small", "/large", "/slow", "/moved"];
    let ended = fetch.run(&[], &paths);
    let lines = lines(&ended);
    assert_eq!(lines.len(), paths.len(), "{}", ended.output);
    for ((line, path), bytes) in lines.iter().zip(paths).zip(["100", "1000000", "1000", "100"]) {
        assert_eq!((line[0], line[1], line[5]), ("200", bytes, fetch.url(path).as_str()));
    }
    let milliseconds: Vec<f64> = lines.iter().map(|line| line[3].parse().expect("a time")).collect();
    assert!(milliseconds[2] >= 500.0 && milliseconds[0] < milliseconds[2], "{}", ended.output);
    assert_eq!(ended.status.code(), Some(0));
    assert_eq!(ended.errors, "", "progress is for terminals");
}

#[test]
fn the_columns_are_aligned() {
    let fetch = Fetch::new();
    let ended = fetch.run(&[], &["/small", "/large", "/missing", "/slow"]);
    let columns: Vec<_> = ended.output.lines().map(|line| line.find("http:")).collect();
    assert!(columns[0].is_some() && columns.iter().all(|column| *column == columns[0]), "{}", ended.output);
}

#[test]
fn pages_are_fetched_at_the_same_time() {
    let fetch = Fetch::new();
    let start = Instant::now();
    let ended = fetch.run(&[], &["/slow"; 40]);
    assert!(start.elapsed() < Duration::from_secs(10), "40 half seconds, one after another, are 20 s");
    assert_eq!(ended.status.code(), Some(0), "{}", ended.output);
}

#[test]
fn a_status_of_400_or_more_is_a_failure() {
    let fetch = Fetch::new();
    let ended = fetch.run(&[], &["/small", "/missing"]);
    assert_eq!(lines(&ended)[1][..2], ["404", "13"], "{}", ended.output);
    assert_eq!(ended.status.code(), Some(1));
}

#[test]
fn pages_become_files_when_a_folder_is_given() {
    let fetch = Fetch::new();
    let folder = scratch("fetched");
    std::fs::create_dir_all(&folder).expect("a folder");
    let into = folder.to_str().expect("a path in UTF-8");
    let ended = fetch.run(&["--into", into], &["/small", "/large", "/moved", "/missing"]);
    assert_eq!(lines(&ended).iter().map(|line| line[1]).collect::<Vec<_>>()[..3], ["100", "1000000", "100"]);
    assert_eq!((lines(&ended)[3][0], ended.status.code()), ("failed", Some(1)), "{}", ended.output);
    let length = |name: &str| std::fs::metadata(folder.join(name)).map(|file| file.len()).ok();
    assert_eq!(["1-small", "2-large", "3-moved"].map(length), [Some(100), Some(1_000_000), Some(100)]);
    assert_eq!(length("4-missing"), None);
    std::fs::remove_dir_all(folder).expect("a folder made a moment ago");
}

#[test]
fn a_refused_connection_is_a_failure_with_its_reason() {
    let fetch = Fetch::new();
    let mut command = fetch.command(&[], &["/small"]);
    let ended = run(command.arg("http://127.0.0.1:1/"), PATIENCE);
    let lines = lines(&ended);
    assert_eq!((lines[0][0], lines[1][0]), ("200", "failed"));
    assert!(lines[1].len() > 6, "no reason in {}", ended.output);
    assert_eq!(ended.status.code(), Some(1));
}

#[test]
fn strange_urls_stay_on_their_line() {
    let fetch = Fetch::new();
    let ended = run(fetch.program.command().args(["not a url", "http://a\nb\"\\/", ""]), PATIENCE);
    assert_eq!(lines(&ended).len(), 3, "{}", ended.output);
    assert_eq!(ended.status.code(), Some(1));
}

#[test]
fn urls_are_read_from_standard_input() {
    let fetch = Fetch::new();
    let mut shell = Command::new("sh");
    shell.args(["-c", "fetch=$1; shift; printf '%s\\n' \"$@\" | \"$fetch\"", "sh"]);
    shell.arg(fetch.program.path()).args([fetch.url("/small"), String::new(), fetch.url("/large")]);
    let ended = run_well(&mut shell, PATIENCE);
    assert_eq!(lines(&ended).iter().map(|line| line[1]).collect::<Vec<_>>(), ["100", "1000000"]);
}

#[test]
fn the_timeout_holds_for_each_page() {
    let fetch = Fetch::new();
    let began = Instant::now();
    let ended = fetch.run(&["--timeout", "2"], &["/never", "/small"]);
    assert!(began.elapsed() < Duration::from_secs(10));
    assert_eq!(lines(&ended).iter().map(|line| line[0]).collect::<Vec<_>>(), ["timeout", "200"]);
    assert_eq!(ended.status.code(), Some(1));
}

#[test]
fn wrong_usage_is_explained_and_exits_with_2() {
    let fetch = Fetch::new();
    for wrong in [&["--timeout"][..], &["--timeout", "soon"], &["--timeout", "-1"], &["--quickly"]] {
        let ended = fetch.run(wrong, &[]);
        assert_eq!(ended.status.code(), Some(2), "{wrong:?}");
        assert!(ended.errors.starts_with("usage:"), "{}", ended.errors);
    }
    assert!(fetch.run(&["--help"], &[]).output.starts_with("usage:"));
}

/// Whether the process has a handler of its own for SIGINT, signal 2.
fn handles_ctrl_c(process: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap_or("0");
    u64::from_str_radix(caught.trim(), 16).is_ok_and(|mask| mask & 0b10 != 0)
}

#[test]
fn ctrl_c_cancels_what_is_running_and_exits_with_130() {
    let fetch = Fetch::new();
    let mut running = start(&mut fetch.command(&[], &["/never", "/never"]));
    let process = running.child.id();
    wait_until("fetch listens for Ctrl-C", || handles_ctrl_c(process));
    let interrupted = Instant::now();
    run_well(Command::new("kill").args(["-INT", &process.to_string()]), PATIENCE);
    let ended = running.wait(PATIENCE).expect("it ends after Ctrl-C");
    assert!(interrupted.elapsed() < Duration::from_secs(5));
    assert_eq!(lines(&ended).iter().map(|line| line[0]).collect::<Vec<_>>(), ["cancelled", "cancelled"]);
    assert_eq!(ended.status.code(), Some(130));
}

/// Runs its arguments on a terminal of their own.
const ON_A_TERMINAL: &str = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";

#[test]
fn progress_is_shown_on_a_terminal() {
    let fetch = Fetch::new();
    let mut python = Command::new("python3");
    python.args(["-c", ON_A_TERMINAL]).arg(fetch.program.path()).args([fetch.url("/small"), fetch.url("/slow")]);
    let ended = run_well(&mut python, PATIENCE);
    // While the slow page is yet to begin, the small one of 100 bytes is all there is.
    let bar = format!("[{}] 0.1 of 0.1 kB, 1 of 2 fetched", "#".repeat(30));
    assert!(ended.output.contains(&bar), "{:?}", ended.output);
}

#[test]
fn it_leaks_nothing() {
    let fetch = Fetch::new();
    fetch.program.check_memory(&["--timeout", "20", &fetch.url("/small"), &fetch.url("/slow"), &fetch.url("/large")]);
}

#[test]
fn the_demo_works_without_a_network() {
    let mut demo = Command::new(root().join("examples/c/demo.sh"));
    let ended = run_well(demo.env("PALITRA_LIBRARY_DIR", library_directory()), PATIENCE);
    assert_eq!(lines(&ended).iter().filter(|line| line[0] == "200").count(), 6, "{}", ended.output);
}
