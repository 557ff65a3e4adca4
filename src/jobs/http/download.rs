//! `http.download`: a page becomes a file, without being held whole, and goes on where an earlier try ended.

use std::io;
use std::path::PathBuf;

use hyper::StatusCode;
use hyper::header::{CONTENT_RANGE, ETAG, HeaderMap, HeaderValue, IF_RANGE, LAST_MODIFIED, RANGE};
use serde::Serialize;
use tokio::time::Instant;
use url::Url;

use super::client::Client;
use super::code;
use super::exchange::{Begun, Outgoing};
use super::file::{Plan, Writer};
use super::page::{self, Head};
use super::payload::Download;
use super::request::Prepared;
use super::response::Fetched;
use super::shown::short;
use super::turns::Turn;
use crate::job::Context;
use crate::reply::JobError;

/// What `http.download` leaves.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Downloaded {
    /// Of the response: 200, or 206 if an earlier download was resumed.
    #[serde(flatten)]
    pub head: Head,
    /// Where the file is.
    pub path: String,
    /// Its length.
    pub bytes: u64,
}

pub(super) async fn download(client: &Client, download: Download, context: &Context) -> Result<Downloaded, JobError> {
    let path = download.path.clone();
    let plan = plan(&download)?;
    let prepared = download.prepare()?;
    let asked = prepared.outgoing.clone();

    // Before the file, which takes a thread.
    let turn = client.turn(&prepared).await?;
    let made = Writer::new(plan).await;
    let (writer, found) = made.map_err(|error| code::file(&asked.url, &path, &error))?;
    let before = found.and_then(|found| {
        let validator = validator(&asked.url, &found.from)?;
        Some(Before { length: found.length, validator })
    });
    let mut loading = Loading { client, context, prepared, asked, path, writer };
    match loading.load(turn, before).await {
        Ok((head, bytes)) => loading.finish(head, bytes).await,
        Err(error) => {
            // The host may try again at once.
            loading.writer.give_up().await;
            Err(error)
        }
    }
}

fn plan(download: &Download) -> Result<Plan, JobError> {
    let path = PathBuf::from(&download.path);
    if path.file_name().is_none() || download.path.ends_with('/') || download.path.contains('\0') {
        return Err(code::invalid(format_args!("the path {:?} is not one of a file", short(&download.path))));
    }
    let (overwrite, resume) = (download.overwrite.unwrap_or(false), download.resume.unwrap_or(false));
    if resume && download.headers.iter().flatten().any(|(name, _)| name.eq_ignore_ascii_case("range")) {
        return Err(code::invalid("\"resume\" and the header \"range\" exclude each other"));
    }
    Ok(Plan { path, overwrite, resume })
}

/// What an earlier download has of a page.
struct Before {
    length: u64,
    /// Of which version.
    validator: HeaderValue,
}

/// Which bytes of a page a response has: from the first to the last, of so many, if the server says how many.
#[derive(Clone, Copy)]
struct Part {
    first: u64,
    last: u64,
    total: Option<u64>,
}

/// A download under way.
struct Loading<'a> {
    client: &'a Client,
    context: &'a Context,
    prepared: Prepared,
    /// As the host asked for it, without a range and before all redirects.
    asked: Outgoing,
    path: String,
    writer: Writer,
}

