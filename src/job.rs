//! A job: a name, an async function, the formats of its payload and reply, and what it may ask for.
//!
//! A job's author writes an async function whose arguments are extractors and whose result converts to a
//! reply; `#[palitra::job("name")]` turns it into a [`Job`] in the registry. The runner makes a [`Request`] for each
//! execution; the extractors take from it what they stand for, in the order of the arguments.
//!
//! | argument | takes |
//! |---|---|
//! | [`Vec<u8>`] | the payload as it came |
//! | [`String`] | the payload, if it is UTF-8 |
//! | [`Json<T>`] | the payload, if it is JSON that fits `T` |
//! | [`Framed<T>`] | JSON that fits `T`, and the bytes behind it |
//! | [`State<T>`] | the runner's one `T`, made at first use |
//! | [`Items<T>`] | a stream of items, each a `T` |
//! | [`Context`] | cancellation, progress, a stream of any items, submitting further jobs |
//!
//! A payload that an extractor refuses finishes the token with `BAD_PAYLOAD` and a message that says what was wrong. At
//! most one argument takes the payload; a second one does not compile.
//!
//! | result | reply |
//! |---|---|
//! | `()` | no bytes |
//! | [`Vec<u8>`] | bytes |
//! | [`String`], `&'static str` | text |
//! | [`Json<T>`], [`serde_json::Value`] | JSON |
//! | [`Framed<T>`] | bytes: JSON, a line feed, bytes |
//! | [`Cow`](std::borrow::Cow) of bytes or text, with the feature `bytes` a `Bytes` | the same |
//! | [`Reply`] | itself |
//! | `Result<any of these, E>` with `E: Into<JobError>` | the same, or a failure |
//!
//! # Inline jobs
//!
//! A call without a timeout polls every job inline. One with a timeout cannot: the timeout is to hold for a job that
//! never yields, too. `#[job("name", inline)]` is the author's word that the first poll never blocks: then a call with
//! a timeout polls the job inline as well, and a job that is ready at once costs no hand-off there either. Taking the
//! arguments is part of the first poll: the creation of a [`State<T>`], and the reading of JSON. For a job that is
//! never ready at once the word gains nothing.
//!
//! # Threads, signals and programs
//!
//! A job runs on the runner's threads, and its first poll may be on the host's. The runner's threads, those of
//! `spawn_blocking` among them, block every signal but faults and `SIGPROF`, so that a handler of the host's never runs
//! there; a thread that a job makes itself inherits that. From a `spawn_blocking` in a first poll to the end of that
//! poll the host's thread blocks them too. (A thread that is not a runner's and calls `spawn_blocking` on a kept handle
//! of the runtime makes a thread that blocks them a moment after it began.)
//!
//! A program that is started there would inherit the full mask and survive `SIGTERM` and Ctrl-C. By `fork`, and so by a
//! `Command` with a `pre_exec`, it has the host's mask instead. A plain `Command` uses `posix_spawn`, which inherits:
//! start it through [`host_signals`](crate::host_signals).
//!
//! Where the system refuses a thread, `spawn_blocking` panics if there is no other to wait for, and the job ends as one
//! that panicked.
//!
//! # The rooms
//!
//! | room | what it holds |
//! |---|---|
//! | [`state`] | what the jobs of one runner share |
//! | [`output`] | what a job's result becomes: the reply |
//! | [`request`] | what a job takes its arguments from |
//! | [`extract`] | the arguments: what each takes from a request |
//! | [`detached`] | the context of a job that is called as a function |
//! | [`json`] | JSON, as an argument and as a result |
//! | [`framed`] | JSON with bytes behind it |
//! | [`items`] | a stream whose items are of one type |
//! | [`probe`] | what the types of a job know of themselves: their JSON Schema, the codes of errors |
//! | [`describe`] | the description of a job, as one JSON document |
//! | [`mod@future`] | one execution: the function's future, with its result converted |

mod describe;
mod detached;
mod extract;
mod framed;
mod future;
mod items;
mod json;
mod output;
mod probe;
mod request;
mod state;

use std::ffi::{CStr, CString};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;

use serde::de::IgnoredAny;
use tracing::Instrument;

use crate::log;
use crate::panics;
use crate::reply::{Format, JobError, Reply};

pub use describe::Types;
pub(crate) use describe::{description, descriptions};
pub use extract::{Context, FromRequest, State};
pub use framed::Framed;
pub use future::{JobFuture, future, input_format, items_format};
pub use items::Items;
pub use json::Json;
#[cfg(feature = "http")]
pub(crate) use json::write_json;
pub use output::IntoReply;
pub use probe::{Contract, Probe, WithCodes, WithSchema, WithoutCodes, WithoutSchema};
pub use request::Request;
pub(crate) use request::{JobRuntime, OnDemand, RequestToken};
pub use state::RunnerState;
pub(crate) use state::States;

