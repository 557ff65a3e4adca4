//! One call of a job that the host has registered: from the host's function to the host's answer.
//!
//! The job's future waits for the [`Answer`], which any thread may give. What the host holds is the [`Call`]; the runner
//! holds [`Calling`], the future. Neither waits for the other.

mod answer;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use crate::current::works_for;
use crate::deadline::Until;
use crate::reply::{JobError, Reply, Status};
use crate::sync::Parker;
use crate::token::{Closed, TokenRef, with_parker};
use answer::Answer;

pub(crate) use answer::OnCancel;

/// The host's side.
pub(crate) struct Call {
    token: TokenRef,
    answer: Answer,
}

/// The runner's side: the job's future.
pub(crate) struct Calling(Arc<Call>);

impl Call {
    /// A call of the job with this token.
    pub(crate) fn begin(token: TokenRef) -> (Arc<Call>, Calling) {
        let call = Arc::new(Call { token, answer: Answer::default() });
        (Arc::clone(&call), Calling(call))
    }

    /// Answers the call. [`Status::End`] if it was answered before, [`Status::Cancelled`] if the answer is not needed.
    pub(crate) fn complete(&self, reply: Reply) -> Result<(), Status> {
        self.answer.give(reply)
    }

    /// The host has given up its handle: a call without an answer fails, and nobody waits forever.
    pub(crate) fn give_up(&self) {
        let _ = self.complete(JobError::from("the host gave up the call without an answer").into());
    }

    /// Has `function` called once if the call ends without an answer, in place of one that was to be called before.
    /// [`Status::End`] if it was answered, [`Status::Cancelled`] if it has ended so already.
    pub(crate) fn set_on_cancel(&self, function: OnCancel) -> Result<(), Status> {
        self.answer.set_on_cancel(function)
    }

    /// Whether nobody needs the answer: the job was cancelled, its deadline passed, its runner ends.
    pub(crate) fn is_cancelled(&self) -> bool {
        match self.answer.check_wanted() {
            Ok(()) => self.token.should_stop(),
            Err(status) => status == Status::Cancelled,
        }
    }

    /// Says how far it is.
    pub(crate) fn set_progress(&self, done: u64, total: u64) -> Result<(), Status> {
        self.answer.check_wanted()?;
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
                self.answer.check_wanted()?;
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
        self.0.answer.poll(cx)
    }
}

impl Drop for Calling {
    fn drop(&mut self) {
        self.0.answer.end();
    }
}
