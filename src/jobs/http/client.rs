//! The client that the HTTP jobs of one runner share: it sends, follows redirects and reads the response.

use std::sync::Arc;

use bytes::Bytes;
use reqwest::header::HeaderMap;
use reqwest::redirect::Policy;
use reqwest::{Response, StatusCode, Url};
use tokio::sync::Semaphore;

use super::request::{PreparedRequest, Request};
use super::roots::SystemRoots;
use super::{code, redirect};
use crate::job::{Context, RunnerState};
use crate::reply::JobError;

/// Requests of one runner that are under way at a time; the others wait their turn. Each is a connection, or two for a
/// moment: one that is given the connection of another request leaves its own, which was being made, to the next. A
/// process commonly has 1024 file descriptors for everything.
const UNDER_WAY: usize = 256;
/// Room made for a body before its first byte arrives. The length is the server's word, so it is not trusted beyond.
const TRUSTED_LENGTH: u64 = 1 << 20;

/// One pool of connections, and the turns to use them.
pub(super) struct Client {
    http: reqwest::Client,
    roots: Arc<SystemRoots>,
    turns: Semaphore,
}

/// What came back.
pub(super) struct Fetched {
    pub(super) status: StatusCode,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl RunnerState for Client {
    fn create() -> Result<Self, JobError> {
        let roots = SystemRoots::new();
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(roots.client_config().map_err(code::no_client)?)
            .user_agent(concat!("palitra/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .build()
            .map_err(code::no_client)?;
        Ok(Client { http, roots, turns: Semaphore::new(UNDER_WAY) })
    }
}

impl Client {
    /// The response to a request. Its timeout runs from its turn on: a thousand requests submitted at once do not
    /// use up each other's time.
    pub(super) async fn fetch(&self, request: Request, context: &Context) -> Result<Fetched, JobError> {
        let prepared = request.prepare(&self.http)?;
        // Held until the response is complete. It cannot fail: nobody closes the semaphore.
        let _turn = self.turns.acquire().await;
        let (url, timeout) = (prepared.request.url().clone(), prepared.timeout);
        let fetched = match tokio::time::timeout(timeout, self.perform(prepared, context)).await {
            Ok(fetched) => fetched,
            Err(_) => Err(code::timeout(&url, timeout)),
        };
        if self.turns.available_permits() == 0 {
            // A task of the HTTP library's puts the connection back. Whoever has the next turn finds it there, and
            // opens none of its own.
            tokio::task::yield_now().await;
        }
        fetched
    }

    async fn perform(&self, mut prepared: PreparedRequest, context: &Context) -> Result<Fetched, JobError> {
        let mut response = self.send(&mut prepared).await?;
        let (status, url) = (response.status(), response.url().clone());
        let headers = std::mem::take(response.headers_mut());
        let mut reader = Reader::new(response, prepared.max_bytes)?;
        let mut body = Vec::with_capacity(reader.announced.min(TRUSTED_LENGTH) as usize);
        while let Some(chunk) = reader.next(context).await? {
            body.extend_from_slice(&chunk);
        }
        Ok(Fetched { status, url, headers, body })
    }

    /// Sends the body of the response as the items of a stream. The timeout holds for the response's head and for
    /// each chunk, not for a reader that takes its time.
    pub(super) async fn stream(&self, request: Request, context: &Context) -> Result<(), JobError> {
        let mut prepared = request.prepare(&self.http)?;
        let _turn = self.turns.acquire().await;
        let (url, timeout) = (prepared.request.url().clone(), prepared.timeout);
        let late = |_| code::timeout(&url, timeout);
        let response = tokio::time::timeout(timeout, self.send(&mut prepared)).await.map_err(late)??;
        if !response.status().is_success() {
            return Err(code::unsuccessful(response.url(), response.status()));
        }
        let mut reader = Reader::new(response, prepared.max_bytes)?;
        while let Some(chunk) = tokio::time::timeout(timeout, reader.next(context)).await.map_err(late)?? {
            context.send(chunk.to_vec()).await?;
        }
        Ok(())
    }

    /// Sends the request, and again wherever a redirect leads, until a response is none.
    async fn send(&self, prepared: &mut PreparedRequest) -> Result<Response, JobError> {
        let mut followed = 0;
        loop {
            let response = self.exchange(&prepared.request).await?;
            if prepared.redirects == 0 {
                return Ok(response);
            }
            let from = prepared.request.url();
            let target = redirect::target(from, response.status(), response.headers());
            let Some(target) = target.map_err(|what| code::broken(from, what))? else {
                return Ok(response);
            };
            if followed == prepared.redirects {
                return Err(code::too_many_redirects(from, prepared.redirects));
            }
            followed += 1;
            redirect::follow(&mut prepared.request, response.status(), target);
        }
    }

    async fn exchange(&self, request: &reqwest::Request) -> Result<Response, JobError> {
        let url = request.url();
        // Only a body that is a stream cannot be sent twice.
        let copy =
            request.try_clone().ok_or_else(|| code::invalid(format_args!("{url}: the body cannot be sent again")))?;
        if url.scheme() == "https" {
            self.roots.read_ahead().await;
        }
        self.http.execute(copy).await.map_err(|error| code::from_library(url, &error))
    }
}

/// Reads a body chunk by chunk, and says how far it is. A body that is larger than its limit ends the reading at
/// once; dropped, the connection is closed.
struct Reader {
    response: Response,
    url: Url,
    limit: u64,
    /// The length that the server promised; 0 if it promised none.
    announced: u64,
    received: u64,
}

impl Reader {
    fn new(response: Response, limit: u64) -> Result<Reader, JobError> {
        let (url, announced) = (response.url().clone(), response.content_length().unwrap_or(0));
        if announced > limit {
            return Err(code::too_large(&url, limit));
        }
        Ok(Reader { response, url, limit, announced, received: 0 })
    }

    async fn next(&mut self, context: &Context) -> Result<Option<Bytes>, JobError> {
        let chunk = self.response.chunk().await.map_err(|error| code::from_library(&self.url, &error))?;
        self.received += chunk.as_ref().map_or(0, |chunk| chunk.len() as u64);
        if self.received > self.limit {
            return Err(code::too_large(&self.url, self.limit));
        }
        context.progress(self.received, self.announced.max(self.received));
        Ok(chunk)
    }
}
