//! README.md and the pages of docs/ do what they say: their files are written as they stand, beside a checkout, and
//! their commands run.
//!
//! Each page stands alone, in a folder of its own. What its blocks are:
//!
//! | block | what becomes of it |
//! |---|---|
//! | any whose first line names a file: `/* hello.c: ... */` | written there; a command of the page must use it |
//! | any whose first line names a file of examples/: `// examples/services/src/pg.rs` | a part of that file, as it stands |
//! | `sh` | run, all of a page in one shell, as a reader would |
//! | `text` | what the commands before it print, to the letter |
//! | `rust` | a documentation test: src/lib.rs must include the page |
//! | `console` | shown only; [`RUN_ELSEWHERE`] says which test runs it |

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use palitra_test_support::process::{library, root, run_well};

/// Building a crate from nothing is the longest of the commands.
const LIMIT: Duration = Duration::from_secs(600);

/// Printed after the commands of each block, to tell their outputs apart.
const END_OF_BLOCK: &str = "-- end of a block --";

/// The blocks that no page's test runs: the page, the start of the block, the test that runs what it shows.
const RUN_ELSEWHERE: [(&str, &str, &str); 8] = [
    ("docs/go.md", "go get ", "tests/go/module.sh"),
    ("docs/go.md", "git grep ", "tests/go/module.sh"),
    ("docs/linking.md", "cargo rustc --lib --crate-type staticlib\n", "tests/linking.rs"),
    ("docs/packages.md", "make -C palitra\n", "tests/package/install.sh"),
    ("docs/packages.md", "make -C palitra deb\n", "tests/package/deb.sh"),
    ("docs/packages.md", "tar -xzf release/", "packaging/test_release.sh"),
    ("docs/packages.md", "conan create ", "packaging/conan/test_package/conanfile.py"),
    ("docs/services.md", "make -C palitra demo-services\n", "tests/services/test_hosts.py"),
];

/// A test for each page, so that they run beside each other and a failure names its page.
macro_rules! pages {
    ($($test:ident: $page:literal,)*) => {
        const PAGES: &[&str] = &[$($page),*];
        $(#[test] fn $test() { check($page) })*
    };
}

pages! {
    readme: "README.md",
    index: "docs/README.md",
    bindings: "docs/bindings.md",
    c: "docs/c.md",
    cancellation: "docs/cancellation.md",
    command: "docs/command.md",
    concepts: "docs/concepts.md",
    cpp: "docs/cpp.md",
    errors: "docs/errors.md",
    first_job: "docs/first-job.md",
    fork_exit_signals: "docs/fork-exit-signals.md",
    go: "docs/go.md",
    host_jobs: "docs/host-jobs.md",
    java: "docs/java.md",
    jobs: "docs/jobs.md",
    limits: "docs/limits.md",
    linking: "docs/linking.md",
    lua: "docs/lua.md",
    node: "docs/node.md",
    ownership: "docs/ownership.md",
    packages: "docs/packages.md",
    performance: "docs/performance.md",
    perl: "docs/perl.md",
    php: "docs/php.md",
    policy: "docs/policy.md",
    python: "docs/python.md",
    recipe_asio: "docs/recipes/asio.md",
    recipe_event_loops: "docs/recipes/event-loops.md",
    recipe_go_http: "docs/recipes/go-http.md",
    recipe_shutdown: "docs/recipes/shutdown.md",
    reliability: "docs/reliability.md",
    ruby: "docs/ruby.md",
    rust: "docs/rust.md",
    services: "docs/services.md",
    shipped_jobs: "docs/shipped-jobs.md",
    waiting: "docs/waiting.md",
}

#[test]
fn every_page_has_a_test() {
    let mut found = vec!["README.md".to_string()];
    for folder in ["docs", "docs/recipes"] {
        let names = fs::read_dir(root().join(folder)).expect(folder).map(|entry| entry.expect("an entry").file_name());
        found.extend(names.map(|name| format!("{folder}/{}", name.to_string_lossy())));
    }
    found.retain(|name| name.ends_with(".md"));
    found.sort();
    assert_eq!(found, PAGES);
}

#[test]
fn every_link_leads_to_a_file() {
    let listed = run_well(Command::new("git").args(["ls-files", "*.md"]).current_dir(root()), LIMIT).output;
    for page in listed.lines() {
        let text = fs::read_to_string(root().join(page)).unwrap_or_else(|error| panic!("{page}: {error}"));
        let folder = root().join(page).parent().expect("a folder").to_path_buf();
        for link in links(&text) {
            assert!(folder.join(&link).exists(), "{page} links to {link}, which is not there");
        }
    }
}

/// The targets of all links within the tree, without what follows a `#`. Code has none.
fn links(markdown: &str) -> Vec<String> {
    let prose: String = markdown.split("```").step_by(2).flat_map(|text| text.split('`').step_by(2)).collect();
    let targets = prose.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let files = targets.map(|target| target.split('#').next().unwrap_or_default());
    files.filter(|file| !file.is_empty() && !file.contains("://")).map(str::to_string).collect()
}

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
    let starts = ["/* ", "// ", "# ", "-- ", "<?php // "];
    let comment = starts.iter().find_map(|start| line.strip_prefix(start))?;
    let name = comment.split([':', ' ']).next()?;
    name.contains('.').then_some(name)
}

