//! Call: jobs of the host, which it registers on a runner and answers in its own language. Other
//! jobs, and the host itself, call them by name as any other job.

use std::ffi::c_void;

use crate::deadline::Until;
use crate::ffi::argument::{self, bytes, text};
use crate::ffi::boundary::{enter, enter_or};
use crate::ffi::callback::{self, UserData};
use crate::ffi::handle;
use crate::ffi::types::call::{palitra_cancel_fn, palitra_job_fn};
use crate::ffi::types::callback::palitra_free_fn;
use crate::ffi::types::handle::{palitra_call, palitra_runner};
use crate::ffi::types::job::palitra_job_info;
use crate::ffi::types::reply::palitra_format;
use crate::ffi::types::status::palitra_status;
use crate::reply::{Format, Reply, Status};
use crate::runner::copied;

/// Registers a job of the host on one runner. Whoever submits a job of this name to the runner, the
/// host or another job, has the function called. It comes before a job of the library that has the
/// same name, so that tests can replace one. Limits, deadlines, cancels, gathers and statistics
/// treat it as any job; it always starts on the runner's threads.
///
/// The registration lasts until the runner has ended.
///
/// @param runner          the runner
/// @param info            the name of the job, and the format of its payload: a payload that is not
///                        UTF-8 or not JSON is refused before the call, if that is its format. It is
///                        copied. The rest is for readers and may be NULL.
/// @param function        the job
/// @param user_data       passed to the function
/// @param free_user_data  frees the user data, exactly once, also if this call fails: when the
///                        runner has ended. May be NULL.
///
/// @return one of these:
/// - PALITRA_OK
/// - PALITRA_INVALID_ARGUMENT: the info, its name or the function is NULL, the name is empty or not
///   UTF-8, a format is unknown, or the runner has a registered job of this name
/// - PALITRA_INVALID_HANDLE: the runner is invalid
/// - PALITRA_SHUT_DOWN: the runner was shut down
/// - PALITRA_FORKED: the runner belongs to the parent process
#[unsafe(no_mangle)]
pub unsafe extern "C" fn palitra_runner_register(
    runner: palitra_runner,
    info: Option<&palitra_job_info>,
    function: palitra_job_fn,
    user_data: *mut c_void,
    free_user_data: palitra_free_fn,
) -> palitra_status {
    enter(|| {
        let user_data = UserData::new(user_data, free_user_data);
        let info = info.ok_or(Status::InvalidArgument)?;
        let name = argument::utf8(text!(info.name)?)?;
        let (input, _) = (argument::format(info.input)?, argument::format(info.output)?);
        let function = callback::on_call(function, input, user_data)?;
        handle::with_core(runner, |core| core.register(name, function))
    })
}

/// Answers a call: the job ends. Any thread may answer. Does not block.
///
/// @param call    the call
/// @param status  PALITRA_OK: the data is the reply. PALITRA_JOB_FAILED, PALITRA_JOB_PANICKED,
///                PALITRA_BAD_PAYLOAD, PALITRA_CANCELLED: the job ends so, and the data is a message
///                in UTF-8.
/// @param code    the number of a failure; 0 otherwise
/// @param format  the format of the data of a success
/// @param data    the reply or the message, which is copied; may be NULL if the length is 0
/// @param len     its length in bytes
///
/// @return one of these:
/// - PALITRA_OK
/// - PALITRA_END: the call was answered before
/// - PALITRA_CANCELLED: the answer is not needed: the job was cancelled, its deadline passed, or its
///   runner ended
/// - PALITRA_INVALID_ARGUMENT: the status is none of these, the format is unknown, a message or a
///   text is not UTF-8, or the data is NULL and the length is not 0. The call stays unanswered.
/// - PALITRA_TOO_LARGE: there is not enough memory for a copy. The call stays unanswered.
/// - PALITRA_INVALID_HANDLE: the call is invalid
/// - PALITRA_FORKED: the call belongs to the parent process
#[unsafe(no_mangle)]
pub unsafe extern "C" fn palitra_call_complete(
    call: palitra_call,
    status: palitra_status,
    code: i32,
    format: palitra_format,
    data: *const c_void,
    len: usize,
) -> palitra_status {
    enter(|| {
        let call = handle::call(call)?;
        let (format, data) = (argument::format(format)?, bytes!(data, len)?);
        call.complete(match Status::from_number(status) {
            Some(Status::Ok) => item(format, data)?,
            Some(ended @ (Status::JobFailed | Status::JobPanicked | Status::BadPayload | Status::Cancelled)) => {
                Reply::failed(ended, code, text_of(data)?, None)
            }
            _ => return Err(Status::InvalidArgument),
        })
    })
}

