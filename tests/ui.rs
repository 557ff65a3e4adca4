//! Wrong uses of `#[palitra::job]` and `#[derive(ErrorCodes)]` do not compile, and the compiler says what is wrong.
//!
//! The first lines of each program of tests/ui are what is expected of it: errors with these texts and no others, or that
//! it compiles, which proves that the others fail for their own reason.

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

/// What the compiler says of the program is what its first lines expect: these errors and no more, the first of them at
/// the line that ends with `// here`, if one does.
fn check(program: &Path, library: &Path) -> Result<(), String> {
    let source = std::fs::read_to_string(program).unwrap();
    let expected: Vec<_> = source.lines().map_while(|line| line.strip_prefix("//! error: ")).collect();
    assert!(!expected.is_empty() || source.starts_with("//! compiles\n"), "{}", program.display());
    let ended = compile(program, library);
    let lines: Vec<_> = ended.errors.lines().collect();
    let found: Vec<_> = (0..lines.len()).filter(|i| is_error(lines[*i])).collect();
    let here = source.lines().position(|line| line.ends_with("// here"));
    let is_here =
        || here.is_none_or(|line| lines[found[0] + 1].contains(&format!("{}:{}:", program.display(), line + 1)));
    let as_expected = found.len() == expected.len()
        && std::iter::zip(&found, &expected).all(|(i, error)| lines[*i].contains(error))
        && if expected.is_empty() { ended.status.success() && lines.is_empty() } else { is_here() };
    if as_expected { Ok(()) } else { Err(format!("{}: {}", program.display(), ended.errors)) }
}

/// The first line of an error, and not the one that counts them.
fn is_error(line: &str) -> bool {
    line.starts_with("error") && !line.starts_with("error: aborting")
}

#[test]
fn what_is_no_job_does_not_compile_and_the_error_says_why() {
    let library = library();
    let programs = std::fs::read_dir(root().join("tests/ui")).unwrap();
    let programs: Vec<_> = programs.map(|entry| entry.unwrap().path()).collect();
    assert!(programs.len() > 5, "{programs:?}");
    let wrong: Vec<_> = programs.iter().filter_map(|program| check(program, &library).err()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
