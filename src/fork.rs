//! What a forked child sees: none of its parent's handles, locks or threads, and a clean start of its own.
//!
//! A child has one thread, the one that forked; every other thread of the parent is gone, whatever it held.
//! So the child must not touch a lock that a parent's thread could have held, join a thread or drop an object
//! that the parent still uses. Two means serve that:
//!
//! * [`depth`] counts the forks between the first process and this one. Whoever remembers the depth at which
//!   it was made knows in a forked child that it is not the child's: it answers `FORKED` and leaks.
//! * [`PerProcess`] gives each process in a chain of forks a value of its own, made at first use.
//!
//! Nothing happens before the fork. The hooks, registered when the first runner is made, run in the child and
//! only store to atomics. A child made without fork handlers (a raw `clone` system call) is not seen.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

static DEPTH: AtomicU32 = AtomicU32::new(0);

/// How many forks lie between the process that loaded the library and this one.
pub(crate) fn depth() -> u32 {
    DEPTH.load(Ordering::Relaxed)
}

/// To be called by exactly one hook: this process is a child of the one that was counted last.
pub(crate) fn entered_child() {
    DEPTH.fetch_add(1, Ordering::Relaxed);
}

/// What runs in every forked child. It may store to atomics and do nothing else.
pub(crate) struct ChildHook {
    run: extern "C" fn(),
    registered: AtomicBool,
}

impl ChildHook {
    pub(crate) const fn new(run: extern "C" fn()) -> Self {
        ChildHook { run, registered: AtomicBool::new(false) }
    }

    /// Registers the hook, once. Never waits for another thread, so it is safe in a child as well.
    #[allow(unsafe_code)]
    pub(crate) fn register(&self) {
        if self.registered.swap(true, Ordering::Relaxed) {
            return;
        }
        // SAFETY: the hook takes no argument, lives as long as the library, which is never unmapped
        // (nodelete), and does only what is allowed in the child of a threaded process: atomic stores.
        // A failure (no memory) leaves the library without the hook; there is no better answer.
        let _ = unsafe { libc::pthread_atfork(None, None, Some(self.run)) };
    }
}

/// A value that every process in a chain of forks has for itself.
///
/// A child never looks at the value of its parent: a lock in it may be held for ever by a thread that the
/// child does not have.
pub(crate) struct PerProcess<T> {
    value: OnceLock<T>,
    child: OnceLock<Box<PerProcess<T>>>,
}

impl<T: Default> PerProcess<T> {
    pub(crate) const fn new() -> Self {
        PerProcess { value: OnceLock::new(), child: OnceLock::new() }
    }

    /// This process's value, made now if this is its first use.
    pub(crate) fn get(&self) -> &T {
        let mut own = self;
        // Only processes deeper than `own` initialise `own.child`, so no thread of a parent can have been
        // in the middle of it when this process was forked.
        for _ in 0..depth() {
            own = own.child.get_or_init(|| Box::new(PerProcess::new()));
        }
        own.value.get_or_init(T::default)
    }
}
