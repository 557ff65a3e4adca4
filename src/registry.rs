//! Name -> job. Filled while the library is loaded, only read afterwards.
//!
//! `#[palitra::job]` leaves a constructor in the library or program that holds the job; it calls [`register`]
//! and nothing else happens before `main`. Each library built on palitra has a registry of its own.
//!
//! A table of chains that only grow: readers take no lock, so submitters do not meet here and a fork cannot
//! leave anything held against the child.

mod nearest;

use std::sync::OnceLock;

use crate::job::{Call, Description, Job, descriptions};

pub(crate) use nearest::{nearest, unknown_job};

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
/// says so and where they stand, because nobody can know which of them was meant.
pub fn register(description: Description, call: Call) {
    let Description { name, place, .. } = description;
    if let Some(other) = find(name.as_bytes()) {
        return other.refuse(place);
    }
    // Lives as long as the library, which is never unmapped.
    let job = Job::new(description, call);
    let mut link: &'static Link = Box::leak(Box::new(Link { job, next: Chain::new() }));
    let mut end = chain_of(name.as_bytes());
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
    walk(chain_of(name)).map(|link| &link.job).find(|job| job.name().as_bytes() == name)
}

/// Every job that this library holds, in the order of their names.
pub fn jobs() -> Vec<&'static Job> {
    let mut jobs: Vec<_> = CHAIN.iter().flat_map(walk).map(|link| &link.job).collect();
    jobs.sort_by_key(|job| job.name());
    jobs
}

/// Everything that is known of the jobs of this library, as one JSON document; `palitra_job_describe` of the C header
/// says what it holds. It is the same each time, to the byte.
///
/// ```
/// assert!(palitra::describe_jobs().contains(r#""name":"palitra.echo""#));
/// ```
pub fn describe_jobs() -> String {
    descriptions(&jobs())
}

fn walk(chain: &'static Chain) -> impl Iterator<Item = &'static Link> {
    std::iter::successors(chain.get().copied(), |link| link.next.get().copied())
}

/// The chain that a name is in: its first and last eight bytes and its length, spread by a multiplication.
///
/// Not a hash of every byte (FNV-1a): of a run's 1157 instructions that makes 1208, 4 % more. Measured with
/// `valgrind --tool=callgrind --callgrind-out-file=/dev/null target/bench/speed run together palitra-run N`, at two N.
fn chain_of(name: &[u8]) -> &'static Chain {
    const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
    // They overlap in a name of less than 16 bytes; a name of less than eight is the last alone.
    let (first, last) = match (name.first_chunk(), name.last_chunk()) {
        (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
        _ => (0, name.iter().fold(0, |word, byte| word << 8 | u64::from(*byte))),
    };
    let word = first ^ last.rotate_left(32) ^ name.len() as u64;
    &CHAIN[(word.wrapping_mul(SPREAD) >> 56) as usize % CHAINS]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::IntoReply;
    use crate::reply::Format;

    #[test]
    fn names_are_the_same_only_if_every_byte_is() {
        assert!(find(b"palitra.echo").is_some());
        for other in [&b""[..], b"p", b"palitra", b"palitra.ech", b"palitra.echo\0", b"palitra.Echo", b"palitra.echo2"]
        {
            assert!(find(other).is_none(), "{other:?}");
        }
    }

    #[test]
    fn jobs_whose_names_share_their_ends_are_two_jobs_of_one_chain() {
        let names = ["registry.tests.1.of.two.jobs", "registry.tests.2.of.two.jobs"];
        assert!(std::ptr::eq(chain_of(names[0].as_bytes()), chain_of(names[1].as_bytes())));
        for name in names {
            let bytes = Format::Bytes;
            register(Description::plain(name, bytes), |_| Ok(Box::pin(async { ().into_reply() })));
        }
        for name in names {
            assert_eq!(find(name.as_bytes()).map(Job::name), Some(name));
        }
    }
}
