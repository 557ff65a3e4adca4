//! Blocking where it would never end: each call here must refuse at once instead of waiting.
//!
//! Promise 5: nothing deadlocks on the runner's own thread.

use std::time::Duration;

use palitra::{Runner, Status};

use super::{PATIENCE, assert_refused, bounded, give_way, panics, runner, runner_with_workers};

/// Runs `check` in jobs of the runner: polled inline on a host's thread, and on the runner's own.
fn within_jobs(runner: &Runner, check: fn(&Runner)) {
    let (here, there, direct) = (runner.clone(), runner.clone(), runner.clone());
    let host = runner.clone();
    bounded(move || {
        host.run(async move { check(&here) }).unwrap();
        host.run(async move {
            give_way().await;
            check(&there);
        })
        .unwrap();
        host.submit(async move { check(&direct) }).unwrap().wait(Some(PATIENCE)).unwrap();
    });
}

fn within_jobs_of_any_runner(check: fn(&Runner)) {
    within_jobs(&runner(), check);
    within_jobs(&runner_with_workers(2), check);
}

#[test]
fn run_within_a_job_is_refused() {
    within_jobs_of_any_runner(|runner| {
        assert_refused(runner.run(async { 1 }), Status::WouldDeadlock);
        assert_refused(runner.run_job("palitra.echo", "", None), Status::WouldDeadlock);
        assert_refused(runner.run_job("palitra.echo", "", Some(PATIENCE)), Status::WouldDeadlock);
    });
}

#[test]
fn waiting_within_a_job_is_refused_and_polling_is_not() {
    within_jobs_of_any_runner(|runner| {
        let token = runner.submit_job("test.never", "").unwrap();
        assert_refused(token.wait(None), Status::WouldDeadlock);
        assert_refused(token.wait(Some(PATIENCE)), Status::WouldDeadlock);
        assert_refused(token.wait(Some(Duration::ZERO)), Status::Pending);
        assert_refused(token.poll(), Status::Pending);
        assert!(token.cancel());
        assert_eq!(token.wait(None).unwrap().status(), Status::Cancelled, "no need to block any more");
    });
}

#[test]
fn gather_within_a_job_is_refused() {
    within_jobs_of_any_runner(|runner| {
        assert_refused(runner.gather([std::future::pending::<()>()]), Status::WouldDeadlock);
        let tokens = [runner.submit_job("test.never", "").unwrap()];
        assert_refused(runner.gather_jobs(&tokens, None), Status::WouldDeadlock);
    });
}

#[test]
fn shutdown_within_a_job_is_refused_and_changes_nothing() {
    let check = |runner: &Runner| assert_refused(runner.shutdown(Some(Duration::ZERO)), Status::WouldDeadlock);
    within_jobs_of_any_runner(check);
    let runner = runner();
    within_jobs(&runner, check);
    assert!(runner.is_alive());
    runner.run(give_way()).unwrap();
}

#[test]
fn a_job_that_blocks_gets_the_status() {
    let runner = runner();
    let reply = bounded(move || {
        let token = runner.submit_job("test.block", "").unwrap();
        token.wait(Some(PATIENCE)).unwrap()
    });
    assert_eq!(reply.text(), "PALITRA_WOULD_DEADLOCK");
}

#[test]
fn a_job_may_block_on_another_runner() {
    let (one, other) = (runner(), runner());
    let result = bounded(move || {
        one.run(async move {
            give_way().await;
            other.run(async {
                give_way().await;
                42
            })
        })
    });
    assert_eq!(result.unwrap().unwrap(), 42);
}

#[test]
fn a_job_that_blocks_on_another_runner_is_still_one_of_its_own() {
    let (one, other) = (runner(), runner());
    let result = bounded(move || {
        let inner = one.clone();
        one.run(async move {
            give_way().await;
            // This future is polled inline on the thread of `one`, which would wait for itself.
            other.run(async move { inner.run(give_way()) })
        })
    });
    assert_refused(result.unwrap().unwrap(), Status::WouldDeadlock);
}

#[test]
fn a_host_thread_may_block_again_after_its_job() {
    let runner = runner();
    runner.run(async {}).unwrap();
    assert_refused(runner.run(panics("the thread is a host's again also after this")), Status::JobPanicked);
    runner.run(give_way()).unwrap();
}
