//! Log levels and the log callback.

use std::ffi::{c_char, c_void};

/// Log nothing.
pub const PALITRA_LOG_OFF: i32 = 0;
/// Errors only.
pub const PALITRA_LOG_ERROR: i32 = 1;
/// Warnings too, such as a job that blocks its thread for more than 100 ms.
pub const PALITRA_LOG_WARN: i32 = 2;
/// Rare events too.
pub const PALITRA_LOG_INFO: i32 = 3;
/// Details that help to find a defect, too.
pub const PALITRA_LOG_DEBUG: i32 = 4;
/// Everything.
pub const PALITRA_LOG_TRACE: i32 = 5;

/// Is called with each message of the library. It is called from any thread, from several at once,
/// and under no lock of the library. Messages that it causes itself are discarded.
///
/// @param level      one of the PALITRA_LOG_ numbers
/// @param target     where the message comes from; lives until the function returns
/// @param message    the text; lives until the function returns
/// @param user_data  what palitra_log_set was given
pub type palitra_log_fn =
    Option<unsafe extern "C" fn(level: i32, target: *const c_char, message: *const c_char, user_data: *mut c_void)>;
