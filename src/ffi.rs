//! Every unsafe conversion between C and the rooms of the library, and the boundary that no panic crosses.
//!
//! Called by the C functions in `abi` and by nobody else.
//!
//! | room | what it holds |
//! |---|---|
//! | [`types`] | the structs and numbers of the C ABI, as the header has them |
//! | [`boundary`] | entering the library: panics end here |
//! | [`argument`] | strings, bytes, arrays, options and timeouts that a caller passed |
//! | [`callback`] | functions of the caller's, and freeing what they were given |
//! | [`handle`] | handles to and from what they stand for |
//! | [`reply`] | replies: given to the caller, taken back |
//! | [`table`] | values behind generational ids |
//!
//! # What a caller promises
//!
//! Rust cannot check a pointer. The header makes every caller promise that a pointer which is not NULL points
//! to memory that holds what its type says, for the duration of the call; everything else (NULL, lengths,
//! encodings, numbers, stale handles) is checked and answered with a status. References in the signatures of
//! `abi` rely on that promise, and so does each SAFETY comment that says "promised".

pub(crate) mod argument;
pub(crate) mod boundary;
pub(crate) mod callback;
pub(crate) mod handle;
pub(crate) mod reply;
mod table;
pub(crate) mod types;
