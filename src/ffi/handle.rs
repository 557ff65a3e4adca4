//! Handles, and the runners, tokens, queues and calls that they name.
//!
//! Promise 12: several runners and libraries live in one process. A token of another runner is refused here; a handle
//! of another library, or of a parent process, in its [table](super::table).

use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::table::{Table, pack, unpack};
use super::types::handle::{palitra_call, palitra_queue, palitra_runner, palitra_token};
use crate::call::{Call, Offer};
use crate::current::RunnerId;
use crate::queue::Queue;
use crate::reply::{Error, Status};
use crate::runner::{Core, Runner, global_runner};
use crate::sync::shared_static;
use crate::sys::fork::{PerProcess, at_fork_in_child};
use crate::token::{self, TokenId, TokenRef};

const KIND_RUNNER: u64 = 1;
const KIND_TOKEN: u64 = 2;
const KIND_QUEUE: u64 = 3;
const KIND_CALL: u64 = 4;

shared_static! {
    static RUNNERS: Table<Runner> = Table::new(KIND_RUNNER);
}
shared_static! {
    static QUEUES: Table<Arc<Queue>> = Table::new(KIND_QUEUE);
}
shared_static! {
    static CALLS: Table<Arc<Call>> = Table::new(KIND_CALL);
}

ctor::declarative::ctor! {
    #[ctor(unsafe)]
    fn watch_forks() {
        at_fork_in_child(in_child);
    }
}

extern "C" fn in_child() {
    RUNNERS.abandon();
    QUEUES.abandon();
    CALLS.abandon();
}

/// The handle of a token.
pub(crate) fn of_token(id: TokenId) -> palitra_token {
    palitra_token { id: pack(KIND_TOKEN, id.index, id.generation) }
}

/// The token that a handle names.
pub(crate) fn token(handle: palitra_token) -> Result<TokenRef, Status> {
    let (index, generation) = unpack(KIND_TOKEN, handle.id)?;
    token::find(TokenId { index, generation })
}

/// A handle for a runner; it keeps it alive until [`free_runner`].
pub(crate) fn of_runner(runner: Runner) -> Result<palitra_runner, Status> {
    let number = runner.core().id;
    RUNNERS.insert(runner, number).map(|id| palitra_runner { id })
}

/// The runner that a handle names.
pub(crate) fn runner(handle: palitra_runner) -> Result<Runner, Status> {
    RUNNERS.with(handle.id, Runner::clone)
}

/// Calls `body` with the part of a runner that submits, runs and counts.
pub(crate) fn with_core<R>(handle: palitra_runner, body: impl FnOnce(&Core) -> Result<R, Status>) -> Result<R, Status> {
    RUNNERS.with(handle.id, |runner| body(runner.core()))?
}

/// The number of the runner that a handle names.
fn runner_id(handle: palitra_runner) -> Result<RunnerId, Status> {
    RUNNERS.number(handle.id)
}

/// The same; `None` for a runner that was freed, whose tokens can still be waited for. Takes no lock: every wait calls
/// this.
#[inline]
pub(crate) fn runner_id_if_alive(handle: palitra_runner) -> Result<Option<RunnerId>, Status> {
    match runner_id(handle) {
        Ok(id) => Ok(Some(id)),
        Err(Status::InvalidHandle) if RUNNERS.was_valid(handle.id) => Ok(None),
        Err(status) => Err(status),
    }
}

/// Makes the handle stale and returns the runner that it kept alive, which the caller ends.
pub(crate) fn free_runner(handle: palitra_runner) -> Result<Runner, Status> {
    RUNNERS.remove(handle.id)
}

/// A handle for a queue.
pub(crate) fn of_queue(queue: Queue) -> Result<palitra_queue, Status> {
    QUEUES.insert(Arc::new(queue), 0).map(|id| palitra_queue { id })
}

/// The queue that a handle names.
pub(crate) fn queue(handle: palitra_queue) -> Result<Arc<Queue>, Status> {
    QUEUES.with(handle.id, Arc::clone)
}

/// The queue that a handle names, for those who push to it and do not keep it alive.
pub(crate) fn weak_queue(handle: palitra_queue) -> Result<Weak<Queue>, Status> {
    QUEUES.with(handle.id, Arc::downgrade)
}

/// Makes the handle stale and returns the queue, which the caller closes.
pub(crate) fn free_queue(handle: palitra_queue) -> Result<Arc<Queue>, Status> {
    QUEUES.remove(handle.id)
}

/// A handle for a call.
pub(crate) fn of_call(call: Arc<Call>) -> Result<palitra_call, Status> {
    CALLS.insert(call, 0).map(|id| palitra_call { id })
}

/// A handle for a call that waited in a queue; `None` if its job has ended meanwhile. Without a handle the call fails.
pub(crate) fn of_offer(offer: Offer) -> Option<palitra_call> {
    let call = offer.take()?;
    of_call(Arc::clone(&call)).inspect_err(|status| call.fail(status.message())).ok()
}

/// Whether an id is one of a call, and of none other.
pub(crate) fn is_call(id: u64) -> bool {
    unpack(KIND_CALL, id).is_ok()
}

/// The call that a handle names.
pub(crate) fn call(handle: palitra_call) -> Result<Arc<Call>, Status> {
    CALLS.with(handle.id, Arc::clone)
}

/// Makes the handle stale and returns the call, which the caller gives up.
pub(crate) fn free_call(handle: palitra_call) -> Result<Arc<Call>, Status> {
    CALLS.remove(handle.id)
}

/// The handle of this process's global runner.
static GLOBAL: PerProcess<Mutex<Option<palitra_runner>>> = PerProcess::new();

/// The global runner's handle, the same whoever asks. After a shutdown it stays valid until the next global runner is
/// made, so that replies can be read.
pub(crate) fn of_global_runner() -> Result<palitra_runner, Error> {
    let mut handle = GLOBAL.get().lock().unwrap_or_else(PoisonError::into_inner);
    let runner = global_runner()?;
    if let Some(handle) = *handle
        && runner_id(handle) == Ok(runner.core().id)
    {
        return Ok(handle);
    }
    let new = of_runner(runner)?;
    let old = handle.replace(new).map(free_runner);
    // Not under the lock: dropping a runner shuts it down.
    drop(handle);
    drop(old);
    Ok(new)
}
