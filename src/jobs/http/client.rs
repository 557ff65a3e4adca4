//! The client that the HTTP jobs of one runner share, until it is configured anew: where redirects lead, what comes
//! back.

use std::sync::{Arc, PoisonError, RwLock};

use tokio::time::Instant;

use super::alarm::Alarms;
use super::connect::Connector;
use super::content::Source;
use super::cookies::Cookies;
use super::exchange::{Begun, Exchange};
use super::page::Streamed;
use super::payload::Configure;
use super::pool::Pool;
use super::request::Prepared;
use super::response::Fetched;
use super::roots::SystemRoots;
use super::settings::Settings;
use super::turns::{Turn, Turns};
use super::{background, code, page, redirect};
use crate::job::{Context, Items, RunnerState};
use crate::reply::JobError;

/// Room made for a body before its first byte arrives. The length is the server's word, so it is not trusted beyond.
const TRUSTED_LENGTH: u64 = 1 << 20;

/// The client that the next request of a runner uses. Requests that are under way keep theirs.
pub(super) struct Clients {
    roots: Arc<SystemRoots>,
    current: RwLock<Arc<Client>>,
}

/// One pool of connections, and the turns to use them.
pub(super) struct Client {
    exchange: Exchange,
    roots: Arc<SystemRoots>,
    turns: Turns,
    /// Of requests whose body another job produces. That job may be a request, which needs a turn to bring the body:
    /// if they all waited for the same turns, those that hold one could wait for each other.
    turns_of_produced: Turns,
    pub(super) alarms: Alarms,
}

impl RunnerState for Clients {
    const NAME: &str = "http";
    type Config = Configure;

    async fn create(config: Configure) -> Result<Self, JobError> {
        let roots = SystemRoots::new();
        let client = make(&roots, config).await?;
        Ok(Clients { roots, current: RwLock::new(client) })
    }

    async fn close(&self) {
        background::delivered().await;
    }
}

/// A client with these settings. Their files are read on a thread of their own.
async fn make(roots: &Arc<SystemRoots>, fields: Configure) -> Result<Arc<Client>, JobError> {
    let roots = Arc::clone(roots);
    let make = move || {
        let settings = Settings::read(fields, roots.provider())?;
        Client::new(settings, &roots).map_err(|error| code::invalid(format_args!("\"client_cert\": {error}")))
    };
    let lost = || Err(JobError::from("the settings were lost on the thread that read them"));
    background::compute(make).await.unwrap_or_else(lost).map(Arc::new)
}

impl Clients {
    pub(super) fn current(&self) -> Arc<Client> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Makes a client with these settings, which takes the place of the one before.
    pub(super) async fn configure(&self, fields: Configure) -> Result<(), JobError> {
        let client = make(&self.roots, fields).await?;
        let old = std::mem::replace(&mut *self.current.write().unwrap_or_else(PoisonError::into_inner), client);
        // Outside the lock: it closes connections.
        drop(old);
        Ok(())
    }
}

impl Client {
    fn new(settings: Settings, roots: &Arc<SystemRoots>) -> Result<Client, rustls::Error> {
        let tls = roots.client_config(settings.verifier, settings.identity)?;
        let connector = Connector::new(tls, settings.proxies, settings.addresses);
        let cookies = settings.cookies.then(Cookies::default);
        let exchange =
            Exchange::new(connector, Pool::new(settings.idle, settings.idle_connections), settings.user_agent, cookies);
        let turns = || Turns::new(settings.requests, settings.requests_per_host);
        let (turns, turns_of_produced) = (turns(), turns());
        Ok(Client { exchange, roots: Arc::clone(roots), turns, turns_of_produced, alarms: Alarms::default() })
    }

    /// The response to a request. Its timeout runs from its turn on, unless the request says otherwise: a thousand
    /// requests submitted at once do not use up each other's time.
    pub(super) async fn fetch(&self, mut prepared: Prepared, context: &Context) -> Result<Fetched, JobError> {
        let (_turn, end) = self.turn(&prepared).await?;
        let fetched = self.alarms.before(end, self.perform(&mut prepared, context)).await;
        fetched.unwrap_or_else(|| Err(code::timeout(&prepared.outgoing.url, prepared.timeout)))
    }

    /// Waits for the turn of a request; when its time is over.
    pub(super) async fn turn(&self, prepared: &Prepared) -> Result<(Turn<'_>, Instant), JobError> {
        let timeout = prepared.timeout;
        let asked = Instant::now();
        let is_produced = matches!(prepared.outgoing.body, Source::Job(_));
        let turns = if is_produced { &self.turns_of_produced } else { &self.turns };
        let turn = turns.wait(&prepared.outgoing.url);
        // It cannot fail: nobody closes the semaphore.
        let closed = |_| code::no_client("the runner ends");
        if !prepared.timeout_includes_wait {
            return Ok((turn.await.map_err(closed)?, Instant::now() + timeout));
        }
        match self.alarms.before(asked + timeout, turn).await {
            Some(turn) => Ok((turn.map_err(closed)?, asked + timeout)),
            None => Err(code::no_turn(&prepared.outgoing.url, timeout)),
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
        items: &Items<Streamed>,
    ) -> Result<(), JobError> {
        let (turn, end) = self.turn(&prepared).await?;
        let (url, timeout) = (prepared.outgoing.url.clone(), prepared.timeout);
        let late = || code::timeout(&url, timeout);
        let response = self.alarms.before(end, self.send(&mut prepared)).await.ok_or_else(late)??;
        drop(turn);
        let (fetched, mut reader) = Fetched::begin(response, &prepared, 0)?;
        if with_head {
            items.send(Streamed::Head(page::head(&fetched))).await?;
        } else if !fetched.status.is_success() {
            return Err(code::unsuccessful(&fetched.url, fetched.status));
        }
        let next = || Instant::now() + timeout;
        while let Some(chunk) = self.alarms.before(next(), reader.next(context)).await.ok_or_else(late)?? {
            items.send(Streamed::Chunk(chunk.to_vec())).await?;
        }
        Ok(())
    }

    /// Sends the request, and again wherever a redirect leads, until a response is none.
    pub(super) async fn send(&self, prepared: &mut Prepared) -> Result<Begun, JobError> {
        let mut followed = 0;
        loop {
            let outgoing = &mut prepared.outgoing;
            if outgoing.url.scheme() == "https" {
                self.roots.read_ahead().await;
            }
            let begun = self.exchange.send(outgoing).await?;
            let (from, response) = (&outgoing.url, &begun.response);
            if prepared.redirects == 0 {
                return Ok(begun);
            }
            let target = redirect::target(from, response.status(), response.headers());
            let Some(target) = target.map_err(|what| code::broken(from, what))? else {
                return Ok(begun);
            };
            if followed == prepared.redirects {
                return Err(code::too_many_redirects(from, prepared.redirects));
            }
            followed += 1;
            let status = response.status();
            redirect::follow(outgoing, status, target);
        }
    }
}
