//! One request and the head of its response, on a connection that was kept or is made for it.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;

use hyper::body::{Body, Incoming};
use hyper::header::{ACCEPT, CONTENT_LENGTH, HOST, HeaderMap, HeaderValue, PROXY_AUTHORIZATION, USER_AGENT};
use hyper::{Method, Response, StatusCode, Uri};
use url::{Position, Url};

use super::code;
use super::connect::{Connector, ToProxy};
use super::content::Source;
use super::cookies::Cookies;
use super::link::{Link, Request};
use super::pool::{Lease, Pool};
use crate::reply::JobError;

/// Responses that only announce one (100 Continue, 102 Processing, 103 Early Hints) before the one that counts.
const MOST_ANNOUNCEMENTS: u32 = 100;

/// A checked request, ready to be sent, and to be sent again.
#[derive(Clone, Debug)]
pub(super) struct Outgoing {
    pub(super) method: Method,
    /// Without name, password and fragment.
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Source,
}

/// The head of a response, and its body as it comes.
pub(super) struct Begun {
    pub(super) response: Response<Incoming>,
    /// After the response, in which may be a body that is not read: the connection can tell then whether it is ready.
    pub(super) lease: Lease,
}

/// The connections of one client.
pub(super) struct Exchange {
    connector: Connector,
    pool: Arc<Pool>,
    user_agent: HeaderValue,
    cookies: Option<Cookies>,
}

/// Why there is no response.
enum Failed {
    /// Nothing of the request went out, or nothing came back: the server may just have closed the connection.
    Closed {
        unsent: bool,
        error: hyper::Error,
    },
    Other(JobError),
}

impl Exchange {
    pub(super) fn new(
        connector: Connector,
        pool: Arc<Pool>,
        user_agent: HeaderValue,
        cookies: Option<Cookies>,
    ) -> Exchange {
        Exchange { connector, pool, user_agent, cookies }
    }

    /// The response to a request: its head, and its body as it comes.
    ///
    /// A server may close a connection that it keeps at any time, also while a request is on its way to it. What may be
    /// repeated is then sent once more, on a connection of its own.
    pub(super) async fn send(&self, outgoing: &Outgoing) -> Result<Begun, JobError> {
        let begun = self.once_or_twice(outgoing).await?;
        if let Some(cookies) = &self.cookies {
            cookies.keep(&outgoing.url, begun.response.headers());
        }
        if begun.response.status() == StatusCode::SWITCHING_PROTOCOLS {
            return Err(code::broken(&outgoing.url, "the server switched to another protocol"));
        }
        Ok(begun)
    }

    async fn once_or_twice(&self, outgoing: &Outgoing) -> Result<Begun, JobError> {
        let url = &outgoing.url;
        let failed = |failed| match failed {
            Failed::Closed { error, .. } => code::from_library(url, &error),
            Failed::Other(error) => error,
        };
        if let Some(kept) = self.pool.take(&url[..Position::AfterPort]) {
            match self.over(kept, outgoing).await {
                Err(Failed::Closed { unsent, .. }) if unsent || may_be_repeated(&outgoing.method) => {}
                result => return result.map_err(failed),
            }
        }
        // A box of its own: most requests need no new connection, and each moves all that it might need.
        let link = Box::pin(self.connect(url)).await?;
        self.over(link, outgoing).await.map_err(failed)
    }

    async fn connect(&self, url: &Url) -> Result<Lease, JobError> {
        let uri = Uri::try_from(url.as_str()).map_err(|error| unsendable(url, &error))?;
        let (stream, proxy) =
            self.connector.connect(uri).await.map_err(|error| code::not_connected(url, error.as_ref()))?;
        let link = Link::new(&url[..Position::AfterPort], stream, proxy).await;
        Ok(self.pool.lease(link.map_err(|error| code::not_connected(url, &error))?))
    }

    /// Sends a request over this connection.
    async fn over(&self, mut lease: Lease, outgoing: &Outgoing) -> Result<Begun, Failed> {
        let url = &outgoing.url;
        let mut request = self.request(outgoing, lease.proxy.as_ref()).map_err(Failed::Other)?;
        let announced = Arc::<AtomicU32>::default();
        let counting = Arc::clone(&announced);
        hyper::ext::on_informational(&mut request, move |_| {
            counting.fetch_add(1, Ordering::Relaxed);
        });
        let mut sending = pin!(lease.send(request));
        let sent = poll_fn(|cx| {
            let sent = lease.drive(cx, |cx| sending.as_mut().poll(cx));
            let too_many = announced.load(Ordering::Relaxed) > MOST_ANNOUNCEMENTS;
            if too_many { Poll::Ready(None) } else { sent.map(Some) }
        });
        match sent.await {
            Some(Ok(response)) => Ok(Begun { response, lease }),
            Some(Err(mut error)) => {
                let (unsent, error) = (error.take_message().is_some(), error.into_error());
                let closed = unsent || code::is_closed(&error);
                Err(if closed {
                    Failed::Closed { unsent, error }
                } else {
                    Failed::Other(code::from_library(url, &error))
                })
            }
            None => Err(Failed::Other(code::broken(
                url,
                format_args!(
                    "more than {MOST_ANNOUNCEMENTS} responses with a status below 200 came before the response"
                ),
            ))),
        }
    }

    /// The request as it is sent: to a server, or to a proxy.
    fn request(&self, outgoing: &Outgoing, proxy: Option<&ToProxy>) -> Result<Request, JobError> {
        let url = &outgoing.url;
        // A proxy is to know the server, too.
        let start = if proxy.is_some() { Position::BeforeScheme } else { Position::BeforePath };
        let uri = Uri::try_from(&url[start..Position::AfterQuery]).map_err(|error| unsendable(url, &error))?;
        let mut headers = outgoing.headers.clone();
        if !headers.contains_key(HOST) {
            let host = HeaderValue::from_str(&url[Position::BeforeHost..Position::AfterPort]);
            headers.insert(HOST, host.map_err(|error| unsendable(url, &error))?);
        }
        headers.entry(ACCEPT).or_insert(HeaderValue::from_static("*/*"));
        headers.entry(USER_AGENT).or_insert_with(|| self.user_agent.clone());
        if let Some(cookies) = &self.cookies {
            cookies.add(url, &mut headers);
        }
        if let Some(value) = proxy.and_then(|proxy| proxy.authorization.clone()) {
            headers.entry(PROXY_AUTHORIZATION).or_insert(value);
        }
        let content = outgoing.body.content();
        if content.is_end_stream() && expects_content(&outgoing.method) {
            // The library does not say that there is none, and a server may insist (RFC 9110, 8.6).
            headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        let mut request = hyper::Request::new(content);
        *request.method_mut() = outgoing.method.clone();
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        Ok(request)
    }
}

fn unsendable(url: &Url, error: &dyn std::fmt::Display) -> JobError {
    code::invalid(format_args!("{url}: not a url that can be sent: {error}"))
}

/// Of these a server expects a body, if only an empty one.
fn expects_content(method: &Method) -> bool {
    [Method::POST, Method::PUT, Method::PATCH].contains(method)
}

/// Sent twice, these do what they do when sent once (RFC 9110, 9.2.2).
fn may_be_repeated(method: &Method) -> bool {
    [Method::GET, Method::HEAD, Method::PUT, Method::DELETE, Method::OPTIONS, Method::TRACE].contains(method)
}
