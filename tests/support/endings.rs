//! What the tests of leaving need beyond C programs: C++ ones, a library to be preloaded, a library's imports.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::process::{library, library_directory, root, run_well, scratch};

/// The longest that compiling one program may take.
const COMPILING: Duration = Duration::from_secs(60);

const WARNINGS: [&str; 4] = ["-Wall", "-Wextra", "-Werror", "-pedantic"];

fn compiler(variable: &str, default: &str) -> Command {
    Command::new(std::env::var_os(variable).unwrap_or_else(|| default.into()))
}

/// A compiled file, removed when it is dropped.
pub struct Built(PathBuf);

impl Built {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Built {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Compiles the C++ program `source` (a path from the root) with `lib<name>.so`.
pub fn compile_cpp(source: &str, name: &str) -> Built {
    library(&format!("lib{name}.so"));
    let libraries = library_directory();
    let program = scratch("cpp");
    let mut compiler = compiler("CXX", "c++");
    compiler.args(["-std=c++17", "-g", "-O1", "-pthread"]).args(WARNINGS).arg("-o").arg(&program);
    compiler.arg(root().join(source)).arg("-I").arg(root().join("include"));
    compiler.arg("-L").arg(&libraries).arg(format!("-Wl,-rpath,{}", libraries.display())).arg(format!("-l{name}"));
    run_well(&mut compiler, COMPILING);
    Built(program)
}

/// Compiles `source` to a shared library for `LD_PRELOAD`.
pub fn compile_preload(source: &str) -> Built {
    let library = scratch("preload");
    let mut compiler = compiler("CC", "cc");
    compiler.args(["-std=c11", "-g", "-O1", "-shared", "-fPIC"]).args(WARNINGS).arg("-o").arg(&library);
    compiler.arg(root().join(source)).arg("-ldl");
    run_well(&mut compiler, COMPILING);
    Built(library)
}

/// The names of the symbols that a shared library takes from others, without their versions.
pub fn imports(library: &Path) -> Vec<String> {
    let mut nm = Command::new("nm");
    let listed = run_well(nm.args(["-D", "--undefined-only", "--format=posix"]).arg(library), COMPILING).output;
    let name = |line: &str| line.split([' ', '@']).next().unwrap_or_default().to_string();
    listed.lines().map(name).collect()
}
