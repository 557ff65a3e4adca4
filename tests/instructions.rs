//! What a call costs in instructions, which no other work of the machine changes.
//!
//! A table of today's counts, one job each, as callgrind counts them in the release library. A count that leaves its
//! tolerance fails, upwards and downwards: whoever changes what a call costs says so in the table. Times and ratios to
//! rivals are for `make bench`.

#![cfg(target_arch = "x86_64")]

use palitra_test_support::c::{PALITRA, compile};

/// A thing of tests/instructions/calls.c, the instructions of one job, and by how much another compiler, another C
/// library and the turns of the threads may change them: both sleep at each hand-off, here or there.
const COUNTS: [(&str, f64, f64); 6] = [
    ("run", 1180.0, 0.03),
    ("hand_off", 3880.0, 0.35),
    ("wait", 2720.0, 0.12),
    ("gather", 2780.0, 0.12),
    ("submit_many", 2180.0, 0.12),
    ("queue", 4400.0, 0.15),
];

const JOBS: u32 = 2_000;

/// How often it counts before it calls a count wrong: on a busy machine the threads may take other turns once.
const ATTEMPTS: usize = 3;

#[test]
fn a_call_takes_the_instructions_that_the_table_says() {
    let program = compile("tests/instructions/calls.c", PALITRA);
    let mut wrong = Vec::new();
    for (thing, expected, tolerance) in COUNTS {
        let count = || {
            // The difference of two runs: what a process costs once is in both.
            let [few, many] = [JOBS, 2 * JOBS].map(|jobs| program.count_instructions(&[thing, &jobs.to_string()]));
            let one = many.abs_diff(few) as f64 / f64::from(JOBS);
            println!("{thing}: {one:.0} instructions, {expected:.0} in the table");
            one
        };
        let as_expected = |one: f64| (one / expected - 1.0).abs() <= tolerance;
        if !(0..ATTEMPTS).any(|_| as_expected(count())) {
            wrong.push(format!("{thing} does not take the {expected:.0} instructions in the table"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
