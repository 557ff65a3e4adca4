//! The model of the watchdog's sleep: threads that wake up while it is about to park.

use std::sync::Arc;

use loom::thread;

use super::Watch;
use crate::current::{RunnerId, Seat};
use crate::sync::model::explore;

const RUNNER: RunnerId = 7;

#[test]
fn a_thread_that_wakes_up_is_watched() {
    explore(|| {
        let watch = Arc::new(Watch::new(RUNNER, 2));
        let threads = [0, 1].map(|number| {
            let watch = Arc::clone(&watch);
            thread::spawn(move || {
                let _seat = Seat::take(RUNNER, number);
                watch.awake();
            })
        });
        // A sleep that nobody ends is a deadlock, which loom reports.
        while watch.doing(0).is_none() || watch.doing(1).is_none() {
            if watch.is_idle() {
                watch.sleep();
            } else {
                // As a tick of the watchdog's, which needs no wake-up.
                thread::yield_now();
            }
        }
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

#[test]
fn a_stop_ends_the_sleep() {
    explore(|| {
        let watch = Arc::new(Watch::new(RUNNER, 1));
        let runner = Arc::clone(&watch);
        let runner = thread::spawn(move || runner.stop());
        while !watch.is_stopped() {
            watch.sleep();
        }
        runner.join().unwrap();
    });
}
