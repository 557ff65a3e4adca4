//! The C ABI from C, continued: queues in event loops, streams, progress, callbacks, limits, stats, logs.
//!
//! Made as tests/c.rs is; the adapters of include/adapters also need the libraries that they adapt to.

#![allow(clippy::expect_used, reason = "a test may panic")]

#[path = "support/c.rs"]
#[allow(dead_code, reason = "each test program uses a part of it")]
mod c;
#[path = "support/packages.rs"]
mod packages;
#[path = "support/process.rs"]
#[allow(dead_code, reason = "each test program uses a part of it")]
mod process;

const PALITRA: &str = "palitra";
/// The library with the awkward jobs.
const TEST_JOBS: &str = "palitra_test_jobs";

/// One test for each program, and one under valgrind in the module `memory`.
macro_rules! programs {
    ($($name:ident),* $(,)?) => {
        $(
            #[test]
            fn $name() {
                c::compile(concat!("tests/c/", stringify!($name), ".c"), TEST_JOBS).check();
            }
        )*

        mod memory {
            use super::*;

            $(
                #[test]
                fn $name() {
                    c::compile(concat!("tests/c/", stringify!($name), ".c"), TEST_JOBS).check_memory(&[]);
                }
            )*
        }
    };
}

programs! {
    bad_input_more,
    callback,
    item_events,
    limits,
    progress,
    queue,
    queue_many,
    stack,
    start,
    stats,
    stream,
}

// Not under valgrind: a forked child has memory that is its parent's.

#[test]
fn storm() {
    c::compile("tests/c/storm.c", TEST_JOBS).check();
}

#[test]
fn log() {
    c::compile("tests/c/log.c", TEST_JOBS).check();
}

#[test]
fn http_stack() {
    c::compile("tests/c/http_stack.c", PALITRA).check();
}

// Nor these: valgrind runs one thread at a time, and a timer that keeps its time needs two.

#[test]
fn loop_epoll() {
    c::compile("tests/c/loop_epoll.c", PALITRA).check();
}

#[test]
fn loop_libuv() {
    packages::compile("tests/c/loop_libuv.c", "c11", "libuv").run();
}

#[test]
fn loop_glib() {
    packages::compile("tests/c/loop_glib.c", "c11", "glib-2.0").run();
}

/// What each of the examples says of its jobs, which sleep.
const AS_THEY_FINISH: &str = "job 1: {\"seconds\":0.1}\njob 2: {\"seconds\":0.2}\njob 0: {\"seconds\":0.3}\n";

#[test]
fn the_epoll_example_works() {
    let ended = process::run_well(&mut c::compile("examples/c/epoll.c", PALITRA).command(), process::PATIENCE);
    assert_eq!(ended.output, AS_THEY_FINISH);
}

/// Strictly C99, as the adapters are, and beside a timer of the loop's.
fn check_example(source: &str, package: &str) {
    let ended = packages::compile(source, "c99", package).run();
    assert_eq!(ended.output, format!("{AS_THEY_FINISH}the loop went on meanwhile: yes\n"));
}

#[test]
fn the_libuv_example_works() {
    check_example("examples/c/libuv.c", "libuv");
}

#[test]
fn the_glib_example_works() {
    check_example("examples/c/glib.c", "glib-2.0");
}
