//! The result of a job: a [`Reply`] with its [`Status`], [`Format`] and bytes, or a [`JobError`].
//!
//! Nearly every room below uses these types. The numbers are those of the C header and are never reused.

mod codes;
mod failure;

use std::borrow::Cow;
use std::ffi::{CStr, CString};
use std::fmt;
use std::sync::Arc;

pub use codes::{Details, ErrorCodes};
pub use failure::JobError;

/// How a call or a job ended. The same numbers as `palitra_status` in C.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(i32)]
pub enum Status {
    /// It succeeded.
    Ok = 0,
    /// It has not finished yet.
    Pending = 1,
    /// There is nothing more to come.
    End = 2,
    /// The job ran and returned an error of its own.
    JobFailed = 10,
    /// The job panicked; the runner lives on.
    JobPanicked = 11,
    /// The job was cancelled before it finished.
    Cancelled = 12,
    /// The job's deadline, or the timeout of its `run`, passed before it finished.
    Deadline = 13,
    /// The job refused its payload before it started: JSON that does not fit, text that is not UTF-8.
    BadPayload = 14,
    /// An argument is not one that the call takes.
    InvalidArgument = 20,
    /// The handle is stale, freed, forged or of another kind.
    InvalidHandle = 21,
    /// No job of that name is registered in this library.
    UnknownJob = 22,
    /// The runner has as many jobs in flight as it may have.
    Busy = 23,
    /// The payload is larger than the runner takes.
    TooLarge = 24,
    /// The call would block the runner's own thread.
    WouldDeadlock = 25,
    /// The runner was shut down.
    ShutDown = 26,
    /// The handle was made before this process was forked.
    Forked = 27,
    /// The library could not do its part: no thread, no memory map, or a defect of its own.
    Internal = 29,
}

impl Status {
    /// Every status, in the order of its number.
    pub const ALL: [Status; 17] = [
        Status::Ok,
        Status::Pending,
        Status::End,
        Status::JobFailed,
        Status::JobPanicked,
        Status::Cancelled,
        Status::Deadline,
        Status::BadPayload,
        Status::InvalidArgument,
        Status::InvalidHandle,
        Status::UnknownJob,
        Status::Busy,
        Status::TooLarge,
        Status::WouldDeadlock,
        Status::ShutDown,
        Status::Forked,
        Status::Internal,
    ];

    /// The status with this number, if there is one.
    pub fn from_number(number: i32) -> Option<Status> {
        Status::ALL.into_iter().find(|status| *status as i32 == number)
    }

