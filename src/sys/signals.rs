//! Which signals a thread blocks, and which the programs that it starts find blocked.
//!
//! Promise 10: the host's process stays as it is.
//!
//! # Guarantees
//!
//! * A handler of the host's never runs on a thread of the library's. Each blocks every signal that can be blocked for
//!   good reason, from its first instruction: whoever makes it blocks them too meanwhile, and it inherits that.
//! * A host's thread that polls a job has the mask it came with, from the end of the poll at the latest.
//! * A process forked on a thread of the library's, or in such a poll, has the host's mask.
//!
//! The runtime makes a thread for blocking tasks wherever a job asks for one, in a first poll on a host's thread too.
//! It asks for the thread's name just before, on the same thread; see [`before_spawn`]. There is one way past that: who
//! keeps the runtime's handle and calls `spawn_blocking` on a thread of its own outside of any poll. Such a thread
//! inherits an open mask and closes it in [`Mask::adopt`], the first thing it does; a signal may come in between.

use std::cell::Cell;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::ptr::null_mut;

/// What a program is to find blocked: its host's signals, as they were.
#[derive(Clone, Copy)]
pub(crate) struct Mask(libc::sigset_t);

thread_local! {
    /// The mask of the host: of the thread that made the runner this one belongs to, or of this one before a poll
    /// blocked everything. None while the thread has the host's mask anyway.
    static HOST: Cell<Option<Mask>> = const { Cell::new(None) };
    /// A host's thread polls a job.
    static POLLING: Cell<bool> = const { Cell::new(false) };
}

/// Faults are raised by the thread's own instructions, profilers count every thread.
const UNBLOCKED: [libc::c_int; 6] =
    [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGTRAP, libc::SIGPROF];

impl Mask {
    /// The host's, wherever this is called.
    fn of_host() -> Mask {
        HOST.get().unwrap_or_else(|| {
            // SAFETY: a set is plain memory, and zeros are one.
            let mut now = Mask(unsafe { std::mem::zeroed() });
            // SAFETY: reads this thread's mask into a set that outlives the call. It cannot fail; if it did, the set
            // would be the empty one.
            unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, std::ptr::null(), &mut now.0) };
            now
        })
    }

    /// Gives this thread the mask.
    fn set(&self) -> io::Result<()> {
        // SAFETY: a whole set, alive for the call. Allowed in a forked child.
        match unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &self.0, null_mut()) } {
            0 => Ok(()),
            error => Err(io::Error::from_raw_os_error(error)),
        }
    }

    /// Makes this thread one of the library's, for a host with this mask.
    pub(crate) fn adopt(self) {
        block();
        HOST.set(Some(self));
    }
}

fn block() {
    // SAFETY: the set is plain memory that sigfillset fills before it is read.
    unsafe {
        let mut all = std::mem::zeroed::<libc::sigset_t>();
        libc::sigfillset(&mut all);
        for signal in UNBLOCKED {
            libc::sigdelset(&mut all, signal);
        }
        libc::pthread_sigmask(libc::SIG_BLOCK, &all, null_mut());
    }
}

/// Until it is dropped, every signal is blocked in this thread, so that a thread made meanwhile is born that way.
pub(crate) struct Blocked {
    host: Mask,
    /// Of a thread of the library's, where they are blocked anyway.
    before: Option<Mask>,
}

impl Blocked {
    pub(crate) fn new() -> Blocked {
        let (before, host) = (HOST.get(), Mask::of_host());
        host.adopt();
        Blocked { host, before }
    }

    /// The mask that the host has outside of this.
    pub(crate) fn host(&self) -> Mask {
        self.host
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        HOST.set(self.before);
        if self.before.is_none() {
            let _ = self.host.set();
        }
    }
}

/// Until it is dropped, a job is polled on this thread, which may be a host's.
pub(crate) struct Poll {
    /// Not within another poll, nor on a thread of the library's.
    outermost: bool,
}

impl Poll {
    #[inline]
    pub(crate) fn begin() -> Poll {
        let outermost = !POLLING.get() && HOST.get().is_none();
        if outermost {
            POLLING.set(true);
        }
        Poll { outermost }
    }
}

impl Drop for Poll {
    #[inline]
    fn drop(&mut self) {
        if self.outermost {
            POLLING.set(false);
            // A forked child has got its mask back already.
            if let Some(host) = HOST.take() {
                let _ = host.set();
            }
        }
    }
}

/// This thread is about to make one for the runtime. In a poll it has blocked everything from here to the end of
/// the poll; elsewhere nobody would unblock it again.
pub(crate) fn before_spawn() {
    if POLLING.get() && HOST.get().is_none() {
        Mask::of_host().adopt();
    }
}

/// In a forked child: its thread is the host's from now on. Only asks the system for a mask, and stores to the
/// thread's cells.
pub(crate) fn in_child() {
    if let Some(host) = HOST.take() {
        let _ = host.set();
    }
}

/// Has a program that a job starts find the host's signals as the host has them.
///
/// The runner's threads block all signals, so that those of the host are handled on its own threads. A program that
/// is started there inherits that, and would outlive `SIGTERM` and Ctrl-C. With this it starts with the signals blocked
/// that the host's thread had blocked when it made the runner (and in a first poll on a host's thread, with that
/// thread's). Call it in the job, on the thread that starts the program or another of the runner's:
///
/// ```
/// use std::process::Command;
///
/// let runner = palitra::Runner::new()?;
/// let status = runner.run(async { palitra::host_signals(&mut Command::new("true")).status() })?;
/// assert!(status.is_ok_and(|status| status.success()));
/// # Ok::<(), palitra::Error>(())
/// ```
///
/// For `tokio::process` give it `command.as_std_mut()`. Programs started by `fork` and `exec` have the host's mask
/// without it; `posix_spawn`, and so a plain [`Command`], is the one that needs it.
pub fn host_signals(command: &mut Command) -> &mut Command {
    let mask = Mask::of_host();
    // SAFETY: runs in the forked child before exec, and only asks the system for a mask.
    unsafe { command.pre_exec(move || mask.set()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(signal: libc::c_int) -> bool {
        // SAFETY: a set filled by the first call, read by the second.
        unsafe {
            let mut now = std::mem::zeroed::<libc::sigset_t>();
            libc::pthread_sigmask(libc::SIG_SETMASK, std::ptr::null(), &mut now);
            libc::sigismember(&now, signal) == 1
        }
    }

    #[test]
    fn a_thread_is_made_under_a_closed_mask_that_ends_with_the_outermost_poll() {
        let outer = Poll::begin();
        {
            let _inner = Poll::begin();
            assert!(!blocks(libc::SIGUSR1));
            before_spawn();
            assert!(blocks(libc::SIGUSR1));
            assert!(!blocks(libc::SIGSEGV));
        }
        assert!(blocks(libc::SIGUSR1));
        drop(outer);
        assert!(!blocks(libc::SIGUSR1));
        before_spawn();
        assert!(!blocks(libc::SIGUSR1), "outside of a poll nobody would unblock it again");
    }

    #[test]
    fn a_poll_on_a_thread_of_the_librarys_leaves_its_mask_closed() {
        std::thread::spawn(|| {
            Mask::of_host().adopt();
            {
                let _poll = Poll::begin();
                before_spawn();
            }
            drop(Blocked::new());
            assert!(blocks(libc::SIGUSR1));
        })
        .join()
        .unwrap();
    }
}
