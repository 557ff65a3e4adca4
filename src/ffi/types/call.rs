//! The jobs of the host.

use std::ffi::c_void;

use super::handle::palitra_call;

/// Runs a job of the host: see palitra_runner_register. Is called on a thread of the runner, with no
/// lock of the library held, and must not block: it hands the call to whoever answers it, or
/// answers it itself. It may call every function that does not block.
///
/// @param call       the call, which the host frees with palitra_call_free
/// @param data       the payload, with a NUL behind it that is not counted. Lives until the function
///                   has returned and the call is freed.
/// @param len        the length of the payload in bytes
/// @param user_data  what palitra_runner_register was given
pub type palitra_job_fn =
    Option<unsafe extern "C" fn(call: palitra_call, data: *const c_void, len: usize, user_data: *mut c_void)>;

/// Is called once when the answer to a call is not needed any more, on the thread of whoever ended
/// it, which is mostly the runner's, and with no lock of the library held. It may call every
/// function that does not block.
///
/// @param call       the call
/// @param user_data  what palitra_call_on_cancel was given
pub type palitra_cancel_fn = Option<unsafe extern "C" fn(call: palitra_call, user_data: *mut c_void)>;
