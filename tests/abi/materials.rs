//! What is said of other people's code in the library is true: the licences of third_party.py, the bill of sbom.py.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::time::Duration;

use palitra_test_support::process::{Ended, library, root, run, run_well, scratch};

use super::TOOL;

/// The longest that asking cargo may take, which waits while another cargo looks into the registry.
const CARGO: Duration = Duration::from_secs(300);

/// What `python3 make/SCRIPT FILE WORDS` writes.
fn written(script: &str, words: &[&str]) -> String {
    let file = scratch(script);
    let mut python = Command::new("python3");
    python.arg("-B").arg(root().join("make").join(script)).arg(&file).args(words);
    python.env("SOURCE_DATE_EPOCH", "86400");
    run_well(&mut python, CARGO);
    let text = fs::read_to_string(&file).expect("what was written");
    fs::remove_file(&file).expect("a file made a moment ago");
    text
}

/// The crates whose functions are in the library, by its table of symbols: the first part of a mangled path.
fn crates_in_the_library() -> BTreeSet<String> {
    let listed = run_well(Command::new("nm").arg(library("libpalitra.so")), TOOL).output;
    let paths = listed.lines().filter_map(|line| line.split_once(" _ZN")).map(|(_, path)| path);
    let crates = paths.filter_map(|path| {
        let digits = path.find(|c: char| !c.is_ascii_digit())?;
        let length: usize = path[..digits].parse().ok()?;
        path.get(digits..digits + length)
    });
    crates.filter(|name| !name.starts_with('_')).map(str::to_string).collect()
}

#[test]
fn every_crate_in_the_library_is_listed_with_its_licence_and_what_only_builds_it_is_not() {
    let document = written("third_party.py", &[]);
    let (list, texts) = document.split_once("\n\n====").expect("a list, then texts");
    let (_, list) = list.rsplit_once("\n\n").expect("words before the list");
    let mut listed = BTreeSet::new();
    for line in list.lines() {
        let mut words = line.split_whitespace();
        let (name, version, licence) = (words.next(), words.next(), words.next());
        assert!(licence.is_some(), "no licence: {line}");
        let (name, version) = (name.expect("a name"), version.expect("a version"));
        assert!(texts.contains(&format!("{name} {version}")), "no text of {name} {version}");
        listed.insert(name.replace('-', "_"));
    }
    let of_rust = ["std", "core", "alloc", "compiler_builtins", "panic_unwind", "rustc_demangle", "addr2line", "gimli"];
    let others = ["hashbrown", "object", "palitra"];
    // Its package is called otherwise than its code.
    assert!(listed.contains("rustls_webpki"), "{listed:?}");
    listed.insert("webpki".to_string());
    let mut present = crates_in_the_library();
    assert!(present.len() > 30, "{present:?}");
    present.retain(|name| !of_rust.contains(&name.as_str()) && !others.contains(&name.as_str()));
    let missing: Vec<_> = present.difference(&listed).collect();
    assert!(missing.is_empty(), "{missing:?} are in the library and not in THIRD-PARTY.txt");
    for builder in ["serde_derive", "syn", "proc_macro2", "cbindgen", "cc", "palitra_macros"] {
        assert!(!listed.contains(builder), "{builder} is not in the library");
    }
}

#[test]
fn the_crates_of_the_command_are_listed_where_it_is_distributed_too() {
    let document = written("third_party.py", &["palitra-cli"]);
    for name in ["\nclap ", "\nminijinja ", "\ntokio "] {
        assert!(document.contains(name), "no{name}");
    }
    assert!(!document.contains("palitra-cli"), "it is of this tree");
}

#[test]
fn a_crate_without_the_text_of_its_licence_is_refused() {
    let code = "
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import third_party
crate = third_party.Crate('bare', '1.0.0', 'MIT', '', Path(sys.argv[1]), '', ())
third_party.texts(crate, [crate])";
    let Ended { status, errors, .. } =
        run(Command::new("python3").args(["-B", "-c", code]).arg(root().join("make")), TOOL);
    assert_eq!(status.code(), Some(1), "{errors}");
    assert_eq!(errors, "third_party.py: bare 1.0.0 has no licence, or no text of MIT\n");
}

/// Neither cargo nor rustc is run: echo prints what cargo is called with.
#[test]
fn cargo_is_asked_as_a_packager_has_make_call_it() {
    let code = "
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import linked
print(linked.cargo('tree', '--edges', root=Path('/')) + linked.platform())
try:
    linked.rust_version()
except FileNotFoundError as missing:
    print(missing.filename)";
    let mut python = Command::new("python3");
    python.args(["-B", "-c", code]).arg(root().join("make"));
    python.env("CARGO", "echo cargo-web").env("RUSTC", "no-such-rustc");
    python.env("CARGOFLAGS", "--locked --jobs 4 --config 'net.retry = 3' -v --offline --target-dir=/elsewhere");
    python.env("CARGO_BUILD_TARGET", "aarch64-unknown-linux-gnu");
    let told = run_well(&mut python, TOOL).output;
    let called = "cargo-web tree --locked --config net.retry = 3 --offline --edges";
    assert_eq!(told.lines().collect::<Vec<_>>(), [called, "aarch64-unknown-linux-gnu", "no-such-rustc"]);
}

#[test]
fn the_bill_of_materials_is_the_same_each_time_and_has_the_c_libraries_and_rusts_own() {
    let bill = written("sbom.py", &[]);
    assert_eq!(bill, written("sbom.py", &[]));
    let wanted = ["pkg:cargo/tokio@", "pkg:cargo/ring@", "pkg:generic/zstd@", "pkg:generic/rust-std@"];
    for purl in wanted.map(|purl| format!("\"purl\": \"{purl}")) {
        assert!(bill.contains(&purl), "no {purl}");
    }
    assert!(bill.contains("\"timestamp\": \"1970-01-02T00:00:00Z\""), "not the time that it was given");
    assert!(!bill.contains("pkg:cargo/syn@"), "syn is not in the library");
}
