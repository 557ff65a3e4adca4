//! The client that the HTTP jobs of one runner share: whose turn it is, where redirects lead, what comes back.

use std::sync::Arc;

use hyper::Response;
use hyper::body::Incoming;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout_at};

use super::exchange::Exchange;
use super::request::Prepared;
use super::response::Fetched;
use super::roots::SystemRoots;
use super::{code, page, redirect};
use crate::job::{Context, Json, RunnerState};
use crate::reply::JobError;

/// Requests of one runner that are under way at a time; the others wait their turn. Each is a connection, or two for a
/// moment: one that is given the connection of another request leaves its own, which was being made, to the next. A
/// process commonly has 1024 file descriptors for everything.
const UNDER_WAY: usize = 256;
/// Room made for a body before its first byte arrives. The length is the server's word, so it is not trusted beyond.
const TRUSTED_LENGTH: u64 = 1 << 20;

/// One pool of connections, and the turns to use them.
pub(super) struct Client {
    exchange: Exchange,
    roots: Arc<SystemRoots>,
    turns: Semaphore,
}

impl RunnerState for Client {
    const NAME: &str = "http";
    type Config = ();

    async fn create((): ()) -> Result<Self, JobError> {
        let roots = SystemRoots::new();
        let exchange = Exchange::new(roots.client_config().map_err(code::no_client)?);
        Ok(Client { exchange, roots, turns: Semaphore::new(UNDER_WAY) })
    }
}

impl Client {
    /// The response to a request. Its timeout runs from its turn on, unless the request says otherwise: a thousand
    /// requests submitted at once do not use up each other's time.
    pub(super) async fn fetch(&self, mut prepared: Prepared, context: &Context) -> Result<Fetched, JobError> {
        let (_turn, end) = self.turn(&prepared).await?;
        let (url, timeout) = (prepared.outgoing.url.clone(), prepared.timeout);
        let fetched = match timeout_at(end, self.perform(&mut prepared, context)).await {
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

    /// Waits for the turn of a request; when its time is over.
    pub(super) async fn turn(&self, prepared: &Prepared) -> Result<(SemaphorePermit<'_>, Instant), JobError> {
        let timeout = prepared.timeout;
        let asked = Instant::now();
        // It cannot fail: nobody closes the semaphore.
        let closed = |_| code::no_client("the runner ends");
        if !prepared.timeout_includes_wait {
            let turn = self.turns.acquire().await.map_err(closed)?;
            return Ok((turn, Instant::now() + timeout));
        }
        match timeout_at(asked + timeout, self.turns.acquire()).await {
            Ok(turn) => Ok((turn.map_err(closed)?, asked + timeout)),
            Err(_) => Err(code::no_turn(&prepared.outgoing.url, timeout)),
        }
    }

    async fn perform(&self, prepared: &mut Prepared, context: &Context) -> Result<Fetched, JobError> {
        let response = self.send(prepared).await?;
        let (mut fetched, mut reader) = Fetched::begin(response, prepared, 0)?;
        fetched.body.reserve(reader.announced().min(TRUSTED_LENGTH) as usize);
        while let Some(chunk) = reader.next(context).await? {
            fetched.body.extend_from_slice(&chunk);
        }
        Ok(fetched)
    }

    /// Sends the body of the response as the items of a stream. The timeout holds for the response's head and for
    /// each chunk, not for a reader that takes its time. The turn ends with the head, so that streams which nobody
    /// reads stop no other requests. With the head as the first item, no status is a failure.
    pub(super) async fn stream(
        &self,
        mut prepared: Prepared,
        with_head: bool,
        context: &Context,
    ) -> Result<(), JobError> {
        let (turn, end) = self.turn(&prepared).await?;
        let (url, timeout) = (prepared.outgoing.url.clone(), prepared.timeout);
        let late = |_| code::timeout(&url, timeout);
        let response = timeout_at(end, self.send(&mut prepared)).await.map_err(late)??;
        drop(turn);
        let (fetched, mut reader) = Fetched::begin(response, &prepared, 0)?;
        if with_head {
            context.send(Json(page::head(&fetched))).await?;
        } else if !fetched.status.is_success() {
            return Err(code::unsuccessful(&fetched.url, fetched.status));
        }
        while let Some(chunk) = tokio::time::timeout(timeout, reader.next(context)).await.map_err(late)?? {
            context.send(chunk.to_vec()).await?;
        }
        Ok(())
    }

    /// Sends the request, and again wherever a redirect leads, until a response is none.
    pub(super) async fn send(&self, prepared: &mut Prepared) -> Result<Response<Incoming>, JobError> {
        let mut followed = 0;
        loop {
            let outgoing = &mut prepared.outgoing;
            if outgoing.url.scheme() == "https" {
                self.roots.read_ahead().await;
            }
            let response = self.exchange.send(outgoing).await?;
            let from = &outgoing.url;
            if prepared.redirects == 0 {
                return Ok(response);
            }
            let target = redirect::target(from, response.status(), response.headers());
            let Some(target) = target.map_err(|what| code::broken(from, what))? else {
                return Ok(response);
            };
            if followed == prepared.redirects {
                return Err(code::too_many_redirects(from, prepared.redirects));
            }
            followed += 1;
            redirect::follow(outgoing, response.status(), target);
        }
    }
}
