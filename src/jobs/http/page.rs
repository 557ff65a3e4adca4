//! Replies out of responses: a page as JSON, or a head as JSON with the bytes of the body behind it.
//!
//! A large one takes longer to write than the runner's thread may be blocked, so it is written on a thread of its own.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use hyper::header::{HeaderMap, SET_COOKIE};
use serde::Serialize;

use super::response::Fetched;
use super::{background, code, text};
use crate::job::{Contract, Framed, IntoReply, Json, Probe, WithSchema, write_json};
use crate::reply::{Format, JobError, Reply};

/// From this size on a body is written elsewhere: as long as a thread takes to start, the writing may take here.
const LARGE: usize = 256 << 10;
/// Room for what is not the body: more than most heads need.
const HEAD: usize = 4 << 10;

/// A server's response.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Page {
    /// The status, such as 200 or 404.
    pub status: u16,
    /// Where the response came from, after all redirects.
    pub url: String,
    /// By name in lower case. Values of one name are joined by ", ", those of `set-cookie` by a line feed.
    pub headers: BTreeMap<String, String>,
    /// The body as text, by its charset. `http.bytes` and `http.fetch` have the bytes.
    pub body: String,
}

/// A server's response without its body.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Head {
    /// The status, such as 200 or 404.
    pub status: u16,
    /// Where the response came from, after all redirects.
    pub url: String,
    /// See [`Page::headers`].
    pub headers: BTreeMap<String, String>,
}

/// The reply of a `T`, written.
pub(super) struct Written<T>(Vec<u8>, PhantomData<fn(T)>);

impl<T> Written<T> {
    fn new(bytes: Vec<u8>) -> Self {
        Written(bytes, PhantomData)
    }
}

impl<T: IntoReply> IntoReply for Written<T> {
    const FORMAT: Format = T::FORMAT;
    const IS_FRAMED: bool = T::IS_FRAMED;

    fn into_reply(self) -> Reply {
        Reply::success(Self::FORMAT, self.0)
    }
}

impl<T> WithSchema for Probe<Written<T>>
where
    Probe<T>: WithSchema,
{
    fn schema(&self, contract: Contract) -> Option<serde_json::Value> {
        Probe::<T>::NEW.schema(contract)
    }
}

/// An item of `http.stream`: bytes to hosts, whichever it is.
pub(super) enum Streamed {
    /// The first item, if the host wants it.
    Head(Head),
    /// A part of the body.
    Chunk(Vec<u8>),
}

impl IntoReply for Streamed {
    const FORMAT: Format = Format::Bytes;

    fn into_reply(self) -> Reply {
        match self {
            Streamed::Head(head) => Json(head).into_reply(),
            Streamed::Chunk(bytes) => bytes.into_reply(),
        }
    }
}

/// The response as the JSON of a [`Page`], with its body as text.
pub(super) async fn page(fetched: Fetched, charset: Option<String>) -> Result<Written<Json<Page>>, JobError> {
    let large = fetched.body.len() >= LARGE;
    let write = move || {
        let Fetched { status, url, headers, body } = fetched;
        let body = text::decode(body, charset.as_deref(), &headers).map_err(|what| code::not_text(&url, what))?;
        let mut json = Vec::with_capacity(body.len() + body.len() / 16 + HEAD);
        let page = Page { status: status.as_u16(), url: url.into(), headers: joined(&headers), body };
        write_json(&mut json, &page)?;
        Ok(Written::new(json))
    };
    written(large, write).await
}

/// The response as a line of the JSON of a [`Head`], and the body behind the line feed.
pub(super) async fn framed(fetched: Fetched) -> Result<Written<Framed<Head>>, JobError> {
    let large = fetched.body.len() >= LARGE;
    let write = move || {
        let mut written = Vec::with_capacity(fetched.body.len() + HEAD);
        write_json(&mut written, &head(&fetched))?;
        written.push(b'\n');
        written.extend_from_slice(&fetched.body);
        Ok(Written::new(written))
    };
    written(large, write).await
}

/// A response without its body.
pub(super) fn head(fetched: &Fetched) -> Head {
    let Fetched { status, url, headers, .. } = fetched;
    Head { status: status.as_u16(), url: url.to_string(), headers: joined(headers) }
}

/// What `write` makes of a body, elsewhere if that is large.
async fn written<T: Send + 'static>(
    large: bool,
    write: impl FnOnce() -> Result<T, JobError> + Send + 'static,
) -> Result<T, JobError> {
    let lost = || Err(JobError::from("the reply was lost on the thread that wrote it"));
    if large { background::compute(write).await.unwrap_or_else(lost) } else { write() }
}

/// One value for each name. Cookies have commas within them, and no header has a line feed.
fn joined(headers: &HeaderMap) -> BTreeMap<String, String> {
    let values = |name| headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    let join = |name| values(name).collect::<Vec<_>>().join(if name == SET_COOKIE { "\n" } else { ", " });
    headers.keys().map(|name| (name.to_string(), join(name))).collect()
}
