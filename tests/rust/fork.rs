//! What a forked child sees.
//!
//! Promise 9: a fork harms neither parent nor child.
//!
//! A test harness has threads of its own, whose locks a child would inherit as they stand. So each test
//! starts this program once more, for itself alone; there it forks.

#![allow(unsafe_code, reason = "fork, waitpid and _exit are system calls")]

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::thread;
use std::time::Duration;

use palitra::{Runner, Status, is_runner_alive, shutdown_global_runner};

use super::{Flag, PATIENCE, assert_refused, block_on, bounded, end, give_way, runner, wait_until};
use palitra_test_support::process::run_well;

const ALONE: &str = "PALITRA_TEST_ALONE";

/// Calls `act` in a new process of this program, which runs the test `name` of this module and no other.
fn alone(name: &str, act: fn()) {
    if std::env::var_os(ALONE).is_some() {
        return act();
    }
    let program = std::env::current_exe().unwrap();
    let mut command = Command::new(program);
    command.args(["--exact", "--nocapture", "--test-threads=1"]).arg(format!("fork::{name}")).env(ALONE, "1");
    let ended = run_well(&mut command, 4 * PATIENCE);
    assert!(ended.output.contains("1 passed"), "{} is not the name of the test", name);
}

/// A test in a process of its own.
macro_rules! alone {
    (fn $name:ident() $body:block) => {
        #[test]
        fn $name() {
            alone(stringify!($name), || $body);
        }
    };
}

/// Forks; `act` runs in the child. Panics unless it ends there without a panic, and in time.
#[track_caller]
fn in_child(act: impl FnOnce()) {
    // SAFETY: the child calls what this library promises for a child, and leaves by _exit.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let ended = catch_unwind(AssertUnwindSafe(act));
        // SAFETY: always safe; nothing of the parent's is flushed, joined or dropped.
        unsafe { libc::_exit(if ended.is_ok() { 0 } else { 1 }) };
    }
    assert!(child > 0, "no fork");
    let reaper = Reaper { child };
    wait_until("the child has ended", || {
        reaper.ended().is_some_and(|status| {
            assert_eq!(status, 0, "the child failed");
            true
        })
    });
    std::mem::forget(reaper);
}

/// A child that is killed if its test fails.
struct Reaper {
    child: libc::pid_t,
}

impl Reaper {
    fn ended(&self) -> Option<i32> {
        let mut status = 0;
        // SAFETY: writes to `status` alone.
        let found = unsafe { libc::waitpid(self.child, &mut status, libc::WNOHANG) };
        (found == self.child).then_some(status)
    }
}

impl Drop for Reaper {
    fn drop(&mut self) {
        if thread::panicking() && self.ended().is_none() {
            // SAFETY: a child of this process that was not reaped yet.
            unsafe { libc::kill(self.child, libc::SIGKILL) };
        }
    }
}

/// Every call on the parent's runner returns FORKED, at once.
fn assert_forked(runner: &Runner) {
    assert!(!runner.is_alive());
    assert_refused(runner.run(async {}), Status::Forked);
    assert_refused(runner.run(give_way()), Status::Forked);
    assert_refused(runner.submit(async {}), Status::Forked);
    assert_refused(runner.gather([async {}]), Status::Forked);
    assert_refused(runner.run_job("palitra.echo", "", None), Status::Forked);
    assert_refused(runner.run_job("palitra.echo", "", Some(PATIENCE)), Status::Forked);
    assert_refused(runner.submit_job("palitra.echo", ""), Status::Forked);
    assert_refused(runner.gather_jobs(&[], None), Status::Forked);
    assert_refused(runner.register("host.late", async |_, _| ""), Status::Forked);
    assert_refused(runner.stats(), Status::Forked);
    assert_refused(runner.shutdown(None), Status::Forked);
}

