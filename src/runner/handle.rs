//! The runner as a host holds it: a handle whose clones are one runner, which the last one shuts down.
//!
//! Promise 8: a shutdown ends everything within its bound. The bound is here: it waits for the grace period and one
//! second, then does what needs no thread of the runner's and returns `PENDING`.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::core::Core;
use super::options::Options;
use super::registered::Callee;
use super::submission::{Payload, Submitter, Wanted};
use super::submit_many::Submission;
use super::thread;
use crate::current::{RunnerId, works_for};
use crate::deadline::Until;
use crate::gather::{self as many, Tokens};
use crate::job::{self, Context, FromRequest, IntoReply, Request};
use crate::registry;
use crate::reply::{Error, Format, Reply, Status};
use crate::stats::Stats;
use crate::sys::fork::{self, PerProcess};
use crate::token::{JobToken, Output, Token, TokenRef};

/// What a shutdown takes at most beyond its grace period.
const BEYOND_GRACE: Duration = Duration::from_secs(1);

static NEXT_ID: AtomicU32 = AtomicU32::new(1);

/// The runners of this process by their numbers, for those who have a token and need its runner.
static CORES: PerProcess<Mutex<HashMap<RunnerId, Weak<Core>>>> = PerProcess::new();

fn cores() -> MutexGuard<'static, HashMap<RunnerId, Weak<Core>>> {
    CORES.get().lock().unwrap_or_else(PoisonError::into_inner)
}

/// The runner with this number. [`Status::ShutDown`] if it is gone.
pub(crate) fn find_core(id: RunnerId) -> Result<Arc<Core>, Status> {
    cores().get(&id).and_then(Weak::upgrade).ok_or(Status::ShutDown)
}

/// A persistent runtime for synchronous programs. Cloning it gives another handle to the same runner.
///
/// ```
/// let runner = palitra::Runner::new()?;
/// let sum = runner.run(async { 40 + 2 })?;
/// assert_eq!(sum, 42);
/// # Ok::<(), palitra::Error>(())
/// ```
#[derive(Clone)]
pub struct Runner {
    core: Arc<Core>,
    owner: Arc<Owner>,
}

/// What the clones of a runner own together.
struct Owner {
    core: Arc<Core>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Runner {
    /// A runner with one thread and no limits.
    ///
    /// # Errors
    /// [`Status::Internal`] if the system refuses one of its threads or file descriptors. What was made is undone.
    pub fn new() -> Result<Runner, Error> {
        Runner::with_options(Options::default())
    }

    /// A runner with these options.
    ///
    /// # Errors
    /// As [`Runner::new`], and [`Status::InvalidArgument`] for invalid options.
    pub fn with_options(options: Options) -> Result<Runner, Error> {
        options.check()?;
        let id: RunnerId = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        let (core, thread) = thread::spawn(id, &options)?;
        cores().insert(id, Arc::downgrade(&core));
        let owner = Owner { core: Arc::clone(&core), thread: Mutex::new(Some(thread)) };
        Ok(Runner { core, owner: Arc::new(owner) })
    }

    pub(crate) fn core(&self) -> &Arc<Core> {
        &self.core
    }

    /// Whether the runner takes work. False in a forked child.
    pub fn is_alive(&self) -> bool {
        self.core.is_alive()
    }

    /// Runs a future to its end and returns its output.
    ///
    /// It is polled once on the calling thread; if it pends, it moves to the runner's.
    ///
    /// # Errors
    /// [`Status::JobPanicked`] with the message, [`Status::Cancelled`] by a shutdown, [`Status::Busy`] at the limit of
    /// jobs in flight, [`Status::ShutDown`], [`Status::WouldDeadlock`] on the runner's own thread, [`Status::Forked`].
    pub fn run<F>(&self, future: F) -> Result<F::Output, Error>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        let (future, output) = with_output(future);
        self.core.run_future(Box::pin(future))?.into_result()?;
        take(&output)
    }

