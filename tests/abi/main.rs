//! What programs that were built before, and packagers, rely on: the ABI that a version promised, the names that the
//! shared libraries export, how hard their files are to attack, and what is said of the code of others in them.
//!
//! Changes are planted in copies of the header and compilers are given wrong flags, so that each check is seen to fail.

#![allow(clippy::expect_used, reason = "a test may panic")]

mod materials;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use palitra_test_support::process::{Ended, library, root, run, run_well, scratch};

/// The longest that one tool may take.
const TOOL: Duration = Duration::from_secs(60);

/// Compares the header, with these pieces of it replaced, with what its ABI version promises.
fn compare(changes: &[(&str, &str)]) -> Ended {
    let mut header = fs::read_to_string(root().join("include/palitra.h")).expect("include/palitra.h");
    for (now, instead) in changes {
        assert!(header.contains(now), "the header has no {now:?}");
        header = header.replacen(now, instead, 1);
    }
    let file = scratch("abi").with_extension("h");
    fs::write(&file, header).expect("a scratch file");
    let ended =
        run(Command::new("python3").arg("-B").arg(root().join("tests/abi/abi.py")).arg("check").arg(&file), TOOL);
    fs::remove_file(&file).expect("a file made a moment ago");
    ended
}

#[test]
fn the_header_keeps_what_its_abi_version_promises() {
    let ended = compare(&[]);
    assert!(ended.status.success(), "{}{}", ended.output, ended.errors);
}

#[test]
fn what_a_built_program_would_notice_is_refused_and_named() {
    let Ended { status, output, errors } = compare(&[
        ("uint32_t palitra_abi_version(void);", ""),
        ("size_t palitra_job_count(void)", "uint32_t palitra_job_count(void)"),
        ("uint64_t *done, uint64_t *total)", "uint64_t *done)"),
        ("#define PALITRA_BUSY 23", "#define PALITRA_BUSY 33"),
        ("  palitra_status status;\n} palitra_event;", "  palitra_status status;\n  int64_t more;\n} palitra_event;"),
        // Of a struct that carries its size, too, a field may only come last.
        ("  int64_t spin_limit_ns;\n", "  int64_t between;\n  int64_t spin_limit_ns;\n"),
    ]);
    assert_eq!(status.code(), Some(1), "{output}{errors}");
    for named in [
        "1 Removed",
        "palitra_abi_version(",
        "palitra_job_count(",
        "palitra_token_progress(",
        "'palitra_constants::VALUE_OF_PALITRA_BUSY' from value '23' to '33'",
        "'int64_t more'",
        "'int64_t between'",
        "raise PALITRA_ABI_VERSION",
    ] {
        assert!(output.contains(named), "no {named:?} in: {output}{errors}");
    }
}

#[test]
fn functions_constants_and_last_fields_of_structs_with_a_size_may_be_added() {
    let ended = compare(&[
        ("bool palitra_is_runner_alive(void);", "bool palitra_is_runner_alive(void);\nint palitra_more(void);"),
        ("#define PALITRA_INTERNAL 29", "#define PALITRA_INTERNAL 29\n#define PALITRA_MORE 30"),
        ("} palitra_runner_options;", "  int64_t more;\n} palitra_runner_options;"),
    ]);
    assert!(ended.status.success(), "{}{}", ended.output, ended.errors);
}

#[test]
fn a_new_abi_version_needs_a_promise_of_its_own() {
    let ended = compare(&[("#define PALITRA_ABI_VERSION 1\n", "#define PALITRA_ABI_VERSION 99\n")]);
    assert!(ended.output.contains("nothing is promised of ABI version 99"), "{}{}", ended.output, ended.errors);
}

/// All that a shared library exports.
fn exports(library: &Path) -> BTreeSet<String> {
    let listed = run_well(Command::new("nm").args(["-D", "--defined-only"]).arg(library), TOOL).output;
    listed.lines().filter_map(|line| line.split_whitespace().last()).map(str::to_string).collect()
}

#[test]
fn the_library_and_a_library_of_jobs_export_the_functions_of_palitra_and_nothing_else() {
    let exported = exports(&library("libpalitra.so"));
    let others: Vec<_> = exported.iter().filter(|name| !name.starts_with("palitra_")).collect();
    assert!(others.is_empty(), "libpalitra.so exports {others:?}");
    assert!(exported.len() > 50, "{exported:?}");
    assert_eq!(exports(&library("libexample_jobs.so")), exported, "libexample_jobs.so beside libpalitra.so");
}

/// Runs the check of files that are shipped.
fn hardened(files: &[PathBuf]) -> Ended {
    run(Command::new(root().join("packaging/hardened.sh")).args(files), TOOL)
}

#[test]
fn the_libraries_are_hardened() {
    let ended = hardened(&["libpalitra.so", "libexample_jobs.so"].map(library));
    assert!(ended.status.success(), "{}", ended.errors);
}

/// What the check of files says of a program that is linked with these flags.
fn complaint_about(flags: &[&str]) -> String {
    let (source, program) = (scratch("soft").with_extension("c"), scratch("soft"));
    fs::write(&source, "int main(void) { return 0; }\n").expect("a scratch file");
    let hard = ["-fPIE", "-pie", "-Wl,-z,relro", "-Wl,-z,now"];
    run_well(Command::new("cc").arg(&source).arg("-o").arg(&program).args(hard).args(flags), TOOL);
    let ended = hardened(std::slice::from_ref(&program));
    assert_eq!(ended.status.success(), ended.errors.is_empty(), "{}", ended.errors);
    for file in [&source, &program] {
        fs::remove_file(file).expect("a file made a moment ago");
    }
    ended.errors.replace(&format!("{}: ", program.display()), "")
}

#[test]
fn a_file_that_is_not_hardened_is_named() {
    assert_eq!(complaint_about(&[]), "");
    assert_eq!(complaint_about(&["-no-pie"]), "is not position-independent\n");
    assert_eq!(complaint_about(&["-Wl,-z,norelro"]), "has no RELRO\n");
    assert_eq!(complaint_about(&["-Wl,-z,lazy"]), "binds lazily, so its RELRO is not full\n");
    assert_eq!(complaint_about(&["-Wl,-z,execstack"]), "has an executable stack\n");
    assert_eq!(complaint_about(&["-Wl,-rpath,/tmp"]), "has a path of its own to libraries\n");
}
