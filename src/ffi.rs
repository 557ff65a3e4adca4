//! Every unsafe conversion between C and the rooms of the library, and the boundary that no panic crosses.
//!
//! Called by the C functions in `abi` only.
//!
//! | room | what it holds |
//! |---|---|
//! | [`types`] | the structs, numbers and callback types of the C ABI, as the header has them |
//! | `frozen` | what programs were compiled with and may never change |
//! | [`boundary`] | entering the library: no panic gets past it |
//! | [`argument`] | strings, bytes, arrays, options and timeouts that a host passes |
//! | [`callback`] | the host's functions and their user data |
//! | [`handle`] | handles, and the runners, tokens and queues that they name |
//! | [`reply`] | replies: given to the host, and freed |
//! | [`table`] | values behind generational ids |
//!
//! # What a host must see to
//!
//! Rust cannot check a pointer. The header makes every host promise that a pointer which is not NULL points to memory
//! that holds what its type says, until the call returns. Everything else (NULL, lengths, encodings, numbers, stale
//! handles) is checked, and returns a status. References in the signatures of `abi` rely on that promise, and so does
//! each SAFETY comment that says "promised".

pub(crate) mod argument;
pub(crate) mod boundary;
pub(crate) mod callback;
mod frozen;
pub(crate) mod handle;
pub(crate) mod reply;
mod table;
pub(crate) mod types;
