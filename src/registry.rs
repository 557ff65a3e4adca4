//! Name -> job. Filled while the library is loaded, only read afterwards.
//!
//! `#[palitra::job]` leaves a constructor in the library or program that holds the job; it calls [`register`]
//! and nothing else happens before `main`. Each library built on palitra has a registry of its own.
//!
//! A table of chains that only grow: readers take no lock, so submitters do not meet here and a fork cannot
//! leave anything held against the child.

use std::sync::OnceLock;

use crate::job::{Handler, Job};

/// Jobs whose names have the same hash, each pointing to the next.
type Chain = OnceLock<&'static Link>;

struct Link {
    job: Job,
    next: Chain,
}

/// A power of two, so that a few hundred jobs have short chains.
const CHAINS: usize = 256;

static CHAIN: [Chain; CHAINS] = [const { OnceLock::new() }; CHAINS];

/// Adds a job. Two jobs with one name are both refused: every call of that name fails with a message that
/// says so, because which of them was meant nobody can know.
pub fn register<H: Handler<Arguments>, Arguments>(name: &'static str, doc: &'static str, handler: H) {
    if let Some(other) = find(name.as_bytes()) {
        return other.refuse();
    }
    // Lives as long as the library, which is never unmapped.
    let mut link: &'static Link = Box::leak(Box::new(Link { job: Job::new(name, doc, handler), next: Chain::new() }));
    let mut end = &CHAIN[chain(name.as_bytes())];
    // To the end of the chain; again if a job was added there meanwhile.
    loop {
        match end.get() {
            Some(other) => end = &other.next,
            None => match end.set(link) {
                Ok(()) => return,
                Err(again) => link = again,
            },
        }
    }
}

/// The job with this name. A name that is not UTF-8 is no job's.
pub(crate) fn find(name: &[u8]) -> Option<&'static Job> {
    walk(&CHAIN[chain(name)]).find(|job| job.name().as_bytes() == name)
}

/// Every job that this library holds, in the order of their names.
pub fn jobs() -> Vec<&'static Job> {
    let mut jobs: Vec<_> = CHAIN.iter().flat_map(walk).collect();
    jobs.sort_by_key(|job| job.name());
    jobs
}

fn walk(chain: &'static Chain) -> impl Iterator<Item = &'static Job> {
    std::iter::successors(chain.get(), |link| link.next.get()).map(|link| &link.job)
}

/// Which chain a name is in: its length, its first and its last eight bytes, spread by a multiplication. Names
/// that differ in between only share a chain.
fn chain(name: &[u8]) -> usize {
    const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
    let ends = match (name.first_chunk(), name.last_chunk()) {
        (Some(first), Some(last)) => u64::from_le_bytes(*first) ^ u64::from_le_bytes(*last).rotate_left(32),
        _ => name.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    };
    ((ends ^ name.len() as u64).wrapping_mul(SPREAD) >> 56) as usize % CHAINS
}
