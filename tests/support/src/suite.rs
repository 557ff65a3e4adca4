//! A test program whose tests are found at run time. Cargo runs it as any other, with `harness = false`.
//!
//! Cargo's own harness must know its tests when it is compiled, and runs as many at a time as there are processors.
//! Here a folder of programs is the list of tests, and each test says what may run beside it: many that sleep, or
//! nothing.
//! From the command line it takes what the other takes: parts of names, `--exact`, `--skip`, `--list` and
//! `--test-threads`. Other options are for the other harness, and mean nothing here.

use std::any::Any;
use std::collections::VecDeque;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

/// How many tests run at a time, for each processor. Most wait for a part of their time.
const COMPUTING: usize = 2;

/// How many tests that sleep run at a time.
const SLEEPING: usize = 8;

/// What may run beside a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beside {
    /// Other tests, so many that every processor is busy.
    Computing,
    /// It sleeps nearly all of its time, and measures: other tests that sleep.
    Sleeping,
    /// It measures what the machine can do: nothing.
    Nothing,
}

/// One test.
pub struct Test {
    name: String,
    beside: Beside,
    run: Box<dyn FnOnce() + Send>,
}

impl Test {
    /// A test that fails if `run` panics.
    pub fn new(name: impl Into<String>, beside: Beside, run: impl FnOnce() + Send + 'static) -> Test {
        Test { name: name.into(), beside, run: Box::new(run) }
    }
}

/// What the command line asks for.
#[derive(Default)]
struct Request {
    parts: Vec<String>,
    skipped: Vec<String>,
    exact: bool,
    list: bool,
    threads: Option<usize>,
}

impl Request {
    fn read(arguments: impl Iterator<Item = String>) -> Request {
        let mut request = Request { threads: number(std::env::var("RUST_TEST_THREADS").ok()), ..Request::default() };
        let mut arguments = arguments;
        while let Some(argument) = arguments.next() {
            match argument.split_once('=').unwrap_or((&argument, "")) {
                ("--exact", _) => request.exact = true,
                ("--list", _) => request.list = true,
                ("--skip", "") => request.skipped.extend(arguments.next()),
                ("--skip", part) => request.skipped.push(part.to_string()),
                ("--test-threads", "") => request.threads = number(arguments.next()),
                ("--test-threads", value) => request.threads = number(Some(value.to_string())),
                ("--format" | "--color" | "--logfile" | "-Z", "") => drop(arguments.next()),
                (option, _) if option.starts_with('-') => {}
                _ => request.parts.push(argument),
            }
        }
        request
    }

    fn wants(&self, name: &str) -> bool {
        let fits = |part: &String| if self.exact { name == part } else { name.contains(part.as_str()) };
        (self.parts.is_empty() || self.parts.iter().any(fits)) && !self.skipped.iter().any(fits)
    }
}

fn number(text: Option<String>) -> Option<usize> {
    text.and_then(|text| text.parse().ok()).filter(|number| *number > 0)
}

/// Runs the tests that the command line asks for, and prints how each ended, as cargo's own harness does.
pub fn main(tests: Vec<Test>) -> ExitCode {
    let request = Request::read(std::env::args().skip(1));
    let all = tests.len();
    let tests: Vec<Test> = tests.into_iter().filter(|test| request.wants(&test.name)).collect();
    if request.list {
        tests.iter().for_each(|test| say(&format!("{}: test", test.name)));
        return ExitCode::SUCCESS;
    }
    let start = Instant::now();
    let (count, filtered) = (tests.len(), all - tests.len());
    say(&format!("\nrunning {count} tests"));
    let failures = run_all(tests, request.threads);
    for (name, trouble) in &failures {
        say(&format!("\n---- {name} ----\n{trouble}"));
    }
    let (verdict, failed, time) =
        (if failures.is_empty() { "ok" } else { "FAILED" }, failures.len(), start.elapsed().as_secs_f64());
    say(&format!(
        "\ntest result: {verdict}. {} passed; {failed} failed; 0 ignored; 0 measured; {filtered} filtered out; \
         finished in {time:.2}s\n",
        count - failed
    ));
    if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// One kind after the other. Returns the names of those that failed, and why.
fn run_all(tests: Vec<Test>, threads: Option<usize>) -> Vec<(String, String)> {
    let processors = thread::available_parallelism().map_or(1, usize::from);
    // What a test panics with is printed once, at the end, with all the others.
    std::panic::set_hook(Box::new(|_| ()));
    let mut failures = Vec::new();
    let mut rest = tests;
    for (beside, lanes) in
        [(Beside::Computing, COMPUTING * processors), (Beside::Sleeping, SLEEPING), (Beside::Nothing, 1)]
    {
        let (these, others) = rest.into_iter().partition(|test| test.beside == beside);
        rest = others;
        failures.extend(run_beside_each_other(these, threads.map_or(lanes, |threads| threads.min(lanes))));
    }
    failures
}

fn run_beside_each_other(tests: Vec<Test>, lanes: usize) -> Vec<(String, String)> {
    let (queue, failures) = (Mutex::new(VecDeque::from(tests)), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..lanes {
            scope.spawn(|| {
                while let Some(test) = { queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front() } {
                    if let Err(failure) = run_one(test) {
                        failures.lock().unwrap_or_else(PoisonError::into_inner).push(failure);
                    }
                }
            });
        }
    });
    failures.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn run_one(test: Test) -> Result<(), (String, String)> {
    let (name, start) = (test.name, Instant::now());
    let ended = catch_unwind(AssertUnwindSafe(test.run)).map_err(|panic| message(&*panic));
    let verdict = if ended.is_ok() { "ok" } else { "FAILED" };
    say(&format!("test {name} ... {verdict} ({:.1} s)", start.elapsed().as_secs_f64()));
    ended.map_err(|trouble| (name, trouble))
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without a text").to_string()
}

/// In one piece, whatever other threads print.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(arguments: &[&str]) -> Request {
        Request::read(arguments.iter().map(ToString::to_string))
    }

    #[test]
    fn names_are_wanted_by_their_parts() {
        assert!(request(&[]).wants("queue::events"));
        assert!(request(&["queue", "--nocapture"]).wants("queue::events"));
        assert!(!request(&["token"]).wants("queue::events"));
        assert!(!request(&["--exact", "queue"]).wants("queue::events"));
        assert!(request(&["--exact", "queue::events"]).wants("queue::events"));
        assert!(!request(&["--skip", "memory", "queue"]).wants("memory::queue::events"));
        assert_eq!(request(&["--test-threads=3"]).threads, Some(3));
    }

    #[test]
    fn every_test_runs_once_and_the_ones_that_panic_fail() {
        static RUNS: Mutex<Vec<&str>> = Mutex::new(Vec::new());
        let test = |name: &'static str, beside, good: bool| {
            Test::new(name, beside, move || {
                RUNS.lock().expect("a list").push(name);
                assert!(good, "{name} is bad");
            })
        };
        let tests = vec![
            test("a", Beside::Nothing, true),
            test("meant_to_fail", Beside::Computing, false),
            test("c", Beside::Sleeping, true),
            test("d", Beside::Computing, true),
        ];
        assert_eq!(run_all(tests, None), [("meant_to_fail".to_string(), "meant_to_fail is bad".to_string())]);
        let mut runs = RUNS.lock().expect("a list").clone();
        assert_eq!(runs[2..], ["c", "a"], "kind after kind");
        runs.sort_unstable();
        assert_eq!(runs, ["a", "c", "d", "meant_to_fail"]);
    }
}
