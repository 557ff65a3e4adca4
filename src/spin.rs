//! Looking for news for a moment before a thread sleeps.
//!
//! To sleep and to be woken takes two threads microseconds each, and spreads them over processors that have gone idle.
//! A thread whose news comes sooner than that looks for it instead, in a loop: it *spins*.
//!
//! # Guarantees
//!
//! * A spin ends at its limit, and nothing depends on it: who has found nothing goes on to sleep.
//! * A thread spins only as long as that has paid lately, and never where it could not: on one processor.
//!
//! # When it pays
//!
//! A [`Spinner`] has a debt, which begins at 1. Its thread spins while it has none.
//!
//! ```text
//!   a spin found none            debt = penalty; penalty doubles, up to DEAREST
//!   a spin found news            penalty - 1, at least 1
//!   a sleep ended within the     debt - 1: a spin would have found its news. Not one that was ended from the
//!   limit, from elsewhere        processor it began on: that news could not have come during a spin
//! ```
//!
//! So a thread whose news comes late, or that shares a busy processor with whom it waits for, soon wastes next to
//! nothing.

use std::cell::Cell;
use std::time::{Duration, Instant};

use crate::sync::Place;
use crate::sys::processors;

/// The longest that a thread spins before it sleeps, in microseconds. 0, the default: it never does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SpinLimit(u16);

impl SpinLimit {
    /// A thread sleeps at once.
    pub(crate) const NONE: SpinLimit = SpinLimit(0);
    /// Several times what it takes to sleep and to be woken, on a machine whose idle processors wake up slowly.
    pub(crate) const USUAL: SpinLimit = SpinLimit(20);
    /// The longest that a host may ask for.
    pub(crate) const LONGEST: Duration = Duration::from_millis(1);

    /// Rounded up to a microsecond.
    pub(crate) fn new(limit: Duration) -> SpinLimit {
        SpinLimit(limit.min(Self::LONGEST).as_nanos().div_ceil(1000) as u16)
    }

    fn duration(self) -> Duration {
        Duration::from_micros(u64::from(self.0))
    }
}

/// The most sleeps that must have ended in time between two spins in vain.
const DEAREST: u8 = 64;

/// How often a spin looks between two glances at the clock: about a microsecond.
const LOOKS: u32 = if cfg!(palitra_model) { 1 } else { 24 };

/// Whether one thread's spins have paid lately.
pub(crate) struct Spinner {
    debt: Cell<u8>,
    penalty: Cell<u8>,
}

/// One spin, which its thread may interrupt to do something else in between.
#[derive(Default)]
pub(crate) struct Spin {
    began: Option<Instant>,
}

/// A sleep that has begun.
pub(crate) struct Sleep {
    since: Instant,
    place: Place,
}

impl Sleep {
    pub(crate) fn begin() -> Sleep {
        Sleep { since: Instant::now(), place: processors::this() }
    }
}

/// What came of a part of a spin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spun {
    News,
    /// None yet; the spin may go on.
    Nothing,
    /// The thread is to sleep.
    Over,
}

impl Spinner {
    pub(crate) const fn new() -> Spinner {
        Spinner { debt: Cell::new(if cfg!(palitra_model) { 0 } else { 1 }), penalty: Cell::new(1) }
    }

    /// Looks for news until there is some, at most for the limit. Whether there is some.
    pub(crate) fn spin(&self, limit: SpinLimit, mut has_news: impl FnMut() -> bool) -> bool {
        let mut spin = Spin::default();
        loop {
            match self.spin_on(&mut spin, limit, &mut has_news) {
                Spun::News => return true,
                Spun::Nothing => {}
                Spun::Over => return false,
            }
        }
    }

    /// Looks for about a microsecond.
    pub(crate) fn spin_on(&self, spin: &mut Spin, limit: SpinLimit, mut has_news: impl FnMut() -> bool) -> Spun {
        if self.debt.get() > 0 || limit == SpinLimit::NONE {
            return Spun::Over;
        }
        for _ in 0..LOOKS {
            if has_news() {
                self.paid();
                return Spun::News;
            }
            std::hint::spin_loop();
        }
        // In a model every spin is one look, and none depends on those before it.
        if cfg!(palitra_model) {
            return Spun::Over;
        }
        let now = Instant::now();
        if now.duration_since(*spin.began.get_or_insert(now)) >= limit.duration() {
            self.debt.set(self.penalty.get());
            self.penalty.set((2 * self.penalty.get()).min(DEAREST));
            return Spun::Over;
        }
        Spun::Nothing
    }

