//! Connections that are kept from request to request.
//!
//! # Guarantees
//!
//! * A connection has one user at a time, who holds its [`Lease`]. When that is dropped, the connection comes back if
//!   it can take another request, else it is closed.
//! * A connection that nobody uses is closed after its time, 90 seconds unless the host says otherwise, or when its
//!   server closes it: one task of the pool, the janitor, is woken for all that are kept.
//! * No more are kept than the host allows: of too many the one that was used longest ago is closed, of those that the
//!   janitor does not look at just then.
//! * No lock is held while a connection is polled or closed.

use std::collections::HashMap;
use std::future::poll_fn;
use std::ops::{Deref, DerefMut};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::{Instant, Sleep, sleep_until};

use super::link::Link;

/// The connections of one client.
pub(super) struct Pool {
    kept: Mutex<Kept>,
    /// How long a connection is kept that nobody uses.
    idle: Duration,
    /// How many connections are kept that nobody uses.
    most: usize,
}

#[derive(Default)]
struct Kept {
    /// By what they lead to. Those that were used last stand last.
    links: HashMap<Arc<str>, Vec<Idle>>,
    /// How many they are, with those that the janitor looks at.
    number: usize,
    has_janitor: bool,
    /// Of the janitor, once it has looked.
    janitor: Option<Waker>,
}

struct Idle {
    link: Box<Link>,
    until: Instant,
}

/// The use of a connection.
pub(super) struct Lease {
    /// None only while it is dropped.
    link: Option<Box<Link>>,
    pool: Arc<Pool>,
}

impl Pool {
    pub(super) fn new(idle: Duration, most: usize) -> Arc<Pool> {
        Arc::new(Pool { kept: Mutex::default(), idle, most })
    }

    /// A connection that was kept, if there is one; the one that was used last.
    pub(super) fn take(self: &Arc<Self>, to: &str) -> Option<Lease> {
        loop {
            let mut link = self.lock().take(to)?;
            // The server may have closed it meanwhile.
            link.advance(&mut Context::from_waker(Waker::noop()));
            if link.is_ready() {
                return Some(Lease { link: Some(link), pool: Arc::clone(self) });
            }
        }
    }

    /// The use of a new connection.
    pub(super) fn lease(self: &Arc<Self>, link: Link) -> Lease {
        Lease { link: Some(Box::new(link)), pool: Arc::clone(self) }
    }

    /// Takes a connection back, if it can take another request.
    fn give_back(self: &Arc<Self>, mut link: Box<Link>) {
        let janitor = self.lock().janitor.clone();
        // From here on the job before is not woken for it.
        link.advance(&mut Context::from_waker(janitor.as_ref().unwrap_or(Waker::noop())));
        if link.is_ready() && self.keep(link) {
            self.employ_janitor();
        }
    }

    /// Whether there is no janitor yet.
    fn keep(&self, link: Box<Link>) -> bool {
        let (mut kept, until) = (self.lock(), Instant::now() + self.idle);
        kept.add(Idle { link, until });
        let one_too_many = if kept.number > self.most { kept.oldest() } else { None };
        let is_first = !std::mem::replace(&mut kept.has_janitor, true);
        // Outside the lock: it closes a connection.
        drop(kept);
        drop(one_too_many);
        is_first
    }

    fn employ_janitor(self: &Arc<Self>) {
        // Without a runtime it has ended, and the pool goes with it.
        let Ok(runtime) = Handle::try_current() else { return };
        let (pool, idle) = (Arc::downgrade(self), self.idle);
        runtime.spawn(async move {
            let mut alarm = pin!(sleep_until(Instant::now() + idle));
            poll_fn(|cx| pool.upgrade().map_or(Poll::Ready(()), |pool| pool.sweep(alarm.as_mut(), cx))).await;
        });
    }

    /// Closes what is closed or too old. Ready when nothing is kept.
    fn sweep(&self, mut alarm: Pin<&mut Sleep>, cx: &mut Context<'_>) -> Poll<()> {
        let links = {
            let mut kept = self.lock();
            kept.janitor = Some(cx.waker().clone());
            std::mem::take(&mut kept.links)
        };
        let now = Instant::now();
        let left: Vec<_> = links.into_iter().map(|(to, idle)| (to, still_good(idle, now, cx))).collect();
        let mut kept = self.lock();
        for (to, idle) in left.into_iter().filter(|(_, idle)| !idle.is_empty()) {
            // What came meanwhile was used later.
            let newer = std::mem::replace(kept.links.entry(Arc::clone(&to)).or_default(), idle);
            kept.links.entry(to).or_default().extend(newer);
        }
        kept.number = kept.links.values().map(Vec::len).sum();
        let Some(next) = kept.links.values().flatten().map(|idle| idle.until).min() else {
            (kept.has_janitor, kept.janitor) = (false, None);
            return Poll::Ready(());
        };
        drop(kept);
        alarm.as_mut().reset(next);
        if alarm.poll(cx).is_ready() {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn add(&mut self, idle: Idle) {
        self.number += 1;
        match self.links.get_mut(&idle.link.to) {
            Some(links) => links.push(idle),
            None => {
                self.links.insert(Arc::clone(&idle.link.to), vec![idle]);
            }
        }
    }

    /// The one of those that lead there which was used last.
    fn take(&mut self, to: &str) -> Option<Box<Link>> {
        let idle = self.links.get_mut(to)?.pop()?;
        self.number -= 1;
        Some(idle.link)
    }

    /// The one that was used longest ago.
    fn oldest(&mut self) -> Option<Box<Link>> {
        let firsts = self.links.iter().filter_map(|(to, links)| Some((links.first()?.until, to)));
        let to = Arc::clone(firsts.min()?.1);
        let links = self.links.get_mut(&to)?;
        let oldest = links.remove(0);
        if links.is_empty() {
            self.links.remove(&to);
        }
        self.number -= 1;
        Some(oldest.link)
    }
}

fn still_good(mut idle: Vec<Idle>, now: Instant, cx: &mut Context<'_>) -> Vec<Idle> {
    idle.retain_mut(|idle| {
        idle.link.advance(cx);
        idle.link.is_ready() && idle.until > now
    });
    idle
}

impl Deref for Lease {
    type Target = Link;

    fn deref(&self) -> &Link {
        self.link.as_deref().unwrap_or_else(|| unreachable!("a lease has its link until it is dropped"))
    }
}

impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut Link {
        self.link.as_deref_mut().unwrap_or_else(|| unreachable!("a lease has its link until it is dropped"))
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(link) = self.link.take() {
            self.pool.give_back(link);
        }
    }
}
