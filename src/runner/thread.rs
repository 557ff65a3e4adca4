//! The runner's threads: made with its runtime, ended with it.
//!
//! They and all threads of the runtime block every signal that can be blocked for good reason: a signal that the
//! host handles (Ctrl-C) then always interrupts one of the host's own threads.
//!
//! | thread | what it does |
//! |---|---|
//! | the runner's own | drives the runtime, or with workers waits for callbacks and for the end |
//! | workers | run jobs, if the options ask for them |
//! | blocking threads | what jobs give to `spawn_blocking`; made and ended by the runtime |
//! | the watchdog | looks after the tokens while a job holds one of the others |

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::JoinHandle;

use tokio::runtime::{Builder, Runtime};

use super::core::Core;
use super::driver::Driver;
use super::options::Options;
use super::watch::Watch;
use super::watchdog;
use crate::current::{Mark, RunnerId, Seat};
use crate::reply::{Error, Status};
use crate::token::Until;

/// Drivers for each worker: the one that a job holds, and the one that may wait behind it to be polled.
const DRIVERS_PER_WORKER: usize = 2;

/// Starts a runner: its core, and the thread to join when it has been shut down.
pub(crate) fn start(id: RunnerId, options: &Options) -> Result<(Arc<Core>, JoinHandle<()>), Error> {
    // The threads inherit the mask of the thread that makes them; the host's own is restored at the end.
    let _mask = SignalMask::block_all();
    let watch = Arc::new(Watch::new(id, 1 + options.worker_threads as usize));
    let runtime = catch_unwind(AssertUnwindSafe(|| build_runtime(id, options, &watch)))
        .map_err(|_| Error::new(Status::Internal, "the system refused the runner's threads"))?
        .map_err(|error| Error::new(Status::Internal, format!("the runtime cannot be made: {error}")))?;
    let drivers = DRIVERS_PER_WORKER * options.worker_threads as usize;
    let core = Core::new(id, runtime.handle().clone(), watch, drivers, options);
    let refused = |error| Error::new(Status::Internal, format!("the runner's thread cannot be made: {error}"));
    let watched = Arc::clone(&core);
    let watchdog = thread(options, "watchdog").spawn(move || watchdog::live(&watched)).map_err(refused)?;
    let driven = Arc::clone(&core);
    let thread = thread(options, "").spawn(move || live(&driven, runtime, drivers, watchdog)).map_err(|error| {
        core.watch.stop();
        refused(error)
    })?;
    Ok((core, thread))
}

/// How a thread of the runner is made, apart from those that the runtime makes.
fn thread(options: &Options, role: &str) -> std::thread::Builder {
    let name = if role.is_empty() { options.name().to_string() } else { format!("{}-{role}", options.name()) };
    let builder = std::thread::Builder::new().name(name);
    if options.thread_stack_size > 0 { builder.stack_size(options.thread_stack_size) } else { builder }
}

fn build_runtime(id: RunnerId, options: &Options, watch: &Arc<Watch>) -> std::io::Result<Runtime> {
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
    let (workers, started, started_watch) = (options.worker_threads, AtomicU32::new(0), Arc::clone(watch));
    let (parked, unparked) = (Arc::clone(watch), Arc::clone(watch));
    builder
        .thread_name(options.name())
        .on_thread_start(move || {
            // The workers are the first that the runtime makes, before it is there for anyone to use.
            let number = started.fetch_add(1, Ordering::Relaxed) + 1;
            if number <= workers {
                // A task that a job spawns on its worker must not wait for the runner either.
                std::mem::forget((Mark::set(id), Seat::take(id, number)));
                started_watch.awake();
            }
        })
        .on_thread_park(move || parked.parked())
        .on_thread_unpark(move || unparked.awake())
        .enable_io()
        .enable_time()
        .build()
}

/// The life of the runner's thread.
fn live(core: &Arc<Core>, runtime: Runtime, drivers: usize, watchdog: JoinHandle<()>) {
    let _mark = Mark::set(core.id);
    let _seat = Seat::take(core.id, 0);
    core.watch.awake();
    let _ = catch_unwind(AssertUnwindSafe(|| drive(core, &runtime, drivers)));
    // Only a defect of our own ends the loop before a shutdown; then nobody may go on submitting.
    core.closing.request(Until::Now);
    core.cancel_all();
    core.callbacks.close();
    let _ = catch_unwind(AssertUnwindSafe(|| {
        let _runtime = runtime.enter();
        core.states.clear();
    }));
    // Waits for the blocking tasks of jobs, however long they take: a shutdown waits no longer than it may.
    let _ = catch_unwind(AssertUnwindSafe(|| drop(runtime)));
    core.watch.stop();
    let _ = watchdog.join();
    core.finished.announce();
}

/// Drives the runner until it has ended.
fn drive(core: &Arc<Core>, runtime: &Runtime, drivers: usize) {
    if drivers == 0 {
        // As a task, which the runtime's own thread wakes without a system call.
        let task = runtime.spawn(Driver::main(Arc::clone(core), true));
        let _ = runtime.block_on(task);
        return;
    }
    for number in 1..=drivers {
        runtime.spawn(Driver::beside(Arc::clone(core), number));
    }
    runtime.block_on(Driver::main(Arc::clone(core), false));
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
