//! The model of the token: every order in which job, host, cancel and free can meet in one slot.
//!
//! Each test is one of the guarantees of [`super`]. Deadlines are left out: loom has no clock, and a deadline
//! that passes takes the same way as a cancel.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use loom::thread::{self, JoinHandle};

use super::{Observer, Tenant, TokenCell};
use crate::reply::{Format, Reply, Status};
use crate::sync::Parker;
use crate::sync::model::explore;
use crate::token::stream::CAPACITY;

const RUNNER: u32 = 7;

/// A slot with its first tenant.
struct Slot {
    cell: TokenCell,
    generation: u32,
}

impl Slot {
    fn new() -> Arc<Slot> {
        let cell = TokenCell::default();
        let generation = cell.open(Tenant { runner: RUNNER, ..Tenant::default() }, false);
        Arc::new(Slot { cell, generation })
    }

    /// The job ends well. Whether the slot may be reused.
    fn finish(&self) -> bool {
        self.cell.release_job(Reply::success(Format::Bytes, b"done".to_vec()))
    }

    fn end(&self, status: Status) -> bool {
        self.cell.end(self.generation, status).unwrap_or(false)
    }

    /// Whether the slot may be reused.
    fn free(&self) -> bool {
        self.cell.release_host(self.generation).unwrap_or(false)
    }

    fn wait(&self) -> Result<Status, Status> {
        let answer = self.cell.wait_until(self.generation, &Arc::default(), None);
        answer.map(|reply| reply.status())
    }

    fn status(&self) -> Result<Status, Status> {
        self.cell.status(self.generation)
    }

    fn observe(&self, listener: &Arc<Listener>) -> Result<Status, Status> {
        self.cell.observe(self.generation, &as_observer(listener), 0)
    }
}

fn as_observer(listener: &Arc<Listener>) -> Arc<dyn Observer> {
    Arc::clone(listener) as _
}

fn spawn<R: 'static>(slot: &Arc<Slot>, act: impl FnOnce(&Slot) -> R + 'static) -> JoinHandle<R> {
    let slot = Arc::clone(slot);
    thread::spawn(move || act(&slot))
}

/// Counts what it is told. Its numbers are no part of the model, so they add no orders to it.
#[derive(Default)]
struct Listener {
    told: AtomicUsize,
    status: AtomicUsize,
}

impl Listener {
    fn told(&self) -> usize {
        self.told.load(Ordering::Relaxed)
    }

    /// What it was told, exactly once.
    #[track_caller]
    fn heard(&self) -> Status {
        assert_eq!(self.told(), 1, "an observer is told exactly once");
        Status::from_number(self.status.load(Ordering::Relaxed) as i32).unwrap()
    }
}

impl Observer for Listener {
    fn finished(&self, _tag: u32, status: Status) {
        self.told.fetch_add(1, Ordering::Relaxed);
        self.status.store(status as usize, Ordering::Relaxed);
    }
}

/// The runner's task: parks until it is woken.
#[derive(Default)]
struct Task {
    parker: Parker,
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.parker.unpark();
    }
}

impl Task {
    /// A job that pends for ever: goes on until its token is over.
    fn pend(self: &Arc<Self>, slot: &Slot) {
        let waker = Waker::from(Arc::clone(self));
        while !slot.cell.is_over_or_wake(slot.generation, &waker) {
            self.parker.park_until(None);
        }
    }
}

#[test]
fn a_token_finishes_once_whoever_comes_first() {
    explore(|| {
        let (slot, listener) = (Slot::new(), Arc::<Listener>::default());
        slot.observe(&listener).unwrap();
        let job = spawn(&slot, Slot::finish);
        let deadline = spawn(&slot, |slot| slot.end(Status::Deadline));
        let cancelled = slot.end(Status::Cancelled);
        let reusable = job.join().unwrap();
        let status = match (cancelled, deadline.join().unwrap()) {
            (true, false) => Status::Cancelled,
            (false, true) => Status::Deadline,
            (false, false) => Status::Ok,
            (true, true) => panic!("two finished one token"),
        };
        assert_eq!(slot.status(), Ok(status));
        assert_eq!(listener.heard(), status);
        assert!(!reusable, "the host still reads it");
        assert!(slot.free(), "nobody holds it any more");
    });
}

