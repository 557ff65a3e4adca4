//! What one simulated life consists of, and what must hold at its end.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering as Std};
use std::task::{Context, Poll, Waker};

use shuttle::future::block_on;
use shuttle::rand::{Rng, thread_rng};
use shuttle::thread;

use super::super::core::Core;
use super::super::driver::Driver;
use super::super::options::Options;
use super::super::watch::Watch;
use crate::configuration::Configuration;
use crate::current::{Mark, RunnerId};
use crate::deadline::Until;
use crate::queue::{Event, Queue, Subject};
use crate::reply::Status;
use crate::sync::{AtomicBool, Mutex, Ordering, lock};
use crate::token::{self, NewToken};

const RUNNER: RunnerId = 1;
/// As many tokens as the arena of a simulation has.
const TOKENS: usize = 16;

/// What the threads of a life share.
pub(super) struct World {
    pub(super) core: Arc<Core>,
    pub(super) queue: Arc<Queue>,
    pub(super) bell: Arc<Bell>,
    /// Whether jobs may be submitted that end only if somebody ends them.
    pub(super) endless: bool,
    pub(super) counts: Counts,
}

impl World {
    /// Takes what the queue has. Whether there was anything.
    pub(super) fn drain(&self) -> bool {
        let note = |event: Event| {
            let is_end = matches!(event.subject, Subject::Token(_)) && event.status != Status::Pending;
            if is_end {
                self.counts.ends.lock().unwrap().push(event.tag);
            }
            true
        };
        self.queue.next(Until::Now, 3, note).is_ok()
    }
}

/// What was done, and what came of it.
#[derive(Default)]
pub(super) struct Counts {
    /// Jobs that were submitted with a tag; the next tag.
    pub(super) tagged: AtomicUsize,
    /// Ends of theirs that the queue had, by tag.
    pub(super) ends: std::sync::Mutex<Vec<u64>>,
    pub(super) jobs: Arc<Alive>,
    pub(super) callbacks: Arc<Alive>,
}

/// How many of something were made, and how many are gone.
#[derive(Default)]
pub(super) struct Alive {
    made: AtomicU64,
    gone: AtomicU64,
}

/// One of them.
pub(super) struct One(Arc<Alive>);

impl Alive {
    pub(super) fn one(self: &Arc<Self>) -> One {
        self.made.fetch_add(1, Std::Relaxed);
        One(Arc::clone(self))
    }

    fn check(&self, what: &str) {
        let (made, gone) = (self.made.load(Std::Relaxed), self.gone.load(Std::Relaxed));
        assert_eq!(made, gone, "{what} made and gone");
    }
}

impl Drop for One {
    fn drop(&mut self) {
        self.0.gone.fetch_add(1, Std::Relaxed);
    }
}

/// Rings once, for all who wait for it: jobs for a host, and drivers of workers for the end.
#[derive(Default)]
pub(super) struct Bell {
    has_rung: AtomicBool,
    waiting: Mutex<Vec<Waker>>,
}

impl Bell {
    pub(super) fn ring(&self) {
        self.has_rung.store(true, Ordering::SeqCst);
        let waiting = std::mem::take(&mut *lock(&self.waiting));
        waiting.into_iter().for_each(Waker::wake);
    }

    pub(super) fn poll_heard(&self, cx: &Context<'_>) -> Poll<()> {
        let mut waiting = lock(&self.waiting);
        if self.has_rung.load(Ordering::SeqCst) {
            return Poll::Ready(());
        }
        waiting.push(cx.waker().clone());
        Poll::Pending
    }
}

static SUBMITTED: AtomicU64 = AtomicU64::new(0);
static ENDS: AtomicU64 = AtomicU64::new(0);

/// What all lives together had in them: nothing was found only if something was done.
pub(super) fn tally() -> String {
    format!("{} jobs, {} events of ends", SUBMITTED.load(Std::Relaxed), ENDS.load(Std::Relaxed))
}

