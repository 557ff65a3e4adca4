//! The model of the answer: hosts that give it, and a runner that waits for it or ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering as Std};
use std::task::{Context, Poll, Waker};

use loom::thread;

use super::Answer;
use crate::reply::{Format, Reply, Status};
use crate::sync::model::{Sleeper, explore};

fn reply(text: &str) -> Reply {
    Reply::success(Format::Text, text.into())
}

#[test]
fn a_runner_that_waits_is_woken_by_the_first_answer() {
    explore(|| {
        let answer = Arc::new(Answer::default());
        let given = Arc::clone(&answer);
        let host = thread::spawn(move || given.give(reply("one")));
        let sleeper = Arc::new(Sleeper::default());
        let waker = Waker::from(Arc::clone(&sleeper));
        let taken = loop {
            match answer.poll(&Context::from_waker(&waker)) {
                Poll::Ready(reply) => break reply,
                Poll::Pending => sleeper.parker.park_until(None),
            }
        };
        assert_eq!(taken.text(), "one");
        assert_eq!(host.join().unwrap(), Ok(()));
        assert_eq!(answer.give(reply("late")), Err(Status::End));
    });
}

#[test]
fn it_is_given_once_or_the_host_is_notified_once_that_it_is_not_needed() {
    explore(|| {
        let answer = Arc::new(Answer::default());
        let notified = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&notified);
        let registered = Arc::clone(&answer);
        let host = thread::spawn(move || {
            let on_cancel = registered.set_on_cancel(Box::new(move || _ = count.fetch_add(1, Std::SeqCst)));
            (on_cancel, registered.give(reply("one")))
        });
        let other = Arc::clone(&answer);
        let another = thread::spawn(move || other.give(reply("two")));
        answer.end();
        let (on_cancel, first) = host.join().unwrap();
        let answers = [first, another.join().unwrap()];
        let given = answers.iter().filter(|answer| answer.is_ok()).count();
        assert!(given <= 1);
        let is_notified = usize::from(given == 0 && on_cancel.is_ok());
        assert_eq!(notified.load(Std::SeqCst), is_notified);
        assert_eq!(answer.check_wanted(), Err(if given == 1 { Status::End } else { Status::Cancelled }));
    });
}
