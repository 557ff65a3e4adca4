//! Running other programs from tests: bounded in time, with their output at hand when they fail.

use std::fs::File;
use std::io::{Read, Seek};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// The longest that anything waits for which no other bound is given.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// How a program ended and what it wrote.
pub struct Ended {
    /// Its exit code, or the signal that ended it.
    pub status: ExitStatus,
    /// What it wrote to standard output.
    pub output: String,
    /// What it wrote to standard error.
    pub errors: String,
}

/// The root of the project.
pub fn root() -> PathBuf {
    let mut path = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    path.pop();
    path.pop();
    path
}

/// The folder of the libraries under test: `PALITRA_LIBRARY_DIR`, or where a release build leaves them.
pub fn library_directory() -> PathBuf {
    std::env::var_os("PALITRA_LIBRARY_DIR").map_or_else(|| root().join("target/release"), PathBuf::from)
}

/// A path of a library under test; panics with the way out if nobody has built it.
pub fn library(name: &str) -> PathBuf {
    let path = library_directory().join(name);
    assert!(path.exists(), "{} is missing: run make, or set PALITRA_LIBRARY_DIR", path.display());
    path
}

/// Waits until `condition` holds; panics after [`PATIENCE`].
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < PATIENCE, "waited {PATIENCE:?} in vain until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Runs the program to its end, at most `limit`; panics with all that it wrote if it takes longer.
pub fn run(command: &mut Command, limit: Duration) -> Ended {
    let mut running = start(command);
    let ended = running.wait(limit);
    ended.unwrap_or_else(|| panic!("{command:?} did not end within {limit:?}\n{}", running.written()))
}

/// Runs the program and panics with all that it wrote unless it exits with 0.
pub fn run_well(command: &mut Command, limit: Duration) -> Ended {
    let ended = run(command, limit);
    assert!(ended.status.success(), "{command:?}: {}\n{}{}", ended.status, ended.output, ended.errors);
    ended
}

/// Starts the program with its output going to files, so that no full pipe can block it.
pub fn start(command: &mut Command) -> Running {
    // Cargo's leads to a debug build of the libraries under test, and goes before the rpath of whoever links them.
    if !command.get_envs().any(|(name, _)| name == "LD_LIBRARY_PATH") {
        command.env_remove("LD_LIBRARY_PATH");
    }
    let (output, errors) = (temporary_file(), temporary_file());
    let child = command
        .stdout(output.try_clone().expect("a second handle of a file"))
        .stderr(errors.try_clone().expect("a second handle of a file"))
        .stdin(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
    Running { child, output, errors }
}

/// A program that runs. Dropping it kills and reaps it.
pub struct Running {
    /// The process itself.
    pub child: Child,
    output: File,
    errors: File,
}

impl Running {
    /// Waits for its end; `None` if `limit` comes first.
    pub fn wait(&mut self, limit: Duration) -> Option<Ended> {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child of this process") {
                return Some(Ended { status, output: contents(&self.output), errors: contents(&self.errors) });
            }
            if start.elapsed() > limit {
                return None;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// What it has written so far, to either stream.
    pub fn written(&self) -> String {
        contents(&self.output) + &contents(&self.errors)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A file without a name, gone when the last handle is closed.
fn temporary_file() -> File {
    let path = scratch("output");
    let options = File::options().read(true).append(true).create_new(true).open(&path);
    let file = options.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    std::fs::remove_file(&path).expect("a file made a moment ago");
    file
}

/// A path in a scratch folder of the build that nobody else uses.
pub fn scratch(name: &str) -> PathBuf {
    use std::sync::atomic::{AtomicU32, Ordering};
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let folder = root().join("target/tmp");
    std::fs::create_dir_all(&folder).expect("a folder of the build");
    folder.join(format!("{name}-{}-{number}", std::process::id()))
}

/// All of it, wherever the program's own writing stands: its handle and this one share their place.
fn contents(file: &File) -> String {
    let mut bytes = Vec::new();
    let mut reader = file;
    reader.rewind().and_then(|()| reader.read_to_end(&mut bytes)).expect("a readable file");
    String::from_utf8_lossy(&bytes).into_owned()
}
