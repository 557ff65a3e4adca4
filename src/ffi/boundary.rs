//! Entering the library from C. Promise 7: a panic ends its job and nothing else. None crosses this boundary: whatever
//! happens, the host gets a status.

use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::reply;
use super::types::reply::palitra_reply;
use super::types::status::palitra_status;
use crate::reply::{Reply, Status};

/// Runs the body of a C function and returns its status.
pub(crate) fn enter(body: impl FnOnce() -> Result<(), Status>) -> palitra_status {
    let result = enter_or(Err(Status::Internal), body);
    result.err().unwrap_or(Status::Ok) as palitra_status
}

/// The same for a function that fills a reply. `out` is filled whatever happens.
#[inline]
pub(crate) fn enter_reply(
    mut out: Option<&mut MaybeUninit<palitra_reply>>,
    body: impl FnOnce() -> Result<Reply, Status>,
) -> palitra_status {
    // The reply is written inside the boundary: returning it through the boundary would copy it twice.
    let given = catch_unwind(AssertUnwindSafe(|| reply::give(body(), out.as_deref_mut())));
    given.unwrap_or_else(|_| reply::give(Err(Status::Internal), out))
}

/// The same for a function that returns something else. After a panic it returns `otherwise`.
pub(crate) fn enter_or<R>(otherwise: R, body: impl FnOnce() -> R) -> R {
    // Unwind safe: what a panicking body leaves half done is behind locks that are poisoned then, or in atomics, each
    // of which is valid after every step.
    catch_unwind(AssertUnwindSafe(body)).unwrap_or(otherwise)
}
