//! The model of the parker, and what the models of the other rooms share.
//!
//! A model is a small program of two or three threads that loom runs once for every order in which they can
//! meet and for every value that the memory model lets a load see. A thread that waits forever in one of
//! these orders is reported as a deadlock, so "returns" is a promise that each model checks by ending.
//!
//! Run by `make test-models`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering as Std};
use std::task::Wake;

use loom::thread;

use super::{AtomicBool, Ordering, Parker};

/// How often a model preempts a thread that could have gone on, at most. Without a bound the models with three
/// threads try millions of orders. The errors that were planted to try the models all show with three; with four, for
/// `make test-long`, the models take minutes together. Waiting is no preemption, so a thread may block as often as it
/// likes.
fn preemptions() -> usize {
    if std::env::var_os("PALITRA_TEST_LONG").is_some() { 4 } else { 3 }
}

/// Runs `scene` in every order. It makes all that its threads share itself.
pub(crate) fn explore(scene: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions());
    let orders = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&orders);
    builder.check(move || {
        count.fetch_add(1, Std::Relaxed);
        scene();
    });
    // A model with one order has nothing that can meet: it would hold whatever the code did.
    let orders = orders.load(Std::Relaxed);
    println!("{orders} orders");
    assert!(orders > 1, "the model explores nothing");
}

/// A thread that parks until its waker is called.
#[derive(Default)]
pub(crate) struct Sleeper {
    pub(crate) parker: Parker,
}

impl Wake for Sleeper {
    fn wake(self: Arc<Self>) {
        self.parker.unpark();
    }
}

/// Something that was said before the unpark, and is looked for before and after the park.
#[derive(Default)]
struct News {
    parker: Parker,
    said: [AtomicBool; 2],
}

impl News {
    fn say(&self, which: usize) {
        self.said[which].store(true, Ordering::Release);
        self.parker.unpark();
    }

    /// Also with a notification left over from news that the owner had seen without parking.
    fn wait_for(&self, which: usize) {
        while !self.said[which].load(Ordering::Acquire) {
            // As a thread that spins does before it parks.
            let _ = self.parker.is_notified();
            self.parker.park_until(None);
        }
    }
}

#[test]
fn what_is_said_before_or_while_the_owner_parks_wakes_it() {
    explore(|| {
        let news = Arc::new(News::default());
        let speaker = Arc::clone(&news);
        let speaker = thread::spawn(move || speaker.say(0));
        news.wait_for(0);
        speaker.join().unwrap();
    });
}

#[test]
fn of_two_speakers_neither_is_lost() {
    explore(|| {
        let news = Arc::new(News::default());
        let speakers = [0, 1].map(|which| {
            let news = Arc::clone(&news);
            thread::spawn(move || news.say(which))
        });
        news.wait_for(0);
        news.wait_for(1);
        for speaker in speakers {
            speaker.join().unwrap();
        }
    });
}

#[test]
fn a_park_that_returns_sees_all_that_was_done_before_its_notification() {
    explore(|| {
        let (parker, said) = (Arc::new(Parker::default()), Arc::new(AtomicBool::new(false)));
        let (other, written) = (Arc::clone(&parker), Arc::clone(&said));
        let speaker = thread::spawn(move || {
            // Relaxed: the parker itself carries the news from one thread to the other.
            written.store(true, Ordering::Relaxed);
            other.unpark();
        });
        parker.park_until(None);
        assert!(said.load(Ordering::Relaxed), "the park returned before the news");
        speaker.join().unwrap();
    });
}
