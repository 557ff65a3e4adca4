//! What a driver without work does before it sleeps: it spins for a moment, as long as that has paid lately.
//!
//! # Guarantees
//!
//! * Only jobs that hosts submit pay for a spin. A runner that waits for sockets and timers sleeps at once.
//! * Sockets and timers are served about every microsecond of a spin.
//! * An idle runner uses no processor once its spin has ended.

use std::cell::Cell;

use crate::spin::{Sleep, Spin, SpinLimit, Spinner, Spun};
use crate::sync::Place;

pub(super) struct Idle {
    limit: SpinLimit,
    spinner: Spinner,
    spin: Cell<Spin>,
    sleep: Cell<Option<Sleep>>,
}

impl Idle {
    pub(super) fn new(limit: SpinLimit) -> Idle {
        Idle { limit, spinner: Spinner::new(), spin: Cell::default(), sleep: Cell::default() }
    }

    /// The driver has been called. `rung_from`: where the submitter ran that ended its sleep, if one did.
    pub(super) fn awake(&self, rung_from: impl FnOnce() -> Place) {
        if let Some(sleep) = self.sleep.take() {
            self.spinner.slept(self.limit, &sleep, rung_from());
        }
    }

    /// The driver has had something to do.
    pub(super) fn worked(&self) {
        self.spinner.end(self.spin.take());
    }

    /// Looks for news for about a microsecond.
    pub(super) fn spin(&self, has_news: impl FnMut() -> bool) -> Spun {
        let mut spin = self.spin.take();
        let spun = self.spinner.spin_on(&mut spin, self.limit, has_news);
        if spun == Spun::Nothing {
            self.spin.set(spin);
        }
        spun
    }

    /// The driver sleeps until it is called.
    pub(super) fn asleep(&self) {
        if self.limit != SpinLimit::NONE {
            self.sleep.set(Some(Sleep::begin()));
        }
    }
}
