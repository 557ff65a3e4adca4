//! C programs as tests: compiled with the system's compiler against the header and a built library, and run.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::process::{library, library_directory, root, run_well, scratch};

/// The longest that compiling one program may take.
const COMPILING: Duration = Duration::from_secs(60);

/// The longest that one program may take; under valgrind it gets [`SLOWNESS`] times as much.
const RUNNING: Duration = Duration::from_secs(120);

/// How much slower than the machine valgrind may be; the programs stretch their own bounds by it.
const SLOWNESS: u32 = 8;

/// Compiles `source` (a path from the root) with the library `lib<name>.so`; answers the program's path.
pub fn compile(source: &str, name: &str) -> Program {
    library(&format!("lib{name}.so"));
    let libraries = library_directory();
    let stem = Path::new(source).file_stem().expect("a file").to_string_lossy();
    let program = Program(scratch(&stem));
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    run_well(
        Command::new(compiler)
            .args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-pedantic", "-g", "-O1", "-pthread", "-o"])
            .arg(&program.0)
            .arg(root().join(source))
            .arg("-I")
            .arg(root().join("include"))
            .arg("-L")
            .arg(&libraries)
            .arg(format!("-Wl,-rpath,{}", libraries.display()))
            .arg(format!("-l{name}"))
            .arg("-ldl"),
        COMPILING,
    );
    program
}

/// A compiled program, removed when it is dropped.
pub struct Program(PathBuf);

impl Program {
    /// A command that runs it.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.0);
        prepare(&mut command);
        command
    }

    /// Runs it to a good end.
    pub fn check(&self) {
        run_well(&mut self.command(), RUNNING);
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
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
}

/// What a program finds in its environment, however it is run.
fn prepare(command: &mut Command) {
    command.env("PALITRA_LIBRARY_DIR", library_directory());
    // A proxy of the machine's is not for servers on the loopback.
    command.env("NO_PROXY", "127.0.0.1");
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
