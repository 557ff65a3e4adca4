//! Log: the messages of the library, and of the Rust crates in it, for one callback or collected.

use std::ffi::c_void;
use std::mem::MaybeUninit;

use crate::deadline::Until;
use crate::ffi::argument;
use crate::ffi::boundary::{enter, enter_reply};
use crate::ffi::callback::{self, UserData};
use crate::ffi::types::callback::palitra_free_fn;
use crate::ffi::types::log::palitra_log_fn;
use crate::ffi::types::reply::palitra_reply;
use crate::ffi::types::status::palitra_status;
use crate::log;
use crate::reply::Status;

/// Registers the log callback, in place of the one before. Without one, a message costs nothing.
/// The function and its level change together, even if several threads set them at once. The
/// former function may still be running on another thread when this call returns; its user data is
/// freed afterwards. A forked child has no log callback until it registers one.
///
/// @param level           the most detailed level that is logged; PALITRA_LOG_OFF ends logging
/// @param function        the callback; NULL ends logging
/// @param user_data       passed to the callback
/// @param free_user_data  frees the user data, exactly once, also if this call fails; may be NULL
///
/// @return one of these:
/// - PALITRA_OK
/// - PALITRA_INVALID_ARGUMENT: the level is none of the PALITRA_LOG_ numbers
/// - PALITRA_INTERNAL: Rust code of this library has set a tracing subscriber of its own
#[unsafe(no_mangle)]
pub extern "C" fn palitra_log_set(
    level: i32,
    function: palitra_log_fn,
    user_data: *mut c_void,
    free_user_data: palitra_free_fn,
) -> palitra_status {
    enter(|| {
        let user_data = UserData::new(user_data, free_user_data);
        let level = checked(level)?;
        let sink = if level == 0 { None } else { callback::on_log(function, user_data) };
        log::set(level, sink)
    })
}

/// Collects the messages, in place of a log callback, for palitra_log_next. For languages whose code
/// must not run on a thread of the library. A forked child collects nothing until it asks for it.
///
/// @param level  the most detailed level that is logged; PALITRA_LOG_OFF ends logging: what was
///               collected can still be read
/// @param most   how many messages wait at most, up to 1048576; 0: 1024. Of those for which there is
///               no room the number is logged, once there is.
///
/// @return one of these:
/// - PALITRA_OK
/// - PALITRA_INVALID_ARGUMENT: the level is none of the PALITRA_LOG_ numbers, or most is too large
/// - PALITRA_INTERNAL: Rust code of this library has set a tracing subscriber of its own
#[unsafe(no_mangle)]
pub extern "C" fn palitra_log_collect(level: i32, most: usize) -> palitra_status {
    enter(|| {
        let level = checked(level)?;
        if most > log::MOST_COLLECTED {
            return Err(Status::InvalidArgument);
        }
        log::collect(level, most)
    })
}

/// Takes the next message that was collected, each once. Blocks until there is one.
///
/// @param timeout_ns  how long to wait; any negative number means forever
/// @param message     filled with JSON, {"level": 2, "target": "palitra", "message": "..."}; the
///                    level is one of the PALITRA_LOG_ numbers. May be NULL: it is discarded.
///
/// @return one of these:
/// - PALITRA_OK
/// - PALITRA_PENDING: the timeout passed without a message
/// - PALITRA_END: nothing is collected, or no longer, and every message was taken
/// - PALITRA_WOULD_DEADLOCK: the call would wait, and came from a job or a callback
#[unsafe(no_mangle)]
pub extern "C" fn palitra_log_next(
    timeout_ns: i64,
    message: Option<&mut MaybeUninit<palitra_reply>>,
) -> palitra_status {
    enter_reply(message, || log::next_collected(Until::after(argument::timeout(timeout_ns))))
}

fn checked(level: i32) -> Result<usize, Status> {
    let level = usize::try_from(level).ok().filter(|level| *level <= log::MAX_LEVEL);
    level.ok_or(Status::InvalidArgument)
}
