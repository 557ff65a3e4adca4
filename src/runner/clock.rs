//! The clock that a runner's deadlines are by: the system's, or one that is paused for a test.
//!
//! A paused clock is tokio's. It is a century ahead of the system's from the start, so that nobody who looks at the
//! system's clock finds a deadline of the paused one in the past: such deadlines are the timers' alone.

use std::time::Duration;

use tokio::runtime::{Handle, Runtime};
use tokio::time::Instant;

use super::options::Options;
use crate::deadline::Until;

#[derive(Clone, Copy)]
pub(super) struct Clock {
    is_paused: bool,
}

impl Clock {
    pub(super) fn of(options: &Options) -> Clock {
        Clock { is_paused: options.has_paused_clock() }
    }

    /// Sets the clock of a runtime that was just made.
    pub(super) fn start(self, runtime: &Runtime) {
        if self.is_paused() {
            runtime.block_on(ahead());
        }
    }

    /// Known to be false when this is compiled without the feature.
    #[inline(always)]
    pub(super) fn is_paused(self) -> bool {
        cfg!(feature = "testing") && self.is_paused
    }

    /// For this long, by this clock; `None` is forever.
    #[inline(always)]
    pub(super) fn until(self, runtime: &Handle, timeout: Option<Duration>) -> Until {
        if self.is_paused() { paused_until(runtime, timeout) } else { Until::after(timeout) }
    }
}

fn paused_until(runtime: &Handle, timeout: Option<Duration>) -> Until {
    let Some(timeout) = timeout.filter(|timeout| !timeout.is_zero()) else { return Until::after(timeout) };
    let _clock = runtime.enter();
    Instant::now().checked_add(timeout).map_or(Until::Forever, |end| Until::At(end.into_std()))
}

#[cfg(feature = "testing")]
async fn ahead() {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(100 * 365 * 24 * 60 * 60)).await;
}

#[cfg(not(feature = "testing"))]
async fn ahead() {}
