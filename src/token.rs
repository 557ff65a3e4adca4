//! One submitted job, seen from both sides: pending, then finished, exactly once.
//!
//! The host holds a [`HostSide`] (behind a C handle or a Rust token): it waits, polls, cancels. The runner
//! holds a [`JobSide`]: it finishes. Anyone may keep a [`TokenId`], which is only a name.
//!
//! # Guarantees
//!
//! * A token finishes exactly once, with one reply, whoever comes first: the job, a cancel, a deadline, a
//!   shutdown. Later attempts change nothing and say so.
//! * Nothing is left waiting: a job side that is dropped, wherever and why ever, finishes its token.
//! * A host's deadline holds also when the runner's thread is busy: whoever waits or polls enforces it.
//! * Observers are told outside the lock, once, after the reply can be read.
//! * A token's slot is reused only when both sides have let go; its generation then tells the old name from
//!   the new one.
//!
//! # States
//!
//! ```text
//!            create                finish / cancel / deadline / job side dropped
//!   Vacant ----------> Pending ---------------------------------------------> Finished
//!     ^                   | host lets go: still runs, nobody will read it        |
//!     |                   v                                                      |
//!     +---- job side lets go <----------- host lets go --------------------------+
//! ```
//!
//! `Vacant` is a slot that neither side holds. `Pending` is `Queued`, with the payload of a job that has not begun,
//! and then `Running`; `Finished` has a reply.

mod completion;
mod handle;
#[cfg(all(test, palitra_model))]
mod model;
mod state;
mod stream;

use std::task::{Context, Poll, Waker};
use std::time::Instant;

use crate::arena::{Arena, Lookup};
use crate::current::{RunnerId, works_for};
use crate::reply::{Reply, Status};
use crate::sync::Parker;
use std::sync::Arc;

pub(crate) use completion::{Call, Callback, Event, Events};
pub(crate) use handle::Output;
pub use handle::{JobToken, Token};
pub(crate) use state::{Observer, Reading, Tenant, TokenCell, earlier};
pub(crate) use stream::Closed;

static TOKENS: Arena<TokenCell> = Arena::new();

/// Names a token: the place of its slot and which of the slot's tenants it is. A stale name finds nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TokenId {
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

/// A token found by its name: valid now, checked again under the slot's lock by every use.
#[derive(Clone, Copy)]
pub(crate) struct TokenRef {
    cell: &'static TokenCell,
    id: TokenId,
}

/// The slots that keep their memory while they are vacant; the last one that was given back is used first, so a runner
/// with fewer tokens at a time allocates none. Half a mebibyte.
const KEPT: u32 = 4096;

/// Makes a pending token. Fails with [`Status::Busy`] when every slot that an index can name is taken.
#[inline]
pub(crate) fn create(tenant: Tenant) -> Result<(HostSide, JobSide), Status> {
    let (index, cell) = TOKENS.take().ok_or(Status::Busy)?;
    let generation = cell.open(tenant, index < KEPT);
    let id = TokenId { index, generation };
    Ok((HostSide { token: TokenRef { cell, id } }, JobSide { id }))
}

/// The token with this name. [`Status::Forked`] if it is a parent's; whether it is stale shows at its use.
pub(crate) fn find(id: TokenId) -> Result<TokenRef, Status> {
    match TOKENS.get(id.index) {
        Lookup::Found(cell) => Ok(TokenRef { cell, id }),
        Lookup::Nothing => Err(Status::InvalidHandle),
        Lookup::Forked => Err(Status::Forked),
    }
}

/// Finishes every unfinished token of a runner.
pub(crate) fn finish_all_of(runner: RunnerId, status: Status) {
    for cell in TOKENS.all() {
        cell.finish_tenant_of(runner, status);
    }
}

/// Finishes every token of a runner whose deadline has passed. The next deadline of one that is pending.
pub(crate) fn expire_all_of(runner: RunnerId) -> Option<Instant> {
    TOKENS.all().filter_map(|cell| cell.expire_tenant_of(runner)).min()
}

/// In a forked child: every token of the parent answers `FORKED`.
pub(crate) fn abandon() {
    TOKENS.abandon();
}

impl TokenRef {
    pub(crate) fn id(self) -> TokenId {
        self.id
    }

    /// The reply if the token has finished; [`Status::Pending`] if not, [`Status::InvalidHandle`] if it is stale.
    pub(crate) fn poll(self) -> Result<Reply, Status> {
        self.cell.poll(self.id.generation)
    }

    /// How the token finished, or [`Status::Pending`]; [`Status::InvalidHandle`] if it is stale.
    pub(crate) fn status(self) -> Result<Status, Status> {
        self.cell.status(self.id.generation)
    }

    /// The same, for a token that must be of this runner ([`Status::InvalidArgument`]).
    pub(crate) fn status_on(self, runner: RunnerId) -> Result<Status, Status> {
        match self.cell.look(self.id.generation, |reply| reply.status()) {
            (_, Err(Status::InvalidHandle)) => Err(Status::InvalidHandle),
            (owner, _) if owner != runner => Err(Status::InvalidArgument),
            (_, answer) => Ok(answer.unwrap_or_else(|pending| pending)),
        }
    }

