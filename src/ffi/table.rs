//! What runner and queue handles name: a table of values behind generational ids.
//!
//! An id is a number: the kind of its table, the index of a slot, and the generation that the slot had when
//! the value was put in. An id that was removed, made up or is of another table meets a slot of another
//! generation, or none.
//!
//! ```text
//!   63    60 59            32 31             0
//!   [ kind ] [    index     ] [  generation  ]
//! ```

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::arena::{Arena, INDEX_BITS, Lookup};
use crate::reply::Status;

const KIND_SHIFT: u32 = 60;
const INDEX_SHIFT: u32 = 32;
const _: () = assert!(INDEX_SHIFT + INDEX_BITS <= KIND_SHIFT);

/// The id of a slot's tenant.
pub(crate) fn pack(kind: u64, index: u32, generation: u32) -> u64 {
    kind << KIND_SHIFT | u64::from(index) << INDEX_SHIFT | u64::from(generation)
}

/// Index and generation of an id of this kind.
pub(crate) fn unpack(kind: u64, id: u64) -> Result<(u32, u32), Status> {
    if id >> KIND_SHIFT != kind {
        return Err(Status::InvalidHandle);
    }
    let index = (id >> INDEX_SHIFT) & ((1 << INDEX_BITS) - 1);
    Ok((index as u32, id as u32))
}

/// Values of one kind. Each has a number beside it that can be read without a lock.
pub(crate) struct Table<T: 'static> {
    kind: u64,
    entries: Arena<Entry<T>>,
}

struct Entry<T> {
    /// Odd while an id with this generation is valid.
    generation: AtomicU32,
    number: AtomicU32,
    value: Mutex<Option<T>>,
}

impl<T> Default for Entry<T> {
    fn default() -> Self {
        Entry { generation: AtomicU32::new(0), number: AtomicU32::new(0), value: Mutex::new(None) }
    }
}

impl<T> Entry<T> {
    fn lock(&self) -> MutexGuard<'_, Option<T>> {
        self.value.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Table<T> {
    pub(crate) const fn new(kind: u64) -> Self {
        Table { kind, entries: Arena::new() }
    }

    /// Puts a value in. [`Status::Busy`] when no index is left.
    pub(crate) fn insert(&'static self, value: T, number: u32) -> Result<u64, Status> {
        let (index, entry) = self.entries.take().ok_or(Status::Busy)?;
        let mut place = entry.lock();
        *place = Some(value);
        entry.number.store(number, Ordering::Relaxed);
        let generation = entry.generation.load(Ordering::Relaxed).wrapping_add(1);
        entry.generation.store(generation, Ordering::Release);
        Ok(pack(self.kind, index, generation))
    }

    /// What `read` makes of the value.
    pub(crate) fn with<R>(&'static self, id: u64, read: impl FnOnce(&T) -> R) -> Result<R, Status> {
        let (_, entry, generation) = self.entry(id)?;
        match &*entry.lock() {
            Some(value) if entry.generation.load(Ordering::Relaxed) == generation => Ok(read(value)),
            _ => Err(Status::InvalidHandle),
        }
    }

    /// The number beside the value.
    pub(crate) fn number(&'static self, id: u64) -> Result<u32, Status> {
        let (_, entry, generation) = self.entry(id)?;
        // Before the generation: if that is still the id's, so was this.
        let number = entry.number.load(Ordering::Acquire);
        let valid = entry.generation.load(Ordering::Acquire) == generation && generation % 2 == 1;
        if valid { Ok(number) } else { Err(Status::InvalidHandle) }
    }

    /// Takes the value out: the id is stale from now on.
    pub(crate) fn remove(&'static self, id: u64) -> Result<T, Status> {
        let (index, entry, generation) = self.entry(id)?;
        let mut place = entry.lock();
        if entry.generation.load(Ordering::Relaxed) != generation {
            return Err(Status::InvalidHandle);
        }
        let value = place.take().ok_or(Status::InvalidHandle)?;
        entry.generation.store(generation.wrapping_add(1), Ordering::Release);
        drop(place);
        // A slot whose ids are used up is never reused.
        if generation < u32::MAX {
            self.entries.give_back(index);
        }
        Ok(value)
    }

    /// In a forked child: every id of the parent is [`Status::Forked`].
    pub(crate) fn abandon(&self) {
        self.entries.abandon();
    }

    fn entry(&'static self, id: u64) -> Result<(u32, &'static Entry<T>, u32), Status> {
        let (index, generation) = unpack(self.kind, id)?;
        match self.entries.get(index) {
            Lookup::Found(entry) => Ok((index, entry, generation)),
            Lookup::Nothing => Err(Status::InvalidHandle),
            Lookup::Forked => Err(Status::Forked),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_valid_until_its_value_is_removed_and_never_again() {
        static TABLE: Table<&str> = Table::new(5);
        let first = TABLE.insert("first", 1).unwrap();
        assert_eq!(TABLE.with(first, |value| *value), Ok("first"));
        assert_eq!(TABLE.number(first), Ok(1));
        assert_eq!(TABLE.remove(first), Ok("first"));
        let second = TABLE.insert("second", 2).unwrap();
        for stale in [first, 0, u64::MAX, second ^ (1 << KIND_SHIFT), second ^ (1 << INDEX_SHIFT)] {
            assert_eq!(TABLE.with(stale, |_| ()), Err(Status::InvalidHandle));
            assert_eq!(TABLE.number(stale), Err(Status::InvalidHandle));
            assert_eq!(TABLE.remove(stale), Err(Status::InvalidHandle));
        }
        assert_eq!(TABLE.number(second), Ok(2));
    }
}
