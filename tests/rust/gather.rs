//! `gather`: many at once, with the results in order.
//!
//! Promise 4: a gather keeps the order of its tokens.

use std::future::Ready;
use std::time::Duration;

use palitra::{JobToken, Runner, Status};
use tokio::sync::{Barrier, oneshot};

use super::{Flag, PATIENCE, assert_refused, bounded, give_way, panics, runner, runner_with_workers};

fn echo(runner: &Runner, payload: &str) -> JobToken {
    runner.submit_job("palitra.echo", payload).unwrap()
}

#[test]
fn the_results_are_in_order_of_the_futures_and_not_of_their_ends() {
    let runner = runner();
    // Each waits for the next, so the last ends first.
    let mut next: Option<oneshot::Receiver<()>> = None;
    let mut futures: Vec<_> = (0..50)
        .rev()
        .map(|place| {
            let (done, receiver) = oneshot::channel();
            let before = next.replace(receiver);
            async move {
                if let Some(before) = before {
                    before.await.unwrap();
                }
                let _ = done.send(());
                place
            }
        })
        .collect();
    futures.reverse();
    assert_eq!(bounded(move || runner.gather(futures)).unwrap(), Vec::from_iter(0..50));
}

#[test]
fn all_run_at_the_same_time() {
    for runner in [runner(), runner_with_workers(2)] {
        let barrier = std::sync::Arc::new(Barrier::new(100));
        let futures = (0..100).map(|_| {
            let barrier = std::sync::Arc::clone(&barrier);
            async move { barrier.wait().await.is_leader() }
        });
        let futures = Vec::from_iter(futures);
        let leaders = bounded(move || runner.gather(futures)).unwrap();
        assert_eq!(leaders.iter().filter(|leader| **leader).count(), 1);
    }
}

#[test]
fn nothing_to_gather_is_done_at_once() {
    let runner = runner();
    assert!(runner.gather(Vec::<Ready<i32>>::new()).unwrap().is_empty());
    assert!(runner.gather_jobs(&[], None).unwrap().is_empty());
}

#[test]
fn the_error_is_that_of_the_first_in_order_and_the_others_have_run() {
    let (runner, ran) = (runner(), Flag::default());
    let last = ran.clone();
    let futures: Vec<std::pin::Pin<Box<dyn Future<Output = ()> + Send>>> = vec![
        Box::pin(async {}),
        Box::pin(async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            panics("first in order").await;
        }),
        Box::pin(panics("first in time")),
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(40)).await;
            last.raise();
        }),
    ];
    let error = runner.gather(futures).unwrap_err();
    assert_eq!((error.status(), &*error.to_string()), (Status::JobPanicked, "first in order"));
    assert!(ran.is_up(), "gather waits for all");
}

#[test]
fn replies_are_in_order_each_with_how_its_job_ended() {
    let runner = runner();
    let tokens = [
        runner.submit_job("palitra.sleep", r#"{"seconds": 0.02}"#).unwrap(),
        runner.submit_job("test.fail", r#"{"code": 5, "message": "no"}"#).unwrap(),
        echo(&runner, "last"),
    ];
    let replies = runner.gather_jobs(&tokens, Some(PATIENCE)).unwrap();
    let texts: Vec<_> = replies.iter().map(|reply| (reply.status(), reply.code(), reply.text())).collect();
    let expected = [(Status::Ok, 0, r#"{"seconds":0.02}"#), (Status::JobFailed, 5, "no"), (Status::Ok, 0, "last")];
    assert_eq!(texts, expected.map(|(status, code, text)| (status, code, text.into())));
}

#[test]
fn at_the_timeout_it_is_pending_and_the_jobs_run_on() {
    let runner = runner();
    let tokens = [echo(&runner, "done"), runner.submit_job("test.never", "").unwrap()];
    assert_refused(runner.gather_jobs(&tokens, Some(Duration::from_millis(20))), Status::Pending);
    assert_refused(runner.gather_jobs(&tokens, Some(Duration::ZERO)), Status::Pending);
    assert_eq!(tokens[0].wait(Some(PATIENCE)).unwrap().text(), "done");
    assert_refused(tokens[1].poll(), Status::Pending);
    assert!(tokens[1].cancel());
    let replies = runner.gather_jobs(&tokens, Some(PATIENCE)).unwrap();
    assert_eq!(replies[1].status(), Status::Cancelled);
}

#[test]
fn a_token_may_stand_in_several_gathers_at_once() {
    let runner = runner();
    let (gate, opened) = oneshot::channel::<()>();
    let gated = runner.submit(opened).unwrap();
    let shared = std::sync::Arc::new([echo(&runner, "shared"), runner.submit_job("test.never", "").unwrap()]);
    let gathers = [(); 3].map(|()| {
        let (runner, tokens) = (runner.clone(), std::sync::Arc::clone(&shared));
        std::thread::spawn(move || runner.gather_jobs(&*tokens, Some(PATIENCE)).unwrap().len())
    });
    gate.send(()).unwrap();
    gated.wait(Some(PATIENCE)).unwrap().unwrap();
    shared[1].cancel();
    assert_eq!(gathers.map(|gather| gather.join().unwrap()), [2; 3]);
}

#[test]
fn ten_thousand_are_gathered() {
    let runner = runner();
    let sum: u64 = runner
        .gather((0..10_000_u64).map(|n| async move {
            if n % 3 == 0 {
                give_way().await;
            }
            n
        }))
        .unwrap()
        .into_iter()
        .sum();
    assert_eq!(sum, 49_995_000);
}
