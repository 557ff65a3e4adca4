//! Entering the library from C. No panic crosses this line: whatever happens, the caller gets a status.

use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::reply;
use super::types::{palitra_reply, palitra_status};
use crate::reply::{Reply, Status};

/// Runs the body of a C function and answers its status.
pub(crate) fn enter(body: impl FnOnce() -> Result<(), Status>) -> palitra_status {
    let answer = enter_or(Err(Status::Internal), body);
    answer.err().unwrap_or(Status::Ok) as palitra_status
}

/// The same for a function that fills a reply. The out is filled whatever happens.
#[inline]
pub(crate) fn enter_reply(
    mut out: Option<&mut MaybeUninit<palitra_reply>>,
    body: impl FnOnce() -> Result<Reply, Status>,
) -> palitra_status {
    // The reply goes straight to its place: handing it through the boundary copies it twice.
    let given = catch_unwind(AssertUnwindSafe(|| reply::give(body(), out.as_deref_mut())));
    given.unwrap_or_else(|_| reply::give(Err(Status::Internal), out))
}

/// The same for a function that answers something else; a panic answers `otherwise`.
pub(crate) fn enter_or<R>(otherwise: R, body: impl FnOnce() -> R) -> R {
    // A panic in here is a defect of the library. What it was working on is behind poisoning locks or
    // atomics, which stay whole.
    catch_unwind(AssertUnwindSafe(body)).unwrap_or(otherwise)
}