/// Writes the files of a page, runs its commands, and compares what they print with what the page says.
fn check(page: &str) {
    library("libpalitra.so");
    let markdown = fs::read_to_string(root().join(page)).unwrap_or_else(|error| panic!("{page}: {error}"));
    let blocks = blocks(&markdown);
    let place = Place::make(page);
    let (mut commands, mut expected) = (Vec::new(), Vec::new());
    for block in &blocks {
        match (block.language.as_str(), file_name(block)) {
            ("sh", _) => {
                commands.push(block.text.as_str());
                expected.push(None);
            }
            ("text", _) => match expected.last_mut() {
                Some(text @ None) => *text = Some(block.text.as_str()),
                _ => panic!("{page}: no commands print this:\n{}", block.text),
            },
            ("console", _) => assert_runs_elsewhere(page, &block.text),
            (_, Some(file)) if is_example(file) => assert_is_part_of(page, file, &block.text),
            (language, Some(file)) => {
                place.write(file, &block.text);
                assert!(language != "rust" || is_documentation_test(page), "{page}: src/lib.rs does not include it");
            }
            ("rust", None) => assert!(is_documentation_test(page), "{page}: src/lib.rs does not include it"),
            (language, None) => panic!("{page}: a block of {language:?} that no test runs:\n{}", block.text),
        }
    }
    for file in blocks.iter().filter_map(file_name).filter(|file| !is_example(file)) {
        // A file in a folder belongs to the project that the folder is.
        let used = file.split('/').next().unwrap_or(file);
        let by_cmake = used == "CMakeLists.txt" && commands.iter().any(|block| block.contains("cmake -S ."));
        assert!(by_cmake || commands.iter().any(|block| block.contains(used)), "{page}: no command uses {file}");
    }
    let outputs = place.run(&commands);
    for ((commands, expected), output) in commands.iter().zip(&expected).zip(&outputs) {
        if let Some(expected) = expected {
            assert_eq!(output, expected, "{page}: what this prints:\n{commands}");
        }
    }
}

fn assert_runs_elsewhere(page: &str, text: &str) {
    let found = RUN_ELSEWHERE.iter().find(|(other, start, _)| *other == page && text.starts_with(start));
    let (_, _, test) = found.unwrap_or_else(|| panic!("{page}: commands that no test runs:\n{text}"));
    assert!(root().join(test).exists(), "{test} is said to run what {page} shows");
}

/// Whether a block shows a part of a file that has tests of its own.
fn is_example(file: &str) -> bool {
    file.starts_with("examples/")
}

fn assert_is_part_of(page: &str, file: &str, text: &str) {
    let whole = fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{page}: {file}: {error}"));
    let part = text.split_once('\n').map_or("", |(_, part)| part);
    assert!(!part.is_empty() && whole.contains(part), "{page}: {file} has no such part:\n{part}");
}

fn is_documentation_test(page: &str) -> bool {
    let crate_root = fs::read_to_string(root().join("src/lib.rs")).expect("src/lib.rs");
    crate_root.contains(&format!("include_str!(\"../{page}\")"))
}

/// A folder beside a checkout, as a reader would have it: outside this one, whose workspace it does not share.
struct Place(PathBuf);