#[test]
fn the_last_to_let_go_and_nobody_else_makes_the_slot_reusable() {
    explore(|| {
        let (slot, listener) = (Slot::new(), Arc::<Listener>::default());
        slot.observe(&listener).unwrap();
        let job = spawn(&slot, Slot::finish);
        let cancel = spawn(&slot, |slot| slot.end(Status::Cancelled));
        let reusable = [slot.free(), job.join().unwrap()];
        let cancelled = cancel.join().unwrap();
        assert_eq!(reusable.iter().filter(|reusable| **reusable).count(), 1, "{reusable:?}");
        let heard = listener.heard();
        assert_eq!(heard == Status::Cancelled, cancelled, "{heard:?}");
        assert!([Status::Ok, Status::Cancelled, Status::InvalidHandle].contains(&heard), "{heard:?}");
        assert!(!slot.free(), "freed once");
    });
}

#[test]
fn a_waiter_is_woken_by_whatever_finishes_the_token() {
    explore(|| {
        let slot = Slot::new();
        let job = spawn(&slot, Slot::finish);
        let cancel = spawn(&slot, |slot| slot.end(Status::Cancelled));
        let answer = slot.wait();
        job.join().unwrap();
        let expected = if cancel.join().unwrap() { Status::Cancelled } else { Status::Ok };
        assert_eq!(answer, Ok(expected));
    });
}

#[test]
fn two_waiters_are_both_woken() {
    explore(|| {
        let slot = Slot::new();
        let other = spawn(&slot, Slot::wait);
        let job = spawn(&slot, Slot::finish);
        assert_eq!(slot.wait(), Ok(Status::Ok));
        assert_eq!(other.join().unwrap(), Ok(Status::Ok));
        job.join().unwrap();
    });
}

#[test]
fn a_waiter_whose_token_another_thread_frees_finds_the_name_stale() {
    explore(|| {
        let slot = Slot::new();
        let free = spawn(&slot, Slot::free);
        assert_eq!(slot.wait(), Err(Status::InvalidHandle));
        assert!(!free.join().unwrap(), "the job still holds the slot");
        assert!(slot.finish());
    });
}

#[test]
fn a_waiter_returns_when_finish_and_free_race() {
    explore(|| {
        let slot = Slot::new();
        let job = spawn(&slot, Slot::finish);
        let free = spawn(&slot, Slot::free);
        let answer = slot.wait();
        assert!([Ok(Status::Ok), Err(Status::InvalidHandle)].contains(&answer), "{answer:?}");
        assert!(job.join().unwrap() != free.join().unwrap(), "one of the two makes the slot reusable");
    });
}

#[test]
fn a_cancel_wakes_the_job_also_while_the_host_lets_go() {
    explore(|| {
        let slot = Slot::new();
        let cancel = spawn(&slot, |slot| slot.end(Status::Cancelled));
        let job = spawn(&slot, |slot| Arc::<Task>::default().pend(slot));
        assert!(cancel.join().unwrap());
        slot.free();
        job.join().unwrap();
    });
}

#[test]
fn a_host_that_lets_go_does_not_make_the_job_deaf_to_a_shutdown() {
    explore(|| {
        let slot = Slot::new();
        let job = spawn(&slot, |slot| Arc::<Task>::default().pend(slot));
        let shutdown = spawn(&slot, |slot| slot.cell.finish_tenant_of(RUNNER, Status::Cancelled));
        slot.free();
        shutdown.join().unwrap();
        job.join().unwrap();
        assert!(slot.finish(), "both sides have let go");
    });
}

