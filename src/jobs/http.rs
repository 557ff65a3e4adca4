//! The HTTP jobs: a request in, a response out.
//!
//! | job | payload | reply |
//! |---|---|---|
//! | `http.get` | JSON [`Get`] | JSON [`Page`] |
//! | `http.request` | JSON [`Request`]: with a method and a body | JSON [`Page`] |
//! | `http.bytes` | JSON [`GetBytes`] | the body |
//! | `http.fetch` | JSON [`Fetch`], and the body behind a line feed | JSON [`Head`], a line feed, and the body |
//! | `http.stream` | JSON [`Stream`] | the body as it comes, as the items of a stream |
//! | `http.download` | JSON [`Download`] | JSON [`Downloaded`]; the body is in a file |
//! | `http.configure` | JSON [`Configure`] | `{}`; what all later requests of the runner share |
//!
//! All say as their progress how many bytes of how many have come.
//!
//! All jobs of a runner share one client, so a connection is kept alive from call to call. They speak HTTP/1.1. Unless
//! it is configured otherwise, the client trusts the certificates that the system trusts (or those that
//! `SSL_CERT_FILE` and `SSL_CERT_DIR` name) and goes through the proxies that `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY`
//! and `NO_PROXY` name; each is read once per runner, at its first request of that kind. Responses may come compressed; they are unpacked, unless the host asks for codings of
//! its own or for a part of the body.
//!
//! They are no inline jobs: a request is never ready at its first poll, so the word would gain nothing, and that poll
//! takes 0.1 to 1 ms where a client is made or a connection opened.
//!
//! A status such as 404 is a response, not a failure: it stands in the reply. Only `http.bytes` and `http.stream`,
//! whose replies have no room for it, and `http.download` fail on a status outside 200 to 299. What else fails has a
//! code of its own: see [`code`].
//!
//! # The rooms
//!
//! | room | what it holds |
//! |---|---|
//! | `payload` | what hosts write, in JSON |
//! | `request` | what of it can be sent: a checked request and its limits |
//! | `settings` | what of `http.configure` can be used |
//! | `client` | the client of a runner, and where its redirects lead |
//! | `turns`, `cookies` | how many requests at a time; the cookies of a client |
//! | `redirect` | the rules of redirects |
//! | `exchange` | one request and one response, on a kept connection or a new one |
//! | `link`, `pool` | one connection, which its user drives; those that are kept |
//! | `content`, `multipart`, `produced` | the body of a request |
//! | `connect`, `proxies`, `socks`, `resolve`, `roots` | how connections are made: by whom, to where, whom they trust |
//! | `response`, `body`, `unpack` | what comes back, its body, and compressed bodies |
//! | `page`, `text` | replies out of responses, and text out of bytes |
//! | `download`, `file` | files out of responses |
//! | `alarm` | the timeouts |
//! | `background` | threads for what would block the runner's |
//! | `code`, `shown` | the codes of failures, and what their messages show |

mod alarm;
mod background;
mod body;
mod client;
pub mod code;
mod connect;
mod content;
mod cookies;
mod download;
mod exchange;
mod file;
mod link;
mod multipart;
mod page;
mod payload;
mod pool;
mod produced;
mod proxies;
mod redirect;
mod request;
mod resolve;
mod response;
mod roots;
mod settings;
mod shown;
mod socks;
mod text;
mod turns;
mod unpack;

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::job::{Context, Framed, Items, Json, State};
use crate::reply::JobError;
use client::Clients;
pub use download::Downloaded;
pub use page::{Head, Page};
use page::{Streamed, Written};
pub use payload::{
    Addresses, BodyFrom, Configure, Download, Fetch, Field, Fields, Get, GetBytes, Part, Request, Stream,
};

/// Gets a page. Takes `{"url", "headers": {name: value}, "query": {name: value}, "basic": [name, password], "bearer":
/// token, "charset": of the body, "timeout": seconds for the whole request (30), "timeout_includes_wait": for its turn
/// (false), "max_bytes": of the body (64 MiB), "redirects": to follow at most (10; 0 leaves the redirect itself)}`, all
/// but the url optional; leaves `{"status", "url", "headers", "body": text}`. Fails with 1 for an impossible request,
/// 2 cannot connect, 3 timeout, 4 too many redirects, 5 body too large, 6 TLS, 7 not understood or broken off, 8 body
/// not text.
#[palitra::job("http.get")]
async fn get(
    clients: State<Clients>,
    context: Context,
    Json(mut get): Json<Get>,
) -> Result<Written<Json<Page>>, JobError> {
    let charset = get.charset.take();
    page::page(clients.current().fetch(get.prepare()?, &context).await?, charset).await
}