/// One life, from the runner's start until nothing is left of it. Each host's thread lives as `host` says.
pub(super) fn live(host: fn(&World)) {
    let workers = thread_rng().gen_range(0..2u32);
    let world = Arc::new(make(workers));
    let driving = drive(&world.core, workers);
    let hosts: Vec<_> = (0..thread_rng().gen_range(1..4))
        .map(|_| {
            let world = Arc::clone(&world);
            thread::spawn(move || host(&world))
        })
        .collect();
    let closer = thread::spawn({
        let world = Arc::clone(&world);
        move || shut_down(&world)
    });
    hosts.into_iter().for_each(|host| host.join().unwrap());
    closer.join().unwrap();
    driving.into_iter().for_each(|thread| thread.join().unwrap());
    check_end(world);
}

fn make(workers: u32) -> World {
    let options = Options { worker_threads: workers, spin_limit: Some(Default::default()), ..Options::default() };
    let watch = Arc::new(Watch::new(RUNNER, 1 + workers as usize));
    let runtime = tokio::runtime::Handle::current();
    let core = Core::new(RUNNER, runtime, watch, 2 * workers as usize, &options, Configuration::default());
    let (queue, bell, endless) = (Arc::new(Queue::new()), Arc::default(), thread_rng().r#gen());
    World { core, queue, bell, endless, counts: Counts::default() }
}

/// The threads of the runner, as its own thread makes and ends them.
fn drive(core: &Arc<Core>, workers: u32) -> Vec<thread::JoinHandle<()>> {
    let end = Arc::new(Bell::default());
    let mut threads: Vec<_> = (1..=2 * workers as usize)
        .map(|number| {
            let (mut driver, id, end) = (Driver::beside(Arc::clone(core), number), core.id, Arc::clone(&end));
            thread::spawn(move || {
                let _mark = Mark::set(id);
                // Until the runtime would drop it.
                block_on(poll_fn(|cx| match end.poll_heard(cx) {
                    Poll::Ready(()) => Poll::Ready(()),
                    Poll::Pending => Pin::new(&mut driver).poll(cx).map(drop),
                }));
            })
        })
        .collect();
    let core = Arc::clone(core);
    threads.push(thread::spawn(move || {
        let _mark = Mark::set(core.id);
        block_on(Driver::main(Arc::clone(&core), workers == 0));
        core.end();
        end.ring();
        core.finished.announce();
    }));
    threads
}

fn shut_down(world: &World) {
    for _ in 0..thread_rng().gen_range(0..40) {
        thread::yield_now();
    }
    // With all the time that they take, jobs end only if each of them does.
    world.bell.ring();
    world.core.closing.request(if world.endless { Until::Now } else { Until::Forever });
    world.core.lanes.ring_for_control();
    assert!(world.core.finished.wait(None), "a shutdown without a bound returns after the end");
    assert!(!world.core.is_alive());
}

fn check_end(world: Arc<World>) {
    let stats = world.core.stats();
    let ended = stats.succeeded + stats.failed + stats.panicked + stats.cancelled + stats.deadline;
    assert_eq!(stats.submitted, ended, "each job has ended once: {stats:?}");
    assert_eq!((stats.running, stats.queued), (0, 0));
    assert!(world.core.callbacks.is_empty(), "a callback that nobody calls is released");
    while world.drain() {}
    let mut ends = std::mem::take(&mut *world.counts.ends.lock().unwrap());
    ends.sort_unstable();
    let tags = 0..world.counts.tagged.load(Std::Relaxed) as u64;
    assert!(ends.iter().copied().eq(tags), "one event of each end: {ends:?}");
    SUBMITTED.fetch_add(stats.submitted, Std::Relaxed);
    ENDS.fetch_add(ends.len() as u64, Std::Relaxed);

    let (jobs, callbacks) = (Arc::clone(&world.counts.jobs), Arc::clone(&world.counts.callbacks));
    let Ok(world) = Arc::try_unwrap(world) else { panic!("a thread has left its world behind") };
    let core = Arc::downgrade(&world.core);
    drop(world);
    assert!(core.upgrade().is_none(), "something holds the runner");
    jobs.check("jobs");
    callbacks.check("callbacks");
    let all: Vec<_> = (0..=TOKENS).map_while(|_| token::create(NewToken::default()).ok()).collect();
    assert_eq!(all.len(), TOKENS, "slots that can be used again");
}
