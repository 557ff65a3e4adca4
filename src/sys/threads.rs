//! Threads: whether so many can be made, found out before it is too late to refuse, and when one is gone.

use std::io;
use std::sync::mpsc::{Sender, channel};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

/// A thread as the system names it; 0 where it has no such names.
pub(crate) type ThreadId = i32;

/// The longest wait for the end of a thread.
const ENDING: Duration = Duration::from_secs(1);

/// Threads that do nothing but exist: proof that the system allows so many, which nobody else can take meanwhile.
pub(crate) struct Reserve {
    places: Vec<Place>,
}

struct Place {
    /// The thread ends when this is dropped.
    held: Sender<()>,
    thread: JoinHandle<ThreadId>,
}

impl Reserve {
    /// So many threads with stacks of so many bytes (0: as usual). None is left behind if one is refused.
    pub(crate) fn new(count: usize, stack: usize) -> io::Result<Reserve> {
        let mut reserve = Reserve { places: Vec::with_capacity(count) };
        for _ in 0..count {
            let (held, until) = channel::<()>();
            let mut builder = Builder::new();
            if stack > 0 {
                builder = builder.stack_size(stack);
            }
            let thread = builder.spawn(move || {
                // Ends when the sender does.
                let _ = until.recv();
                this_thread()
            })?;
            reserve.places.push(Place { held, thread });
        }
        Ok(reserve)
    }

    /// Ends one, so that there is room for a thread now.
    pub(crate) fn give_way(&mut self) {
        if let Some(place) = self.places.pop() {
            end(place);
        }
    }

    /// Ends all that are left.
    pub(crate) fn give_way_all(&mut self) {
        while !self.places.is_empty() {
            self.give_way();
        }
    }
}

impl Drop for Reserve {
    fn drop(&mut self) {
        self.give_way_all();
    }
}

fn end(place: Place) {
    drop(place.held);
    if let Ok(thread) = place.thread.join() {
        wait_until_gone(thread);
    }
}

/// The calling thread.
pub(crate) fn this_thread() -> ThreadId {
    #[cfg(target_os = "linux")]
    // SAFETY: a plain system call that cannot fail.
    return unsafe { libc::gettid() };
    #[cfg(not(target_os = "linux"))]
    0
}

/// Waits until a thread of this process no longer counts. A thread that was joined may still do, for a moment: the
/// system wakes who joins it before it takes it off its accounts.
pub(crate) fn wait_until_gone(thread: ThreadId) {
    let began = Instant::now();
    while is_there(thread) && began.elapsed() < ENDING {
        std::thread::yield_now();
    }
}

fn is_there(thread: ThreadId) -> bool {
    #[cfg(target_os = "linux")]
    // SAFETY: signal 0 is none; it asks whether the thread is there.
    return thread > 0 && unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), thread, 0) } == 0;
    #[cfg(not(target_os = "linux"))]
    return thread > 0;
}
