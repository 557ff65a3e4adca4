//! The model of the arena: who takes, releases, looks up and looks at all, while it grows and slots are reused.
//!
//! A chunk has two slots here and a block two chunks, so that the third slot is the first of a new chunk and the fifth
//! of a new block.

use std::sync::Arc;
use std::sync::atomic::AtomicBool as Std;

use loom::thread;

use super::{Arena, Lookup};
use crate::sync::model::explore;
use crate::sync::{AtomicBool, Mutex, Ordering, UnsafeCell, lock};

struct Held {
    /// Whether somebody holds it: no part of the model, so it adds no orders to it.
    is_held: Std,
    /// What a holder has for itself: loom reports one that does not see what the last one did.
    content: UnsafeCell<()>,
    /// What whoever looks at all slots finds.
    open: Mutex<bool>,
    /// Written by the one who makes the slot, and by nobody after that.
    made: UnsafeCell<()>,
}

impl Default for Held {
    fn default() -> Held {
        let held = Held {
            is_held: Std::new(false),
            content: UnsafeCell::new(()),
            open: Mutex::new(false),
            made: UnsafeCell::new(()),
        };
        held.made.with_mut(|_| ());
        held
    }
}

fn arena(slots: usize) -> &'static Arena<Held> {
    let arena: &'static Arena<Held> = Box::leak(Box::new(Arena::new()));
    let taken: Vec<u32> = (0..slots).map(|_| arena.take().unwrap().0).collect();
    taken.into_iter().for_each(|index| arena.release(index));
    arena
}

fn take(arena: &'static Arena<Held>) -> (u32, &'static Held) {
    let (index, held) = arena.take().unwrap();
    assert!(!held.is_held.swap(true, Ordering::Relaxed), "held by two");
    held.content.with_mut(|_| ());
    (index, held)
}

fn release(arena: &'static Arena<Held>, (index, held): (u32, &'static Held)) {
    held.content.with_mut(|_| ());
    held.is_held.store(false, Ordering::Relaxed);
    arena.release(index);
}

#[test]
fn a_slot_is_held_by_one_at_a_time_however_often_it_comes_and_goes() {
    explore(|| {
        let arena = arena(2);
        let other = thread::spawn(move || release(arena, take(arena)));
        // The first slot is free again with another one behind it than before: the ABA problem.
        let (first, second) = (take(arena), take(arena));
        release(arena, first);
        let first = take(arena);
        release(arena, second);
        release(arena, first);
        other.join().unwrap();
    });
}

fn take_many(arena: &'static Arena<Held>, n: usize) -> Vec<(u32, &'static Held)> {
    let mut taken = Vec::new();
    arena.take_many(n, &mut taken);
    assert_eq!(taken.len(), n);
    for (_, held) in &taken {
        assert!(!held.is_held.swap(true, Ordering::Relaxed), "held by two");
        held.content.with_mut(|_| ());
    }
    taken
}

fn release_many(arena: &'static Arena<Held>, taken: &[(u32, &'static Held)]) {
    for (_, held) in taken {
        held.content.with_mut(|_| ());
        held.is_held.store(false, Ordering::Relaxed);
    }
    arena.release_many(&taken.iter().map(|(index, _)| *index).collect::<Vec<_>>());
}

#[test]
fn slots_that_are_taken_together_are_held_by_one_at_a_time() {
    explore(|| {
        let arena = arena(3);
        let other = thread::spawn(move || release(arena, take(arena)));
        let two = take_many(arena, 2);
        release_many(arena, &two);
        let two = take_many(arena, 2);
        release_many(arena, &two);
        other.join().unwrap();
    });
}

#[test]
fn slots_are_taken_together_beside_others_that_are() {
    explore(|| {
        let arena = arena(3);
        let other = thread::spawn(move || release_many(arena, &take_many(arena, 2)));
        let two = take_many(arena, 2);
        release_many(arena, &two);
        other.join().unwrap();
    });
}

#[test]
fn two_who_make_it_grow_get_a_slot_each() {
    explore(|| {
        // One slot of the first chunk is left; the other who takes makes the next chunk.
        let arena = arena(0);
        let others = take(arena).0;
        let other = thread::spawn(move || take(arena).0);
        let own = take(arena).0;
        let mut taken = [others, other.join().unwrap(), own];
        taken.sort_unstable();
        assert_eq!(taken, [0, 1, 2]);
    });
}

#[test]
fn a_lookup_beside_the_growth_finds_a_whole_slot_or_nothing() {
    explore(|| {
        let arena = arena(0);
        let other = thread::spawn(move || take(arena).0);
        match arena.get(0) {
            Lookup::Found(held) => held.made.with(|_| ()),
            Lookup::Nothing => {}
            Lookup::Forked => panic!("nobody has forked"),
        }
        assert_eq!(other.join().unwrap(), 0);
        assert!(matches!(arena.get(0), Lookup::Found(_)), "it is there for who comes after its holder");
    });
}

/// A shutdown and a submission: either the one finds the other's slot, or the other sees that it came first.
fn one_of_two_sees_the_other(slots: usize) {
    explore(move || {
        let arena = arena(slots);
        let closed = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&closed);
        let holder = thread::spawn(move || {
            let (_, held) = arena.take().unwrap();
            *lock(&held.open) = true;
            seen.load(Ordering::SeqCst)
        });
        closed.store(true, Ordering::SeqCst);
        let is_found = arena.all().any(|held| *lock(&held.open));
        assert!(holder.join().unwrap() || is_found, "neither has seen the other");
    });
}

#[test]
fn who_looks_at_all_slots_finds_a_new_one_or_is_seen_by_its_holder() {
    one_of_two_sees_the_other(0);
}

#[test]
fn who_looks_at_all_slots_finds_a_reused_one_or_is_seen_by_its_holder() {
    one_of_two_sees_the_other(1);
}
