//! Wait: waiting for the tokens of a runner, for one or for many.

use std::mem::MaybeUninit;

use crate::current::RunnerId;
use crate::deadline::Until;
use crate::ffi::argument::{self, array, out_array};
use crate::ffi::boundary::{enter, enter_or, enter_reply};
use crate::ffi::types::handle::{palitra_runner, palitra_token};
use crate::ffi::types::reply::palitra_reply;
use crate::ffi::types::status::palitra_status;
use crate::ffi::types::wait::{PALITRA_FAIL_FAST, PALITRA_FREE_TOKENS};
use crate::ffi::{handle, reply};
use crate::gather::{self, Tokens};
use crate::reply::Status;
use crate::runner;
use crate::token::TokenRef;

/// Whose tokens may be waited for. `None`: those of a runner that was freed, which have finished or are about to. Of a
/// runner that is alive they are not, and waiting for them might last forever ([`Status::InvalidHandle`]).
#[inline]
fn owner(runner: palitra_runner, tokens: &[palitra_token]) -> Result<Option<RunnerId>, Status> {
    let owner = handle::runner_id_if_alive(runner)?;
    if owner.is_none() {
        check_ended(tokens)?;
    }
    Ok(owner)
}

#[cold]
fn check_ended(tokens: &[palitra_token]) -> Result<(), Status> {
    let is_wrong = |token: TokenRef| {
        let is_alive = |runner| runner::find_core(runner).is_ok_and(|core| core.is_alive());
        token.status() == Ok(Status::Pending) && token.runner().is_ok_and(is_alive)
    };
    let any_is_wrong = tokens.iter().filter_map(|token| handle::token(*token).ok()).any(is_wrong);
    if any_is_wrong { Err(Status::InvalidHandle) } else { Ok(()) }
}

/// Waits until a job has finished, and fills its reply. Any number of threads may wait for one
/// token, and each gets a reply of its own. Works after a shutdown, too: then every token has
/// finished.
///
/// @param runner      the runner of the token; it may have been freed
/// @param token       the token; it stays valid
/// @param timeout_ns  how long to wait; any negative number means forever
/// @param out         receives the reply, which the caller frees; may be NULL
///
/// @return how the job ended, or why there is no reply:
/// - PALITRA_PENDING: the timeout passed; the job runs on
/// - PALITRA_INVALID_ARGUMENT: the token belongs to another runner
/// - PALITRA_INVALID_HANDLE: the runner was never one, or was freed and the token is another's; or
///   the token is invalid or was freed meanwhile
/// - PALITRA_WOULD_DEADLOCK: the call would wait, and came from a job or a callback of this runner
/// - PALITRA_FORKED: a handle belongs to the parent process
#[unsafe(no_mangle)]
pub extern "C" fn palitra_runner_wait(
    runner: palitra_runner,
    token: palitra_token,
    timeout_ns: i64,
    out: Option<&mut MaybeUninit<palitra_reply>>,
) -> palitra_status {
    enter_reply(out, || {
        let runner = owner(runner, &[token])?;
        handle::token(token)?.wait_on(runner, Until::after(argument::timeout(timeout_ns)))
    })
}

