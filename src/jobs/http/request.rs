//! What a host asks for, checked before anything is sent.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::header::{CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue, TRANSFER_ENCODING};
use reqwest::{Method, Url};
use serde::Deserialize;

use super::code;
use crate::reply::JobError;

const DEFAULT_TIMEOUT: f64 = 30.0;
/// A year: as good as none, and far from what a clock cannot add.
const LONGEST_TIMEOUT: f64 = 365.0 * 24.0 * 3600.0;
const DEFAULT_MAX_BYTES: u64 = 64 << 20;
const DEFAULT_REDIRECTS: u32 = 10;
/// As long as the library sends it; servers take far less.
const LONGEST_URL: usize = 65_534;
/// Far more than a server takes, far less than the header map holds.
const MAX_HEADERS: usize = 1000;

/// What `http.get` and `http.bytes` take.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Get {
    /// An absolute URL, `http` or `https`. A name and password in it are sent as Basic authorization.
    pub url: String,
    /// Sent as they are. Lengths are set by the client.
    pub headers: Option<BTreeMap<String, String>>,
    /// Seconds from the first connection to the end of the body, redirects included; 30 if left out.
    pub timeout: Option<f64>,
    /// The largest body that is accepted; 64 MiB if left out.
    pub max_bytes: Option<u64>,
    /// How many redirects are followed, 10 if left out; with 0 the redirect itself is the response.
    pub redirects: Option<u32>,
}

/// What `http.request` takes: the fields of [`Get`], and two more.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// See [`Get::url`].
    pub url: String,
    /// The method, in upper case; GET if left out.
    pub method: Option<String>,
    /// See [`Get::headers`]. No content type is sent but the one named here.
    pub headers: Option<BTreeMap<String, String>>,
    /// The body, sent as UTF-8; none if left out.
    pub body: Option<String>,
    /// See [`Get::timeout`].
    pub timeout: Option<f64>,
    /// See [`Get::max_bytes`].
    pub max_bytes: Option<u64>,
    /// See [`Get::redirects`].
    pub redirects: Option<u32>,
}

impl From<Get> for Request {
    fn from(get: Get) -> Request {
        let Get { url, headers, timeout, max_bytes, redirects } = get;
        Request { url, method: None, headers, body: None, timeout, max_bytes, redirects }
    }
}

/// A checked request, ready to be sent, and its limits.
pub(super) struct PreparedRequest {
    pub(super) request: reqwest::Request,
    pub(super) timeout: Duration,
    pub(super) max_bytes: u64,
    pub(super) redirects: u32,
}

impl Request {
    /// Checks every field; the first that cannot be sent is the failure.
    pub(super) fn prepare(self, client: &reqwest::Client) -> Result<PreparedRequest, JobError> {
        let method = method(self.method.as_deref().unwrap_or("GET"))?;
        let url = url(&self.url)?;
        let headers = headers(self.headers.unwrap_or_default())?;
        let timeout = timeout(self.timeout.unwrap_or(DEFAULT_TIMEOUT))?;
        // Through the builder, which moves a name and password from the url to a header.
        let mut builder = client.request(method, url.clone()).headers(headers);
        if let Some(body) = self.body {
            builder = builder.body(body);
        }
        Ok(PreparedRequest {
            request: builder.build().map_err(|error| code::from_library(&url, &error))?,
            timeout,
            max_bytes: self.max_bytes.unwrap_or(DEFAULT_MAX_BYTES),
            redirects: self.redirects.unwrap_or(DEFAULT_REDIRECTS),
        })
    }
}

fn method(name: &str) -> Result<Method, JobError> {
    match Method::from_bytes(name.as_bytes()) {
        Ok(Method::CONNECT) => Err(code::invalid("the method CONNECT opens a tunnel, for which a reply has no room")),
        Ok(method) => Ok(method),
        Err(_) => Err(code::invalid(format_args!("{name:?} is not an HTTP method"))),
    }
}

fn url(text: &str) -> Result<Url, JobError> {
    if text.len() > LONGEST_URL {
        return Err(code::invalid(format_args!("the url has {} bytes; {LONGEST_URL} are allowed", text.len())));
    }
    let url = Url::parse(text).map_err(|error| code::invalid(format_args!("the url {text:?} is not one: {error}")))?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        other => Err(code::invalid(format_args!("the url {text:?} is of the scheme {other}, not http or https"))),
    }
}

fn headers(fields: BTreeMap<String, String>) -> Result<HeaderMap, JobError> {
    if fields.len() > MAX_HEADERS {
        return Err(code::invalid(format_args!("{} headers; {MAX_HEADERS} are allowed", fields.len())));
    }
    let mut headers = HeaderMap::with_capacity(fields.len());
    for (name, value) in &fields {
        // Two names that differ only in case are one header with two values.
        headers.append(header_name(name)?, header_value(name, value)?);
    }
    Ok(headers)
}

fn header_name(name: &str) -> Result<HeaderName, JobError> {
    match HeaderName::from_bytes(name.as_bytes()) {
        // A length that does not match the body would let one request be read as two.
        Ok(CONTENT_LENGTH | TRANSFER_ENCODING) => {
            Err(code::invalid(format_args!("the header {name:?} follows from the body and cannot be set")))
        }
        Ok(name) => Ok(name),
        Err(_) => Err(code::invalid(format_args!("{name:?} is not a header name"))),
    }
}

/// The value may be a secret, so the message does without it.
fn header_value(name: &str, value: &str) -> Result<HeaderValue, JobError> {
    HeaderValue::from_str(value).map_err(|_| {
        code::invalid(format_args!("the value of the header {name:?} holds a line break or another control character"))
    })
}

fn timeout(seconds: f64) -> Result<Duration, JobError> {
    // Written so that NaN is refused too.
    if seconds > 0.0 && seconds <= LONGEST_TIMEOUT {
        return Ok(Duration::from_secs_f64(seconds));
    }
    Err(code::invalid(format_args!(
        "the timeout is {seconds} seconds; more than 0 and at most {LONGEST_TIMEOUT} are allowed"
    )))
}
