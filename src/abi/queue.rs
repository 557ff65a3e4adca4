//! Queue: the events of jobs, for an event loop or for a thread that waits.

use std::ffi::c_int;
use std::mem::MaybeUninit;

use crate::deadline::Until;
use crate::ffi::argument::{self, out_array};
use crate::ffi::boundary::{enter, enter_or};
use crate::ffi::handle;
use crate::ffi::types::handle::{palitra_queue, palitra_token};
use crate::ffi::types::queue::palitra_event;
use crate::ffi::types::status::palitra_status;
use crate::queue::{Queue, Subject};
use crate::reply::Status;

/// Makes a queue.
///
/// @param out  receives the queue, which the caller frees; the id 0 unless the call returns
///             PALITRA_OK
///
/// @return one of these:
/// - PALITRA_OK
/// - PALITRA_INVALID_ARGUMENT: out is NULL
/// - PALITRA_BUSY: no handle is left: see Handles at the top
#[unsafe(no_mangle)]
pub extern "C" fn palitra_queue_new(out: Option<&mut MaybeUninit<palitra_queue>>) -> palitra_status {
    enter(|| {
        let out = out.ok_or(Status::InvalidArgument)?.write(palitra_queue { id: 0 });
        *out = handle::of_queue(Queue::new())?;
        Ok(())
    })
}

/// Waits for the first event, and takes it and those that follow, in the order in which the jobs
/// finished. With a timeout of 0 it does not block, and an empty queue costs next to nothing.
///
/// @param queue       the queue
/// @param timeout_ns  how long to wait; any negative number means forever
/// @param events      receives the events
/// @param max         the most events to take, at least 1
/// @param n           receives how many there were, and 0 unless the call returns PALITRA_OK. May
///                    be NULL if max is 1.
///
/// @return one of these:
/// - PALITRA_OK: one event or more
/// - PALITRA_PENDING: the timeout passed
/// - PALITRA_END: the queue was closed, and is empty
/// - PALITRA_INVALID_ARGUMENT: events is NULL, max is 0, or n is NULL and max is not 1
/// - PALITRA_INVALID_HANDLE: the queue is invalid
/// - PALITRA_WOULD_DEADLOCK: the call would wait, and came from a job or a callback of any runner
/// - PALITRA_FORKED: the queue belongs to the parent process
#[unsafe(no_mangle)]
pub unsafe extern "C" fn palitra_queue_next(
    queue: palitra_queue,
    timeout_ns: i64,
    events: *mut palitra_event,
    max: usize,
    n: Option<&mut MaybeUninit<usize>>,
) -> palitra_status {
    enter(|| {
        let n = n.map(|n| n.write(0));
        let queue = handle::queue(queue)?;
        let events = out_array!(events, max)?.ok_or(Status::InvalidArgument)?;
        if n.is_none() && max > 1 {
            return Err(Status::InvalidArgument);
        }
        let mut places = events.iter_mut();
        let taken = queue.next(Until::after(argument::timeout(timeout_ns)), max, |event| {
            let token = match event.subject {
                Subject::Token(token) => Some(token.map_or(palitra_token { id: 0 }, handle::of_token)),
                Subject::Offer(offer) => handle::of_offer(offer).map(|call| palitra_token { id: call.id }),
                Subject::Call(id) => Some(palitra_token { id }),
            };
            let place = token.and_then(|token| Some((token, places.next()?)));
            place.is_some_and(|(token, place)| {
                place.write(palitra_event { tag: event.tag, token, status: event.status as i32 });
                true
            })
        })?;
        if let Some(n) = n {
            *n = taken;
        }
        Ok(())
    })
}

/// Returns a file descriptor that is readable while events wait, and once the queue was closed: for
/// epoll, libuv, GLib or asyncio. Whenever it is readable, level-triggered or edge-triggered, call
/// palitra_queue_next with a timeout of 0 as long as it returns PALITRA_OK. The descriptor belongs
/// to the queue: never read, write or close it, and remove it from the event loop before
/// palitra_queue_free. It is made at the first call: a host that never asks for it uses none, and
/// its jobs make no system call when they finish.
///
/// @param queue  the queue
///
/// @return the file descriptor, the same every time; -1 if the system refuses one, or the queue is
///         invalid or belongs to the parent process
#[unsafe(no_mangle)]
pub extern "C" fn palitra_queue_fd(queue: palitra_queue) -> c_int {
    enter_or(-1, || handle::queue(queue).ok().and_then(|queue| queue.fd().ok()).unwrap_or(-1))
}

/// Closes a queue: events of jobs that finish from now on are discarded, and calls of jobs that were
/// registered with it fail: see palitra_runner_register_queued. palitra_queue_next
/// returns the events that are left and then PALITRA_END, also to threads that wait in it. Closing
/// it again does nothing.
///
/// @param queue  the queue
///
/// @return one of these:
/// - PALITRA_OK
/// - PALITRA_INVALID_HANDLE: the queue is invalid
/// - PALITRA_FORKED: the queue belongs to the parent process
#[unsafe(no_mangle)]
pub extern "C" fn palitra_queue_close(queue: palitra_queue) -> palitra_status {
    enter(|| handle::queue(queue).map(|queue| queue.close()))
}

/// Closes and frees a queue. The handle is stale from now on, its events are discarded, calls that
/// nobody has taken fail, and a thread that waits in palitra_queue_next gets PALITRA_END. Tokens
/// that were submitted with the queue stay valid.
///
/// @param queue  the queue. An invalid handle, or one of the parent process, does nothing.
#[unsafe(no_mangle)]
pub extern "C" fn palitra_queue_free(queue: palitra_queue) {
    enter_or((), || {
        if let Ok(queue) = handle::free_queue(queue) {
            queue.close();
        }
    });
}
