//! Callbacks: the host's functions, and the user data that they are called with.
//!
//! Promise 6: the finalizer of a callback's user data runs exactly once, whether or not the callback was called, and
//! whether or not it was registered.

#![allow(unsafe_code)]

use std::ffi::{CString, c_void};
use std::sync::Arc;

use super::handle;
use super::types::call::{palitra_cancel_fn, palitra_job_fn};
use super::types::callback::palitra_free_fn;
use super::types::handle::{palitra_call, palitra_token};
use super::types::log::palitra_log_fn;
use super::types::runner::{palitra_runner_options, palitra_thread_fn};
use super::types::token::palitra_complete_fn;
use crate::call::{Call, OnCancel};
use crate::job::{JobFuture, Registered, Request, check_payload};
use crate::reply::{Format, JobError, Status};
use crate::runner::{Callback, ThreadHook};
use crate::token::TokenId;

/// The user data of a callback. Its finalizer runs when this is dropped.
pub(crate) struct UserData {
    data: *mut c_void,
    free: palitra_free_fn,
}

// SAFETY: the header says that a callback and its finalizer may run on any thread: the host promises that the data may
// be used and freed there.
unsafe impl Send for UserData {}
// SAFETY: the library only passes the pointer on. The callbacks that are called by several threads at once, which are
// those of the log and of a runner's threads, are promised to allow that.
unsafe impl Sync for UserData {}

impl UserData {
    /// Takes the data over: from here on the finalizer is this value's to run.
    pub(crate) fn new(data: *mut c_void, free: palitra_free_fn) -> UserData {
        UserData { data, free }
    }

    fn pointer(&self) -> *mut c_void {
        self.data
    }
}

impl Drop for UserData {
    fn drop(&mut self) {
        if let Some(free) = self.free {
            // SAFETY: promised to be a function that frees this data; it is called once, here.
            unsafe { free(self.data) };
        }
    }
}

/// A completion callback as the core calls it. [`Status::InvalidArgument`] for NULL.
pub(crate) fn on_complete(
    token: TokenId,
    function: palitra_complete_fn,
    user_data: UserData,
) -> Result<Callback, Status> {
    let function = function.ok_or(Status::InvalidArgument)?;
    let token: palitra_token = handle::of_token(token);
    Ok(Box::new(move |status| {
        // SAFETY: promised to be a function that may be called once, on the runner's thread, with this data.
        unsafe { function(token, status as i32, user_data.pointer()) };
    }))
}

/// A log callback as the log calls it; `None` for NULL.
pub(crate) fn on_log(function: palitra_log_fn, user_data: UserData) -> Option<crate::log::Sink> {
    let function = function?;
    Some(Box::new(move |level, target, message| {
        let (target, message) = (c_string(target), c_string(message));
        // SAFETY: promised to be a function that may be called with this data from any thread; the texts live
        // for the call.
        unsafe { function(level as i32, target.as_ptr(), message.as_ptr(), user_data.pointer()) };
    }))
}

/// The start and stop callbacks of a runner's threads, which share their user data.
pub(crate) fn on_threads(options: &palitra_runner_options) -> (ThreadHook, ThreadHook) {
    let user_data = Arc::new(UserData::new(options.thread_user_data, options.thread_free));
    let hook = |function: palitra_thread_fn| {
        let user_data = Arc::clone(&user_data);
        function.map_or_else(ThreadHook::default, |function| {
            // SAFETY: promised to be a function that may be called with this data from any thread.
            ThreadHook::new(move || unsafe { function(user_data.pointer()) })
        })
    };
    (hook(options.thread_start), hook(options.thread_stop))
}

/// A job of the host's as the core starts it. [`Status::InvalidArgument`] for NULL.
pub(crate) fn on_call(function: palitra_job_fn, input: Format, user_data: UserData) -> Result<Registered, Status> {
    let function = function.ok_or(Status::InvalidArgument)?;
    Ok(Arc::new(move |payload: Vec<u8>, request: &mut Request<'_>| {
        check_payload(input, &payload)?;
        let (call, calling) = Call::begin(request.token()?, payload);
        let handle = handle::of_call(Arc::clone(&call)).map_err(|status| JobError::from(status.message()))?;
        let payload = call.payload();
        // SAFETY: promised to be a function that may be called with this data on any thread of the runner; the payload
        // lives for the call.
        unsafe { function(handle, payload.as_ptr().cast(), payload.len(), user_data.pointer()) };
        Ok(Box::pin(calling) as JobFuture)
    }))
}

/// What is called when a call is not needed any more. [`Status::InvalidArgument`] for NULL.
pub(crate) fn on_cancel(
    call: palitra_call,
    function: palitra_cancel_fn,
    user_data: UserData,
) -> Result<OnCancel, Status> {
    let function = function.ok_or(Status::InvalidArgument)?;
    Ok(Box::new(move || {
        // SAFETY: promised to be a function that may be called once, on any thread, with this data.
        unsafe { function(call, user_data.pointer()) };
    }))
}

fn c_string(text: &str) -> CString {
    CString::new(text.replace('\0', " ")).unwrap_or_default()
}
