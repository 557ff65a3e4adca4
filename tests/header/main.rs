//! include/palitra.h: what a build writes, exactly what the code has, readable, and good in every dialect.

#![allow(clippy::expect_used, reason = "a test may panic")]

#[path = "../../build/header.rs"]
mod build;
mod comments;
mod layouts;
mod signatures;

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use palitra_test_support::process::{library, library_directory, root, run_well, scratch};

/// The longest that one compiler or tool may take.
const TOOL: Duration = Duration::from_secs(60);

const WARNINGS: [&str; 4] = ["-Wall", "-Wextra", "-Werror", "-pedantic"];

fn header() -> String {
    std::fs::read_to_string(root().join("include/palitra.h")).expect("include/palitra.h")
}

/// Checks `source` with both compilers in one dialect, as far as a compiler goes without linking.
fn compile(language: &str, dialect: &str, source: &str) {
    let file = scratch("header").with_extension(language);
    std::fs::write(&file, source).expect("a scratch file");
    for compiler in ["gcc", "clang"] {
        run_well(
            Command::new(compiler)
                .args(["-x", language, &format!("-std={dialect}"), "-c", "-o", "/dev/null"])
                .args(WARNINGS)
                .arg("-I")
                .arg(root().join("include"))
                .arg(&file),
            TOOL,
        );
    }
    std::fs::remove_file(&file).expect("a file made a moment ago");
}

/// Alone, so that it brings all that it needs; twice, so that it guards itself. The last line keeps a
/// pedantic compiler from calling the unit empty.
fn compiles(language: &str, dialect: &str) {
    compile(language, dialect, "#include \"palitra.h\"\nextern int unused;\n");
    compile(language, dialect, "#include \"palitra.h\"\n#include \"palitra.h\"\nextern int unused;\n");
}

#[test]
fn it_compiles_alone_and_twice_in_every_c() {
    for dialect in ["c89", "gnu89", "c99", "c11", "c17", "c2x"] {
        compiles("c", dialect);
    }
}

#[test]
fn it_compiles_alone_and_twice_in_every_cpp() {
    for dialect in ["c++11", "c++14", "c++17", "c++20", "c++2b"] {
        compiles("c++", dialect);
    }
}

/// Compiles `source`, links it with the library, runs it, and returns what it wrote.
fn run_program(compiler: &str, language: &str, source: &str) -> String {
    let (file, program) = (scratch("links").with_extension(language), scratch("links"));
    std::fs::write(&file, source).expect("a scratch file");
    library("libpalitra.so");
    let libraries = library_directory();
    run_well(
        Command::new(compiler)
            .args(WARNINGS)
            .args(["-x", language, "-o"])
            .arg(&program)
            .arg(&file)
            .arg("-I")
            .arg(root().join("include"))
            .arg("-L")
            .arg(&libraries)
            .arg(format!("-Wl,-rpath,{}", libraries.display()))
            .arg("-lpalitra"),
        TOOL,
    );
    let ended = run_well(&mut Command::new(&program), TOOL);
    for file in [file, program] {
        std::fs::remove_file(file).expect("a file made a moment ago");
    }
    ended.output
}

#[test]
fn a_cpp_program_links_with_it() {
    run_program("g++", "c++", "#include \"palitra.h\"\nint main() { return palitra_version() == nullptr; }\n");
}

/// The header without its comments.
fn code(header: &str) -> String {
    let mut code = String::new();
    let mut rest = header;
    while let Some((before, comment)) = rest.split_once("/*") {
        code += before;
        rest = comment.split_once("*/").map_or("", |(_, after)| after);
    }
    code + rest
}

/// The functions that the header declares: names of the library directly before a parenthesis.
fn declared(header: &str) -> BTreeSet<String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let code = code(header);
    let pieces = code.split('(').map(|piece| piece.trim_end().rsplit(|c| !is_name(c)).next().unwrap_or_default());
    pieces.filter(|name| name.starts_with("palitra_")).map(str::to_string).collect()
}

/// The symbols of the library's name that it exports.
fn exported() -> BTreeSet<String> {
    let listing = run_well(Command::new("nm").args(["-D", "--defined-only"]).arg(library("libpalitra.so")), TOOL);
    let names = listing.output.lines().filter_map(|line| line.split_whitespace().last());
    names.filter(|name| name.starts_with("palitra_")).map(str::to_string).collect()
}

#[test]
fn it_declares_exactly_what_the_library_exports() {
    let (declared, exported) = (declared(&header()), exported());
    assert!(declared.contains("palitra_runner_gather"), "found only {declared:?}");
    assert_eq!(declared, exported);
}

/// The header as it stands in git, which is what others get: a build writes the file anew before any test runs.
/// Outside a checkout it is the file.
fn committed() -> String {
    if !root().join(".git").exists() {
        return header();
    }
    let mut git = Command::new("git");
    git.current_dir(root()).args(["-c", "safe.directory=*", "show", ":include/palitra.h"]);
    run_well(&mut git, TOOL).output
}

#[test]
fn the_committed_one_is_what_a_build_writes() {
    let written = build::header(&root());
    let committed = committed();
    let difference = written.lines().zip(committed.lines()).find(|(now, before)| now != before);
    assert!(written == committed, "it is stale: run `make` and add what it wrote. First difference: {difference:?}");
}

/// The codes of the HTTP jobs: names and numbers.
fn http_codes(header: &str) -> Vec<(&str, &str)> {
    let lines = header.lines().filter_map(|line| line.strip_prefix("#define PALITRA_HTTP_"));
    lines.filter_map(|line| line.split_once(' ')).collect()
}

#[test]
fn the_codes_of_http_have_names_in_every_binding() {
    let header = header();
    let codes = http_codes(&header);
    assert!(codes.len() >= 12, "{codes:?}");
    let read = |path: &str| std::fs::read_to_string(root().join("bindings").join(path)).expect("a file of a binding");
    let (cpp, go, python) =
        (read("cpp/include/palitra/http.hpp"), read("go/http.go"), read("python/src/palitra/_http.py"));
    for (name, number) in codes {
        assert!(cpp.contains(&format!("    {} = PALITRA_HTTP_{name}", name.to_lowercase())), "C++: {name}");
        assert!(go.lines().any(|line| line.ends_with(&format!("= C.PALITRA_HTTP_{name}"))), "Go: {name}");
        assert!(python.contains(&format!("    {name} = {number}\n")), "Python: {name}");
    }
}
