//! Waiting for many tokens at once: the first of them, or all.
//!
//! Promise 4: a gather keeps the order of its tokens. Called by the C functions `palitra_runner_wait_any` and
//! `palitra_runner_gather` and by the gathers of the Rust API. Nothing here holds a lock while it waits, and one thread
//! waits with one parker, however many tokens it watches.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::Instant;

use crate::current::{RunnerId, works_for};
use crate::deadline::{Until, earlier};
use crate::reply::{Reply, Status};
use crate::spin::SpinLimit;
use crate::sync::Parker;
use crate::sys::processors;
use crate::token::{FreedSlots, Observer, TokenRef, park, with_parker};

/// The tokens to wait for: `n` of them, each found by its place.
pub(crate) struct Tokens<F> {
    pub(crate) n: usize,
    pub(crate) at: F,
    /// Whose they must be, if anybody's ([`Status::InvalidArgument`]).
    pub(crate) runner: Option<RunnerId>,
    /// Whether the host releases those that have finished.
    pub(crate) frees: bool,
}

/// Waits for all and gives each one's reply to `give`, or why there is none, with its place: in any order, each once.
/// Returns `OK` when every job succeeded, else the status of the first in order that did not; `PENDING` past the
/// timeout. If nothing can be waited for, that is the status of each.
pub(crate) fn gather<F: Fn(usize) -> Result<TokenRef, Status>>(
    tokens: &Tokens<F>,
    until: Until,
    mut give: impl FnMut(usize, Result<Reply, Status>),
) -> Status {
    if let Err(refused) = tokens.check(until) {
        (0..tokens.n).for_each(|place| give(place, Err(refused)));
        return refused;
    }
    let (mut status, mut is_pending, mut freed) = (Status::Ok, false, FreedSlots::default());
    // The last one first: jobs start in order, so when it has finished most others have, and the thread sleeps once.
    for place in (0..tokens.n).rev() {
        let reply = (tokens.at)(place).and_then(|token| tokens.collect(token, until, &mut freed));
        match status_of(&reply) {
            Status::Ok => {}
            Status::Pending => is_pending = true,
            other => status = other,
        }
        give(place, reply);
    }
    if is_pending { Status::Pending } else { status }
}

/// The same, but waits no longer than until the first failure in time: it cancels the rest and its status is returned.
pub(crate) fn gather_fail_fast<F: Fn(usize) -> Result<TokenRef, Status>>(
    tokens: &Tokens<F>,
    until: Until,
    mut give: impl FnMut(usize, Result<Reply, Status>),
) -> Status {
    let all = match tokens.check(until).and_then(|()| tokens.all()) {
        Ok(all) => all,
        Err(refused) => {
            (0..tokens.n).for_each(|place| give(place, Err(refused)));
            return refused;
        }
    };
    let status = match watch(&all, until, all.len(), |status| status != Status::Ok) {
        Verdict::Found(_, status) => {
            for token in &all {
                let _ = token.end(Status::Cancelled);
            }
            status
        }
        Verdict::AllFinished => Status::Ok,
        Verdict::TimedOut => Status::Pending,
    };
    let mut freed = FreedSlots::default();
    all.iter().enumerate().for_each(|(place, token)| give(place, tokens.collect(*token, Until::Now, &mut freed)));
    status
}

impl<F: Fn(usize) -> Result<TokenRef, Status>> Tokens<F> {
    /// Each is valid and of the right runner, and if one is pending the thread may block on it.
    fn check(&self, until: Until) -> Result<(), Status> {
        let may_wait = !until.has_passed();
        for place in 0..self.n {
            let token = (self.at)(place)?;
            let owner = token.runner()?;
            if self.runner.is_some_and(|runner| runner != owner) {
                return Err(Status::InvalidArgument);
            }
            if may_wait && works_for(owner) && token.status()? == Status::Pending {
                return Err(Status::WouldDeadlock);
            }
        }
        Ok(())
    }

    /// Waits for one.
    #[inline]
    fn collect(&self, token: TokenRef, until: Until, freed: &mut FreedSlots) -> Result<Reply, Status> {
        if !self.frees {
            return token.wait_until(until);
        }
        match token.take(freed) {
            Err(Status::Pending) => {
                token.wait_until(until)?;
                token.take(freed)
            }
            taken => taken,
        }
    }

    fn all(&self) -> Result<Vec<TokenRef>, Status> {
        let mut all = Vec::new();
        // First and fallible: the host may have passed any number.
        all.try_reserve_exact(self.n).map_err(|_| Status::TooLarge)?;
        for place in 0..self.n {
            all.push((self.at)(place)?);
        }
        Ok(all)
    }
}

