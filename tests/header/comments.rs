//! The comments of the header: narrow, complete, and true as far as a test can tell.

use std::collections::BTreeSet;

use super::{code, header, run_program};

#[test]
fn no_line_is_longer_than_100_columns() {
    let header = header();
    let long: Vec<_> = header.lines().filter(|line| line.chars().count() > 100).collect();
    assert!(long.is_empty(), "{long:#?}");
}

/// The program in the first comment.
fn example(header: &str) -> String {
    let comment = header.split("*/").next().expect("the header begins with a comment");
    let mut lines: Vec<_> = comment.lines().skip_while(|line| !line.starts_with(" *     ")).collect();
    lines.truncate(lines.iter().position(|line| *line == " *     }").expect("the end of main") + 1);
    lines.iter().map(|line| format!("{}\n", line.get(7..).unwrap_or(""))).collect()
}

#[test]
fn the_example_at_the_top_works() {
    let output = run_program("gcc", "c", &example(&header()));
    assert_eq!(output, "hello\nPALITRA_OK: {\"seconds\":0.1}\n");
}

/// A function of the header: its comment, what it returns, its name, and the names of its parameters.
pub struct Function<'a> {
    comment: &'a str,
    returns: &'a str,
    pub name: &'a str,
    pub parameters: Vec<&'a str>,
}

pub fn functions(header: &str) -> Vec<Function<'_>> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let last_word = move |text: &'_ str| text.trim_end().rfind(|c| !is_name(c)).map_or(0, |at| at + 1);
    // What is between empty lines: a comment and a declaration.
    let pieces = header.split("\n\n").filter_map(|piece| piece.strip_prefix("/**")?.split_once("*/\n"));
    let functions = pieces.filter(|(_, code)| code.starts_with(|c: char| c.is_ascii_lowercase()));
    let functions = functions.filter(|(_, code)| !code.starts_with("typedef"));
    functions
        .map(|(comment, code)| {
            let (before, after) = code.split_once('(').expect("a function");
            let (parameters, _) = after.split_once(");").expect("the end of its parameters");
            let parameters = parameters.split(',').map(|parameter| &parameter[last_word(parameter)..]);
            let (returns, name) = before.split_at(last_word(before));
            Function { comment, returns, name, parameters: parameters.filter(|name| *name != "void").collect() }
        })
        .collect()
}

#[test]
fn every_function_says_what_it_takes_and_what_it_returns() {
    let header = header();
    let functions = functions(&header);
    assert!(functions.len() > 30, "found only {}", functions.len());
    for Function { comment, returns, name, parameters } in functions {
        let words = comment.lines().filter_map(|line| line.trim_start().strip_prefix("* @param "));
        let described: Vec<_> = words.filter_map(|line| line.split(' ').next()).collect();
        assert_eq!(described, parameters, "the parameters of {name}");
        assert_eq!(comment.contains("\n * @return "), returns.trim() != "void", "what {name} returns");
    }
}

/// The names of the library's that occur in a text.
fn names(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("palitra_") || word.starts_with("PALITRA_")).collect()
}

#[test]
fn every_name_in_a_comment_is_declared() {
    let header = header();
    let code = code(&header);
    let declared = names(&code);
    // What a function returns for a number without a name; the others are beginnings: "the PALITRA_LOG_ numbers".
    let is_known = |name: &&str| *name == "PALITRA_UNKNOWN_STATUS" || name.ends_with('_') || declared.contains(name);
    let unknown: Vec<_> = names(&header).into_iter().filter(|name| !is_known(name)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}
