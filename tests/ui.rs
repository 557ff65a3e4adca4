//! Wrong uses of `#[palitra::job]` do not compile, and the compiler says what is wrong.
//!
//! The first line of each program of tests/ui is what is expected of it: an error with this text, or that it
//! compiles, which proves that the others fail for their own reason.

use std::path::{Path, PathBuf};
use std::process::Command;

use palitra_test_support::process::{Ended, PATIENCE, root, run, scratch};

/// The library that this very test is linked with: it lies beside it. Cargo gives a package with a shared library
/// no hash in its file names, so there is one. It is not asked for here: a build with other features than those
/// of the run under way would put another library in its place, and break the tests after this one.
fn library() -> PathBuf {
    let library = std::env::current_exe().unwrap().with_file_name("libpalitra.rlib");
    assert!(library.exists(), "{} is missing", library.display());
    library
}

/// Compiles a program and links it with nothing: what cannot be right is found before that.
fn compile(program: &Path, library: &Path) -> Ended {
    let out = scratch("ui");
    std::fs::create_dir(&out).unwrap();
    let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    rustc.args(["--edition", "2024", "--emit", "obj", "--color", "never"]).arg(program).arg("--out-dir").arg(&out);
    rustc.arg("--extern").arg(format!("palitra={}", library.display()));
    rustc.arg("-L").arg(format!("dependency={}", library.parent().unwrap().display()));
    let ended = run(&mut rustc, 4 * PATIENCE);
    let _ = std::fs::remove_dir_all(out);
    ended
}

/// Compiles the program and compares with what its first line expects.
fn check(program: &Path, library: &Path) {
    let source = std::fs::read_to_string(program).unwrap();
    let expected = source.lines().next().and_then(|line| line.strip_prefix("//! ")).expect("what is expected");
    let ended = compile(program, library);
    match expected.strip_prefix("error: ") {
        None => assert!(ended.status.success(), "{}: {}", program.display(), ended.errors),
        Some(error) => {
            let says_so = ended.errors.lines().any(|line| line.starts_with("error") && line.contains(error));
            assert!(says_so && !ended.status.success(), "{}: {}", program.display(), ended.errors);
        }
    }
}

#[test]
fn what_is_no_job_does_not_compile_and_the_error_says_why() {
    let library = library();
    let programs = std::fs::read_dir(root().join("tests/ui")).unwrap();
    let programs: Vec<_> = programs.map(|entry| entry.unwrap().path()).collect();
    assert!(programs.len() > 5, "{programs:?}");
    for program in programs {
        check(&program, &library);
    }
}
