//! Submitting many jobs at once: what one job costs by itself is paid once for a batch of them.
//!
//! The jobs are taken in order. A batch is counted into flight in one step and gets its slots in one. Drivers are woken
//! after the last batch: one that shared the processor with the caller would only take it from the caller. A driver
//! that sleeps on another processor is woken after the first batch, and starts jobs while the caller submits others.
//!
//! # Guarantees
//!
//! * At the first job that is refused it stops. Those before it were submitted, as if one by one; of those behind it
//!   nothing remains.
//! * A limit of jobs in flight holds at every moment, and refuses only the job that would pass it.

use super::core::Core;
use super::lanes::QueuedJob;
use super::registered::Callee;
use super::submission::{EventsWanted, Submitter, Wanted, copied, notify_queue};
use crate::reply::Status;
use crate::token::{self, FreeSlots, HostSide, NewToken};

/// How many jobs are taken in one step.
const BATCH: usize = 64;

/// One of the jobs.
pub(crate) struct Submission<'a> {
    pub(crate) callee: Callee,
    pub(crate) payload: &'a [u8],
    /// Of its events.
    pub(crate) tag: u64,
}

impl Core {
    /// Queues jobs until one is refused, or until `submissions` has refused one; its status is returned. `take` gets
    /// the tokens of those before it, in order.
    pub(crate) fn submit_many<'a>(
        &self,
        submitter: Submitter,
        mut submissions: impl Iterator<Item = Result<Submission<'a>, Status>>,
        wanted: &Wanted,
        mut take: impl FnMut(HostSide),
    ) -> Result<(), Status> {
        wanted.check(self.id)?;
        let mut batch = Vec::with_capacity(BATCH);
        let mut slots = FreeSlots::new();
        let mut queued = 0;
        let result = loop {
            let collected = submissions.by_ref().take(BATCH).try_for_each(|submission| {
                let submission = submission?;
                self.check_payload(submission.payload.len())?;
                batch.push(submission);
                Ok(())
            });
            if batch.is_empty() {
                break collected;
            }
            let is_last = batch.len() < BATCH;
            let submitted = self.submit_batch(submitter, batch.drain(..), &mut slots, wanted, |host| {
                queued += 1;
                take(host);
            });
            if is_last || submitted.is_err() {
                break submitted.and(collected);
            }
            // Once: one that catches up and sleeps again waits for the end.
            if queued == BATCH {
                self.lanes.ring_elsewhere();
            }
        };
        if queued > 0 {
            self.lanes.ring_for_jobs(queued);
        }
        result
    }

    fn submit_batch<'a>(
        &self,
        submitter: Submitter,
        batch: impl ExactSizeIterator<Item = Submission<'a>>,
        slots: &mut FreeSlots,
        wanted: &Wanted,
        mut take: impl FnMut(HostSide),
    ) -> Result<(), Status> {
        let all = batch.len() as u64;
        let mut accepted = self.accept_many(submitter, all)?;
        let is_whole = accepted.jobs() == all;
        let jobs = accepted.jobs() as usize;
        slots.take(jobs);
        let mut made = Made { core: self, jobs: Vec::with_capacity(jobs) };
        for Submission { callee, payload, tag } in batch.take(jobs) {
            let (payload, reading) = (Some(callee.address(copied(payload)?)?), wanted.reading);
            let (deadline, spin_limit) = (wanted.deadline, self.spin_limit);
            let new = NewToken { runner: self.id, deadline, payload, reading, spin_limit };
            let (host, token) = token::create_in(slots, new)?;
            self.end_if_cancelled(&host);
            notify_queue(&host, wanted.events.clone().map(|events| EventsWanted { tag, ..events }));
            accepted.hand_over_one();
            made.jobs.push(QueuedJob { job: callee.job, token });
            take(host);
        }
        if is_whole { Ok(()) } else { Err(Status::Busy) }
    }
}

/// The jobs of a batch that have a token. Dropped, also where another was refused, it queues them.
struct Made<'a> {
    core: &'a Core,
    jobs: Vec<QueuedJob>,
}

impl Drop for Made<'_> {
    fn drop(&mut self) {
        self.core.lanes.queue_many(std::mem::take(&mut self.jobs));
    }
}