    /// The runner it was submitted to.
    pub(crate) fn runner(self) -> Result<RunnerId, Status> {
        self.cell.runner(self.id.generation)
    }

    /// [`Status::InvalidArgument`] if the token is another runner's.
    pub(crate) fn check_runner(self, runner: RunnerId) -> Result<(), Status> {
        if self.cell.runner(self.id.generation)? == runner { Ok(()) } else { Err(Status::InvalidArgument) }
    }

    /// Blocks until the token has finished or `until` has passed ([`Status::Pending`]).
    /// [`Status::WouldDeadlock`] instead of blocking on the thread of the token's own runner.
    pub(crate) fn wait_until(self, until: Until) -> Result<Reply, Status> {
        let (runner, answer) = self.cell.look(self.id.generation, |reply| reply.clone());
        self.wait_if_pending(runner, answer, until)
    }

    /// The same, for a token that must be of this runner ([`Status::InvalidArgument`]).
    pub(crate) fn wait_on(self, runner: RunnerId, until: Until) -> Result<Reply, Status> {
        // One look for all three questions: whose it is, whether it has finished, with what.
        match self.cell.look(self.id.generation, |reply| reply.clone()) {
            (_, Err(Status::InvalidHandle)) => Err(Status::InvalidHandle),
            (owner, _) if owner != runner => Err(Status::InvalidArgument),
            (_, answer) => self.wait_if_pending(runner, answer, until),
        }
    }

    fn wait_if_pending(self, runner: RunnerId, answer: Result<Reply, Status>, until: Until) -> Result<Reply, Status> {
        if !matches!(answer, Err(Status::Pending)) || until.has_passed() {
            return answer;
        }
        if works_for(runner) {
            return Err(Status::WouldDeadlock);
        }
        with_parker(|parker| self.cell.wait_until(self.id.generation, parker, until.instant()))
    }

    pub(crate) fn check_may_block(self) -> Result<(), Status> {
        if works_for(self.cell.runner(self.id.generation)?) {
            return Err(Status::WouldDeadlock);
        }
        Ok(())
    }

    /// The state once more, and if it is pending, a promise to call `observer` when it finishes.
    pub(crate) fn observe(self, observer: &Arc<dyn Observer>, tag: u32) -> Result<Status, Status> {
        self.cell.observe(self.id.generation, observer, tag)
    }

    pub(crate) fn unobserve(self, observer: &Arc<dyn Observer>) {
        self.cell.unobserve(self.id.generation, observer);
    }

    /// Ends the token with `status` if it is still pending, and wakes the job so that it is dropped.
    pub(crate) fn end(self, status: Status) -> Result<bool, Status> {
        self.cell.end(self.id.generation, status)
    }

    /// Whether the job need not go on: the token has finished, or is gone.
    pub(crate) fn is_over(self) -> bool {
        self.cell.is_over(self.id.generation)
    }

    /// When the token is to finish.
    pub(crate) fn deadline(self) -> Option<Instant> {
        self.cell.deadline(self.id.generation)
    }

    /// Sets when the token is to finish. Of a token whose job no task drives yet.
    pub(crate) fn set_deadline(self, deadline: Instant) {
        self.cell.set_deadline(self.id.generation, deadline);
    }

    /// The job says how far it is.
    pub(crate) fn set_progress(self, done: u64, total: u64) {
        self.cell.set_progress(self.id.generation, done, total);
    }

    /// How far the job said it is: done and total.
    pub(crate) fn progress(self) -> Result<(u64, u64), Status> {
        self.cell.progress(self.id.generation)
    }

    /// The job sends an item; `Pending` while the reader has enough to read.
    pub(crate) fn poll_send(self, item: &mut Option<Reply>, cx: &mut Context<'_>) -> Poll<Result<(), Closed>> {
        match self.cell.sending(self.id.generation) {
            Some(stream) => stream.poll_send(item, cx),
            None => Poll::Ready(Err(Closed)),
        }
    }

    /// The next item of a stream. After the last one how the job ended, with [`Status::End`] for a success.
    /// [`Status::Pending`] past `until`, [`Status::WouldDeadlock`] instead of blocking on its runner's thread.
    pub(crate) fn next_item(self, until: Until) -> Result<Reply, Status> {
        with_parker(|parker| {
            let observer: Arc<dyn Observer> = Arc::clone(parker) as _;
            let (mut observing, mut registered) = (false, false);
            loop {
                // In this order: all items were sent before the token finished.
                let (stream, runner, finished) = self.cell.reading(self.id.generation)?;
                let reader = (!until.has_passed()).then_some(parker);
                let item = stream.take(reader);
                registered |= item.is_none() && reader.is_some();
                let answer = match (item, finished) {
                    (Some(item), _) => Some(Ok(item)),
                    (None, Some(Status::Ok)) => Some(Err(Status::End)),
                    (None, Some(_)) => Some(self.poll()),
                    (None, None) if until.has_passed() => Some(Err(Status::Pending)),
                    (None, None) if works_for(runner) => Some(Err(Status::WouldDeadlock)),
                    (None, None) => None,
                };
                if let Some(answer) = answer {
                    if registered {
                        self.unobserve(&observer);
                        stream.forget(parker);
                    }
                    return answer;
                }
                if !observing {
                    observing = true;
                    // Finished meanwhile: look again.
                    if self.observe(&observer, 0)? != Status::Pending {
                        continue;
                    }
                }
                parker.park_until(earlier(until.instant(), self.deadline()));
            }
        })
    }

