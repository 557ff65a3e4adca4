//! Shutdown, and what is left of a runner afterwards.
//!
//! Promise 8: a shutdown ends everything within its bound.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use palitra::{Options, Runner, Status};

use super::runner::threads_named;
use super::{
    Flag, PATIENCE, assert_refused, block_on, bounded, end, endless, give_way, occupy, runner, runner_with_workers,
    wait_until,
};

const SOON: Duration = Duration::from_millis(50);
/// What a bounded shutdown may take beyond its grace period: its fixed second, and a machine that is busy.
const FIXED: Duration = Duration::from_secs(10);

fn shut_down(runner: &Runner, grace: Option<Duration>) -> Result<(), palitra::Error> {
    let runner = runner.clone();
    bounded(move || runner.shutdown(grace))
}

#[test]
fn jobs_that_end_within_the_grace_are_let_finish() {
    for runner in [runner(), runner_with_workers(1)] {
        let start = Instant::now();
        let token = runner.submit_job("palitra.sleep", r#"{"seconds": 0.05}"#).unwrap();
        end(&runner, Some(PATIENCE));
        assert!(start.elapsed() < PATIENCE / 2, "it does not wait longer than for the last job");
        assert_eq!(token.poll().unwrap().status(), Status::Ok);
    }
}

#[test]
fn without_a_bound_or_with_one_beyond_all_clocks_it_waits_as_long_as_the_jobs_take() {
    for grace in [None, Some(Duration::MAX)] {
        let runner = runner();
        let tokens = [0.02, 0.04, 0.06]
            .map(|seconds| runner.submit_job("palitra.sleep", format!(r#"{{"seconds": {seconds}}}"#)).unwrap());
        end(&runner, grace);
        assert!(tokens.iter().all(|token| token.poll().unwrap().is_ok()));
    }
}

#[test]
fn what_stands_in_the_queue_is_let_finish_too() {
    let runner = runner();
    let (_busy, release) = occupy(&runner);
    let tokens: Vec<_> = (0..100).map(|_| runner.submit_job("palitra.echo", "queued").unwrap()).collect();
    let closing = runner.clone();
    let shutdown = thread::spawn(move || end(&closing, Some(PATIENCE)));
    wait_until("the runner is closing", || !runner.is_alive());
    drop(release);
    shutdown.join().unwrap();
    assert!(tokens.iter().all(|token| token.poll().unwrap().is_ok()));
}

#[test]
fn after_the_grace_the_rest_is_cancelled_and_dropped() {
    // Long enough for a job to have its turn, also on a machine that is very busy.
    let grace = 10 * SOON;
    for runner in [runner(), runner_with_workers(1)] {
        let dropped = Flag::default();
        let rest = runner.submit(endless(&dropped)).unwrap();
        let brief = runner.submit_job("palitra.echo", "brief").unwrap();
        let start = Instant::now();
        end(&runner, Some(grace));
        assert!(start.elapsed() >= grace, "{:?}", start.elapsed());
        assert!(dropped.is_up(), "all is dropped when it returns");
        assert_refused(rest.wait(Some(PATIENCE)), Status::Cancelled);
        assert!(brief.poll().unwrap().is_ok());
    }
}

#[test]
fn when_every_job_yields_the_fixed_second_is_not_needed() {
    // One of a few tries, for the sake of a machine that is very busy.
    let is_clean = |runner: Runner| {
        let _token = runner.submit(endless(&Flag::default())).unwrap();
        shut_down(&runner, Some(SOON)).is_ok()
    };
    assert!((0..5).any(|_| is_clean(runner())));
    assert!((0..5).any(|_| is_clean(runner_with_workers(2))));
}

#[test]
fn every_waiter_is_woken() {
    let runner = runner();
    let token = Arc::new(runner.submit_job("test.never", "").unwrap());
    let awaited = runner.submit_job("test.never", "").unwrap();
    let (waiting, running, gathering) = (Arc::clone(&token), runner.clone(), runner.clone());
    let hosts = [
        thread::spawn(move || waiting.wait(Some(PATIENCE)).unwrap().status()),
        thread::spawn(move || running.run_job("test.never", "", None).unwrap().status()),
        thread::spawn(move || gathering.gather([std::future::pending::<()>()]).unwrap_err().status()),
        thread::spawn(move || block_on(awaited).unwrap().status()),
    ];
    thread::sleep(SOON);
    end(&runner, Some(Duration::ZERO));
    for host in hosts {
        assert_eq!(bounded(move || host.join().unwrap()), Status::Cancelled);
    }
}

#[test]
fn new_work_is_refused() {
    let runner = runner();
    end(&runner, None);
    assert!(!runner.is_alive());
    assert_refused(runner.run(async {}), Status::ShutDown);
    assert_refused(runner.submit(async {}), Status::ShutDown);
    assert_refused(runner.gather([async {}]), Status::ShutDown);
    assert_refused(runner.run_job("palitra.echo", "", None), Status::ShutDown);
    assert_refused(runner.run_job("palitra.echo", "", Some(PATIENCE)), Status::ShutDown);
    assert_refused(runner.submit_job("palitra.echo", ""), Status::ShutDown);
}

#[test]
fn new_work_is_refused_as_soon_as_it_begins() {
    let runner = runner();
    let (busy, release) = occupy(&runner);
    let closing = runner.clone();
    let shutdown = thread::spawn(move || end(&closing, Some(PATIENCE)));
    wait_until("the runner is closing", || !runner.is_alive());
    assert_refused(runner.run(async {}), Status::ShutDown);
    drop(release);
    shutdown.join().unwrap();
    busy.wait(Some(PATIENCE)).unwrap();
}

#[test]
fn it_may_be_called_again_and_by_many_threads_at_once() {
    for round in 0..20 {
        let runner = runner();
        let token = runner.submit_job("test.never", "").unwrap();
        let threads = [(); 4].map(|()| {
            let runner = runner.clone();
            thread::spawn(move || end(&runner, Some(Duration::from_millis(round % 3))))
        });
        for thread in threads {
            thread.join().unwrap();
        }
        end(&runner, None);
        assert_eq!(token.poll().unwrap().status(), Status::Cancelled);
    }
}

#[test]
fn a_later_call_may_shorten_the_grace_of_one_under_way() {
    let runner = runner();
    let token = runner.submit_job("test.never", "").unwrap();
    let patient = runner.clone();
    let patient = thread::spawn(move || end(&patient, None));
    wait_until("the runner is closing", || !runner.is_alive());
    end(&runner, Some(Duration::ZERO));
    patient.join().unwrap();
    assert_eq!(token.poll().unwrap().status(), Status::Cancelled);
}

#[test]
fn a_later_call_does_not_lengthen_the_grace() {
    let is_in_time = |runner: Runner| {
        let token = runner.submit_job("test.never", "").unwrap();
        let hasty = runner.clone();
        let hasty = thread::spawn(move || hasty.shutdown(Some(SOON)));
        wait_until("the runner is closing", || !runner.is_alive());
        shut_down(&runner, None).unwrap();
        assert_eq!(token.poll().unwrap().status(), Status::Cancelled);
        hasty.join().unwrap().is_ok()
    };
    // One of a few tries, for the sake of a machine that is very busy.
    assert!((0..5).any(|_| is_in_time(runner())), "the first call never saw its grace period end");
}

#[test]
fn whatever_was_submitted_while_it_began_is_finished() {
    for round in 0..40 {
        // Bounded, so that a slow machine has no mountain of jobs to drop within the fixed second.
        let options = Options { worker_threads: round as u32 % 2, max_in_flight: 500, ..Options::default() };
        let runner = Runner::with_options(options).unwrap();
        let submitters = [(); 3].map(|()| {
            let runner = runner.clone();
            thread::spawn(move || {
                let mut tokens = Vec::new();
                loop {
                    match runner.submit_job("palitra.sleep", r#"{"seconds": 0.0001}"#) {
                        Ok(token) => tokens.push(token),
                        Err(error) if error.status() == Status::Busy => thread::yield_now(),
                        Err(error) => return (tokens, error.status()),
                    }
                }
            })
        });
        thread::sleep(Duration::from_millis(round % 5));
        end(&runner, Some(Duration::from_millis(round % 2)));
        for submitter in submitters {
            let (tokens, refusal) = submitter.join().unwrap();
            assert_eq!(refusal, Status::ShutDown);
            for token in tokens {
                let status = token.wait(Some(PATIENCE)).unwrap().status();
                assert!([Status::Ok, Status::Cancelled].contains(&status), "{status:?}");
            }
        }
    }
}

/// Shuts down a runner whose thread a job blocks, and then ends that job.
fn shut_down_around_a_spinning_job(runner: &Runner) {
    let (spinning, release) = occupy(runner);
    let queued = runner.submit_job("palitra.echo", "").unwrap();
    let start = Instant::now();
    assert_refused(shut_down(runner, Some(SOON)), Status::Pending);
    assert!((SOON..SOON + FIXED).contains(&start.elapsed()), "{:?}", start.elapsed());
    assert_refused(spinning.wait(Some(Duration::ZERO)), Status::Cancelled);
    assert_ne!(queued.poll().map(|reply| reply.status()).map_err(|error| error.status()), Err(Status::Pending));
    drop(release);
    assert_refused(spinning.wait(Some(SOON)), Status::Cancelled);
}

#[test]
fn a_job_that_never_yields_makes_it_pending_and_its_late_end_is_ignored() {
    let runner = runner();
    shut_down_around_a_spinning_job(&runner);
    end(&runner, None);
}

#[test]
fn a_worker_that_never_yields_makes_it_pending_and_its_late_end_is_ignored() {
    // With one worker nobody is left to see that the grace period is over; with two the rest of the runner ends.
    shut_down_around_a_spinning_job(&runner_with_workers(1));
    shut_down_around_a_spinning_job(&runner_with_workers(2));
}

#[test]
fn a_blocking_task_that_does_not_end_makes_it_pending() {
    let (runner, release) = (runner(), Flag::default());
    let guard = release.on_drop();
    let token = runner.submit(async move {
        let _ = tokio::task::spawn_blocking(move || release.spin()).await;
    });
    runner.run(give_way()).unwrap();
    let start = Instant::now();
    assert_refused(shut_down(&runner, Some(SOON)), Status::Pending);
    assert!(start.elapsed() < SOON + FIXED, "{:?}", start.elapsed());
    assert_refused(token.unwrap().wait(Some(PATIENCE)), Status::Cancelled);
    drop(guard);
}

#[test]
fn a_future_that_is_in_its_first_poll_meanwhile_is_waited_for_and_then_cancelled() {
    let runner = runner();
    let (host, shutdown) = (runner.clone(), runner.clone());
    let result = bounded(move || {
        host.run(async move {
            // Still on the calling thread: another one waits for it as long as a shutdown may.
            let result = thread::spawn(move || shutdown.shutdown(Some(Duration::ZERO))).join().unwrap();
            assert_refused(result, Status::Pending);
            // The runtime is still there.
            tokio::time::sleep(SOON).await;
        })
    });
    assert_refused(result, Status::Cancelled);
    end(&runner, Some(Duration::ZERO));
}

#[test]
fn a_run_that_races_with_it_is_done_refused_or_cancelled() {
    for round in 0..100 {
        let runner = runner();
        let hosts = [(); 2].map(|()| {
            let runner = runner.clone();
            thread::spawn(move || {
                loop {
                    match runner.run(async { tokio::time::sleep(Duration::from_micros(10)).await }) {
                        Ok(()) => {}
                        Err(error) => return error,
                    }
                }
            })
        });
        thread::sleep(Duration::from_micros(round * 20));
        end(&runner, Some(Duration::ZERO));
        for host in hosts {
            let error = bounded(move || host.join().unwrap());
            assert!([Status::ShutDown, Status::Cancelled].contains(&error.status()), "{error:?}");
        }
    }
}

#[test]
fn the_threads_are_gone_when_it_returns() {
    let options = Options { thread_name: "rust-ending".to_string(), worker_threads: 2, ..Options::default() };
    let runner = Runner::with_options(options).unwrap();
    runner.run(async { tokio::task::spawn_blocking(|| {}).await.unwrap() }).unwrap();
    wait_until("all threads bear their name", || threads_named("rust-ending") == 4);
    end(&runner, Some(Duration::ZERO));
    // The system lists a thread that was joined for a moment more.
    wait_until("the threads are gone", || threads_named("rust-ending") == 0);
}

#[test]
fn replies_of_finished_tokens_stay_readable() {
    let runner = runner();
    let token = runner.submit_job("palitra.echo", "kept").unwrap();
    let value = runner.submit(async { "kept too" }).unwrap();
    end(&runner, None);
    drop(runner);
    assert_eq!(token.wait(Some(PATIENCE)).unwrap().text(), "kept");
    assert_eq!(block_on(token).unwrap().text(), "kept");
    assert_eq!(value.wait(Some(PATIENCE)).unwrap(), "kept too");
}

#[test]
fn dropping_the_last_handle_shuts_down() {
    let runner = runner();
    let dropped = Flag::default();
    let token = runner.submit(endless(&dropped)).unwrap();
    drop(runner.clone());
    assert!(runner.is_alive(), "one handle is left");
    assert_refused(token.wait(Some(SOON)), Status::Pending);
    bounded(move || drop(runner));
    assert!(dropped.is_up());
    assert_refused(token.wait(Some(PATIENCE)), Status::Cancelled);
}

#[test]
fn dropping_the_last_handle_is_bounded_also_when_a_job_never_yields() {
    let runner = runner();
    let (spinning, release) = occupy(&runner);
    bounded(move || drop(runner));
    assert_refused(spinning.wait(Some(Duration::ZERO)), Status::Cancelled);
    drop(release);
}

#[test]
fn dropping_the_last_handle_inside_a_job_ends_the_runner_without_hanging() {
    for workers in [0, 2] {
        let options =
            Options { thread_name: format!("rust-own-{workers}"), worker_threads: workers, ..Options::default() };
        let runner = Runner::with_options(options).unwrap();
        let other = Flag::default();
        let bystander = runner.submit(endless(&other)).unwrap();
        let (gate, opened) = tokio::sync::oneshot::channel::<Runner>();
        let token = runner.submit(async { drop(opened.await.unwrap()) }).unwrap();
        assert!(gate.send(runner).is_ok());
        let ended = token.wait(Some(PATIENCE)).map_err(|error| error.status());
        assert!([Ok(()), Err(Status::Cancelled)].contains(&ended), "{ended:?}");
        assert_refused(bystander.wait(Some(PATIENCE)), Status::Cancelled);
        wait_until("the other job is dropped", || other.is_up());
        wait_until("the threads are gone", || threads_named(&format!("rust-own-{workers}")) == 0);
    }
}