    /// A spin ended with news.
    fn paid(&self) {
        self.penalty.set((self.penalty.get() - 1).max(1));
    }

    /// The news of a spin that may have gone on, if there is one, came while its thread did something else.
    pub(crate) fn end(&self, spin: Spin) {
        if spin.began.is_some() {
            self.paid();
        }
    }

    /// The thread has slept for its news, which came from a thread that ran there.
    pub(crate) fn slept(&self, limit: SpinLimit, sleep: &Sleep, woken_from: Place) {
        let is_elsewhere = woken_from.is_some() && woken_from != sleep.place;
        if is_elsewhere && sleep.since.elapsed() < limit.duration() && processors::are_several() {
            self.debt.set(self.debt.get().saturating_sub(1));
        }
    }
}

#[cfg(all(test, not(palitra_model)))]
mod tests {
    use super::*;

    const LIMIT: SpinLimit = SpinLimit(1000);
    const HERE: Place = Some(0);
    const ELSEWHERE: Place = Some(1);

    fn sleep_ends_at_once(spinner: &Spinner, woken_from: Place) {
        spinner.slept(LIMIT, &Sleep { since: Instant::now(), place: HERE }, woken_from);
    }

    /// How often a spin looked that found nothing.
    fn looks_in_vain(spinner: &Spinner, limit: SpinLimit) -> u32 {
        let mut looks = 0;
        let has_news = || {
            looks += 1;
            false
        };
        assert!(!spinner.spin(limit, has_news));
        looks
    }

    #[test]
    fn a_thread_spins_only_after_a_sleep_that_was_ended_soon_from_another_processor() {
        let spinner = Spinner::new();
        assert_eq!(looks_in_vain(&spinner, LIMIT), 0);
        sleep_ends_at_once(&spinner, HERE);
        sleep_ends_at_once(&spinner, None);
        let long_ago = Instant::now() - 2 * LIMIT.duration();
        spinner.slept(LIMIT, &Sleep { since: long_ago, place: HERE }, ELSEWHERE);
        assert_eq!(looks_in_vain(&spinner, LIMIT), 0);
        sleep_ends_at_once(&spinner, ELSEWHERE);
        // On one processor never.
        assert_eq!(looks_in_vain(&spinner, LIMIT) > 0, processors::are_several());
    }

    #[test]
    fn each_spin_in_vain_doubles_what_the_next_one_costs_and_one_that_paid_makes_it_cheaper() {
        let spinner = Spinner::new();
        spinner.debt.set(0);
        for debt in [1, 2, 4, 8, 16, 32, DEAREST, DEAREST] {
            assert!(looks_in_vain(&spinner, LIMIT) > 0);
            assert_eq!(spinner.debt.get(), debt);
            assert_eq!(looks_in_vain(&spinner, LIMIT), 0, "it spins with a debt of {debt}");
            spinner.debt.set(0);
        }
        for _ in 0..DEAREST {
            assert!(spinner.spin(LIMIT, || true));
        }
        assert_eq!(spinner.penalty.get(), 1);
    }

    #[test]
    fn a_spin_ends_at_its_limit_and_no_limit_is_no_spin() {
        let spinner = Spinner::new();
        spinner.debt.set(0);
        assert_eq!(looks_in_vain(&spinner, SpinLimit::NONE), 0);
        let began = Instant::now();
        assert!(looks_in_vain(&spinner, LIMIT) > 0);
        assert!(began.elapsed() >= LIMIT.duration());
    }

    #[test]
    fn a_limit_is_rounded_up_to_a_microsecond() {
        let limits =
            [0, 1, 1000, 1001, 999_999_999].map(|nanoseconds| SpinLimit::new(Duration::from_nanos(nanoseconds)));
        assert_eq!(limits, [0, 1, 1, 2, 1000].map(SpinLimit));
    }
}
