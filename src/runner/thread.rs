//! The runner's thread: made with its runtime, ended with it.
//!
//! It and all threads of the runtime block every signal that can be blocked for good reason: a signal that the
//! host handles (Ctrl-C) then always interrupts one of the host's own threads.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

use crossbeam_channel::Receiver;
use futures_util::stream::FuturesUnordered;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

use super::core::{Core, Submission};
use super::driver::{Driver, Jobs};
use super::options::{LINGER, Options, ThreadHook};
use super::shutdown::Outcome;
use crate::current::{Mark, RunnerId};
use crate::reply::{Error, Status};
use crate::token::{self, Until};

/// Starts a runner: its core, and the thread to join when it has been shut down.
pub(crate) fn start(id: RunnerId, options: &Options) -> Result<(Arc<Core>, JoinHandle<()>), Error> {
    // The threads inherit the mask of the thread that makes them; the host's own is restored at the end.
    let _mask = SignalMask::block_all();
    let runtime = catch_unwind(AssertUnwindSafe(|| build_runtime(id, options)))
        .map_err(|_| Error::new(Status::Internal, "the system refused the runner's threads"))?
        .map_err(|error| Error::new(Status::Internal, format!("the runtime cannot be made: {error}")))?;
    let (core, submissions) = Core::new(id, runtime.handle().clone(), options);
    let jobs =
        if options.worker_threads == 0 { Jobs::Here(FuturesUnordered::new()) } else { Jobs::Workers(JoinSet::new()) };
    let mut builder = std::thread::Builder::new().name(options.name().to_string());
    if options.thread_stack_size > 0 {
        builder = builder.stack_size(options.thread_stack_size);
    }
    let driven = Arc::clone(&core);
    let hooks = (options.thread_start.clone(), options.thread_stop.clone());
    let thread = builder
        .spawn(move || live(&driven, runtime, submissions, jobs, hooks))
        .map_err(|error| Error::new(Status::Internal, format!("the runner's thread cannot be made: {error}")))?;
    Ok((core, thread))
}

fn build_runtime(id: RunnerId, options: &Options) -> std::io::Result<Runtime> {
    let mut builder = match options.worker_threads {
        0 => Builder::new_current_thread(),
        workers => {
            let mut builder = Builder::new_multi_thread();
            builder.worker_threads(workers as usize);
            builder
        }
    };
    if options.max_blocking_threads > 0 {
        builder.max_blocking_threads(options.max_blocking_threads as usize);
    }
    if options.thread_stack_size > 0 {
        builder.thread_stack_size(options.thread_stack_size);
    }
    let (start, stop) = (options.thread_start.clone(), options.thread_stop.clone());
    builder.on_thread_start(move || start.call(id)).on_thread_stop(move || stop.call(id));
    builder.thread_name(options.name()).enable_io().enable_time().build()
}

/// The life of the runner's thread.
fn live(
    core: &Arc<Core>,
    runtime: Runtime,
    submissions: Receiver<Submission>,
    jobs: Jobs,
    (start, stop): (ThreadHook, ThreadHook),
) {
    let _mark = Mark::set(core.id);
    start.call(core.id);
    let _ = catch_unwind(AssertUnwindSafe(|| {
        let driver = Driver::new(Arc::clone(core), submissions, jobs);
        // Dropped in here, within the runtime: what is pending or queued ends as cancelled.
        runtime.block_on(driver);
    }));
    // Only a defect of our own ends the loop before a shutdown; then nobody may go on submitting.
    core.closing.request(Until::Now);
    let _ = catch_unwind(AssertUnwindSafe(|| {
        let _runtime = runtime.enter();
        core.states.clear();
    }));
    let began = Instant::now();
    runtime.shutdown_timeout(LINGER);
    let outcome = if began.elapsed() < LINGER { Outcome::Clean } else { Outcome::LeftBehind };
    if outcome == Outcome::LeftBehind {
        // The job that keeps its thread will not end its token in time, if ever.
        token::finish_all_of(core.id, Status::Cancelled);
    }
    // The last of what a shutdown waits for: a hook that hangs must not hang whoever joins this thread.
    stop.call(core.id);
    core.finished.announce(outcome);
}

/// Every signal blocked in this thread, until it is dropped.
struct SignalMask {
    before: libc::sigset_t,
}

#[allow(unsafe_code)]
impl SignalMask {
    fn block_all() -> Option<SignalMask> {
        // SAFETY: both sets are plain memory that the calls fill before it is read; a failed call leaves the
        // mask as it was, and None does not restore it.
        unsafe {
            let mut all = std::mem::zeroed::<libc::sigset_t>();
            let mut before = std::mem::zeroed::<libc::sigset_t>();
            libc::sigfillset(&mut all);
            // Faults are raised by the thread's own instructions, profilers count every thread.
            for signal in [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGTRAP, libc::SIGPROF] {
                libc::sigdelset(&mut all, signal);
            }
            (libc::pthread_sigmask(libc::SIG_BLOCK, &all, &mut before) == 0).then_some(SignalMask { before })
        }
    }
}

#[allow(unsafe_code)]
impl Drop for SignalMask {
    fn drop(&mut self) {
        // SAFETY: `before` is the mask that this thread had.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &self.before, std::ptr::null_mut()) };
    }
}
