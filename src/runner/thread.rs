//! The runner's threads: made with its runtime, ended with it.
//!
//! All of them block signals: a signal that the host handles (Ctrl-C) always interrupts one of the host's own threads.
//!
//! | thread | what it does |
//! |---|---|
//! | the runner's own | drives the runtime, or with workers waits for callbacks and for the end |
//! | workers | run jobs, if the options ask for them |
//! | blocking threads | what jobs give to `spawn_blocking`; made and ended by the runtime |
//! | the watchdog | looks after the tokens while a job blocks one of the others |

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::time::{Instant, timeout_at};

use super::build;
use super::clock::Clock;
use super::core::Core;
use super::driver::Driver;
use super::options::{Hooks, Options};
use super::watch::Watch;
use super::watchdog;
use crate::current::{Mark, RunnerId, Seat};
use crate::deadline::Until;
use crate::panics::contain;
use crate::reply::{Error, Status};
use crate::sys::signals::{Blocked, Mask};

/// Drivers for each worker: the one that a job blocks, and the one that may wait behind it to be polled.
const DRIVERS_PER_WORKER: usize = 2;

/// What states have to close beyond the grace period.
const CLOSING: Duration = Duration::from_millis(500);

/// The same where that is over already.
const CLOSING_LATE: Duration = Duration::from_millis(20);

/// The most that tasks have which jobs and states left behind. One that never ends takes all of it.
const TASKS: Duration = Duration::from_millis(100);

/// Makes a runner: its core, and the thread to join when it has been shut down.
///
/// The thread makes all that belongs to it, so that there is nothing to undo but the thread.
pub(crate) fn spawn(id: RunnerId, options: &Options) -> Result<(Arc<Core>, JoinHandle<()>), Error> {
    // The threads inherit the mask of the thread that makes them; the host's own is restored at the end.
    let mask = Blocked::new();
    let (host, given) = (mask.host(), options.clone());
    let (ready, made) = sync_channel(1);
    let refused = |error| Error::new(Status::Internal, format!("the runner cannot be made: {error}"));
    let thread = builder(options, "").spawn(move || make_and_live(id, &given, host, &ready)).map_err(refused)?;
    match made.recv() {
        Ok(Ok(core)) => Ok((core, thread)),
        Ok(Err(error)) => {
            let _ = thread.join();
            Err(refused(error))
        }
        Err(_) => {
            let _ = thread.join();
            Err(Error::from(Status::Internal))
        }
    }
}

/// How a thread is made that is not the runtime's.
fn builder(options: &Options, role: &str) -> std::thread::Builder {
    let builder = std::thread::Builder::new().name(format!("{}{role}", options.name()));
    if options.thread_stack_size > 0 { builder.stack_size(options.thread_stack_size) } else { builder }
}

fn make_and_live(id: RunnerId, options: &Options, host: Mask, ready: &SyncSender<io::Result<Arc<Core>>>) {
    host.adopt();
    let hooks = Hooks::of(id, options);
    let (core, runtime, watchdog) = match make(options, host, &hooks) {
        Ok(made) => made,
        Err(error) => {
            let _ = ready.send(Err(error));
            return;
        }
    };
    let _ = ready.send(Ok(Arc::clone(&core)));
    live(&core, runtime, watchdog, &hooks);
}

/// The watchdog first: once the runtime has its threads, nothing more can be refused.
fn make(options: &Options, host: Mask, hooks: &Hooks) -> io::Result<(Arc<Core>, Runtime, JoinHandle<()>)> {
    let (watched, given) = sync_channel::<Arc<Core>>(1);
    let (id, watchdog_hooks) = (hooks.runner(), hooks.clone());
    let watchdog = builder(options, "-watchdog").spawn(move || {
        host.adopt();
        if let Ok(core) = given.recv() {
            watchdog_hooks.thread_started();
            watchdog::live(&core);
            watchdog_hooks.thread_stops();
        }
    })?;
    let watch = Arc::new(Watch::new(id, 1 + options.worker_threads as usize));
    let runtime = match build::runtime(options, host, hooks, &watch) {
        Ok(runtime) => {
            Clock::of(options).start(&runtime);
            runtime
        }
        Err(error) => {
            drop(watched);
            let _ = watchdog.join();
            return Err(error);
        }
    };
    let drivers = DRIVERS_PER_WORKER * options.worker_threads as usize;
    let core = Core::new(id, runtime.handle().clone(), watch, drivers, options, options.configuration());
    let _ = watched.send(Arc::clone(&core));
    Ok((core, runtime, watchdog))
}

/// The life of the runner's thread.
fn live(core: &Arc<Core>, runtime: Runtime, watchdog: JoinHandle<()>, hooks: &Hooks) {
    let _mark = Mark::set(core.id);
    let _seat = Seat::take(core.id, 0);
    core.watch.awake();
    hooks.thread_started();
    if contain(|| drive(core, &runtime)) != Some(true) {
        // A defect of our own has ended the loop, perhaps before a shutdown. Nothing has time left.
        core.closing.request(Until::Now);
    }
    core.end();
    contain(|| runtime.block_on(wind_down(core)));
    // Waits for the blocking tasks of jobs, however long they take: a shutdown has a bound of its own.
    contain(|| drop(runtime));
    core.watch.stop();
    let _ = watchdog.join();
    hooks.thread_stops();
    core.finished.announce();
}

/// Drives the runner until its last job has ended after a request to close. Whether it came to that.
fn drive(core: &Arc<Core>, runtime: &Runtime) -> bool {
    if !core.has_workers() {
        // As a task, which the runtime's own thread wakes without a system call.
        let task = runtime.spawn(Driver::main(Arc::clone(core), true));
        return runtime.block_on(task).is_ok();
    }
    for number in 1..core.lanes.drivers() {
        runtime.spawn(Driver::beside(Arc::clone(core), number));
    }
    runtime.block_on(Driver::main(Arc::clone(core), false));
    true
}

/// Closes and drops what the jobs shared, then lets those tasks end that jobs and states have spawned, to say goodbye
/// to a server for example. Half of the second that a shutdown has beyond its grace period is for this.
async fn wind_down(core: &Core) {
    let begun = Instant::now();
    core.states.close(time_is_up(core, begun)).await;
    core.registered.clear();
    let last = Instant::now() + TASKS;
    let last = end_of_closing(core, begun).map_or(last, |end| end.min(last));
    let drivers = core.lanes.drivers() - 1;
    while core.runtime.metrics().num_alive_tasks() > drivers && Instant::now() < last {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Until when states may close that began with it then, by what the shutdowns so far have asked for.
fn end_of_closing(core: &Core, begun: Instant) -> Option<Instant> {
    if core.clock.is_paused() {
        return Some(begun + CLOSING);
    }
    core.closing.grace().instant().map(|grace| Instant::from(grace + CLOSING).max(begun + CLOSING_LATE))
}

/// Is ready at that moment, which a later shutdown brings nearer.
async fn time_is_up(core: &Core, begun: Instant) {
    loop {
        match end_of_closing(core, begun) {
            None => core.closing.requested().await,
            Some(end) if timeout_at(end, core.closing.requested()).await.is_err() => return,
            Some(_) => {}
        }
    }
}
