//! The conformance scenarios in Rust: carries out the steps of a file and prints what came of each.
//!
//! tests/conformance/README.md defines the format and what each verb means. A scenario goes through the public API,
//! [`native`], unless it has a step for which that has no call; then all of it goes through the C functions that
//! every Rust program with palitra in it exports, [`exported`], since the two share no handles.

mod exported;
mod native;
mod notes;

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;
use std::thread::{self, ScopedJoinHandle};
use std::time::Duration;

use palitra::{Error, Reply, Status};
// The test jobs test.*: they register themselves once they are linked.
use palitra_test_jobs as _;

/// What carries out the steps of one scenario. Dropped, it frees what they made.
trait Host: Sync {
    /// Returns the outcome.
    fn carry_out(&self, words: &[&str]) -> String;
}

/// Carries out the steps of the file at `path`.
pub fn interpret(path: &Path) {
    let text = std::fs::read_to_string(path).expect("the file of the steps");
    let mut scenarios: Vec<(&str, Vec<Vec<&str>>)> = Vec::new();
    for line in text.lines() {
        let words: Vec<_> = line.split(' ').collect();
        match words[..] {
            ["scenario", name] => scenarios.push((name, Vec::new())),
            _ => scenarios.last_mut().expect("a scenario").1.push(words),
        }
    }
    for (name, steps) in scenarios {
        if steps.iter().any(|words| has_no_call(words)) {
            carry_out_all(name, &steps, &exported::Exported::default());
        } else {
            carry_out_all(name, &steps, &native::Native::default());
        }
    }
}

/// Whether the public API has no call for a step: its types forbid handles that are stale or forged, and a future
/// answers once.
fn has_no_call(words: &[&str]) -> bool {
    matches!(words, ["forged", ..] | ["register", _, _, "twice" | "give_up"])
}

fn carry_out_all(scenario: &str, steps: &[Vec<&str>], host: &impl Host) {
    thread::scope(|scope| {
        let mut threads: HashMap<&str, ScopedJoinHandle<String>> = HashMap::new();
        for (words, number) in steps.iter().zip(1..) {
            let outcome = match &words[..] {
                ["thread", name, step @ ..] => {
                    threads.insert(name, scope.spawn(|| host.carry_out(step)));
                    status(Status::Ok)
                }
                ["join", name] => threads.remove(name).expect("a thread").join().expect("an outcome"),
                step => host.carry_out(step),
            };
            print(&format!("{scenario}\t{number}\t{outcome}\n"));
        }
    });
}

/// Not by print!, which the test harness would keep.
fn print(line: &str) {
    let mut output = std::io::stdout().lock();
    output.write_all(line.as_bytes()).and_then(|()| output.flush()).expect("an open standard output");
}

// ---- outcomes ----

fn status(status: Status) -> String {
    status.name().trim_start_matches("PALITRA_").to_string()
}

/// The outcome of a call that fills no reply.
fn ended(result: Result<(), Error>) -> String {
    status(result.map_or_else(|error| error.status(), |()| Status::Ok))
}

/// The outcome of a call that fills a reply.
fn outcome_of(result: Result<Reply, Error>) -> String {
    match result {
        Ok(reply) => with_text(reply.status(), reply.code(), &reply.text()),
        Err(error) => status(error.status()),
    }
}

/// Only these statuses have a text of the job's own.
fn with_text(ended: Status, code: i32, text: &str) -> String {
    let space = if text.is_empty() { "" } else { " " };
    match ended {
        Status::JobFailed => format!("{} {code}{space}{text}", status(ended)),
        Status::Ok | Status::JobPanicked | Status::BadPayload => format!("{}{space}{text}", status(ended)),
        _ => status(ended),
    }
}

fn no_step(words: &[&str]) -> String {
    format!("error: no step {}", words.join(" "))
}

// ---- operands ----

/// The value of `name=VALUE`.
fn option<'a>(words: &[&'a str], name: &str) -> Option<&'a str> {
    words.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
}

/// "20ms" or "60s".
fn time(text: &str) -> Duration {
    let split = text.find(|c: char| !c.is_ascii_digit()).expect("a unit");
    let number = text[..split].parse().expect("a number");
    match &text[split..] {
        "ms" => Duration::from_millis(number),
        "s" => Duration::from_secs(number),
        unit => panic!("no unit of time: {unit}"),
    }
}

fn payload(text: &str) -> &str {
    if text == "-" { "" } else { text }
}
