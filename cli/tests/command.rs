//! The command with the test jobs: what it prints and how it ends.

use std::io::Write;
use std::process::{Command, Stdio};

use palitra_test_support::process::{Ended, PATIENCE, library, root, run, run_well, scratch, start, wait_until};

fn palitra(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_palitra"));
    command.args(words).env("PALITRA_LIBRARY", library("libpalitra_test_jobs.so"));
    command
}

fn prints(words: &[&str]) -> String {
    run_well(&mut palitra(words), PATIENCE).output
}

/// The exit code, and what stands on the standard error.
fn fails(words: &[&str]) -> (Option<i32>, String) {
    let Ended { status, errors, .. } = run(&mut palitra(words), PATIENCE);
    (status.code(), errors)
}

#[test]
fn jobs_are_listed_with_their_types() {
    let listed = prints(&["jobs", "typed.c"]);
    assert!(
        listed.starts_with(
            "typed.count: Count -> integer, streams Tick\n    Streams the numbers from 1 on, and returns their sum.\n"
        ),
        "{listed}"
    );
    assert!(
        listed.contains("\nCount  # How far, and where it fails.\n    fail_at?: integer|null\n    to: integer\n"),
        "{listed}"
    );
    assert!(!listed.contains("typed.price"), "{listed}");
    let priced = prints(&["jobs", "typed.price"]);
    assert!(priced.contains("    fails with 1 NoLines: The order has no lines.\n"), "{priced}");
}

