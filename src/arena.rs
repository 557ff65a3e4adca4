//! An arena of slots with addresses that never change: what the handles of the C ABI point into.
//!
//! Called by the token and by the handle table. Taking and releasing a slot is lock-free and costs one atomic
//! exchange; looking one up costs none, so unrelated tokens share no lock. Slots are reused (last in, first out: the
//! warm one first) and their memory stays with the process, at the size of its busiest moment.
//!
//! The arena knows nothing of generations: the value in a slot distinguishes a stale handle from a valid one.
//!
//! Promise 9: a fork harms neither parent nor child. After one the child calls [`Arena::abandon`]: slots of the parent
//! are [`Lookup::Forked`] from then on and never reused, and the child's own start beyond every slot that a thread of
//! the parent could have been making at that moment.

#[cfg(all(test, palitra_model))]
mod model;

use crate::sync::{AtomicU32, AtomicU64, OnceLock, Ordering, fence};

/// Bits of an index: 10 for the slot in its chunk, 8 for the chunk in its block, 10 for the block.
pub(crate) const INDEX_BITS: u32 = 28;

/// So many; a few in a model or a simulation, so that the arena grows and comes to its end.
const fn size(usual: u32, simulated: u32) -> u32 {
    if cfg!(palitra_model) {
        2
    } else if cfg!(palitra_simulation) {
        simulated
    } else {
        usual
    }
}

const CHUNK: u32 = size(1 << 10, 4);
const BLOCK: u32 = size(1 << 8, 2);
const BLOCKS: u32 = size(1 << 10, 2);
const SLOTS_IN_BLOCK: u32 = CHUNK * BLOCK;
const END: u32 = BLOCKS * SLOTS_IN_BLOCK;

/// No slot: the end of the free list.
const NONE: u32 = u32::MAX;

struct Slot<T> {
    /// The next free slot while this one is free.
    next: AtomicU32,
    value: T,
}

type Chunk<T> = Box<[Slot<T>]>;
type Block<T> = Box<[OnceLock<Chunk<T>>]>;

/// Slots of `T`, each made once by `T::default()` and reused forever.
pub(crate) struct Arena<T: 'static> {
    blocks: [OnceLock<Block<T>>; BLOCKS as usize],
    /// The first index that was never handed out.
    fresh: AtomicU32,
    /// The first index that this process may hand out: those below belong to a parent.
    own: AtomicU32,
    /// The free list: a count in the upper half, so that a slot that went and came back is noticed (the ABA
    /// problem), and the first free index in the lower half.
    free: AtomicU64,
}

/// What is found at an index.
pub(crate) enum Lookup<T: 'static> {
    Found(&'static T),
    /// No slot has that index.
    Nothing,
    /// The slot belongs to a process from which this one was forked.
    Forked,
}

impl<T: Default> Arena<T> {
    #[cfg(not(any(palitra_model, palitra_simulation)))]
    pub(crate) const fn new() -> Self {
        Arena {
            blocks: [const { OnceLock::new() }; BLOCKS as usize],
            fresh: AtomicU32::new(0),
            own: AtomicU32::new(0),
            free: AtomicU64::new(NONE as u64),
        }
    }

    #[cfg(any(palitra_model, palitra_simulation))]
    pub(crate) fn new() -> Self {
        Arena {
            blocks: std::array::from_fn(|_| OnceLock::new()),
            fresh: AtomicU32::new(0),
            own: AtomicU32::new(0),
            free: AtomicU64::new(NONE as u64),
        }
    }

    /// Takes a free slot. `None`: every index is taken, which no memory of today can hold.
    pub(crate) fn take(&'static self) -> Option<(u32, &'static T)> {
        match self.pop() {
            Some((index, slot)) => Some((index, &slot.value)),
            None => self.grow(),
        }
    }