    /// Submits a future to the runner's thread.
    ///
    /// # Errors
    /// [`Status::Busy`] at the limit of jobs in flight, [`Status::ShutDown`], [`Status::Forked`].
    pub fn submit<F>(&self, future: F) -> Result<Token<F::Output>, Error>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        let (future, output) = with_output(future);
        let host = self.core.submit_future(Box::pin(future))?;
        Ok(Token::new(host, output))
    }

    /// Runs several futures at the same time and returns their results in order.
    ///
    /// ```
    /// # let runner = palitra::Runner::new()?;
    /// let squares = runner.gather((1..=3).map(|n| async move { n * n }))?;
    /// assert_eq!(squares, [1, 4, 9]);
    /// # Ok::<(), palitra::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Runner::run`], for the first in order that did not finish.
    pub fn gather<F>(&self, futures: impl IntoIterator<Item = F>) -> Result<Vec<F::Output>, Error>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        let tokens: Vec<_> = futures.into_iter().map(|future| self.submit(future)).collect::<Result<_, _>>()?;
        let replies = gather_all(tokens.len(), |place| tokens[place].job().token(), Until::Forever, false);
        replies.into_iter().zip(&tokens).map(|(reply, token)| token.take(reply?)).collect()
    }

    /// Runs a registered job to its end. How it ended is in the reply.
    ///
    /// # Errors
    /// [`Status::UnknownJob`], [`Status::TooLarge`], [`Status::Busy`] at the limit of jobs in flight,
    /// [`Status::ShutDown`], [`Status::WouldDeadlock`], [`Status::Forked`]: the job was not run. Past `timeout` it is
    /// cancelled and the reply says [`Status::Deadline`].
    pub fn run_job(&self, job: &str, payload: impl Into<Vec<u8>>, timeout: Option<Duration>) -> Result<Reply, Error> {
        let callee = self.find_job(job)?;
        Ok(self.core.run(callee, Payload::Owned(payload.into()), timeout)?)
    }

    /// Submits a registered job.
    ///
    /// # Errors
    /// As [`Runner::run_job`], except that it never blocks.
    pub fn submit_job(&self, job: &str, payload: impl Into<Vec<u8>>) -> Result<JobToken, Error> {
        self.submit_wanted(job, payload.into(), Wanted::default())
    }

    /// Submits a registered job that has so much time: past it the job is cancelled and its token finishes with
    /// [`Status::Deadline`].
    ///
    /// ```
    /// # use std::time::Duration;
    /// # let runner = palitra::Runner::new()?;
    /// let token = runner.submit_job_within("palitra.sleep", r#"{"seconds": 60}"#, Duration::from_millis(1))?;
    /// assert_eq!(token.wait(None)?.status(), palitra::Status::Deadline);
    /// # Ok::<(), palitra::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Runner::submit_job`].
    pub fn submit_job_within(
        &self,
        job: &str,
        payload: impl Into<Vec<u8>>,
        deadline: Duration,
    ) -> Result<JobToken, Error> {
        let deadline = self.core.until(Some(deadline)).instant();
        self.submit_wanted(job, payload.into(), Wanted { deadline, ..Wanted::default() })
    }

    /// Submits many registered jobs, each with its payload, at less than each one's cost alone. At the first that is
    /// refused it stops and says why; the tokens are those of the jobs before it.
    ///
    /// ```
    /// # let runner = palitra::Runner::new()?;
    /// let (tokens, all) = runner.submit_many_jobs(["one", "two"].map(|word| ("palitra.echo", word.as_bytes())));
    /// all?;
    /// assert_eq!(runner.gather_jobs(&tokens, None)?[1].text(), "two");
    /// # Ok::<(), palitra::Error>(())
    /// ```
    pub fn submit_many_jobs<'a>(
        &self,
        jobs: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    ) -> (Vec<JobToken>, Result<(), Error>) {
        let (mut tokens, mut unknown) = (Vec::new(), None);
        let submissions = jobs.into_iter().map(|(name, payload)| match self.find_job(name) {
            Ok(callee) => Ok(Submission { callee, payload, tag: 0 }),
            Err(error) => {
                unknown = Some(error);
                Err(Status::UnknownJob)
            }
        });
        let take = |host| tokens.push(JobToken::new(host));
        let submitted = self.core.submit_many(Submitter::Host, submissions, &Wanted::default(), take);
        // A job before the unknown one may have been refused.
        let unknown =
            |status: Status| unknown.filter(|_| status == Status::UnknownJob).unwrap_or_else(|| status.into());
        (tokens, submitted.map_err(unknown))
    }

    fn find_job(&self, name: &str) -> Result<Callee, Error> {
        self.core.find_job(name.as_bytes()).ok_or_else(|| registry::unknown_job(name))
    }

    fn submit_wanted(&self, job: &str, payload: Vec<u8>, wanted: Wanted) -> Result<JobToken, Error> {
        let callee = self.find_job(job)?;
        Ok(JobToken::new(self.core.submit(Submitter::Host, callee, Payload::Owned(payload), wanted)?))
    }

    /// Waits for many jobs, such as those of a slice, and returns their replies in order.
    ///
    /// # Errors
    /// [`Status::Pending`] if not all had finished after `timeout`; they run on. [`Status::WouldDeadlock`],
    /// [`Status::Forked`].
    pub fn gather_jobs<'a>(
        &self,
        tokens: impl IntoIterator<Item = &'a JobToken>,
        timeout: Option<Duration>,
    ) -> Result<Vec<Reply>, Error> {
        self.gather_tokens(tokens, timeout, false)
    }

    /// Waits for many jobs, until the first of them in time that does not succeed: then the others are cancelled.
    /// Returns their replies in order.
    ///
    /// # Errors
    /// As [`Runner::gather_jobs`].
    pub fn gather_jobs_fail_fast<'a>(
        &self,
        tokens: impl IntoIterator<Item = &'a JobToken>,
        timeout: Option<Duration>,
    ) -> Result<Vec<Reply>, Error> {
        self.gather_tokens(tokens, timeout, true)
    }

    fn gather_tokens<'a>(
        &self,
        tokens: impl IntoIterator<Item = &'a JobToken>,
        timeout: Option<Duration>,
        fail_fast: bool,
    ) -> Result<Vec<Reply>, Error> {
        self.core.check_process()?;
        let tokens: Vec<_> = tokens.into_iter().collect();
        let replies = gather_all(tokens.len(), |place| tokens[place].token(), Until::after(timeout), fail_fast);
        replies.into_iter().map(|reply| reply.map_err(Error::from)).collect()
    }

    /// Registers a job of the host's on this runner, until it has ended. It comes before a job of the library that has
    /// the same name, so that a test can replace what its jobs call.
    ///
    /// ```
    /// # use palitra::{Context, JobError, Runner};
    /// let runner = Runner::new()?;
    /// runner.register("http.get", |_context: Context, _payload| async { Ok::<_, JobError>("a page without a server") })?;
    /// assert_eq!(runner.run_job("http.get", r#"{"url": "http://shop.test/"}"#, None)?.text(), "a page without a server");
    /// # Ok::<(), palitra::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Status::InvalidArgument`] for an empty name and for one that is registered on this runner already;
    /// [`Status::ShutDown`], [`Status::Forked`].
    pub fn register<F, Job>(&self, name: &str, function: F) -> Result<(), Error>
    where
        F: Fn(Context, Vec<u8>) -> Job + Send + Sync + 'static,
        Job: Future<Output: IntoReply + 'static> + Send + 'static,
    {
        let start = move |payload, request: &mut Request<'_>| {
            let context = Context::from_request(request)?;
            Ok(job::future(function(context, payload), IntoReply::into_reply))
        };
        Ok(self.core.register(name, Arc::new(start))?)
    }

    /// How the runner is doing.
    ///
    /// # Errors
    /// [`Status::Forked`].
    pub fn stats(&self) -> Result<Stats, Error> {
        self.core.check_process()?;
        Ok(self.core.stats())
    }

    /// Refuses new jobs, lets jobs finish for the grace period (`None`: as long as they take), cancels the rest and
    /// joins the threads. May be called again and by several threads at once.
    ///
    /// # Errors
    /// [`Status::Pending`] if a job that never yields blocked a thread for a second beyond the grace period: every
    /// token has finished, the thread is left behind. [`Status::WouldDeadlock`] on the runner's own thread, where
    /// nothing is done. [`Status::Forked`].
    pub fn shutdown(&self, grace: Option<Duration>) -> Result<(), Error> {
        Ok(self.owner.shutdown(grace)?)
    }
}

