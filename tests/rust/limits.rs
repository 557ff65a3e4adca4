//! The limits of a runner: how many jobs are in flight, how large a payload is.
//!
//! Promise 11: bad input and limits return a status.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use palitra::{Context, JobToken, Options, Runner, Status, job};

use super::{Flag, PATIENCE, assert_refused, end, give_way, wait_until};

fn at_most(max_in_flight: usize) -> Runner {
    Runner::with_options(Options { max_in_flight, ..Options::default() }).unwrap()
}

fn fill(runner: &Runner, jobs: usize) -> Vec<JobToken> {
    (0..jobs).map(|_| runner.submit_job("test.never", "").unwrap()).collect()
}

#[test]
fn at_the_bound_every_way_to_begin_a_job_is_busy_at_once() {
    let runner = at_most(3);
    let tokens = fill(&runner, 3);
    assert_refused(runner.submit_job("palitra.echo", ""), Status::Busy);
    assert_refused(runner.submit(async {}), Status::Busy);
    assert_refused(runner.gather([async {}]), Status::Busy);
    assert_refused(runner.run_job("palitra.echo", "", Some(PATIENCE)), Status::Busy);
    assert_refused(runner.run(give_way()), Status::Busy);
    assert!(tokens.iter().all(|token| token.poll().is_err_and(|error| error.status() == Status::Pending)));
}

/// How often a job was polled that must not start at the limit.
static BEGUN: AtomicUsize = AtomicUsize::new(0);

#[job("rust.begun")]
async fn begun() {
    BEGUN.fetch_add(1, Ordering::SeqCst);
    give_way().await;
}

#[job("rust.begun_with_context")]
async fn begun_with_context(_context: Context) {
    begun().await;
}

#[test]
fn a_run_that_is_refused_has_not_begun() {
    let runner = at_most(1);
    let _token = fill(&runner, 1);
    assert_refused(runner.run_job("rust.begun", "", None), Status::Busy);
    assert_refused(runner.run_job("rust.begun_with_context", "", None), Status::Busy);
    assert_eq!(BEGUN.load(Ordering::SeqCst), 0, "a job that was refused has done half of its work");
}

#[test]
fn whoever_has_seen_a_job_end_may_submit_the_next() {
    let runner = at_most(1);
    let endings = [("palitra.echo", ""), ("test.panic", ""), ("test.panic_later", ""), ("test.fail", "{}")];
    for (job, payload) in endings.into_iter().cycle().take(400) {
        runner.submit_job(job, payload).unwrap().wait(Some(PATIENCE)).unwrap();
        runner.run(give_way()).unwrap();
    }
}

#[test]
fn cancelled_jobs_make_room() {
    let runner = at_most(2);
    let tokens = fill(&runner, 2);
    assert!(tokens[0].cancel());
    let mut next = None;
    wait_until("there is room", || {
        next = runner.submit_job("test.never", "").ok();
        next.is_some()
    });
    assert_refused(runner.submit_job("palitra.echo", ""), Status::Busy);
}

#[test]
fn a_run_past_its_timeout_makes_room() {
    let runner = at_most(1);
    for _ in 0..3 {
        let brief = std::time::Duration::from_millis(5);
        wait_until("there is room", || match runner.run_job("test.never", "", Some(brief)) {
            Ok(reply) => reply.status() == Status::Deadline,
            Err(error) => {
                assert_eq!(error.status(), Status::Busy);
                false
            }
        });
    }
}

#[test]
fn a_token_that_was_dropped_counts_until_its_job_ends() {
    let runner = at_most(1);
    let (gate, opened) = tokio::sync::oneshot::channel::<()>();
    drop(runner.submit(opened).unwrap());
    runner.submit_job("palitra.echo", "").expect_err("the job runs on");
    gate.send(()).unwrap();
    wait_until("there is room", || runner.submit_job("palitra.echo", "").is_ok());
}

#[test]
fn many_threads_together_never_pass_the_bound() {
    let (runner, inside, most) = (at_most(4), Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
    let busy = AtomicUsize::new(0);
    let visit = || {
        let (inside, most) = (Arc::clone(&inside), Arc::clone(&most));
        async move {
            most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            give_way().await;
            inside.fetch_sub(1, Ordering::SeqCst);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..2_000 {
                    if let Err(error) = runner.submit(visit()) {
                        assert_eq!(error.status(), Status::Busy);
                        busy.fetch_add(1, Ordering::SeqCst);
                    }
                }
            });
        }
    });
    assert!(busy.load(Ordering::SeqCst) > 0, "the bound was never reached");
    assert!(most.load(Ordering::SeqCst) <= 4, "{most:?} at once");
    wait_until("every permit has come back", || {
        let tokens: Vec<_> = (0..4).map_while(|_| runner.submit_job("test.never", "").ok()).collect();
        tokens.iter().for_each(|token| assert!(token.cancel()));
        tokens.len() == 4
    });
}

#[test]
fn a_payload_beyond_the_bound_is_too_large_at_once() {
    let runner = Runner::with_options(Options { max_payload: 5, ..Options::default() }).unwrap();
    for job in ["palitra.echo", "test.nested"] {
        assert!(runner.run_job(job, "12345", None).unwrap().is_ok());
        assert_refused(runner.run_job(job, "123456", None), Status::TooLarge);
        assert_refused(runner.run_job(job, "123456", Some(PATIENCE)), Status::TooLarge);
        assert_refused(runner.submit_job(job, vec![0; 1 << 20]), Status::TooLarge);
    }
}

#[test]
fn the_bound_holds_for_what_a_job_submits() {
    #[job("rust.oversize")]
    async fn oversize(context: Context) -> String {
        format!("{:?}", context.submit_job("palitra.echo", "123456").map_err(|error| error.status()).err())
    }

    let runner = Runner::with_options(Options { max_payload: 5, ..Options::default() }).unwrap();
    assert_eq!(runner.run_job("rust.oversize", "", None).unwrap().text(), "Some(TooLarge)");
}

#[test]
fn the_bound_of_payloads_is_not_one_of_replies() {
    let runner = Runner::with_options(Options { max_payload: 20, ..Options::default() }).unwrap();
    assert_eq!(runner.run_job("test.large", r#"{"bytes": 1000}"#, None).unwrap().data().len(), 1_000);
}

#[test]
fn a_shutdown_of_a_full_runner_ends() {
    let (runner, dropped) = (at_most(1), Flag::default());
    let token = runner.submit(super::endless(&dropped)).unwrap();
    end(&runner, Some(std::time::Duration::ZERO));
    assert!(dropped.is_up());
    assert_refused(token.wait(Some(PATIENCE)), Status::Cancelled);
}
