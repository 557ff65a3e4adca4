//! The model of the readiness: producers, and a host that drains its queue and then waits for the next edge.
//!
//! The queue stands in for the channel: a number of events. A host that is edge-triggered needs most: a mark for each
//! time that it found the queue empty. One that is level-triggered needs the marks to be right in the end.

use std::sync::Arc;

use loom::thread;

use super::{Marks, Readiness};
use crate::sync::model::explore;
use crate::sync::{AtomicU32, Ordering, Parker};

/// A descriptor: its marks, and who sleeps until one is put in.
#[derive(Default)]
struct Edges {
    marks: AtomicU32,
    sleeper: Parker,
}

impl Marks for Arc<Edges> {
    fn put(&self) {
        self.marks.fetch_add(1, Ordering::Relaxed);
        self.sleeper.unpark();
    }

    fn take(&self, marks: u32) {
        // Fewer, where a consumer has cleared it.
        assert!(self.marks.swap(0, Ordering::Relaxed) <= marks, "two follow at a time");
    }

    fn clear(&self) {
        self.marks.swap(0, Ordering::Relaxed);
    }
}

struct House {
    queue: AtomicU32,
    readiness: Readiness<Arc<Edges>>,
    edges: Arc<Edges>,
}

impl House {
    fn new() -> Arc<House> {
        let house = House::without_descriptor();
        house.ask();
        house
    }

    fn without_descriptor() -> Arc<House> {
        let (edges, readiness) = (Arc::default(), Readiness::new());
        Arc::new(House { queue: AtomicU32::new(0), readiness, edges })
    }

    fn ask(&self) {
        self.readiness.follow_with(Arc::clone(&self.edges));
    }

    fn push(&self) {
        self.queue.fetch_add(1, Ordering::Release);
        self.readiness.added_one();
    }

    /// One call of next. Whether there was an event.
    fn take_one(&self) -> bool {
        let taken =
            self.queue.fetch_update(Ordering::AcqRel, Ordering::Acquire, |events| events.checked_sub(1)).is_ok();
        match taken {
            true => self.readiness.took(1),
            false => self.readiness.found_nothing(),
        }
        taken
    }

    /// An edge-triggered loop until it has seen so many events. A sleep that nobody ends is a deadlock, which loom
    /// reports.
    fn drain(&self, events: u32) {
        let mut seen = 0;
        while seen < events {
            match self.take_one() {
                true => seen += 1,
                false => self.edges.sleeper.park_until(None),
            }
        }
    }

    fn is_readable(&self) -> bool {
        self.edges.marks.load(Ordering::Relaxed) > 0
    }
}

fn producer(house: &Arc<House>, events: u32) -> thread::JoinHandle<()> {
    let house = Arc::clone(house);
    thread::spawn(move || (0..events).for_each(|_| house.push()))
}

#[test]
fn every_time_that_a_host_found_the_queue_empty_the_next_event_is_an_edge() {
    explore(|| {
        let house = House::new();
        let producer = producer(&house, 2);
        house.drain(2);
        producer.join().unwrap();
        assert!(!house.is_readable(), "readable for nothing");
    });
}

#[test]
fn of_two_producers_neither_is_lost_and_no_mark_stays() {
    explore(|| {
        let house = House::new();
        let producers = [producer(&house, 1), producer(&house, 1)];
        house.drain(2);
        producers.into_iter().for_each(|producer| producer.join().unwrap());
        assert!(!house.is_readable(), "readable for nothing");
    });
}

#[test]
fn an_event_that_nobody_has_taken_leaves_it_readable() {
    explore(|| {
        let house = House::new();
        let producers = [producer(&house, 1), producer(&house, 1)];
        house.drain(1);
        producers.into_iter().for_each(|producer| producer.join().unwrap());
        assert!(house.is_readable(), "an event waits");
    });
}

#[test]
fn a_close_is_an_edge_and_stays_readable_whatever_is_taken() {
    explore(|| {
        let house = House::new();
        let producer = producer(&house, 1);
        let closer = Arc::clone(&house);
        let closer = thread::spawn(move || closer.readiness.closed());
        house.drain(1);
        producer.join().unwrap();
        closer.join().unwrap();
        assert!(house.is_readable(), "closed");
    });
}

#[test]
fn a_descriptor_that_is_asked_for_meanwhile_misses_nothing() {
    explore(|| {
        let house = House::without_descriptor();
        let producer = producer(&house, 2);
        house.ask();
        house.drain(2);
        producer.join().unwrap();
        assert!(!house.is_readable(), "readable for nothing");
    });
}

#[test]
fn an_event_that_waits_makes_a_descriptor_readable_that_is_asked_for_meanwhile() {
    explore(|| {
        let house = House::without_descriptor();
        let producer = producer(&house, 1);
        house.ask();
        producer.join().unwrap();
        assert!(house.is_readable(), "an event waits");
    });
}
