//! Panics of what is not the library's own: how they go no further, and where a job panicked.
//!
//! A panic carries something that is dropped where it is caught, and that may panic once more. Whoever catches one that
//! nobody is to learn of does it by [`contain`].
//!
//! # Where a job panicked
//!
//! For its reply there is a panic hook that only a program or a library asks for.
//!
//! A panic carries its text and not its place, which the hook alone is given. The hook is the process's or, in a shared
//! library, the library's own: its author may say, nobody else. Without this one the hook that is there prints every
//! panic to stderr, and a reply has the text alone.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::sync::Once;

use crate::current::works_for_any;

thread_local! {
    /// Of the last panic on this thread that was not reported yet.
    static PLACE: Cell<Option<String>> = const { Cell::new(None) };
}

/// Has the message of a job's panic say where it was, "the text (at src/lib.rs:12:5)", and keeps it off stderr: panics on
/// the threads of runners, and in jobs that are polled elsewhere, go to the log instead, as errors. Any other goes to
/// the hook that was there before.
///
/// A panic that a job passes on from a task says it where both were on one thread; the log does in any case.
///
/// The hook is set once, for the process, or in a shared library for that library: do this only where nobody else minds,
/// as in `main` or in a test. A library of jobs, which has no `main`, asks for the feature `panic-hook`, and the hook is
/// set as the library is loaded.
pub fn install_panic_hook() {
    static INSTALL: Once = Once::new();
    INSTALL.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |panic| if works_for_any() { note(panic) } else { before(panic) }));
    });
}

#[cfg(feature = "panic-hook")]
ctor::declarative::ctor! {
    #[ctor(unsafe)]
    fn install_at_load() {
        install_panic_hook();
    }
}

fn note(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let payload = panic.payload();
    let text = payload.downcast_ref::<String>().map(String::as_str).or(payload.downcast_ref::<&str>().copied());
    let text = text.unwrap_or("something that is not text");
    tracing::error!(target: "palitra", "panicked at {place}: {text}");
    let _ = PLACE.try_with(|last| last.set(Some(place)));
}

/// The text of a panic that was caught on this thread, with its place if that is known.
pub(crate) fn with_place(text: String) -> String {
    match PLACE.try_with(Cell::take).ok().flatten() {
        Some(place) => format!("{text} (at {place})"),
        None => text,
    }
}

/// Calls what may panic, for somebody who has more to do. `None` if it has panicked.
#[inline]
pub(crate) fn contain<R>(act: impl FnOnce() -> R) -> Option<R> {
    match catch_unwind(AssertUnwindSafe(act)) {
        Ok(returned) => Some(returned),
        Err(panic) => {
            discard(panic);
            let _ = PLACE.try_with(Cell::take);
            None
        }
    }
}

/// Drops what a panic carried. What that panics with is left as it is: it could do the same.
#[cold]
pub(crate) fn discard(panic: Box<dyn Any + Send>) {
    if let Err(another) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
        std::mem::forget(another);
    }
}
