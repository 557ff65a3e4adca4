//! The model of the doorbell: a runner that sleeps, submitters that queue and ring.
//!
//! The queue stands in for crossbeam's: a number of jobs, without any order of its own between memory
//! accesses. What must hold holds by the doorbell's fences alone.

use std::sync::Arc;
use std::task::{Wake, Waker};

use loom::sync::atomic::AtomicU32;
use loom::thread;

use super::Doorbell;
use crate::sync::Ordering;
use crate::sync::model::{Sleeper, explore};

/// What the submitters and the runner's thread share.
#[derive(Default)]
struct House {
    doorbell: Doorbell,
    queue: AtomicU32,
    runtime: Arc<Sleeper>,
}

impl House {
    fn submit(&self) {
        self.queue.fetch_add(1, Ordering::Relaxed);
        self.doorbell.ring();
    }

    /// The runner's loop until it has seen `jobs`. A sleep that nobody ends is a deadlock, which loom reports.
    fn run(&self, jobs: u32) {
        let waker = Waker::from(Arc::clone(&self.runtime));
        let mut seen = 0;
        loop {
            self.doorbell.awake();
            seen += self.queue.swap(0, Ordering::Relaxed);
            if seen == jobs {
                return;
            }
            // As a runner that spins does before it sleeps.
            if self.queue.load(Ordering::Relaxed) > 0 {
                continue;
            }
            if self.doorbell.may_sleep(&waker, || self.queue.load(Ordering::Relaxed) > 0) {
                self.runtime.parker.park_until(None);
            }
        }
    }
}

#[test]
fn a_runner_never_sleeps_with_work_queued_and_unrung() {
    explore(|| {
        let house = Arc::new(House::default());
        let host = Arc::clone(&house);
        let host = thread::spawn(move || {
            host.submit();
            host.submit();
        });
        house.run(2);
        host.join().unwrap();
    });
}

#[test]
fn of_two_submitters_neither_is_left_waiting() {
    explore(|| {
        let house = Arc::new(House::default());
        let hosts = [(); 2].map(|()| {
            let host = Arc::clone(&house);
            thread::spawn(move || host.submit())
        });
        house.run(2);
        for host in hosts {
            host.join().unwrap();
        }
    });
}

#[test]
fn a_ring_wakes_a_runner_that_something_else_woke_before() {
    explore(|| {
        let house = Arc::new(House::default());
        let (host, socket) = (Arc::clone(&house), Arc::clone(&house.runtime));
        let host = thread::spawn(move || host.submit());
        let socket = thread::spawn(move || socket.wake());
        house.run(1);
        host.join().unwrap();
        socket.join().unwrap();
    });
}
