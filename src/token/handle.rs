//! The tokens of the Rust API: a submitted job or future that can be waited for, polled, cancelled, awaited.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::observer::Observer;
use super::sides::HostSide;
use super::table::{self, TokenRef};
use crate::deadline::Until;
use crate::panics::contain;
use crate::reply::{Error, Reply, Status};

/// A submitted job. Wait for it from any thread, or await it in any executor.
///
/// Dropping the token does not cancel the job, which runs on detached.
pub struct JobToken {
    host: HostSide,
    task: Option<Arc<TaskObserver>>,
    /// The task that waits for the next item.
    reader: Option<Arc<ReaderObserver>>,
}

impl JobToken {
    pub(crate) fn new(host: HostSide) -> JobToken {
        JobToken { host, task: None, reader: None }
    }

    pub(crate) fn token(&self) -> TokenRef {
        self.host.token()
    }

    /// Blocks until the job has finished, at most for `timeout` (`None`: forever).
    ///
    /// # Errors
    /// [`Status::Pending`] after the timeout, the job runs on; [`Status::WouldDeadlock`] on the runner's own
    /// thread; [`Status::Forked`] in a forked child. How the job itself ended is in the reply.
    pub fn wait(&self, timeout: Option<Duration>) -> Result<Reply, Error> {
        self.checked()?.wait_until(Until::after(timeout)).map_err(Error::from)
    }

    /// The reply if the job has finished. Never blocks.
    ///
    /// # Errors
    /// [`Status::Pending`] if it has not; [`Status::Forked`] in a forked child.
    pub fn poll(&self) -> Result<Reply, Error> {
        self.checked()?.poll().map_err(Error::from)
    }

    /// The next item of the job's stream; blocks until there is one, at most for `timeout` (`None`: forever). `None`
    /// after the last one, when the job has succeeded: [`poll`](JobToken::poll) has its reply. Readers on several
    /// threads share the items.
    ///
    /// ```
    /// # use palitra::{Context, JobError, job};
    /// #[job("doc.count")]
    /// async fn count(context: Context, to: String) -> Result<(), JobError> {
    ///     for n in 1..=to.parse().map_err(|error| JobError::from_error(1, &error))? {
    ///         context.send(u32::to_string(&n)).await?;
    ///     }
    ///     Ok(())
    /// }
    ///
    /// let token = palitra::global_runner()?.submit_job("doc.count", "3")?;
    /// assert_eq!(token.next(None)?.map(|item| item.text().into_owned()), Some("1".to_string()));
    /// let rest: Vec<_> = token.items().collect::<Result<_, _>>()?;
    /// assert_eq!(rest.len(), 2);
    /// # Ok::<(), palitra::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Status::Pending`] after the timeout; how the job ended if it did not succeed, after the items that it sent
    /// before; [`Status::WouldDeadlock`] on the runner's own thread; [`Status::Forked`] in a forked child.
    pub fn next(&self, timeout: Option<Duration>) -> Result<Option<Reply>, Error> {
        match self.checked()?.next_item(Until::after(timeout)) {
            Ok(item) => item.into_result().map(Some),
            Err(Status::End) => Ok(None),
            Err(status) => Err(status.into()),
        }
    }

    /// Every item that is still to come, as [`next`](JobToken::next) returns them. An error is the last.
    pub fn items(&self) -> impl Iterator<Item = Result<Reply, Error>> {
        let mut has_failed = false;
        std::iter::from_fn(move || {
            let item = if has_failed { None } else { self.next(None).transpose() };
            has_failed |= matches!(item, Some(Err(_)));
            item
        })
    }

    /// How much is done, and of how much, as the job last reported it; zeros before its first report.
    ///
    /// # Errors
    /// [`Status::Forked`] in a forked child.
    pub fn progress(&self) -> Result<(u64, u64), Error> {
        Ok(self.checked()?.progress()?)
    }

    /// Finishes the token as [`Status::Cancelled`] and drops the job at its next await. Changes nothing if the
    /// job has finished. Whether this call was what ended it.
    pub fn cancel(&self) -> bool {
        self.checked().is_ok_and(|token| token.end(Status::Cancelled).unwrap_or(false))
    }

