//! What programs were compiled with and may never change: numbers and sizes, checked when the library is compiled.

// The numbers are the core's.
const _: () = {
    use super::types::{log::*, reply::*, status::*};
    use crate::reply::{Format, Status};
    assert!(PALITRA_OK == Status::Ok as i32);
    assert!(PALITRA_PENDING == Status::Pending as i32);
    assert!(PALITRA_END == Status::End as i32);
    assert!(PALITRA_JOB_FAILED == Status::JobFailed as i32);
    assert!(PALITRA_JOB_PANICKED == Status::JobPanicked as i32);
    assert!(PALITRA_CANCELLED == Status::Cancelled as i32);
    assert!(PALITRA_DEADLINE == Status::Deadline as i32);
    assert!(PALITRA_BAD_PAYLOAD == Status::BadPayload as i32);
    assert!(PALITRA_INVALID_ARGUMENT == Status::InvalidArgument as i32);
    assert!(PALITRA_INVALID_HANDLE == Status::InvalidHandle as i32);
    assert!(PALITRA_UNKNOWN_JOB == Status::UnknownJob as i32);
    assert!(PALITRA_BUSY == Status::Busy as i32);
    assert!(PALITRA_TOO_LARGE == Status::TooLarge as i32);
    assert!(PALITRA_WOULD_DEADLOCK == Status::WouldDeadlock as i32);
    assert!(PALITRA_SHUT_DOWN == Status::ShutDown as i32);
    assert!(PALITRA_FORKED == Status::Forked as i32);
    assert!(PALITRA_INTERNAL == Status::Internal as i32);
    assert!(PALITRA_LOG_OFF == 0);
    assert!(PALITRA_LOG_ERROR == 1);
    assert!(PALITRA_LOG_WARN == 2);
    assert!(PALITRA_LOG_INFO == 3);
    assert!(PALITRA_LOG_DEBUG == 4);
    assert!(PALITRA_LOG_TRACE == 5);
    assert!(PALITRA_LOG_TRACE == crate::log::MAX_LEVEL as i32);
    assert!(PALITRA_BYTES == Format::Bytes as i32);
    assert!(PALITRA_TEXT == Format::Text as i32);
    assert!(PALITRA_JSON == Format::Json as i32);
};

// The layouts that hosts were compiled with.
#[cfg(target_pointer_width = "64")]
const _: () = {
    use std::ffi::c_void;

    use super::types::{
        handle::palitra_runner, queue::palitra_event, reply::palitra_reply, runner::palitra_runner_options,
        stats::palitra_stats, submit::palitra_submit_options,
    };
    assert!(size_of::<palitra_runner_options>() == 96);
    assert!(size_of::<palitra_submit_options>() == 40);
    assert!(size_of::<palitra_stats>() == 80);
    assert!(size_of::<palitra_event>() == 24);
    assert!(size_of::<palitra_reply>() == 40);
    assert!(size_of::<palitra_runner>() == 8);
    assert!(size_of::<*const c_void>() == size_of::<usize>());
};
