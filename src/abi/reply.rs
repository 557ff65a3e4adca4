//! Reply: what a finished job leaves, and what one item of a stream is.

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
