//! Token: one submitted job. It is pending, then finishes once, with one status.

use std::ffi::c_void;
use std::mem::MaybeUninit;

use crate::deadline::Until;
use crate::ffi::boundary::{enter, enter_or, enter_reply};
use crate::ffi::callback::{self, UserData};
use crate::ffi::types::callback::palitra_free_fn;
use crate::ffi::types::handle::palitra_token;
use crate::ffi::types::reply::palitra_reply;
use crate::ffi::types::status::palitra_status;
use crate::ffi::types::token::{PALITRA_OR_ITEM, palitra_complete_fn};
use crate::ffi::{argument, handle};
use crate::reply::Status;
use crate::runner::{self, Callback, Core};
use crate::token::TokenRef;

/// Returns whether a job has finished, and fills its reply. Does not block. Works also after the
/// runner was shut down and freed.
///
/// @param token  the token; it stays valid
/// @param out    receives the reply, which the caller frees; may be NULL
///
/// @return how the job ended, or why there is no reply:
/// - PALITRA_PENDING: the job has not finished
/// - PALITRA_INVALID_HANDLE: the token is invalid
/// - PALITRA_FORKED: the token belongs to the parent process
#[unsafe(no_mangle)]
pub extern "C" fn palitra_token_poll(
    token: palitra_token,
    out: Option<&mut MaybeUninit<palitra_reply>>,
) -> palitra_status {
    enter_reply(out, || handle::token(token)?.poll())
}

/// Waits until a job has finished, and fills its reply: palitra_runner_wait without naming the
/// runner. Any number of threads may wait for one token, and each gets a reply of its own. Works
/// also after the runner was shut down and freed.
///
/// @param token       the token; it stays valid
/// @param timeout_ns  how long to wait; any negative number means forever
/// @param out         receives the reply, which the caller frees; may be NULL
///
/// @return how the job ended, or why there is no reply:
/// - PALITRA_PENDING: the timeout passed; the job runs on
/// - PALITRA_INVALID_HANDLE: the token is invalid, or was freed meanwhile
/// - PALITRA_WOULD_DEADLOCK: the call would wait, and came from a job or a callback of the token's
///   runner
/// - PALITRA_FORKED: the token belongs to the parent process
#[unsafe(no_mangle)]
pub extern "C" fn palitra_token_wait(
    token: palitra_token,
    timeout_ns: i64,
    out: Option<&mut MaybeUninit<palitra_reply>>,
) -> palitra_status {
    enter_reply(out, || handle::token(token)?.wait_until(Until::after(argument::timeout(timeout_ns))))
}

/// Cancels a job: its token finishes with PALITRA_CANCELLED, and the job is dropped at its next
/// await. A job that has finished is not changed. Does not block, and does not free the token.
///
/// @param token  the token
///
/// @return one of these:
/// - PALITRA_OK
/// - PALITRA_INVALID_HANDLE: the token is invalid
/// - PALITRA_FORKED: the token belongs to the parent process
#[unsafe(no_mangle)]
pub extern "C" fn palitra_token_cancel(token: palitra_token) -> palitra_status {
    enter(|| handle::token(token)?.end(Status::Cancelled).map(|_| ()))
}

/// Waits for the next item of a streaming job. A job whose items nobody reads waits after the
/// first few: a slow reader slows the job. Once the token was freed, items are refused, and most
/// jobs then fail.
///
/// @param token       the token
/// @param timeout_ns  how long to wait; any negative number means forever
/// @param item        receives the item, which the caller frees. NULL discards the item.
///
/// @return one of these:
/// - PALITRA_OK: an item
/// - PALITRA_PENDING: the timeout passed
/// - PALITRA_END: the job has succeeded, and there are no more items. palitra_token_poll has its
///   reply.
/// - how the job ended, if it did not succeed, after the items that it sent before. The item is
///   its message.
/// - PALITRA_INVALID_HANDLE: the token is invalid, or was freed meanwhile
/// - PALITRA_WOULD_DEADLOCK: the call would wait, and came from a job or a callback of the token's
///   runner
/// - PALITRA_FORKED: the token belongs to the parent process
#[unsafe(no_mangle)]
pub extern "C" fn palitra_token_next(
    token: palitra_token,
    timeout_ns: i64,
    item: Option<&mut MaybeUninit<palitra_reply>>,
) -> palitra_status {
    enter_reply(item, || handle::token(token)?.next_item(Until::after(argument::timeout(timeout_ns))))
}

