//! Name -> job. Filled while the library is loaded, only read afterwards.
//!
//! `#[palitra::job]` leaves a constructor in the library or program that holds the job; it calls [`register`]
//! and nothing else happens before `main`. Each library built on palitra has a registry of its own.
//!
//! Readers take a read lock that no writer contends for, so a fork cannot leave it held against the child.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use crate::job::{Handler, Job};

type Jobs = BTreeMap<&'static str, &'static Job>;

static JOBS: RwLock<Jobs> = RwLock::new(BTreeMap::new());

/// Adds a job. Two jobs with one name are both refused: every call of that name fails with a message that
/// says so, because which of them was meant nobody can know.
pub fn register<H: Handler<Arguments>, Arguments>(name: &'static str, doc: &'static str, handler: H) {
    let mut job = Job::new(name, doc, handler);
    let mut jobs = JOBS.write().unwrap_or_else(PoisonError::into_inner);
    if jobs.contains_key(name) {
        job = Job::failing(name, format!("two jobs are registered as \"{name}\""));
    }
    // Lives as long as the library, which is never unmapped.
    jobs.insert(name, Box::leak(Box::new(job)));
}

/// The job with this name.
pub(crate) fn find(name: &str) -> Option<&'static Job> {
    read().get(name).copied()
}

/// Every job that this library holds, in the order of their names.
pub fn jobs() -> Vec<&'static Job> {
    read().values().copied().collect()
}

/// How many there are.
pub(crate) fn count() -> usize {
    read().len()
}

/// The job at this place in the order of names.
pub(crate) fn at(index: usize) -> Option<&'static Job> {
    read().values().nth(index).copied()
}

fn read() -> RwLockReadGuard<'static, Jobs> {
    JOBS.read().unwrap_or_else(PoisonError::into_inner)
}
