//! One call of a job that the host has registered: from the host's function to the host's answer.
//!
//! The job's future waits for the [`Answer`], which any thread may give. What the host holds is the [`Call`]; the runner
//! holds [`Calling`], the future. Neither waits for the other.
//!
//! # The rooms
//!
//! | room | what it holds |
//! |---|---|
//! | [`answer`] | the answer, which is given once or not needed any more |
//! | [`offer`] | a call that waits in a queue until its host takes it |

mod answer;
mod offer;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use crate::current::{RunnerId, works_for};
use crate::deadline::Until;
use crate::reply::{JobError, Reply, Status};
use crate::sync::{Mutex, Parker, lock};
use crate::token::{Closed, TokenRef, with_parker};
use answer::Answer;

pub(crate) use answer::OnCancel;
pub(crate) use offer::{Offer, Places};

/// The host's side.
pub(crate) struct Call {
    token: TokenRef,
    answer: Answer,
    /// With a NUL behind it that is not counted.
    payload: Vec<u8>,
    /// Woken when an item that found no room can be sent, if the host wants to be notified.
    on_room: Mutex<Option<Waker>>,
}

/// The runner's side: the job's future.
pub(crate) struct Calling(Arc<Call>);

impl Call {
    /// A call of the job with this token.
    pub(crate) fn begin(token: TokenRef, mut payload: Vec<u8>) -> (Arc<Call>, Calling) {
        payload.push(0);
        let call = Arc::new(Call { token, answer: Answer::default(), payload, on_room: Mutex::new(None) });
        (Arc::clone(&call), Calling(call))
    }

    /// What the job was called with. A NUL that is not counted follows it in memory.
    pub(crate) fn payload(&self) -> &[u8] {
        self.payload.split_last().map_or(&[], |(_, payload)| payload)
    }

    /// Answers the call. [`Status::End`] if it was answered before, [`Status::Cancelled`] if the answer is not needed.
    pub(crate) fn complete(&self, reply: Reply) -> Result<(), Status> {
        self.answer.give(reply)
    }

    /// The host has given up its handle: a call without an answer fails, and nobody waits forever.
    pub(crate) fn give_up(&self) {
        self.fail("the host gave up the call without an answer");
    }

    /// Nobody of the host's will answer the call: it fails, unless it was answered.
    pub(crate) fn fail(&self, message: &'static str) {
        let _ = self.complete(JobError::from(message).into());
    }

    /// Has `function` called once if the call ends without an answer, in place of one that was to be called before.
    /// [`Status::End`] if it was answered, [`Status::Cancelled`] if it has ended so already.
    pub(crate) fn set_on_cancel(&self, function: OnCancel) -> Result<(), Status> {
        self.answer.set_on_cancel(function)
    }

    /// Has `waker` woken each time that an item which found no room can be sent again, or that nobody reads any more.
    pub(crate) fn set_on_room(&self, waker: Waker) {
        let before = lock(&self.on_room).replace(waker);
        drop(before);
    }

    /// Whether nobody needs the answer: the job was cancelled, its deadline passed, its runner ends.
    pub(crate) fn is_cancelled(&self) -> bool {
        match self.answer.check_wanted() {
            Ok(()) => self.token.should_stop(),
            Err(status) => status == Status::Cancelled,
        }
    }

    /// Why no item can be sent any more.
    fn no_reader(&self) -> Status {
        if self.is_cancelled() { Status::Cancelled } else { Status::End }
    }

    /// Says how far it is.
    pub(crate) fn set_progress(&self, done: u64, total: u64) -> Result<(), Status> {
        self.answer.check_wanted()?;
        self.token.set_progress(done, total);
        Ok(())
    }

    /// Sends an item of the job's stream; blocks while its reader has enough to read, at most until `until`.
    /// [`Status::Pending`] past that, [`Status::WouldDeadlock`] instead of blocking the runner's thread, [`Status::End`]
    /// if nobody reads or the call was answered, [`Status::Cancelled`]. After `Pending` the waker of
    /// [`set_on_room`](Call::set_on_room) is woken.
    pub(crate) fn send(&self, item: Reply, until: Until) -> Result<(), Status> {
        self.answer.check_wanted()?;
        // A token that the host has released has no reader.
        let owner = self.token.runner().map_err(|_| self.no_reader())?;
        let on_room = lock(&self.on_room).clone();
        with_parker(|parker| {
            let unpark = Waker::from(Arc::new(Unpark(Arc::clone(parker))));
            let sent = self.send_from(owner, item, until, (parker, &unpark), on_room.as_ref());
            if sent.is_err() {
                self.token.forget_sender(&unpark);
            }
            sent
        })
    }

    /// The same, on the thread that this parker and waker are of.
    fn send_from(
        &self,
        owner: RunnerId,
        item: Reply,
        until: Until,
        (parker, unpark): (&Parker, &Waker),
        on_room: Option<&Waker>,
    ) -> Result<(), Status> {
        let mut item = Some(item);
        loop {
            self.answer.check_wanted()?;
            let is_last = until.has_passed();
            let waker = on_room.filter(|_| is_last).unwrap_or(unpark);
            match self.token.poll_send(&mut item, &mut Context::from_waker(waker)) {
                Poll::Ready(Ok(())) => return Ok(()),
                Poll::Ready(Err(Closed)) => return Err(self.no_reader()),
                Poll::Pending if is_last => return Err(Status::Pending),
                Poll::Pending if works_for(owner) => return Err(Status::WouldDeadlock),
                Poll::Pending => parker.park_until(until.instant()),
            }
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
        self.0.answer.poll(cx)
    }
}

impl Drop for Calling {
    fn drop(&mut self) {
        self.0.answer.end();
    }
}

#[cfg(all(test, not(palitra_model)))]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::reply::Format;
    use crate::token::{NewToken, create};

    #[test]
    fn a_sender_that_has_given_up_leaves_nothing_behind() {
        let (host, _job) = create(NewToken { runner: u32::MAX, ..NewToken::default() }).unwrap();
        let (call, _calling) = Call::begin(host.token(), Vec::new());
        let send = |timeout| {
            let until = Until::after(Some(timeout));
            call.send(Reply::success(Format::Bytes, Vec::new()), until)
        };
        while send(Duration::ZERO).is_ok() {}
        let sender = with_parker(Arc::clone);
        let users = Arc::strong_count(&sender);
        for timeout in [Duration::ZERO, Duration::from_millis(1)] {
            assert_eq!(send(timeout), Err(Status::Pending));
            assert_eq!(Arc::strong_count(&sender), users, "after {timeout:?}");
        }
    }
}
