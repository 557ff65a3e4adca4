//! The model of the end: submitters that are accepted or refused, and a runner that ends when nothing is in flight.

use std::sync::Arc;

use std::task::Waker;

use loom::thread;

use super::Closing;
use crate::deadline::Until;
use crate::flight::Flight;
use crate::reply::Status;
use crate::runner::doorbell::Doorbell;
use crate::sync::model::{Sleeper, explore};
use crate::sync::{AtomicBool, Mutex, Ordering, lock};

/// One runner and the one token that a host makes.
struct House {
    closing: Closing,
    flight: Flight,
    /// Whether the token exists, and whether it has finished.
    token: Mutex<(bool, bool)>,
    runtime_is_gone: AtomicBool,
}

impl House {
    fn new() -> Arc<House> {
        Arc::new(House {
            closing: Closing::new(),
            flight: Flight::new(0),
            token: Mutex::default(),
            runtime_is_gone: AtomicBool::new(false),
        })
    }

    /// As the core accepts a job of a host's.
    fn admit(&self) -> bool {
        self.admit_unless(Closing::is_requested)
    }

    /// The same of a job's, or of whoever is refused then.
    fn admit_unless(&self, is_refused: impl Fn(&Closing) -> bool) -> bool {
        if is_refused(&self.closing) || self.flight.admit(1).is_err() {
            return false;
        }
        if is_refused(&self.closing) {
            self.flight.ended(Status::Cancelled);
            return false;
        }
        true
    }

    /// As the runner's thread ends: it looks once, and may have come too early.
    fn end(&self) {
        if self.closing.is_requested() && self.flight.is_empty() {
            self.closing.end();
            if self.flight.is_empty() {
                self.runtime_is_gone.store(true, Ordering::SeqCst);
            }
        }
    }

    fn cancel_all(&self) {
        self.closing.cancel();
        self.finish();
    }

    /// Finishes the token if it exists.
    fn finish(&self) {
        let mut token = lock(&self.token);
        token.1 |= token.0;
    }
}

#[test]
fn an_accepted_job_never_meets_a_runtime_that_is_gone() {
    check_that_none_meets_a_runtime_that_is_gone(Closing::is_requested);
}

#[test]
fn nor_does_one_that_a_job_has_submitted() {
    check_that_none_meets_a_runtime_that_is_gone(Closing::grace_has_passed);
}

fn check_that_none_meets_a_runtime_that_is_gone(is_refused: fn(&Closing) -> bool) {
    explore(move || {
        let house = House::new();
        let host = Arc::clone(&house);
        let host = thread::spawn(move || {
            if host.admit_unless(is_refused) {
                assert!(!host.runtime_is_gone.load(Ordering::SeqCst), "polled without a runtime");
                host.flight.ended(Status::Ok);
            }
        });
        let runner = Arc::clone(&house);
        let runner = thread::spawn(move || runner.end());
        house.closing.request(Until::Forever);
        house.end();
        host.join().unwrap();
        runner.join().unwrap();
        // Whoever leaves last wakes the runner, which looks again.
        house.end();
        assert!(house.runtime_is_gone.load(Ordering::SeqCst), "the runner never ends");
    });
}

#[test]
fn a_token_that_is_made_while_a_shutdown_gives_up_is_finished_by_one_of_them() {
    explore(|| {
        let house = House::new();
        let host = Arc::clone(&house);
        let host = thread::spawn(move || {
            if !host.admit() {
                return false;
            }
            lock(&host.token).0 = true;
            if host.closing.is_cancelled() {
                host.finish();
            }
            true
        });
        house.closing.request(Until::Now);
        house.cancel_all();
        let accepted = host.join().unwrap();
        assert!(!accepted || lock(&house.token).1, "accepted and never finished");
    });
}

#[test]
fn the_last_job_wakes_the_runner_and_its_token_is_finished_first() {
    explore(|| {
        let (house, bell) = (House::new(), Arc::new(Doorbell::default()));
        assert!(house.admit());
        lock(&house.token).0 = true;
        let (worker, rung) = (Arc::clone(&house), Arc::clone(&bell));
        let worker = thread::spawn(move || {
            worker.flight.begin_finish();
            worker.flight.ended(Status::Ok);
            worker.finish();
            worker.flight.end_finish();
            if worker.closing.is_requested() {
                rung.ring();
            }
        });
        house.closing.request(Until::Forever);
        let runtime = Arc::<Sleeper>::default();
        let waker = Waker::from(Arc::clone(&runtime));
        // A sleep that nobody ends is a deadlock, which loom reports.
        while !house.flight.is_empty() {
            if bell.may_sleep(&waker, || house.flight.is_empty()) {
                runtime.parker.park_until(None);
                bell.awake();
            }
        }
        assert!(lock(&house.token).1, "the runner has ended before the token was finished");
        worker.join().unwrap();
    });
}