impl Loading<'_> {
    /// Writes all of the page, or what is missing before; the head of the last response, and the length of the file.
    async fn load(
        &mut self,
        (mut turn, mut end): (Turn<'_>, Instant),
        mut before: Option<Before>,
    ) -> Result<(Head, u64), JobError> {
        let client = self.client;
        loop {
            let begun = client.alarms.before(end, self.send(before.as_ref())).await;
            let (begun, part) = begun.ok_or_else(|| self.late())??;
            drop(turn);
            let (head, bytes) = self.receive(begun, part).await?;
            if part.is_none_or(|part| part.total == Some(bytes)) {
                return Ok((head, bytes));
            }
            // A server may send less than it was asked for.
            if let Some(before) = &mut before {
                before.length = bytes;
            }
            self.prepared.outgoing = self.asked.clone();
            (turn, end) = client.turn(&self.prepared).await?;
        }
    }

    /// The response, and which part of the page it has if that is to be joined to what is there before.
    async fn send(&mut self, before: Option<&Before>) -> Result<(Begun, Option<Part>), JobError> {
        let prepared = &mut self.prepared;
        let Some(before) = before else { return Ok((self.client.send(prepared).await?, None)) };
        let range = HeaderValue::try_from(format!("bytes={}-", before.length));
        prepared.outgoing.headers.insert(RANGE, range.map_err(code::invalid)?);
        prepared.outgoing.headers.insert(IF_RANGE, before.validator.clone());
        let begun = self.client.send(prepared).await?;
        let headers = begun.response.headers();
        match begun.response.status() {
            StatusCode::PARTIAL_CONTENT => {
                let part = part(headers).filter(|part| part.first == before.length).ok_or_else(|| {
                    let first = before.length;
                    let what = format_args!("the server sent another part than the one from byte {first} on");
                    code::broken(&self.asked.url, what)
                })?;
                if part.total.is_some() && !is_other(headers, &before.validator) {
                    return Ok((begun, Some(part)));
                }
            }
            // There is no such part: the page has become shorter.
            StatusCode::RANGE_NOT_SATISFIABLE => {}
            _ => return Ok((begun, None)),
        }
        drop(begun);
        prepared.outgoing = self.asked.clone();
        Ok((self.client.send(prepared).await?, None))
    }

    /// Writes the body of a response, behind what is there if it has a part; its head, and the length of the file.
    async fn receive(&mut self, begun: Begun, part: Option<Part>) -> Result<(Head, u64), JobError> {
        let from = note(&self.asked.url, begun.response.headers());
        let mut bytes = part.map_or(0, |part| part.first);
        let (fetched, mut reader) = Fetched::begin(begun, &self.prepared, bytes)?;
        if !fetched.status.is_success() {
            return Err(code::unsuccessful(&fetched.url, fetched.status));
        }
        self.writer.begin(part.is_some(), from).await.map_err(|error| self.failed(&error))?;
        let (alarms, patience) = (&self.client.alarms, self.prepared.timeout);
        let next = || Instant::now() + patience;
        while let Some(chunk) = alarms.before(next(), reader.next(self.context)).await.ok_or_else(|| self.late())?? {
            bytes += chunk.len() as u64;
            if let Some(part) = part.filter(|part| bytes > part.last + 1) {
                return Err(self.misfits(part));
            }
            self.writer.write(chunk).await.map_err(|error| self.failed(&error))?;
        }
        match part.filter(|part| bytes != part.last + 1) {
            Some(part) => Err(self.misfits(part)),
            None => Ok((page::head(&fetched), bytes)),
        }
    }

    async fn finish(self, head: Head, bytes: u64) -> Result<Downloaded, JobError> {
        let Loading { asked, path, writer, .. } = self;
        writer.finish().await.map_err(|error| code::file(&asked.url, &path, &error))?;
        Ok(Downloaded { head, path, bytes })
    }

    fn failed(&self, error: &io::Error) -> JobError {
        code::file(&self.asked.url, &self.path, error)
    }

    fn late(&self) -> JobError {
        code::timeout(&self.asked.url, self.prepared.timeout)
    }

    fn misfits(&self, Part { first, last, .. }: Part) -> JobError {
        let what = format_args!("the server sent other bytes than those from {first} to {last}, which it announced");
        code::broken(&self.asked.url, what)
    }
}

/// Which part of a page a response says that it has.
fn part(headers: &HeaderMap) -> Option<Part> {
    let range = headers.get(CONTENT_RANGE)?.to_str().ok()?.strip_prefix("bytes ")?;
    let (range, total) = range.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let total = if total.trim() == "*" { None } else { Some(number(total)?) };
    let part = Part { first: number(first)?, last: number(last)?, total };
    // Below the total, so that one more is no overflow.
    let is_one = part.first <= part.last && part.last < total.unwrap_or(u64::MAX);
    is_one.then_some(part)
}

/// Whether a response says that it is of another version. It need not name the version that it was asked for.
fn is_other(headers: &HeaderMap, validator: &HeaderValue) -> bool {
    let name = if validator.as_bytes().starts_with(b"\"") { ETAG } else { LAST_MODIFIED };
    headers.get(name).is_some_and(|theirs| theirs != validator)
}

/// Which version of which page a file is a part of: the url, and a validator that says so byte for byte.
fn note(url: &Url, headers: &HeaderMap) -> Option<String> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    // A weak tag promises the meaning and not the bytes.
    let strong = text(&ETAG).filter(|tag| !tag.starts_with("W/"));
    let validator = strong.or_else(|| text(&LAST_MODIFIED))?;
    Some(format!("{url}\n{validator}\n"))
}

/// The validator of a note, if it is of this url.
fn validator(url: &Url, note: &str) -> Option<HeaderValue> {
    let mut lines = note.lines();
    (lines.next() == Some(url.as_str())).then_some(())?;
    HeaderValue::try_from(lines.next()?).ok().filter(|validator| !validator.is_empty())
}
