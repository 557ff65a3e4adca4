//! The model of the token: every order in which job, host, cancel and free can meet in one slot.
//!
//! Each test is one of the guarantees of [`super`]. Deadlines are left out: loom has no clock, and a deadline
//! that passes takes the same way as a cancel.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use loom::thread::{self, JoinHandle};

use super::locked::LockedToken;
use super::observer::Observer;
use super::slot::{NewToken, Slot};
use super::stream::CAPACITY;
use crate::reply::{Format, Reply, Status};
use crate::sync::Parker;
use crate::sync::model::explore;

const RUNNER: u32 = 7;

/// A slot with its first token.
struct Token {
    slot: Slot,
    generation: u32,
}

fn new_token(runner: u32) -> NewToken {
    NewToken { runner, ..NewToken::default() }
}

impl Token {
    fn new() -> Arc<Token> {
        let slot = Slot::default();
        let generation = slot.open(new_token(RUNNER), false);
        Arc::new(Token { slot, generation })
    }

    fn for_host(&self) -> Result<LockedToken<'_>, Status> {
        self.slot.lock_for_host(self.generation)
    }

    /// The job ends well. Whether the slot may be used again.
    fn finish(&self) -> bool {
        let token = self.slot.lock_for_job(self.generation).unwrap();
        token.release_job(Reply::success(Format::Bytes, b"done".to_vec()))
    }

    fn end(&self, status: Status) -> bool {
        self.for_host().is_ok_and(|token| token.end(status))
    }

    /// Whether the slot may be used again.
    fn free(&self) -> bool {
        self.for_host().is_ok_and(LockedToken::release_host)
    }

    /// The reply, taken by a host that releases the token with it, and whether the slot may be used again.
    fn take(&self) -> Option<(Status, bool)> {
        let (reply, is_reusable) = self.for_host().ok()?.take()?;
        Some((reply.status(), is_reusable))
    }

    fn wait(&self) -> Result<Status, Status> {
        self.slot.wait_until(self.generation, &Arc::default(), None).map(|reply| reply.status())
    }

    /// As the job's task asks before each poll.
    fn should_stop(&self, task: &Waker) -> bool {
        self.slot.lock_for_job(self.generation).is_none_or(|mut token| token.poll_should_stop(task))
    }

    fn status(&self) -> Result<Status, Status> {
        Ok(self.for_host()?.look(Reply::status).1.unwrap_or(Status::Pending))
    }

    fn observe(&self, listener: &Arc<Listener>) -> Result<Status, Status> {
        Ok(self.for_host()?.observe(&as_observer(listener), 0))
    }
}

fn as_observer(listener: &Arc<Listener>) -> Arc<dyn Observer> {
    Arc::clone(listener) as _
}

fn spawn<R: 'static>(token: &Arc<Token>, act: impl FnOnce(&Token) -> R + 'static) -> JoinHandle<R> {
    let token = Arc::clone(token);
    thread::spawn(move || act(&token))
}

/// Counts its notifications. Its numbers are no part of the model, so they add no orders to it.
#[derive(Default)]
struct Listener {
    notified: AtomicUsize,
    status: AtomicUsize,
}

impl Listener {
    fn notified(&self) -> usize {
        self.notified.load(Ordering::Relaxed)
    }

    /// What it was notified of, exactly once.
    #[track_caller]
    fn only_status(&self) -> Status {
        assert_eq!(self.notified(), 1, "an observer is notified exactly once");
        Status::from_number(self.status.load(Ordering::Relaxed) as i32).unwrap()
    }
}

