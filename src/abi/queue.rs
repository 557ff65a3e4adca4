//! The queue: finished jobs, told to an event loop or to a thread that waits.

use std::ffi::c_int;
use std::mem::MaybeUninit;

use crate::deadline::Until;
use crate::ffi::argument::{self, out_array};
use crate::ffi::boundary::{enter, enter_or};
use crate::ffi::handle;
use crate::ffi::types::{palitra_event, palitra_queue, palitra_status, palitra_token};
use crate::queue::Queue;
use crate::reply::Status;

/// Makes a queue. The caller frees it with palitra_queue_free.
///
/// Answers PALITRA_OK; PALITRA_INVALID_ARGUMENT for a NULL out; PALITRA_INTERNAL if the system refuses the
/// file descriptor; PALITRA_BUSY if as many queues exist as can be named, or 1,024 processes in this line of forks
/// have made some. Unless PALITRA_OK the out is the id 0.
#[unsafe(no_mangle)]
pub extern "C" fn palitra_queue_new(out: Option<&mut MaybeUninit<palitra_queue>>) -> palitra_status {
    enter(|| {
        let out = out.ok_or(Status::InvalidArgument)?.write(palitra_queue { id: 0 });
        *out = handle::of_queue(Queue::new()?)?;
        Ok(())
    })
}

/// Takes up to max events, in the order in which the jobs finished, and sets n to how many there were. Waits
/// for the first of them only. With a timeout of 0 a look into an empty queue costs next to nothing.
///
/// Answers PALITRA_OK with one event or more; PALITRA_PENDING past the timeout; PALITRA_END when the queue is
/// closed and empty; PALITRA_INVALID_ARGUMENT for NULL events or a max of 0; PALITRA_WOULD_DEADLOCK instead of
/// waiting on a runner's thread; PALITRA_INVALID_HANDLE, PALITRA_FORKED. Unless PALITRA_OK n is 0. The n may be
/// NULL only with a max of 1.
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
            if let Some(place) = places.next() {
                let token = event.token.map_or(palitra_token { id: 0 }, handle::of_token);
                place.write(palitra_event { tag: event.tag, token, status: event.status as i32 });
            }
        })?;
        if let Some(n) = n {
            *n = taken;
        }
        Ok(())
    })
}

/// A file descriptor that is readable while events wait, and after the queue was closed: for epoll, libuv,
/// GLib, asyncio. Poll it, level-triggered or edge-triggered, and then call palitra_queue_next with a timeout
/// of 0 until it answers PALITRA_PENDING; never read, write or close it. It belongs to the queue and is closed
/// by palitra_queue_free: remove it from the event loop before.
///
/// Answers -1 for no queue, a stale one or a parent's.
#[unsafe(no_mangle)]
pub extern "C" fn palitra_queue_fd(queue: palitra_queue) -> c_int {
    enter_or(-1, || handle::queue(queue).map_or(-1, |queue| queue.fd()))
}

/// Closes a queue: what finishes from now on is not told, palitra_queue_next drains what is left and then
/// answers PALITRA_END, also to those who wait. Closing again does nothing.
///
/// Answers PALITRA_OK, PALITRA_INVALID_HANDLE, PALITRA_FORKED.
#[unsafe(no_mangle)]
pub extern "C" fn palitra_queue_close(queue: palitra_queue) -> palitra_status {
    enter(|| handle::queue(queue).map(|queue| queue.close()))
}

/// Closes and frees a queue: the handle is stale from now on and events that wait are thrown away. Tokens that
/// were submitted with it live on. Whoever waits in palitra_queue_next is answered PALITRA_END.
///
/// Freeing a queue twice, or one that is none, does nothing; so does freeing a parent's in a forked child.
#[unsafe(no_mangle)]
pub extern "C" fn palitra_queue_free(queue: palitra_queue) {
    enter_or((), || {
        if let Ok(queue) = handle::free_queue(queue) {
            queue.close();
        }
    });
}
