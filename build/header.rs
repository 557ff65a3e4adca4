//! The text of include/palitra.h: cbindgen writes each declaration, and this file puts it into its section.
//!
//! palitra.in.h, in this folder, is the header with a line `@section NAME` in place of each section. A section is made
//! of src/ffi/types/NAME.rs and src/abi/NAME.rs, of which one may be missing. It has the items of both in their order,
//! under a banner with the first paragraph of the last one's page.
//!
//! Used by build.rs and by tests/header/main.rs.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Where the files of the sections are.
const FOLDERS: [&str; 2] = ["src/ffi/types", "src/abi"];

/// The longest line.
const WIDTH: usize = 100;

/// The header as the sources have it now. Panics if one of their files or items has no place in it.
pub fn header(root: &Path) -> String {
    let template = read(&root.join("build/palitra.in.h"));
    let mut declarations = declarations(root);
    let mut header = String::new();
    for line in template.lines() {
        match line.strip_prefix("@section ") {
            Some(name) => header += &section(&files(root, name), &mut declarations),
            None => header += &format!("{line}\n"),
        }
    }
    let left: Vec<_> = declarations.keys().collect();
    assert!(left.is_empty(), "no section of build/palitra.in.h has {left:?}");
    header
}

/// The files of all sections.
fn sources(root: &Path) -> Vec<PathBuf> {
    let template = read(&root.join("build/palitra.in.h"));
    let names = template.lines().filter_map(|line| line.strip_prefix("@section "));
    let named: Vec<_> = names.flat_map(|name| files(root, name)).collect();
    let entries = FOLDERS.iter().flat_map(|folder| fs::read_dir(root.join(folder)).expect("a folder of the sources"));
    let files = entries.map(|entry| entry.expect("a file of the sources").path());
    for file in files.filter(|file| file.extension().is_some_and(|extension| extension == "rs")) {
        assert!(named.contains(&file), "no section of build/palitra.in.h is named after {}", file.display());
    }
    named
}

/// The files of a section.
fn files(root: &Path, name: &str) -> Vec<PathBuf> {
    let files = FOLDERS.map(|folder| root.join(folder).join(name).with_extension("rs"));
    let files: Vec<_> = files.into_iter().filter(|file| file.exists()).collect();
    assert!(!files.is_empty(), "no file is named after the section {name:?} of build/palitra.in.h");
    files
}

/// Takes the items of these files, in their order.
fn section(files: &[PathBuf], declarations: &mut BTreeMap<String, String>) -> String {
    let sources: Vec<_> = files.iter().map(|file| read(file)).collect();
    let mut section = banner(sources.last().expect("a section has a file"));
    let mut after_constant = false;
    for name in sources.iter().flat_map(|source| source.lines().filter_map(item)) {
        let declaration = declarations.remove(name).unwrap_or_else(|| panic!("cbindgen has written no {name}"));
        let is_constant = declaration.contains("#define");
        // Constants stand together, as a table.
        if !(is_constant && after_constant) {
            section += "\n";
        }
        section += &declaration;
        section += &init_macro(name);
        after_constant = is_constant;
    }
    section
}

/// The lines that name a section: the first paragraph of a file's page.
fn banner(source: &str) -> String {
    let page = source.lines().map_while(|line| line.strip_prefix("//! "));
    let rule = "-".repeat(WIDTH - 4);
    format!("/* {rule}\n{} * {} */\n", page.map(|line| format!(" * {line}\n")).collect::<String>(), &rule[2..])
}

/// The name of the item that a line of Rust declares for C.
fn item(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("pub ")?;
    let rest = rest.strip_prefix("unsafe ").unwrap_or(rest);
    let kinds = ["const ", "type ", "struct ", "extern \"C\" fn "];
    let rest = kinds.iter().find_map(|kind| rest.strip_prefix(kind))?;
    rest.split(|c: char| !is_name(c)).next()
}

/// What cbindgen writes for each item, by its name.
fn declarations(root: &Path) -> BTreeMap<String, String> {
    let config = cbindgen::Config::from_file(root.join("cbindgen.toml")).expect("cbindgen.toml is valid");
    let builder = cbindgen::Builder::new().with_config(config);
    let builder = sources(root).into_iter().fold(builder, cbindgen::Builder::with_src);
    let mut written = Vec::new();
    builder.generate().expect("the C functions can be written as a header").write(&mut written);
    let written = String::from_utf8(written).expect("cbindgen writes UTF-8");
    let pieces = written.trim().split("\n\n").map(|piece| piece.trim_matches('\n'));
    pieces.map(|piece| (declared(piece).to_string(), with_short_comments(piece))).collect()
}

/// The name that a declaration in C declares.
fn declared(declaration: &str) -> &str {
    let code = declaration.strip_prefix("/**").and_then(|rest| rest.split_once("*/\n")).map_or(declaration, |it| it.1);
    let first = ["#define ", "typedef struct ", "typedef void (*"].iter().find_map(|start| code.strip_prefix(start));
    match first {
        Some(rest) => rest.split(|c| !is_name(c)).next(),
        // The last word before the parameters, or before the end.
        None => code.split(['(', ';']).next().and_then(|words| words.rsplit(|c| !is_name(c)).next()),
    }
    .unwrap_or(code)
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Comments of one line on one line.
fn with_short_comments(declaration: &str) -> String {
    let lines: Vec<_> = declaration.lines().collect();
    let mut short = String::new();
    let mut rest = lines.as_slice();
    while let [line, after @ ..] = rest {
        if let [text, end, after @ ..] = after
            && (line.trim(), end.trim()) == ("/**", "*/")
            && line.len() + text.trim_start().len() + 2 <= WIDTH
        {
            short += &format!("{line}{} */\n", text.trim_start().trim_start_matches('*'));
            rest = after;
        } else {
            short += &format!("{line}\n");
            rest = after;
        }
    }
    short
}

/// The macro that passes the size of a struct to its init function: the struct grows with the library, and each
/// program says how large it is in its own header.
fn init_macro(function: &str) -> String {
    let Some(kind) = function.strip_suffix("_init") else { return String::new() };
    let argument = kind.rsplit('_').next().unwrap_or(kind);
    format!("#define {function}({argument}) \\\n  {function}(({argument}), sizeof({kind}))\n")
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}