/// Takes the arguments from a request, calls the function and leaves its future, not polled yet.
pub type Call = fn(&mut Request<'_>) -> Result<JobFuture, JobError>;

/// A job that a host registers on one runner: it is called where a job of the library's would be.
pub(crate) trait HostJob: Send + Sync {
    /// Calls it with the payload.
    fn call(&self, payload: Vec<u8>, request: &mut Request<'_>) -> Result<JobFuture, JobError>;

    /// Whether nobody will ever answer a call again: another job may be registered in its place.
    fn is_over(&self) -> bool {
        false
    }
}

impl<F> HostJob for F
where
    F: Fn(Vec<u8>, &mut Request<'_>) -> Result<JobFuture, JobError> + Send + Sync,
{
    fn call(&self, payload: Vec<u8>, request: &mut Request<'_>) -> Result<JobFuture, JobError> {
        self(payload, request)
    }
}

pub(crate) type Registered = std::sync::Arc<dyn HostJob>;

/// Whether a payload has the format that its host declared.
pub(crate) fn check_payload(input: Format, payload: &[u8]) -> Result<(), JobError> {
    match input {
        Format::Bytes => Ok(()),
        Format::Text => std::str::from_utf8(payload).map(drop).map_err(JobError::does_not_fit),
        Format::Json => serde_json::from_slice::<IgnoredAny>(payload).map(drop).map_err(JobError::does_not_fit),
    }
}

/// What `#[palitra::job]` finds out about a function.
pub struct Description {
    /// The name that hosts submit it by.
    pub name: &'static str,
    /// The function's doc comment.
    pub doc: &'static str,
    /// Where the function stands: "file:line".
    pub place: &'static str,
    /// The format of the payload.
    pub input: Format,
    /// The format of a successful reply.
    pub output: Format,
    /// The format of the items, if the job says that it streams: it takes [`Items`].
    pub items: Option<Format>,
    /// Says the rest, which the types know. Not called before somebody asks for it.
    pub describe: fn(&mut Types),
    /// The word `inline`.
    pub inline: bool,
}

impl Description {
    /// Of a job that no `#[palitra::job]` has made: of its name alone.
    pub(crate) fn plain(name: &'static str, format: Format) -> Description {
        let (input, output, describe) = (format, format, (|_| ()) as fn(&mut Types));
        Description { name, doc: "", place: "", input, output, items: None, describe, inline: false }
    }
}

/// A registered job.
pub struct Job {
    description: Description,
    /// As C strings, so that C can have them as they are.
    c_name: CString,
    doc: CString,
    call: Call,
    /// Where another job of this name stands.
    other: OnceLock<&'static str>,
}

impl Job {
    /// A job that calls `call`.
    pub(crate) fn new(description: Description, call: Call) -> Job {
        let (c_name, doc) = (c_string(description.name), c_string(description.doc));
        Job { description, c_name, doc, call, other: OnceLock::new() }
    }

    /// Another job, which stands at `place`, has the same name: from now on every execution fails and says so.
    pub(crate) fn refuse(&self, place: &'static str) {
        let _ = self.other.set(place);
    }

    /// The name that hosts submit it by.
    pub fn name(&self) -> &str {
        self.description.name
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
        self.description.input
    }

    /// The format of the reply it leaves when it succeeds.
    pub fn output(&self) -> Format {
        self.description.output
    }

    /// The format of the items that it streams. `None`: it streams none, or takes a [`Context`] and sends what it likes.
    pub fn items(&self) -> Option<Format> {
        self.description.items
    }

    /// Everything that is known of the job, as a JSON document; `palitra_job_describe` of the C header says what it
    /// holds.
    ///
    /// ```
    /// let echo = palitra::jobs().into_iter().find(|job| job.name() == "palitra.echo").unwrap();
    /// let description: serde_json::Value = serde_json::from_str(&echo.describe())?;
    /// assert_eq!(description["payload"]["format"], "bytes");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn describe(&self) -> String {
        description(self)
    }

    /// Whether its author declares that its first poll never blocks: `#[job("name", inline)]`. A call with a timeout
    /// polls such a job on the calling thread; it starts any other on the runner's thread.
    ///
    /// ```
    /// let inline = |name| palitra::jobs().into_iter().any(|job| job.name() == name && job.is_inline());
    /// assert!(inline("palitra.echo") && !inline("http.get"));
    /// ```
    pub fn is_inline(&self) -> bool {
        self.description.inline
    }

    /// Calls the handler. A refused payload and a panic are replies like any other.
    pub(crate) fn call(&self, request: &mut Request<'_>) -> Result<JobFuture, Reply> {
        if let Some(other) = self.other.get() {
            let Description { name, place, .. } = self.description;
            let message = format!("two jobs are registered as \"{name}\": at {place} and at {other}");
            return Err(JobError::from(message).into());
        }
        match catch_unwind(AssertUnwindSafe(|| (self.call)(request))) {
            Ok(Ok(future)) => Ok(if log::is_off() { future } else { self.named_in_the_log(future) }),
            Ok(Err(error)) => match request.postpone() {
                Some(postponed) => Ok(Box::pin(postponed.call(self.call))),
                None => Err(error.into()),
            },
            Err(panic) => Err(Reply::panicked(panic_message(panic))),
        }
    }
}

impl Job {
    /// What the job logs says its name.
    #[cold]
    fn named_in_the_log(&self, future: JobFuture) -> JobFuture {
        // At the level that every listener has.
        Box::pin(future.instrument(tracing::error_span!(target: "palitra", "job", name = self.name())))
    }
}

/// The text up to its first NUL.
fn c_string(text: &str) -> CString {
    let text = text.split('\0').next().unwrap_or_default();
    CString::new(text).unwrap_or_default()
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("name", &self.name()).field("input", &self.input()).finish_non_exhaustive()
    }
}

/// The text that a panic carried, and where it was if that is known.
pub(crate) fn panic_message(panic: Box<dyn std::any::Any + Send>) -> String {
    panics::with_place(text_of(panic))
}

fn text_of(panic: Box<dyn std::any::Any + Send>) -> String {
    let message = match panic.downcast::<String>() {
        Ok(message) => return *message,
        Err(panic) => match panic.downcast::<&'static str>() {
            Ok(message) => return message.to_string(),
            Err(other) => other,
        },
    };
    // One of the job's own type, which may panic once more.
    panics::discard(message);
    "the job panicked with something that is not text".to_string()
}