impl Runner {
    /// Shuts down from wherever this is: on the runner's own thread without waiting for it.
    pub(crate) fn end(&self, grace: Duration) {
        if self.owner.shutdown(Some(grace)) == Err(Status::WouldDeadlock) {
            self.owner.close(self.core.until(Some(grace)));
        }
    }
}

impl Owner {
    fn shutdown(&self, grace: Option<Duration>) -> Result<(), Status> {
        self.core.check_process()?;
        if works_for(self.core.id) {
            return Err(Status::WouldDeadlock);
        }
        self.close(self.core.until(grace));
        let limit = grace.and_then(|grace| Instant::now().checked_add(grace)?.checked_add(BEYOND_GRACE));
        if !self.core.finished.wait(limit) {
            self.give_up();
            return Err(Status::Pending);
        }
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        // Joined, so that a host that unloads or counts its threads finds it gone. Not in a forked child: there the
        // thread's very end may wait forever for a lock of the standard library's that a thread of the parent had.
        if let Some(thread) = thread
            && fork::depth() == 0
        {
            // It has announced its end; a panic on the way there was caught.
            let _ = thread.join();
        }
        Ok(())
    }

    /// A job blocks a thread of the runner. Does what can be done without that thread; the rest follows when it comes
    /// back, if ever.
    fn give_up(&self) {
        self.core.closing.abandon();
        // First: no callback is called for a token that finishes now.
        self.core.callbacks.close();
        self.core.cancel_all();
    }

