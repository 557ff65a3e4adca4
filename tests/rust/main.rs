//! The Rust API as a synchronous program uses it: each module a subject, each test one thing that holds.
//!
//! A test that would hang in a broken library fails after [`PATIENCE`] instead.

mod cleanup;
mod deadlock;
mod errors;
mod fork;
mod gather;
mod global;
mod jobs;
mod limits;
mod run;
mod runner;
mod shutdown;
mod state;
mod testing;
mod token;

use std::future::{Future, poll_fn};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread, ThreadId};
use std::time::Duration;

use palitra::{Error, Options, Runner, Status};
// The test jobs test.*: they register themselves once they are linked.
use palitra_test_jobs as _;
use palitra_test_support::process::{PATIENCE, wait_until};

fn runner() -> Runner {
    Runner::new().unwrap()
}

fn runner_with_workers(worker_threads: u32) -> Runner {
    Runner::with_options(Options { worker_threads, ..Options::default() }).unwrap()
}

/// The result is an error with this status.
#[track_caller]
fn assert_refused<T: std::fmt::Debug>(result: Result<T, Error>, status: Status) {
    assert_eq!(result.expect_err("an error").status(), status);
}

/// Calls `act` on a thread of its own and returns what it returns; panics if it does not return in time.
#[track_caller]
fn bounded<R: Send + 'static>(act: impl FnOnce() -> R + Send + 'static) -> R {
    let (sender, receiver) = mpsc::channel();
    let thread = thread::spawn(move || sender.send(act()));
    match receiver.recv_timeout(PATIENCE) {
        Ok(result) => result,
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("the call has not returned after {PATIENCE:?}"),
        Err(mpsc::RecvTimeoutError::Disconnected) => std::panic::resume_unwind(thread.join().unwrap_err()),
    }
}

/// Shuts down. On a machine that is very busy the fixed second may not do; then again.
#[track_caller]
fn end(runner: &Runner, grace: Option<Duration>) {
    wait_until("the runner has ended", || {
        let runner = runner.clone();
        let ended = bounded(move || runner.shutdown(grace)).map_err(|error| error.status());
        assert!([Ok(()), Err(Status::Pending)].contains(&ended), "{ended:?}");
        ended.is_ok()
    });
}

/// Which threads polled a future.
#[derive(Clone, Default)]
struct Polls(Arc<Mutex<Vec<ThreadId>>>);

impl Polls {
    /// A future that records them and pends so many times.
    fn future(&self, pends: usize) -> impl Future<Output = ()> + Send + 'static {
        let polls = Arc::clone(&self.0);
        poll_fn(move |cx| {
            let mut polls = polls.lock().unwrap();
            polls.push(thread::current().id());
            if polls.len() > pends {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
    }

    fn threads(&self) -> Vec<ThreadId> {
        self.0.lock().unwrap().clone()
    }
}

/// Yields once, so that the rest runs on the runner's thread.
async fn give_way() {
    Polls::default().future(1).await;
}

/// Panics with the text.
async fn panics(text: &'static str) {
    panic!("{text}");
}

/// Sets its flag when it is dropped.
#[derive(Clone, Default)]
struct Flag(Arc<AtomicBool>);

impl Flag {
    fn raise(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    fn is_up(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    /// Raises it when it is dropped.
    fn on_drop(&self) -> RaiseOnDrop {
        RaiseOnDrop(self.clone())
    }

    /// Keeps its thread busy until it is up.
    fn spin(&self) {
        while !self.is_up() {
            std::hint::spin_loop();
        }
    }
}

struct RaiseOnDrop(Flag);

impl Drop for RaiseOnDrop {
    fn drop(&mut self) {
        self.0.raise();
    }
}

/// A future that never ends, and says when it is dropped.
fn endless(dropped: &Flag) -> impl Future<Output = ()> + Send + 'static {
    let guard = dropped.on_drop();
    async move {
        let _guard = guard;
        std::future::pending::<()>().await;
    }
}

/// Keeps the runner's thread (or one worker) busy until the flag that it returns is raised, or dropped by a
/// test that fails.
fn occupy(runner: &Runner) -> (palitra::Token<()>, RaiseOnDrop) {
    let (busy, release) = (Flag::default(), Flag::default());
    let (started, released) = (busy.clone(), release.clone());
    let token = runner.submit(async move {
        started.raise();
        released.spin();
    });
    wait_until("the runner is busy", || busy.is_up());
    (token.unwrap(), RaiseOnDrop(release))
}

/// How many have come.
#[derive(Clone, Default)]
struct Meeting(Arc<AtomicUsize>);

impl Meeting {
    /// Keeps its thread until `all` are here at the same time. Whether they came.
    fn attend(&self, all: usize) -> bool {
        self.0.fetch_add(1, Ordering::SeqCst);
        let start = std::time::Instant::now();
        while self.0.load(Ordering::SeqCst) < all {
            if start.elapsed() > PATIENCE {
                return false;
            }
            thread::sleep(Duration::from_millis(1));
        }
        true
    }
}

/// The smallest executor: a future polled by a thread that parks.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = std::pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park_timeout(PATIENCE),
        }
    }
}
