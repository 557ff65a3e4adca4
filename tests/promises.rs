//! Every promise of ARCHITECTURE.md is kept by a test that names it.
//!
//! A test names a promise in a comment, by number and words: "Promise 6: callbacks run once". Looked for in the files
//! of tests/ and in the tests of the Go binding, whose language wants them beside the code.

#![allow(clippy::expect_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use palitra_test_support::process::root;

/// The endings of the files that hold tests.
const LANGUAGES: [&str; 6] = ["c", "cpp", "go", "py", "rs", "txt"];

/// The promises in the section of that name: numbered entries that start with their words in bold.
fn promises(architecture: &str) -> BTreeMap<usize, &str> {
    let is_heading = |line: &&str| line.starts_with('#');
    let section = architecture.lines().skip_while(|line| !is_heading(line) || !line.ends_with(" The promises")).skip(1);
    let entries = section.take_while(|line| !is_heading(line)).filter_map(|line| {
        let (number, rest) = line.split_once(". **")?;
        Some((number.parse().ok()?, rest.split_once("**")?.0))
    });
    entries.collect()
}

/// The tests of the folder and of those in it.
fn tests_below(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder of tests") {
        let path = entry.expect("a folder that can be read").path();
        let language = path.extension().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            tests_below(&path, files);
        } else if LANGUAGES.contains(&language.as_str()) && !path.ends_with(file!()) {
            files.push(path);
        }
    }
}

/// The numbers of the promises that the comments of a file name.
fn named(text: &str) -> Vec<usize> {
    let comments = text.lines().filter_map(|line| {
        let line = line.trim_start();
        ["/*", "*", "//", "#", "\"\"\""].iter().find_map(|start| line.strip_prefix(start))
    });
    let mut numbers = Vec::new();
    for comment in comments {
        for part in comment.split("Promise ").skip(1) {
            if let Some((number, _)) = part.split_once(": ") {
                numbers.extend(number.parse::<usize>().ok());
            }
        }
    }
    numbers
}

#[test]
fn every_promise_is_kept_by_a_test_that_names_it() {
    let architecture = std::fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    let promises = promises(&architecture);
    assert_eq!(promises.keys().copied().collect::<Vec<_>>(), (1..=12).collect::<Vec<_>>(), "{promises:?}");
    let mut files = Vec::new();
    tests_below(&root().join("tests"), &mut files);
    tests_below(&root().join("bindings/go"), &mut files);
    files.retain(|file| file.starts_with(root().join("tests")) || file.to_string_lossy().ends_with("_test.go"));
    let mut tests: BTreeMap<usize, Vec<&Path>> = BTreeMap::new();
    for file in &files {
        for number in named(&std::fs::read_to_string(file).expect("a text")) {
            assert!(promises.contains_key(&number), "{} names promise {number}, which there is not", file.display());
            tests.entry(number).or_default().push(file);
        }
    }
    for (number, words) in promises {
        let tests = tests.get(&number).map_or(&[][..], Vec::as_slice);
        let in_c = tests.iter().any(|file| file.starts_with(root().join("tests/c")));
        assert!(in_c, "no test in C names promise {number}: {words}. Tests that do: {tests:?}");
    }
}

#[test]
fn a_promise_is_named_in_a_comment_by_number_and_words() {
    assert_eq!(named("/* Ends. Promise 7: a panic. Promise 12: several\n * Promise 3: time"), [7, 12, 3]);
    assert_eq!(named("    call(\"Promise 4: not a comment\");\n// promise 5 without its words"), []);
}

#[test]
fn every_place_that_the_architecture_names_exists() {
    let architecture = std::fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    let architecture = architecture.replace("```", "");
    let quoted = architecture.split('`').skip(1).step_by(2);
    let places: Vec<&str> = quoted.filter(|text| text.contains('/') && !text.contains([' ', '\n'])).collect();
    assert!(places.len() > 20, "{places:?}");
    for place in places {
        assert!(root().join(place).exists(), "there is no {place}");
    }
}
