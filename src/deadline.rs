//! How long a call may block, and which of two deadlines comes first.

use std::time::{Duration, Instant};

/// How long a call may block.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Until {
    /// Not at all.
    #[default]
    Now,
    /// Until this moment.
    At(Instant),
    Forever,
}

impl Until {
    /// For this long; `None` is forever.
    pub(crate) fn after(timeout: Option<Duration>) -> Until {
        match timeout {
            None => Until::Forever,
            Some(timeout) if timeout.is_zero() => Until::Now,
            // A moment that the clock cannot name is as good as never.
            Some(timeout) => Instant::now().checked_add(timeout).map_or(Until::Forever, Until::At),
        }
    }

    /// The moment; `None` is never.
    pub(crate) fn instant(self) -> Option<Instant> {
        match self {
            Until::Now => Some(Instant::now()),
            Until::At(instant) => Some(instant),
            Until::Forever => None,
        }
    }

    pub(crate) fn has_passed(self) -> bool {
        match self {
            Until::Now => true,
            Until::At(instant) => instant <= Instant::now(),
            Until::Forever => false,
        }
    }
}

/// The earlier of two moments; `None` is never.
pub(crate) fn earlier(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
