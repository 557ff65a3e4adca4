//! The C ABI from C: each program of tests/c is one test here, and one more under valgrind.
//!
//! A program is named after the group of promises that it holds, and its functions after the promises. It is
//! linked with `libpalitra.so`, or with `libpalitra_test_jobs.so`, a user's library with the same ABI, where
//! it needs the awkward jobs of tests/jobs.

#![allow(clippy::expect_used, reason = "a test may panic")]

#[path = "support/c.rs"]
#[allow(dead_code, reason = "each test program uses a part of it")]
mod c;
#[path = "support/process.rs"]
#[allow(dead_code, reason = "each test program uses a part of it")]
mod process;

/// The library that is shipped.
const PALITRA: &str = "palitra";
/// The library with the awkward jobs.
const TEST_JOBS: &str = "palitra_test_jobs";

/// One test for each program, and one under valgrind in the module `memory`.
macro_rules! programs {
    ($($name:ident with $library:ident),* $(,)?) => {
        $(
            #[test]
            fn $name() {
                c::compile(concat!("tests/c/", stringify!($name), ".c"), $library).check();
            }
        )*

        mod memory {
            use super::*;

            $(
                #[test]
                fn $name() {
                    c::compile(concat!("tests/c/", stringify!($name), ".c"), $library).check_memory(&[]);
                }
            )*
        }
    };
}

programs! {
    bad_input with TEST_JOBS,
    deadlock with TEST_JOBS,
    gather with TEST_JOBS,
    growing with TEST_JOBS,
    hooks with TEST_JOBS,
    json with PALITRA,
    libraries with PALITRA,
    library with PALITRA,
    run with TEST_JOBS,
    runner with TEST_JOBS,
    shutdown with TEST_JOBS,
    signals with PALITRA,
    threads with TEST_JOBS,
    token with TEST_JOBS,
    unloading with TEST_JOBS,
}

// Not under valgrind: a child that is forked or that exits with jobs in flight has, by its nature, memory
// that nobody will free, and hundreds of them take too long.

#[test]
fn early_fork() {
    c::compile("tests/c/early_fork.c", TEST_JOBS).check();
}

#[test]
fn fork() {
    c::compile("tests/c/fork.c", TEST_JOBS).check();
}

// Valgrind has its own ways with signals, and of making threads and descriptors.

#[test]
fn handlers() {
    c::compile("tests/c/handlers.c", TEST_JOBS).check();
}

#[test]
fn refused() {
    c::compile("tests/c/refused.c", TEST_JOBS).check();
}

#[test]
fn leaving() {
    c::compile("tests/c/leaving.c", TEST_JOBS).check();
}
