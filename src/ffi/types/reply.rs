//! A reply and the format of its bytes.

use std::ffi::c_void;

use super::status::palitra_status;

/// What the bytes of a payload or of a reply are.
pub type palitra_format = i32;

/// Any bytes.
pub const PALITRA_BYTES: palitra_format = 0;
/// UTF-8 text.
pub const PALITRA_TEXT: palitra_format = 1;
/// One JSON value, in UTF-8.
pub const PALITRA_JSON: palitra_format = 2;

/// The result of a job, or a message that says why there is none. The caller owns it and frees it
/// with palitra_reply_free. The data does not move until then, and outlives the token and the
/// runner.
///
/// A NUL follows the data of a text, of JSON and of a message, even of an empty one, so it can be
/// printed as a C string, up to the first NUL that it contains. No NUL follows bytes. A payload
/// needs no NUL.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct palitra_reply {
    /// How the job ended, or why there is no result.
    pub status: palitra_status,
    /// The number that the job gave its failure; 0 otherwise.
    pub code: i32,
    /// What the data is.
    pub format: palitra_format,
    /// The result if the status is PALITRA_OK; a message in UTF-8 otherwise. It is not NULL before
    /// it is freed, even if it is empty.
    pub data: *const u8,
    /// The length of the data in bytes, without the NUL that follows it.
    pub len: usize,
    /// Private to the library; do not change it.
    pub owner: *mut c_void,
}
