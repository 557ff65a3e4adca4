//! The extractors: what a job's arguments take from a request. Promise 11: bad input and limits return a status; a
//! payload that one refuses finishes the token with a message.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use super::output::IntoReply;
use super::request::{JobRuntime, Request};
use super::state::{Found, RunnerState};
use crate::reply::{Error, Format, JobError, Reply};
use crate::token::{Closed, JobToken, TokenRef};

/// Something that a job can have as an argument.
#[diagnostic::on_unimplemented(
    message = "a job cannot take a `{Self}`",
    label = "no job can take this",
    note = "a job takes its payload as `Vec<u8>`, `String`, `Json<T>` or `Framed<T>` where `T: Deserialize`; what the jobs of a runner share as `State<T>` where `T: Default` or `T: RunnerState`; the stream of its items as `Items<T>`; and its `Context`"
)]
pub trait FromRequest: Sized {
    /// The format of the payload, for an extractor that takes it.
    const PAYLOAD: Option<Format> = None;

    /// Whether the payload is JSON with bytes behind it.
    const IS_FRAMED: bool = false;

    /// The format of the items, for an extractor that sends them.
    const ITEMS: Option<Format> = None;

    /// Takes what it stands for. An error finishes the token as `JOB_FAILED` with its message, or as `BAD_PAYLOAD` if
    /// it is a [`JobError::bad_payload`].
    fn from_request(request: &mut Request<'_>) -> Result<Self, JobError>;
}

/// The payload as it came.
impl FromRequest for Vec<u8> {
    const PAYLOAD: Option<Format> = Some(Format::Bytes);

    fn from_request(request: &mut Request<'_>) -> Result<Self, JobError> {
        Ok(request.take_payload())
    }
}

/// The payload as text.
impl FromRequest for String {
    const PAYLOAD: Option<Format> = Some(Format::Text);

    fn from_request(request: &mut Request<'_>) -> Result<Self, JobError> {
        String::from_utf8(request.take_payload()).map_err(|error| {
            let position = error.utf8_error().valid_up_to();
            JobError::bad_payload(format!("the payload is not UTF-8 from byte {position} on"))
        })
    }
}

/// The one `T` that all jobs of a runner share: a connection pool, a session, a cache.
///
/// Made when the first job of the runner asks for it: see [`RunnerState`]. Closed and dropped when the runner is shut
/// down. An extractor that asks for one does so before it takes the payload: where the value is still missing, the job's
/// arguments are taken again once it is made.
pub struct State<T>(Arc<T>);

impl<T: RunnerState> FromRequest for State<T> {
    fn from_request(request: &mut Request<'_>) -> Result<Self, JobError> {
        match request.runtime.states().find()? {
            Found::Made(value) => Ok(State(value)),
            Found::Missing(making) => Err(request.miss(making)),
        }
    }
}

/// For the tests of a job, which is a function: what it is given there.
impl<T> From<T> for State<T> {
    fn from(value: T) -> Self {
        State(Arc::new(value))
    }
}

impl<T> Deref for State<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> Clone for State<T> {
    fn clone(&self) -> Self {
        State(Arc::clone(&self.0))
    }
}

impl<T: fmt::Debug> fmt::Debug for State<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a job has of its own execution: whether it is still wanted, its progress, its stream, and the runner to submit
/// further jobs to.
#[derive(Clone)]
pub struct Context {
    pub(super) runtime: Arc<dyn JobRuntime>,
    pub(super) token: TokenRef,
}

impl FromRequest for Context {
    fn from_request(request: &mut Request<'_>) -> Result<Self, JobError> {
        Ok(Context { token: request.token()?, runtime: request.runtime.to_arc() })
    }
}

impl Context {
    /// Whether nobody needs the job to go on: it was cancelled, its deadline passed, or its runner shuts down.
    ///
    /// A cancelled job is dropped at its next await by itself. This is for the parts that the job moved
    /// elsewhere, such as a blocking loop in `tokio::task::spawn_blocking`. A task waits for it by
    /// [`cancelled`](Context::cancelled).
    pub fn is_cancelled(&self) -> bool {
        self.token.should_stop()
    }

    /// Is ready once nobody needs the job to go on: it was cancelled, its deadline passed, its runner shuts down, or it
    /// has ended. It is for tasks that the job spawned: the job itself is dropped at its next await and sees nothing of
    /// it. A task that the job leaves behind may clean up there, for as long as its runner lives, and a tenth of a second
    /// beyond.
    ///
    /// ```
    /// # use std::sync::atomic::{AtomicBool, Ordering};
    /// # use std::time::Duration;
    /// use palitra::{Context, Runner, job};
    ///
    /// static SAID_GOODBYE: AtomicBool = AtomicBool::new(false);
    ///
    /// #[job("doc.goodbye")]
    /// async fn goodbye(context: Context) {
    ///     tokio::spawn(async move {
    ///         context.cancelled().await;
    ///         SAID_GOODBYE.store(true, Ordering::SeqCst);
    ///     });
    ///     std::future::pending().await
    /// }
    ///
    /// let runner = Runner::new()?;
    /// let reply = runner.run_job("doc.goodbye", "", Some(Duration::from_millis(10)))?;
    /// assert_eq!(reply.status(), palitra::Status::Deadline);
    /// runner.shutdown(None)?;
    /// assert!(SAID_GOODBYE.load(Ordering::SeqCst));
    /// # Ok::<(), palitra::Error>(())
    /// ```
    pub async fn cancelled(&self) {
        self.token.stopped().await;
    }

    /// Says how far the job is, for hosts that show it. Costs a lock that nobody holds for long.
    pub fn progress(&self, done: u64, total: u64) {
        self.token.set_progress(done, total);
    }

    /// Sends one item of a stream. Waits while the reader has enough to read: a slow reader slows the job.
    ///
    /// # Errors
    /// There is no reader: the job was run (`palitra_runner_run`, [`Runner::run_job`](crate::Runner::run_job)) or
    /// submitted without a token, the host freed the token, or the token has finished, by a cancel for example. The
    /// job may as well end, which `context.send(item).await?` does. The tasks that the job started get the same error,
    /// also while they wait. An item that cannot be converted fails with the reason.
    pub async fn send(&self, item: impl IntoReply) -> Result<(), JobError> {
        let reply = item.into_reply().into_result()?;
        let mut item = Some(reply);
        std::future::poll_fn(|cx| self.token.poll_send(&mut item, cx))
            .await
            .map_err(|Closed| JobError::from(self.runtime.why_nobody_reads()))
    }

    /// Calls another job of the same runner, the library's or one that the host has registered, and waits for its reply.
    ///
    /// # Errors
    /// As [`Runner::submit_job`](crate::Runner::submit_job), and how the job ended if it did not succeed.
    pub async fn call(&self, job: &str, payload: impl Into<Vec<u8>>) -> Result<Reply, Error> {
        self.submit_job(job, payload)?.await?.into_result()
    }

    /// Submits another job to the same runner. The token is a future: await it, a job must not block.
    ///
    /// # Errors
    /// As [`Runner::submit_job`](crate::Runner::submit_job).
    pub fn submit_job(&self, job: &str, payload: impl Into<Vec<u8>>) -> Result<JobToken, Error> {
        self.runtime.submit(job, payload.into()).map(JobToken::new)
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("is_cancelled", &self.is_cancelled()).finish_non_exhaustive()
    }
}