/// A task beside the job: sends items until that is refused. How many were taken.
fn send_all(slot: &Slot, items: usize) -> usize {
    let task = Arc::<Task>::default();
    let waker = Waker::from(Arc::clone(&task));
    for sent in 0..items {
        let mut item = Some(Reply::success(Format::Bytes, Vec::new()));
        loop {
            let Some(stream) = slot.cell.sending(slot.generation) else { return sent };
            match stream.poll_send(&mut item, &mut Context::from_waker(&waker)) {
                Poll::Ready(Ok(())) => break,
                Poll::Ready(Err(_)) => return sent,
                Poll::Pending => task.parker.park_until(None),
            }
        }
    }
    items
}

#[test]
fn a_sender_that_waits_is_woken_by_whatever_ends_the_token() {
    explore(|| {
        let slot = Slot::new();
        assert_eq!(send_all(&slot, CAPACITY), CAPACITY);
        let sender = spawn(&slot, |slot| send_all(slot, 1));
        let job = spawn(&slot, Slot::finish);
        slot.end(Status::Cancelled);
        job.join().unwrap();
        assert_eq!(sender.join().unwrap(), 0, "there is no room");
        let (stream, ..) = slot.cell.reading(slot.generation).unwrap();
        assert_eq!(std::iter::from_fn(|| stream.take(None)).count(), CAPACITY, "what was sent can be read");
    });
}

#[test]
fn every_item_that_was_taken_is_there_when_the_token_has_finished() {
    explore(|| {
        let slot = Slot::new();
        let sender = spawn(&slot, |slot| send_all(slot, 1));
        let cancel = spawn(&slot, |slot| slot.end(Status::Cancelled));
        slot.wait().unwrap();
        let (stream, ..) = slot.cell.reading(slot.generation).unwrap();
        let read = std::iter::from_fn(|| stream.take(None)).count();
        assert_eq!(sender.join().unwrap(), read);
        cancel.join().unwrap();
    });
}

#[test]
fn an_observer_is_told_or_answered_but_not_both() {
    explore(|| {
        let (slot, listener) = (Slot::new(), Arc::<Listener>::default());
        let job = spawn(&slot, Slot::finish);
        let answer = slot.observe(&listener).unwrap();
        job.join().unwrap();
        match answer {
            Status::Pending => assert_eq!(listener.heard(), Status::Ok),
            status => assert_eq!((status, listener.told()), (Status::Ok, 0)),
        }
    });
}

#[test]
fn one_observer_leaving_takes_nothing_from_the_others() {
    explore(|| {
        let slot = Slot::new();
        let [first, second, third] = [(); 3].map(|()| Arc::<Listener>::default());
        for listener in [&first, &second] {
            slot.observe(listener).unwrap();
        }
        let leaving = Arc::clone(&first);
        let leaving = spawn(&slot, move |slot| slot.cell.unobserve(slot.generation, &as_observer(&leaving)));
        let job = spawn(&slot, Slot::finish);
        let late = slot.observe(&third).unwrap();
        leaving.join().unwrap();
        job.join().unwrap();
        assert!(first.told() <= 1);
        assert_eq!(second.heard(), Status::Ok);
        assert_eq!(third.told(), usize::from(late == Status::Pending));
    });
}

#[test]
fn a_stale_name_never_meets_the_next_tenant() {
    explore(|| {
        let slot = Slot::new();
        let job = spawn(&slot, |slot| {
            slot.finish().then(|| slot.cell.open(Tenant { runner: RUNNER + 1, ..Tenant::default() }, false))
        });
        let stale =
            spawn(&slot, |slot| (slot.status(), slot.cell.runner(slot.generation), slot.end(Status::Cancelled)));
        let freed = slot.free().then(|| slot.cell.open(Tenant { runner: RUNNER + 1, ..Tenant::default() }, false));
        let next = job.join().unwrap().or(freed).unwrap();
        let (status, runner, _) = stale.join().unwrap();
        assert!([Ok(Status::Pending), Ok(Status::Ok), Err(Status::InvalidHandle)].contains(&status), "{status:?}");
        assert!([Ok(RUNNER), Err(Status::InvalidHandle)].contains(&runner), "{runner:?}");
        assert_eq!(slot.cell.status(next), Ok(Status::Pending), "the next tenant is untouched");
    });
}
