//! How many jobs may be in flight at a time: a count with a bound, and permits that give back what they took.
//!
//! A runner without a bound has no count, and its permits cost nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::reply::Status;

/// The bound of one runner.
pub(crate) struct Limit {
    count: Option<Arc<AtomicUsize>>,
    max: usize,
}

/// One unfinished job within the bound, until it is dropped.
#[derive(Default)]
pub(crate) struct Permit {
    count: Option<Arc<AtomicUsize>>,
}

impl Limit {
    /// At most `max` permits at a time; 0: any number.
    pub(crate) fn new(max: usize) -> Limit {
        Limit { count: (max > 0).then(Arc::default), max }
    }

    /// A permit, or [`Status::Busy`] at the bound.
    pub(crate) fn acquire(&self) -> Result<Permit, Status> {
        if let Some(count) = &self.count {
            let below = |taken| (taken < self.max).then_some(taken + 1);
            count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, below).map_err(|_| Status::Busy)?;
        }
        Ok(Permit { count: self.count.clone() })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(count) = &self.count {
            count.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_never_passed_and_permits_come_back() {
        let limit = Limit::new(2);
        let first = limit.acquire().unwrap();
        let _second = limit.acquire().unwrap();
        assert_eq!(limit.acquire().err(), Some(Status::Busy));
        drop(first);
        assert!(limit.acquire().is_ok());
    }
}