#[test]
fn jobs_as_json_are_the_librarys_own_words() {
    let listed = prints(&["jobs", "--json", "typed.lines"]);
    assert!(listed.contains(r#""items": {"#) && listed.contains(r#""name": "typed.lines""#), "{listed}");
}

#[test]
fn a_payload_is_json_pairs_a_text_a_file_or_the_standard_input() {
    assert_eq!(prints(&["run", "typed.any", r#"{"a": [1]}"#]), "{\"a\":[1]}\n");
    assert_eq!(prints(&["run", "typed.any", "a=[1]", "b=text"]), "{\"a\":[1],\"b\":\"text\"}\n");
    assert_eq!(prints(&["run", "typed.shout", "a=b"]), "A=B\n");
    assert_eq!(prints(&["run", "typed.answer"]), "42\n");
    assert_eq!(prints(&["run", "typed.any", "-1.5"]), "-1.5\n");
    assert_eq!(prints(&["run", "typed.shout", "--", "-a"]), "-A\n");
    let mut piped = palitra(&["run", "typed.reverse", "-"]);
    let mut piped = piped.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the command");
    piped.stdin.take().expect("a pipe").write_all(b"abc").expect("a reader");
    assert_eq!(piped.wait_with_output().expect("its end").stdout, b"cba");
    let file = scratch("payload");
    std::fs::write(&file, "abc").expect("a scratch file");
    assert_eq!(prints(&["run", "typed.reverse", &format!("@{}", file.display())]), "cba");
    std::fs::remove_file(file).expect("a file made a moment ago");
}

#[test]
fn items_come_one_a_line_and_then_the_reply() {
    let items = "{\"n\":1,\"is_last\":false}\n{\"n\":2,\"is_last\":true}\n";
    assert_eq!(prints(&["run", "typed.count", "to=2"]), format!("{items}3\n"));
    assert_eq!(prints(&["run", "typed.lines", "a\nb"]), "a\nb\n");
}

#[test]
fn the_exit_code_is_the_status() {
    let (code, errors) = fails(&["run", "typed.count", "to=2", "fail_at=1"]);
    assert_eq!((code, errors.as_str()), (Some(10), "palitra: typed.count failed with code 7: failed at 1\n"));
    let order =
        r#"{"id": 1, "customer": {"name": ""}, "lines": [], "priority": "normal", "shipping": {"by": "download"}}"#;
    let (code, errors) = fails(&["run", "typed.price", order]);
    assert_eq!(code, Some(10));
    assert_eq!(errors, "palitra: typed.price failed with code 1 (NoLines): the order has no lines\n");
    assert_eq!(fails(&["run", "typed.count", "to=x"]).0, Some(14));
    let (code, errors) = fails(&["run", "test.panic"]);
    assert_eq!(code, Some(11), "{errors}");
}

#[test]
fn what_cannot_be_run_is_said_before() {
    let (code, errors) = fails(&["run", "typed.prise", "x"]);
    assert_eq!(
        (code, errors.as_str()),
        (Some(1), "palitra: the library has no job \"typed.prise\"; the nearest is \"typed.price\"\n")
    );
    let (code, errors) = fails(&["run", "typed.price", "{"]);
    assert_eq!(code, Some(1));
    assert!(errors.starts_with("palitra: \"{\" is neither JSON"), "{errors}");
    let (code, errors) = fails(&["jobs", "--library", "/no/such/library.so"]);
    assert_eq!(code, Some(1));
    assert!(errors.starts_with("palitra: the library /no/such/library.so"), "{errors}");
    assert_eq!(fails(&["walk"]).0, Some(2));
}

#[test]
fn ctrl_c_cancels_the_job() {
    let mut running = start(&mut palitra(&["run", "test.stream", "items=1", "forever=true"]));
    wait_until("the job has sent its item", || running.written() == "0");
    let pid = running.child.id().to_string();
    run_well(Command::new("kill").args(["-INT", &pid]), PATIENCE);
    let ended = running.wait(PATIENCE).expect("it ends");
    assert_eq!(ended.status.code(), Some(12), "{}", ended.errors);
    assert_eq!(ended.errors, "palitra: test.stream was cancelled\n");
}

#[test]
fn a_job_that_takes_longer_than_its_timeout_is_cancelled() {
    let (code, errors) = fails(&["run", "--timeout", "0.01", "test.never"]);
    assert_eq!((code, errors.as_str()), (Some(13), "palitra: test.never took longer than it was given\n"));
    assert_eq!(fails(&["run", "palitra.sleep", "seconds=60", "--timeout", "0.01"]).0, Some(13));
    assert_eq!(fails(&["run", "palitra.sleep", "--timeot=1", "seconds=60"]).0, Some(2));
    for wrong in ["0", "-1", "soon", "inf"] {
        let (code, errors) = fails(&["run", &format!("--timeout={wrong}"), "test.never"]);
        assert_eq!(code, Some(2), "{wrong}");
        assert!(errors.contains("not a number of seconds above 0"), "{errors}");
    }
}

/// Runs the command on a terminal of its own, and returns what stands on it.
fn on_a_terminal(words: &[&str]) -> String {
    let spawn = "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]))";
    let mut python = Command::new("python3");
    python.args(["-c", spawn, env!("CARGO_BIN_EXE_palitra")]).args(words).env("TERM", "xterm");
    run_well(python.env("PALITRA_LIBRARY", library("libpalitra_test_jobs.so")), PATIENCE).output
}

#[test]
fn a_bar_shows_the_progress_on_a_terminal_alone() {
    let steps: Vec<_> = (1..=200).map(|done| format!("[{done},200]")).collect();
    let payload = format!(r#"{{"steps": [{}], "finish": true}}"#, steps.join(","));
    let shown = on_a_terminal(&["run", "test.progress", &payload]);
    assert!(shown.contains("/200"), "{shown:?}");
    let ended = run_well(&mut palitra(&["run", "test.progress", &payload]), PATIENCE);
    assert_eq!((ended.output.as_str(), ended.errors.as_str()), ("", ""));
}

#[test]
fn a_benchmark_counts_calls_and_draws_how_long_they_took() {
    let svg = scratch("histogram").with_extension("svg");
    let file = svg.to_str().expect("a path");
    let told = prints(&["bench", "--seconds", "0.2", "--in-flight", "8", "--svg", file, "test.ready"]);
    let mut lines = told.lines();
    let title = lines.next().expect("a title");
    let calls = title.strip_prefix("test.ready: ").and_then(|rest| rest.split_once(" calls/s (")).expect(title);
    let per_second: f64 = calls.0.parse().expect("a number");
    let number: u64 = calls.1.split(' ').next().and_then(|word| word.parse().ok()).expect("how many");
    assert!(per_second > 0.0 && number >= 8, "{title}");
    assert!(title.ends_with(", 8 in flight)"), "{title}");
    assert!(lines.next().is_some_and(|marks| marks.starts_with("min ") && marks.contains("  p99.9 ")), "{told}");
    let counted: u64 = lines.map(|line| line.rsplit(' ').next().and_then(|word| word.parse().ok()).unwrap_or(0)).sum();
    assert_eq!(counted, number, "the bars count every call: {told}");
    let picture = std::fs::read_to_string(&svg).expect("a picture");
    assert!(picture.starts_with("<svg ") && picture.contains(title), "{picture}");
    std::fs::remove_file(&svg).expect("a file made a moment ago");
}

#[test]
fn a_benchmark_reads_the_items_of_a_job_that_streams() {
    // More than wait for a reader: a job that nobody reads would never end.
    let told = prints(&["bench", "--seconds", "0.1", "--in-flight", "3", "typed.count", "to=100"]);
    assert!(told.starts_with("typed.count: ") && !told.contains("ended with"), "{told}");
}

#[test]
fn a_benchmark_of_a_job_that_fails_says_so_once_and_ends_with_its_status() {
    let (code, errors) = fails(&["bench", "typed.count", "to=2", "fail_at=1"]);
    assert_eq!((code, errors.as_str()), (Some(10), "palitra: typed.count failed with code 7: failed at 1\n"));
    assert_eq!(fails(&["bench", "--in-flight", "0", "test.ready"]).0, Some(2));
}

#[test]
fn ctrl_c_ends_a_benchmark_with_what_was_measured() {
    let mut running = start(&mut palitra(&["bench", "--seconds", "3600", "palitra.sleep", "seconds=0.001"]));
    // Every signal before the handler is there would end the command itself.
    wait_until("it has made its runner", || threads(running.child.id()) > 1);
    run_well(Command::new("kill").args(["-INT", &running.child.id().to_string()]), PATIENCE);
    let ended = running.wait(PATIENCE).expect("it ends");
    assert!(ended.output.starts_with("palitra.sleep: ") || ended.status.code() == Some(12), "{}", ended.errors);
}

fn threads(process: u32) -> usize {
    std::fs::read_dir(format!("/proc/{process}/task")).map_or(0, Iterator::count)
}

#[test]
fn a_standard_output_that_takes_nothing_is_an_error_and_no_panic() {
    let folder = scratch("full");
    std::fs::create_dir(&folder).expect("a scratch folder");
    let (svg, name) = (folder.join("times.svg"), folder.to_str().expect("a path"));
    let library = library("libpalitra_test_jobs.so");
    let library = library.to_str().expect("a path");
    for words in [
        &["jobs"][..],
        &["run", "typed.answer"],
        &["bench", "--seconds", "0.01", "typed.answer", "--svg", svg.to_str().expect("a path")],
        &["bindgen", library, "--lang", "c", "--output", name],
        &["completions", "bash"],
    ] {
        let mut full = Command::new("sh");
        full.args(["-c", r#"exec "$@" >/dev/full"#, "sh", env!("CARGO_BIN_EXE_palitra")]).args(words);
        let ended = run(full.env("PALITRA_LIBRARY", library), PATIENCE);
        let said = ended.errors.starts_with("palitra: the standard output: No space left on device");
        assert!(ended.status.code() == Some(1) && said, "{words:?}: {}: {}", ended.status, ended.errors);
    }
    assert!(svg.exists() && folder.join("palitra_test_jobs.h").exists());
    std::fs::remove_dir_all(&folder).expect("the folder");
}

/// Has a shell source the completions, and complete the words that a user has typed.
fn completed(shell: &str, script: &str) -> String {
    let file = scratch("completions");
    std::fs::write(&file, prints(&["completions", shell])).expect("a scratch file");
    let ended = run_well(Command::new(shell).args(["-c", script]).arg(shell).arg(&file), PATIENCE);
    std::fs::remove_file(file).expect("a file made a moment ago");
    ended.output
}

#[test]
fn a_shell_completes_commands_and_options() {
    let bash = r#". "$1"; COMP_WORDS=(palitra b); COMP_CWORD=1; _palitra palitra b palitra; echo "${COMPREPLY[@]}""#;
    assert_eq!(completed("bash", bash), "bench bindgen\n");
    let bash =
        r#". "$1"; COMP_WORDS=(palitra run --t); COMP_CWORD=2; _palitra palitra --t run; echo "${COMPREPLY[@]}""#;
    assert_eq!(completed("bash", bash), "--timeout\n");
    for shell in ["zsh", "fish"] {
        let script = prints(&["completions", shell]);
        for word in ["bench", "in-flight", "completions"] {
            assert!(script.contains(word), "{shell}: no {word}");
        }
    }
    assert_eq!(fails(&["completions", "csh"]).0, Some(2));
}

/// Files, because the command may be built for another machine than that which installs it.
#[test]
fn the_completions_that_are_installed_are_those_that_it_prints() {
    for (shell, file) in [("bash", "palitra"), ("zsh", "_palitra"), ("fish", "palitra.fish")] {
        let installed = std::fs::read_to_string(root().join("packaging/completions").join(file)).expect("a file");
        let again = format!("palitra completions {shell} >packaging/completions/{file}");
        assert!(installed == prints(&["completions", shell]), "they have changed: {again}");
    }
}

#[test]
fn the_command_is_hardened() {
    let check = root().join("packaging/hardened.sh");
    run_well(Command::new(check).arg(env!("CARGO_BIN_EXE_palitra")), PATIENCE);
}

#[test]
fn new_makes_a_crate_and_replaces_nothing() {
    let folder = scratch("new");
    let name = folder.to_str().expect("a path").to_string();
    run_well(&mut palitra(&["new", &name, "--git", "https://example.org/palitra"]), PATIENCE);
    let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).expect("a file");
    assert!(manifest.contains(r#"palitra = { git = "https://example.org/palitra", default-features"#), "{manifest}");
    assert!(!manifest.contains("{{"), "{manifest}");
    let (code, errors) = fails(&["new", &name]);
    assert_eq!((code, errors), (Some(1), format!("palitra: {name} is there already\n")));
    std::fs::remove_dir_all(&folder).expect("the folder");
    let (code, errors) = fails(&["new", "1st"]);
    assert_eq!(code, Some(1));
    assert!(errors.contains("\"1st\" is no name for a crate"), "{errors}");
}

#[test]
fn the_librarys_own_name_suffices_where_no_other_is_installed() {
    let folder = scratch("installed");
    std::fs::create_dir(&folder).expect("a scratch folder");
    std::os::unix::fs::symlink(library("libpalitra.so"), folder.join("libpalitra.so.1")).expect("a link");
    let mut command = palitra(&["jobs", "palitra.echo"]);
    let listed = run_well(command.env_remove("PALITRA_LIBRARY").env("LD_LIBRARY_PATH", &folder), PATIENCE).output;
    std::fs::remove_dir_all(&folder).expect("a folder made a moment ago");
    assert!(listed.starts_with("palitra.echo: bytes -> bytes\n"), "{listed}");
}

#[test]
fn the_library_that_was_unpacked_with_the_command_is_found() {
    let folder = scratch("unpacked");
    let (bin, lib) = (folder.join("bin"), folder.join("lib"));
    std::fs::create_dir_all(&bin).and_then(|()| std::fs::create_dir(&lib)).expect("a scratch folder");
    std::fs::copy(env!("CARGO_BIN_EXE_palitra"), bin.join("palitra")).expect("a copy of the command");
    // Under a name that no system has.
    std::os::unix::fs::symlink(library("libpalitra.so"), lib.join("libunpacked.so.1")).expect("a link");
    let listed = |name: &str| {
        let mut command = Command::new(bin.join("palitra"));
        run(command.args(["jobs", "--library", name, "palitra.echo"]), PATIENCE)
    };
    let (found, missing) = (listed("libunpacked.so.1"), listed("libnone.so.1"));
    std::fs::remove_dir_all(&folder).expect("a folder made a moment ago");
    assert!(found.output.starts_with("palitra.echo: bytes -> bytes\n"), "{}", found.errors);
    assert!(missing.errors.contains("libnone.so.1: cannot open shared object file"), "{}", missing.errors);
}

/// The words of a help that begin with a dash: options.
fn options(help: &str) -> impl Iterator<Item = &str> {
    let words = help.split(|c: char| c.is_whitespace() || c == ',');
    words.filter(|word| word.len() > 1 && word.starts_with('-'))
}

#[test]
fn the_manual_page_names_every_command_and_option() {
    let page = std::fs::read_to_string(root().join("packaging/man/palitra.1.in")).expect("the manual page");
    let page = page.replace('\\', "");
    let help = prints(&["help"]);
    let (_, commands) = help.split_once("Commands:\n").expect("a list of commands");
    let (commands, _) = commands.split_once("\n\n").expect("its end");
    let names =
        commands.lines().filter(|line| !line.starts_with("   ")).filter_map(|line| line.split_whitespace().next());
    let names: Vec<_> = names.collect();
    assert!(names.len() > 3, "{names:?}");
    for name in names {
        assert!(page.contains(&format!("\n.B {name}\n")), "no {name}");
        for option in options(&prints(&["help", name])).filter(|_| name != "help") {
            assert!(page.contains(option), "no {option} of {name}");
        }
    }
}
