//! The program that downloads, in C++, Go and Python: files of any size, under a progress bar, in little memory.

#![cfg(feature = "http")]
#![allow(clippy::expect_used, reason = "a test may panic")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use palitra_test_support::c;
use palitra_test_support::nginx::{HUGE, Nginx, closed_port};
use palitra_test_support::process::{
    Ended, Running, library, library_directory, root, run, run_well, scratch, start, wait_until,
};

/// The longest that a program may take: a gibibyte goes to the disk, which may be busy with those of the others.
const LIMIT: Duration = Duration::from_secs(120);
/// What a download may take of memory beside what the program takes without it.
const EXTRA_MEMORY: u64 = 32 << 20;

/// Runs its arguments on a terminal of their own.
const ON_A_TERMINAL: &str = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";

/// A folder that is removed with its owner.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        Folder(scratch("downloaded"))
    }

    /// The length of a file in it.
    fn length(&self, name: &str) -> Option<u64> {
        fs::metadata(self.0.join(name)).map(|file| file.len()).ok()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The words that start the program.
type Program = Vec<PathBuf>;

fn in_cpp() -> (Program, Option<c::Program>) {
    let program = c::compile_cpp("examples/cpp/download.cpp", c::PALITRA);
    (vec![program.path().into()], Some(program))
}

fn in_go() -> (Program, Option<c::Program>) {
    let program = root().join("target/go/download");
    let mut build = Command::new(root().join("tests/go/go.sh"));
    build.args(["library", "go", "build", "-o"]).arg(&program).arg(".");
    run_well(build.env("GO_DIRECTORY", root().join("examples/go/download")), LIMIT);
    (vec![program], None)
}

fn in_python() -> (Program, Option<c::Program>) {
    (vec!["python3".into(), root().join("examples/python/download.py")], None)
}

fn command(words: &[PathBuf]) -> Command {
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).env("PYTHONPATH", root().join("bindings/python/src"));
    command.env("PALITRA_LIBRARY", library("libpalitra.so")).env("LD_LIBRARY_PATH", library_directory());
    command.env("NO_PROXY", "127.0.0.1");
    command
}

/// The most memory that a process has had resident; 0 if it has ended.
fn most_memory(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    most.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) << 10
}

/// The only child of a process; 0 if there is none.
fn child(process: u32) -> u32 {
    let children = fs::read_to_string(format!("/proc/{process}/task/{process}/children")).unwrap_or_default();
    children.split_whitespace().next().and_then(|child| child.parse().ok()).unwrap_or(0)
}

/// Starts a download on a terminal.
fn on_a_terminal(program: &Program, folder: &Path, url: &str) -> Running {
    let mut words: Program = vec!["python3".into(), "-c".into(), ON_A_TERMINAL.into()];
    words.extend(program.iter().cloned().chain([folder.into(), url.into()]));
    start(&mut command(&words))
}

/// The memory of a program while a download is under way that has hardly begun.
fn memory_at_the_beginning(program: &Program, folder: &Path, url: &str) -> u64 {
    let running = on_a_terminal(program, folder, url);
    wait_until("the bar is drawn", || running.written().contains('['));
    most_memory(child(running.child.id()))
}

/// Downloads to the end; what was written, and the most memory that it took.
fn download(program: &Program, folder: &Path, url: &str) -> (Ended, u64) {
    let mut running = on_a_terminal(program, folder, url);
    let (mut most, began) = (0, Instant::now());
    loop {
        most = most.max(most_memory(child(running.child.id())));
        if let Some(ended) = running.wait(Duration::ZERO) {
            return (ended, most);
        }
        assert!(began.elapsed() < LIMIT, "it does not end: {}", running.written());
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn a_gibibyte_becomes_a_file_under_a_bar_in_little_memory(program: &Program) {
    let (nginx, folder) = (Nginx::start(), Folder::new());
    let before = memory_at_the_beginning(program, &folder.0, &nginx.url("/slow"));
    let (ended, most) = download(program, &folder.0, &nginx.url("/huge"));
    assert!(ended.status.success(), "{}", ended.output);
    assert_eq!(folder.length("1-huge"), Some(HUGE));
    let file = folder.0.join("1-huge");
    assert!(ended.output.contains(&format!("{HUGE} bytes {}", file.display())), "{}", ended.output);
    // The bar has been seen on its way.
    let bars = ended.output.split('\r').filter(|line| line.starts_with('[') && line.contains(" of 1073 MB"));
    assert!(bars.clone().any(|bar| bar.contains("#.")), "{:?}", ended.output);
    assert!(before > 0 && most < before + EXTRA_MEMORY, "{most} bytes of memory at most, {before} at the beginning");
    println!("at most {} kB of memory, at the beginning {}", most / 1000, before / 1000);
}

fn every_url_has_a_line(program: &Program) {
    let (nginx, folder) = (Nginx::start(), Folder::new());
    let refused = format!("http://127.0.0.1:{}/x", closed_port());
    let urls = [nginx.url("/hello"), nginx.url("/big?a#b"), nginx.url("/missing"), refused.clone()];
    let ended = run(command(program).arg(&folder.0).args(&urls), LIMIT);
    assert_eq!(ended.status.code(), Some(1), "{}{}", ended.output, ended.errors);
    assert_eq!(ended.errors, "", "progress is for terminals");
    let has_line = |words: &[&str]| ended.output.lines().any(|line| words.iter().all(|word| line.contains(word)));
    assert!(has_line(&["5 bytes ", "1-hello"]) && has_line(&["4194304 bytes ", "2-big"]), "{}", ended.output);
    assert!(has_line(&["failed: ", &urls[2], "404"]) && has_line(&["failed: ", &refused]), "{}", ended.output);
    assert_eq!((ended.output.lines().count(), folder.length("3-missing")), (4, None), "{}", ended.output);
    let ended = run(&mut command(program), LIMIT);
    assert!(ended.status.code() == Some(2) && ended.errors.starts_with("usage:"), "{}", ended.errors);
}

macro_rules! languages {
    ($($language:ident: $build:ident;)*) => {
        $(mod $language {
            #[test]
            fn a_gibibyte_becomes_a_file_under_a_bar_in_little_memory() {
                let (program, _owner) = super::$build();
                super::a_gibibyte_becomes_a_file_under_a_bar_in_little_memory(&program);
            }

            #[test]
            fn every_url_has_a_line() {
                let (program, _owner) = super::$build();
                super::every_url_has_a_line(&program);
            }
        })*
    };
}

languages! {
    cpp: in_cpp;
    go: in_go;
    python: in_python;
}
