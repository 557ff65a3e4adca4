//! What an author tests jobs with: a context without a runner, and a runner whose clock is paused.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use palitra::{Context, JobError, Options, Runner, RunnerState, State, Status, job, testing};
use tokio::time::sleep;

use super::{Flag, PATIENCE, assert_refused, block_on, bounded, wait_until};

const HOUR: Duration = Duration::from_secs(3600);

/// Asks for everything that a context has.
#[job("rust.all_of_a_context")]
async fn all_of_a_context(context: Context, what: String) -> Result<String, JobError> {
    context.progress(1, 2);
    match &*what {
        "send" => context.send(what).await?,
        "call" => drop(context.call("palitra.echo", "hello").await?),
        _ => return Ok(format!("cancelled: {}", context.is_cancelled())),
    }
    Ok(String::new())
}

#[test]
fn a_job_is_called_as_a_function_with_a_detached_context_and_what_needs_a_runner_says_so() {
    let call = |what: &str| block_on(all_of_a_context(Context::detached(), what.to_string()));
    assert_eq!(call("nothing").unwrap(), "cancelled: false");
    let sent = call("send").unwrap_err();
    assert!(sent.message().contains("detached") && sent.message().contains("Runner"), "{sent}");
    let called = call("call").unwrap_err();
    assert!(called.message().contains("detached") && called.message().contains("palitra.echo"), "{called}");
}

#[test]
fn a_detached_context_is_not_cancelled_and_lives_as_long_as_a_clone_of_it() {
    let context = Context::detached();
    let copy = context.clone();
    drop(context);
    assert!(!copy.is_cancelled());
    let runner = testing::runner().unwrap();
    let waited = runner.run(async move { tokio::time::timeout(HOUR, copy.cancelled()).await.is_err() });
    assert!(waited.unwrap(), "it was cancelled");
}

#[job("rust.for_an_hour")]
async fn for_an_hour(_context: Context) -> String {
    sleep(HOUR).await;
    "an hour later".to_string()
}

#[job("rust.for_an_hour_inline", inline)]
async fn for_an_hour_inline() {
    sleep(HOUR).await;
}

#[test]
fn the_paused_clock_takes_no_time_and_deadlines_and_timeouts_go_by_it() {
    bounded(|| {
        let begun = Instant::now();
        let runner = testing::runner().unwrap();
        assert_eq!(runner.run_job("rust.for_an_hour", "", None).unwrap().text(), "an hour later");
        for job in ["rust.for_an_hour", "rust.for_an_hour_inline"] {
            for (limit, status) in [(HOUR / 2, Status::Deadline), (HOUR * 2, Status::Ok)] {
                assert_eq!(runner.run_job(job, "", Some(limit)).unwrap().status(), status, "{job} run for {limit:?}");
                let token = runner.submit_job_within(job, "", limit).unwrap();
                assert_eq!(token.wait(None).unwrap().status(), status, "{job} submitted for {limit:?}");
            }
        }
        assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
    });
}

/// Sets a timer and then has work to do. Returns how far the clock has jumped in that time.
#[job("rust.timer_before_work", inline)]
async fn timer_before_work() -> String {
    let begun = tokio::time::Instant::now();
    let mut timer = pin!(sleep(HOUR));
    poll_fn(|context| Poll::Ready(timer.as_mut().poll(context).is_ready())).await;
    std::thread::sleep(Duration::from_millis(50));
    let jumped = begun.elapsed();
    timer.await;
    format!("{jumped:?}")
}

#[test]
fn the_paused_clock_stands_still_while_a_job_works_whichever_way_it_begins() {
    bounded(|| {
        let runner = testing::runner().unwrap();
        let job = "rust.timer_before_work";
        assert_eq!(runner.run_job(job, "", None).unwrap().text(), "0ns");
        assert_eq!(runner.run_job(job, "", Some(HOUR * 2)).unwrap().text(), "0ns");
        assert_eq!(runner.run_job(job, "", Some(HOUR / 2)).unwrap().status(), Status::Deadline);
        assert_eq!(runner.submit_job(job, "").unwrap().wait(None).unwrap().text(), "0ns");
        assert_eq!(runner.run(timer_before_work()).unwrap(), "0ns");
    });
}

#[test]
fn a_deadline_by_the_paused_clock_does_not_pass_with_the_systems() {
    let runner = testing::runner().unwrap();
    std::thread::sleep(Duration::from_millis(50));
    let token = runner.submit_job_within("test.spin", r#"{"seconds": 0.2}"#, Duration::from_millis(1)).unwrap();
    assert_eq!(token.wait(Some(PATIENCE)).unwrap().status(), Status::Ok);
}

#[test]
fn a_shutdown_lets_jobs_finish_in_the_grace_period_of_the_paused_clock() {
    for (grace, ends) in [(HOUR * 2, Ok(())), (HOUR / 2, Err(Status::Cancelled))] {
        let runner = testing::runner().unwrap();
        // The clock stands still while the job blocks the thread, until the shutdown has begun.
        let release = Flag::default();
        let released = release.clone();
        let token = runner.submit(async move {
            released.spin();
            sleep(HOUR).await;
        });
        let (token, closing) = (token.unwrap(), runner.clone());
        let shutdown = std::thread::spawn(move || closing.shutdown(Some(grace)));
        wait_until("the shutdown has begun", || !runner.is_alive());
        release.raise();
        bounded(move || shutdown.join()).unwrap().unwrap();
        assert_eq!(token.wait(Some(PATIENCE)).map_err(|error| error.status()), ends, "{grace:?}");
    }
}

/// Takes its time to be made.
struct Slow;

impl RunnerState for Slow {
    const NAME: &str = "slow";
    type Config = ();

    async fn create((): ()) -> Result<Self, JobError> {
        sleep(HOUR).await;
        Ok(Slow)
    }
}

#[job("rust.paused_state")]
async fn paused_state(_slow: State<Slow>) {}

#[test]
fn a_state_is_made_by_the_paused_clock() {
    bounded(|| {
        assert_eq!(testing::runner().unwrap().run_job("rust.paused_state", "", None).unwrap().status(), Status::Ok);
    });
}

#[test]
fn a_runner_with_workers_has_no_paused_clock() {
    let options = Options { worker_threads: 1, paused_clock: true, ..Options::default() };
    assert_refused(Runner::with_options(options), Status::InvalidArgument);
}