/// Waits until one of several jobs has finished, in whatever way. If several have finished already,
/// it takes the first in the array, and does not look at those after it. It takes the same token
/// again if that is still in the array at the next call.
///
/// Each call looks at the tokens up to the one that it returns. To take the next of many jobs
/// again and again, submit them with a queue: the cost of palitra_queue_next does not grow with
/// their number.
///
/// @param runner      the runner of the tokens; it may have been freed
/// @param tokens      the tokens; they stay valid
/// @param n           how many there are, at least 1
/// @param timeout_ns  how long to wait; any negative number means forever
/// @param index       receives the index of a token that has finished; unchanged unless the call
///                    returns PALITRA_OK. May be NULL.
///
/// @return one of these:
/// - PALITRA_OK
/// - PALITRA_PENDING: the timeout passed
/// - PALITRA_INVALID_ARGUMENT: there are no tokens, or a token belongs to another runner
/// - PALITRA_INVALID_HANDLE: the runner was never one, or was freed and a token is another's; or a
///   token is invalid or was freed meanwhile
/// - PALITRA_TOO_LARGE: there is not enough memory to watch so many tokens
/// - PALITRA_WOULD_DEADLOCK: the call would wait, and came from a job or a callback of this runner
/// - PALITRA_FORKED: a handle belongs to the parent process
#[unsafe(no_mangle)]
pub unsafe extern "C" fn palitra_runner_wait_any(
    runner: palitra_runner,
    tokens: *const palitra_token,
    n: usize,
    timeout_ns: i64,
    index: Option<&mut MaybeUninit<usize>>,
) -> palitra_status {
    enter(|| {
        let tokens = array!(tokens, n)?;
        let runner = owner(runner, tokens)?;
        let tokens = tokens.iter().map(|token| handle::token(*token));
        let first = gather::wait_any(runner, tokens, Until::after(argument::timeout(timeout_ns)))?;
        if let Some(index) = index {
            index.write(first);
        }
        Ok(())
    })
}

/// Waits until several jobs have finished, and fills their replies in the order of the tokens.
///
/// @param runner      the runner of the tokens; it may have been freed
/// @param tokens      the tokens; they stay valid unless they are to be freed. May be NULL if there
///                    are none.
/// @param n           how many there are
/// @param flags       0, or PALITRA_FAIL_FAST and PALITRA_FREE_TOKENS, or one of them
/// @param timeout_ns  how long to wait; any negative number means forever
/// @param replies     receives n replies, which the caller frees, each on its own; may be NULL
///
/// @return how the jobs ended:
/// - PALITRA_OK: every job succeeded, or there are no tokens
/// - PALITRA_PENDING: the timeout passed. The jobs run on, and the replies of unfinished jobs have
///   this status.
/// - with PALITRA_FAIL_FAST: the status of the job that failed first in time; the others are
///   cancelled
/// - without: the status of the first job in order that did not succeed
///
/// or why nothing was waited for, which is the status of every reply, too:
/// - PALITRA_INVALID_ARGUMENT: a flag is unknown, the tokens are NULL, or one belongs to another
///   runner
/// - PALITRA_INVALID_HANDLE: the runner was never one, or was freed and a token is another's; or a
///   token is invalid
/// - PALITRA_TOO_LARGE: there is not enough memory to watch so many tokens
/// - PALITRA_WOULD_DEADLOCK: the call would wait, and came from a job or a callback of this runner
/// - PALITRA_FORKED: a handle belongs to the parent process
#[unsafe(no_mangle)]
pub unsafe extern "C" fn palitra_runner_gather(
    runner: palitra_runner,
    tokens: *const palitra_token,
    n: usize,
    flags: u32,
    timeout_ns: i64,
    replies: *mut palitra_reply,
) -> palitra_status {
    enter(|| {
        argument::check_count(n).or(Err(Status::TooLarge))?;
        let outs = out_array!(replies, n)?.unwrap_or_default();
        let mut give = |place: usize, result| _ = reply::give(result, outs.get_mut(place));
        let gathered = enter_or(Err(Status::Internal), || {
            if flags & !(PALITRA_FAIL_FAST | PALITRA_FREE_TOKENS) != 0 {
                return Err(Status::InvalidArgument);
            }
            let handles = array!(tokens, n)?;
            let runner = owner(runner, handles)?;
            let frees = flags & PALITRA_FREE_TOKENS != 0;
            let tokens = Tokens { n, at: |place: usize| handle::token(handles[place]), runner, frees };
            let until = Until::after(argument::timeout(timeout_ns));
            Ok(if flags & PALITRA_FAIL_FAST != 0 {
                gather::gather_fail_fast(&tokens, until, &mut give)
            } else {
                gather::gather(&tokens, until, &mut give)
            })
        });
        if let Err(status) = gathered {
            outs.iter_mut().for_each(|out| _ = reply::give(Err(status), Some(out)));
        }
        match gathered {
            Ok(Status::Ok) => Ok(()),
            Ok(status) | Err(status) => Err(status),
        }
    })
}
