//! Queued calls: jobs of a host that takes their calls out of a queue, in its own event loop and on
//! its own threads. No function of the host's is called: this is the way for interpreters, whose
//! code must not run on a thread of the library.

use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::sync::Arc;
use std::task::Waker;

use crate::ffi::argument::{self, text};
use crate::ffi::boundary::{enter, enter_or};
use crate::ffi::handle;
use crate::ffi::types::handle::{palitra_call, palitra_queue, palitra_runner};
use crate::ffi::types::job::palitra_job_info;
use crate::ffi::types::queue::palitra_event;
use crate::ffi::types::status::palitra_status;
use crate::queue::CallNotifier;
use crate::reply::Status;
use crate::runner::QueuedJob;

/// Registers a job of the host on one runner, as palitra_runner_register, with a queue in place of
/// a function: each time that the job is called, the queue gets an event with this tag and with
/// PALITRA_PENDING, whose call palitra_event_call returns. The host reads its payload with
/// palitra_call_payload, answers it with palitra_call_complete from any thread, now or later, and
/// frees it.
///
/// A call whose job ends before the host takes it, cancelled for example, is not delivered. A call
/// that waits in the queue is in flight: it counts for the limit of the runner, and a deadline ends
/// it. Whoever takes the calls must not wait for one of them on the same thread.
///
/// The registration lasts until the runner has ended or the queue is closed or freed, whichever
/// comes first. From then on a call fails at once with PALITRA_JOB_FAILED and a message; so do, when
/// the queue is freed, those that nobody has taken. Once the queue is closed or freed, the runner
/// takes another registration of that name.
///
/// @param runner       the runner
/// @param info         the name of the job and the format of its payload: see
///                     palitra_runner_register
/// @param queue        the queue; it may serve several jobs and runners, and be one that is also
///                     notified of tokens
/// @param tag          any number; the queue returns it with the events
/// @param max_waiting  how many calls may wait in the queue: one more fails at once, with
///                     PALITRA_JOB_FAILED and a message. 0: as many as the runner accepts.
///
/// @return one of these:
/// - PALITRA_OK
/// - PALITRA_INVALID_ARGUMENT: the info or its name is NULL, the name is empty or not UTF-8, a
///   format is unknown, or the runner has a registered job of this name
/// - PALITRA_INVALID_HANDLE: the runner or the queue is invalid
/// - PALITRA_END: the queue was closed
/// - PALITRA_SHUT_DOWN: the runner was shut down
/// - PALITRA_FORKED: the runner or the queue belongs to the parent process
#[unsafe(no_mangle)]
pub unsafe extern "C" fn palitra_runner_register_queued(
    runner: palitra_runner,
    info: Option<&palitra_job_info>,
    queue: palitra_queue,
    tag: u64,
    max_waiting: usize,
) -> palitra_status {
    enter(|| {
        let info = info.ok_or(Status::InvalidArgument)?;
        let name = argument::utf8(text!(info.name)?)?;
        let (input, _) = (argument::format(info.input)?, argument::format(info.output)?);
        if handle::queue(queue)?.is_closed() {
            return Err(Status::End);
        }
        let job = QueuedJob::new(handle::weak_queue(queue)?, tag, input, max_waiting);
        handle::with_core(runner, |core| core.register(name, Arc::new(job)))
    })
}

/// Returns the call that an event is about. Its status says what has happened:
///
/// - PALITRA_PENDING: a job was called, and the host takes the call with this event. It frees it
///   with palitra_call_free.
/// - PALITRA_CANCELLED, PALITRA_OK: see palitra_call_notify.
///
/// @param event  an event that palitra_queue_next has filled in
///
/// @return the call; the id 0 if the event is about a token, or is NULL
#[unsafe(no_mangle)]
pub extern "C" fn palitra_event_call(event: Option<&palitra_event>) -> palitra_call {
    let id = event.map_or(0, |event| event.token.id);
    palitra_call { id: enter_or(0, || if handle::is_call(id) { id } else { 0 }) }
}

/// Returns the payload of a call, however the job was registered. It lives until the call is freed,
/// and is not copied.
///
/// @param call  the call
/// @param data  receives where the payload is; a NUL that is not counted is behind it. NULL unless
///              the call returns PALITRA_OK.
/// @param len   receives its length in bytes; 0 unless the call returns PALITRA_OK
///
/// @return one of these:
/// - PALITRA_OK
/// - PALITRA_INVALID_ARGUMENT: data or len is NULL
/// - PALITRA_INVALID_HANDLE: the call is invalid
/// - PALITRA_FORKED: the call belongs to the parent process
#[unsafe(no_mangle)]
pub extern "C" fn palitra_call_payload(
    call: palitra_call,
    data: Option<&mut MaybeUninit<*const c_void>>,
    len: Option<&mut MaybeUninit<usize>>,
) -> palitra_status {
    enter(|| {
        let (data, len) = (data.map(|data| data.write(std::ptr::null())), len.map(|len| len.write(0)));
        let (data, len) = (data.ok_or(Status::InvalidArgument)?, len.ok_or(Status::InvalidArgument)?);
        let call = handle::call(call)?;
        *data = call.payload().as_ptr().cast();
        *len = call.payload().len();
        Ok(())
    })
}

/// Has a queue notified of a call, in place of the callback of palitra_call_on_cancel:
///
/// - once with PALITRA_CANCELLED, when the answer is not needed any more: the job was cancelled, its
///   deadline passed, or its runner ends;
/// - with PALITRA_OK, each time that palitra_call_send has returned PALITRA_PENDING and the item can
///   be sent again, or nobody reads the stream any more. So an event loop streams with a timeout
///   of 0 and never blocks.
///
/// The events may come after the call was answered or freed: palitra_event_call then returns a stale
/// handle.
///
/// @param call   the call
/// @param queue  the queue, which may be another than that of the job
/// @param tag    any number; the queue returns it with the events
///
/// @return one of these:
/// - PALITRA_OK
/// - PALITRA_END: the call was answered, and no event will come
/// - PALITRA_CANCELLED: the answer is not needed already, and no event will come
/// - PALITRA_INVALID_HANDLE: the call or the queue is invalid
/// - PALITRA_FORKED: the call or the queue belongs to the parent process
#[unsafe(no_mangle)]
pub extern "C" fn palitra_call_notify(call: palitra_call, queue: palitra_queue, tag: u64) -> palitra_status {
    enter(|| {
        let held = handle::call(call)?;
        let notifier = Arc::new(CallNotifier::new(handle::weak_queue(queue)?, tag, call.id));
        held.set_on_room(Waker::from(Arc::clone(&notifier)));
        held.set_on_cancel(Box::new(move || notifier.notify(Status::Cancelled)))
    })
}
