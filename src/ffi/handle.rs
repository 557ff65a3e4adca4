//! Handles to and from what they stand for.
//!
//! A handle is a number: its kind, the index of a slot, and the generation that the slot had when the handle
//! was made. A handle that was freed, made up or is of another kind meets a slot of another generation or none.
//!
//! ```text
//!   63    60 59            32 31             0
//!   [ kind ] [    index     ] [  generation  ]
//! ```

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::types::{palitra_runner, palitra_token};
use crate::arena::{Arena, INDEX_BITS, Lookup};
use crate::current::RunnerId;
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

/// Several tokens, which must all belong to the runner: another's would be waited for on the wrong one.
pub(crate) fn tokens_of(runner: palitra_runner, handles: &[palitra_token]) -> Result<Vec<TokenRef>, Status> {
    let runner = runner_id(runner)?;
    let token_of = |handle: &palitra_token| {
        let token = token(*handle)?;
        token.check_runner(runner).map(|()| token)
    };
    handles.iter().map(token_of).collect()
}

static RUNNERS: Arena<RunnerCell> = Arena::new();

static IN_CHILD: ChildHook = ChildHook::new(in_child);

extern "C" fn in_child() {
    RUNNERS.abandon();
}

#[derive(Default)]
struct RunnerCell {
    /// Odd while a handle with this generation is valid.
    generation: AtomicU32,
    /// The runner's number, for those who need no more than that.
    id: AtomicU32,
    runner: Mutex<Option<Runner>>,
}

impl RunnerCell {
    fn lock(&self) -> MutexGuard<'_, Option<Runner>> {
        self.runner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A handle for a runner; it keeps it alive until [`free_runner`].
pub(crate) fn of_runner(runner: Runner) -> Result<palitra_runner, Status> {
    IN_CHILD.register();
    let (index, cell) = RUNNERS.take().ok_or(Status::Busy)?;
    let mut slot = cell.lock();
    cell.id.store(runner.core().id, Ordering::Relaxed);
    *slot = Some(runner);
    let generation = cell.generation.load(Ordering::Relaxed) + 1;
    cell.generation.store(generation, Ordering::Release);
    Ok(palitra_runner { id: pack(KIND_RUNNER, index, generation) })
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
    match &*cell.lock() {
        Some(runner) if cell.generation.load(Ordering::Relaxed) == generation => Ok(take(runner)),
        _ => Err(Status::InvalidHandle),
    }
}

/// The number of the runner that a handle names. Takes no lock: every wait comes by here.
pub(crate) fn runner_id(handle: palitra_runner) -> Result<RunnerId, Status> {
    let (_, cell, generation) = runner_cell(handle)?;
    // Before the generation: if that is still the handle's, so was this.
    let id = cell.id.load(Ordering::Acquire);
    let valid = cell.generation.load(Ordering::Acquire) == generation && generation % 2 == 1;
    if valid { Ok(id) } else { Err(Status::InvalidHandle) }
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
    if cell.generation.load(Ordering::Relaxed) != generation {
        return Err(Status::InvalidHandle);
    }
    let runner = slot.take().ok_or(Status::InvalidHandle)?;
    cell.generation.store(generation.wrapping_add(1), Ordering::Release);
    drop(slot);
    // A slot whose names are used up is never reused.
    if generation < u32::MAX {
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
