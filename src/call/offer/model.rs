//! The model of the places: no more are taken at a time than there are, and those that are left can be taken again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering as Std};

use loom::thread;

use super::Places;
use crate::sync::model::explore;

#[test]
fn no_more_are_taken_than_there_are_and_none_is_lost() {
    explore(|| {
        let (places, waiting) = (Arc::new(Places::new(1)), Arc::new(AtomicUsize::new(0)));
        let (theirs, counted) = (Arc::clone(&places), Arc::clone(&waiting));
        let try_one = move || {
            let place = theirs.take();
            if place.is_some() {
                assert_eq!(counted.fetch_add(1, Std::SeqCst), 0, "one waits already");
                thread::yield_now();
                counted.fetch_sub(1, Std::SeqCst);
            }
        };
        let another = try_one.clone();
        let (one, other) = (thread::spawn(try_one), thread::spawn(another));
        one.join().unwrap();
        other.join().unwrap();
        assert!(places.take().is_some(), "every place was given back");
    });
}