    /// The name of its number in C, such as "PALITRA_OK".
    pub fn name(self) -> &'static str {
        self.texts().0.to_str().unwrap_or_default()
    }

    /// One sentence for a person.
    pub fn message(self) -> &'static str {
        self.texts().1.to_str().unwrap_or_default()
    }

    /// Name and message, as C has them too.
    pub(crate) fn texts(self) -> (&'static CStr, &'static CStr) {
        match self {
            Status::Ok => (c"PALITRA_OK", c"success"),
            Status::Pending => (c"PALITRA_PENDING", c"not finished yet"),
            Status::End => (c"PALITRA_END", c"nothing more to come"),
            Status::JobFailed => (c"PALITRA_JOB_FAILED", c"the job failed"),
            Status::JobPanicked => (c"PALITRA_JOB_PANICKED", c"the job panicked"),
            Status::Cancelled => (c"PALITRA_CANCELLED", c"the job was cancelled"),
            Status::Deadline => (c"PALITRA_DEADLINE", c"the deadline passed before the job finished"),
            Status::BadPayload => (c"PALITRA_BAD_PAYLOAD", c"the payload is not what the job takes"),
            Status::InvalidArgument => (c"PALITRA_INVALID_ARGUMENT", c"an argument is not valid"),
            Status::InvalidHandle => (c"PALITRA_INVALID_HANDLE", c"the handle is stale, freed or of another kind"),
            Status::UnknownJob => (c"PALITRA_UNKNOWN_JOB", c"no job of that name is registered"),
            Status::Busy => (c"PALITRA_BUSY", c"too many jobs are in flight"),
            Status::TooLarge => (c"PALITRA_TOO_LARGE", c"the payload is too large"),
            Status::WouldDeadlock => (c"PALITRA_WOULD_DEADLOCK", c"the call would block the runner's own thread"),
            Status::ShutDown => (c"PALITRA_SHUT_DOWN", c"the runner was shut down"),
            Status::Forked => (c"PALITRA_FORKED", c"the handle belongs to the parent process"),
            Status::Internal => (c"PALITRA_INTERNAL", c"the library could not do its part"),
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

/// What the bytes of a payload or a reply are. The same numbers as `palitra_format` in C.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum Format {
    /// Any bytes.
    Bytes = 0,
    /// UTF-8 text.
    Text = 1,
    /// One JSON value.
    Json = 2,
}

/// The result of a finished job: its status and its bytes, or why there are none.
///
/// On failure the data is the message, as UTF-8 text, and [`code`](Reply::code) the job's own number. A clone is
/// another reader of the same bytes. Behind data that is not [`Format::Bytes`] stands a NUL for C, not counted.
///
/// Two words, so that it passes from the job to its host in registers: as a struct of its parts it was copied
/// six times on the way, which took a third of the time of a whole `run`.
#[derive(Clone, Debug)]
pub struct Reply(Inner);

#[derive(Clone, Debug)]
enum Inner {
    /// Without bytes of its own: a success without a result, or an ending whose message is the status's.
    Plain {
        status: Status,
        format: Format,
    },
    Full(Arc<Body>),
}

/// A reply with bytes, shared by its readers.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) status: Status,
    pub(crate) code: i32,
    pub(crate) format: Format,
    /// Ends with a NUL unless the format is bytes.
    stored: Vec<u8>,
    /// What a failure says to programs, as JSON.
    details: Option<CString>,
}

impl Body {
    fn data(&self) -> &[u8] {
        match self.format {
            Format::Bytes => &self.stored,
            Format::Text | Format::Json => self.stored.strip_suffix(&[0]).unwrap_or_default(),
        }
    }

    /// The details of a failure, as C has them too.
    pub(crate) fn details(&self) -> Option<&CStr> {
        self.details.as_deref()
    }

    fn into_data(mut self) -> Vec<u8> {
        if self.format != Format::Bytes {
            self.stored.pop();
        }
        self.stored
    }
}

impl Reply {
    /// A success of any bytes, for a job that decides at run time what it returns, and for an
    /// [`IntoReply`](crate::IntoReply) of a type of your own. Text is a `String` or a `Json` turned into one by
    /// `into_reply()`.
    ///
    /// ```
    /// # use palitra::{Format, IntoReply, Json, Reply};
    /// let reply = Reply::bytes(b"\x89PNG");
    /// assert_eq!((reply.format(), reply.data()), (Format::Bytes, &b"\x89PNG"[..]));
    /// assert_eq!(Json([1, 2]).into_reply().text(), "[1,2]");
    /// ```
    pub fn bytes(data: impl Into<Vec<u8>>) -> Reply {
        Reply::success(Format::Bytes, data.into())
    }

    /// A success.
    pub(crate) fn success(format: Format, data: Vec<u8>) -> Reply {
        if data.is_empty() {
            return Reply(Inner::Plain { status: Status::Ok, format });
        }
        Reply::full(Status::Ok, 0, format, data)
    }

    /// An ending without a result; the message is the status's own.
    pub(crate) fn ending(status: Status) -> Reply {
        Reply(Inner::Plain { status, format: Format::Text })
    }

    /// An ending with a message of its own: the call was refused, and this says why in full.
    pub(crate) fn refused(error: Error) -> Reply {
        Reply::failed(error.status, error.code, error.message.into_owned(), error.details.as_deref())
    }

    /// A job failed so, with a code, a message, and perhaps details in JSON.
    #[cold]
    pub(crate) fn failed(status: Status, code: i32, message: String, details: Option<&str>) -> Reply {
        // JSON has no NUL.
        let details = details.and_then(|details| CString::new(details).ok());
        Reply::with_body(Body { status, code, format: Format::Text, stored: message.into_bytes(), details })
    }

