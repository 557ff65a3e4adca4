//! The scheduler's promises from C: fairness, turns, deadlines while a thread is held, and ends that are bounded.
//!
//! Made as tests/c.rs is. Not under valgrind, which runs one thread at a time: these tests measure.

#![allow(clippy::expect_used, reason = "a test may panic")]

#[path = "support/c.rs"]
#[allow(dead_code, reason = "each test program uses a part of it")]
mod c;
#[path = "support/process.rs"]
#[allow(dead_code, reason = "each test program uses a part of it")]
mod process;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The longest that one program may take. Each of its tests has a watchdog of its own.
const LIMIT: Duration = Duration::from_secs(240);

/// One program at a time: they measure, and would measure each other.
static ALONE: Mutex<()> = Mutex::new(());

/// Runs the program to a good end. Whatever it did to its runners, the library has printed nothing.
fn check(name: &str) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let program = c::compile(&format!("tests/c/{name}.c"), "palitra_test_jobs");
    let ended = process::run_well(&mut program.command(), LIMIT);
    assert_eq!(ended.errors, "", "printed by {name}");
}

/// One test for each program.
macro_rules! programs {
    ($($name:ident),* $(,)?) => {
        $(
            #[test]
            fn $name() {
                check(stringify!($name));
            }
        )*
    };
}

programs! {
    counted,
    fairness,
    first_polls,
    gave_up,
    gave_up_races,
    grace,
    held_thread,
    limit_of_jobs,
    shutdown_many,
    slots,
    turns,
    workers,
}

/// `make growth` goes up to a million, where the growth shows. Here the program only shows that it works.
#[test]
fn the_table_of_growth_can_be_made() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let program = c::compile("benches/growth.c", "palitra");
    let ended = process::run_well(program.command().arg("1000"), LIMIT);
    let lines: Vec<&str> = ended.output.lines().collect();
    assert_eq!(lines.len(), 8, "{}", ended.output);
    assert!(lines[1..].iter().all(|line| line.contains(" ns ")), "{}", ended.output);
    assert_eq!(ended.errors, "");
}