impl Place {
    fn make(page: &str) -> Place {
        let name = format!("palitra-{}-{}", page.replace('/', "-"), std::process::id());
        let place = Place(std::env::temp_dir().join(name));
        fs::create_dir_all(&place.0).expect("a scratch folder");
        symlink(root(), place.0.join("palitra")).expect("a link to the checkout");
        take_the_checkout(&place.0);
        place
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.0.join(file);
        assert!(!path.exists(), "the page shows {file} twice");
        let folder = path.parent().expect("a folder");
        fs::create_dir_all(folder).expect("a folder in the scratch folder");
        fs::write(&path, text).expect("a file in the scratch folder");
        if path.ends_with("Cargo.toml") {
            share_build(folder);
        }
    }

    /// Runs the blocks of commands in one shell and returns what each of them prints.
    fn run(&self, blocks: &[&str]) -> Vec<String> {
        let script: String =
            blocks.iter().map(|block| format!("{}echo '{END_OF_BLOCK}'\n", with_shared_builds(block))).collect();
        let mut shell = Command::new("sh");
        shell.args(["-e", "-u", "-c", &script]).current_dir(&self.0);
        // The Go of the tests, which a user has on the path, and its caches.
        let go = root().join("target/venv-go/bin");
        let path = std::env::var("PATH").unwrap_or_default();
        shell.env("PATH", format!("{}:{path}", go.display()));
        shell.envs([("GOTOOLCHAIN", "local"), ("GOPROXY", "off"), ("GOFLAGS", "-mod=mod")]);
        shell.env("GOCACHE", root().join("target/go/cache"));
        // Cargo and make tell tests about the build that they belong to; a user's shell knows nothing of it. Some build
        // scripts look at these variables: with one of them left, cargo would build their crates and palitra anew.
        let of_the_build = |name: &str| {
            (name.starts_with("CARGO_") && name != "CARGO_HOME") || name.starts_with("MAKE") || name == "OUT_DIR"
        };
        for (name, _) in std::env::vars().filter(|(name, _)| of_the_build(name)) {
            shell.env_remove(name);
        }
        shell.envs(quick_build());
        // pip's build takes the library that is there: tests/python/test_package.py has it build one.
        shell.env("PALITRA_LIBRARY_FILE", library("libpalitra.so"));
        let output = run_well(&mut shell, LIMIT).output;
        output.split(&format!("{END_OF_BLOCK}\n")).map(str::to_string).collect()
    }
}

/// Where all that the pages have cargo build goes: they share their dependencies, with the test of the sdist as well, and
/// the next run has them. target/release stays as `make` left it for the tests beside this one.
fn build_folder() -> PathBuf {
    root().join("target/quick")
}

/// Has cargo build as quickly as it can. The profile of what ships is that of the libraries that `make` builds.
fn quick_build() -> [(&'static str, PathBuf); 4] {
    [
        ("CARGO_TARGET_DIR", build_folder()),
        ("CARGO_PROFILE_RELEASE_LTO", "off".into()),
        ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0".into()),
        ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16".into()),
    ]
}

/// Lets the page find what its crate is built to in the crate's own folder, as a user does.
fn share_build(folder: &Path) {
    fs::create_dir_all(build_folder()).expect("a folder for the build");
    symlink(build_folder(), folder.join("target")).expect("a link to the build");
}

/// The same for a crate that a command makes: `palitra new NAME`. And make has the library that `make` left.
fn with_shared_builds(commands: &str) -> String {
    let without_quick_build: String = quick_build().iter().map(|(name, _)| format!("-u {name} ")).collect();
    let share = |line: &str| match line.split_once("/palitra new ") {
        Some((_, name)) => format!("{line}\nln -s {} {name}/target\n", build_folder().display()),
        None if line.starts_with("make ") => format!("env {without_quick_build}{line}\n"),
        None => format!("{line}\n"),
    };
    commands.lines().map(share).collect()
}

/// Has cargo take the crate palitra from the checkout itself and not from the link to it, whose path is new each time:
/// it would build palitra anew for each page and each run.
fn take_the_checkout(place: &Path) {
    fs::create_dir_all(place.join(".cargo")).expect("a folder for cargo");
    let override_path = format!("paths = [{:?}]\n", root());
    fs::write(place.join(".cargo/config.toml"), override_path).expect("a file for cargo");
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