    /// The next item, for a task: as [`next`](JobToken::next) returns it, without blocking. A job that reads the stream
    /// of another awaits it so:
    ///
    /// ```
    /// # use palitra::{Context, JobError, job};
    /// # #[job("doc.three")]
    /// # async fn three(context: Context) -> Result<(), JobError> {
    /// #     for n in ["1", "2", "3"] {
    /// #         context.send(n).await?;
    /// #     }
    /// #     Ok(())
    /// # }
    /// #[job("doc.join")]
    /// async fn join(context: Context) -> Result<String, JobError> {
    ///     let (mut token, mut joined) = (context.submit_job("doc.three", "")?, String::new());
    ///     while let Some(item) = std::future::poll_fn(|cx| token.poll_next(cx)).await? {
    ///         joined += &item.text();
    ///     }
    ///     Ok(joined)
    /// }
    ///
    /// assert_eq!(palitra::Runner::new()?.run_job("doc.join", "", None)?.text(), "123");
    /// # Ok::<(), palitra::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`next`](JobToken::next), but for the timeout and the thread.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Reply>, Error>> {
        let token = self.checked()?;
        loop {
            match token.next_item(Until::Now) {
                Ok(item) => return Poll::Ready(item.into_result().map(Some)),
                Err(Status::End) => return Poll::Ready(Ok(None)),
                Err(Status::Pending) => {}
                Err(status) => return Poll::Ready(Err(status.into())),
            }
            let reader = self.reader.get_or_insert_with(Arc::default);
            if reader.waits_already(cx) {
                return Poll::Pending;
            }
            let observer: Arc<dyn Observer> = Arc::clone(reader) as _;
            match token.observe_next_item(&observer)? {
                None => return Poll::Pending,
                // It came meanwhile.
                Some(_) => drop(reader.take()),
            }
        }
    }

    fn checked(&self) -> Result<TokenRef, Status> {
        table::find(self.token().id())
    }

    /// Sees to it that the task of `cx` is woken when the token finishes. What is known before that.
    fn watch(&mut self, cx: &mut Context<'_>) -> Result<Status, Status> {
        let token = self.checked()?;
        if let Some(task) = &self.task {
            *task.waker.lock().unwrap_or_else(PoisonError::into_inner) = cx.waker().clone();
            return token.status();
        }
        let task = self.task.insert(Arc::new(TaskObserver { waker: Mutex::new(cx.waker().clone()) }));
        let observer: Arc<dyn Observer> = Arc::clone(task) as _;
        token.observe(&observer, 0)
    }
}

impl Future for JobToken {
    type Output = Result<Reply, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.watch(cx) {
            Ok(Status::Pending) => Poll::Pending,
            Ok(_) => Poll::Ready(JobToken::poll(&self)),
            Err(status) => Poll::Ready(Err(status.into())),
        }
    }
}

impl fmt::Debug for JobToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobToken").field("id", &self.token().id()).finish_non_exhaustive()
    }
}

/// The task that awaits a token: the newest waker it polled with.
struct TaskObserver {
    waker: Mutex<Waker>,
}

impl Observer for TaskObserver {
    fn notify(&self, _tag: u32, _status: Status) {
        let waker = self.waker.lock().unwrap_or_else(PoisonError::into_inner).clone();
        waker.wake();
    }
}

/// The task that waits for an item: its newest waker, while it is to be notified of the next one.
#[derive(Default)]
struct ReaderObserver {
    waker: Mutex<Option<Waker>>,
}

impl ReaderObserver {
    /// From now on it waits with this waker. Whether it was to be notified already.
    fn waits_already(&self, cx: &Context<'_>) -> bool {
        self.waker.lock().unwrap_or_else(PoisonError::into_inner).replace(cx.waker().clone()).is_some()
    }

    fn take(&self) -> Option<Waker> {
        self.waker.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Observer for ReaderObserver {
    fn notify(&self, _tag: u32, _status: Status) {
        // A job that sends an item notifies it: a waker that panics, of whichever executor, is no failure of that job.
        contain(|| self.take().into_iter().for_each(Waker::wake));
    }
}

/// Where a submitted future leaves its value for its token.
pub(crate) type Output<T> = Arc<Mutex<Option<T>>>;

/// A submitted Rust future with the result `T`. As [`JobToken`], with the future's own type.
pub struct Token<T> {
    job: JobToken,
    output: Output<T>,
}

impl<T> Token<T> {
    pub(crate) fn new(host: HostSide, output: Output<T>) -> Token<T> {
        Token { job: JobToken::new(host), output }
    }

    /// Blocks until the future has finished and takes its result.
    ///
    /// # Errors
    /// As [`JobToken::wait`], and [`Status::Cancelled`] or [`Status::JobPanicked`] for a future that ended so.
    /// [`Status::End`] if the result was taken before.
    pub fn wait(&self, timeout: Option<Duration>) -> Result<T, Error> {
        self.take(self.job.wait(timeout)?)
    }

    /// As [`JobToken::cancel`].
    pub fn cancel(&self) -> bool {
        self.job.cancel()
    }

    pub(crate) fn job(&self) -> &JobToken {
        &self.job
    }

    pub(crate) fn take(&self, reply: Reply) -> Result<T, Error> {
        reply.into_result()?;
        let value = self.output.lock().unwrap_or_else(PoisonError::into_inner).take();
        value.ok_or_else(|| Error::new(Status::End, "the result was taken before"))
    }
}

impl<T> Future for Token<T> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let reply = std::task::ready!(Pin::new(&mut self.job).poll(cx))?;
        Poll::Ready(self.take(reply))
    }
}

impl<T> fmt::Debug for Token<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("id", &self.job.token().id()).finish_non_exhaustive()
    }
}
