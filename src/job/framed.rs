//! JSON with bytes behind it, which a job takes as its payload and leaves as its reply: an image and how to scale it, a
//! request and its body.
//!
//! # The frame
//!
//! ```text
//! one JSON value            what the bytes are
//! a line feed               only if bytes follow; a payload may leave it out with them
//! bytes                     all that is left
//! ```
//!
//! A payload's JSON may hold line feeds between its parts. A reply's holds none: its first line is the JSON.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::extract::FromRequest;
use super::json::{MOST_JSON, write_json};
use super::output::IntoReply;
use super::request::Request;
use crate::reply::{Format, JobError, Reply};

/// JSON, and bytes behind a line feed: as an argument the payload, as a result the reply. To hosts both are bytes.
///
/// ```
/// use palitra::{Framed, Runner, job};
/// use serde::Deserialize;
///
/// #[derive(Deserialize)]
/// struct Part { first: usize, length: usize }
///
/// /// Cuts a part out of the bytes.
/// #[job("doc.cut")]
/// async fn cut(Framed(part, mut bytes): Framed<Part>) -> Framed<usize> {
///     bytes.truncate(part.first.saturating_add(part.length));
///     bytes.drain(..part.first.min(bytes.len()));
///     Framed(bytes.len(), bytes)
/// }
///
/// let payload = "{\"first\": 1, \"length\": 3}\nabcdef";
/// assert_eq!(Runner::new()?.run_job("doc.cut", payload, None)?.data(), b"3\nbcd");
/// # Ok::<(), palitra::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Framed<T>(pub T, pub Vec<u8>);

impl<T: DeserializeOwned> FromRequest for Framed<T> {
    const PAYLOAD: Option<Format> = Some(Format::Bytes);
    const IS_FRAMED: bool = true;

    fn from_request(request: &mut Request<'_>) -> Result<Self, JobError> {
        let mut payload = request.take_payload();
        let mut values = serde_json::Deserializer::from_slice(&payload).into_iter();
        let head = match values.next() {
            Some(head) => head.map_err(JobError::does_not_fit)?,
            None => return Err(JobError::does_not_fit("it is empty")),
        };
        let end = values.byte_offset();
        match payload.get(end) {
            None => payload.clear(),
            Some(b'\n') => drop(payload.drain(..=end)),
            Some(_) => {
                let message = "behind the JSON may stand a line feed and the body, and nothing else";
                return Err(JobError::does_not_fit(message));
            }
        }
        Ok(Framed(head, payload))
    }
}

impl<T: Serialize> IntoReply for Framed<T> {
    const FORMAT: Format = Format::Bytes;
    const IS_FRAMED: bool = true;

    fn into_reply(self) -> Reply {
        let Framed(head, body) = self;
        let mut framed = Vec::with_capacity(MOST_JSON + body.len());
        if let Err(error) = write_json(&mut framed, &head) {
            return error.into();
        }
        framed.push(b'\n');
        framed.extend_from_slice(&body);
        Reply::success(Self::FORMAT, framed)
    }
}