impl Observer for Listener {
    fn notify(&self, _tag: u32, status: Status) {
        self.notified.fetch_add(1, Ordering::Relaxed);
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
    /// A job that pends until it is to stop.
    fn pend(self: &Arc<Self>, token: &Token) {
        let waker = Waker::from(Arc::clone(self));
        while !token.should_stop(&waker) {
            self.parker.park_until(None);
        }
    }
}

#[test]
fn a_token_finishes_once_whoever_comes_first() {
    explore(|| {
        let (token, listener) = (Token::new(), Arc::<Listener>::default());
        token.observe(&listener).unwrap();
        let job = spawn(&token, Token::finish);
        let deadline = spawn(&token, |token| token.end(Status::Deadline));
        let cancelled = token.end(Status::Cancelled);
        let reusable = job.join().unwrap();
        let status = match (cancelled, deadline.join().unwrap()) {
            (true, false) => Status::Cancelled,
            (false, true) => Status::Deadline,
            (false, false) => Status::Ok,
            (true, true) => panic!("two finished one token"),
        };
        assert_eq!(token.status(), Ok(status));
        assert_eq!(listener.only_status(), status);
        assert!(!reusable, "the host still reads it");
        assert!(token.free(), "nobody holds it any more");
    });
}

#[test]
fn the_last_to_release_and_nobody_else_makes_the_slot_reusable() {
    explore(|| {
        let (token, listener) = (Token::new(), Arc::<Listener>::default());
        token.observe(&listener).unwrap();
        let job = spawn(&token, Token::finish);
        let cancel = spawn(&token, |token| token.end(Status::Cancelled));
        let reusable = [token.free(), job.join().unwrap()];
        let cancelled = cancel.join().unwrap();
        assert_eq!(reusable.iter().filter(|reusable| **reusable).count(), 1, "{reusable:?}");
        let status = listener.only_status();
        assert_eq!(status == Status::Cancelled, cancelled, "{status:?}");
        assert!([Status::Ok, Status::Cancelled, Status::InvalidHandle].contains(&status), "{status:?}");
        assert!(!token.free(), "freed once");
    });
}

#[test]
fn a_waiter_is_woken_by_whatever_finishes_the_token() {
    explore(|| {
        let token = Token::new();
        let job = spawn(&token, Token::finish);
        let cancel = spawn(&token, |token| token.end(Status::Cancelled));
        let outcome = token.wait();
        job.join().unwrap();
        let expected = if cancel.join().unwrap() { Status::Cancelled } else { Status::Ok };
        assert_eq!(outcome, Ok(expected));
    });
}

#[test]
fn two_waiters_are_both_woken() {
    explore(|| {
        let token = Token::new();
        let other = spawn(&token, Token::wait);
        let job = spawn(&token, Token::finish);
        assert_eq!(token.wait(), Ok(Status::Ok));
        assert_eq!(other.join().unwrap(), Ok(Status::Ok));
        job.join().unwrap();
    });
}

#[test]
fn a_waiter_whose_token_another_thread_frees_finds_the_name_stale() {
    explore(|| {
        let token = Token::new();
        let free = spawn(&token, Token::free);
        assert_eq!(token.wait(), Err(Status::InvalidHandle));
        assert!(!free.join().unwrap(), "the job still holds the slot");
        assert!(token.finish());
    });
}

#[test]
fn a_waiter_returns_when_finish_and_free_race() {
    explore(|| {
        let token = Token::new();
        let job = spawn(&token, Token::finish);
        let free = spawn(&token, Token::free);
        let outcome = token.wait();
        assert!([Ok(Status::Ok), Err(Status::InvalidHandle)].contains(&outcome), "{outcome:?}");
        assert!(job.join().unwrap() != free.join().unwrap(), "one of the two makes the slot reusable");
    });
}

#[test]
fn a_cancel_wakes_the_job_also_while_the_host_releases_the_token() {
    explore(|| {
        let token = Token::new();
        let cancel = spawn(&token, |token| token.end(Status::Cancelled));
        let job = spawn(&token, |token| Arc::<Task>::default().pend(token));
        assert!(cancel.join().unwrap());
        token.free();
        job.join().unwrap();
    });
}

#[test]
fn the_job_of_a_detached_token_is_woken_by_a_shutdown() {
    explore(|| {
        let token = Token::new();
        let job = spawn(&token, |token| Arc::<Task>::default().pend(token));
        let shutdown =
            spawn(&token, |token| token.slot.lock_if_of(RUNNER).is_some_and(|token| token.end(Status::Cancelled)));
        token.free();
        shutdown.join().unwrap();
        job.join().unwrap();
        assert!(token.finish(), "both sides have released it");
    });
}

/// A task beside the job: sends items until that is refused. How many were taken.
fn send_all(token: &Token, items: usize) -> usize {
    let task = Arc::<Task>::default();
    let waker = Waker::from(Arc::clone(&task));
    for sent in 0..items {
        let mut item = Some(Reply::success(Format::Bytes, Vec::new()));
        loop {
            let Some(stream) = token.for_host().ok().and_then(|mut token| token.stream_to_send()) else { return sent };
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
        let token = Token::new();
        assert_eq!(send_all(&token, CAPACITY), CAPACITY);
        let sender = spawn(&token, |token| send_all(token, 1));
        let job = spawn(&token, Token::finish);
        token.end(Status::Cancelled);
        job.join().unwrap();
        assert_eq!(sender.join().unwrap(), 0, "there is no room");
        let stream = token.for_host().unwrap().stream_to_read();
        assert_eq!(std::iter::from_fn(|| stream.take(None)).count(), CAPACITY, "what was sent can be read");
    });
}

#[test]
fn every_item_that_was_taken_is_there_when_the_token_has_finished() {
    explore(|| {
        let token = Token::new();
        let sender = spawn(&token, |token| send_all(token, 1));
        let cancel = spawn(&token, |token| token.end(Status::Cancelled));
        token.wait().unwrap();
        let stream = token.for_host().unwrap().stream_to_read();
        let read = std::iter::from_fn(|| stream.take(None)).count();
        assert_eq!(sender.join().unwrap(), read);
        cancel.join().unwrap();
    });
}

#[test]
fn an_observer_is_notified_or_its_registration_refused_but_not_both() {
    explore(|| {
        let (token, listener) = (Token::new(), Arc::<Listener>::default());
        let job = spawn(&token, Token::finish);
        let outcome = token.observe(&listener).unwrap();
        job.join().unwrap();
        match outcome {
            Status::Pending => assert_eq!(listener.only_status(), Status::Ok),
            status => assert_eq!((status, listener.notified()), (Status::Ok, 0)),
        }
    });
}

#[test]
fn one_observer_leaving_takes_nothing_from_the_others() {
    explore(|| {
        let token = Token::new();
        let [first, second, third] = [(); 3].map(|()| Arc::<Listener>::default());
        for listener in [&first, &second] {
            token.observe(listener).unwrap();
        }
        let leaving = Arc::clone(&first);
        let leaving = spawn(&token, move |token| {
            if let Ok(token) = token.for_host() {
                token.unobserve(&as_observer(&leaving))
            }
        });
        let job = spawn(&token, Token::finish);
        let late = token.observe(&third).unwrap();
        leaving.join().unwrap();
        job.join().unwrap();
        assert!(first.notified() <= 1);
        assert_eq!(second.only_status(), Status::Ok);
        assert_eq!(third.notified(), usize::from(late == Status::Pending));
    });
}

#[test]
fn a_reply_is_taken_with_its_token_or_not_at_all() {
    explore(|| {
        let token = Token::new();
        let job = spawn(&token, Token::finish);
        let cancel = spawn(&token, |token| token.end(Status::Cancelled));
        let taken = token.take();
        let cancelled = cancel.join().unwrap();
        let vacated_by_job = job.join().unwrap();
        let expected = if cancelled { Status::Cancelled } else { Status::Ok };
        let vacated_by_host = match taken {
            Some((status, is_reusable)) => {
                assert_eq!(status, expected);
                is_reusable
            }
            None => {
                assert_eq!(token.status(), Ok(expected), "nobody has taken it");
                token.free()
            }
        };
        assert!(vacated_by_job != vacated_by_host, "the slot is vacated once");
        assert_eq!(token.slot.owner(token.generation), Err(Status::InvalidHandle));
    });
}

#[test]
fn a_stale_name_never_meets_the_next_token() {
    explore(|| {
        let token = Token::new();
        let job = spawn(&token, |token| token.finish().then(|| token.slot.open(new_token(RUNNER + 1), false)));
        let stale = spawn(&token, |token| {
            let unlocked = token.slot.owner(token.generation);
            assert!([Ok(RUNNER), Err(Status::InvalidHandle)].contains(&unlocked), "{unlocked:?}");
            (token.status(), token.for_host().map(|token| token.runner()), token.end(Status::Cancelled))
        });
        let freed = token.free().then(|| token.slot.open(new_token(RUNNER + 1), false));
        let next = job.join().unwrap().or(freed).unwrap();
        let (status, runner, _) = stale.join().unwrap();
        assert!([Ok(Status::Pending), Ok(Status::Ok), Err(Status::InvalidHandle)].contains(&status), "{status:?}");
        assert!([Ok(RUNNER), Err(Status::InvalidHandle)].contains(&runner), "{runner:?}");
        let next = token.slot.lock_for_host(next).unwrap().look(Reply::status);
        assert_eq!(next, (RUNNER + 1, None), "the next token is untouched");
    });
}
