//! Name -> job. Filled while the library is loaded, only read afterwards.
//!
//! `#[palitra::job]` leaves a constructor in the library or program that holds the job; it calls [`register`]
//! and nothing else happens before `main`. Each library built on palitra has a registry of its own.
//!
//! A table of chains that only grow: readers take no lock, so submitters do not meet here and a fork cannot
//! leave anything held against the child.

mod nearest;

use std::sync::OnceLock;

use crate::job::{Handler, Job};

pub(crate) use nearest::{nearest, unknown_job};

/// Jobs whose names have the same hash, each pointing to the next.
type Chain = OnceLock<&'static Link>;

struct Link {
    name: Name<'static>,
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
    let (job, name) = (Job::new(name, doc, handler), Name::new(name.as_bytes()));
    let mut link: &'static Link = Box::leak(Box::new(Link { name, job, next: Chain::new() }));
    let mut end = name.chain();
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
    let name = Name::new(name);
    walk(name.chain()).find(|link| link.name.is(&name)).map(|link| &link.job)
}

/// Every job that this library holds, in the order of their names.
pub fn jobs() -> Vec<&'static Job> {
    let mut jobs: Vec<_> = CHAIN.iter().flat_map(walk).map(|link| &link.job).collect();
    jobs.sort_by_key(|job| job.name());
    jobs
}

fn walk(chain: &'static Chain) -> impl Iterator<Item = &'static Link> {
    std::iter::successors(chain.get().copied(), |link| link.next.get().copied())
}

/// A name as it is looked up: its ends, and the whole of it. Most names are told apart, or found to be the same, by
/// their ends alone.
#[derive(Clone, Copy)]
struct Name<'a> {
    /// The first and the last eight bytes, which overlap in a name of less than 16; zeros before a shorter one.
    ends: (u64, u64),
    bytes: &'a [u8],
}

impl<'a> Name<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        let ends = match (bytes.first_chunk(), bytes.last_chunk()) {
            (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
            _ => (0, bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte))),
        };
        Name { ends, bytes }
    }

    fn is(&self, other: &Name<'_>) -> bool {
        let alike = self.ends == other.ends && self.bytes.len() == other.bytes.len();
        // Within 16 bytes there is nothing but the ends.
        alike && (self.bytes.len() <= 16 || self.bytes == other.bytes)
    }

    /// The chain that it is in: its ends and its length, spread by a multiplication.
    fn chain(&self) -> &'static Chain {
        const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
        let word = self.ends.0 ^ self.ends.1.rotate_left(32) ^ self.bytes.len() as u64;
        &CHAIN[(word.wrapping_mul(SPREAD) >> 56) as usize % CHAINS]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_same_only_if_every_byte_is() {
        let names: [&[u8]; 10] = [
            b"",
            b"a",
            b"b",
            b"ab",
            b"\0ab",
            b"seven.b",
            b"eight.by",
            b"sixteen.bytes.ok",
            b"more.than.16.bytes.1.long",
            b"more.than.16.bytes.2.long",
        ];
        for (i, one) in names.iter().enumerate() {
            for (j, other) in names.iter().enumerate() {
                assert_eq!(Name::new(one).is(&Name::new(other)), i == j, "{one:?} {other:?}");
            }
        }
    }
}
