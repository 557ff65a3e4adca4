//! The HTTP jobs: a request in, a response out.
//!
//! | job | payload | reply |
//! |---|---|---|
//! | `http.get` | JSON [`Get`] | JSON [`Page`] |
//! | `http.request` | JSON [`Request`]: the same with `method` and `body` | JSON [`Page`] |
//! | `http.bytes` | JSON [`Get`] | the body as it came |
//! | `http.stream` | JSON [`Get`] | the body as it comes, as the items of a stream |
//!
//! All say as their progress how many bytes of how many have come.
//!
//! All jobs of a runner share one client, so a connection is kept alive from call to call. They speak
//! HTTP/1.1, trust the certificates that the system trusts (or those that `SSL_CERT_FILE` and `SSL_CERT_DIR`
//! name) and go through the proxies that `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` name; each is read once per
//! runner, at its first request of that kind.
//!
//! They are no inline jobs: a request is never ready at its first poll, so the word would gain nothing, and that poll
//! takes 0.1 to 1 ms where a client is made or a connection opened.
//!
//! A status such as 404 is a response, not a failure: it stands in the reply. Only `http.bytes`, whose reply has
//! no room for it, fails on a status outside 200 to 299. What else fails has a code of its own: see [`code`].
//!
//! The rooms: `request` checks what the host wrote, `client` sends it and reads the response, `redirect` says
//! where a redirect leads, `roots` knows whom to trust, `code` has the codes of the failures.

mod client;
pub mod code;
mod redirect;
mod request;
mod roots;

use std::collections::BTreeMap;

use reqwest::header::{HeaderMap, SET_COOKIE};
use serde::Serialize;

use crate::job::{Context, Json, State};
use crate::reply::JobError;
use client::{Client, Fetched};
pub use request::{Get, Request};

/// A server's response.
#[derive(Debug, Serialize)]
pub struct Page {
    /// The status, such as 200 or 404.
    pub status: u16,
    /// Where the response came from, after all redirects.
    pub url: String,
    /// By name in lower case. Values of one name are joined by ", ", those of `set-cookie` by a line feed.
    pub headers: BTreeMap<String, String>,
    /// The body as UTF-8; bytes that are not become U+FFFD. `http.bytes` has the bytes.
    pub body: String,
}

/// Gets a page. Takes `{"url", "headers": {name: value}, "timeout": seconds for the whole request (30),
/// "max_bytes": of the body (64 MiB), "redirects": to follow at most (10; 0 leaves the redirect itself)}`, all
/// but the url optional; leaves `{"status", "url", "headers", "body"}`. Fails with 1 for an impossible request,
/// 2 cannot connect, 3 timeout, 4 too many redirects, 5 body too large, 6 TLS, 7 not understood or broken off.
#[palitra::job("http.get")]
async fn get(client: State<Client>, context: Context, Json(get): Json<Get>) -> Result<Json<Page>, JobError> {
    client.fetch(get.into(), &context).await.map(|fetched| Json(fetched.into()))
}

/// Sends a request of any method. Takes what `http.get` takes, and `"method"` (GET) and `"body"` (text); leaves
/// and fails as `http.get` does.
#[palitra::job("http.request")]
async fn request(
    client: State<Client>,
    context: Context,
    Json(request): Json<Request>,
) -> Result<Json<Page>, JobError> {
    client.fetch(request, &context).await.map(|fetched| Json(fetched.into()))
}

/// Gets the body of a page as it came. Takes what `http.get` takes and fails as it does; a status outside 200 to
/// 299 fails too, with that status as the code.
#[palitra::job("http.bytes")]
async fn bytes(client: State<Client>, context: Context, Json(get): Json<Get>) -> Result<Vec<u8>, JobError> {
    let fetched = client.fetch(get.into(), &context).await?;
    if fetched.status.is_success() { Ok(fetched.body) } else { Err(code::unsuccessful(&fetched.url, fetched.status)) }
}

/// Streams the body of a page in chunks, without holding it whole. Takes what `http.get` takes, but without
/// `"max_bytes"` the body may be of any size, and the timeout is for the response's head and for each chunk. Fails
/// as `http.bytes` does, after the chunks that came before.
#[palitra::job("http.stream")]
async fn stream(client: State<Client>, context: Context, Json(mut get): Json<Get>) -> Result<(), JobError> {
    get.max_bytes.get_or_insert(u64::MAX);
    client.stream(get.into(), &context).await
}

impl From<Fetched> for Page {
    fn from(fetched: Fetched) -> Page {
        Page {
            status: fetched.status.as_u16(),
            url: fetched.url.into(),
            headers: joined(&fetched.headers),
            body: text(fetched.body),
        }
    }
}

/// One value for each name. Cookies have commas within them, and no header has a line feed.
fn joined(headers: &HeaderMap) -> BTreeMap<String, String> {
    let values = |name| headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    let join = |name| values(name).collect::<Vec<_>>().join(if name == SET_COOKIE { "\n" } else { ", " });
    headers.keys().map(|name| (name.to_string(), join(name))).collect()
}

fn text(body: Vec<u8>) -> String {
    String::from_utf8(body).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}
