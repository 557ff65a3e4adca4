//! The failure that a job returns, and what errors of other libraries become of it.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt::{self, Write};

use serde::Serialize;

use super::{Error, Reply, Status};

/// A failure that a job returns: a number of its own and a message for people.
///
/// ```
/// # use palitra::JobError;
/// let error = JobError::new(404, "no such page");
/// assert_eq!((error.code(), error.message()), (404, "no such page"));
/// ```
///
/// `?` makes one of an [`std::io::Error`], a text, the [`Error`] of another job, a boxed error and, with
/// the feature `anyhow`, an `anyhow::Error`. A job whose errors are of many kinds returns a `Result<_, Box<dyn Error +
/// Send + Sync>>`: there `?` takes every kind. An enum of errors gets its codes by
/// [`#[derive(ErrorCodes)]`](crate::ErrorCodes).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobError {
    status: Status,
    code: i32,
    message: Cow<'static, str>,
    details: Option<Box<str>>,
}

impl JobError {
    /// The code of a failure that has no number of its own.
    pub const UNSPECIFIED: i32 = 0;

    /// A failure with the job's own code.
    pub fn new(code: i32, message: impl Into<Cow<'static, str>>) -> JobError {
        JobError { status: Status::JobFailed, code, message: message.into(), details: None }
    }

    /// A failure with the job's own code. Its message is what the error says, and then what its causes say.
    ///
    /// ```
    /// # use palitra::JobError;
    /// let port = "none".parse::<u16>().map_err(|error| JobError::from_error(2, &error));
    /// assert_eq!(port, Err(JobError::new(2, "invalid digit found in string")));
    /// ```
    pub fn from_error(code: i32, error: &(dyn StdError + 'static)) -> JobError {
        JobError::new(code, with_causes(error))
    }

    /// The payload is not what the job takes: an extractor's error. The reply says [`Status::BadPayload`], which
    /// distinguishes a mistake of the host's from a failure of the job.
    pub fn bad_payload(message: impl Into<Cow<'static, str>>) -> JobError {
        JobError { status: Status::BadPayload, ..JobError::new(JobError::UNSPECIFIED, message) }
    }

    /// The same failure with details for programs, as JSON: the SQLSTATE of a database, the field of a form that is
    /// wrong. Hosts read them beside code and message. Details that cannot be written as JSON leave the failure without
    /// them, and its message says why.
    ///
    /// ```
    /// # use std::collections::HashMap;
    /// # use palitra::JobError;
    /// let error = JobError::new(2, "the name is taken").with_details(HashMap::from([("sqlstate", "23505")]));
    /// assert_eq!(error.details(), Some(r#"{"sqlstate":"23505"}"#));
    /// ```
    pub fn with_details(mut self, details: impl Serialize) -> JobError {
        match serde_json::to_string(&details) {
            Ok(details) => self.details = Some(details.into()),
            Err(error) => {
                let _ = write!(self.message.to_mut(), " (its details cannot be written as JSON: {error})");
            }
        }
        self
    }

    /// A payload of another shape than the job takes.
    pub(crate) fn does_not_fit(what: impl fmt::Display) -> JobError {
        JobError::bad_payload(format!("the payload does not fit: {what}"))
    }

    /// The job's own number; 0 where it gave none.
    pub fn code(&self) -> i32 {
        self.code
    }

    /// What went wrong.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The details as JSON, if it has some.
    pub fn details(&self) -> Option<&str> {
        self.details.as_deref()
    }
}

/// What an error says, then each of its causes behind a colon. A cause that the text ends with already is not repeated:
/// many libraries say it themselves.
fn with_causes(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let said = cause.to_string();
        if !text.ends_with(&said) {
            let _ = write!(text, ": {said}");
        }
        next = cause.source();
    }
    text
}

impl fmt::Display for JobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for JobError {}

impl From<String> for JobError {
    fn from(message: String) -> JobError {
        JobError::new(JobError::UNSPECIFIED, message)
    }
}

impl From<&'static str> for JobError {
    fn from(message: &'static str) -> JobError {
        JobError::new(JobError::UNSPECIFIED, message)
    }
}

impl From<std::io::Error> for JobError {
    fn from(error: std::io::Error) -> JobError {
        JobError::from_error(JobError::UNSPECIFIED, &error)
    }
}

/// A boxed [`JobError`] stays what it is, and so does the error of another job. The message of any other says its causes.
impl From<Box<dyn StdError + Send + Sync>> for JobError {
    fn from(error: Box<dyn StdError + Send + Sync>) -> JobError {
        let error = match error.downcast::<JobError>() {
            Ok(error) => return *error,
            Err(error) => error,
        };
        match error.downcast::<Error>() {
            Ok(error) => JobError::from(*error),
            Err(error) => JobError::from_error(JobError::UNSPECIFIED, &*error),
        }
    }
}

#[cfg(feature = "anyhow")]
impl From<anyhow::Error> for JobError {
    fn from(error: anyhow::Error) -> JobError {
        JobError::from(Box::<dyn StdError + Send + Sync>::from(error))
    }
}

/// A job that another job failed in fails with the same code, message and details. If the other panicked, was cancelled or
/// passed its deadline, the reply says so, too.
impl From<Error> for JobError {
    fn from(error: Error) -> JobError {
        let status = match error.status {
            ended @ (Status::JobPanicked | Status::Cancelled | Status::Deadline) => ended,
            _ => Status::JobFailed,
        };
        JobError { status, code: error.code, message: error.message, details: error.details }
    }
}

impl From<JobError> for Reply {
    fn from(error: JobError) -> Reply {
        Reply::failed(error.status, error.code, error.message.into_owned(), error.details.as_deref())
    }
}
