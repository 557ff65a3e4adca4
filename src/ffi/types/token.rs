//! The completion callback.

use std::ffi::c_void;

use super::handle::palitra_token;
use super::status::palitra_status;

/// Is called once when a job has finished, on the runner's thread and under no lock of the
/// library. It may call every function that does not block.
///
/// @param token      the token of the job
/// @param status     how the job ended
/// @param user_data  what palitra_token_on_complete was given
pub type palitra_complete_fn =
    Option<unsafe extern "C" fn(token: palitra_token, status: palitra_status, user_data: *mut c_void)>;

/// A flag of palitra_token_on_ready: the callback is also called when an item can be read.
pub const PALITRA_OR_ITEM: u32 = 1u32;
