//! The C ABI from C: every program of tests/c is found, compiled and run.
//!
//! A program stands in the folder of its subject and is named after its own part of it; its functions are named after
//! what they check. Nobody lists it: a new file is run as [`Way::Memory`], linked with the library that has the test
//! jobs of tests/jobs, unless [`WAYS`] says otherwise. `cargo test --test c queue` runs what has "queue" in its name.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use Way::{Alone, Elsewhere, Loop, Memory, Once, Sleeping};
use palitra_test_support::c::{self, PALITRA, Program, TEST_JOBS};
use palitra_test_support::process::{self, PATIENCE, root, run_well};
use palitra_test_support::suite::{self, Beside, Test};

/// How a program is run.
#[derive(Clone, Copy)]
enum Way {
    /// Twice: as it is, and under valgrind.
    Memory(&'static str),
    /// As it is. Valgrind has its own ways with signals, threads and time; and a forked child, or one that exits with
    /// jobs in flight, has by its nature memory that nobody will free.
    Once(&'static str),
    /// As it is, beside nothing, for its loop must be on time; with a package of the system's.
    Loop(Option<&'static str>),
    /// Each of its tests by itself, beside others of this kind: they measure, but sleep nearly all of the time. The
    /// library prints nothing, whatever they do to their runners.
    Sleeping,
    /// Beside nothing: it measures what the machine can do. The library prints nothing.
    Alone,
    /// By another test program, which gives it what it needs.
    Elsewhere(&'static str),
}

/// The programs that are not run as [`Memory`] with the test jobs. The first line that a path starts with counts.
const WAYS: &[(&str, Way)] = &[
    ("examples/", Memory(PALITRA)),
    ("exit/moments.c", Once(TEST_JOBS)),
    ("exit/", Elsewhere("tests/process.rs")),
    ("fork/child.c", Once(TEST_JOBS)),
    ("fork/early.c", Once(TEST_JOBS)),
    ("fork/first_wait.c", Once(TEST_JOBS)),
    ("fork/inherited.c", Once(TEST_JOBS)),
    ("fork/", Once(PALITRA)),
    ("http/", Elsewhere("tests/http/turns.rs")),
    ("library/calls.c", Memory(PALITRA)),
    ("library/job_names.c", Elsewhere("tests/linking.rs")),
    ("library/log.c", Once(TEST_JOBS)),
    ("library/two_libraries.c", Memory(PALITRA)),
    ("limits/cancelled_jobs.c", Alone),
    ("limits/in_flight.c", Sleeping),
    ("limits/large_payloads.c", Once(TEST_JOBS)),
    ("limits/memory.c", Alone),
    ("limits/refused_by_the_system.c", Once(TEST_JOBS)),
    ("limits/refused_lookup.c", Once(PALITRA)),
    ("loops/epoll.c", Loop(None)),
    ("loops/glib.c", Loop(Some("glib-2.0"))),
    ("loops/libuv.c", Loop(Some("libuv"))),
    ("process/", Elsewhere("tests/process.rs")),
    ("queue/not_blocking.c", Once(TEST_JOBS)),
    ("run/small_stacks_http.c", Once(PALITRA)),
    ("scheduler/fairness.c", Alone),
    ("scheduler/stats.c", Alone),
    ("scheduler/", Sleeping),
    ("shutdown/grace.c", Sleeping),
    ("shutdown/many_jobs.c", Alone),
    ("shutdown/pending", Sleeping),
    ("signals/disposition.c", Memory(PALITRA)),
    ("runner/configuration.c", Once(TEST_JOBS)),
    ("signals/every_thread.c", Once(TEST_JOBS)),
    ("signals/handlers.c", Once(TEST_JOBS)),
    ("signals/threads_of_http.c", Once(PALITRA)),
    ("stream/http.c", Elsewhere("tests/http/stream.rs")),
    ("submit_many/one_wake_up.c", Once(PALITRA)),
    ("threads/storm.c", Once(TEST_JOBS)),
    ("unloading/reloading.c", Elsewhere("tests/process.rs")),
];

/// The longest that a program may take that is run in another way than twice. Each of its tests has a watchdog.
const LIMIT: Duration = Duration::from_secs(240);

fn main() -> ExitCode {
    let programs = programs();
    let mut tests = vec![Test::new("every_line_of_ways_means_a_program", Beside::Computing, check_ways)];
    tests.extend(programs.iter().flat_map(|program| tests_of(program)));
    tests.extend(examples());
    suite::main(tests)
}

/// The folder of the programs.
fn folder() -> PathBuf {
    root().join("tests/c")
}

/// The programs, as paths from their folder, in order. What they share is in `support`.
fn programs() -> Vec<String> {
    let mut programs = Vec::new();
    for subject in std::fs::read_dir(folder()).expect("the folder of the programs") {
        let subject = subject.expect("a folder that can be read").path();
        if subject.is_dir() && !subject.ends_with("support") {
            programs.extend(files(&subject));
        } else {
            assert!(subject.is_dir(), "{} stands in no folder, so nobody runs it", subject.display());
        }
    }
    programs.sort();
    programs
}

fn files(subject: &Path) -> impl Iterator<Item = String> {
    let files = std::fs::read_dir(subject).expect("a folder of programs");
    files.map(|file| {
        let path = file.expect("a folder that can be read").path();
        path.strip_prefix(folder()).expect("a file below it").to_str().expect("a name in UTF-8").to_string()
    })
}

fn way_of(program: &str) -> Way {
    WAYS.iter().find(|(prefix, _)| program.starts_with(prefix)).map_or(Memory(TEST_JOBS), |(_, way)| *way)
}

/// Each line is the first for some program, and who is to run one names it.
fn check_ways() {
    let programs = programs();
    assert!(programs.len() > 50, "{programs:?}");
    for (prefix, _) in WAYS {
        let first = |program: &String| WAYS.iter().find(|(prefix, _)| program.starts_with(prefix)).map(|line| line.0);
        assert!(programs.iter().any(|program| first(program) == Some(prefix)), "{prefix} means no program");
    }
    for program in &programs {
        if let Elsewhere(other) = way_of(program) {
            let source = std::fs::read_to_string(root().join(other)).expect("a test program");
            assert!(source.contains(&format!("\"tests/c/{program}\"")), "{other} does not run tests/c/{program}");
        } else {
            assert!(program.ends_with(".c"), "tests/c/{program} is no C program, so nobody runs it");
        }
    }
}

fn tests_of(program: &str) -> Vec<Test> {
    let name = program.trim_end_matches(".c").replace('/', "::");
    let source = format!("tests/c/{program}");
    match way_of(program) {
        Memory(library) => {
            let compiled = once(move || c::compile(&source, library));
            let again = Arc::clone(&compiled);
            vec![
                Test::new(format!("memory::{name}"), Beside::Computing, move || again.check_memory(&[])),
                Test::new(name, Beside::Computing, move || drop(compiled.check())),
            ]
        }
        Once(library) => vec![Test::new(name, Beside::Computing, move || drop(c::compile(&source, library).check()))],
        Loop(package) => {
            let compile = move || match package {
                Some(package) => c::compile_with_package(&source, "c11", PALITRA, package),
                None => c::compile(&source, PALITRA),
            };
            vec![Test::new(name, Beside::Nothing, move || drop(compile().check()))]
        }
        Alone => vec![Test::new(name, Beside::Nothing, move || check_silent(&c::compile(&source, TEST_JOBS), None))],
        Sleeping => {
            let tests = functions(&source);
            assert!(!tests.is_empty(), "{source} lists no test");
            let compiled = once(move || c::compile(&source, TEST_JOBS));
            let one = |test: String| {
                let compiled = Arc::clone(&compiled);
                Test::new(format!("{name}::{test}"), Beside::Sleeping, move || check_silent(&compiled, Some(&test)))
            };
            tests.into_iter().map(one).collect()
        }
        Elsewhere(_) => Vec::new(),
    }
}

/// Compiled by whoever needs it first, and removed when the last is done with it.
type Shared = Arc<LazyLock<Program, Box<dyn FnOnce() -> Program + Send>>>;

fn once(compile: impl FnOnce() -> Program + Send + 'static) -> Shared {
    Arc::new(LazyLock::new(Box::new(compile)))
}

/// The names of the tests that a program's main lists.
fn functions(source: &str) -> Vec<String> {
    let text = std::fs::read_to_string(root().join(source)).expect("a program");
    let listed = text.split(" TEST(").skip(1).filter_map(|rest| rest.split_once(')'));
    listed.map(|(name, _)| name.to_string()).collect()
}

/// Runs the program, or one of its tests, to a good end. Whatever it did to its runners, the library printed nothing.
fn check_silent(program: &Program, test: Option<&str>) {
    let mut command = program.command();
    if let Some(test) = test {
        command.env("PALITRA_TEST_ONLY", test);
    }
    let ended = run_well(&mut command, LIMIT);
    assert_eq!(ended.errors, "", "the library printed this");
    assert!(ended.output.contains(test.unwrap_or_default()), "the test did not run: {}", ended.output);
}

// ---- the examples in C, and make growth -----------------------------------------------------------------------

/// What each of the examples says of its jobs, which sleep.
const AS_THEY_FINISH: &str = "job 1: {\"seconds\":0.1}\njob 2: {\"seconds\":0.2}\njob 0: {\"seconds\":0.3}\n";

fn examples() -> Vec<Test> {
    let loops = [("epoll", None), ("libuv", Some("libuv")), ("glib", Some("glib-2.0"))];
    let mut tests: Vec<_> = loops
        .into_iter()
        .map(|(name, package)| {
            Test::new(format!("example::{name}"), Beside::Computing, move || check_loop(name, package))
        })
        .collect();
    tests.push(Test::new("growth", Beside::Nothing, check_growth));
    tests
}

/// What a loop with a timer in it says at last.
const WENT_ON: &str = "the loop went on meanwhile: ";

/// An example waits for the jobs that were accepted and for no other. Strictly C99, as the adapters are, if it has a
/// loop of a package's, and then beside a timer of the loop's.
fn check_loop(name: &str, package: Option<&str>) {
    let source = format!("examples/c/{name}.c");
    let program = match package {
        Some(package) => c::compile_with_package(&source, "c99", PALITRA, package),
        None => c::compile(&source, PALITRA),
    };
    let expected = |jobs: &str, went_on: &str| match package {
        Some(_) => format!("{jobs}{WENT_ON}{went_on}\n"),
        None => jobs.to_string(),
    };
    assert_eq!(process::run_well(&mut program.command(), PATIENCE).output, expected(AS_THEY_FINISH, "yes"));

    let small_runner = c::compile_preload("tests/c/support/small_runner.c");
    let with_limit = |limit: &str| {
        process::run_well(program.command().env("LD_PRELOAD", small_runner.path()).env(limit, "1"), PATIENCE)
    };
    let one = with_limit("MAX_IN_FLIGHT");
    assert_eq!(one.output, expected("job 0: {\"seconds\":0.3}\n", "yes"));
    assert_eq!(one.errors.lines().count(), 2, "{}", one.errors);
    let none = with_limit("MAX_PAYLOAD");
    assert_eq!(none.output, expected("", "no"));
    assert_eq!(none.errors.lines().count(), 3, "{}", none.errors);
}

/// `make growth` goes up to a million, where the growth shows. Here the program only shows that it works.
fn check_growth() {
    let program = c::compile("benches/growth.c", PALITRA);
    let ended = run_well(program.command().arg("1000"), LIMIT);
    let lines: Vec<&str> = ended.output.lines().collect();
    assert_eq!(lines.len(), 11, "{}", ended.output);
    assert!(lines[1..].iter().all(|line| line.contains(" ns ")), "{}", ended.output);
    assert_eq!(ended.errors, "");
}
