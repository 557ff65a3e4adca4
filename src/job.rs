//! A job: a name, an async function, the formats it takes and gives, and what it may ask for.
//!
//! A job's author writes an async function whose arguments are extractors and whose result converts to a
//! reply; `#[palitra::job("name")]` turns it into a [`Job`] in the registry. The runner gives each call a
//! [`Request`]; the extractors take from it what they stand for, in the order of the arguments.
//!
//! | argument | takes |
//! |---|---|
//! | [`Vec<u8>`] | the payload as it came |
//! | [`String`] | the payload, if it is UTF-8 |
//! | [`Json<T>`] | the payload, if it is JSON that fits `T` |
//! | [`State<T>`] | the runner's one `T`, made at first use |
//! | [`Context`] | cancellation, progress, a stream of items, submitting further jobs |
//!
//! A payload that an extractor refuses ends the job as `BAD_PAYLOAD` with a message that says what was wrong. At most one
//! argument takes the payload; a second one does not compile.
//!
//! | result | gives |
//! |---|---|
//! | `()` | no bytes |
//! | [`Vec<u8>`] | bytes |
//! | [`String`], `&'static str` | text |
//! | [`Json<T>`] | JSON |
//! | `Result<any of these, E>` with `E: Into<JobError>` | the same, or a failure |
//!
//! # Threads, signals and programs
//!
//! A job runs on the runner's threads, and its first poll may be on the host's. The runner's threads, those of
//! `spawn_blocking` among them, block every signal but faults and `SIGPROF`, so that a handler of the host's never runs
//! there; a thread that a job makes itself inherits that. From a `spawn_blocking` in a first poll to the end of that
//! poll the host's thread blocks them too. (A thread that is no runner's and calls `spawn_blocking` on a kept handle of
//! the runtime makes a thread that blocks them a moment after it began.)
//!
//! A program that is started there would inherit the full mask and survive `SIGTERM` and Ctrl-C. By `fork`, and so by a
//! `Command` with a `pre_exec`, it has the host's mask instead. A plain `Command` uses `posix_spawn`, which inherits:
//! start it through [`host_signals`](crate::host_signals).
//!
//! Where the system refuses a thread, `spawn_blocking` panics if there is no other to wait for, and the job ends as one
//! that panicked.

mod extract;
mod output;
mod state;

use std::cell::OnceCell;
use std::ffi::{CStr, CString};
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context as TaskContext, Poll};

use crate::reply::{Error, Format, JobError, Reply, Status};
use crate::token::{self, HostSide, JobSide, Reading, TokenId, TokenRef};

pub use extract::{Context, FromRequest, Json, State};
pub use output::IntoReply;
pub use state::RunnerState;
pub(crate) use state::States;

/// A started job. Sent between threads, so that it may begin on the caller's and go on on the runner's.
pub(crate) type JobFuture = Pin<Box<dyn Future<Output = Reply> + Send>>;

type Start = Box<dyn Fn(&mut Request<'_>) -> Result<JobFuture, JobError> + Send + Sync>;

/// A registered job.
pub struct Job {
    name: &'static str,
    /// As C strings, so that C can have them as they are.
    c_name: CString,
    doc: CString,
    input: Format,
    output: Format,
    start: Start,
    /// Whether two jobs have this name.
    ambiguous: AtomicBool,
}

impl Job {
    /// A job that calls `handler`.
    pub(crate) fn new<H: Handler<Arguments>, Arguments>(name: &'static str, doc: &str, handler: H) -> Job {
        Job {
            name,
            c_name: c_string(name),
            doc: c_string(doc),
            input: H::INPUT,
            output: H::OUTPUT,
            start: Box::new(move |request| handler.start(request)),
            ambiguous: AtomicBool::new(false),
        }
    }

    /// Another job has the same name: from now on every call fails and says so.
    pub(crate) fn refuse(&self) {
        self.ambiguous.store(true, Ordering::Relaxed);
    }

    /// What hosts submit it by.
    pub fn name(&self) -> &str {
        self.name
    }

    /// Its documentation: the function's doc comment.
    pub fn doc(&self) -> &str {
        self.doc.to_str().unwrap_or_default()
    }

    pub(crate) fn texts(&self) -> (&CStr, &CStr) {
        (&self.c_name, &self.doc)
    }

    /// The format of the payload it takes.
    pub fn input(&self) -> Format {
        self.input
    }

    /// The format of the reply it leaves when it succeeds.
    pub fn output(&self) -> Format {
        self.output
    }

    /// Calls the handler. A refused payload and a panic are replies like any other.
    pub(crate) fn start(&self, request: &mut Request<'_>) -> Result<JobFuture, Reply> {
        if self.ambiguous.load(Ordering::Relaxed) {
            return Err(JobError::from(format!("two jobs are registered as \"{}\"", self.name())).into());
        }
        match catch_unwind(AssertUnwindSafe(|| (self.start)(request))) {
            Ok(started) => started.map_err(Reply::from),
            Err(panic) => Err(Reply::panicked(panic_message(panic))),
        }
    }
}

/// The text up to its first NUL.
fn c_string(text: &str) -> CString {
    let text = text.split('\0').next().unwrap_or_default();
    CString::new(text).unwrap_or_default()
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("name", &self.name).field("input", &self.input).finish_non_exhaustive()
    }
}

