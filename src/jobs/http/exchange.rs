//! One request and the head of its response, on a connection that was kept or is made for it.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{ACCEPT, HeaderMap, HeaderValue, PROXY_AUTHORIZATION, USER_AGENT};
use hyper::{Method, Response, StatusCode, Uri};
use hyper_util::client::legacy::{Client as Pool, Error as PoolError};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::ClientConfig;
use std::time::Duration;
use tokio::sync::Notify;
use url::Url;

use super::code;
use super::connect::{Connector, Kept};
use crate::reply::JobError;

/// How long a connection is kept that nobody uses. Servers close theirs after a minute or so.
const IDLE: Duration = Duration::from_secs(90);
/// Responses that only announce one (100 Continue, 102 Processing, 103 Early Hints) before the one that counts.
const MOST_ANNOUNCEMENTS: u32 = 100;

/// A checked request, ready to be sent, and to be sent again.
#[derive(Clone, Debug)]
pub(super) struct Outgoing {
    pub(super) method: Method,
    /// Without name, password and fragment.
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// The connections of one client.
pub(super) struct Exchange {
    connector: Connector,
    kept: Pool<Connector, Full<Bytes>>,
    /// Makes a connection for each request.
    fresh: Pool<Connector, Full<Bytes>>,
}

impl Exchange {
    pub(super) fn new(tls: ClientConfig) -> Exchange {
        let connector = Connector::new(tls);
        let pool = |idle| {
            let mut builder = Pool::builder(TokioExecutor::new());
            builder.pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE).pool_max_idle_per_host(idle);
            builder.build(connector.clone())
        };
        Exchange { kept: pool(usize::MAX), fresh: pool(0), connector }
    }

    /// The response to a request: its head, and its body as it comes.
    ///
    /// A server may close a connection that it keeps at any time, also while a request is on its way to it. What may be
    /// repeated is then sent once more, on a connection of its own.
    pub(super) async fn send(&self, outgoing: &Outgoing) -> Result<Response<Incoming>, JobError> {
        let response = self.once_or_twice(outgoing).await?;
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            return Err(code::broken(&outgoing.url, "the server switched to another protocol"));
        }
        Ok(response)
    }

    async fn once_or_twice(&self, outgoing: &Outgoing) -> Result<Response<Incoming>, JobError> {
        let announced = Arc::<Announced>::default();
        let mut result = self.attempt(&self.kept, outgoing, &announced).await?;
        if result.as_ref().is_err_and(|error| may_be_repeated(&outgoing.method) && was_closed(error)) {
            result = self.attempt(&self.fresh, outgoing, &announced).await?;
        }
        result.map_err(|error| code::from_library(&outgoing.url, &error))
    }

    async fn attempt(
        &self,
        pool: &Pool<Connector, Full<Bytes>>,
        outgoing: &Outgoing,
        announced: &Arc<Announced>,
    ) -> Result<Result<Response<Incoming>, PoolError>, JobError> {
        let mut request = self.request(outgoing)?;
        let counting = Arc::clone(announced);
        hyper::ext::on_informational(&mut request, move |_| counting.one_more());
        let (mut response, mut too_many) = (pin!(pool.request(request)), pin!(announced.too_many.notified()));
        poll_fn(|cx| match too_many.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(code::broken(
                &outgoing.url,
                format_args!(
                    "more than {MOST_ANNOUNCEMENTS} responses with a status below 200 came before the response"
                ),
            ))),
            Poll::Pending => response.as_mut().poll(cx).map(|result| {
                if let Ok(response) = &result
                    && let Some(kept) = response.extensions().get::<Kept>()
                {
                    kept.set();
                }
                Ok(result)
            }),
        })
        .await
    }

    fn request(&self, outgoing: &Outgoing) -> Result<hyper::Request<Full<Bytes>>, JobError> {
        let url = &outgoing.url;
        let uri = Uri::try_from(url.as_str())
            .map_err(|error| code::invalid(format_args!("{url}: not a url that can be sent: {error}")))?;
        let mut headers = outgoing.headers.clone();
        headers.entry(ACCEPT).or_insert(HeaderValue::from_static("*/*"));
        headers.entry(USER_AGENT).or_insert(HeaderValue::from_static(concat!("palitra/", env!("CARGO_PKG_VERSION"))));
        if let Some(value) = self.connector.proxy_authorization(&uri) {
            headers.entry(PROXY_AUTHORIZATION).or_insert(value);
        }
        let mut request = hyper::Request::new(Full::new(outgoing.body.clone()));
        *request.method_mut() = outgoing.method.clone();
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        Ok(request)
    }
}

/// Sent twice, these do what they do when sent once (RFC 9110, 9.2.2).
fn may_be_repeated(method: &Method) -> bool {
    [Method::GET, Method::HEAD, Method::PUT, Method::DELETE, Method::OPTIONS, Method::TRACE].contains(method)
}

/// Whether the connection had brought a response before, and brought nothing for this request.
fn was_closed(error: &PoolError) -> bool {
    let mut extensions = hyper::http::Extensions::new();
    if let Some(connection) = error.connect_info() {
        connection.get_extras(&mut extensions);
    }
    extensions.get::<Kept>().is_some_and(Kept::get) && code::is_closed(error)
}

/// How many responses only announced another.
#[derive(Default)]
struct Announced {
    count: AtomicU32,
    too_many: Notify,
}

impl Announced {
    fn one_more(&self) {
        if self.count.fetch_add(1, Ordering::Relaxed) == MOST_ANNOUNCEMENTS {
            self.too_many.notify_one();
        }
    }
}