/// Sends a request of any method. Takes what `http.get` takes, and `"method"` (GET; POST with one of the last four) and
/// `"body"` (text), `"form"` (`{name: value}`), `"multipart"` (`[{"name", "value" or "file": path, "filename",
/// "content_type"}]`), `"body_file"` (path) or `"body_from"` (`{"job": whose items are the body, "payload", "length"}`).
/// Leaves and fails as `http.get` does, and with 12 a file cannot be read, 13 the job of the body failed.
#[palitra::job("http.request")]
async fn request(
    clients: State<Clients>,
    context: Context,
    Json(mut request): Json<Request>,
) -> Result<Written<Json<Page>>, JobError> {
    let charset = request.charset.take();
    page::page(clients.current().fetch(request.prepare(&context).await?, &context).await?, charset).await
}

/// Gets the body of a page as it came. Takes what `http.get` takes but the charset, and fails as it does; a status
/// outside 200 to 299 fails too, with that status as the code.
#[palitra::job("http.bytes")]
async fn bytes(clients: State<Clients>, context: Context, Json(get): Json<GetBytes>) -> Result<Vec<u8>, JobError> {
    let fetched = clients.current().fetch(get.prepare()?, &context).await?;
    if fetched.status.is_success() { Ok(fetched.body) } else { Err(code::unsuccessful(&fetched.url, fetched.status)) }
}

/// Sends a request of any method, whose body is bytes, for a response whose body is bytes. Takes the JSON that
/// `http.request` takes, without a body and charset, and behind it a line feed and the body, if there is one. Leaves
/// `{"status", "url", "headers"}` as JSON without a line feed, a line feed, and the body. Fails as `http.request` does.
#[palitra::job("http.fetch")]
async fn fetch(
    clients: State<Clients>,
    context: Context,
    Framed(fetch, body): Framed<Fetch>,
) -> Result<Written<Framed<Head>>, JobError> {
    let body = Some(Bytes::from(body)).filter(|body| !body.is_empty());
    page::framed(clients.current().fetch(fetch.prepare(body, &context).await?, &context).await?).await
}

/// Streams the body of a page in chunks, without holding it whole. Takes what `http.bytes` takes, but without
/// `"max_bytes"` the body may be of any size, and the timeout is for the response's head and for each chunk. Fails
/// as `http.bytes` does, after the chunks that came before. With `"head": true` the first item is the JSON
/// `{"status", "url", "headers"}`, and no status fails.
#[palitra::job("http.stream")]
async fn stream(
    clients: State<Clients>,
    context: Context,
    items: Items<Streamed>,
    Json(stream): Json<Stream>,
) -> Result<(), JobError> {
    let with_head = stream.head.unwrap_or(false);
    clients.current().stream(stream.prepare()?, with_head, &context, &items).await
}

/// Downloads a page into a file. Takes what `http.bytes` takes, and `"path"`, `"overwrite"` (false: a file that is
/// there is a failure) and `"resume"` (false: what fails leaves nothing; true: it leaves `PATH.part`, and goes on with
/// one). Without `"max_bytes"` the body may be of any size; the timeout is for the response's head and for each chunk.
/// The file appears when it is complete and on the disk. Leaves `{"status", "url", "headers", "path", "bytes": its
/// length}`. Fails as `http.bytes` does, and with 9 the file exists, 10 no space, 11 the file cannot be written.
#[palitra::job("http.download")]
async fn download(
    clients: State<Clients>,
    context: Context,
    Json(download): Json<Download>,
) -> Result<Json<Downloaded>, JobError> {
    download::download(&clients.current(), download, &context).await.map(Json)
}

/// Configures the client of this runner, whose requests are those that begin later. Takes `{"user_agent", "proxy": url,
/// or "" for none, "no_proxy": hosts, "idle_timeout": seconds that an unused connection is kept (90),
/// "idle_connections": how many are kept (256, or as many as requests), "ca_file": PEM, "client_cert": PEM,
/// "client_key": PEM, "resolve": {name: address}, "requests": at a time (256), "requests_per_host": the same for each
/// (no limit), "cookies": kept and sent (false)}`; what is left out is as if nothing had been
/// configured. Connections and cookies of the client before are not kept.
/// Leaves `{}`. Fails with 1 for a setting that does not fit, and then changes nothing.
#[palitra::job("http.configure")]
async fn configure(
    clients: State<Clients>,
    Json(settings): Json<Configure>,
) -> Result<Json<BTreeMap<String, String>>, JobError> {
    clients.configure(settings).await.map(|()| Json(BTreeMap::new()))
}