/// Waits for the first of some tokens, of this runner if of a certain one, to finish, however it ends, and returns its
/// place. If some have finished, that is the first in order, and those behind it are not looked at.
pub(crate) fn wait_any(
    runner: Option<RunnerId>,
    tokens: impl Iterator<Item = Result<TokenRef, Status>>,
    until: Until,
) -> Result<usize, Status> {
    let mut pending = Vec::new();
    for (index, token) in tokens.enumerate() {
        let token = token?;
        if token.status_on(runner)? != Status::Pending {
            return Ok(index);
        }
        pending.try_reserve(1).map_err(|_| Status::TooLarge)?;
        pending.push(token);
    }
    if pending.is_empty() {
        return Err(Status::InvalidArgument);
    }
    if until.has_passed() {
        return Err(Status::Pending);
    }
    if runner.map_or_else(|| pending.iter().any(|token| token.runner().is_ok_and(works_for)), works_for) {
        return Err(Status::WouldDeadlock);
    }
    match watch(&pending, until, 1, |_| true) {
        // Freed by another thread meanwhile.
        Verdict::Found(_, Status::InvalidHandle) => Err(Status::InvalidHandle),
        Verdict::Found(index, _) => Ok(index),
        Verdict::AllFinished => Err(Status::Internal),
        Verdict::TimedOut => Err(Status::Pending),
    }
}

fn status_of(reply: &Result<Reply, Status>) -> Status {
    match reply {
        Ok(reply) => reply.status(),
        Err(status) => *status,
    }
}

enum Verdict {
    /// This token is the first in time that finished as wanted.
    Found(usize, Status),
    /// As many as were to be awaited finished, none as wanted.
    AllFinished,
    TimedOut,
}

/// Watches `tokens` until one finishes with a `wanted` status or `count` have finished.
fn watch(tokens: &[TokenRef], until: Until, count: usize, wanted: fn(Status) -> bool) -> Verdict {
    with_parker(|parker| {
        let watcher = Arc::new(Watcher {
            parker: Arc::clone(parker),
            left: AtomicUsize::new(count),
            found: AtomicU32::new(NOTHING),
            wanted,
        });
        let observer: Arc<dyn Observer> = Arc::clone(&watcher) as _;
        let verdict = watcher.watch(tokens, &observer, until);
        for token in tokens {
            token.unobserve(&observer);
        }
        verdict
    })
}

struct Watcher {
    parker: Arc<Parker>,
    left: AtomicUsize,
    /// The place of the first that finished as wanted.
    found: AtomicU32,
    wanted: fn(Status) -> bool,
}

const NOTHING: u32 = u32::MAX;

impl Watcher {
    fn watch(&self, tokens: &[TokenRef], observer: &Arc<dyn Observer>, until: Until) -> Verdict {
        let mut deadline: Option<Instant> = None;
        let limit = tokens.first().map_or(SpinLimit::NONE, |token| token.spin_limit());
        for (index, token) in tokens.iter().enumerate() {
            match token.observe(observer, index as u32) {
                Ok(Status::Pending) => deadline = earlier(deadline, token.deadline()),
                Ok(status) | Err(status) => self.finished(index as u32, status),
            }
            if self.is_found() {
                break;
            }
        }
        loop {
            if let Some(verdict) = self.verdict(tokens) {
                return verdict;
            }
            if until.has_passed() {
                return Verdict::TimedOut;
            }
            park(&self.parker, earlier(until.instant(), deadline), limit);
            if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                // A look is enough to finish those whose deadline has passed.
                let pending = tokens.iter().filter(|token| token.status() == Ok(Status::Pending));
                deadline = pending.filter_map(|token| token.deadline()).min();
            }
        }
    }

    fn is_found(&self) -> bool {
        self.found.load(Ordering::Acquire) != NOTHING
    }

    fn verdict(&self, tokens: &[TokenRef]) -> Option<Verdict> {
        let found = self.found.load(Ordering::Acquire);
        if found != NOTHING {
            let status = tokens.get(found as usize)?.status().unwrap_or_else(|stale| stale);
            return Some(Verdict::Found(found as usize, status));
        }
        (self.left.load(Ordering::Acquire) == 0).then_some(Verdict::AllFinished)
    }

    fn finished(&self, tag: u32, status: Status) {
        let found = (self.wanted)(status)
            && self.found.compare_exchange(NOTHING, tag, Ordering::AcqRel, Ordering::Relaxed).is_ok();
        // Saturating: a watcher of one token may be notified of several before it is removed.
        let left = self.left.fetch_update(Ordering::AcqRel, Ordering::Relaxed, |left| left.checked_sub(1));
        if found || left == Ok(1) {
            self.parker.unpark_from(processors::this);
        }
    }
}

impl Observer for Watcher {
    fn notify(&self, tag: u32, status: Status) {
        self.finished(tag, status);
    }
}
