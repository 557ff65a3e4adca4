//! How a runner is to be made, and which options are invalid (promise 11).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::configuration::{self, Configuration};
use crate::current::{Mark, RunnerId};
use crate::panics::contain;
use crate::reply::{Error, Status};
use crate::spin::SpinLimit;

/// What a new runner is to be like. The default suits most: one thread, no limits.
///
/// ```
/// use palitra::{Options, Runner};
///
/// let runner = Runner::with_options(Options { worker_threads: 2, ..Options::default() })?;
/// assert_eq!(runner.run(async { 40 + 2 })?, 42);
/// # Ok::<(), palitra::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Threads that run jobs beside the runner's own; 0, the default: the runner's own thread runs them all.
    pub worker_threads: u32,
    /// The most threads for `spawn_blocking` at a time; 0: tokio's default, 512.
    pub max_blocking_threads: u32,
    /// The name of the runner's threads; empty: "palitra".
    pub thread_name: String,
    /// The stack of each thread in bytes; 0: the platform's default for Rust threads, 2 MiB.
    pub thread_stack_size: usize,
    /// The most unfinished jobs at a time; 0: unbounded.
    pub max_in_flight: usize,
    /// The largest payload in bytes; 0: unbounded.
    pub max_payload: usize,
    /// The longest that the runner's thread, when it has nothing to do, and a thread that waits for one of its jobs
    /// spin before they sleep. Each spins only as long as that has paid lately, and never where one processor is all
    /// there is. `None`, the default: 20 microseconds; zero: they sleep at once; at most a millisecond.
    pub spin_limit: Option<Duration>,
    /// What its jobs' states are configured by: a JSON object with a member for each
    /// [`RunnerState`](crate::RunnerState), by its name. What is not named here is as the process has it
    /// ([`configure`](crate::configure)). Empty: nothing is.
    pub config: String,
    /// Called first on each of the runner's threads: its own, its watchdog, its workers and those for `spawn_blocking`.
    pub thread_start: ThreadHook,
    /// Called last on each of these threads. A shutdown waits for that within its bound.
    pub thread_stop: ThreadHook,
    /// The clock of its jobs stands still, and jumps to the next timer whenever nothing else is to do: see
    /// [`testing`](crate::testing). With the feature `testing`.
    #[cfg(feature = "testing")]
    pub paused_clock: bool,
}

/// A function that is called on each of a runner's threads; by default none. Clones are the same function.
///
/// Several threads may be in it at once. It must not wait for the runner. A panic in it changes nothing.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU32, Ordering};
///
/// use palitra::{Options, Runner, ThreadHook};
///
/// let (begun, ended) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
/// let count = |counter: &Arc<AtomicU32>| {
///     let counter = Arc::clone(counter);
///     ThreadHook::new(move || drop(counter.fetch_add(1, Ordering::Relaxed)))
/// };
/// let hooks = Options { thread_start: count(&begun), thread_stop: count(&ended), ..Options::default() };
/// Runner::with_options(hooks)?.shutdown(None)?;
/// assert_eq!((begun.load(Ordering::Relaxed), ended.load(Ordering::Relaxed)), (2, 2));
/// # Ok::<(), palitra::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct ThreadHook(Option<Arc<dyn Fn() + Send + Sync>>);

impl ThreadHook {
    /// Calls `function`.
    pub fn new(function: impl Fn() + Send + Sync + 'static) -> ThreadHook {
        ThreadHook(Some(Arc::new(function)))
    }

    /// Calls it on a thread of this runner.
    fn call(&self, runner: RunnerId) {
        if let Some(function) = &self.0 {
            let _mark = Mark::set(runner);
            contain(|| function());
        }
    }
}

/// What is called on each thread of one runner.
#[derive(Clone)]
pub(super) struct Hooks {
    runner: RunnerId,
    start: ThreadHook,
    stop: ThreadHook,
}

impl Hooks {
    pub(super) fn of(runner: RunnerId, options: &Options) -> Hooks {
        Hooks { runner, start: options.thread_start.clone(), stop: options.thread_stop.clone() }
    }

    pub(super) fn runner(&self) -> RunnerId {
        self.runner
    }

    pub(super) fn thread_started(&self) {
        self.start.call(self.runner);
    }

    pub(super) fn thread_stops(&self) {
        self.stop.call(self.runner);
    }
}

impl fmt::Debug for ThreadHook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "ThreadHook(..)" } else { "ThreadHook(none)" })
    }
}

const MAX_THREADS: u32 = 4096;
const STACK_SIZES: std::ops::RangeInclusive<usize> = 64 << 10..=1 << 30;

impl Options {
    pub(crate) fn check(&self) -> Result<(), Error> {
        let refuse = |message: String| Err(Error::new(Status::InvalidArgument, message));
        if self.worker_threads > MAX_THREADS || self.max_blocking_threads > MAX_THREADS {
            return refuse(format!("more than {MAX_THREADS} threads"));
        }
        if self.thread_stack_size != 0 && !STACK_SIZES.contains(&self.thread_stack_size) {
            return refuse(format!("a stack of {} bytes, not 64 KiB to 1 GiB", self.thread_stack_size));
        }
        if self.spin_limit.is_some_and(|limit| limit > SpinLimit::LONGEST) {
            return refuse(format!("a spin limit above {:?}", SpinLimit::LONGEST));
        }
        if self.has_paused_clock() && self.worker_threads > 0 {
            return refuse("worker threads, which have no paused clock".to_string());
        }
        if self.thread_name.contains('\0') {
            return refuse("a thread name with a NUL in it".to_string());
        }
        configuration::parse(&self.config).map(drop)
    }

    /// Of the checked options.
    pub(super) fn configuration(&self) -> Configuration {
        Configuration::new(configuration::parse(&self.config).unwrap_or_default())
    }

    #[cfg(feature = "testing")]
    pub(super) fn has_paused_clock(&self) -> bool {
        self.paused_clock
    }

    #[cfg(not(feature = "testing"))]
    pub(super) fn has_paused_clock(&self) -> bool {
        false
    }

    pub(super) fn spin_limit(&self) -> SpinLimit {
        self.spin_limit.map_or(SpinLimit::USUAL, SpinLimit::new)
    }

    pub(crate) fn name(&self) -> &str {
        if self.thread_name.is_empty() { "palitra" } else { &self.thread_name }
    }
}
