//! What `palitra bindgen` writes for the jobs of tests/jobs/src/typed.rs compiles without a warning, runs, and is the
//! same each time. The programs of uses/ call through it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use palitra_test_support::process::{library, root, run, run_well, scratch};

/// Compilers and type checkers on a busy machine.
const LIMIT: Duration = Duration::from_secs(300);

fn palitra() -> Command {
    Command::new(env!("CARGO_BIN_EXE_palitra"))
}

/// A folder with what is written for a language, which goes away with it.
struct Generated(PathBuf);

impl Generated {
    fn of(language: &str) -> Generated {
        let folder = Generated(scratch(&format!("bindgen-{language}")));
        folder.write(language);
        folder
    }

    fn write(&self, language: &str) {
        let mut bindgen = palitra();
        bindgen.arg("bindgen").arg(library("libpalitra_test_jobs.so")).args(["--lang", language, "--only", "typed."]);
        run_well(bindgen.arg("--output").arg(&self.0), LIMIT);
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The program of uses/ beside it.
    fn uses(&self, name: &str) -> PathBuf {
        let file = self.file(name);
        fs::copy(root().join("cli/tests/uses").join(name), &file).expect("the program");
        file
    }
}

impl Drop for Generated {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A compiler of C or C++, which links with the test jobs.
fn compile(compiler: &str, standard: &str, folder: &Generated, source: &Path) -> PathBuf {
    let (program, libraries) = (folder.file("program"), library("libpalitra_test_jobs.so"));
    let libraries = libraries.parent().expect("a folder");
    let mut command = Command::new(compiler);
    command
        .args([standard, "-Wall", "-Wextra", "-Werror", "-pedantic", "-pthread"])
        .arg(source)
        .arg("-o")
        .arg(&program);
    command.arg("-I").arg(root().join("include")).arg("-I").arg(root().join("bindings/cpp/include"));
    command.arg("-L").arg(libraries).arg(format!("-Wl,-rpath,{}", libraries.display())).arg("-lpalitra_test_jobs");
    run_well(&mut command, LIMIT);
    program
}

#[test]
fn c_compiles_and_runs() {
    let folder = Generated::of("c");
    run_well(&mut Command::new(compile("cc", "-std=c99", &folder, &folder.uses("use.c"))), LIMIT);
}

#[test]
fn cpp_compiles_and_runs() {
    let folder = Generated::of("cpp");
    run_well(&mut Command::new(compile("c++", "-std=c++17", &folder, &folder.uses("use.cpp"))), LIMIT);
}

/// In GNU's dialect, too, `linux` and `unix` are macros.
#[test]
fn a_library_with_the_name_of_a_type_compiles() {
    let folder = Generated(scratch("bindgen-named"));
    for language in ["cpp", "python"] {
        let mut bindgen = palitra();
        bindgen.arg("bindgen").arg(library("libpalitra_test_jobs.so")).args(["--lang", language, "--name", "record"]);
        run_well(bindgen.args(["--only", "typed.record", "--output"]).arg(&folder.0), LIMIT);
    }
    let program = folder.file("use.cpp");
    let calls =
        "#include \"record.hpp\"\nint main() { (void)record::Record_(palitra::Runner()).typed_record_submit(); }\n";
    fs::write(&program, calls).expect("a file");
    compile("c++", "-std=gnu++17", &folder, &program);
    let mut python = Command::new("python3");
    python.args(["-B", "-c", "import record; record.Record(compared='<'); record.Record_(None)"]);
    run_well(python.current_dir(&folder.0).env("PYTHONPATH", root().join("bindings/python/src")), LIMIT);
}

/// The HTTP jobs have types that hold themselves, and other names for types.
#[test]
fn what_ships_compiles_in_cpp() {
    let folder = Generated(scratch("bindgen-shipped"));
    let mut bindgen = palitra();
    bindgen.arg("bindgen").arg(library("libpalitra.so")).args(["--lang", "cpp", "--only", "http.", "--output"]);
    // Not palitra.hpp, which is the binding.
    run_well(bindgen.arg(&folder.0).args(["--name", "shipped"]), LIMIT);
    let program = folder.file("use.cpp");
    fs::write(&program, "#include \"shipped.hpp\"\nint main() {}\n").expect("a file");
    compile("c++", "-std=c++17", &folder, &program);
}

#[test]
fn go_is_vetted_and_runs() {
    let folder = Generated::of("go");
    let package = folder.file("palitratestjobs");
    fs::create_dir(&package).expect("a folder");
    fs::rename(folder.file("palitra_test_jobs.go"), package.join("palitra_test_jobs.go")).expect("the file");
    folder.uses("use.go");
    let binding = root().join("bindings/go");
    let (path, place) = ("palitra.example/bindings/go", binding.display());
    let module = format!("module used\n\ngo 1.24\n\nrequire {path} v0.0.0\n\nreplace {path} => {place}\n");
    fs::write(folder.file("go.mod"), module).expect("go.mod");
    for words in [&["vet", "./..."][..], &["run", "."]] {
        let mut go = Command::new(root().join("tests/go/go.sh"));
        run_well(go.args(["jobs", "go"]).args(words).env("GO_DIRECTORY", &folder.0), LIMIT);
    }
}

#[test]
fn python_is_typed_and_runs() {
    let folder = Generated::of("python");
    let program = folder.uses("use.py");
    let sources = root().join("bindings/python/src");
    let python = |words: &[&str]| {
        let mut python = Command::new(root().join("target/venv-python/bin/python"));
        python.args(["-B", "-m"]).args(words).current_dir(&folder.0);
        python.env("MYPYPATH", &sources).env("PYTHONPATH", &sources);
        python
    };
    let cache = root().join("target/mypy");
    let cache = cache.display().to_string();
    run_well(&mut python(&["mypy", "--strict", "--python-version", "3.10", "--cache-dir", &cache, "use.py"]), LIMIT);
    let config = format!(
        r#"{{"typeCheckingMode": "strict", "pythonVersion": "3.10", "extraPaths": [{:?}], "include": ["*.py"]}}"#,
        sources.display().to_string()
    );
    fs::write(folder.file("pyrightconfig.json"), config).expect("a file");
    let own = root().join("target/venv-python/bin/python").display().to_string();
    run_well(&mut python(&["basedpyright", "--project", ".", "--pythonpath", &own]), LIMIT);
    let mut used = Command::new("python3");
    used.arg("-B").arg(program).arg(library("libpalitra_test_jobs.so")).env("PYTHONPATH", &sources);
    run_well(&mut used, LIMIT);
}

#[test]
fn typescript_is_strict() {
    let folder = Generated::of("typescript");
    folder.uses("use.ts");
    let mut tsc = Command::new(root().join("target/typescript/node_modules/.bin/tsc"));
    tsc.args(["--strict", "--noEmit", "--noUnusedLocals", "--target", "es2022", "--module", "preserve", "use.ts"]);
    run_well(tsc.current_dir(&folder.0), LIMIT);
}

#[test]
fn what_is_written_again_is_the_same_and_not_touched() {
    for (language, name) in [
        ("c", "palitra_test_jobs.h"),
        ("cpp", "palitra_test_jobs.hpp"),
        ("go", "palitra_test_jobs.go"),
        ("python", "palitra_test_jobs.py"),
        ("typescript", "palitra_test_jobs.ts"),
    ] {
        let folder = Generated::of(language);
        let file = folder.file(name);
        let (first, written) = (fs::read(&file).expect("the file"), fs::metadata(&file).expect("the file"));
        folder.write(language);
        assert_eq!(fs::read(&file).expect("the file"), first, "{language}");
        let again = fs::metadata(&file).expect("the file");
        assert_eq!(again.modified().expect("a time"), written.modified().expect("a time"), "{language}");
        // Another process may have another hash of each name.
        fs::remove_file(&file).expect("the file");
        folder.write(language);
        assert_eq!(fs::read(&file).expect("the file"), first, "{language}");
    }
}

#[test]
fn what_has_no_type_says_why() {
    let python = Generated::of("python");
    let text = fs::read_to_string(python.file("palitra_test_jobs.py")).expect("the file");
    assert!(text.contains("JSON without a type: its type in Rust does not derive schemars::JsonSchema."), "{text}");
    let cpp = Generated::of("cpp");
    let text = fs::read_to_string(cpp.file("palitra_test_jobs.hpp")).expect("the file");
    assert!(text.contains("One of std::string, std::uint32_t: nothing in the JSON says which."), "{text}");
}

#[test]
fn a_library_without_such_jobs_is_an_error() {
    let mut bindgen = palitra();
    bindgen.arg("bindgen").arg(library("libpalitra_test_jobs.so")).args(["--lang", "c", "--only", "nothing."]);
    let ended = run(&mut bindgen, LIMIT);
    assert_eq!(ended.status.code(), Some(1));
    assert!(ended.errors.contains("the library has no such jobs"), "{}", ended.errors);
}
