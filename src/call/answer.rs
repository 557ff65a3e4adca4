//! The answer to a call: any thread of the host's gives it, the runner takes it, or it is not needed any more.
//!
//! # States
//!
//! ```text
//!             the host gives it
//!   Open ──────────────────────► Given ── the runner takes it, or ends ──► Ended, answered
//!     │ the runner ends: cancel, deadline, shutdown
//!     └──────────────────────────────────────────────────────────────────► Ended, unanswered
//! ```
//!
//! # Guarantees
//!
//! * Of several answers the first counts; the others learn that they are late.
//! * A runner that waits is woken by the answer.
//! * The host's function is called once if it ends unanswered, outside the lock; else it is dropped uncalled.

#[cfg(all(test, palitra_model))]
mod model;

use std::task::{Context, Poll, Waker};

use crate::reply::{JobError, Reply, Status};
use crate::sync::{Mutex, lock};

/// What is called when the answer is not needed any more.
pub(crate) type OnCancel = Box<dyn FnOnce() + Send>;

#[derive(Default)]
pub(super) struct Answer(Mutex<State>);

enum State {
    Open { task: Option<Waker>, on_cancel: Option<OnCancel> },
    Given(Reply),
    Ended { answered: bool },
}

impl Default for State {
    fn default() -> State {
        State::Open { task: None, on_cancel: None }
    }
}

impl State {
    fn check_wanted(&self) -> Result<(), Status> {
        match self {
            State::Open { .. } => Ok(()),
            State::Given(_) | State::Ended { answered: true } => Err(Status::End),
            State::Ended { answered: false } => Err(Status::Cancelled),
        }
    }
}

impl Answer {
    /// [`Status::End`] if it was given, [`Status::Cancelled`] if it is not needed.
    pub(super) fn check_wanted(&self) -> Result<(), Status> {
        lock(&self.0).check_wanted()
    }

    /// Gives it. Fails as [`check_wanted`](Answer::check_wanted).
    pub(super) fn give(&self, reply: Reply) -> Result<(), Status> {
        let mut state = lock(&self.0);
        state.check_wanted()?;
        let before = std::mem::replace(&mut *state, State::Given(reply));
        drop(state);
        if let State::Open { task: Some(task), .. } = before {
            task.wake();
        }
        Ok(())
    }

    /// Has `function` called if it ends unanswered, in place of the one before. Fails as
    /// [`check_wanted`](Answer::check_wanted).
    pub(super) fn set_on_cancel(&self, function: OnCancel) -> Result<(), Status> {
        let mut function = Some(function);
        let mut state = lock(&self.0);
        let result = state.check_wanted();
        if let State::Open { on_cancel, .. } = &mut *state {
            std::mem::swap(on_cancel, &mut function);
        }
        // The one that is dropped may be the host's to free: not under the lock.
        drop(state);
        drop(function);
        result
    }

    /// Takes it, or has the task of `cx` woken when it is given.
    pub(super) fn poll(&self, cx: &Context<'_>) -> Poll<Reply> {
        let mut state = lock(&self.0);
        if let State::Open { task, .. } = &mut *state {
            *task = Some(cx.waker().clone());
            return Poll::Pending;
        }
        match std::mem::replace(&mut *state, State::Ended { answered: true }) {
            State::Given(reply) => Poll::Ready(reply),
            _ => Poll::Ready(JobError::from("the call has ended").into()),
        }
    }

    /// The runner needs it no more.
    pub(super) fn end(&self) {
        let mut state = lock(&self.0);
        let answered = match *state {
            State::Open { .. } => false,
            State::Given(_) => true,
            State::Ended { answered } => answered,
        };
        let before = std::mem::replace(&mut *state, State::Ended { answered });
        drop(state);
        if let State::Open { on_cancel: Some(on_cancel), .. } = before {
            on_cancel();
        }
    }
}
