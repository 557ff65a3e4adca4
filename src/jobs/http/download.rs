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
use super::exchange::Begun;
use super::file::{Found, Plan, Writer};
use super::page::{self, Head};
use super::payload::Download;
use super::request::Prepared;
use super::response::Fetched;
use super::shown::short;
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
    let mut prepared = download.prepare()?;
    let url = prepared.outgoing.url.clone();
    let failed = |error: io::Error| code::file(&url, &path, &error);

    let (turn, end) = client.turn(&prepared).await?;
    let (mut writer, found) = Writer::new(plan).await.map_err(failed)?;
    let patience = prepared.timeout;
    let late = || code::timeout(&url, patience);
    let begun = client.alarms.before(end, send(client, &mut prepared, found)).await;
    let (begun, before) = begun.ok_or_else(late)??;
    drop(turn);
    let from = note(&url, begun.response.headers());
    let (fetched, mut reader) = Fetched::begin(begun, &prepared, before)?;
    if !fetched.status.is_success() {
        return Err(code::unsuccessful(&fetched.url, fetched.status));
    }
    writer.begin(before > 0, from).await.map_err(failed)?;
    let mut bytes = before;
    let next = || Instant::now() + patience;
    while let Some(chunk) = client.alarms.before(next(), reader.next(context)).await.ok_or_else(late)?? {
        bytes += chunk.len() as u64;
        writer.write(chunk).await.map_err(failed)?;
    }
    writer.finish().await.map_err(failed)?;
    Ok(Downloaded { head: page::head(&fetched), path, bytes })
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

/// The response, and how many bytes of an earlier download stand before its own.
async fn send(client: &Client, prepared: &mut Prepared, found: Option<Found>) -> Result<(Begun, u64), JobError> {
    let asked = prepared.outgoing.url.clone();
    let before = found.and_then(|found| Some((found.length, validator(&asked, &found.from)?)));
    let Some((length, validator)) = before else { return Ok((client.send(prepared).await?, 0)) };
    let first = prepared.outgoing.clone();
    let range = HeaderValue::try_from(format!("bytes={length}-"));
    prepared.outgoing.headers.insert(RANGE, range.map_err(code::invalid)?);
    prepared.outgoing.headers.insert(IF_RANGE, validator);
    let begun = client.send(prepared).await?;
    match begun.response.status() {
        StatusCode::PARTIAL_CONTENT if begins_at(begun.response.headers(), length) => Ok((begun, length)),
        StatusCode::PARTIAL_CONTENT => {
            Err(code::broken(&asked, format_args!("the server sent another part than the one from byte {length} on")))
        }
        // There is no such part: the page has become shorter.
        StatusCode::RANGE_NOT_SATISFIABLE => {
            prepared.outgoing = first;
            Ok((client.send(prepared).await?, 0))
        }
        _ => Ok((begun, 0)),
    }
}

fn begins_at(headers: &HeaderMap, length: u64) -> bool {
    let range = headers.get(CONTENT_RANGE).and_then(|range| range.to_str().ok());
    let first = range.and_then(|range| range.strip_prefix("bytes ")?.split('-').next());
    first.and_then(|first| first.trim().parse().ok()) == Some(length)
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
