//! Every token of the process, and a token found by its name.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use super::locked::LockedToken;
use super::observer::Observer;
use super::slot::{NewToken, Slot};
use super::stream::Closed;
use crate::arena::{Arena, Lookup};
use crate::current::RunnerId;
use crate::reply::{Reply, Status};
use crate::spin::SpinLimit;
use crate::sync::{AtomicBool, Ordering, shared_static};

shared_static! {
    static TOKENS: Arena<Slot> = Arena::new();
}

shared_static! {
    /// Whether a token of this process ever had a deadline. Who uses none does not pay for looking for them.
    static HAVE_DEADLINES: AtomicBool = AtomicBool::new(false);
}

#[inline]
fn note_deadline() {
    // Written once, so that it is nobody's cache line to fight for.
    if !HAVE_DEADLINES.load(Ordering::Relaxed) {
        HAVE_DEADLINES.store(true, Ordering::Relaxed);
    }
}

/// Names a token: the place of its slot and which of the slot's tokens it is. A stale name finds nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TokenId {
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

/// A token found by its name. Whether the name is valid is checked under the lock of the slot, at every use.
#[derive(Clone, Copy)]
pub(crate) struct TokenRef {
    pub(super) slot: &'static Slot,
    id: TokenId,
}

/// How many slots, counted from the first, keep their memory while they are vacant: half a mebibyte. The slot that was
/// vacated last is used first, so a process with fewer tokens at a time allocates none.
const KEPT: u32 = 4096;

/// A pending token in a slot of its own. [`Status::Busy`] when every slot that an index can name is taken.
#[inline]
pub(super) fn open(new: NewToken) -> Result<TokenRef, Status> {
    let (index, slot) = TOKENS.take().ok_or(Status::Busy)?;
    Ok(open_in(index, slot, new))
}

/// Free slots that were taken together, for tokens that are about to be made. Dropped, it releases those that are left.
pub(crate) struct FreeSlots {
    slots: Vec<(u32, &'static Slot)>,
}

impl FreeSlots {
    pub(crate) fn new() -> FreeSlots {
        FreeSlots { slots: Vec::new() }
    }

    /// Takes slots until there are `n` of them; fewer if every slot that an index can name is taken.
    pub(crate) fn take(&mut self, n: usize) {
        let missing = n.saturating_sub(self.slots.len());
        TOKENS.take_many(missing, &mut self.slots);
    }

    /// A pending token in one of them. [`Status::Busy`] if none is left.
    #[inline]
    pub(super) fn open(&mut self, new: NewToken) -> Result<TokenRef, Status> {
        let (index, slot) = self.slots.pop().ok_or(Status::Busy)?;
        Ok(open_in(index, slot, new))
    }
}

impl Drop for FreeSlots {
    fn drop(&mut self) {
        self.slots.drain(..).for_each(|(index, _)| TOKENS.release(index));
    }
}

/// Slots that are used again together: all at once, or some of them each time that there are many.
#[derive(Default)]
pub(crate) struct FreedSlots {
    indices: Vec<u32>,
}

impl FreedSlots {
    const MANY: usize = 64;

    #[inline]
    fn add(&mut self, index: u32) {
        if self.indices.len() == Self::MANY {
            self.release();
        }
        self.indices.push(index);
    }

