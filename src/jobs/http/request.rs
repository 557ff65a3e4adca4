//! What a host asks for, checked before anything is sent.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use hyper::Method;
use hyper::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RANGE,
    TRANSFER_ENCODING,
};
use percent_encoding::percent_decode_str;
use url::{Url, form_urlencoded};

use super::code;
use super::content::{Piece, Source};
use super::exchange::Outgoing;
use super::multipart;
use super::payload::{BodyFrom, Common, Download, Fetch, Field, Fields, Get, GetBytes, Part, Request, Stream};
use super::produced::Producer;
use super::shown::shown;
use super::unpack::ACCEPTED;
use crate::job::Context;
use crate::reply::JobError;

const DEFAULT_TIMEOUT: f64 = 30.0;
/// A year: as good as none, and far from what a clock cannot add.
const LONGEST_TIMEOUT: f64 = 365.0 * 24.0 * 3600.0;
const DEFAULT_MAX_BYTES: u64 = 64 << 20;
const DEFAULT_REDIRECTS: u32 = 10;
/// As long as the library sends it; servers take far less.
pub(super) const LONGEST_URL: usize = 65_534;
/// Far more than a server takes, far less than the header map holds.
const MAX_HEADERS: usize = 1000;

/// A checked request, ready to be sent, and its limits.
pub(super) struct Prepared {
    pub(super) outgoing: Outgoing,
    /// The response may be compressed, which the host did not ask for and does not notice.
    pub(super) unpack: bool,
    pub(super) timeout: Duration,
    pub(super) timeout_includes_wait: bool,
    pub(super) max_bytes: u64,
    pub(super) redirects: u32,
}

impl Get {
    pub(super) fn prepare(mut self) -> Result<Prepared, JobError> {
        self.common().prepare(Method::GET, Source::empty())
    }
}

impl GetBytes {
    pub(super) fn prepare(mut self) -> Result<Prepared, JobError> {
        self.common().prepare(Method::GET, Source::empty())
    }
}

impl Stream {
    pub(super) fn prepare(mut self) -> Result<Prepared, JobError> {
        // Of any size: it is never held whole.
        self.max_bytes.get_or_insert(u64::MAX);
        self.common().prepare(Method::GET, Source::empty())
    }
}

impl Download {
    pub(super) fn prepare(mut self) -> Result<Prepared, JobError> {
        self.max_bytes.get_or_insert(u64::MAX);
        let mut prepared = self.common().prepare(Method::GET, Source::empty())?;
        if prepared.unpack {
            // The file is to be what the server has, and its parts fit together.
            prepared.outgoing.headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
            prepared.unpack = false;
        }
        Ok(prepared)
    }
}

impl Request {
    pub(super) async fn prepare(mut self, context: &Context) -> Result<Prepared, JobError> {
        let body = self.body.take().map(Bytes::from);
        let (form, multipart) = (self.form.take(), self.multipart.take());
        let bodies = Bodies { body, form, multipart, file: self.body_file.take(), job: self.body_from.take() };
        bodies.prepare(self.common(), self.method.as_deref(), context).await
    }
}

impl Fetch {
    pub(super) async fn prepare(mut self, body: Option<Bytes>, context: &Context) -> Result<Prepared, JobError> {
        let (form, multipart) = (self.form.take(), self.multipart.take());
        let bodies = Bodies { body, form, multipart, file: self.body_file.take(), job: self.body_from.take() };
        bodies.prepare(self.common(), self.method.as_deref(), context).await
    }
}

/// The ways to say what the body is, of which a request has one at most.
struct Bodies {
    body: Option<Bytes>,
    form: Option<Fields>,
    multipart: Option<Vec<Part>>,
    file: Option<String>,
    job: Option<BodyFrom>,
}

impl Bodies {
    async fn prepare(self, common: Common, method_name: Option<&str>, context: &Context) -> Result<Prepared, JobError> {
        let special = self.special();
        let method = method(method_name.unwrap_or(if special > 0 { "POST" } else { "GET" }))?;
        if usize::from(self.body.is_some()) + special > 1 {
            let message = "a body, a form, a multipart form, a file or a job: only one of them can be sent";
            return Err(code::invalid(message));
        }
        let mut prepared = common.prepare(method, Source::Bytes(self.body.unwrap_or_default()))?;
        let outgoing = &mut prepared.outgoing;
        if let Some(form) = self.form {
            outgoing.body = Source::Bytes(encoded(&form));
            let content_type = HeaderValue::from_static("application/x-www-form-urlencoded");
            outgoing.headers.entry(CONTENT_TYPE).or_insert(content_type);
        } else if let Some(parts) = self.multipart {
            let boundary = multipart::boundary();
            let content_type = format!("multipart/form-data; boundary={boundary}");
            let content_type = HeaderValue::try_from(content_type).map_err(code::invalid)?;
            if outgoing.headers.insert(CONTENT_TYPE, content_type).is_some() {
                return Err(code::invalid("\"multipart\" and the header \"content-type\" exclude each other"));
            }
            outgoing.body = measure(multipart::pieces(parts, &boundary)?).await?;
        } else if let Some(path) = self.file {
            outgoing.body = measure(vec![Piece::File(path, 0)]).await?;
        } else if let Some(from) = self.job {
            outgoing.body = Source::Job(Arc::new(Producer::new(from, context)));
        }
        Ok(prepared)
    }

    /// How many of those there are that are no plain bytes.
    fn special(&self) -> usize {
        let special = [self.form.is_some(), self.multipart.is_some(), self.file.is_some(), self.job.is_some()];
        special.into_iter().map(usize::from).sum()
    }
}

async fn measure(pieces: Vec<Piece>) -> Result<Source, JobError> {
    Source::measure(pieces).await.map_err(|error| code::unreadable(&error))
}

