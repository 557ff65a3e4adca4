//! Tokens: wait, poll, cancel, await and drop.
//!
//! Promise 1: a token finishes exactly once.
//! Promise 3: timeouts and deadlines hold.
//! Promise 7: a panic ends its job and nothing else.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use palitra::{Format, JobToken, Runner, Status};
use tokio::sync::oneshot;

use super::{
    Flag, PATIENCE, assert_refused, block_on, bounded, end, endless, give_way, occupy, panics, runner,
    runner_with_workers, wait_until,
};

const SOON: Duration = Duration::from_millis(30);

/// A job that returns "done" once the sender has sent.
fn gated(runner: &Runner) -> (palitra::Token<&'static str>, oneshot::Sender<()>) {
    let (sender, receiver) = oneshot::channel::<()>();
    let token = runner.submit(async {
        let _ = receiver.await;
        "done"
    });
    (token.unwrap(), sender)
}

fn never(runner: &Runner) -> JobToken {
    runner.submit_job("test.never", "").unwrap()
}

#[test]
fn wait_returns_the_output_of_the_future_once() {
    let runner = runner();
    let token = runner.submit(async { vec![1, 2, 3] }).unwrap();
    assert_eq!(token.wait(Some(PATIENCE)).unwrap(), [1, 2, 3]);
    assert_refused(token.wait(Some(PATIENCE)), Status::End);
}

#[test]
fn a_finished_job_returns_the_same_reply_as_often_as_it_is_asked() {
    let runner = runner();
    let token = runner.submit_job("palitra.echo", "again").unwrap();
    for reply in [token.wait(None), token.wait(Some(Duration::ZERO)), token.poll(), token.wait(Some(PATIENCE))] {
        let reply = reply.unwrap();
        assert_eq!((reply.status(), reply.format(), reply.data()), (Status::Ok, Format::Bytes, &b"again"[..]));
    }
}

#[test]
fn wait_past_its_timeout_says_pending_and_the_job_runs_on() {
    let runner = runner();
    let (token, gate) = gated(&runner);
    let start = Instant::now();
    assert_refused(token.wait(Some(SOON)), Status::Pending);
    assert!(start.elapsed() >= SOON, "{:?}", start.elapsed());
    gate.send(()).unwrap();
    assert_eq!(token.wait(Some(PATIENCE)).unwrap(), "done");
}

#[test]
fn neither_poll_nor_a_wait_of_no_time_blocks() {
    let runner = runner();
    let token = never(&runner);
    let token = bounded(move || {
        assert_refused(token.poll(), Status::Pending);
        assert_refused(token.wait(Some(Duration::ZERO)), Status::Pending);
        token
    });
    assert!(token.cancel());
}

#[test]
fn poll_finds_the_reply_of_a_job_that_nobody_waits_for() {
    let runner = runner();
    let token = runner.submit_job("palitra.echo", "found").unwrap();
    wait_until("the job is done", || token.poll().is_ok());
    assert_eq!(token.poll().unwrap().text(), "found");
}

#[test]
fn every_waiter_of_a_token_is_woken() {
    let runner = runner();
    let token = Arc::new(never(&runner));
    let waiters = [(); 4].map(|()| {
        let token = Arc::clone(&token);
        thread::spawn(move || token.wait(Some(PATIENCE)).unwrap().status())
    });
    thread::sleep(SOON);
    assert!(token.cancel());
    for waiter in waiters {
        assert_eq!(waiter.join().unwrap(), Status::Cancelled);
    }
}

#[test]
fn cancel_finishes_the_token_and_drops_the_future() {
    let (runner, dropped) = (runner(), Flag::default());
    let token = runner.submit(endless(&dropped)).unwrap();
    runner.run(give_way()).unwrap();
    assert!(token.cancel(), "it was this call that ended it");
    assert!(!token.cancel(), "it had ended before");
    assert_refused(token.wait(Some(PATIENCE)), Status::Cancelled);
    wait_until("the future is dropped", || dropped.is_up());
}

#[test]
fn a_worker_drops_a_cancelled_future_too() {
    let (runner, dropped) = (runner_with_workers(1), Flag::default());
    let token = runner.submit(endless(&dropped)).unwrap();
    runner.run(give_way()).unwrap();
    assert!(token.cancel());
    wait_until("the future is dropped", || dropped.is_up());
}

#[test]
fn a_job_that_is_cancelled_in_the_queue_never_begins() {
    let (runner, begun) = (runner(), Flag::default());
    let (_busy, release) = occupy(&runner);
    let raised = begun.clone();
    let token = runner.submit(async move { raised.raise() }).unwrap();
    assert!(token.cancel());
    assert_refused(token.wait(Some(PATIENCE)), Status::Cancelled);
    drop(release);
    // Everything that was queued before this job has been polled when this one has.
    runner.submit(async {}).unwrap().wait(Some(PATIENCE)).unwrap();
    assert!(!begun.is_up());
}

#[test]
fn cancelling_a_finished_job_changes_nothing() {
    let runner = runner();
    let token = runner.submit_job("palitra.echo", "kept").unwrap();
    token.wait(Some(PATIENCE)).unwrap();
    assert!(!token.cancel());
    assert_eq!(token.poll().unwrap().text(), "kept");
}

