//! A simulated life of a runner: its driver, its workers, its hosts and their queue, in an order that a seed chooses.
//!
//! Promises 1, 3, 4, 6 and 8 are checked in each life, and nobody may be left waiting: shuttle reports a deadlock. The
//! code is the library's own: core, lanes, doorbells, drivers, tokens, streams, callbacks, queue, arena. Simulated are
//! the threads, which are coroutines, and with them every step at which one can be interrupted. There are no sockets,
//! no timers and no processors; a deadline that passes is a host's thread that ends the token so, as those who wait do.
//!
//! The models under loom are small and try all orders of all memory accesses. This is a whole runner, in as many orders
//! as there are seeds, and each access is seen by all at once.
//!
//! Run by `make simulation`; a life that failed is played again by its seed, `PALITRA_SEED=N make proof-replay`.

mod host;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
use shuttle::{Config, FailurePersistence, Runner};

/// Lives that share a seed: a scheduler learns from the first how long one takes.
const LIVES_PER_SEED: usize = 100;

/// The number in a variable of the environment.
fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is {text:?}, which is no number")))
}

#[test]
fn every_life_of_a_runner_keeps_the_promises() {
    // Jobs may set timers, though none of them passes.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let _entered = runtime.enter();
    let seeds = match number("PALITRA_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("PALITRA_SEEDS").unwrap_or(20),
    };
    let lives = (seeds.end - seeds.start) * LIVES_PER_SEED as u64;
    seeds.for_each(play);
    println!("{lives} lives: {}", world::tally());
}

/// Plays the lives of one seed. With every other seed whoever can go on is chosen evenly, else by priorities that
/// change a few times, which finds what takes few preemptions at the right places.
fn play(seed: u64) {
    let life = || world::live(host::live);
    let played = catch_unwind(AssertUnwindSafe(|| match seed % 2 {
        0 => run(RandomScheduler::new_from_seed(seed, LIVES_PER_SEED), life),
        _ => run(PctScheduler::new_from_seed(seed, 4, LIVES_PER_SEED), life),
    }));
    if let Err(panic) = played {
        println!("PALITRA_SEED={seed} make proof-replay");
        resume_unwind(panic);
    }
}

fn run(scheduler: impl Scheduler + 'static, life: impl Fn() + Send + Sync + 'static) {
    let mut config = Config::new();
    config.stack_size = 256 << 10;
    config.failure_persistence = FailurePersistence::None;
    config.silence_warnings = true;
    Runner::new(scheduler, config).run(life);
}
