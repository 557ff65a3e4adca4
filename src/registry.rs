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
    // Lives as long as the library, which is never unmapped.
    let mut link: &'static Link = Box::leak(Box::new(Link { job: Job::new(name, doc, handler), next: Chain::new() }));
    let mut end = &CHAIN[chain(name)];
    loop {
        match end.get() {
            Some(other) if other.job.name() == name => {
                other.job.refuse();
                return;
            }
            Some(other) => end = &other.next,
            None => match end.set(link) {
                Ok(()) => return,
                // A library of the same program was loaded by another thread; go on behind its job.
                Err(again) => link = again,
            },
        }
    }
}

/// The job with this name.
pub(crate) fn find(name: &str) -> Option<&'static Job> {
    walk(&CHAIN[chain(name)]).find(|job| job.name() == name)
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

/// FNV-1a, which spreads short names well and needs no table.
fn chain(name: &str) -> usize {
    let hash = name
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    hash as usize % CHAINS
}
