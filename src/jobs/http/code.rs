//! The codes of a failed HTTP job, and the messages that go with them.
//!
//! 0 is for a payload that is not the JSON that the job takes; from 100 on the code is the status that the server
//! returned to `http.bytes`. Numbers are never reused.

use std::error::Error;
use std::fmt::Display;
use std::io;
use std::iter::successors;
use std::time::Duration;

use reqwest::{StatusCode, Url};

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

/// What the library says went wrong with the request to `url`. The innermost cause says most.
pub(super) fn from_library(url: &Url, error: &reqwest::Error) -> JobError {
    let causes: Vec<_> = successors(Some(error as &(dyn Error + 'static)), |&error| error.source()).collect();
    let innermost = causes.last().map(ToString::to_string).unwrap_or_default();
    if let Some(error) = causes.iter().find_map(|cause| tls_error(*cause)) {
        return JobError::new(TLS, format!("{url}: {error}"));
    }
    if error.is_connect() {
        return JobError::new(CANNOT_CONNECT, format!("{url}: cannot connect: {innermost}"));
    }
    if error.is_builder() {
        return JobError::new(INVALID_REQUEST, format!("{url}: {innermost}"));
    }
    broken(url, format_args!("the response is broken: {innermost}"))
}

/// TLS errors travel inside I/O errors, which do not name what is inside them as their source.
fn tls_error<'a>(cause: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    match cause.downcast_ref::<io::Error>() {
        Some(outer) => outer.get_ref().and_then(|inner| tls_error(inner)),
        None => cause.downcast_ref(),
    }
}
