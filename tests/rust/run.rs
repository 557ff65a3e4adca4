//! `run`: submit and wait in one call.
//!
//! Promise 2: a job that is ready at once costs no hand-off.
//! Promise 3: timeouts and deadlines hold.
//! Promise 7: a panic ends its job and nothing else.

use std::thread;
use std::time::{Duration, Instant};

use palitra::{Status, job};

use super::{Flag, PATIENCE, Polls, assert_refused, bounded, endless, give_way, occupy, panics, runner, wait_until};

const SOON: Duration = Duration::from_millis(50);

/// The name of the thread that polls it.
#[job("rust.thread")]
async fn thread_name() -> String {
    thread::current().name().unwrap_or_default().to_string()
}

#[test]
fn a_future_that_is_ready_is_polled_by_the_calling_thread_alone() {
    let (runner, polls) = (runner(), Polls::default());
    runner.run(polls.future(0)).unwrap();
    assert_eq!(polls.threads(), [thread::current().id()]);
}

#[test]
fn a_ready_future_does_not_wait_for_a_busy_runner() {
    let runner = runner();
    let (token, release) = occupy(&runner);
    let clone = runner.clone();
    assert_eq!(bounded(move || clone.run(async { 42 })).unwrap(), 42);
    assert_refused(token.wait(Some(Duration::ZERO)), Status::Pending);
    drop(release);
}

#[test]
fn a_future_is_polled_by_the_runner_where_the_caller_has_little_stack() {
    let runner = runner();
    let own = move || runner.run(async { thread::current().name().map(str::to_string) }).unwrap();
    let small = thread::Builder::new().stack_size(40 << 10).spawn(own).unwrap();
    assert_eq!(small.join().unwrap().as_deref(), Some("palitra"));
}

#[test]
fn a_future_that_pends_moves_to_the_runners_thread_for_good() {
    let (runner, polls) = (runner(), Polls::default());
    runner.run(polls.future(3)).unwrap();
    let threads = polls.threads();
    assert_eq!((threads.len(), threads[0]), (4, thread::current().id()));
    let theirs = runner.submit(async { thread::current().id() }).unwrap().wait(Some(PATIENCE)).unwrap();
    assert_ne!(theirs, thread::current().id());
    assert!(threads[1..].iter().all(|id| *id == theirs), "{threads:?}");
}

#[test]
fn a_job_without_a_timeout_begins_on_the_calling_thread_and_with_one_on_the_runners() {
    let runner = runner();
    let own = thread::current().name().unwrap_or_default().to_string();
    assert_eq!(runner.run_job("rust.thread", "", None).unwrap().text(), own);
    assert_eq!(runner.run_job("rust.thread", "", Some(PATIENCE)).unwrap().text(), "palitra");
}

#[test]
fn the_first_poll_is_within_the_runtime() {
    let result = runner().run(async {
        let task = tokio::spawn(async { 6 * 7 });
        tokio::time::sleep(Duration::from_millis(1)).await;
        task.await.unwrap()
    });
    assert_eq!(result.unwrap(), 42);
}

#[test]
fn a_program_with_a_runtime_of_its_own_may_run() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let result = runtime.block_on(async { runner().run(async { give_way().await }) });
    result.unwrap();
}

#[test]
fn many_threads_may_run_at_once_and_each_gets_its_own_result() {
    let runner = runner();
    thread::scope(|scope| {
        for host in 0..8_u64 {
            let runner = &runner;
            scope.spawn(move || {
                for round in 0..200_u64 {
                    let result = runner.run(async move {
                        if round % 2 == 0 {
                            give_way().await;
                        }
                        (host, round)
                    });
                    assert_eq!(result.unwrap(), (host, round));
                }
            });
        }
    });
}

#[test]
fn a_panic_in_the_first_poll_is_an_error_with_its_message_and_the_runner_lives_on() {
    let runner = runner();
    let error = runner.run(panics("at once")).unwrap_err();
    assert_eq!((error.status(), error.to_string()), (Status::JobPanicked, "at once".to_string()));
    assert_eq!(runner.run(async { 42 }).unwrap(), 42);
}

#[test]
fn a_panic_on_the_runners_thread_is_an_error_with_its_message_and_the_runner_lives_on() {
    let runner = runner();
    let later = async {
        give_way().await;
        panics("later").await;
    };
    let error = runner.run(later).unwrap_err();
    assert_eq!((error.status(), error.to_string()), (Status::JobPanicked, "later".to_string()));
    runner.run(give_way()).unwrap();
}

