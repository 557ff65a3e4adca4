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
    ("run", 1160.0, 0.03),
    ("hand_off", 3800.0, 0.35),
    ("wait", 2650.0, 0.12),
    ("gather", 2720.0, 0.12),
    ("submit_many", 2100.0, 0.12),
    ("queue", 4000.0, 0.15),
];

const JOBS: u32 = 2_000;

#[test]
fn a_call_takes_the_instructions_that_the_table_says() {
    let program = compile("tests/instructions/calls.c", PALITRA);
    let mut wrong = Vec::new();
    for (thing, expected, tolerance) in COUNTS {
        // The difference of two runs: what a process costs once is in both.
        let [few, many] = [JOBS, 2 * JOBS].map(|jobs| program.count_instructions(&[thing, &jobs.to_string()]));
        let one = (many - few) as f64 / f64::from(JOBS);
        println!("{thing}: {one:.0} instructions, {expected:.0} in the table");
        if (one / expected - 1.0).abs() > tolerance {
            wrong.push(format!("{thing} takes {one:.0} instructions, {expected:.0} in the table"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
