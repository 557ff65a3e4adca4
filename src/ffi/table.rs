//! A table of values behind generational ids: the runners and queues that handles name.
//!
//! An id holds the kind of its table, the index of a slot, and the generation that the slot had when the value was
//! inserted. An id that was removed, made up or is of another table finds a slot of another generation, or none.
//!
//! ```text
//!   63    60 59            32 31             0
//!   [ kind ] [    index     ] [  generation  ]
//!            [             salt              ]
//! ```
//!
//! Promise 12: several runners and libraries live in one process. All but the kind is salted with the address of this
//! library: an id of another library built on palitra, which has tables of its own, finds no slot here, or one of
//! another generation.

#![allow(unsafe_code)]

#[cfg(all(test, palitra_model))]
mod model;

use crate::arena::{Arena, INDEX_BITS, Lookup};
use crate::reply::Status;
use crate::sync::{AtomicU32, AtomicU64, Ordering, UnsafeCell};

const KIND_SHIFT: u32 = 60;
const INDEX_SHIFT: u32 = 32;
const _: () = assert!(INDEX_SHIFT + INDEX_BITS <= KIND_SHIFT);

/// The salt of this library's ids. Two libraries of one process are at different addresses; a multiplication and a fold
/// spread the difference over all bits.
fn salt() -> u64 {
    static PLACE: u8 = 0;
    let spread = ((&raw const PLACE).addr() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (spread ^ spread >> 29) & ((1 << KIND_SHIFT) - 1)
}

/// The id of the value in a slot.
pub(crate) fn pack(kind: u64, index: u32, generation: u32) -> u64 {
    kind << KIND_SHIFT | (u64::from(index) << INDEX_SHIFT | u64::from(generation)) ^ salt()
}

/// Index and generation of an id of this kind.
pub(crate) fn unpack(kind: u64, id: u64) -> Result<(u32, u32), Status> {
    if id >> KIND_SHIFT != kind {
        return Err(Status::InvalidHandle);
    }
    let place = id ^ salt();
    let index = (place >> INDEX_SHIFT) & ((1 << INDEX_BITS) - 1);
    Ok((index as u32, place as u32))
}

/// Values of one kind, each with a number beside it that can be read without using the value.
///
/// A use of a value is two atomic additions, and no lock: a use may take as long as it likes, call anything, and
/// remove the value that it is using.
pub(crate) struct Table<T: 'static> {
    kind: u64,
    entries: Arena<Entry<T>>,
}

/// A slot: vacant, or with a value.
///
/// # States
///
/// ```text
///   vacant ---- insert ----> valid ---- remove ----> removed ---- the last user leaves ----> vacant
/// ```
///
/// # Guarantees
///
/// * The value is written only while the slot is vacant and taken out by its one inserter, and dropped only by
///   the one who steps from removed with no user to vacant. Nobody else has access to it at either moment.
/// * A user looks at the value only if its own step into the slot found it valid, which keeps it from becoming
///   vacant until the user leaves.
struct Entry<T> {
    /// The generation in the upper half, odd while valid; then [`REMOVED`], and the number of users. A user with a
    /// stale id counts for a moment, too.
    word: AtomicU64,
    number: AtomicU32,
    value: UnsafeCell<Option<T>>,
}

/// Removed, and not vacant yet.
const REMOVED: u64 = 1 << 31;
const USERS: u64 = REMOVED - 1;
const GENERATION_SHIFT: u32 = 32;

// SAFETY: the value is sent to whichever thread drops it and shared between its users; see the guarantees.
unsafe impl<T: Send + Sync> Sync for Entry<T> {}

impl<T> Default for Entry<T> {
    fn default() -> Self {
        Entry { word: AtomicU64::new(0), number: AtomicU32::new(0), value: UnsafeCell::new(None) }
    }
}

impl<T: Clone + Send + Sync> Table<T> {
    #[cfg(not(any(palitra_model, palitra_simulation)))]
    pub(crate) const fn new(kind: u64) -> Self {
        Table { kind, entries: Arena::new() }
    }

    #[cfg(any(palitra_model, palitra_simulation))]
    pub(crate) fn new(kind: u64) -> Self {
        Table { kind, entries: Arena::new() }
    }

    /// Inserts a value. [`Status::Busy`] when no index is left.
    pub(crate) fn insert(&'static self, value: T, number: u32) -> Result<u64, Status> {
        let (index, entry) = self.entries.take().ok_or(Status::Busy)?;
        // SAFETY: the slot is vacant and this is its inserter.
        entry.value.with_mut(|place| unsafe { *place = Some(value) });
        // Whoever reads it finds the generation of the value before gone.
        entry.number.store(number, Ordering::Release);
        let before = entry.word.fetch_add(1 << GENERATION_SHIFT, Ordering::Release);
        Ok(pack(self.kind, index, generation(before) + 1))
    }

    /// Calls `read` with the value and returns its result.
    pub(crate) fn with<R>(&'static self, id: u64, read: impl FnOnce(&T) -> R) -> Result<R, Status> {
        self.enter(id)?.read(read)
    }

