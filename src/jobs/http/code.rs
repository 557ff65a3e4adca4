//! The codes of a failed HTTP job, and the messages that go with them.
//!
//! 0 is for a payload that is not the JSON that the job takes; from 100 on the code is the status that the server
//! returned to `http.bytes`. Numbers are never reused.

use std::error::Error;
use std::fmt::Display;
use std::io;
use std::iter::successors;
use std::time::Duration;

use hyper::StatusCode;
use url::Url;

use super::connect::ProxyError;
use super::content::Unreadable;
use super::produced::Unproduced;
use crate::reply::JobError;

/// The request cannot be sent as it is: an invalid url, method, header or timeout.
pub const INVALID_REQUEST: i32 = 1;
/// The server cannot be reached: its name is unknown, it refused, the network is down.
pub const CANNOT_CONNECT: i32 = 2;
/// The request's timeout passed before the response was complete.
pub const TIMEOUT: i32 = 3;
/// More redirects than the request allows.
pub const TOO_MANY_REDIRECTS: i32 = 4;
/// The body is larger than the request allows.
pub const BODY_TOO_LARGE: i32 = 5;
/// The server's certificate is not trusted, or the encrypted connection failed.
pub const TLS: i32 = 6;
/// The response is not HTTP, or broke off.
pub const BROKEN_RESPONSE: i32 = 7;

/// The body is not text in its charset, or the charset is unknown. `http.bytes` and `http.fetch` have the bytes.
pub const NOT_TEXT: i32 = 8;

/// The file of a download is there already.
pub const FILE_EXISTS: i32 = 9;
/// There is no space for the file of a download: the disk is full, or a quota or a limit is reached.
pub const NO_SPACE: i32 = 10;
/// The file of a download cannot be written, for another reason.
pub const CANNOT_WRITE: i32 = 11;

/// A file that is to be sent cannot be read, or became shorter meanwhile.
pub const CANNOT_READ: i32 = 12;

/// The job that produces the body failed, or its items are not of the announced length.
pub const BODY_FAILED: i32 = 13;

pub(super) fn invalid(what: impl Display) -> JobError {
    JobError::new(INVALID_REQUEST, what.to_string())
}

pub(super) fn timeout(url: &Url, timeout: Duration) -> JobError {
    JobError::new(TIMEOUT, format!("{url}: no complete response within {} seconds", timeout.as_secs_f64()))
}

pub(super) fn too_many_redirects(url: &Url, limit: u32) -> JobError {
    JobError::new(TOO_MANY_REDIRECTS, format!("{url}: a further redirect after the {limit} that are allowed"))
}

pub(super) fn too_large(url: &Url, limit: u64) -> JobError {
    JobError::new(BODY_TOO_LARGE, format!("{url}: the body is larger than the {limit} bytes that are allowed"))
}

pub(super) fn not_text(url: &Url, what: impl Display) -> JobError {
    JobError::new(NOT_TEXT, format!("{url}: {what}"))
}

/// What went wrong with the file of a download.
pub(super) fn file(url: &Url, path: &str, error: &io::Error) -> JobError {
    let code = match error.kind() {
        io::ErrorKind::AlreadyExists => FILE_EXISTS,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => NO_SPACE,
        _ => CANNOT_WRITE,
    };
    JobError::new(code, format!("{url}: the file {path:?} cannot be written: {error}"))
}

pub(super) fn broken(url: &Url, what: impl Display) -> JobError {
    JobError::new(BROKEN_RESPONSE, format!("{url}: {what}"))
}

pub(super) fn unsuccessful(url: &Url, status: StatusCode) -> JobError {
    JobError::new(status.as_u16().into(), format!("{url}: the server returned {status}"))
}

/// The client itself cannot be made.
pub(super) fn no_client(error: impl Display) -> JobError {
    JobError::new(TLS, format!("the HTTP client cannot be made: {error}"))
}

/// The time was over before the request's turn came.
pub(super) fn no_turn(url: &Url, timeout: Duration) -> JobError {
    JobError::new(TIMEOUT, format!("{url}: waited {} seconds for its turn in vain", timeout.as_secs_f64()))
}

/// What keeps a file from being sent.
pub(super) fn unreadable(error: &Unreadable) -> JobError {
    JobError::new(CANNOT_READ, error.to_string())
}

/// What went wrong with the exchange over a connection.
pub(super) fn from_library(url: &Url, error: &(dyn Error + 'static)) -> JobError {
    if let Some(error) = causes(error).find_map(|cause| cause.downcast_ref()) {
        return unreadable(error);
    }
    if let Some(error) = causes(error).find_map(|cause| cause.downcast_ref::<Unproduced>()) {
        return JobError::new(BODY_FAILED, error.to_string());
    }
    tls(url, error).unwrap_or_else(|| broken(url, format_args!("the response is broken: {}", innermost(error))))
}

/// What went wrong while a connection was made. A proxy is named: the cause alone would not say who it was.
pub(super) fn not_connected(url: &Url, error: &(dyn Error + 'static)) -> JobError {
    let who = proxy(error);
    tls(url, error)
        .unwrap_or_else(|| JobError::new(CANNOT_CONNECT, format!("{url}: cannot connect: {who}{}", innermost(error))))
}

fn tls(url: &Url, error: &(dyn Error + 'static)) -> Option<JobError> {
    let found = causes(error).find_map(tls_error)?;
    Some(JobError::new(TLS, format!("{url}: {}{found}", proxy(error))))
}

fn proxy(error: &(dyn Error + 'static)) -> String {
    causes(error).find(|cause| cause.is::<ProxyError>()).map_or(String::new(), |proxy| format!("{proxy}: "))
}

/// The innermost cause says most.
fn innermost(error: &(dyn Error + 'static)) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default()
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    successors(Some(error), |&error| error.source())
}

/// Whether the connection was closed before anything of a response came.
pub(super) fn is_closed(error: &(dyn Error + 'static)) -> bool {
    causes(error).any(|cause| {
        let by_hyper = cause.downcast_ref::<hyper::Error>();
        let by_system = cause.downcast_ref::<io::Error>();
        by_hyper.is_some_and(|error| error.is_incomplete_message() || error.is_canceled() || error.is_closed())
            || by_system
                .is_some_and(|error| matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe))
    })
}

/// TLS errors travel inside I/O errors, which do not name what is inside them as their source.
fn tls_error<'a>(cause: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    match cause.downcast_ref::<io::Error>() {
        Some(outer) => outer.get_ref().and_then(|inner| tls_error(inner)),
        None => cause.downcast_ref(),
    }
}
