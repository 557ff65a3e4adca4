//! The functions and numbers of the header are those of the code, which is read here without cbindgen.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use super::comments::functions;
use super::{code, compile, header, root};

/// The sources of the C ABI.
fn sources() -> Vec<String> {
    let folders = ["src/abi", "src/ffi/types"].map(|folder| root().join(folder));
    let entries = folders.iter().flat_map(|folder| fs::read_dir(folder).expect("a folder of the sources"));
    let files: BTreeSet<PathBuf> = entries.map(|entry| entry.expect("a file").path()).collect();
    assert!(files.len() > 15, "found only {files:?}");
    files.iter().map(|file| fs::read_to_string(file).expect("a source")).collect()
}

/// A type of a signature in Rust, as C writes it.
fn in_c(rust: &str) -> String {
    for (start, end, qualifier) in [
        ("Option<&mut MaybeUninit<", ">>", ""),
        ("Option<&mut ", ">", ""),
        ("Option<&", ">", "const "),
        ("*mut ", "", ""),
        ("*const ", "", "const "),
    ] {
        if let Some(pointee) = rust.strip_prefix(start).and_then(|rest| rest.strip_suffix(end)) {
            return format!("{qualifier}{} *", in_c(pointee));
        }
    }
    let c = match rust {
        "bool" => "bool",
        "c_char" => "char",
        "c_int" => "int",
        "c_void" => "void",
        "i32" => "int32_t",
        "i64" => "int64_t",
        "u32" => "uint32_t",
        "u64" => "uint64_t",
        "usize" => "size_t",
        _ if rust.starts_with("palitra_") => rust,
        _ => panic!("what is {rust} in C?"),
    };
    c.to_string()
}

/// What a function returns, and the names and types of its parameters.
struct Signature {
    returns: String,
    parameters: Vec<(String, String)>,
}

/// The exported functions of the code, by name.
fn exported() -> BTreeMap<String, Signature> {
    let mut found = BTreeMap::new();
    for source in sources() {
        for function in source.split("#[unsafe(no_mangle)]\n").skip(1) {
            let (_, rest) = function.split_once("extern \"C\" fn ").expect("an exported function");
            let (head, _) = rest.split_once(" {\n").expect("its body");
            let (head, returns) = head.rsplit_once(" -> ").unwrap_or((head, "c_void"));
            let (name, parameters) = head.trim_end_matches(')').split_once('(').expect("its parameters");
            let parameters = parameters.split(',').filter_map(|parameter| parameter.trim().split_once(": "));
            let parameters = parameters.map(|(name, kind)| (name.to_string(), in_c(kind))).collect();
            found.insert(name.to_string(), Signature { returns: in_c(returns), parameters });
        }
    }
    found
}

#[test]
fn its_functions_have_the_types_of_the_codes() {
    let mut source = "#include \"palitra.h\"\n".to_string();
    for (name, Signature { returns, parameters }) in exported() {
        let kinds: Vec<_> = parameters.into_iter().map(|(_, kind)| kind).collect();
        let kinds = if kinds.is_empty() { "void".to_string() } else { kinds.join(", ") };
        writeln!(source, "{returns} (*const same_{name})({kinds}) = {name};").expect("a String");
    }
    compile("c", "c11", &source);
}

#[test]
fn its_functions_and_their_parameters_have_the_names_of_the_codes() {
    let header = header();
    let declared = functions(&header).into_iter().map(|it| (it.name.to_string(), it.parameters.join(", ")));
    let names = |it: Signature| it.parameters.into_iter().map(|(name, _)| name).collect::<Vec<_>>().join(", ");
    let in_code: BTreeMap<_, _> = exported().into_iter().map(|(name, it)| (name, names(it))).collect();
    assert_eq!(declared.collect::<BTreeMap<_, _>>(), in_code);
}

/// What only C has: the guard, and the times.
const ONLY_C: [&str; 4] = ["PALITRA_H", "PALITRA_FOREVER", "PALITRA_MS", "PALITRA_SECONDS"];

#[test]
fn its_numbers_are_the_codes() {
    let mut in_code = BTreeSet::new();
    let mut source = "#include \"palitra.h\"\n".to_string();
    for text in sources() {
        for constant in text.lines().filter_map(|line| line.strip_prefix("pub const ")?.strip_suffix(';')) {
            let (name, rest) = constant.split_once(": ").expect("its type");
            let (kind, value) = rest.split_once(" = ").expect("its value");
            let value = value.trim_end_matches(kind);
            writeln!(source, "_Static_assert({name} == {value}, \"{name}\");").expect("a String");
            in_code.insert(name.to_string());
        }
    }
    compile("c", "c11", &source);
    let header = code(&header());
    let defined = header.lines().filter_map(|line| line.strip_prefix("#define PALITRA_"));
    let defined = defined.filter_map(|line| line.split([' ', '(']).next()).map(|name| format!("PALITRA_{name}"));
    assert_eq!(defined.filter(|name| !ONLY_C.contains(&name.as_str())).collect::<BTreeSet<_>>(), in_code);
}
