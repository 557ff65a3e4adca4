//! Timeouts of requests, by timers that are used again.
//!
//! A timer that is due before all others makes tokio wake its own thread, by a system call, and most requests would
//! set such a one: it is due in half a minute, and nothing else is. A timer that is only moved into the future costs
//! nothing. So those of requests that have ended are kept as they are, for the requests that come.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::task::coop::{has_budget_remaining, unconstrained};
use tokio::time::{Instant, Sleep, sleep_until};

type Alarm = Pin<Box<Sleep>>;

/// The timers of one client that nobody uses.
#[derive(Default)]
pub(super) struct Alarms(Mutex<Vec<Alarm>>);

/// A timer in use. Dropped, it is kept.
struct Lent<'a> {
    /// None only while it is dropped.
    alarm: Option<Alarm>,
    alarms: &'a Alarms,
}

impl Alarms {
    /// What the future comes to, if it does so before `end`.
    pub(super) async fn before<T>(&self, end: Instant, future: impl Future<Output = T>) -> Option<T> {
        let mut lent = self.lend(end);
        let mut future = pin!(future);
        poll_fn(|cx| match future.as_mut().poll(cx) {
            Poll::Ready(value) => Poll::Ready(Some(value)),
            Poll::Pending => lent.poll(cx).map(|()| None),
        })
        .await
    }

    fn lend(&self, end: Instant) -> Lent<'_> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let alarm = kept.map(|mut alarm| {
            alarm.as_mut().reset(end);
            alarm
        });
        Lent { alarm: Some(alarm.unwrap_or_else(|| Box::pin(sleep_until(end)))), alarms: self }
    }
}

impl Lent<'_> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(alarm) = &mut self.alarm else { return Poll::Pending };
        // Without any budget left this wakes the job, which may have nobody else to do so: the future may have been
        // polled with a context that wakes nobody (`Link::drive`).
        if alarm.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        // What keeps coming uses up the budget of every turn, and time would be over without notice.
        if has_budget_remaining() { Poll::Pending } else { pin!(unconstrained(alarm.as_mut())).poll(cx) }
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        if let Some(alarm) = self.alarm.take() {
            self.alarms.0.lock().unwrap_or_else(PoisonError::into_inner).push(alarm);
        }
    }
}
