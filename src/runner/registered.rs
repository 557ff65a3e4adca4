//! Jobs that the host of a runner registers on it: functions of its own language, called by name as any other.
//!
//! A job that is in flight is known by a `&'static Job`. Those of a host end with their runner, so there is one such job
//! for all of them, which finds the function by a number. That number stands behind the payload from the submission to
//! the start of the job, and nobody else sees it.
//!
//! # Guarantees
//!
//! * A registered job comes before the library's job of that name: a host can replace one in its tests.
//! * It starts on the runner's threads, never on a thread that calls.
//! * A function stays until its runner has ended, and is dropped then.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use crate::job::{Description, Job, JobFuture, Registered, Request};
use crate::registry;
use crate::reply::{Format, JobError, Status};
use crate::sync::{AtomicBool, Ordering};
use crate::sys::fork::PerProcess;

static ANY: PerProcess<AnyRegistered> = PerProcess::new();

/// Stands for every registered job. Each process makes its own, because it may be forked while a thread makes it.
struct AnyRegistered(Job);

impl Default for AnyRegistered {
    fn default() -> Self {
        AnyRegistered(Job::new(Description::plain("a job of the host", Format::Bytes), call))
    }
}

/// A job that was found by its name.
#[derive(Clone, Copy)]
pub(crate) struct Callee {
    pub(super) job: &'static Job,
    /// Of a registered job, counted from 1; 0: one of the library's.
    number: u32,
}

impl Callee {
    /// Whether it starts on the runner's threads, wherever it is called.
    #[inline]
    pub(super) fn starts_there(self) -> bool {
        self.number != 0
    }

    /// Puts the number behind the payload. [`Status::TooLarge`] if there is no memory for it.
    #[inline]
    pub(super) fn address(self, payload: Vec<u8>) -> Result<Vec<u8>, Status> {
        if self.number == 0 { Ok(payload) } else { self.behind(payload) }
    }

    /// In as much memory as that takes: a vector that grows by itself takes twice as much, or ends the process.
    #[cold]
    fn behind(self, mut payload: Vec<u8>) -> Result<Vec<u8>, Status> {
        let number = self.number.to_le_bytes();
        payload.try_reserve_exact(number.len()).map_err(|_| Status::TooLarge)?;
        payload.extend_from_slice(&number);
        Ok(payload)
    }
}

/// Starts a registered job.
fn call(request: &mut Request<'_>) -> Result<JobFuture, JobError> {
    let mut payload = request.take_payload();
    let number = payload.split_last_chunk().map(|(_, number)| u32::from_le_bytes(*number));
    payload.truncate(payload.len().saturating_sub(size_of::<u32>()));
    let function = number.and_then(|number| request.registered(number));
    function.ok_or("the runner has ended")?.call(payload, request)
}

/// The registered jobs of one runner.
#[derive(Default)]
pub(crate) struct RegisteredJobs {
    /// Whether there is any: most runners have none, and their submitters take no lock.
    any: AtomicBool,
    jobs: RwLock<Jobs>,
}

#[derive(Default)]
struct Jobs {
    numbers: HashMap<Box<[u8]>, u32>,
    functions: Vec<Registered>,
}

impl Jobs {
    fn function(&self, number: u32) -> Option<&Registered> {
        self.functions.get((number as usize).checked_sub(1)?)
    }

    fn find(&self, name: &str) -> Option<&Registered> {
        self.function(*self.numbers.get(name.as_bytes())?)
    }
}

impl RegisteredJobs {
    /// The job of this name: a registered one, or else the library's.
    #[inline(always)]
    pub(super) fn find(&self, name: &[u8]) -> Option<Callee> {
        if self.any.load(Ordering::Acquire)
            && let Some(number) = self.find_locked(name)
        {
            return Some(Callee { job: &ANY.get().0, number });
        }
        registry::find(name).map(|job| Callee { job, number: 0 })
    }

    #[cold]
    fn find_locked(&self, name: &[u8]) -> Option<u32> {
        self.jobs.read().unwrap_or_else(PoisonError::into_inner).numbers.get(name).copied()
    }

    pub(super) fn function(&self, number: u32) -> Option<Registered> {
        self.jobs.read().unwrap_or_else(PoisonError::into_inner).function(number).cloned()
    }

    /// [`Status::InvalidArgument`] for an empty name, and for one that is registered already, unless that job is over.
    pub(super) fn add(&self, name: &str, function: Registered) -> Result<(), Status> {
        let mut jobs = self.jobs.write().unwrap_or_else(PoisonError::into_inner);
        let number = jobs.functions.len() as u32 + 1;
        if name.is_empty() || jobs.find(name).is_some_and(|job| !job.is_over()) {
            return Err(Status::InvalidArgument);
        }
        jobs.numbers.insert(name.as_bytes().into(), number);
        jobs.functions.push(function);
        self.any.store(true, Ordering::Release);
        Ok(())
    }

    /// When the last job has ended. The functions are dropped outside the lock.
    pub(super) fn clear(&self) {
        let jobs = std::mem::take(&mut *self.jobs.write().unwrap_or_else(PoisonError::into_inner));
        drop(jobs);
    }
}
