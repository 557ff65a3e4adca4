//! The model of the gate: a callback that is called, and a shutdown that gives up and closes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool as StdBool, Ordering as Std};

use loom::thread;

use super::CallbackGate;
use crate::sync::model::explore;
use crate::sync::{AtomicBool, Ordering};

#[test]
fn no_callback_is_called_once_the_gate_is_closed() {
    explore(|| {
        let gate = Arc::new(CallbackGate::default());
        // What the host frees after a shutdown that found no call under way.
        let freed = Arc::new(AtomicBool::new(false));
        let (caller, in_use) = (Arc::clone(&gate), Arc::clone(&freed));
        let runner = thread::spawn(move || {
            for _ in 0..2 {
                if caller.enter() {
                    assert!(!in_use.load(Ordering::Relaxed), "called after the shutdown had returned");
                    caller.leave();
                }
            }
        });
        if !gate.close() {
            freed.store(true, Ordering::Relaxed);
        }
        assert!(gate.is_closed());
        runner.join().unwrap();
        assert!(!gate.enter(), "closed forever");
    });
}

#[test]
fn what_is_added_to_a_closed_lane_does_not_stay_there() {
    explore(|| {
        let gate = Arc::new(CallbackGate::default());
        // Stands for the lane: one callback, which somebody must take out.
        let due = Arc::new(AtomicBool::new(false));
        let taken = Arc::new(StdBool::new(false));
        let take = |due: &AtomicBool, taken: &StdBool| {
            if due.swap(false, Ordering::SeqCst) {
                assert!(!taken.swap(true, Std::SeqCst), "dropped once");
            }
        };
        let (closer, lane, once) = (Arc::clone(&gate), Arc::clone(&due), Arc::clone(&taken));
        let shutdown = thread::spawn(move || {
            closer.close();
            take(&lane, &once);
        });
        // A swap, where a store would do: in a model a store is not ordered with the swap that takes it out.
        due.swap(true, Ordering::SeqCst);
        if gate.is_closed() {
            take(&due, &taken);
        }
        shutdown.join().unwrap();
        assert!(taken.load(Std::SeqCst), "left in the lane");
    });
}

#[test]
fn two_threads_that_call_do_so_one_after_the_other() {
    explore(|| {
        let gate = Arc::new(CallbackGate::default());
        // What callbacks share without a lock of their own.
        let shared = Arc::new(AtomicBool::new(false));
        let call = |gate: &CallbackGate, shared: &AtomicBool| {
            if gate.enter() {
                assert!(!shared.load(Ordering::Relaxed), "another callback runs");
                shared.store(true, Ordering::Relaxed);
                shared.store(false, Ordering::Relaxed);
                gate.leave();
            }
        };
        let (caller, used) = (Arc::clone(&gate), Arc::clone(&shared));
        let watchdog = thread::spawn(move || call(&caller, &used));
        call(&gate, &shared);
        watchdog.join().unwrap();
    });
}
