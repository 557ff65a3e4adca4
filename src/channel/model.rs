//! The model of the channel: producers, a consumer that sleeps or looks, and the close.

use std::sync::Arc;

use loom::thread;

use super::Channel;
use crate::deadline::Until;
use crate::reply::Status;
use crate::sync::model::explore;

#[test]
fn a_consumer_that_sleeps_gets_what_two_producers_send_and_then_the_end() {
    explore(|| {
        let channel = Arc::new(Channel::new());
        let producers = [1, 2].map(|item| {
            let channel = Arc::clone(&channel);
            thread::spawn(move || assert!(channel.send(item)))
        });
        let items = [channel.receive(Until::Forever), channel.receive(Until::Forever)];
        assert!(items == [Ok(1), Ok(2)] || items == [Ok(2), Ok(1)], "{items:?}");
        assert!(channel.close());
        assert_eq!(channel.receive(Until::Forever), Err(Status::End));
        for producer in producers {
            producer.join().unwrap();
        }
    });
}

#[test]
fn a_close_wakes_who_sleeps_and_loses_nothing_that_was_taken_in() {
    explore(|| {
        let channel = Arc::new(Channel::new());
        let (sender, closer) = (Arc::clone(&channel), Arc::clone(&channel));
        let sender = thread::spawn(move || sender.send(1));
        let closer = thread::spawn(move || closer.close());
        let mut received = 0;
        while channel.receive(Until::Forever).is_ok() {
            received += 1;
        }
        assert!(closer.join().unwrap());
        assert_eq!(sender.join().unwrap(), received == 1, "taken in and received");
    });
}

#[test]
fn of_two_consumers_each_gets_an_item() {
    explore(|| {
        let channel = Arc::new(Channel::new());
        let other = Arc::clone(&channel);
        let other = thread::spawn(move || other.receive(Until::Forever));
        assert!(channel.send(1) && channel.send(2));
        assert!(channel.receive(Until::Forever).is_ok());
        assert!(other.join().unwrap().is_ok());
    });
}
