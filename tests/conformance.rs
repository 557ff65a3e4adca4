//! Every binding keeps every scenario of tests/conformance: one table for all languages.
//!
//! tests/conformance/README.md says how it works. This program hands each interpreter the steps without what
//! is expected of them, compares what it prints with what is, and prints the table, the differences below it.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test may panic")]

#[path = "conformance/rust/interpreter.rs"]
mod rust;
#[path = "conformance/scenarios.rs"]
mod scenarios;
#[path = "conformance/soak.rs"]
mod soak;

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Once;
use std::thread;
use std::time::Duration;

use palitra_test_support::c;
use palitra_test_support::process::{library_directory, root, run_well, scratch, start};
use scenarios::{Column, Printed, Scenario};

/// The longest that an interpreter may take for all scenarios.
const LIMIT: Duration = Duration::from_secs(180);

/// The same for building one, from an empty cache.
const BUILD_LIMIT: Duration = Duration::from_secs(300);

/// The library with the test jobs, as C compilers and their kin call it.
const TEST_JOBS: &str = "palitra_test_jobs";

/// Builds an interpreter if need be and hands its command, with the path of the steps, to what runs it.
type Interpret = fn(&Path, &mut Run);

/// Runs an interpreter to its end.
type Run<'a> = dyn FnMut(&mut Command) + 'a;

/// A column for each language. One that cannot be built or started fails in every scenario.
const INTERPRETERS: &[(&str, Interpret)] = &[
    ("C", |steps, run| run(c::compile("tests/conformance/conformance.c", TEST_JOBS).command().arg(steps))),
    ("C++", |steps, run| run(Command::new(cpp()).arg(steps))),
    ("Go", |steps, run| run(Command::new(go()).arg(steps))),
    ("Python", |steps, run| run(python().arg(steps))),
    ("Node", |steps, run| run(node().arg(steps))),
    ("Ruby", |steps, run| run(ruby().arg(steps))),
    ("PHP", |steps, run| run(php().arg(steps))),
    ("LuaJIT", |steps, run| run(lua().arg(steps))),
    ("Perl", |steps, run| run(perl().arg(steps))),
    ("Java", |steps, run| run(java().arg(steps))),
    ("Rust", |steps, run| run(itself().env(RUST, steps))),
];

/// Set to the path of the steps when this program is to be the interpreter in Rust.
const RUST: &str = "PALITRA_CONFORMANCE_STEPS";

#[test]
fn every_binding_keeps_every_scenario() {
    if let Some(steps) = std::env::var_os(RUST) {
        return rust::interpret(Path::new(&steps));
    }
    let scenarios = Scenario::read(&root().join("tests/conformance/scenarios.txt"));
    let steps = scratch("steps");
    std::fs::write(&steps, Scenario::steps_of(&scenarios)).expect("a file for the steps");
    let columns: Vec<_> = thread::scope(|scope| {
        let steps = &steps;
        // Beside each other: they sleep most of their time.
        let started: Vec<_> =
            INTERPRETERS.iter().map(|(name, interpret)| scope.spawn(|| column(name, *interpret, steps))).collect();
        started.into_iter().map(|column| column.join().expect("a column, whatever its interpreter does")).collect()
    });
    let _ = std::fs::remove_file(&steps);

    let table = scenarios::table(&scenarios, &columns);
    // Not by print!, which the harness keeps to itself while all goes well.
    writeln!(std::io::stdout(), "\n{table}").expect("an open standard output");
    let differences: String = columns.iter().map(|column| column.differences(&scenarios)).collect();
    assert!(differences.is_empty(), "\n{differences}");
}

fn column(name: &'static str, interpret: Interpret, steps: &Path) -> Column {
    let mut printed = Printed::nothing("cannot be built or started: see above");
    let _ = catch_unwind(AssertUnwindSafe(|| interpret(steps, &mut |interpreter| printed = run(interpreter))));
    Column { name, printed }
}

/// Runs an interpreter to its end or its limit, with the libraries under test.
fn run(interpreter: &mut Command) -> Printed {
    let mut running = start(with_libraries(interpreter));
    match running.wait(LIMIT) {
        Some(ended) if ended.status.success() => Printed { output: ended.output, trouble: None },
        Some(ended) => Printed { output: ended.output, trouble: Some(format!("{}\n{}", ended.status, ended.errors)) },
        None => Printed { output: running.written(), trouble: Some(format!("did not end within {LIMIT:?}")) },
    }
}