    fn close(&self, grace: Until) {
        self.core.closing.request(grace);
        self.core.lanes.ring_for_control();
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        cores().remove(&self.core.id);
        if self.core.closing.is_abandoned() && self.core.check_process().is_ok() {
            // A shutdown has waited for its whole bound; the thread ends by itself, nobody joins it.
            return;
        }
        match self.shutdown(Some(Duration::ZERO)) {
            // Dropped by a job: the thread ends by itself, nobody joins it.
            Err(Status::WouldDeadlock) => self.close(Until::Now),
            // In a forked child there is nothing to end: the parent's thread and its handle are leaked.
            Err(Status::Forked) => {
                if let Ok(thread) = self.thread.get_mut() {
                    std::mem::forget(thread.take());
                }
                std::mem::forget(Arc::clone(&self.core));
            }
            _ => {}
        }
    }
}

impl fmt::Debug for Runner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runner").field("id", &self.core.id).field("is_alive", &self.is_alive()).finish_non_exhaustive()
    }
}

/// The replies of `n` tokens, in order.
fn gather_all(
    n: usize,
    token: impl Fn(usize) -> TokenRef,
    until: Until,
    fail_fast: bool,
) -> Vec<Result<Reply, Status>> {
    let mut replies = vec![Err(Status::Pending); n];
    let tokens = Tokens { n, at: |place| Ok(token(place)), runner: None, frees: false };
    let give = |place: usize, reply| replies[place] = reply;
    match fail_fast {
        true => many::gather_fail_fast(&tokens, until, give),
        false => many::gather(&tokens, until, give),
    };
    replies
}

/// The future as a job without a reply of its own, and the place where it leaves its output.
fn with_output<F>(future: F) -> (impl Future<Output = Reply> + Send + 'static, Output<F::Output>)
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    let output: Output<F::Output> = Arc::default();
    let place = Arc::clone(&output);
    let job = async move {
        let value = future.await;
        *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
        Reply::success(Format::Bytes, Vec::new())
    };
    (job, output)
}

fn take<T>(output: &Output<T>) -> Result<T, Error> {
    let value = output.lock().unwrap_or_else(PoisonError::into_inner).take();
    value.ok_or_else(|| Error::from(Status::Internal))
}
