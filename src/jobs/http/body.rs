//! Reads a body chunk by chunk, unpacks it, and says how far it is.

use std::future::poll_fn;
use std::pin::Pin;

use bytes::Bytes;
use hyper::body::{Body, Incoming};
use url::Url;

use super::code;
use super::pool::Lease;
use super::unpack::{Piece, Unpacker};
use crate::job::Context;
use crate::reply::JobError;

/// Reads a body chunk by chunk, and says how far it is. A body that is larger than its limit, as it comes or unpacked,
/// ends the reading at once; dropped, the connection is closed.
pub(super) struct Reader {
    /// Before the connection: read to its end or not, it is dropped first.
    body: Incoming,
    lease: Lease,
    unpacker: Option<Unpacker>,
    url: Url,
    limit: u64,
    /// What came of the body in an earlier response; it counts like what comes.
    before: u64,
    /// The length that the server promised; 0 if it promised none.
    announced: u64,
    received: u64,
    unpacked: u64,
}

impl Reader {
    pub(super) fn new(
        body: Incoming,
        lease: Lease,
        unpacker: Option<Unpacker>,
        url: Url,
        limit: u64,
        before: u64,
    ) -> Result<Reader, JobError> {
        let announced = body.size_hint().exact().unwrap_or(0);
        let reader = Reader { body, lease, unpacker, url, limit, before, announced, received: 0, unpacked: 0 };
        if before.saturating_add(announced) > reader.most_received() {
            return Err(code::too_large(&reader.url, limit));
        }
        Ok(reader)
    }

    /// The length that the server promised; 0 if it promised none.
    pub(super) fn announced(&self) -> u64 {
        self.announced
    }

    /// What of the body comes next; `None` at its end.
    pub(super) async fn next(&mut self, context: &Context) -> Result<Option<Bytes>, JobError> {
        if self.unpacker.is_none() {
            return self.receive(context).await;
        }
        loop {
            // A little that comes may be a lot to unpack, and others are to have their turn between.
            tokio::task::consume_budget().await;
            let Some(unpacker) = &mut self.unpacker else { return Ok(None) };
            let piece = unpacker.next();
            match piece
                .map_err(|error| code::broken(&self.url, format_args!("the body cannot be unpacked: {error}")))?
            {
                Piece::Bytes(bytes) => {
                    self.unpacked += bytes.len() as u64;
                    if self.unpacked > self.limit {
                        return Err(code::too_large(&self.url, self.limit));
                    }
                    return Ok(Some(bytes));
                }
                Piece::Hungry => match self.receive(context).await? {
                    Some(bytes) => self.feed(|unpacker| unpacker.arrived(bytes)),
                    None => self.feed(Unpacker::ended),
                },
                Piece::End => {
                    // To the end of what comes, so that the connection can be kept.
                    while self.receive(context).await?.is_some() {}
                    return Ok(None);
                }
            }
        }
    }

    fn feed(&mut self, how: impl FnOnce(&mut Unpacker)) {
        if let Some(unpacker) = &mut self.unpacker {
            how(unpacker);
        }
    }

    async fn receive(&mut self, context: &Context) -> Result<Option<Bytes>, JobError> {
        loop {
            let (body, lease) = (&mut self.body, &mut self.lease);
            let frame = poll_fn(|cx| lease.drive(cx, |cx| Pin::new(&mut *body).poll_frame(cx))).await;
            let Some(frame) = frame else { return Ok(None) };
            let frame = frame.map_err(|error| code::from_library(&self.url, &error))?;
            // Trailers are not part of the body.
            let Ok(chunk) = frame.into_data() else { continue };
            self.received += chunk.len() as u64;
            let done = self.before + self.received;
            if done > self.most_received() {
                return Err(code::too_large(&self.url, self.limit));
            }
            context.progress(done, done.max(self.before + self.announced));
            return Ok(Some(chunk));
        }
    }

    /// Compressed, a body that does not compress is a little larger than itself; one that unpacks to nothing at all may
    /// go on forever.
    fn most_received(&self) -> u64 {
        if self.unpacker.is_some() { self.limit.saturating_add(self.limit / 8 + 1024) } else { self.limit }
    }
}
