//! The two holders of a token: the host's side, which waits and cancels, and the job's, which finishes it.

use std::task::Waker;
use std::time::Instant;

use super::slot::NewToken;
use super::table::{self, FreeSlots, TokenId, TokenRef, find};
use crate::reply::{Reply, Status};

/// Makes a pending token. [`Status::Busy`] when every slot that an index can name is taken.
#[inline]
pub(crate) fn create(new: NewToken) -> Result<(HostSide, JobSide), Status> {
    Ok(sides(table::open(new)?))
}

/// The same in a slot that was taken before.
#[inline]
pub(crate) fn create_in(slots: &mut FreeSlots, new: NewToken) -> Result<(HostSide, JobSide), Status> {
    Ok(sides(slots.open(new)?))
}

#[inline(always)]
fn sides(token: TokenRef) -> (HostSide, JobSide) {
    (HostSide { token }, JobSide { id: token.id() })
}

/// The host's hold on a token. Dropped, it releases the token: the job runs on detached, its reply is discarded.
pub(crate) struct HostSide {
    token: TokenRef,
}

impl HostSide {
    pub(crate) fn token(&self) -> TokenRef {
        self.token
    }

    /// Passes the hold to whoever will call [`TokenRef::release_host`] with this name.
    pub(crate) fn into_id(self) -> TokenId {
        let id = self.token.id();
        std::mem::forget(self);
        id
    }
}

impl Drop for HostSide {
    fn drop(&mut self) {
        // In a forked child the slot is the parent's and must not be touched.
        if let Ok(token) = find(self.token.id()) {
            let _ = token.release_host();
        }
    }
}

/// The runner's hold on a token. Dropped unfinished, it finishes the token as cancelled.
///
/// No more than a name, so that a queue of them is small.
pub(crate) struct JobSide {
    id: TokenId,
}

impl JobSide {
    pub(crate) fn id(&self) -> TokenId {
        self.id
    }

    /// The token; `None` in a forked child, where it is the parent's and must not be touched.
    fn find(&self) -> Option<TokenRef> {
        find(self.id).ok()
    }

    /// The payload of a job that is to start; `None` if the token has finished and the job need not.
    pub(crate) fn take_payload(&self) -> Option<Vec<u8>> {
        self.find()?.lock_for_job()?.take_payload()
    }

    /// When the token is to finish.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.find()?.deadline()
    }

    /// How the token finished; cancelled if it has not, which is what dropping this makes of it.
    pub(crate) fn ending(&self) -> Status {
        self.finished_with().unwrap_or(Status::Cancelled)
    }

    /// How the token finished, if it has.
    pub(crate) fn finished_with(&self) -> Option<Status> {
        let mut token = self.find().and_then(TokenRef::lock_for_job)?;
        Some(token.reply()?.status())
    }

    /// Finishes the token with the job's reply, unless it has finished already.
    pub(crate) fn finish(self, reply: Reply) {
        self.release(reply);
        std::mem::forget(self);
    }

    /// Whether the job is to be dropped instead of polled; if not, `task` is woken when that changes.
    pub(crate) fn poll_should_stop(&self, task: &Waker) -> bool {
        let token = self.find().and_then(TokenRef::lock_for_job);
        token.is_none_or(|mut token| token.poll_should_stop(task))
    }

    fn release(&self, reply: Reply) {
        if let Some(token) = self.find().and_then(TokenRef::lock_for_job)
            && token.release_job(reply)
        {
            table::release(self.id);
        }
    }
}

impl Drop for JobSide {
    fn drop(&mut self) {
        self.release(Reply::ending(Status::Cancelled));
    }
}
