//! The token: one submitted job.

use std::mem::MaybeUninit;

use crate::ffi::boundary::{enter, enter_or, enter_reply};
use crate::ffi::handle;
use crate::ffi::types::{palitra_reply, palitra_status, palitra_token};
use crate::reply::Status;

/// Looks whether a job has finished; never blocks.
///
/// Answers the job's own status and fills the reply, which the caller frees, each time anew; the out may be
/// NULL. PALITRA_PENDING while the job runs. PALITRA_INVALID_HANDLE, PALITRA_FORKED.
/// From any thread, also after the token's runner was shut down and freed.
#[unsafe(no_mangle)]
pub extern "C" fn palitra_token_poll(
    token: palitra_token,
    out: Option<&mut MaybeUninit<palitra_reply>>,
) -> palitra_status {
    enter_reply(out, || handle::token(token)?.poll())
}

/// Finishes a token as PALITRA_CANCELLED and drops its job at its next await. Does not free the token.
///
/// Answers PALITRA_OK, also if the job had finished: then nothing changes. PALITRA_INVALID_HANDLE,
/// PALITRA_FORKED. Never blocks; from any thread.
#[unsafe(no_mangle)]
pub extern "C" fn palitra_token_cancel(token: palitra_token) -> palitra_status {
    enter(|| handle::token(token)?.end(Status::Cancelled).map(|_| ()))
}

/// Frees a token: the handle is stale from now on. An unfinished job is detached, not cancelled: it runs to
/// its end and its reply is thrown away. Whoever waits for the token is answered PALITRA_INVALID_HANDLE.
///
/// Freeing a token twice, or one that is none, does nothing. Never blocks; from any thread.
#[unsafe(no_mangle)]
pub extern "C" fn palitra_token_free(token: palitra_token) {
    enter_or((), || {
        let _ = handle::token(token).and_then(|token| token.release_host());
    });
}