#[test]
fn a_panic_without_a_text_is_an_error_too() {
    async fn panics_with_a_number() {
        std::panic::panic_any(7);
    }

    let error = runner().run(panics_with_a_number()).unwrap_err();
    assert_eq!(error.status(), Status::JobPanicked);
    assert!(error.to_string().contains("not text"), "{error}");
}

#[test]
fn a_panic_while_a_cancelled_future_is_dropped_leaves_the_runner_alive() {
    struct PanicOnDrop;

    impl Drop for PanicOnDrop {
        fn drop(&mut self) {
            panic!("in a drop");
        }
    }

    let runner = runner();
    let bomb = PanicOnDrop;
    let token = runner.submit(async move {
        let _bomb = bomb;
        std::future::pending::<()>().await;
    });
    let token = token.unwrap();
    runner.run(give_way()).unwrap();
    assert!(token.cancel());
    runner.run(give_way()).unwrap();
    assert_refused(token.wait(Some(PATIENCE)), Status::Cancelled);
}

#[test]
fn jobs_that_panic_or_fail_say_so_in_their_reply() {
    let runner = runner();
    for (job, payload, status, code, message) in [
        ("test.panic", "oh", Status::JobPanicked, 0, "oh"),
        ("test.panic_later", "dear", Status::JobPanicked, 0, "dear"),
        ("test.fail", r#"{"code": -7, "message": "no"}"#, Status::JobFailed, -7, "no"),
    ] {
        for timeout in [None, Some(PATIENCE)] {
            let reply = runner.run_job(job, payload, timeout).unwrap();
            assert_eq!((reply.status(), reply.code(), &*reply.text()), (status, code, message), "{job}");
            let error = reply.into_result().unwrap_err();
            assert_eq!((error.status(), error.code(), &*error.to_string()), (status, code, message), "{job}");
        }
    }
}

#[test]
fn past_its_timeout_the_run_of_a_job_that_never_yields_returns() {
    let runner = runner();
    let start = Instant::now();
    let reply = runner.run_job("test.spin", r#"{"seconds": 3}"#, Some(SOON)).unwrap();
    assert_eq!(reply.status(), Status::Deadline);
    assert!((SOON..Duration::from_secs(2)).contains(&start.elapsed()), "{:?}", start.elapsed());
}

#[test]
fn past_its_timeout_a_job_is_cancelled_and_dropped() {
    static DROPPED: std::sync::OnceLock<Flag> = std::sync::OnceLock::new();

    #[job("rust.endless")]
    async fn never() {
        endless(DROPPED.get_or_init(Flag::default)).await;
    }

    let runner = runner();
    // Again, in case a busy machine has not started it within its timeout.
    wait_until("the job is dropped", || {
        let reply = runner.run_job("rust.endless", "", Some(SOON)).unwrap();
        assert_eq!((reply.status(), reply.is_ok()), (Status::Deadline, false));
        DROPPED.get().is_some_and(Flag::is_up)
    });
}

#[test]
fn a_timeout_of_nothing_returns_at_once() {
    let runner = runner();
    let reply = bounded(move || runner.run_job("test.never", "", Some(Duration::ZERO))).unwrap();
    assert_eq!(reply.status(), Status::Deadline);
}

#[test]
fn a_timeout_beyond_all_clocks_is_forever() {
    let reply = runner().run_job("palitra.sleep", r#"{"seconds": 0.01}"#, Some(Duration::MAX)).unwrap();
    assert!(reply.is_ok(), "{reply:?}");
}

#[test]
fn an_unknown_job_is_named_in_the_error() {
    let runner = runner();
    let errors = [
        runner.run_job("no.such job", "", None).unwrap_err(),
        runner.run_job("", "", Some(PATIENCE)).unwrap_err(),
        runner.submit_job("palitra.ech", "").unwrap_err(),
    ];
    for (error, name) in errors.iter().zip(["no.such job", "", "palitra.ech"]) {
        assert_eq!(error.status(), Status::UnknownJob);
        assert!(error.to_string().contains(&format!("\"{name}\"")), "{error}");
    }
    let nearest = "no job is registered as \"palitra.ech\"; the nearest is \"palitra.echo\"";
    assert_eq!(errors[2].to_string(), nearest);
}