    /// Tells `observer` when the token finishes, also if the host lets go of it before.
    pub(crate) fn set_completion(self, observer: Arc<dyn Observer>) {
        self.cell.set_completion(self.id.generation, observer);
    }

    /// Tells the queue of `events` when an item is there to be read, each time that a reader had found none. Of a
    /// token that nobody reads yet.
    pub(crate) fn set_item_events(self, events: Arc<Events>) {
        if let Ok((stream, ..)) = self.cell.reading(self.id.generation) {
            stream.tell(events);
        }
    }

    /// The host lets go: later uses of the name find nothing, the job runs on.
    /// [`Status::InvalidHandle`] if the host had done so before.
    pub(crate) fn release_host(self) -> Result<(), Status> {
        if self.cell.release_host(self.id.generation)? {
            TOKENS.give_back(self.id.index);
        }
        Ok(())
    }
}

/// The host's hold on a token. Dropped, it lets go: the job runs on and its reply is thrown away.
pub(crate) struct HostSide {
    token: TokenRef,
}

impl HostSide {
    pub(crate) fn token(&self) -> TokenRef {
        self.token
    }

    /// Gives the hold to whoever will call [`TokenRef::release_host`] with this name.
    pub(crate) fn into_id(self) -> TokenId {
        let id = self.token.id;
        std::mem::forget(self);
        id
    }
}

impl Drop for HostSide {
    fn drop(&mut self) {
        // In a forked child the slot is the parent's and must not be touched.
        if let Ok(token) = find(self.token.id) {
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
    /// The token; `None` in a forked child, where it is the parent's and must not be touched.
    fn find(&self) -> Option<TokenRef> {
        find(self.id).ok()
    }

    /// The payload of a job that is to begin; `None` if the token has finished and it need not.
    pub(crate) fn begin(&self) -> Option<Vec<u8>> {
        self.find()?.cell.begin()
    }

    /// When the token is to finish.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.find()?.deadline()
    }

    /// How the token finished; cancelled if it has not, which is what dropping this makes of it.
    pub(crate) fn ending(&self) -> Status {
        self.find().map_or(Status::Cancelled, |token| token.cell.ending())
    }

    pub(crate) fn id(&self) -> TokenId {
        self.id
    }

    /// Finishes the token with the job's reply, unless it has finished already.
    pub(crate) fn finish(self, reply: Reply) {
        self.release(reply);
        std::mem::forget(self);
    }

    /// Whether the job is to be dropped instead of polled; if not, `task` is woken when that changes.
    pub(crate) fn is_over(&self, task: &Waker) -> bool {
        self.find().is_none_or(|token| token.cell.is_over_or_wake(self.id.generation, task))
    }

    fn release(&self, reply: Reply) {
        if let Some(token) = self.find()
            && token.cell.release_job(reply)
        {
            TOKENS.give_back(self.id.index);
        }
    }
}

impl Drop for JobSide {
    fn drop(&mut self) {
        self.release(Reply::ending(Status::Cancelled));
    }
}

/// How long a call may block.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Until {
    /// Not at all.
    Now,
    /// Until this moment.
    At(Instant),
    /// For ever.
    Forever,
}

impl Until {
    pub(crate) fn after(timeout: Option<std::time::Duration>) -> Until {
        match timeout {
            None => Until::Forever,
            Some(timeout) if timeout.is_zero() => Until::Now,
            // A moment that the clock cannot name is as good as never.
            Some(timeout) => Instant::now().checked_add(timeout).map_or(Until::Forever, Until::At),
        }
    }

    pub(crate) fn instant(self) -> Option<Instant> {
        match self {
            Until::Now => Some(Instant::now()),
            Until::At(instant) => Some(instant),
            Until::Forever => None,
        }
    }

    pub(crate) fn has_passed(self) -> bool {
        match self {
            Until::Now => true,
            Until::At(instant) => instant <= Instant::now(),
            Until::Forever => false,
        }
    }
}

thread_local! {
    static PARKER: Arc<Parker> = Arc::new(Parker::default());
}

/// Calls `wait` with the calling thread's parker, or with a new one while the thread is ending.
pub(crate) fn with_parker<R>(wait: impl FnOnce(&Arc<Parker>) -> R) -> R {
    let parker = PARKER.try_with(Arc::clone).unwrap_or_default();
    wait(&parker)
}

impl Observer for Parker {
    fn finished(&self, _tag: u32, _status: Status) {
        self.unpark();
    }
}