    /// The job panicked with this message.
    pub(crate) fn panicked(message: String) -> Reply {
        Reply::full(Status::JobPanicked, 0, Format::Text, message.into_bytes())
    }

    #[inline(always)]
    fn full(status: Status, code: i32, format: Format, stored: Vec<u8>) -> Reply {
        Reply::with_body(Body { status, code, format, stored, details: None })
    }

    /// Whose bytes lack their NUL yet.
    #[inline(always)]
    fn with_body(mut body: Body) -> Reply {
        if body.format != Format::Bytes {
            // Exactly one more: a push alone would double a long text that fills its vector.
            body.stored.reserve_exact(1);
            body.stored.push(0);
        }
        Reply(Inner::Full(Arc::new(body)))
    }

    /// What holds the bytes, if they are the reply's own.
    pub(crate) fn into_body(self) -> Option<Arc<Body>> {
        match self.0 {
            Inner::Plain { .. } => None,
            Inner::Full(body) => Some(body),
        }
    }

    /// How the job ended.
    pub fn status(&self) -> Status {
        match &self.0 {
            Inner::Plain { status, .. } => *status,
            Inner::Full(body) => body.status,
        }
    }

    /// Whether the job succeeded.
    pub fn is_ok(&self) -> bool {
        self.status() == Status::Ok
    }

    /// The number the job gave its failure; 0 otherwise.
    pub fn code(&self) -> i32 {
        match &self.0 {
            Inner::Plain { .. } => 0,
            Inner::Full(body) => body.code,
        }
    }

    /// What a failure says to programs, as JSON: the details that its [`JobError`] has.
    pub fn details(&self) -> Option<&str> {
        match &self.0 {
            Inner::Plain { .. } => None,
            Inner::Full(body) => body.details()?.to_str().ok(),
        }
    }

    /// What the data is.
    pub fn format(&self) -> Format {
        match &self.0 {
            Inner::Plain { format, .. } => *format,
            Inner::Full(body) => body.format,
        }
    }

    /// The bytes: the result, or the message of a failure.
    pub fn data(&self) -> &[u8] {
        match &self.0 {
            // Not just any empty slice: a NUL stands behind it.
            Inner::Plain { status: Status::Ok, .. } => c"".to_bytes(),
            Inner::Plain { status, .. } => status.message().as_bytes(),
            Inner::Full(body) => body.data(),
        }
    }

    /// The data as text; bytes that are not UTF-8 become U+FFFD.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.data())
    }

    /// The bytes as a vector; copied only where another reader shares them.
    pub fn into_bytes(self) -> Vec<u8> {
        match self.0 {
            Inner::Plain { .. } => self.data().to_vec(),
            Inner::Full(body) => Arc::try_unwrap(body).map_or_else(|shared| shared.data().to_vec(), Body::into_data),
        }
    }

    /// The reply as a result: itself if the job succeeded, else an [`Error`] with status, code, message and details.
    pub fn into_result(self) -> Result<Reply, Error> {
        if self.is_ok() {
            return Ok(self);
        }
        let message = self.text().into_owned();
        let details = self.details().map(Box::from);
        Err(Error { status: self.status(), code: self.code(), message: message.into(), details })
    }
}

/// Why a call of the Rust API did not give a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    status: Status,
    code: i32,
    message: Cow<'static, str>,
    details: Option<Box<str>>,
}

impl Error {
    /// The status that the same call returns in C.
    pub fn status(&self) -> Status {
        self.status
    }

    /// The job's own number when the status is [`Status::JobFailed`]; 0 otherwise.
    pub fn code(&self) -> i32 {
        self.code
    }

    /// The details of a job's failure as JSON, if it has some: see [`JobError::with_details`].
    pub fn details(&self) -> Option<&str> {
        self.details.as_deref()
    }

    pub(crate) fn new(status: Status, message: impl Into<Cow<'static, str>>) -> Error {
        Error { status, code: 0, message: message.into(), details: None }
    }
}

impl From<Status> for Error {
    fn from(status: Status) -> Error {
        Error::new(status, status.message())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