/// Sends an item of the job's stream. Blocks while its reader has enough to read.
///
/// @param call        the call
/// @param format      the format of the data
/// @param data        the item, which is copied; may be NULL if the length is 0
/// @param len         its length in bytes
/// @param timeout_ns  how long to wait for the reader; any negative number means forever
///
/// @return one of these:
/// - PALITRA_OK
/// - PALITRA_PENDING: the timeout passed, and the item was not sent
/// - PALITRA_END: nobody reads the stream, or the call was answered
/// - PALITRA_CANCELLED: the answer is not needed any more
/// - PALITRA_WOULD_DEADLOCK: the call would wait, and came from a job or a callback of its runner
/// - PALITRA_INVALID_ARGUMENT: the format is unknown, a text is not UTF-8, or the data is NULL and
///   the length is not 0
/// - PALITRA_TOO_LARGE: there is not enough memory for a copy
/// - PALITRA_INVALID_HANDLE: the call is invalid
/// - PALITRA_FORKED: the call belongs to the parent process
#[unsafe(no_mangle)]
pub unsafe extern "C" fn palitra_call_send(
    call: palitra_call,
    format: palitra_format,
    data: *const c_void,
    len: usize,
    timeout_ns: i64,
) -> palitra_status {
    enter(|| {
        let call = handle::call(call)?;
        let item = item(argument::format(format)?, bytes!(data, len)?)?;
        call.send(item, Until::after(argument::timeout(timeout_ns)))
    })
}

/// Says how far the job is, for those who read the progress of its token. Does not block.
///
/// @param call   the call
/// @param done   how much is done
/// @param total  how much there is to do
///
/// @return PALITRA_OK, or PALITRA_END, PALITRA_CANCELLED, PALITRA_INVALID_HANDLE or PALITRA_FORKED,
/// as palitra_call_complete
#[unsafe(no_mangle)]
pub extern "C" fn palitra_call_progress(call: palitra_call, done: u64, total: u64) -> palitra_status {
    enter(|| handle::call(call)?.set_progress(done, total))
}

/// Registers what is called when the answer to a call is not needed any more: the job was cancelled,
/// its deadline passed, or its runner ends. It takes the place of what was registered before. The
/// job's token has finished by then, and waits for nobody.
///
/// @param call            the call
/// @param function        the callback
/// @param user_data       passed to the callback
/// @param free_user_data  frees the user data, exactly once, also if this call fails: after the
///                        callback, or once it is clear that it will not be called. May be NULL.
///
/// @return one of these:
/// - PALITRA_OK
/// - PALITRA_END: the call was answered, and nothing will be called
/// - PALITRA_CANCELLED: the answer is not needed already, and nothing will be called
/// - PALITRA_INVALID_ARGUMENT: the function is NULL
/// - PALITRA_INVALID_HANDLE: the call is invalid
/// - PALITRA_FORKED: the call belongs to the parent process
#[unsafe(no_mangle)]
pub extern "C" fn palitra_call_on_cancel(
    call: palitra_call,
    function: palitra_cancel_fn,
    user_data: *mut c_void,
    free_user_data: palitra_free_fn,
) -> palitra_status {
    enter(|| {
        let user_data = UserData::new(user_data, free_user_data);
        let held = handle::call(call)?;
        held.set_on_cancel(callback::on_cancel(call, function, user_data)?)
    })
}

/// Asks whether the answer to a call is not needed any more.
///
/// @param call  the call
///
/// @return whether it is not; false for a call that was answered, for an invalid handle and for one
/// of the parent process
#[unsafe(no_mangle)]
pub extern "C" fn palitra_call_is_cancelled(call: palitra_call) -> bool {
    enter_or(false, || handle::call(call).is_ok_and(|call| call.is_cancelled()))
}

/// Frees a call. The handle is stale from now on. A call that was not answered fails: its job ends
/// with PALITRA_JOB_FAILED and a message. Does not block.
///
/// @param call  the call. An invalid handle, or one of the parent process, does nothing.
#[unsafe(no_mangle)]
pub extern "C" fn palitra_call_free(call: palitra_call) {
    enter_or((), || {
        if let Ok(call) = handle::free_call(call) {
            call.give_up();
        }
    });
}

/// A reply or an item of this format, of a copy of the data. [`Status::InvalidArgument`] for a text that is not UTF-8,
/// [`Status::TooLarge`] if there is no memory for the copy.
fn item(format: Format, data: &[u8]) -> Result<Reply, Status> {
    Ok(match format {
        Format::Bytes => Reply::success(format, copied(data)?),
        Format::Text | Format::Json => Reply::success(format, text_of(data)?.into_bytes()),
    })
}

/// Copied first: nothing of a length that no memory holds is read.
fn text_of(data: &[u8]) -> Result<String, Status> {
    String::from_utf8(copied(data)?).or(Err(Status::InvalidArgument))
}
