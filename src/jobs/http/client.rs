//! The client that the HTTP jobs of one runner share: it sends, follows redirects and reads the answer.

use std::sync::Arc;

use reqwest::header::HeaderMap;
use reqwest::redirect::Policy;
use reqwest::{Response, StatusCode, Url};
use tokio::sync::Semaphore;

use super::request::{Call, Request};
use super::roots::SystemRoots;
use super::{code, redirect};
use crate::job::RunnerState;
use crate::reply::JobError;

/// Requests of one runner that are under way at a time; the others wait their turn. Each is a connection, and a
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
pub(super) struct Answer {
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
    /// The answer to a request. Its timeout runs from its turn on: a thousand requests submitted at once do not
    /// use up each other's time.
    pub(super) async fn fetch(&self, request: Request) -> Result<Answer, JobError> {
        let call = request.check(&self.http)?;
        // Held until the answer is complete. It cannot fail: nobody closes the semaphore.
        let _turn = self.turns.acquire().await;
        let (url, timeout) = (call.request.url().clone(), call.timeout);
        match tokio::time::timeout(timeout, self.perform(call)).await {
            Ok(answer) => answer,
            Err(_) => Err(code::timeout(&url, timeout)),
        }
    }

    async fn perform(&self, mut call: Call) -> Result<Answer, JobError> {
        let mut response = self.send(&mut call).await?;
        let body = read(&mut response, call.max_bytes).await?;
        Ok(Answer {
            status: response.status(),
            url: response.url().clone(),
            headers: std::mem::take(response.headers_mut()),
            body,
        })
    }

    /// Sends the request, and again wherever the answers point, until one is no redirect.
    async fn send(&self, call: &mut Call) -> Result<Response, JobError> {
        let mut followed = 0;
        loop {
            let response = self.exchange(&call.request).await?;
            if call.redirects == 0 {
                return Ok(response);
            }
            let from = call.request.url();
            let target = redirect::target(from, response.status(), response.headers());
            let Some(target) = target.map_err(|what| code::broken(from, what))? else {
                return Ok(response);
            };
            if followed == call.redirects {
                return Err(code::too_many_redirects(from, call.redirects));
            }
            followed += 1;
            redirect::follow(&mut call.request, response.status(), target);
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

/// The body, unless it is larger than `limit`: then reading stops at once and the connection is closed.
async fn read(response: &mut Response, limit: u64) -> Result<Vec<u8>, JobError> {
    let url = response.url().clone();
    let announced = response.content_length().unwrap_or(0);
    if announced > limit {
        return Err(code::too_large(&url, limit));
    }
    let mut body = Vec::with_capacity(announced.min(TRUSTED_LENGTH) as usize);
    while let Some(chunk) = response.chunk().await.map_err(|error| code::from_library(&url, &error))? {
        if (body.len() + chunk.len()) as u64 > limit {
            return Err(code::too_large(&url, limit));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