/// A runner of this process does all that it should.
fn assert_works(runner: &Runner) {
    assert!(runner.is_alive());
    runner.run(give_way()).unwrap();
    let tokens = [(); 3].map(|()| runner.submit_job("palitra.sleep", r#"{"seconds": 0.001}"#).unwrap());
    assert!(runner.gather_jobs(&tokens, Some(PATIENCE)).unwrap().iter().all(|reply| reply.is_ok()));
}

alone! {
    fn every_handle_of_the_parent_is_forked_and_the_parent_unharmed() {
        let runner = runner();
        let done = runner.submit_job("palitra.echo", "kept").unwrap();
        done.wait(Some(PATIENCE)).unwrap();
        let pending = runner.submit_job("test.never", "").unwrap();
        let dropped = Flag::default();
        let value = runner.submit(super::endless(&dropped)).unwrap();
        in_child(|| {
            assert_forked(&runner);
            for token in [&done, &pending] {
                assert_refused(token.wait(None), Status::Forked);
                assert_refused(token.poll(), Status::Forked);
                assert_refused(token.next(None), Status::Forked);
                assert_refused(token.progress(), Status::Forked);
                assert!(!token.cancel());
            }
            assert_refused(value.wait(None), Status::Forked);
        });
        assert_works(&runner);
        assert_eq!(done.poll().unwrap().text(), "kept");
        assert_refused(pending.poll(), Status::Pending);
        assert!(!dropped.is_up());
        assert!(pending.cancel() && value.cancel());
        runner.shutdown(None).unwrap();
    }
}

alone! {
    fn a_child_awaits_and_drops_handles_of_the_parent_without_harm() {
        let (runner, clone) = {
            let runner = runner();
            (Some(runner.clone()), runner)
        };
        let tokens = [(); 3].map(|()| Some(clone.submit_job("test.never", "").unwrap()));
        let future = clone.submit(std::future::pending::<()>()).unwrap();
        let mut held = (runner, tokens, Some(future));
        in_child(|| {
            let [first, second, third] = &mut held.1;
            assert_refused(block_on(first.take().unwrap()), Status::Forked);
            let stream = second.as_mut().unwrap();
            assert_refused(block_on(poll_fn(|cx| stream.poll_next(cx))), Status::Forked);
            assert_refused(block_on(held.2.take().unwrap()), Status::Forked);
            drop(third.take());
            drop(held.0.take());
            drop(clone.clone());
        });
        assert!(held.1.iter().flatten().all(|token| token.poll().is_err_and(|e| e.status() == Status::Pending)));
        assert_works(&clone);
    }
}

alone! {
    fn a_child_may_drop_the_last_handle_of_the_parents_runner() {
        let mut held = Some(runner());
        let token = held.as_ref().map(|runner| runner.submit_job("test.never", "").unwrap());
        in_child(|| drop(held.take()));
        assert_works(held.as_ref().unwrap());
        assert_refused(token.unwrap().poll(), Status::Pending);
    }
}

alone! {
    fn a_child_has_runners_of_its_own_the_global_one_too() {
        palitra::run(give_way()).unwrap();
        in_child(|| {
            assert!(!is_runner_alive(), "the parent's is not the child's");
            assert_eq!(palitra::run(async { give_way().await; 42 }).unwrap(), 42);
            assert!(is_runner_alive());
            let own = runner();
            assert_works(&own);
            own.shutdown(None).unwrap();
            shutdown_global_runner(None).unwrap();
        });
        assert!(is_runner_alive(), "the child's shutdown is not the parent's");
        palitra::run(give_way()).unwrap();
    }
}

alone! {
    fn a_child_does_not_shut_down_the_parents_global_runner() {
        palitra::run(give_way()).unwrap();
        in_child(|| shutdown_global_runner(None).unwrap());
        assert!(is_runner_alive());
    }
}

alone! {
    fn the_child_of_a_child_gets_the_same_statuses_for_both() {
        let first = runner();
        in_child(|| {
            let second = runner();
            let token = second.submit_job("test.never", "").unwrap();
            palitra::run(give_way()).unwrap();
            in_child(|| {
                assert_forked(&first);
                assert_forked(&second);
                assert_refused(token.wait(None), Status::Forked);
                assert!(!is_runner_alive());
                palitra::run(give_way()).unwrap();
                assert_works(&runner());
            });
            assert_works(&second);
            assert_refused(token.poll(), Status::Pending);
        });
        assert_works(&first);
    }
}

alone! {
    fn a_process_that_forks_before_its_first_use_has_nothing_to_tell() {
        in_child(|| {
            palitra::run(give_way()).unwrap();
            assert_works(&runner());
        });
        assert!(!is_runner_alive(), "the child's runner is not the parent's");
        assert_works(&runner());
    }
}

alone! {
    fn a_fork_at_any_moment_leaves_no_lock_held_in_the_child() {
        let (runner, stop) = (runner(), Flag::default());
        let hosts = [(); 2].map(|()| {
            let (runner, stop) = (runner.clone(), stop.clone());
            thread::spawn(move || {
                while !stop.is_up() {
                    runner.submit_job("palitra.echo", "x").unwrap().wait(Some(PATIENCE)).unwrap();
                    palitra::run(give_way()).unwrap();
                }
            })
        });
        let last = runner.submit_job("test.never", "").unwrap();
        for _ in 0..100 {
            in_child(|| {
                assert_refused(last.wait(None), Status::Forked);
                assert_refused(runner.submit_job("palitra.echo", "x"), Status::Forked);
                palitra::run(give_way()).unwrap();
            });
        }
        stop.raise();
        for host in hosts {
            bounded(move || host.join().unwrap());
        }
        end(&runner, Some(Duration::ZERO));
    }
}

alone! {
    fn a_job_may_fork() {
        let runner = runner();
        let inner = runner.clone();
        let forked = runner.run(async move {
            give_way().await;
            in_child(|| {
                assert_forked(&inner);
                palitra::run(give_way()).unwrap();
            });
        });
        forked.unwrap();
        assert_works(&runner);
    }
}