#[test]
fn whoever_ends_a_token_first_decides_and_gets_true() {
    let runner = runner();
    let (mut cancelled, mut done) = (0, 0);
    for round in 0..2_000_u32 {
        let token = runner.submit_job("palitra.echo", "x").unwrap();
        // From at once to a while later, so that both are first now and then.
        (0..round % 512 * 8).for_each(|_| std::hint::spin_loop());
        let by_cancel = token.cancel();
        let expected = if by_cancel { Status::Cancelled } else { Status::Ok };
        assert_eq!(token.wait(Some(PATIENCE)).unwrap().status(), expected);
        if by_cancel { cancelled += 1 } else { done += 1 }
    }
    assert!(cancelled > 0 && done > 0, "they never met: {cancelled} cancelled, {done} done");
}

#[test]
fn dropping_a_token_lets_the_job_run_on() {
    let (runner, finished) = (runner(), Flag::default());
    let (gate, opened) = oneshot::channel::<()>();
    let raised = finished.clone();
    let token = runner.submit(async move {
        let _ = opened.await;
        raised.raise();
    });
    runner.run(give_way()).unwrap();
    drop(token.unwrap());
    gate.send(()).unwrap();
    wait_until("the job is done", || finished.is_up());
}

#[test]
fn a_panic_is_returned_to_whoever_waits() {
    let runner = runner();
    let token = runner.submit(panics("here")).unwrap();
    let error = token.wait(Some(PATIENCE)).unwrap_err();
    assert_eq!((error.status(), &*error.to_string()), (Status::JobPanicked, "here"));
}

#[test]
fn a_token_is_awaited_in_another_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let runner = runner();
    let (token, gate) = gated(&runner);
    let result = runtime.block_on(async {
        let task = tokio::spawn(async move {
            tokio::time::sleep(SOON).await;
            gate.send(())
        });
        let result = tokio::time::timeout(PATIENCE, token).await;
        task.await.unwrap().unwrap();
        result
    });
    assert_eq!(result.unwrap().unwrap(), "done");
}

#[test]
fn a_token_is_awaited_in_an_executor_that_knows_no_runtime() {
    let runner = runner();
    let (token, gate) = gated(&runner);
    let awaiting = thread::spawn(move || block_on(token));
    thread::sleep(SOON);
    gate.send(()).unwrap();
    assert_eq!(awaiting.join().unwrap().unwrap(), "done");
    assert_eq!(block_on(runner.submit_job("palitra.echo", "job").unwrap()).unwrap().text(), "job");
}

#[test]
fn awaiting_a_token_that_is_cancelled_ends() {
    let runner = runner();
    let (token, _gate) = gated(&runner);
    assert!(token.cancel());
    assert_refused(bounded(move || block_on(token)), Status::Cancelled);
}

#[test]
fn a_token_is_awaited_by_a_job_of_another_runner() {
    let (one, other) = (runner(), runner());
    let (token, gate) = gated(&one);
    let outer = other.submit(token).unwrap();
    other.run(give_way()).unwrap();
    gate.send(()).unwrap();
    assert_eq!(outer.wait(Some(PATIENCE)).unwrap().unwrap(), "done");
}

#[test]
fn a_token_is_awaited_by_a_job_of_its_own_runner() {
    let runner = runner();
    let (token, gate) = gated(&runner);
    let outer = runner.submit(token).unwrap();
    runner.run(give_way()).unwrap();
    gate.send(()).unwrap();
    assert_eq!(outer.wait(Some(PATIENCE)).unwrap().unwrap(), "done");
}

/// A waker that counts.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn the_newest_waker_is_woken_and_the_older_is_not() {
    let runner = runner();
    let (token, gate) = gated(&runner);
    let counts = [Arc::<Count>::default(), Arc::<Count>::default()];
    let mut token = pin!(token);
    for count in &counts {
        let waker = Waker::from(Arc::clone(count));
        assert!(token.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }
    gate.send(()).unwrap();
    let woken = || counts.each_ref().map(|count| count.0.load(Ordering::SeqCst));
    wait_until("the task is woken", || woken() != [0, 0]);
    assert_eq!(woken(), [0, 1]);
    assert!(matches!(token.as_mut().poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(Ok("done"))));
}

/// The waker of an executor that is gone: it panics.
struct Gone;

impl Wake for Gone {
    fn wake(self: Arc<Self>) {
        panic!("the loop is gone");
    }
}

fn gone() -> Waker {
    Waker::from(Arc::new(Gone))
}

/// The runner still runs jobs on its own threads, and ends.
#[track_caller]
fn assert_lives_on(runner: &Runner) {
    let token = runner.submit_job("palitra.echo", "on").unwrap();
    assert_eq!(token.wait(Some(PATIENCE)).unwrap().text(), "on");
    end(runner, None);
}

