//! Log: the messages of the library, and of the Rust crates in it, for one callback.

use std::ffi::c_void;

use crate::ffi::boundary::enter;
use crate::ffi::callback::{self, UserData};
use crate::ffi::types::callback::palitra_free_fn;
use crate::ffi::types::log::palitra_log_fn;
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
        let level = usize::try_from(level).ok().filter(|level| *level <= log::MAX_LEVEL);
        let level = level.ok_or(Status::InvalidArgument)?;
        let sink = if level == 0 { None } else { callback::on_log(function, user_data) };
        log::set(level, sink)
    })
}