    /// Takes `n` free slots, as many of them as there are by one exchange, and adds them to `taken`. Fewer only if
    /// every index is taken.
    pub(crate) fn take_many(&'static self, n: usize, taken: &mut Vec<(u32, &'static T)>) {
        let end = taken.len() + n;
        while taken.len() < end && self.pop_many(end - taken.len(), taken) {}
        while taken.len() < end
            && let Some(slot) = self.take()
        {
            taken.push(slot);
        }
    }

    /// Takes a slot that nobody has had before.
    fn grow(&'static self) -> Option<(u32, &'static T)> {
        let next = |index| (index < END).then_some(index + 1);
        let index = self.fresh.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).ok()?;
        let slot = self.make(index);
        // Either who looks at all slots finds this one, or what it did before is seen by this one's holder.
        fence(Ordering::SeqCst);
        Some((index, &slot.value))
    }

    /// Releases a slot. Its holder must not touch it afterwards.
    pub(crate) fn release(&'static self, index: u32) {
        if let Some(slot) = self.slot(index) {
            self.push(index, slot);
        }
    }

    /// Puts a chain of slots before the free list.
    #[inline]
    fn push(&'static self, first: u32, last: &'static Slot<T>) {
        let mut head = self.free.load(Ordering::Relaxed);
        loop {
            last.next.store(head as u32, Ordering::Relaxed);
            match self.free.compare_exchange_weak(head, tagged(head, first), Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return,
                Err(now) => head = now,
            }
        }
    }

    /// Releases several slots by one exchange.
    pub(crate) fn release_many(&'static self, indices: &[u32]) {
        let mut slots = indices.iter().filter_map(|index| Some((*index, self.slot(*index)?)));
        let Some((first, mut last)) = slots.next() else { return };
        for (index, slot) in slots {
            last.next.store(index, Ordering::Relaxed);
            last = slot;
        }
        self.push(first, last);
    }

    /// The slot at `index`, whoever holds it now.
    pub(crate) fn get(&'static self, index: u32) -> Lookup<T> {
        if index < self.own.load(Ordering::Relaxed) {
            return Lookup::Forked;
        }
        match self.slot(index) {
            Some(slot) => Lookup::Found(&slot.value),
            None => Lookup::Nothing,
        }
    }

    /// Every slot that was ever taken in this process. The holder of one that is taken just now, and missed here, sees
    /// all that the caller did before.
    pub(crate) fn all(&'static self) -> impl Iterator<Item = &'static T> {
        fence(Ordering::SeqCst);
        let range = self.own.load(Ordering::Relaxed)..self.fresh.load(Ordering::Relaxed);
        range.filter_map(|index| self.slot(index)).map(|slot| &slot.value)
    }

    /// In a forked child: leaves every slot of the parent alone from now on.
    pub(crate) fn abandon(&self) {
        let fresh = self.fresh.load(Ordering::Relaxed);
        if fresh == self.own.load(Ordering::Relaxed) {
            return;
        }
        // A thread of the parent may have been making the newest chunk or its block when it forked, and the
        // lock of that would be held here forever. The next block was touched by nobody.
        let next = fresh.next_multiple_of(SLOTS_IN_BLOCK).min(END);
        self.fresh.store(next, Ordering::Relaxed);
        self.own.store(next, Ordering::Relaxed);
        self.free.store(NONE as u64, Ordering::Relaxed);
    }

    fn pop(&'static self) -> Option<(u32, &'static Slot<T>)> {
        let mut head = self.free.load(Ordering::Acquire);
        loop {
            let index = head as u32;
            let slot = self.slot(index)?;
            let next = slot.next.load(Ordering::Relaxed);
            match self.free.compare_exchange_weak(head, tagged(head, next), Ordering::Acquire, Ordering::Acquire) {
                Ok(_) => return Some((index, slot)),
                Err(now) => head = now,
            }
        }
    }

    /// Takes up to `most` slots from the beginning of the free list. Whether it took any.
    fn pop_many(&'static self, mut most: usize, taken: &mut Vec<(u32, &'static T)>) -> bool {
        let before = taken.len();
        let mut head = self.free.load(Ordering::Acquire);
        loop {
            let mut next = head as u32;
            while taken.len() < before + most
                && let Some(slot) = self.slot(next)
            {
                taken.push((next, &slot.value));
                next = slot.next.load(Ordering::Relaxed);
            }
            if taken.len() == before {
                return false;
            }
            // Nobody has taken or released a slot since `head` was read: so these were in the list, one behind another.
            match self.free.compare_exchange_weak(head, tagged(head, next), Ordering::Acquire, Ordering::Acquire) {
                Ok(_) => return true,
                Err(now) => {
                    taken.truncate(before);
                    head = now;
                    // Where others come and go, fewer have the better chance: at last one, as any of them.
                    most = most.div_ceil(2);
                }
            }
        }
    }

    fn slot(&'static self, index: u32) -> Option<&'static Slot<T>> {
        let block = self.blocks.get((index / SLOTS_IN_BLOCK) as usize)?.get()?;
        let chunk = block.get((index / CHUNK % BLOCK) as usize)?.get()?;
        chunk.get((index % CHUNK) as usize)
    }

    fn make(&'static self, index: u32) -> &'static Slot<T> {
        let block = self.blocks[(index / SLOTS_IN_BLOCK) as usize]
            .get_or_init(|| (0..BLOCK).map(|_| OnceLock::new()).collect());
        let chunk = block[(index / CHUNK % BLOCK) as usize]
            .get_or_init(|| (0..CHUNK).map(|_| Slot { next: AtomicU32::new(NONE), value: T::default() }).collect());
        &chunk[(index % CHUNK) as usize]
    }
}

/// A new head of the free list: `index`, and a count that no earlier head had.
fn tagged(head: u64, index: u32) -> u64 {
    ((head >> 32).wrapping_add(1) << 32) | u64::from(index)
}

#[cfg(all(test, not(any(palitra_model, palitra_simulation))))]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn a_slot_is_held_by_one_at_a_time() {
        static ARENA: Arena<AtomicU32> = Arena::new();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..20_000 {
                        let (index, value) = ARENA.take().unwrap();
                        assert_eq!(value.fetch_add(1, Ordering::SeqCst), 0);
                        value.fetch_sub(1, Ordering::SeqCst);
                        ARENA.release(index);
                    }
                });
            }
        });
        assert!(ARENA.all().count() <= 4, "freed slots are reused");
    }

    #[test]
    fn slots_of_the_parent_are_forked_after_abandon_and_new_ones_are_not() {
        static ARENA: Arena<AtomicU32> = Arena::new();
        let taken: HashSet<u32> = (0..2_000).map(|_| ARENA.take().unwrap().0).collect();
        ARENA.release(7);
        ARENA.abandon();
        assert!(taken.iter().all(|index| matches!(ARENA.get(*index), Lookup::Forked)));
        let (index, _) = ARENA.take().unwrap();
        assert!(!taken.contains(&index));
        assert!(matches!(ARENA.get(index), Lookup::Found(_)));
        assert!(matches!(ARENA.get(END), Lookup::Nothing));
    }
}