fn encoded(form: &Fields) -> Bytes {
    let mut written = form_urlencoded::Serializer::new(String::new());
    each(form, |name, value| {
        written.append_pair(name, value);
    });
    written.finish().into()
}

impl Common {
    /// Checks every field; the first that cannot be sent is the failure.
    fn prepare(self, method: Method, body: Source) -> Result<Prepared, JobError> {
        let mut url = url(&self.url)?;
        let in_url = take_credentials(&mut url);
        if let Some(query) = &self.query {
            let mut pairs = url.query_pairs_mut();
            each(query, |name, value| {
                pairs.append_pair(name, value);
            });
        }
        length_is_allowed(url.as_str().len())?;
        let mut headers = headers(self.headers)?;
        if let Some(authorization) = authorization(self.basic, self.bearer, &headers)?.or(in_url) {
            headers.entry(AUTHORIZATION).or_insert(authorization);
        }
        // Who asks for a part of the body counts its bytes, and who names codings wants them.
        let unpack = !headers.contains_key(ACCEPT_ENCODING) && !headers.contains_key(RANGE);
        if unpack {
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(ACCEPTED));
        }
        Ok(Prepared {
            outgoing: Outgoing { method, url, headers, body },
            unpack,
            timeout: seconds("the timeout", self.timeout.unwrap_or(DEFAULT_TIMEOUT))?,
            timeout_includes_wait: self.timeout_includes_wait.unwrap_or(false),
            max_bytes: self.max_bytes.unwrap_or(DEFAULT_MAX_BYTES),
            redirects: self.redirects.unwrap_or(DEFAULT_REDIRECTS),
        })
    }
}

/// Every name with each of its values.
fn each(fields: &Fields, mut take: impl FnMut(&str, &str)) {
    fn values(field: &Field, take: &mut dyn FnMut(&str)) {
        match field {
            Field::Text(text) => take(text),
            Field::Number(number) => take(&number.to_string()),
            Field::Flag(flag) => take(if *flag { "true" } else { "false" }),
            Field::Many(fields) => fields.iter().for_each(|field| values(field, take)),
        }
    }
    for (name, field) in fields {
        values(field, &mut |value| take(name, value));
    }
}

/// The authorization that the fields ask for. The messages show none of it.
fn authorization(
    name_and_password: Option<(String, String)>,
    bearer: Option<String>,
    headers: &HeaderMap,
) -> Result<Option<HeaderValue>, JobError> {
    let wanted = usize::from(name_and_password.is_some()) + usize::from(bearer.is_some());
    if wanted + usize::from(wanted > 0 && headers.contains_key(AUTHORIZATION)) > 1 {
        return Err(code::invalid("\"basic\", \"bearer\" and the header \"authorization\" exclude each other"));
    }
    if let Some((name, password)) = name_and_password {
        if name.contains(':') {
            return Err(code::invalid("the name for \"basic\" has a colon, which would end it"));
        }
        return Ok(Some(basic(name.as_bytes(), password.as_bytes())));
    }
    let Some(token) = bearer else { return Ok(None) };
    let mut value = HeaderValue::try_from(format!("Bearer {token}"))
        .map_err(|_| code::invalid("the token for \"bearer\" holds a line break or another control character"))?;
    value.set_sensitive(true);
    Ok(Some(value))
}

/// The name and password of a url as Basic authorization. No message shows them, as the url is without them.
fn take_credentials(url: &mut Url) -> Option<HeaderValue> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let name: Vec<u8> = percent_decode_str(url.username()).collect();
    let password: Vec<u8> = percent_decode_str(url.password().unwrap_or("")).collect();
    // Both succeed on http and https.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    Some(basic(&name, &password))
}

fn basic(name: &[u8], password: &[u8]) -> HeaderValue {
    let encoded = BASE64_STANDARD.encode([name, b":", password].concat());
    let value = HeaderValue::try_from(format!("Basic {encoded}"));
    // Base64 has nothing that a header could not.
    let mut value = value.unwrap_or(HeaderValue::from_static(""));
    value.set_sensitive(true);
    value
}

fn method(name: &str) -> Result<Method, JobError> {
    match Method::from_bytes(name.as_bytes()) {
        Ok(Method::CONNECT) => Err(code::invalid("the method CONNECT opens a tunnel, for which a reply has no room")),
        Ok(method) => Ok(method),
        Err(_) => Err(code::invalid(format_args!("{name:?} is not an HTTP method"))),
    }
}

fn length_is_allowed(length: usize) -> Result<(), JobError> {
    if length <= LONGEST_URL {
        return Ok(());
    }
    Err(code::invalid(format_args!("the url has {length} bytes; {LONGEST_URL} are allowed")))
}

fn url(text: &str) -> Result<Url, JobError> {
    // Before it is read: it may have megabytes.
    length_is_allowed(text.len())?;
    let mut url = Url::parse(text)
        .map_err(|error| code::invalid(format_args!("the url {:?} is not one: {error}", shown(text))))?;
    // It stays with the host.
    url.set_fragment(None);
    match url.scheme() {
        "http" | "https" => Ok(url),
        other => {
            Err(code::invalid(format_args!("the url {:?} is of the scheme {other}, not http or https", shown(text))))
        }
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

/// A time that a host sets, by what it calls it.
pub(super) fn seconds(what: &str, seconds: f64) -> Result<Duration, JobError> {
    // Written so that NaN is refused too.
    if seconds > 0.0 && seconds <= LONGEST_TIMEOUT {
        return Ok(Duration::from_secs_f64(seconds));
    }
    Err(code::invalid(format_args!(
        "{what} is {seconds} seconds; more than 0 and at most {LONGEST_TIMEOUT} are allowed"
    )))
}