#[test]
fn a_waker_that_panics_keeps_nobody_else_from_being_notified() {
    for runner in [runner(), runner_with_workers(2)] {
        let (mut token, gate) = gated(&runner);
        assert!(Pin::new(&mut token).poll(&mut Context::from_waker(&gone())).is_pending());
        let begun = Instant::now();
        let waiting = thread::spawn(move || token.wait(Some(PATIENCE)));
        thread::sleep(SOON);
        gate.send(()).unwrap();
        assert_eq!(waiting.join().unwrap().unwrap(), "done");
        assert!(begun.elapsed() < PATIENCE, "it was not woken");
        assert_lives_on(&runner);
    }
}

#[test]
fn a_waker_that_panics_keeps_no_deadline_from_being_noticed_while_a_job_blocks_the_thread() {
    let (runner, count) = (runner(), Arc::<Count>::default());
    let (_busy, release) = occupy(&runner);
    // One that counts comes after the one that panics, in whichever order they are looked at.
    let wakers = [Waker::from(Arc::clone(&count)), gone(), Waker::from(Arc::clone(&count))];
    let _tokens = wakers.map(|waker| {
        let mut token = runner.submit_job_within("test.never", "", SOON).unwrap();
        assert!(Pin::new(&mut token).poll(&mut Context::from_waker(&waker)).is_pending());
        token
    });
    wait_until("both are woken", || count.0.load(Ordering::SeqCst) == 2);
    drop(release);
    assert_lives_on(&runner);
}

#[test]
fn a_reader_whose_waker_panics_fails_no_job() {
    let runner = runner();
    let (_busy, release) = occupy(&runner);
    let mut token = runner.submit_job("test.stream", r#"{"items": 2}"#).unwrap();
    assert!(token.poll_next(&mut Context::from_waker(&gone())).is_pending());
    drop(release);
    let reply = token.wait(Some(PATIENCE)).unwrap();
    assert!(reply.is_ok(), "{}", reply.text());
    assert_eq!(token.items().count(), 2);
    assert_lives_on(&runner);
}

/// What a job panics with: it panics when it is dropped, with another of its kind, so many times.
struct Biting(u32);

impl Drop for Biting {
    fn drop(&mut self) {
        if self.0 > 0 {
            std::panic::panic_any(Biting(self.0 - 1));
        }
    }
}

async fn bites() {
    std::panic::panic_any(Biting(2));
}

#[test]
fn a_panic_that_panics_again_and_again_as_it_is_dropped_ends_its_job_and_nothing_else() {
    for runner in [runner(), runner_with_workers(2)] {
        let token = runner.submit(bites()).unwrap();
        assert_refused(token.wait(Some(PATIENCE)), Status::JobPanicked);
        assert_lives_on(&runner);
    }
}

#[test]
fn nothing_of_many_jobs_is_lost() {
    for runner in [runner(), runner_with_workers(2)] {
        thread::scope(|scope| {
            for host in 0..4 {
                let runner = &runner;
                scope.spawn(move || {
                    let submit = |i| runner.submit_job("palitra.echo", format!("{host} {i}")).unwrap();
                    let tokens: Vec<_> = (0..1_000).map(submit).collect();
                    for (i, token) in tokens.iter().enumerate() {
                        assert_eq!(token.wait(Some(PATIENCE)).unwrap().text(), format!("{host} {i}"));
                    }
                });
            }
        });
    }
}

#[test]
fn items_come_in_order_then_the_end_or_the_failure() {
    let runner = runner();
    let texts = |payload: &str| {
        let token = runner.submit_job("test.stream", payload).unwrap();
        let items = token.items().map(|item| item.map(|item| item.text().into_owned()));
        items.map(|item| item.map_err(|error| (error.status(), error.code()))).collect::<Vec<_>>()
    };
    assert_eq!(texts(r#"{"items": 2}"#), [Ok("0".to_string()), Ok("1".to_string())]);
    let failed = texts(r#"{"items": 3, "fail_at": 1}"#);
    assert_eq!(failed, [Ok("0".to_string()), Err((Status::JobFailed, 7))], "an error is the last");
}

#[test]
fn next_past_its_timeout_says_pending_and_on_the_runners_thread_it_does_not_block() {
    let runner = runner();
    let token = never(&runner);
    assert_refused(token.next(Some(SOON)), Status::Pending);
    assert_refused(token.next(Some(Duration::ZERO)), Status::Pending);
    let seen = runner.submit(async move { token.next(None).map(drop) }).unwrap().wait(Some(PATIENCE)).unwrap();
    assert_refused(seen, Status::WouldDeadlock);
}

#[test]
fn of_many_jobs_those_before_a_refused_one_are_submitted_and_the_error_names_it() {
    let runner = runner();
    let names = ["palitra.echo", "palitra.ech", "palitra.echo"];
    let (tokens, submitted) = runner.submit_many_jobs(names.map(|name| (name, &b"one"[..])));
    let error = submitted.unwrap_err();
    assert_eq!((tokens.len(), error.status()), (1, Status::UnknownJob));
    assert!(error.to_string().contains("\"palitra.ech\"; the nearest is \"palitra.echo\""), "{error}");
    assert_eq!(tokens[0].wait(Some(PATIENCE)).unwrap().text(), "one");
}
