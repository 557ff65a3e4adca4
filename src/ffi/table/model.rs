//! The model of the table: who uses, removes and inserts, while a slot goes from one value to the next.
//!
//! loom reports a value that is read while it is written or dropped, or by who does not see it whole.

use std::sync::Arc;

use loom::thread;

use super::Table;
use crate::reply::Status;
use crate::sync::model::explore;

const STALE: Status = Status::InvalidHandle;

type Values = &'static Table<Arc<u32>>;

/// A table with one value, of which the caller has a clone.
fn table() -> (Values, u64, Arc<u32>) {
    let table: Values = Box::leak(Box::new(Table::new(5)));
    let value = Arc::new(1);
    let id = table.insert(Arc::clone(&value), 1).unwrap();
    (table, id, value)
}

fn read(table: Values, id: u64) -> Result<u32, Status> {
    table.with(id, |value| **value)
}

#[test]
fn a_user_has_the_whole_value_or_a_stale_id_and_the_last_one_drops_it() {
    explore(|| {
        let (table, id, value) = table();
        let users = [0, 1].map(|_| thread::spawn(move || read(table, id)));
        drop(table.remove(id).unwrap());
        for user in users {
            let read = user.join().unwrap();
            assert!(matches!(read, Ok(1) | Err(STALE)), "{read:?}");
        }
        assert_eq!(Arc::strong_count(&value), 1, "dropped once nobody uses it");
        assert_eq!(read(table, id), Err(STALE));
    });
}

#[test]
fn of_two_who_remove_one_does() {
    explore(|| {
        let (table, id, value) = table();
        let other = thread::spawn(move || table.remove(id).is_ok());
        let own = table.remove(id).is_ok();
        assert!(own != other.join().unwrap(), "removed once");
        assert_eq!(Arc::strong_count(&value), 1);
    });
}

#[test]
fn a_stale_id_never_means_the_next_value_of_its_slot() {
    explore(|| {
        let (table, id, _value) = table();
        let next = thread::spawn(move || {
            table.remove(id).unwrap();
            table.insert(Arc::new(2), 2).unwrap()
        });
        let old = read(table, id);
        assert!(matches!(old, Ok(1) | Err(STALE)), "{old:?}");
        let next = next.join().unwrap();
        assert_eq!((read(table, id), read(table, next)), (Err(STALE), Ok(2)));
    });
}

#[test]
fn a_stale_id_never_has_the_next_ones_number() {
    explore(|| {
        let (table, id, _value) = table();
        let next = thread::spawn(move || {
            table.remove(id).unwrap();
            table.insert(Arc::new(2), 2).unwrap()
        });
        let old = table.number(id);
        assert!(matches!(old, Ok(1) | Err(STALE)), "{old:?}");
        let next = next.join().unwrap();
        assert_eq!((table.number(id), table.number(next)), (Err(STALE), Ok(2)));
    });
}

#[test]
fn who_guesses_an_id_that_is_being_made_has_the_whole_value_or_none() {
    explore(|| {
        let (table, first, _value) = table();
        let (_, generation) = super::unpack(5, first).unwrap();
        table.remove(first).unwrap();
        let guess = super::pack(5, 0, generation + 2);
        let other = thread::spawn(move || table.insert(Arc::new(2), 2).unwrap());
        let value = read(table, guess);
        assert!(matches!(value, Ok(2) | Err(STALE)), "{value:?}");
        assert_eq!(other.join().unwrap(), guess);
    });
}
