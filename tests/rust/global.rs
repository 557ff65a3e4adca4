//! The global runner: made on first use, remade after a shutdown. These tests take turns, for there is one.
//!
//! Promise 12: several runners and libraries live in one process.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Duration;

use palitra::{Status, global_runner, is_runner_alive, shutdown_global_runner};

use super::{Flag, Meeting, PATIENCE, RaiseOnDrop, assert_refused, bounded, give_way};

/// The turn of one test, which starts and ends without a global runner.
struct Turn {
    _turn: MutexGuard<'static, ()>,
}

fn turn() -> Turn {
    static TURNS: Mutex<()> = Mutex::new(());
    let turn = TURNS.lock().unwrap_or_else(PoisonError::into_inner);
    let _ = shutdown_global_runner(Some(Duration::ZERO));
    Turn { _turn: turn }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let _ = shutdown_global_runner(Some(Duration::ZERO));
    }
}

/// The thread of the global runner.
fn its_thread() -> ThreadId {
    palitra::run(async {
        give_way().await;
        thread::current().id()
    })
    .unwrap()
}

#[test]
fn it_is_made_on_first_use_and_not_by_asking_for_it() {
    let _turn = turn();
    assert!(!is_runner_alive());
    assert!(!is_runner_alive(), "asking makes none");
    assert_eq!(palitra::run(async { 42 }).unwrap(), 42);
    assert!(is_runner_alive());
}

#[test]
fn every_use_is_of_the_same_one() {
    let _turn = turn();
    let thread = its_thread();
    assert_eq!(its_thread(), thread);
    let gathered = palitra::gather([(); 2].map(|()| async { thread::current().id() })).unwrap();
    assert_eq!(gathered, [thread; 2]);
    let submitted = global_runner().unwrap().submit(async { thread::current().id() }).unwrap();
    assert_eq!(submitted.wait(Some(PATIENCE)).unwrap(), thread);
}

#[test]
fn a_first_use_by_many_threads_makes_one() {
    let _turn = turn();
    let meeting = Meeting::default();
    let threads = [(); 6].map(|()| {
        let meeting = meeting.clone();
        thread::spawn(move || {
            assert!(meeting.attend(6));
            its_thread()
        })
    });
    let ids = threads.map(|thread| thread.join().unwrap());
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
}

#[test]
fn after_a_shutdown_the_next_use_makes_another() {
    let _turn = turn();
    let first = its_thread();
    let old = global_runner().unwrap();
    shutdown_global_runner(None).unwrap();
    assert!(!is_runner_alive());
    assert_refused(old.run(async {}), Status::ShutDown);
    assert_ne!(its_thread(), first);
    assert!(is_runner_alive());
    assert!(!old.is_alive(), "the old one stays as it is");
}

#[test]
fn shutting_down_what_is_not_there_is_well() {
    let _turn = turn();
    shutdown_global_runner(None).unwrap();
    palitra::run(async {}).unwrap();
    shutdown_global_runner(Some(PATIENCE)).unwrap();
    shutdown_global_runner(None).unwrap();
}

#[test]
fn a_shutdown_within_its_job_is_refused() {
    let _turn = turn();
    let result = bounded(|| {
        palitra::run(async {
            give_way().await;
            shutdown_global_runner(None)
        })
    });
    assert_refused(result.unwrap(), Status::WouldDeadlock);
    assert!(is_runner_alive());
}

#[test]
fn a_job_that_asks_for_it_while_it_is_shut_down_does_not_hang() {
    struct Ask {
        _asked: RaiseOnDrop,
    }

    impl Drop for Ask {
        fn drop(&mut self) {
            assert!(!is_runner_alive());
        }
    }

    let _turn = turn();
    let has_returned = || {
        let asked = Flag::default();
        let ask = Ask { _asked: asked.on_drop() };
        let token = global_runner().unwrap().submit(async move {
            let _ask = ask;
            std::future::pending::<()>().await;
        });
        let ended = bounded(|| shutdown_global_runner(Some(Duration::ZERO)));
        assert_refused(token.unwrap().wait(Some(PATIENCE)), Status::Cancelled);
        ended.is_ok() && asked.is_up()
    };
    // One of a few tries, for the sake of a machine that is very busy.
    assert!((0..5).any(|_| has_returned()), "the job waits until the shutdown gives up");
}
