//! C programs that link with libraries of the system's, as pkg-config knows them.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use super::process::{Ended, library_directory, root, run_well, scratch};

/// The longest that compiling a program, or running it, may take.
const LIMIT: Duration = Duration::from_secs(120);

/// Compiles `source` (a path from the root) as `standard`, such as c99, with libpalitra and a package.
pub fn compile(source: &str, standard: &str, package: &str) -> Program {
    let (program, libraries) = (Program(scratch(package)), library_directory());
    run_well(
        Command::new("cc")
            .arg(format!("-std={standard}"))
            .args(["-Wall", "-Wextra", "-Werror", "-pedantic", "-g", "-O1", "-pthread", "-o"])
            .arg(&program.0)
            .arg(root().join(source))
            .arg("-I")
            .arg(root().join("include"))
            .arg("-L")
            .arg(&libraries)
            .arg(format!("-Wl,-rpath,{}", libraries.display()))
            .arg("-lpalitra")
            .args(flags(package)),
        LIMIT,
    );
    program
}

/// What a program needs to be compiled and linked with a package.
fn flags(package: &str) -> Vec<String> {
    let ended = run_well(Command::new("pkg-config").args(["--cflags", "--libs", package]), LIMIT);
    ended.output.split_whitespace().map(str::to_string).collect()
}

/// A compiled program, removed when it is dropped.
pub struct Program(PathBuf);

impl Program {
    /// Runs it to a good end.
    pub fn run(&self) -> Ended {
        run_well(&mut Command::new(&self.0), LIMIT)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
