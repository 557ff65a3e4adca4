//! Status: the result of a call, or how a job ended.

use std::ffi::c_char;

use crate::ffi::types::status::palitra_status;
use crate::reply::Status;

/// Returns the name of a status, such as "PALITRA_OK".
///
/// @param status  any number
///
/// @return the name, or "PALITRA_UNKNOWN_STATUS" for a number that is no status. It is never NULL
/// and lives as long as the library is loaded.
#[unsafe(no_mangle)]
pub extern "C" fn palitra_status_name(status: palitra_status) -> *const c_char {
    Status::from_number(status).map_or(c"PALITRA_UNKNOWN_STATUS", |status| status.texts().0).as_ptr()
}

/// Returns a sentence that says what a status means.
///
/// @param status  any number
///
/// @return the sentence. It is never NULL and lives as long as the library is loaded.
#[unsafe(no_mangle)]
pub extern "C" fn palitra_status_message(status: palitra_status) -> *const c_char {
    Status::from_number(status).map_or(c"not a status of this version", |status| status.texts().1).as_ptr()
}
