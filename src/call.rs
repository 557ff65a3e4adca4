//! One call of a job that the host has registered: from the host's function to the host's answer.
//!
//! The job's future waits for the answer, which any thread may give. What the host holds is the [`Call`]; the runner
//! holds [`Calling`], the future. Neither waits for the other.
//!
//! # States
//!
//! ```text
//!            the host completes it, or gives it up unanswered
//!   Open ──────────────────────────────────────────────────────► Answered ── the runner takes it ──► Ended
//!     │ the future is dropped: cancel, deadline, shutdown                                              ▲
//!     └────────────────────────────────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! # Guarantees
//!
//! * A call is answered once: of several answers the first counts, and the others learn that they are late.
//! * Whoever ends it by dropping the future calls the host's function for that, once and outside the lock. If the call
//!   was answered, the function is dropped uncalled.
//! * A call whose last handle is given up without an answer fails: nobody waits forever.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use crate::current::works_for;
use crate::deadline::Until;
use crate::reply::{JobError, Reply, Status};
use crate::sync::Parker;
use crate::token::{Closed, TokenRef, with_parker};

/// What is called when nobody needs the answer any more.
pub(crate) type OnCancel = Box<dyn FnOnce() + Send>;

/// The host's side.
pub(crate) struct Call {
    token: TokenRef,
    state: Mutex<State>,
}

enum State {
    Open {
        task: Option<Waker>,
        on_cancel: Option<OnCancel>,
    },
    Answered(Reply),
    /// Whether the answer was taken; else it was not needed any more.
    Ended {
        answered: bool,
    },
}

/// The runner's side: the job's future.
pub(crate) struct Calling(Arc<Call>);

impl Call {
    /// A call of the job with this token.
    pub(crate) fn begin(token: TokenRef) -> (Arc<Call>, Calling) {
        let state = Mutex::new(State::Open { task: None, on_cancel: None });
        let call = Arc::new(Call { token, state });
        (Arc::clone(&call), Calling(call))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers the call. [`Status::End`] if it was answered before, [`Status::Cancelled`] if the answer is not needed.
    pub(crate) fn complete(&self, reply: Reply) -> Result<(), Status> {
        let mut state = self.lock();
        state.check_open()?;
        let before = std::mem::replace(&mut *state, State::Answered(reply));
        drop(state);
        if let State::Open { task: Some(task), .. } = before {
            task.wake();
        }
        Ok(())
    }

    /// The host has given up its last handle.
    pub(crate) fn give_up(&self) {
        let _ = self.complete(JobError::from("the host gave up the call without an answer").into());
    }

    /// Has `function` called once if the call ends without an answer, in place of one that was to be called before.
    /// [`Status::End`] if it was answered, [`Status::Cancelled`] if it has ended so already.
    pub(crate) fn set_on_cancel(&self, function: OnCancel) -> Result<(), Status> {
        let mut function = Some(function);
        let mut state = self.lock();
        let result = state.check_open();
        if let (Ok(()), State::Open { on_cancel, .. }) = (result, &mut *state) {
            std::mem::swap(on_cancel, &mut function);
        }
        // The one that is dropped may be the host's to free: not under the lock.
        drop(state);
        drop(function);
        result
    }

    /// Whether nobody needs the answer: the job was cancelled, its deadline passed, its runner ends.
    pub(crate) fn is_cancelled(&self) -> bool {
        match *self.lock() {
            State::Open { .. } => self.token.should_stop(),
            State::Answered(_) => false,
            State::Ended { answered } => !answered,
        }
    }

    /// Says how far it is.
    pub(crate) fn set_progress(&self, done: u64, total: u64) -> Result<(), Status> {
        self.lock().check_open()?;
        self.token.set_progress(done, total);
        Ok(())
    }

    /// Sends an item of the job's stream; blocks while its reader has enough to read, at most until `until`.
    /// [`Status::Pending`] past that, [`Status::WouldDeadlock`] instead of blocking the runner's thread, [`Status::End`]
    /// if nobody reads or the call was answered, [`Status::Cancelled`].
    pub(crate) fn send(&self, item: Reply, until: Until) -> Result<(), Status> {
        let owner = self.token.runner().or(Err(Status::Cancelled))?;
        let mut item = Some(item);
        with_parker(|parker| {
            let waker = Waker::from(Arc::new(Unpark(Arc::clone(parker))));
            loop {
                self.lock().check_open()?;
                match self.token.poll_send(&mut item, &mut Context::from_waker(&waker)) {
                    Poll::Ready(Ok(())) => return Ok(()),
                    Poll::Ready(Err(Closed)) if self.is_cancelled() => return Err(Status::Cancelled),
                    Poll::Ready(Err(Closed)) => return Err(Status::End),
                    Poll::Pending if until.has_passed() => return Err(Status::Pending),
                    Poll::Pending if works_for(owner) => return Err(Status::WouldDeadlock),
                    Poll::Pending => parker.park_until(until.instant()),
                }
            }
        })
    }
}

impl State {
    fn check_open(&self) -> Result<(), Status> {
        match self {
            State::Open { .. } => Ok(()),
            State::Answered(_) | State::Ended { answered: true } => Err(Status::End),
            State::Ended { answered: false } => Err(Status::Cancelled),
        }
    }
}

/// Wakes a thread that waits to send.
struct Unpark(Arc<Parker>);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

impl Future for Calling {
    type Output = Reply;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Reply> {
        let mut state = self.0.lock();
        if let State::Open { task, .. } = &mut *state {
            task.clone_from(&Some(cx.waker().clone()));
            return Poll::Pending;
        }
        match std::mem::replace(&mut *state, State::Ended { answered: true }) {
            State::Answered(reply) => Poll::Ready(reply),
            _ => Poll::Ready(JobError::from("the call has ended").into()),
        }
    }
}

impl Drop for Calling {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        if let State::Ended { .. } = *state {
            return;
        }
        let answered = matches!(*state, State::Answered(_));
        let before = std::mem::replace(&mut *state, State::Ended { answered });
        drop(state);
        if let State::Open { on_cancel: Some(on_cancel), .. } = before {
            on_cancel();
        }
    }
}
