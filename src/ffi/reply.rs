//! Replies: given to the caller, taken back.
//!
//! The owner of a reply is a counted reference to its bytes, so that a finished token can be read many times
//! and each reply freed on its own, in any order, after anything else is gone. Messages that never change
//! have no owner.

#![allow(unsafe_code)]

use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::ptr::null_mut;
use std::sync::Arc;

use super::types::{palitra_reply, palitra_status};
use crate::reply::{Data, Reply, Status};

/// Fills the out, if the caller cares, and answers the status.
pub(crate) fn give(answer: Result<Reply, Status>, out: Option<&mut MaybeUninit<palitra_reply>>) -> palitra_status {
    let reply = answer.unwrap_or_else(Reply::ending);
    let status = reply.status() as palitra_status;
    if let Some(out) = out {
        out.write(to_c(reply));
    }
    status
}

fn to_c(reply: Reply) -> palitra_reply {
    let (status, code, format) = (reply.status(), reply.code(), reply.format());
    let (data, len, owner) = match reply.into_data() {
        Data::Static(bytes) => (bytes.as_ptr(), bytes.len(), null_mut()),
        Data::Owned(bytes) => share(Arc::new(bytes)),
        Data::Shared(bytes) => share(bytes),
    };
    palitra_reply { status: status as i32, code, format: format as i32, data, len, owner }
}

fn share(bytes: Arc<Vec<u8>>) -> (*const u8, usize, *mut c_void) {
    (bytes.as_ptr(), bytes.len(), Arc::into_raw(bytes) as *mut c_void)
}

/// Frees what a reply owns and empties it, so that freeing it again does nothing.
pub(crate) fn take_back(reply: &mut palitra_reply) {
    let owner = std::mem::replace(&mut reply.owner, null_mut());
    (reply.data, reply.len) = (std::ptr::null(), 0);
    if !owner.is_null() {
        // SAFETY: only `share` makes an owner, out of an Arc of this type; it was taken out of the reply, so
        // this reference to it is given back once.
        drop(unsafe { Arc::from_raw(owner.cast::<Vec<u8>>()) });
    }
}
