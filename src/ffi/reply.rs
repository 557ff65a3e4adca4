//! Replies: given to the caller, taken back.
//!
//! The owner of a reply is a counted reference to its bytes, so that a finished token can be read many times
//! and each reply freed on its own, in any order, after anything else is gone. Messages that never change
//! have no owner.

#![allow(unsafe_code)]

use std::mem::MaybeUninit;
use std::ptr::{null, null_mut};
use std::sync::Arc;

use super::types::{palitra_format, palitra_reply, palitra_status};
use crate::reply::{Body, Reply, Status};

/// Fills the out, if the caller cares, and answers the status.
#[inline]
pub(crate) fn give(answer: Result<Reply, Status>, out: Option<&mut MaybeUninit<palitra_reply>>) -> palitra_status {
    let reply = answer.unwrap_or_else(Reply::ending);
    let status = reply.status() as palitra_status;
    let Some(out) = out else { return status };
    let (code, format, data) = (reply.code(), reply.format() as palitra_format, reply.data());
    let (data, len) = (data.as_ptr(), data.len());
    // Bytes without a body are the library's own and never change.
    let owner = reply.into_body().map_or(null_mut(), |body| Arc::into_raw(body).cast_mut().cast());
    out.write(palitra_reply { status, code, format, data, len, owner });
    status
}

/// Frees what a reply owns and empties it, so that freeing it again does nothing.
pub(crate) fn take_back(reply: &mut palitra_reply) {
    let owner = std::mem::replace(&mut reply.owner, null_mut());
    (reply.data, reply.len) = (null(), 0);
    if !owner.is_null() {
        // SAFETY: only `give` makes an owner, out of an Arc of this type; it was taken out of the reply, so
        // this reference to it is given back once.
        drop(unsafe { Arc::from_raw(owner.cast::<Body>()) });
    }
}
