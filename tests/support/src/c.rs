//! C and C++ programs as tests: compiled with the system's compiler against the headers and a built library, and run.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::process::{Ended, library, library_directory, root, run_well, scratch};

/// The library that is shipped.
pub const PALITRA: &str = "palitra";

/// The library with the test jobs of tests/jobs.
pub const TEST_JOBS: &str = "palitra_test_jobs";

/// The longest that compiling one program may take.
const COMPILING: Duration = Duration::from_secs(120);

/// The longest that one program may take; under valgrind it gets [`SLOWNESS`] times as much.
const RUNNING: Duration = Duration::from_secs(120);

/// How much slower than the machine valgrind may be; the programs stretch their own bounds by it.
const SLOWNESS: u32 = 8;

const WARNINGS: [&str; 4] = ["-Wall", "-Wextra", "-Werror", "-pedantic"];

/// Compiles the C program `source` (a path from the root) with the library `lib<name>.so`.
pub fn compile(source: &str, name: &str) -> Program {
    build(compiler("CC", "cc", "c11").args(linked_with(name)).arg("-ldl"), source)
}

/// The same as `standard`, such as c99, with a package of the system's that pkg-config knows.
pub fn compile_with_package(source: &str, standard: &str, name: &str, package: &str) -> Program {
    let flags = run_well(Command::new("pkg-config").args(["--cflags", "--libs", package]), COMPILING).output;
    build(compiler("CC", "cc", standard).args(linked_with(name)).args(flags.split_whitespace()), source)
}

/// Compiles the C++ program `source`.
pub fn compile_cpp(source: &str, name: &str) -> Program {
    build(compiler("CXX", "c++", "c++17").args(linked_with(name)), source)
}

/// Compiles the C file `source` to a shared library for `LD_PRELOAD`.
pub fn compile_preload(source: &str) -> Program {
    build(compiler("CC", "cc", "c11").args(["-shared", "-fPIC", "-ldl"]), source)
}

/// `CC` or `CXX`, else the default, with the options that every program is compiled with.
fn compiler(variable: &str, default: &str, standard: &str) -> Command {
    let mut compiler = Command::new(std::env::var_os(variable).unwrap_or_else(|| default.into()));
    compiler.arg(format!("-std={standard}")).args(WARNINGS).args(["-g", "-O1", "-pthread"]);
    compiler
}

fn linked_with(name: &str) -> [String; 4] {
    library(&format!("lib{name}.so"));
    let libraries = library_directory();
    let libraries = libraries.display();
    ["-L".to_string(), libraries.to_string(), format!("-Wl,-rpath,{libraries}"), format!("-l{name}")]
}

fn build(compiler: &mut Command, source: &str) -> Program {
    let source = root().join(source);
    let stem = source.file_stem().expect("a file").to_string_lossy();
    let program = Program(scratch(&stem));
    for folder in ["include", "bindings/cpp/include", "tests/c/support"] {
        compiler.arg("-I").arg(root().join(folder));
    }
    // An archive or a library counts only for what stands before it, so the source goes first.
    let options: Vec<_> = compiler.get_args().map(ToOwned::to_owned).collect();
    let mut first = Command::new(compiler.get_program());
    run_well(first.arg(&source).args(options).arg("-o").arg(&program.0), COMPILING);
    program
}

/// A compiled file, removed when it is dropped.
pub struct Program(PathBuf);

impl Program {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// A command that runs it.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.0);
        prepare(&mut command);
        command
    }

    /// Runs it to a good end.
    pub fn check(&self) -> Ended {
        run_well(&mut self.command(), RUNNING)
    }

    /// Runs it with these arguments under valgrind: no error, nothing definitely lost.
    pub fn check_memory(&self, arguments: &[&str]) {
        let mut valgrind = Command::new("valgrind");
        valgrind
            .args(["--quiet", "--error-exitcode=99", "--leak-check=full"])
            .args(["--errors-for-leak-kinds=definite", "--show-leak-kinds=definite"])
            // Threads take turns, so that a spinning job does not starve the rest.
            .arg("--fair-sched=try")
            .arg(&self.0)
            .args(arguments)
            .env("PALITRA_TEST_SLOWNESS", SLOWNESS.to_string());
        prepare(&mut valgrind);
        run_well(&mut valgrind, RUNNING * SLOWNESS);
    }

    /// Runs it with these arguments under callgrind. Returns the instructions of all its threads.
    pub fn count_instructions(&self, arguments: &[&str]) -> u64 {
        let mut callgrind = Command::new("valgrind");
        callgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(&self.0).args(arguments);
        prepare(&mut callgrind);
        let told = run_well(&mut callgrind, RUNNING * SLOWNESS).errors;
        let counted =
            told.lines().find_map(|line| line.split_once("Collected : ")).expect("callgrind tells at its end");
        counted.1.trim().parse().expect("a number")
    }
}

/// What a program finds in its environment, however it is run.
fn prepare(command: &mut Command) {
    command.env("PALITRA_LIBRARY_DIR", library_directory());
    // A proxy of the machine's is not for servers on the loopback.
    command.env("NO_PROXY", "127.0.0.1");
    // Jobs panic because a test wants it. Under valgrind each backtrace would take a second.
    command.env("RUST_BACKTRACE", "0");
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// The names of the symbols that a shared library takes from others, without their versions.
pub fn imports(library: &Path) -> Vec<String> {
    let mut nm = Command::new("nm");
    let listed = run_well(nm.args(["-D", "--undefined-only", "--format=posix"]).arg(library), COMPILING).output;
    let name = |line: &str| line.split([' ', '@']).next().unwrap_or_default().to_string();
    listed.lines().map(name).collect()
}
