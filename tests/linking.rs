//! Static linking: a C program that is linked with `libpalitra.a` has every job that `libpalitra.so` has.
//!
//! Jobs register themselves, nobody calls them by name; so a linker that takes from an archive only what is
//! called for could leave them out. The archive that `make` builds is one object and comes whole; from any
//! other archive the linker must take all. The lines here are those of the README.

#![allow(clippy::expect_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use palitra_test_support::process::{library, library_directory, root, run_well, scratch};

/// The longest that compiling or running the program may take.
const LIMIT: Duration = Duration::from_secs(120);

/// What an archive wants from the system; glibc before 2.34 keeps it in libraries of their own.
const SYSTEM: [&str; 3] = ["-lpthread", "-ldl", "-lm"];

const SHIPPED: [&str; 9] = [
    "http.bytes",
    "http.configure",
    "http.download",
    "http.fetch",
    "http.get",
    "http.request",
    "http.stream",
    "palitra.echo",
    "palitra.sleep",
];

/// Links tests/c/library/job_names.c with these arguments and returns the names of the jobs that it finds, in order.
fn jobs_of_a_program_linked_with(arguments: &[&str]) -> Vec<String> {
    let program = scratch("job_names");
    let mut compiler = Command::new(std::env::var_os("CC").unwrap_or_else(|| "cc".into()));
    compiler.args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-o"]).arg(&program);
    compiler.arg(root().join("tests/c/library/job_names.c")).arg("-I").arg(root().join("include")).args(arguments);
    run_well(&mut compiler, LIMIT);
    let output = run_well(&mut Command::new(&program), LIMIT).output;
    std::fs::remove_file(&program).expect("a program made a moment ago");
    output.lines().map(str::to_string).collect()
}

/// The jobs that programs of the shared library see.
fn jobs_of_the_shared_library() -> Vec<String> {
    library("libpalitra.so");
    let libraries = library_directory().display().to_string();
    jobs_of_a_program_linked_with(&["-L", &libraries, &format!("-Wl,-rpath,{libraries}"), "-lpalitra"])
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// The archive that cargo made beside this test, of many objects: its own profile has no fat link-time optimisation.
fn archive_of_many_objects() -> PathBuf {
    let archive = std::env::current_exe().expect("this test").with_file_name("libpalitra.a");
    assert!(archive.exists(), "{} is missing", archive.display());
    archive
}

fn objects_of_palitra(archive: &Path) -> usize {
    let listed = run_well(Command::new("ar").arg("t").arg(archive), LIMIT).output;
    listed.lines().filter(|member| member.starts_with("palitra-") || member.starts_with("palitra.")).count()
}

#[test]
fn the_shared_library_holds_the_jobs_that_ship() {
    let jobs = jobs_of_the_shared_library();
    for name in SHIPPED {
        assert!(jobs.iter().any(|job| job == name), "no {name} in {jobs:?}");
    }
}

#[test]
fn a_program_linked_with_the_release_archive_sees_every_job() {
    let archive = library("libpalitra.a");
    let mut arguments = vec![text(&archive)];
    arguments.extend(SYSTEM);
    assert_eq!(jobs_of_a_program_linked_with(&arguments), jobs_of_the_shared_library());
}

#[test]
fn a_program_linked_with_the_whole_of_a_debug_archive_sees_every_job() {
    let archive = archive_of_many_objects();
    let mut arguments = vec!["-Wl,--whole-archive", text(&archive), "-Wl,--no-whole-archive"];
    arguments.extend(SYSTEM);
    assert_eq!(jobs_of_a_program_linked_with(&arguments), jobs_of_the_shared_library());
}

/// One object: whoever calls any function of it has all of it. How many there are is what fat link-time
/// optimisation decides.
#[test]
fn the_release_archive_holds_palitra_in_one_object() {
    assert_eq!(objects_of_palitra(&library("libpalitra.a")), 1);
    assert!(objects_of_palitra(&archive_of_many_objects()) > 1, "that one is to stand for all others");
}