/// What a runner is to its jobs.
pub(crate) trait Host: Send + Sync {
    fn states(&self) -> &States;
    fn make_token(&self, reading: Reading) -> Result<(HostSide, JobSide), Status>;
    fn submit(&self, job: &str, payload: Vec<u8>) -> Result<HostSide, Error>;
    fn to_arc(&self) -> Arc<dyn Host>;
}

/// One call of a job, while its arguments are being taken from it.
pub struct Request<'a> {
    payload: Vec<u8>,
    host: &'a dyn Host,
    token: RequestToken<'a>,
}

/// The token of a call. A `run` of a job that is ready at once and never asks for it does without one.
#[derive(Clone, Copy)]
pub(crate) enum RequestToken<'a> {
    Made(TokenId),
    OnDemand(&'a OnDemand),
}

/// A token that is made when somebody asks for it.
pub(crate) struct OnDemand {
    reading: Reading,
    token: OnceCell<Result<(HostSide, JobSide), Status>>,
}

impl OnDemand {
    pub(crate) fn new(reading: Reading) -> OnDemand {
        OnDemand { reading, token: OnceCell::new() }
    }

    fn get(&self, host: &dyn Host) -> Result<TokenRef, Status> {
        let made = self.token.get_or_init(|| host.make_token(self.reading));
        made.as_ref().map(|(host_side, _)| host_side.token()).map_err(|status| *status)
    }

    pub(crate) fn into_token(self, host: &dyn Host) -> Result<(HostSide, JobSide), Status> {
        let OnDemand { reading, token } = self;
        token.into_inner().unwrap_or_else(|| host.make_token(reading))
    }
}

impl<'a> Request<'a> {
    pub(crate) fn new(payload: Vec<u8>, host: &'a dyn Host, token: RequestToken<'a>) -> Self {
        Request { payload, host, token }
    }

    /// The payload; whoever takes it leaves nothing behind.
    pub fn take_payload(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.payload)
    }

    fn token(&self) -> Result<TokenRef, JobError> {
        match self.token {
            RequestToken::Made(id) => token::find(id).map_err(|status| JobError::from(status.message())),
            RequestToken::OnDemand(token) => token.get(self.host).map_err(|status| JobError::from(status.message())),
        }
    }
}

/// An async function that can be a job: up to eight extractors in, something that converts to a reply out.
pub trait Handler<Arguments>: Send + Sync + 'static {
    /// The format of the payload.
    const INPUT: Format;
    /// The format of a successful reply.
    const OUTPUT: Format;

    #[doc(hidden)]
    fn start(&self, request: &mut Request<'_>) -> Result<JobFuture, JobError>;
}

macro_rules! handler {
    ($($argument:ident),*) => {
        impl<Function, Job, $($argument,)*> Handler<($($argument,)*)> for Function
        where
            Function: Fn($($argument,)*) -> Job + Send + Sync + 'static,
            Job: Future<Output: IntoReply> + Send + 'static,
            $($argument: FromRequest,)*
        {
            const INPUT: Format = input_format(&[$($argument::PAYLOAD,)*]);
            const OUTPUT: Format = <Job::Output as IntoReply>::FORMAT;

            #[allow(non_snake_case, unused_variables)]
            fn start(&self, request: &mut Request<'_>) -> Result<JobFuture, JobError> {
                const { input_format(&[$($argument::PAYLOAD,)*]) };
                $(let $argument = $argument::from_request(request)?;)*
                Ok(Box::pin(Replying { job: self($($argument,)*) }))
            }
        }
    };
}

handler!();
handler!(A);
handler!(A, B);
handler!(A, B, C);
handler!(A, B, C, D);
handler!(A, B, C, D, E);
handler!(A, B, C, D, E, F);
handler!(A, B, C, D, E, F, G);
handler!(A, B, C, D, E, F, G, H);

/// The format of the one argument that takes the payload; bytes if none does.
const fn input_format(payloads: &[Option<Format>]) -> Format {
    let mut found = None;
    let mut i = 0;
    while i < payloads.len() {
        if payloads[i].is_some() {
            assert!(found.is_none(), "only one argument of a job can take its payload");
            found = payloads[i];
        }
        i += 1;
    }
    match found {
        Some(format) => format,
        None => Format::Bytes,
    }
}

pin_project_lite::pin_project! {
    /// The job's future with its output converted. An async block would hold the job's state twice.
    struct Replying<Job> {
        #[pin]
        job: Job,
    }
}

impl<Job: Future<Output: IntoReply>> Future for Replying<Job> {
    type Output = Reply;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Reply> {
        self.project().job.poll(cx).map(IntoReply::into_reply)
    }
}

/// The text that a panic carried.
pub(crate) fn panic_message(panic: Box<dyn std::any::Any + Send>) -> String {
    let message = match panic.downcast::<String>() {
        Ok(message) => return *message,
        Err(panic) => match panic.downcast::<&'static str>() {
            Ok(message) => return message.to_string(),
            Err(other) => other,
        },
    };
    // A payload of the job's own type may panic once more when it is dropped.
    let _ = catch_unwind(AssertUnwindSafe(|| drop(message)));
    "the job panicked with something that is not text".to_string()
}
