//! Forked children: a hook that runs in each, how many forks lie behind a process, and values that each process has
//! for itself.
//!
//! Promise 9: a fork harms neither parent nor child.
//!
//! A child starts anew: it uses none of its parent's handles, locks or threads. It has one thread, the one that
//! forked; every other thread of the parent is gone, whatever it held. So the child must not touch a lock that a
//! parent's thread could have held, join a thread or drop an object that the parent still uses. Two means serve that:
//!
//! * [`depth`] counts the forks between the first process and this one. Whoever remembers the depth at which
//!   it was made knows in a forked child that it is not the child's: it returns `FORKED` and leaks.
//! * [`PerProcess`] gives each process in a chain of forks a value of its own, made at first use.
//!
//! Nothing happens before the fork. The hooks are registered when the library is loaded: later, a thread could be
//! forked between the first use of something here and the registration. They run in the child, where they store to
//! atomics and to cells of its one thread, and give that thread its host's signal mask. A child made without fork
//! handlers (a raw `clone` system call) is not seen.

use std::ptr::null_mut;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

static DEPTH: AtomicU32 = AtomicU32::new(0);

/// How many forks lie between the process that loaded the library and this one.
pub(crate) fn depth() -> u32 {
    DEPTH.load(Ordering::Relaxed)
}

/// Counts this process, a child of the one that was counted last. Exactly one hook calls this.
pub(crate) fn entered_child() {
    DEPTH.fetch_add(1, Ordering::Relaxed);
}

/// Registers a hook that runs in every forked child. Call this while the library is loaded; the hook may store to
/// atomics and to cells of its thread and make system calls that a signal handler may make, and do nothing else.
pub(crate) fn at_fork_in_child(hook: extern "C" fn()) {
    // SAFETY: the hook takes no argument, lives as long as the library, which is never unmapped (nodelete), and
    // does only what is allowed in the child of a threaded process.
    // A failure (no memory) leaves the library without the hook; nothing better can be done.
    let _ = unsafe { libc::pthread_atfork(None, None, Some(hook)) };
}

/// A value that every process in a chain of forks has for itself.
///
/// A child never looks at the value of its parent: a lock in it may be held forever by a thread that the
/// child does not have.
pub(crate) struct PerProcess<T> {
    value: OnceLock<T>,
    /// The child's, made by whichever descendant comes first. Not a lock: that descendant may be forked while one
    /// of its threads is making it, and its child goes the same way.
    child: AtomicPtr<PerProcess<T>>,
}

impl<T: Default> PerProcess<T> {
    pub(crate) const fn new() -> Self {
        PerProcess { value: OnceLock::new(), child: AtomicPtr::new(null_mut()) }
    }

    /// This process's value, made now if this is its first use.
    pub(crate) fn get(&'static self) -> &'static T {
        let own = (0..depth()).fold(self, |parent, _| parent.child());
        // Touched by this process alone: its children look further down.
        own.value.get_or_init(T::default)
    }

    fn child(&'static self) -> &'static PerProcess<T> {
        let mut child = self.child.load(Ordering::Acquire);
        if child.is_null() {
            let new = Box::into_raw(Box::new(PerProcess::new()));
            match self.child.compare_exchange(null_mut(), new, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => child = new,
                Err(quicker) => {
                    child = quicker;
                    // SAFETY: made above and given to nobody.
                    drop(unsafe { Box::from_raw(new) });
                }
            }
        }
        // SAFETY: not null, so it came from a Box that was given up for good.
        unsafe { &*child }
    }
}