/// Reads the progress that a job has reported. Both numbers are 0 before its first report, and
/// keep their last values after it has finished. Does not block.
///
/// @param token  the token
/// @param done   receives how much is done; unchanged unless the call returns PALITRA_OK. May be
///               NULL.
/// @param total  receives how much there is to do, in the same way. May be NULL.
///
/// @return one of these:
/// - PALITRA_OK
/// - PALITRA_INVALID_HANDLE: the token is invalid
/// - PALITRA_FORKED: the token belongs to the parent process
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

/// Registers a callback for the end of a job. It is called once, on the runner's thread. If the
/// job has finished already, it is called soon. A token may have several, which are called in no
/// particular order. It is not called any more once the unfinished token was freed, or once
/// palitra_runner_shutdown has returned. A child process that is forked in a callback must not
/// return from it, but leave by exit or exec.
///
/// @param token           the token
/// @param function        the callback
/// @param user_data       passed to the callback
/// @param free_user_data  frees the user data, exactly once, also if this call fails: after the
///                        callback, or once it is clear that it will not be called. That is when
///                        palitra_runner_shutdown returns at the latest. May be NULL.
///
/// @return one of these:
/// - PALITRA_OK
/// - PALITRA_INVALID_ARGUMENT: the function is NULL
/// - PALITRA_INVALID_HANDLE: the token is invalid
/// - PALITRA_SHUT_DOWN: the runner has ended
/// - PALITRA_FORKED: the token belongs to the parent process
#[unsafe(no_mangle)]
pub extern "C" fn palitra_token_on_complete(
    token: palitra_token,
    function: palitra_complete_fn,
    user_data: *mut c_void,
    free_user_data: palitra_free_fn,
) -> palitra_status {
    enter(|| attach(token, function, UserData::new(user_data, free_user_data), Core::on_complete))
}

/// Registers a callback that is called in any case, exactly once: for a future, a coroutine or an
/// event loop, which waits for it. It is called when the job has finished; or when the token is
/// freed before, with PALITRA_INVALID_HANDLE; with PALITRA_OR_ITEM also when an item can be read,
/// with PALITRA_PENDING. If that is so already, it is called soon.
///
/// It is called on the runner's thread, or on that of the runner's watchdog while a job blocks the
/// runner's thread: then it is some hundredths of a second late. It does not run at the same time
/// as another callback of the runner. Where a callback blocks the runner's thread itself, the
/// shutdown that returns PALITRA_PENDING calls it, on its own thread.
///
/// @param token           the token
/// @param flags           0 or PALITRA_OR_ITEM
/// @param function        the callback
/// @param user_data       passed to the callback
/// @param free_user_data  frees the user data, exactly once: after the callback, or before this
///                        call returns if it fails. May be NULL.
///
/// @return PALITRA_OK, or why the callback is not called:
/// - PALITRA_INVALID_ARGUMENT: the function is NULL, or a flag is unknown
/// - PALITRA_INVALID_HANDLE: the token is invalid
/// - PALITRA_SHUT_DOWN: the runner has ended
/// - PALITRA_FORKED: the token belongs to the parent process
#[unsafe(no_mangle)]
pub extern "C" fn palitra_token_on_ready(
    token: palitra_token,
    flags: u32,
    function: palitra_complete_fn,
    user_data: *mut c_void,
    free_user_data: palitra_free_fn,
) -> palitra_status {
    enter(|| {
        let user_data = UserData::new(user_data, free_user_data);
        if flags & !PALITRA_OR_ITEM != 0 {
            return Err(Status::InvalidArgument);
        }
        let or_item = flags & PALITRA_OR_ITEM != 0;
        attach(token, function, user_data, |core, token, call| core.on_ready(token, or_item, call))
    })
}

/// Has the token's runner register a callback, whose data is taken over whatever fails.
fn attach(
    token: palitra_token,
    function: palitra_complete_fn,
    user_data: UserData,
    register: impl FnOnce(&Core, TokenRef, Callback) -> Result<(), Status>,
) -> Result<(), Status> {
    let token = handle::token(token)?;
    let call = callback::on_complete(token.id(), function, user_data)?;
    register(&*runner::find_core(token.runner()?)?, token, call)
}

/// Frees a token. The handle is stale from now on, and a thread that waits for it gets
/// PALITRA_INVALID_HANDLE. An unfinished job is detached, not cancelled: it runs on, and its reply
/// is discarded. Does not block.
///
/// @param token  the token. An invalid handle, or one of the parent process, does nothing.
#[unsafe(no_mangle)]
pub extern "C" fn palitra_token_free(token: palitra_token) {
    enter_or((), || {
        let _ = handle::token(token).and_then(|token| token.release_host());
    });
}
