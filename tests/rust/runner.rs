//! Runners: several at once, their options, and jobs that really run side by side.
//!
//! Promise 12: several runners and libraries live in one process.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use palitra::{Options, Runner, Status, ThreadHook, Token};

use super::{Meeting, PATIENCE, assert_refused, give_way, occupy, runner, runner_with_workers, wait_until};

/// How many threads of this process have the name (of at most 15 bytes).
pub(crate) fn threads_named(name: &str) -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("comm")).ok());
    names.filter(|found| found.trim_end() == name).count()
}

#[test]
fn workers_run_jobs_in_parallel() {
    let (runner, meeting) = (runner_with_workers(2), Meeting::default());
    // Neither yields before the other has come, so one thread could not run both.
    let tokens = [(); 2].map(|()| {
        let meeting = meeting.clone();
        runner.submit(async move { meeting.attend(2) }).unwrap()
    });
    assert!(tokens.iter().all(|token| token.wait(Some(2 * PATIENCE)).unwrap()), "they did not meet");
}

#[test]
fn a_worker_that_is_busy_does_not_hold_up_the_next_job() {
    let runner = runner_with_workers(2);
    let (token, release) = occupy(&runner);
    for _ in 0..50 {
        assert_eq!(runner.run_job("test.ready", "", Some(PATIENCE)).unwrap().status(), Status::Ok);
    }
    assert_refused(token.wait(Some(std::time::Duration::ZERO)), Status::Pending);
    drop(release);
}

#[test]
fn without_workers_one_thread_runs_every_job() {
    let runner = runner();
    let ids = (0..20).map(|_| async {
        give_way().await;
        thread::current().id()
    });
    let ids = runner.gather(ids).unwrap();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
}

#[test]
fn several_runners_work_at_once_and_end_on_their_own() {
    let runners = [runner(), runner(), runner_with_workers(1)];
    let meeting = Meeting::default();
    let attend = |runner: &Runner| {
        let meeting = meeting.clone();
        runner.submit(async move { meeting.attend(3) }).unwrap()
    };
    let tokens: Vec<Token<bool>> = runners.iter().map(attend).collect();
    assert!(tokens.iter().all(|token| token.wait(Some(2 * PATIENCE)).unwrap()), "they did not meet");
    runners[0].shutdown(None).unwrap();
    assert_eq!(runners.each_ref().map(Runner::is_alive), [false, true, true]);
    assert_refused(runners[0].run(async {}), Status::ShutDown);
    runners[1].run(give_way()).unwrap();
    runners[2].run(give_way()).unwrap();
}

#[test]
fn a_clone_is_the_same_runner() {
    let runner = runner();
    let clone = runner.clone();
    clone.shutdown(None).unwrap();
    assert!(!runner.is_alive());
}

#[test]
fn the_threads_bear_the_name_that_was_asked_for() {
    let name = "rust-named";
    let options = Options { thread_name: name.to_string(), worker_threads: 2, ..Options::default() };
    let runner = Runner::with_options(options).unwrap();
    let found = runner.submit(async { thread::current().name().map(str::to_string) }).unwrap();
    assert_eq!(found.wait(Some(PATIENCE)).unwrap().as_deref(), Some(name));
    // Each thread gives itself its name, a moment after it was made.
    wait_until("all threads bear it", || threads_named(name) == 3);
}

#[test]
fn hooks_are_called_at_both_ends_of_every_thread_and_may_panic() {
    let counters: [Arc<AtomicUsize>; 2] = Default::default();
    let [thread_start, thread_stop] = counters.each_ref().map(|counter| {
        let counter = Arc::clone(counter);
        ThreadHook::new(move || {
            counter.fetch_add(1, Ordering::SeqCst);
            std::panic::panic_any("a hook");
        })
    });
    let options = Options { worker_threads: 2, thread_start, thread_stop, ..Options::default() };
    let runner = Runner::with_options(options).unwrap();
    let counts = || counters.each_ref().map(|counter| counter.load(Ordering::SeqCst));
    wait_until("all threads have begun", || counts() == [4, 0]);
    let blocking = runner.run(async { tokio::task::spawn_blocking(|| 1).await }).unwrap();
    assert_eq!((blocking.unwrap(), counts()), (1, [5, 0]));
    runner.shutdown(None).unwrap();
    assert_eq!(counts(), [5, 5]);
    drop(runner);
    let gone = counters.each_ref().map(Arc::strong_count);
    assert_eq!(gone, [1, 1], "the hooks are dropped with the runner");
}

#[test]
fn a_stack_as_large_as_asked_for_is_there() {
    /// Fills so many kilobytes of stack.
    fn dig(kilobytes: usize) -> usize {
        let block = std::hint::black_box([1_u8; 1024]);
        if kilobytes <= 1 { block.len() } else { block.len() + dig(kilobytes - 1) }
    }

    let runner = Runner::with_options(Options { thread_stack_size: 64 << 20, ..Options::default() }).unwrap();
    let token = runner.submit(async { dig(16 << 10) }).unwrap();
    assert_eq!(token.wait(Some(PATIENCE)).unwrap(), 16 << 20);
}

#[test]
fn blocking_work_runs_on_no_more_threads_than_asked_for() {
    let runner = Runner::with_options(Options { max_blocking_threads: 1, ..Options::default() }).unwrap();
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let tokens = [(); 3].map(|()| {
        let (now, most) = (Arc::clone(&now), Arc::clone(&most));
        let work = move || {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            thread::sleep(Duration::from_millis(20));
            now.fetch_sub(1, Ordering::SeqCst);
        };
        runner.submit(async { tokio::task::spawn_blocking(work).await.unwrap() }).unwrap()
    });
    for token in tokens {
        token.wait(Some(PATIENCE)).unwrap();
    }
    assert_eq!(most.load(Ordering::SeqCst), 1);
}

#[test]
fn absurd_options_are_refused_with_a_reason() {
    let refused = [
        (Options { worker_threads: 1 << 20, ..Options::default() }, "threads"),
        (Options { max_blocking_threads: u32::MAX, ..Options::default() }, "threads"),
        (Options { thread_stack_size: 1, ..Options::default() }, "stack of 1 bytes"),
        (Options { thread_stack_size: usize::MAX, ..Options::default() }, "stack"),
        (Options { thread_name: "a\0b".to_string(), ..Options::default() }, "NUL"),
        (Options { spin_limit: Some(Duration::from_micros(1001)), ..Options::default() }, "spin limit above 1ms"),
    ];
    for (options, reason) in refused {
        let error = Runner::with_options(options).unwrap_err();
        assert_eq!(error.status(), Status::InvalidArgument);
        assert!(error.to_string().contains(reason), "{error}");
    }
}

#[test]
fn what_is_printed_for_debugging_says_which_it_is() {
    let runner = runner();
    let (job, future) = (runner.submit_job("test.never", "").unwrap(), runner.submit(async {}).unwrap());
    assert!(format!("{runner:?}").contains("is_alive: true"), "{runner:?}");
    assert!(format!("{job:?}").starts_with("JobToken { id: "), "{job:?}");
    assert!(format!("{future:?}").starts_with("Token { id: "), "{future:?}");
    let hooks = [ThreadHook::new(|| ()), ThreadHook::default()];
    assert_eq!(format!("{hooks:?}"), "[ThreadHook(..), ThreadHook(none)]");
}
