//! The host's process: it may end in any way and unload the library, and finds nothing changed.
//!
//! Promise 10: the host's process stays as it is.
//!
//! The programs of tests/c that need more than a run: an argument, a C++ compiler, a library loaded before all others.

#![allow(clippy::expect_used, reason = "a test may panic")]

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use palitra_test_support::c::{self, PALITRA, TEST_JOBS, compile_cpp, compile_preload, imports};
use palitra_test_support::process::{library, run, run_well};

/// The longest that one program may take; the longest of them takes a sixth on two idle cores.
const LIMIT: Duration = Duration::from_secs(180);

/// The exit code of a program that ended as it should; tests/c/support/endings.h.
const GOOD_END: i32 = 7;

/// How often a program of its own is ended in each way.
const PROGRAMS: usize = 10;

// ---- exits ----------------------------------------------------------------------------------------------------

/// Each way hundreds of times in forked children, a thousand for `make test-long`, then as programs that were started
/// for it.
fn end_in_every_way(program: &Path, ways: &[(&str, Option<i32>)]) {
    run_well(&mut Command::new(program), LIMIT);
    for (way, code) in ways {
        for _ in 0..PROGRAMS {
            let ended = run(Command::new(program).arg(way), LIMIT);
            assert_eq!(ended.status.code(), *code, "{way}: {}\n{}{}", ended.status, ended.output, ended.errors);
        }
    }
}

#[test]
fn a_process_may_exit_in_any_way_with_jobs_in_flight() {
    let ways = [
        "by_returning_from_main",
        "by_exit",
        "by_underscore_exit",
        "by_quick_exit",
        "by_exit_in_another_thread",
        "by_underscore_exit_in_another_thread",
        "by_exit_in_a_callback",
        "by_exit_during_a_shutdown",
    ];
    end_in_every_way(c::compile("tests/c/exit/ways.c", PALITRA).path(), &ways.map(|way| (way, Some(GOOD_END))));
}

#[test]
fn an_uncaught_exception_aborts_and_nothing_else_does() {
    let ways = [
        // Ended by a signal, which is no exit code.
        ("by_an_exception_in_main", None),
        ("by_an_exception_in_another_thread", None),
        ("by_an_exception_in_a_callback", None),
        ("by_a_terminate_handler", Some(GOOD_END)),
    ];
    end_in_every_way(compile_cpp("tests/c/exit/uncaught.cpp", PALITRA).path(), &ways);
}

// ---- unloading ------------------------------------------------------------------------------------------------

/// A program that opens one library and is linked with the other.
fn run_with_the_other(source: &str, prepare: impl Fn(&mut Command)) {
    for (linked, opened) in [(TEST_JOBS, PALITRA), (PALITRA, TEST_JOBS)] {
        let program = c::compile(source, linked);
        let mut command = program.command();
        prepare(command.arg(format!("lib{opened}.so")));
        run_well(&mut command, LIMIT);
    }
}

#[test]
fn opening_and_closing_a_library_many_times_leaves_nothing_behind() {
    run_with_the_other("tests/c/unloading/reloading.c", |_| ());
}

// ---- the host's process ---------------------------------------------------------------------------------------

#[test]
fn the_library_asks_for_no_handler_and_changes_nothing_in_its_host() {
    let counting = compile_preload("tests/c/support/counting_handlers.c");
    run_with_the_other("tests/c/process/untouched.c", |command| {
        command.env("LD_PRELOAD", counting.path());
    });
}

/// What is not imported cannot be called. A thread's destructors and the fork hook are another matter: both
/// run library code that stays mapped.
#[test]
fn the_library_imports_nothing_that_installs_a_handler() {
    const FORBIDDEN: [&str; 13] = [
        "atexit",
        "__cxa_atexit",
        "at_quick_exit",
        "__cxa_at_quick_exit",
        "on_exit",
        "sigaction",
        "__sigaction",
        "signal",
        "__sysv_signal",
        "bsd_signal",
        "sigset",
        "setitimer",
        "timer_create",
    ];
    for name in [PALITRA, TEST_JOBS] {
        let imports = imports(&library(&format!("lib{name}.so")));
        assert!(
            imports.iter().any(|import| import == "__register_atfork"),
            "not what the library imports: {imports:?}"
        );
        // Its job that starts programs has the standard library reset SIGPIPE in the child; that nothing is called in
        // the host is what the test above counts.
        let of_children = |forbidden: &str| name == TEST_JOBS && forbidden == "signal";
        for forbidden in FORBIDDEN.into_iter().filter(|forbidden| !of_children(forbidden)) {
            assert!(!imports.iter().any(|import| import == forbidden), "lib{name}.so imports {forbidden}");
        }
    }
}
