//! A response: its head, and who reads its body.

use hyper::StatusCode;
use hyper::body::Body;
use hyper::header::{CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap};
use url::Url;

use super::body::Reader;
use super::code;
use super::exchange::Begun;
use super::request::Prepared;
use super::unpack::Unpacker;
use crate::reply::JobError;

/// What came back.
pub(super) struct Fetched {
    pub(super) status: StatusCode,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Fetched {
    /// The head of a response, and who reads its body, before which so many bytes have come already.
    pub(super) fn begin(
        Begun { response, lease }: Begun,
        prepared: &Prepared,
        before: u64,
    ) -> Result<(Fetched, Reader), JobError> {
        let (mut parts, body) = response.into_parts();
        let url = prepared.outgoing.url.clone();
        let unpacker = if prepared.unpack && !body.is_end_stream() { Unpacker::new(&parts.headers) } else { Ok(None) };
        let unpacker = unpacker.map_err(|error| code::broken(&url, error))?;
        if unpacker.is_some() {
            // They describe what came, and not what the host gets.
            parts.headers.remove(CONTENT_ENCODING);
            parts.headers.remove(CONTENT_LENGTH);
        }
        let reader = Reader::new(body, lease, unpacker, url.clone(), prepared.max_bytes, before)?;
        Ok((Fetched { status: parts.status, url, headers: parts.headers, body: Vec::new() }, reader))
    }
}
