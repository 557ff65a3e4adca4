//! The runtime, made whole or not at all. Promise 11: bad input and limits return a status; at a limit of threads
//! or of descriptors nothing stays behind, but for one case, below.
//!
//! A runtime without workers makes no thread. One with workers makes them one after the other, and panics where the
//! system refuses one: while it unwinds it would wait for the workers it has, which nobody stops. So:
//!
//! * Before that, a [`Reserve`] proves that there is room for all workers. What is refused is refused there, where
//!   nothing has been made. One place is given up just before each worker takes it.
//! * Should another process take that place in the moment between, the runtime does panic. It is made within a
//!   context in which it may not wait, so the panic comes through at once. The workers made so far wait in [`Launch`]
//!   before they work, and end there. That one case costs a message on stderr, by the runtime, and what the runtime's
//!   queue of workers holds (its descriptors and some memory): nothing outside of the runtime can empty that.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

use super::options::{Hooks, Options};
use super::watch::Watch;
use crate::current::{Mark, Seat};
use crate::sys::signals::{self, Mask};
use crate::sys::threads::{self, Reserve, ThreadId};

/// The runtime of a runner, made on the runner's own thread. Its threads are the library's, for a host with this mask.
pub(super) fn runtime(options: &Options, host: Mask, hooks: &Hooks, watch: &Arc<Watch>) -> io::Result<Runtime> {
    let workers = options.worker_threads as usize;
    let mut builder = if workers == 0 { Builder::new_current_thread() } else { Builder::new_multi_thread() };
    if workers > 0 {
        builder.worker_threads(workers);
    }
    if options.max_blocking_threads > 0 {
        builder.max_blocking_threads(options.max_blocking_threads as usize);
    }
    if options.thread_stack_size > 0 {
        builder.thread_stack_size(options.thread_stack_size);
    }
    let launch = Arc::new(Launch::new(Reserve::new(workers, options.thread_stack_size)?));
    let (named, started, name) = (Arc::clone(&launch), Arc::clone(&launch), options.name().to_string());
    builder.enable_io().enable_time();
    builder.thread_name_fn(move || {
        // Called on the thread that makes the new one, as the last thing before.
        signals::before_spawn();
        named.before_spawn();
        name.clone()
    });
    let (id, started_watch) = (hooks.runner(), Arc::clone(watch));
    let (start, stop) = (hooks.clone(), hooks.clone());
    builder.on_thread_start(move || {
        host.adopt();
        if let Some(number) = started.wait_at_start() {
            // A task that a job spawns on its worker must not wait for the runner either.
            std::mem::forget((Mark::set(id), Seat::take(id, number)));
            started_watch.awake();
        }
        start.thread_started();
    });
    builder.on_thread_stop(move || stop.thread_stops());
    let (parked, unparked) = (Arc::clone(watch), Arc::clone(watch));
    builder.on_thread_park(move || parked.parked()).on_thread_unpark(move || unparked.awake());
    if workers == 0 {
        launch.end(Stage::Done);
        return builder.build();
    }
    launch_workers(&mut builder, &launch)
}

fn launch_workers(builder: &mut Builder, launch: &Launch) -> io::Result<Runtime> {
    // Within it no runtime may be waited for: one that unwinds does not.
    let context = Builder::new_current_thread().build()?;
    let built = context.block_on(async { catch_unwind(AssertUnwindSafe(|| builder.build())) });
    match built {
        Ok(Ok(runtime)) => {
            // A thread that comes later is taken for one of blocking tasks.
            launch.wait_for_workers();
            launch.end(Stage::Done);
            Ok(runtime)
        }
        Ok(Err(error)) => {
            launch.end(Stage::Failed);
            Err(error)
        }
        Err(_) => {
            launch.end(Stage::Failed);
            launch.wait_until_workers_are_gone();
            Err(io::Error::other("a worker thread was refused"))
        }
    }
}

/// Workers on their way.
struct Launch {
    state: Mutex<State>,
    news: Condvar,
}

struct State {
    stage: Stage,
    reserve: Reserve,
    /// How many workers were asked for.
    asked: usize,
    /// Those that wait.
    waiting: Vec<ThreadId>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Launching,
    Done,
    Failed,
}

/// The longest that a worker which was made may take to come as far as [`Launch::wait_at_start`].
const STARTING: Duration = Duration::from_secs(1);

impl Launch {
    fn new(reserve: Reserve) -> Launch {
        let state = State { stage: Stage::Launching, reserve, asked: 0, waiting: Vec::new() };
        Launch { state: Mutex::new(state), news: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn before_spawn(&self) {
        let mut state = self.lock();
        if state.stage == Stage::Launching {
            state.asked += 1;
            state.reserve.give_way();
        }
    }

    /// A new worker waits until it is known whether all others can be made too, and ends if not. Its number, from 1
    /// on; none for a thread for blocking tasks, which comes later.
    fn wait_at_start(&self) -> Option<u32> {
        let mut state = self.lock();
        if state.stage == Stage::Done {
            return None;
        }
        state.waiting.push(threads::this_thread());
        let number = state.waiting.len() as u32;
        self.news.notify_all();
        while state.stage == Stage::Launching {
            state = self.news.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.stage == Stage::Failed {
            drop(state);
            // Ends the thread silently: no panic hook runs.
            resume_unwind(Box::new(()));
        }
        Some(number)
    }

    fn end(&self, stage: Stage) {
        let mut state = self.lock();
        state.stage = stage;
        self.news.notify_all();
        // Not left to the drop: a launch that failed may leave the runtime's queue behind, and itself with it.
        state.reserve.give_way_all();
    }

    /// Until so many workers have come as far as [`Launch::wait_at_start`].
    fn wait_for(&self, workers: usize) -> MutexGuard<'_, State> {
        let missing = |state: &mut State| state.waiting.len() < workers;
        let waited = self.news.wait_timeout_while(self.lock(), STARTING, missing);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Before a launch ends well.
    fn wait_for_workers(&self) {
        let asked = self.lock().asked;
        drop(self.wait_for(asked));
    }

    /// After a launch that failed: its last worker was refused.
    fn wait_until_workers_are_gone(&self) {
        let made = self.lock().asked.saturating_sub(1);
        let mut state = self.wait_for(made);
        let workers = std::mem::take(&mut state.waiting);
        drop(state);
        workers.into_iter().for_each(threads::wait_until_gone);
    }
}
