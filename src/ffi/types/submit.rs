//! The options of a submission.

use std::ffi::c_char;

use super::handle::palitra_queue;

// cbindgen writes a `u32` literal as C's `1u`.

/// A flag: the queue is also notified of items, by an event with the status PALITRA_PENDING: of the
/// first item, and then of the first item after each palitra_token_next that found none. At such an
/// event, call palitra_token_next with a timeout of 0 as long as it returns PALITRA_OK. If another
/// thread cancels the job while it sends an item, the event of the item may come after the event of
/// the job's end. Without a queue, submitting returns PALITRA_INVALID_ARGUMENT.
pub const PALITRA_ITEM_EVENTS: u32 = 1u32;
/// A flag: nobody will read items. A job that sends one gets an error, where it would wait for a
/// reader otherwise. Cannot be combined with PALITRA_ITEM_EVENTS.
pub const PALITRA_NO_ITEMS: u32 = 2u32;
/// A flag: palitra_runner_start polls the job on the calling thread only if it is an inline job,
/// one whose author declares that its first poll never blocks; any other is only submitted. So the
/// call returns at once whatever the job does, and the caller can keep a timeout of its own.
/// palitra_runner_submit ignores the flag: it never polls.
pub const PALITRA_INLINE_ONLY: u32 = 4u32;
/// A flag: the caller will wait for the token. So submitting returns PALITRA_WOULD_DEADLOCK, and
/// nothing is submitted, where waiting would: in a job or a callback of the runner.
pub const PALITRA_WILL_WAIT: u32 = 8u32;

/// How to submit a job. Call palitra_submit_options_init first, then set what is to differ.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct palitra_submit_options {
    /// The size of this struct in bytes; palitra_submit_options_init sets it.
    pub size: u32,
    /// PALITRA_ITEM_EVENTS, PALITRA_NO_ITEMS, PALITRA_INLINE_ONLY, PALITRA_WILL_WAIT, combined with
    /// |, or 0.
    pub flags: u32,
    /// The deadline, in nanoseconds after the call: the job is cancelled then, and its token
    /// finishes with PALITRA_DEADLINE. This is some hundredths of a second late if a job blocks the
    /// runner's thread. 0, the default, or negative: no deadline. 1 stands for a deadline that has
    /// passed already.
    pub deadline_ns: i64,
    /// The queue that is notified when the job finishes. The id 0: none, the default.
    pub queue: palitra_queue,
    /// Any number; the events of the job carry it.
    pub tag: u64,
    /// The most items that wait for a reader, up to 65536; then the job waits. 0: 16.
    pub stream_items: u32,
    /// Must be 0.
    pub reserved: u32,
}

/// One job of palitra_runner_submit_many.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct palitra_submission {
    /// The name of the job.
    pub job: *const c_char,
    /// The payload, which is copied; may be NULL if the length is 0.
    pub data: *const u8,
    /// The length of the payload in bytes.
    pub len: usize,
    /// Any number; the events of the job carry it, in place of the tag of the options.
    pub tag: u64,
}
