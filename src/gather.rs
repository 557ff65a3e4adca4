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
use crate::sync::Parker;
use crate::token::{Observer, TokenRef, with_parker};

/// What became of each token, and of all together.
pub(crate) struct Gathered {
    pub(crate) status: Status,
    pub(crate) replies: Vec<Result<Reply, Status>>,
}

/// Waits for all. The status is `OK` when every job succeeded, else that of the first in order that did not; `PENDING`
/// past the timeout. With a runner, all must be tokens of it ([`Status::InvalidArgument`]).
pub(crate) fn gather(runner: Option<RunnerId>, tokens: &[TokenRef], until: Until) -> Gathered {
    let mut replies = match look(runner, tokens, until) {
        Ok(replies) => replies,
        Err(status) => return refused(tokens, status),
    };
    // The last one first: jobs start in order, so when it has finished most others have, and the thread sleeps once.
    for (token, reply) in tokens.iter().zip(&mut replies).rev() {
        if status_of(reply) == Status::Pending {
            *reply = token.wait_until(until);
        }
    }
    let statuses = || replies.iter().map(status_of);
    let status = if statuses().any(|status| status == Status::Pending) {
        Status::Pending
    } else {
        statuses().find(|status| *status != Status::Ok).unwrap_or(Status::Ok)
    };
    Gathered { status, replies }
}

/// Waits for all, but no longer than until the first failure in time: it cancels the rest and its status is
/// returned.
pub(crate) fn gather_fail_fast(runner: Option<RunnerId>, tokens: &[TokenRef], until: Until) -> Gathered {
    if let Err(status) = look(runner, tokens, until) {
        return refused(tokens, status);
    }
    let verdict = watch(tokens, until, tokens.len(), |status| status != Status::Ok);
    let status = match verdict {
        Verdict::Found(_, status) => {
            for token in tokens {
                let _ = token.end(Status::Cancelled);
            }
            status
        }
        Verdict::AllFinished => Status::Ok,
        Verdict::TimedOut => Status::Pending,
    };
    Gathered { status, replies: tokens.iter().map(|token| token.poll()).collect() }
}

/// Waits for the first of a runner's tokens to finish, however it ends, and returns its place. If some have finished,
/// that is the first in order, and those behind it are not looked at.
pub(crate) fn wait_any(
    runner: RunnerId,
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
    if works_for(runner) {
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

/// The replies of those that have finished, [`Status::Pending`] for the others. Fails if one is invalid, or if the thread
/// would have to wait for one and must not.
fn look(runner: Option<RunnerId>, tokens: &[TokenRef], until: Until) -> Result<Vec<Result<Reply, Status>>, Status> {
    let mut replies = Vec::new();
    // Fallible: the host may have passed any number.
    replies.try_reserve_exact(tokens.len()).map_err(|_| Status::TooLarge)?;
    let may_wait = !until.has_passed();
    for token in tokens {
        let (owner, reply) = token.look()?;
        if runner.is_some_and(|runner| runner != owner) {
            return Err(Status::InvalidArgument);
        }
        if reply.is_none() && may_wait && works_for(owner) {
            return Err(Status::WouldDeadlock);
        }
        replies.push(reply.ok_or(Status::Pending));
    }
    Ok(replies)
}

fn refused(tokens: &[TokenRef], status: Status) -> Gathered {
    Gathered { status, replies: tokens.iter().map(|_| Err(status)).collect() }
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
            self.parker.park_until(earlier(until.instant(), deadline));
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
            self.parker.unpark();
        }
    }
}

impl Observer for Watcher {
    fn notify(&self, tag: u32, status: Status) {
        self.finished(tag, status);
    }
}
