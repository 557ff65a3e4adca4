//! The token: one submitted job.

use std::ffi::c_void;
use std::mem::MaybeUninit;

use crate::deadline::Until;
use crate::ffi::boundary::{enter, enter_or, enter_reply};
use crate::ffi::callback::{self, UserData};
use crate::ffi::types::{palitra_complete_fn, palitra_free_fn, palitra_reply, palitra_status, palitra_token};
use crate::ffi::{argument, handle};
use crate::reply::Status;
use crate::runner;

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

/// Waits for a job and fills its reply, which the caller frees, each time anew; the out may be NULL. As
/// palitra_runner_wait, without naming the runner.
///
/// Returns the job's own status once it has finished; PALITRA_PENDING past the timeout, the job runs on.
/// PALITRA_INVALID_HANDLE, also when the token is freed meanwhile; PALITRA_WOULD_DEADLOCK from a job of the token's
/// runner; PALITRA_FORKED. Any number of threads may wait for the same token, also after its runner was shut down and
/// freed.
#[unsafe(no_mangle)]
pub extern "C" fn palitra_token_wait(
    token: palitra_token,
    timeout_ns: i64,
    out: Option<&mut MaybeUninit<palitra_reply>>,
) -> palitra_status {
    enter_reply(out, || handle::token(token)?.wait_until(Until::after(argument::timeout(timeout_ns))))
}

/// Finishes a token as PALITRA_CANCELLED and drops its job at its next await. Does not free the token.
///
/// Answers PALITRA_OK, also if the job had finished: then nothing changes. PALITRA_INVALID_HANDLE,
/// PALITRA_FORKED. Never blocks; from any thread.
#[unsafe(no_mangle)]
pub extern "C" fn palitra_token_cancel(token: palitra_token) -> palitra_status {
    enter(|| handle::token(token)?.end(Status::Cancelled).map(|_| ()))
}

/// Reads the next item of a streaming job and fills it; the caller frees each.
///
/// Answers PALITRA_OK with an item; PALITRA_PENDING past the timeout; PALITRA_END after the last item of a job
/// that succeeded, at once for a job that streams nothing; how the job ended otherwise, with its message, after
/// the items that it sent before. PALITRA_WOULD_DEADLOCK instead of waiting on the runner's own thread;
/// PALITRA_INVALID_HANDLE, also when the token is freed meanwhile; PALITRA_FORKED. The item may be NULL, which
/// throws it away.
///
/// A job whose items nobody reads waits after the first few: a slow reader slows the job. Freeing the token
/// ends it.
#[unsafe(no_mangle)]
pub extern "C" fn palitra_token_next(
    token: palitra_token,
    timeout_ns: i64,
    item: Option<&mut MaybeUninit<palitra_reply>>,
) -> palitra_status {
    enter_reply(item, || handle::token(token)?.next_item(Until::after(argument::timeout(timeout_ns))))
}

/// Reads how far the job said it is; both are 0 before it said anything, and keep their last values after it
/// has finished. Never blocks. The outs may be NULL and are written with PALITRA_OK only.
///
/// Answers PALITRA_OK, PALITRA_INVALID_HANDLE, PALITRA_FORKED.
#[unsafe(no_mangle)]
pub extern "C" fn palitra_token_progress(
    token: palitra_token,
    done: Option<&mut MaybeUninit<u64>>,
    total: Option<&mut MaybeUninit<u64>>,
) -> palitra_status {
    enter(|| {
        let progress = handle::token(token)?.progress()?;
        if let Some(done) = done {
            done.write(progress.0);
        }
        if let Some(total) = total {
            total.write(progress.1);
        }
        Ok(())
    })
}

/// Has a function called once when the job finishes, or soon if it has finished: on the runner's thread, under
/// no lock. A child that is forked in it leaves by exit or exec and does not return. Several may be registered for one
/// token; they are called in no particular order. Freeing the unfinished token takes it back. After
/// palitra_runner_shutdown has returned none begins any more.
///
/// The free function, unless NULL, is called with the user data exactly once, whatever happens and whatever
/// this call returns: after the callback, or when it is clear that it will not be called, which is at the latest when
/// palitra_runner_shutdown returns.
///
/// Returns PALITRA_OK; PALITRA_INVALID_ARGUMENT for a NULL function; PALITRA_SHUT_DOWN after the runner's end;
/// PALITRA_INVALID_HANDLE, PALITRA_FORKED.
#[unsafe(no_mangle)]
pub extern "C" fn palitra_token_on_complete(
    token: palitra_token,
    function: palitra_complete_fn,
    user_data: *mut c_void,
    free_user_data: palitra_free_fn,
) -> palitra_status {
    enter(|| {
        let user_data = UserData::new(user_data, free_user_data);
        let token = handle::token(token)?;
        let call = callback::on_complete(token.id(), function, user_data)?;
        runner::find_core(token.runner()?)?.on_complete(token, call)
    })
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
