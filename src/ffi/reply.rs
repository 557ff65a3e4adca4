//! Replies: given to the host, and freed.
//!
//! The owner of a reply is a counted reference to its bytes, so that a finished token can be read many times
//! and each reply freed on its own, in any order, after anything else is gone. Messages that never change
//! have no owner.

#![allow(unsafe_code)]

use std::ffi::c_char;
use std::mem::MaybeUninit;
use std::ptr::{null, null_mut};
use std::sync::Arc;

use super::types::reply::{palitra_format, palitra_reply};
use super::types::status::palitra_status;
use crate::reply::{Body, Reply, Status};

/// Fills `out`, if the host has passed one, and returns the status.
#[inline]
pub(crate) fn give(result: Result<Reply, Status>, out: Option<&mut MaybeUninit<palitra_reply>>) -> palitra_status {
    let reply = result.unwrap_or_else(Reply::ending);
    let status = reply.status() as palitra_status;
    let Some(out) = out else { return status };
    let (code, format, data) = (reply.code(), reply.format() as palitra_format, reply.data());
    let (data, len) = (data.as_ptr(), data.len());
    // Data without a body is static.
    let owner = reply.into_body().map_or(null_mut(), |body| Arc::into_raw(body).cast_mut().cast());
    out.write(palitra_reply { status, code, format, data, len, owner });
    status
}

/// Frees the data of a reply and empties the reply, so that freeing it again does nothing.
pub(crate) fn take_back(reply: &mut palitra_reply) {
    let owner = std::mem::replace(&mut reply.owner, null_mut());
    (reply.data, reply.len) = (null(), 0);
    if !owner.is_null() {
        // SAFETY: only `give` makes an owner, from an Arc of this type. It was taken out of the reply, so this
        // reference is released once.
        drop(unsafe { Arc::from_raw(owner.cast::<Body>()) });
    }
}

/// The details of a failure, if it has some: they live as long as the reply.
pub(crate) fn details(reply: &palitra_reply) -> Option<*const c_char> {
    // SAFETY: only `give` makes an owner, from an Arc of this type; it is null once the reply was freed.
    let body = unsafe { reply.owner.cast::<Body>().as_ref() }?;
    body.details().map(|details| details.as_ptr())
}