/// `PALITRA_SOAK_MINUTES` says how many.
#[test]
#[ignore = "takes minutes: make soak"]
fn every_binding_keeps_them_for_long_and_nothing_grows() {
    let minutes = std::env::var("PALITRA_SOAK_MINUTES").ok().and_then(|minutes| minutes.parse().ok()).unwrap_or(1.0);
    let scenarios = Scenario::read(&root().join("tests/conformance/scenarios.txt"));
    soak::check(INTERPRETERS, &scenarios, Duration::from_secs_f64(60.0 * minutes));
}

fn with_libraries(interpreter: &mut Command) -> &mut Command {
    let libraries = library_directory();
    // In place of cargo's own: that leads to a debug build of the same libraries, and before any rpath.
    interpreter.env("LD_LIBRARY_PATH", &libraries).env("PALITRA_LIBRARY_DIR", &libraries)
}

/// The interpreter in C++, compiled.
fn cpp() -> PathBuf {
    let (program, libraries) = (root().join("target/conformance-cpp"), library_directory());
    let mut compile = Command::new(std::env::var_os("CXX").unwrap_or_else(|| "c++".into()));
    compile.args(["-std=c++20", "-Wall", "-Wextra", "-Werror", "-pthread", "-o"]).arg(&program);
    compile.arg(root().join("tests/conformance/conformance.cpp"));
    compile.arg("-I").arg(root().join("include")).arg("-I").arg(root().join("bindings/cpp/include"));
    run_well(compile.arg("-L").arg(&libraries).arg("-lpalitra_test_jobs"), BUILD_LIMIT);
    program
}

/// The interpreter in Go, built by the Go of the tests.
fn go() -> PathBuf {
    run_well(&mut Command::new(root().join("tests/go/conformance.sh")), BUILD_LIMIT);
    root().join("target/go/conformance")
}

/// The interpreter in Python, on the package as it stands in the tree.
fn python() -> Command {
    let mut command = Command::new("python3");
    command.arg(root().join("tests/conformance/conformance.py"));
    command.env("PYTHONPATH", root().join("bindings/python/src"));
    command
}

/// The interpreter in JavaScript, on the package as it stands in the tree, with its addon compiled.
fn node() -> Command {
    run_well(&mut Command::new(root().join("tests/node/conformance.sh")), BUILD_LIMIT);
    let mut command = Command::new("node");
    command.arg(root().join("tests/conformance/conformance.mjs"));
    command
}

/// The interpreter in Ruby, on the gem as it stands in the tree.
fn ruby() -> Command {
    beneath();
    let mut command = Command::new("ruby");
    command.arg("-I").arg(root().join("bindings/ruby/lib")).arg(root().join("tests/conformance/conformance.rb"));
    command
}

/// The interpreter in PHP, on the package as it stands in the tree.
fn php() -> Command {
    beneath();
    let mut command = Command::new("php");
    command.arg(root().join("tests/conformance/conformance.php"));
    command
}

/// The interpreter in Lua, on the package as it stands in the tree.
fn lua() -> Command {
    beneath();
    let mut command = Command::new("luajit");
    command.arg("tests/conformance/conformance.lua").current_dir(root());
    command
}

/// The interpreter in Perl, on the package as it stands in the tree.
fn perl() -> Command {
    beneath();
    let mut command = Command::new("perl");
    command.args(["-Ibindings/perl/lib", "tests/conformance/conformance.pl"]).current_dir(root());
    command
}

/// The interpreter in Java, compiled with the package as it stands in the tree.
fn java() -> Command {
    beneath();
    run_well(&mut Command::new(root().join("tests/java/conformance.sh")), BUILD_LIMIT);
    let mut command = Command::new("java");
    // Garbage does not pile up for long.
    command.args(["-Xmx32m", "-cp", "target/java/conformance:/usr/share/java/jna.jar", "palitra.Conformance"]);
    command.current_dir(root());
    command
}

/// What interpreters in scripting languages load beside their binding, compiled once.
fn beneath() {
    static COMPILED: Once = Once::new();
    COMPILED.call_once(|| {
        let mut compile = Command::new(root().join("tests/conformance/beneath.sh"));
        run_well(compile.arg(root().join("target/conformance-beneath.so")), BUILD_LIMIT);
    });
}

/// This program once more, for this test alone and, as it is to fork, on one thread.
fn itself() -> Command {
    let mut command = Command::new(std::env::current_exe().expect("the path of this program"));
    command.args(["--exact", "every_binding_keeps_every_scenario", "--quiet", "--nocapture", "--test-threads=1"]);
    command
}
