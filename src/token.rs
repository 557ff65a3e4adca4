//! One submitted job, seen from both sides: pending, then finished, exactly once.
//!
//! The host holds a [`HostSide`] (behind a C handle or a Rust token): it waits, polls, cancels. The runner
//! holds a [`JobSide`]: it finishes the token. Anyone may keep a [`TokenId`], which is only a name.
//!
//! # Guarantees
//!
//! * Promise 1: a token finishes exactly once. It has one reply, whoever comes first: the job, a cancel, a deadline, a
//!   shutdown. Later attempts change nothing and say so.
//! * Nothing is left waiting: a job side that is dropped, wherever and for whatever reason, finishes its token.
//! * Promise 3: timeouts and deadlines hold. A deadline holds also while the runner's thread is blocked: whoever waits,
//!   polls or watches enforces it.
//! * Observers are notified outside the lock, once, after the reply can be read.
//! * A token's slot is used again only when both sides have released it; its generation then distinguishes the new
//!   name from the old one.
//!
//! # States
//!
//! ```text
//!            create                finish / cancel / deadline / job side dropped
//!   Vacant ----------> Pending ---------------------------------------------> Finished
//!     ^                   | host releases: detached, runs on                     |
//!     |                   v                                                      |
//!     +---- job side releases <---------- host releases -------------------------+
//! ```
//!
//! `Vacant` is a slot that neither side holds. `Pending` is `Queued`, with the payload of a job that is yet to start,
//! and then `Running`; `Finished` has a reply.
//!
//! | room | what it holds |
//! |---|---|
//! | [`observer`] | who is notified, and how that is done outside the lock |
//! | [`stream`] | the items that a job sends to its host |
//! | [`extensions`] | what few tokens have |
//! | [`slot`] | the states of a token |
//! | [`locked`] | a token under the lock of its slot, and the steps between the states |
//! | [`table`] | every token of the process, found by its name |
//! | [`wait`] | blocking on a token |
//! | [`sides`] | the host's hold on a token and the job's |
//! | [`handle`] | the tokens of the Rust API |

mod extensions;
mod handle;
mod locked;
#[cfg(all(test, palitra_model))]
mod model;
mod observer;
mod sides;
mod slot;
mod stream;
mod table;
mod wait;

pub(crate) use handle::Output;
pub use handle::{JobToken, Token};
pub(crate) use observer::Observer;
pub(crate) use sides::{HostSide, JobSide, create, create_in};
pub(crate) use slot::{NewToken, Reading};
pub(crate) use stream::Closed;
pub(crate) use table::{FreeSlots, FreedSlots, TokenId, TokenRef, abandon, expire_all_of, find, finish_all_of};
pub(crate) use wait::{park, with_parker};
