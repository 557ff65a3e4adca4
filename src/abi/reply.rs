//! Reply: what a finished job leaves, and what one item of a stream is.

use std::ffi::c_char;
use std::ptr::null;

use crate::ffi::boundary::enter_or;
use crate::ffi::reply;
use crate::ffi::types::reply::palitra_reply;

/// Frees the data of a reply, and sets data to NULL and len to 0; the status stays. Freeing a reply
/// twice does nothing. Copies of the struct are one reply: free only one of them. May be called at
/// any time, also after the runner was freed and in a forked child.
///
/// @param reply  a reply that a call has filled, or a struct of zeros; NULL does nothing
#[unsafe(no_mangle)]
pub extern "C" fn palitra_reply_free(reply: Option<&mut palitra_reply>) {
    enter_or((), || {
        if let Some(reply) = reply {
            reply::take_back(reply);
        }
    });
}

/// Returns what the failure of a job says to programs, beside its code and its message: the SQLSTATE
/// of a database, the field of a form that is wrong.
///
/// @param reply  a reply that a call has filled and that was not freed
///
/// @return JSON in UTF-8 with a NUL behind it, which lives until the reply is freed. NULL if the job
/// gave no details, or if reply is NULL.
#[unsafe(no_mangle)]
pub extern "C" fn palitra_reply_details(reply: Option<&palitra_reply>) -> *const c_char {
    enter_or(null(), || reply.and_then(reply::details).unwrap_or(null()))
}