    /// The number beside the value.
    pub(crate) fn number(&'static self, id: u64) -> Result<u32, Status> {
        let (_, entry, wanted) = self.entry(id)?;
        // Before the generation: if that is still the id's, so was this.
        let number = entry.number.load(Ordering::Acquire);
        let valid = generation(entry.word.load(Ordering::Acquire)) == wanted && wanted % 2 == 1;
        if valid { Ok(number) } else { Err(Status::InvalidHandle) }
    }

    /// Whether there was a value of this id, which may have been removed since.
    #[cold]
    pub(crate) fn was_valid(&'static self, id: u64) -> bool {
        let was = |(_, entry, wanted): (u32, &'static Entry<T>, u32)| {
            wanted % 2 == 1 && wanted <= generation(entry.word.load(Ordering::Acquire))
        };
        self.entry(id).is_ok_and(was)
    }

    /// Makes the id stale from now on and returns the value; the slot's own copy is dropped by its last user.
    pub(crate) fn remove(&'static self, id: u64) -> Result<T, Status> {
        let user = self.enter(id)?;
        let value = user.read(T::clone)?;
        let remove = |word| {
            let valid = generation(word) == user.generation;
            valid.then(|| word.wrapping_add(1 << GENERATION_SHIFT) | REMOVED)
        };
        let removed = user.entry.word.fetch_update(Ordering::AcqRel, Ordering::Relaxed, remove);
        removed.map(|_| value).map_err(|_| Status::InvalidHandle)
    }

    /// In a forked child: every id of the parent is [`Status::Forked`].
    pub(crate) fn abandon(&self) {
        self.entries.abandon();
    }

    fn enter(&'static self, id: u64) -> Result<User<T>, Status> {
        let (index, entry, generation) = self.entry(id)?;
        let found = entry.word.fetch_add(1, Ordering::Acquire);
        Ok(User { table: self, index, entry, generation, found })
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

fn generation(word: u64) -> u32 {
    (word >> GENERATION_SHIFT) as u32
}

/// A use of a slot, from its creation until it is dropped.
struct User<T: 'static + Clone + Send + Sync> {
    table: &'static Table<T>,
    index: u32,
    entry: &'static Entry<T>,
    /// The generation of the id.
    generation: u32,
    /// The word of the slot when this use began.
    found: u64,
}

impl<T: Clone + Send + Sync> User<T> {
    fn read<R>(&self, read: impl FnOnce(&T) -> R) -> Result<R, Status> {
        if generation(self.found) != self.generation || self.generation.is_multiple_of(2) {
            return Err(Status::InvalidHandle);
        }
        // SAFETY: this user found the slot valid and has not left it.
        self.entry.value.with(|place| unsafe { &*place }.as_ref().map(read)).ok_or(Status::InvalidHandle)
    }
}

impl<T: Clone + Send + Sync> Drop for User<T> {
    fn drop(&mut self) {
        let left = self.entry.word.fetch_sub(1, Ordering::AcqRel) - 1;
        if left & (REMOVED | USERS) != REMOVED {
            return;
        }
        // The last user of a removed value. If somebody steps in or is quicker, the slot is theirs to clear.
        if self.entry.word.compare_exchange(left, left & !REMOVED, Ordering::AcqRel, Ordering::Relaxed).is_err() {
            return;
        }
        // SAFETY: this made the step from removed with no user to vacant.
        let value = self.entry.value.with_mut(|place| unsafe { (*place).take() });
        // A slot whose generations are used up is never reused.
        if generation(left) < u32::MAX - 1 {
            self.table.entries.release(self.index);
        }
        drop(value);
    }
}

#[cfg(all(test, not(any(palitra_model, palitra_simulation))))]
mod tests {
    use super::*;
    use std::sync::Arc;

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

    #[test]
    fn a_value_lives_until_its_last_user_leaves() {
        static TABLE: Table<Arc<()>> = Table::new(5);
        let value = Arc::new(());
        let id = TABLE.insert(Arc::clone(&value), 0).unwrap();
        TABLE
            .with(id, |_| {
                drop(TABLE.remove(id));
                assert_eq!(Arc::strong_count(&value), 2, "in use");
                assert!(TABLE.with(id, |_| ()).is_err(), "stale for those who come now");
            })
            .unwrap();
        assert_eq!(Arc::strong_count(&value), 1, "gone");
    }

    #[test]
    fn users_and_removers_on_many_threads_never_meet_a_value_that_is_gone() {
        static TABLE: Table<Arc<AtomicU32>> = Table::new(5);
        static CURRENT: AtomicU64 = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for _ in 0..30_000 {
                        let _ = TABLE.with(CURRENT.load(Ordering::Relaxed), |alive| {
                            assert_eq!(alive.load(Ordering::Relaxed), 7);
                        });
                    }
                });
            }
            for _ in 0..30_000 {
                let id = TABLE.insert(Arc::new(AtomicU32::new(7)), 0).unwrap();
                CURRENT.store(id, Ordering::Relaxed);
                let value = TABLE.remove(id).unwrap();
                assert_eq!(TABLE.remove(id).err(), Some(Status::InvalidHandle));
                drop(value);
            }
        });
        assert!(TABLE.entries.all().count() <= 8, "slots are reused");
    }
}
