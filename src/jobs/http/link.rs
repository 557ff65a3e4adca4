//! One connection, which is driven by whoever uses it.
//!
//! It has no task of its own: the job that sends a request over it, or reads a response from it, polls the state
//! machine of the HTTP library, too. So what comes from the server wakes that job and nobody else, and a job that is
//! dropped takes its connection along.
//!
//! hyper-util has a client with a pool, whose connections are tasks. This room, the pool and the alarms are here in its
//! place for what they save: a request takes 49,000 instructions for 55,500, and beside libcurl with one request in
//! flight palitra uses 1.3 times its processor time for twice (docs/performance.md). If hyper's users can drive
//! connections one day, they go.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use hyper::Response;
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::{Connection, SendRequest, handshake};

use super::connect::{Stream, ToProxy};
use super::content::Content;

pub(super) type Request = hyper::Request<Content>;
pub(super) type Sent = Result<Response<Incoming>, TrySendError<Request>>;

pub(super) struct Link {
    /// What it leads to.
    pub(super) to: Arc<str>,
    pub(super) proxy: Option<ToProxy>,
    sender: SendRequest<Content>,
    /// None once it has ended.
    connection: Option<Connection<Stream, Content>>,
}

impl Link {
    pub(super) async fn new(to: &str, stream: Stream, proxy: Option<ToProxy>) -> hyper::Result<Link> {
        let (sender, connection) = handshake(stream).await?;
        Ok(Link { to: to.into(), proxy, sender, connection: Some(connection) })
    }

    /// Begins to send a request; [`Link::drive`] what this returns.
    pub(super) fn send(&mut self, request: Request) -> impl Future<Output = Sent> + use<> {
        self.sender.try_send_request(request)
    }

    /// Polls something that advances only with the connection.
    pub(super) fn drive<T>(
        &mut self,
        cx: &mut Context<'_>,
        mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        // It need not wake anybody: whenever the connection advances it is polled, here.
        let nobody = &mut Context::from_waker(Waker::noop());
        if let Poll::Ready(value) = poll(nobody) {
            return Poll::Ready(value);
        }
        self.advance(cx);
        poll(nobody)
    }

    /// Does what can be done now. What the connection waits for wakes this context.
    pub(super) fn advance(&mut self, cx: &mut Context<'_>) {
        let ended = self.connection.as_mut().is_none_or(|connection| Pin::new(connection).poll(cx).is_ready());
        if ended {
            // Dropped, it fails what it was sent and has not done.
            self.connection = None;
        }
    }

    /// Whether it can take a request: it is open, and the response before has been read to its end.
    pub(super) fn is_ready(&self) -> bool {
        self.connection.is_some() && self.sender.is_ready()
    }
}
