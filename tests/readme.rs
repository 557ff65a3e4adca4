//! The README does what it says: its files are written as they stand, beside a checkout, and its commands run.
//!
//! A block belongs to the file that its first line names; blocks of shell commands run in the order in which
//! they stand. The Rust programs run as documentation tests of the crate besides.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use palitra_test_support::process::{library, root, run_well};

/// Building a crate from nothing is the longest of the commands.
const LIMIT: Duration = Duration::from_secs(600);

struct Block {
    language: String,
    text: String,
}

fn blocks(markdown: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = markdown.lines();
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let text = lines.by_ref().take_while(|line| *line != "```").map(|line| format!("{line}\n")).collect();
            blocks.push(Block { language: language.to_string(), text });
        }
    }
    blocks
}

/// The file that the first line of a block names: "/* hello.c: ... */", "# text-jobs/Cargo.toml".
fn file_name(block: &Block) -> Option<&str> {
    let line = block.text.lines().next()?;
    let comment = line.strip_prefix("/* ").or(line.strip_prefix("// ")).or(line.strip_prefix("# "))?;
    let name = comment.split([':', ' ']).next()?;
    name.contains('.').then_some(name)
}

#[test]
fn every_file_and_command_of_the_readme_works() {
    library("libpalitra.so");
    let readme = fs::read_to_string(root().join("README.md")).expect("README.md");
    let place = Place::make();
    let mut output = String::new();
    for block in blocks(&readme) {
        match (block.language.as_str(), file_name(&block)) {
            ("sh", _) => output += &shell(&place.0, &block.text),
            (_, Some(name)) => write(&place.0.join(name), &block.text),
            // Documentation tests run the other Rust programs; a console shows what is not for a test to run.
            ("rust" | "console", None) => {}
            (language, None) => panic!("a block of {language:?} that no test runs:\n{}", block.text),
        }
    }
    // Once in each of five languages, and once more from the archive; Python prints its own way.
    let times = |line: &str| output.lines().filter(|written| *written == line).count();
    for (line, expected) in [
        ("hello", 6),
        ("{\"seconds\":0.1}", 5),
        ("{'seconds': 0.1}", 1),
        ("100 jobs done", 1),
        ("PALITRA_OK: PALITRA", 1),
        ("LOADED", 1),
    ] {
        assert_eq!(times(line), expected, "lines {line:?} in\n{output}");
    }
}

/// A folder beside a checkout, as a reader would have it: outside this one, whose workspace it does not share.
struct Place(PathBuf);

impl Place {
    fn make() -> Place {
        let place = Place(std::env::temp_dir().join(format!("palitra-readme-{}", std::process::id())));
        fs::create_dir_all(&place.0).expect("a scratch folder");
        symlink(root(), place.0.join("palitra")).expect("a link to the checkout");
        // As a user would have it, but kept for the next run.
        let target = root().join("target/readme");
        fs::create_dir_all(&target).expect("a folder for the build");
        for project in ["text-jobs", "hello-rust"] {
            fs::create_dir_all(place.0.join(project)).expect("the crate's folder");
            symlink(&target, place.0.join(project).join("target")).expect("a link to the build");
        }
        place
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder in the scratch folder");
    fs::write(path, text).expect("a file in the scratch folder");
}

fn shell(place: &Path, commands: &str) -> String {
    let mut shell = Command::new("sh");
    shell.args(["-e", "-u", "-c", commands]).current_dir(place);
    // The Go of the tests, which a user has on the path, and its caches.
    let go = root().join("target/venv-go/bin");
    let path = std::env::var("PATH").unwrap_or_default();
    shell.env("PATH", format!("{}:{path}", go.display()));
    shell.envs([("GOTOOLCHAIN", "local"), ("GOPROXY", "off"), ("GOFLAGS", "-mod=mod")]);
    shell.env("GOCACHE", root().join("target/go/cache"));
    // Cargo tells tests about the build that they belong to; a user's shell knows nothing of it.
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("CARGO_") && name != "CARGO_HOME") {
        shell.env_remove(name);
    }
    run_well(&mut shell, LIMIT).output
}