    fn release(&mut self) {
        TOKENS.release_many(&self.indices);
        self.indices.clear();
    }
}

impl Drop for FreedSlots {
    fn drop(&mut self) {
        self.release();
    }
}

#[inline(always)]
fn open_in(index: u32, slot: &'static Slot, new: NewToken) -> TokenRef {
    if new.deadline.is_some() {
        note_deadline();
    }
    let generation = slot.open(new, index < KEPT);
    TokenRef { slot, id: TokenId { index, generation } }
}

/// The slot of a token that neither side holds is used again.
pub(super) fn release(id: TokenId) {
    TOKENS.release(id.index);
}

/// The token with this name. [`Status::Forked`] if it is a parent's. Its uses find out whether it is stale.
pub(crate) fn find(id: TokenId) -> Result<TokenRef, Status> {
    match TOKENS.get(id.index) {
        Lookup::Found(slot) => Ok(TokenRef { slot, id }),
        Lookup::Nothing => Err(Status::InvalidHandle),
        Lookup::Forked => Err(Status::Forked),
    }
}

/// Finishes every pending token of a runner.
pub(crate) fn finish_all_of(runner: RunnerId, status: Status) {
    for token in TOKENS.all().filter_map(|slot| slot.lock_if_of(runner)) {
        token.end(status);
    }
}

/// Finishes every token of a runner whose deadline has passed. Returns the next deadline of one that is pending.
pub(crate) fn expire_all_of(runner: RunnerId) -> Option<Instant> {
    if !HAVE_DEADLINES.load(Ordering::Relaxed) {
        return None;
    }
    TOKENS.all().filter_map(|slot| slot.lock_if_of(runner)?.expire_and_unlock()).min()
}

/// In a forked child: every use of a token of the parent fails with [`Status::Forked`].
pub(crate) fn abandon() {
    TOKENS.abandon();
}

impl TokenRef {
    pub(crate) fn id(self) -> TokenId {
        self.id
    }

    /// The token that this name means to the host, under its lock. [`Status::InvalidHandle`] if the name is stale.
    #[inline]
    pub(super) fn lock(self) -> Result<LockedToken<'static>, Status> {
        self.slot.lock_for_host(self.id.generation)
    }

