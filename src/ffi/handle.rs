//! Handles to and from what they stand for.
//!
//! A handle is a number: its kind, the index of a slot, and the generation that the slot had when the handle
//! was made. A handle that was freed, made up or is of another kind meets a slot of another generation or none.
//!
//! ```text
//!   63    60 59            32 31             0
//!   [ kind ] [    index     ] [  generation  ]
//! ```

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::types::{palitra_runner, palitra_token};
use crate::arena::{Arena, INDEX_BITS, Lookup};
use crate::fork::{ChildHook, PerProcess};
use crate::reply::{Error, Status};
use crate::runner::{Core, Runner, global_runner};
use crate::token::{self, TokenId, TokenRef};

const KIND_RUNNER: u64 = 1;
const KIND_TOKEN: u64 = 2;
const KIND_SHIFT: u32 = 60;
const INDEX_SHIFT: u32 = 32;
const _: () = assert!(INDEX_SHIFT + INDEX_BITS <= KIND_SHIFT);

fn pack(kind: u64, index: u32, generation: u32) -> u64 {
    kind << KIND_SHIFT | u64::from(index) << INDEX_SHIFT | u64::from(generation)
}

fn unpack(kind: u64, id: u64) -> Result<(u32, u32), Status> {
    if id >> KIND_SHIFT != kind {
        return Err(Status::InvalidHandle);
    }
    let index = (id >> INDEX_SHIFT) & ((1 << INDEX_BITS) - 1);
    Ok((index as u32, id as u32))
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

/// Several tokens, which must all belong to `runner`.
pub(crate) fn tokens_of(runner: &Core, handles: &[palitra_token]) -> Result<Vec<TokenRef>, Status> {
    handles.iter().map(|handle| token_of(runner, *handle)).collect()
}

/// A token that must belong to `runner`: with another's it would be waited for on the wrong one.
pub(crate) fn token_of(runner: &Core, handle: palitra_token) -> Result<TokenRef, Status> {
    let token = token(handle)?;
    if token.runner()? == runner.id { Ok(token) } else { Err(Status::InvalidArgument) }
}

static RUNNERS: Arena<RunnerCell> = Arena::new();

static IN_CHILD: ChildHook = ChildHook::new(in_child);

extern "C" fn in_child() {
    RUNNERS.abandon();
}

#[derive(Default)]
struct RunnerCell {
    slot: Mutex<RunnerSlot>,
}

#[derive(Default)]
struct RunnerSlot {
    generation: u32,
    runner: Option<Runner>,
}

impl RunnerCell {
    fn lock(&self) -> MutexGuard<'_, RunnerSlot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A handle for a runner; it keeps it alive until [`free_runner`].
pub(crate) fn of_runner(runner: Runner) -> Result<palitra_runner, Status> {
    IN_CHILD.register();
    let (index, cell) = RUNNERS.take().ok_or(Status::Busy)?;
    let mut slot = cell.lock();
    slot.generation += 1;
    slot.runner = Some(runner);
    Ok(palitra_runner { id: pack(KIND_RUNNER, index, slot.generation) })
}

/// The runner that a handle names.
pub(crate) fn runner(handle: palitra_runner) -> Result<Runner, Status> {
    with_runner(handle, |runner| runner.clone())
}

/// The part of a runner that submits, runs and waits.
pub(crate) fn core(handle: palitra_runner) -> Result<Arc<Core>, Status> {
    with_runner(handle, |runner| Arc::clone(runner.core()))
}

fn with_runner<R>(handle: palitra_runner, take: impl FnOnce(&Runner) -> R) -> Result<R, Status> {
    let (_, cell, generation) = runner_cell(handle)?;
    let slot = cell.lock();
    match &slot.runner {
        Some(runner) if slot.generation == generation => Ok(take(runner)),
        _ => Err(Status::InvalidHandle),
    }
}

fn runner_cell(handle: palitra_runner) -> Result<(u32, &'static RunnerCell, u32), Status> {
    let (index, generation) = unpack(KIND_RUNNER, handle.id)?;
    match RUNNERS.get(index) {
        Lookup::Found(cell) => Ok((index, cell, generation)),
        Lookup::Nothing => Err(Status::InvalidHandle),
        Lookup::Forked => Err(Status::Forked),
    }
}

/// Makes the handle stale. The runner that it kept alive is the caller's to end.
pub(crate) fn free_runner(handle: palitra_runner) -> Result<Runner, Status> {
    let (index, cell, generation) = runner_cell(handle)?;
    let mut slot = cell.lock();
    if slot.generation != generation {
        return Err(Status::InvalidHandle);
    }
    let runner = slot.runner.take().ok_or(Status::InvalidHandle)?;
    let reusable = slot.generation < u32::MAX;
    drop(slot);
    if reusable {
        RUNNERS.give_back(index);
    }
    Ok(runner)
}

/// The handle of this process's global runner.
static GLOBAL: PerProcess<Mutex<Option<palitra_runner>>> = PerProcess::new();

/// The global runner's handle, the same for all callers. It stays valid after a shutdown, so that replies can
/// be read, until the next global runner is made.
pub(crate) fn of_global_runner() -> Result<palitra_runner, Error> {
    let mut handle = GLOBAL.get().lock().unwrap_or_else(PoisonError::into_inner);
    let runner = global_runner()?;
    if let Some(handle) = *handle
        && with_runner(handle, |known| known.core().id == runner.core().id) == Ok(true)
    {
        return Ok(handle);
    }
    let new = of_runner(runner)?;
    let old = handle.replace(new).map(free_runner);
    // Not under the lock: the last handle of a runner shuts it down.
    drop(handle);
    drop(old);
    Ok(new)
}
