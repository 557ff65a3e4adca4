//! The watchdog: a thread that looks after a runner's tokens while its threads do not get to them.
//!
//! A job that does not yield blocks the runner's thread: timers do not fire, cancelled jobs are not dropped, a shutdown
//! is not noticed. The watchdog cannot stop the job. It does what needs no such thread:
//!
//! * Promise 3: timeouts and deadlines hold. A deadline finishes its token on time, so that queues and waiters are
//!   notified.
//! * A shutdown whose grace period has passed cancels what is left.
//! * Callbacks that are due in any case are called here.
//! * Other workers take what the blocked thread would have done next.
//! * The log names the job that blocks the thread while it does.
//!
//! Where no job blocks a thread but many wait for one, each of them short, a deadline waits behind all of them. The
//! watchdog finishes its token on time there, too; the rest the threads do between any two jobs.
//!
//! It looks only while a thread of the runner is not parked, and once all are it sleeps until one wakes up.

use std::time::{Duration, Instant};

use super::core::Core;
use super::watch::{A_FUTURE, Doing, NOTHING};
use crate::current::Mark;
use crate::deadline::earlier;
use crate::registry;
use crate::token;

/// How long it waits between two looks. A thread that does the same at two of them is blocked.
const TICK: Duration = Duration::from_millis(20);

/// How many looks at an idle runner it takes before it sleeps: a runner that is used now and then does not wake it
/// each time.
const IDLE_TICKS: u32 = 10;

/// A thread that is blocked for so long is worth a warning.
const BLOCKING: Duration = Duration::from_millis(100);

/// A look at every token takes time where there are many. After each the watchdog pauses for this many times as long.
const SHARE: u32 = 10;

/// The longest of these pauses. A look also takes long when the system runs something else meanwhile, and deadlines
/// must not wait for so many times that.
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// What the watchdog saw at its last look.
struct Seen {
    threads: Vec<SeenThread>,
    /// Jobs waited for a thread.
    had_waiting: bool,
}

/// What it knows of one thread.
#[derive(Clone, Copy, Default)]
struct SeenThread {
    doing: Option<Doing>,
    since: Option<Instant>,
    is_warned: bool,
}

/// The life of the watchdog's thread.
pub(crate) fn live(core: &Core) {
    // Logging and finishing tokens calls the host, which must not wait for this runner here either.
    let _mark = Mark::set(core.id);
    let mut seen = Seen { threads: vec![SeenThread::default(); core.watch.threads()], had_waiting: false };
    let mut idle = 0;
    let mut wake_up = Instant::now() + TICK;
    while !core.watch.is_stopped() {
        core.watch.parker.park_until(Some(wake_up));
        if core.watch.is_idle() {
            seen.threads.fill(SeenThread::default());
            seen.had_waiting = false;
            idle += 1;
            if idle >= IDLE_TICKS {
                core.watch.sleep();
                idle = 0;
            }
            wake_up = Instant::now() + TICK;
            continue;
        }
        idle = 0;
        wake_up = look(core, &mut seen);
    }
}

/// Looks at every thread and at the jobs that wait; if a thread is blocked or cannot keep up, looks after the tokens of
/// the runner. Returns when to look again.
fn look(core: &Core, seen: &mut Seen) -> Instant {
    let now = Instant::now();
    let is_blocked = seen.threads.iter_mut().enumerate().fold(false, |blocked, (thread, seen)| {
        let doing = core.watch.doing(thread);
        if seen.doing != doing {
            *seen = SeenThread { doing, since: doing.map(|_| now), is_warned: false };
        }
        blocked | seen.since.is_some_and(|since| since < now)
    });
    let has_waiting = core.lanes.waiting() > 0;
    let is_behind = std::mem::replace(&mut seen.had_waiting, has_waiting) && has_waiting;
    let next = match (is_blocked, is_behind) {
        (true, _) => look_after(core),
        (false, true) => token::expire_all_of(core.id),
        (false, false) => return now + TICK,
    };
    seen.threads.iter_mut().for_each(|seen| warn(seen, now));
    let pause = LONGEST_PAUSE.min(now.elapsed() * SHARE);
    earlier(Some(now + TICK), next).unwrap_or(now).max(now + pause)
}

/// Does what can be done without the thread. Returns the next deadline.
fn look_after(core: &Core) -> Option<Instant> {
    if core.closing.grace_has_passed() {
        core.cancel_all();
    }
    if core.lanes.has_jobs() {
        // A driver that was woken for them may wait behind the job that blocks its thread.
        core.lanes.ring_for_job();
    }
    let next = token::expire_all_of(core.id);
    core.callbacks.call_for_blocked_thread();
    next
}

fn warn(seen: &mut SeenThread, now: Instant) {
    let (Some(doing), Some(since)) = (seen.doing, seen.since) else { return };
    // It has blocked the thread for up to a tick more than was seen.
    let time = now.saturating_duration_since(since);
    if seen.is_warned || doing.job == NOTHING || time + TICK < BLOCKING {
        return;
    }
    seen.is_warned = true;
    let job = name(doing.job);
    tracing::warn!(target: "palitra", "{job} has blocked a thread of its runner for {time:?} without an await");
}

/// What a job is called in the log.
fn name(job: usize) -> &'static str {
    if job == A_FUTURE {
        return "a future";
    }
    let is_it = |known: &&'static crate::job::Job| std::ptr::from_ref(*known).addr() == job;
    registry::jobs().into_iter().find(is_it).map_or("a job", |job| job.name())
}