    /// The token as long as the job's side holds it, also if the host has released it.
    #[inline]
    pub(super) fn lock_for_job(self) -> Option<LockedToken<'static>> {
        self.slot.lock_for_job(self.id.generation)
    }

    /// The reply if the token has finished; [`Status::Pending`] if not, [`Status::InvalidHandle`] if it is stale.
    pub(crate) fn poll(self) -> Result<Reply, Status> {
        self.lock()?.look(Reply::clone).1.ok_or(Status::Pending)
    }

    /// Takes the reply and releases the token as its host; [`Status::Pending`] if it has not finished. The slot is used
    /// again when `freed` is dropped, if not before.
    #[inline]
    pub(crate) fn take(self, freed: &mut FreedSlots) -> Result<Reply, Status> {
        let (reply, is_reusable) = self.lock()?.take().ok_or(Status::Pending)?;
        if is_reusable {
            freed.add(self.id.index);
        }
        Ok(reply)
    }

    /// How the token finished, or [`Status::Pending`]. Fails with [`Status::InvalidHandle`] if it is stale.
    pub(crate) fn status(self) -> Result<Status, Status> {
        Ok(self.lock()?.look(Reply::status).1.unwrap_or(Status::Pending))
    }

    /// The same, for a token that must be of this runner, if of a certain one ([`Status::InvalidArgument`]).
    pub(crate) fn status_on(self, runner: Option<RunnerId>) -> Result<Status, Status> {
        match self.lock()?.look(Reply::status) {
            (owner, _) if runner.is_some_and(|runner| runner != owner) => Err(Status::InvalidArgument),
            (_, status) => Ok(status.unwrap_or(Status::Pending)),
        }
    }

    /// The runner it was submitted to. Takes no lock. Fails with [`Status::InvalidHandle`] if it is stale.
    #[inline]
    pub(crate) fn runner(self) -> Result<RunnerId, Status> {
        self.slot.owner(self.id.generation)
    }

    /// How long a thread that waits for it may spin.
    pub(crate) fn spin_limit(self) -> SpinLimit {
        self.lock().map_or(SpinLimit::NONE, |token| token.spin_limit())
    }

    /// How the token finished. [`Status::Pending`] if it has not: then `observer` will be notified, with this tag.
    pub(crate) fn observe(self, observer: &Arc<dyn Observer>, tag: u32) -> Result<Status, Status> {
        Ok(self.lock()?.observe(observer, tag))
    }

    /// How the token finished, or [`Status::Pending`] if an item can be read. `None` if neither: then `observer` will be
    /// notified, once, of whichever comes first.
    pub(crate) fn observe_next_item(self, observer: &Arc<dyn Observer>) -> Result<Option<Status>, Status> {
        Ok(self.lock()?.observe_next_item(observer))
    }

    pub(crate) fn unobserve(self, observer: &Arc<dyn Observer>) {
        if let Ok(token) = self.lock() {
            token.unobserve(observer);
        }
    }

    /// Registers whom to notify when the token finishes, also if the host releases it before. Once for each token.
    pub(crate) fn set_completion(self, observer: Arc<dyn Observer>) {
        if let Ok(token) = self.lock() {
            token.set_completion(observer);
        }
    }

    /// Registers whom to notify when an item can be read, each time that a reader had found none before.
    pub(crate) fn set_item_observer(self, observer: Arc<dyn Observer>) {
        if let Ok(stream) = self.lock().map(|mut token| token.stream_to_read()) {
            stream.set_observer(observer);
        }
    }

    /// Finishes the token with `status` if it is still pending, and wakes the job so that it is dropped. Whether this
    /// call did it.
    pub(crate) fn end(self, status: Status) -> Result<bool, Status> {
        Ok(self.lock()?.end(status))
    }

    /// When the token is to finish; `None` also if its job has been dropped.
    pub(crate) fn deadline(self) -> Option<Instant> {
        self.lock_for_job()?.deadline()
    }

    /// Sets when the token is to finish. Only before its job has a task, which looks for the deadline once.
    pub(crate) fn set_deadline(self, deadline: Instant) {
        if let Ok(mut token) = self.lock() {
            note_deadline();
            token.set_deadline(deadline);
        }
    }

    /// How far the job said it is: done and total.
    pub(crate) fn progress(self) -> Result<(u64, u64), Status> {
        Ok(self.lock()?.progress())
    }

    /// The host releases the token: later uses of the name find nothing, the job runs on.
    /// [`Status::InvalidHandle`] if the host had done so before.
    pub(crate) fn release_host(self) -> Result<(), Status> {
        if self.lock()?.release_host() {
            release(self.id);
        }
        Ok(())
    }
}

/// What a job does with its own token.
impl TokenRef {
    /// Whether the job need not run on: the token has finished.
    pub(crate) fn should_stop(self) -> bool {
        self.lock_for_job().is_none_or(LockedToken::should_stop)
    }

    /// Is ready once the job need not run on.
    pub(crate) async fn stopped(self) {
        let Some(stop) = self.lock_for_job().and_then(|mut token| token.stop()) else { return };
        let mut notified = std::pin::pin!(stop.notified());
        // Before the last look: whoever finishes the token after it finds this task waiting.
        notified.as_mut().enable();
        if !self.should_stop() {
            notified.await;
        }
    }

    /// The job says how far it is.
    pub(crate) fn set_progress(self, done: u64, total: u64) {
        if let Some(mut token) = self.lock_for_job() {
            token.set_progress(done, total);
        }
    }

    /// The job sends an item; `Pending` while the reader has enough to read.
    pub(crate) fn poll_send(self, item: &mut Option<Reply>, cx: &mut Context<'_>) -> Poll<Result<(), Closed>> {
        match self.lock().ok().and_then(|mut token| token.stream_to_send()) {
            Some(stream) => stream.poll_send(item, cx),
            None => Poll::Ready(Err(Closed)),
        }
    }

    /// A sender that was to be woken has stopped waiting.
    pub(crate) fn forget_sender(self, sender: &Waker) {
        if let Some(stream) = self.lock().ok().and_then(|mut token| token.stream_to_send()) {
            stream.forget_sender(sender);
        }
    }
}
