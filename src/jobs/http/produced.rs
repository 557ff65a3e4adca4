//! The body of a request that another job produces: its items, sent as they come.
//!
//! The job starts when the connection asks for the first byte, and is slowed by a server that is slow to take them: no
//! more than the items of one stream wait. A request that is sent again, to where a redirect leads, calls it again.

use std::fmt;
use std::sync::Arc;
use std::task::{Poll, ready};

use bytes::Bytes;

use super::payload::BodyFrom;
use crate::job::Context;
use crate::reply::{Error, Reply};
use crate::token::JobToken;

/// What to call for each body.
#[derive(Debug)]
pub(super) struct Producer {
    context: Context,
    job: String,
    payload: Vec<u8>,
    length: Option<u64>,
}

/// One body.
pub(super) struct Produced {
    producer: Arc<Producer>,
    /// None before the first byte is asked for, and at the end.
    token: Option<JobToken>,
    sent: u64,
    ended: bool,
}

/// Why the body cannot be sent to its end.
#[derive(Debug)]
pub(super) struct Unproduced(String);

impl Producer {
    pub(super) fn new(from: BodyFrom, context: &Context) -> Producer {
        let payload = match from.payload {
            None | Some(serde_json::Value::Null) => Vec::new(),
            // As it is, for jobs that take text.
            Some(serde_json::Value::String(text)) => text.into_bytes(),
            Some(value) => value.to_string().into_bytes(),
        };
        Producer { context: context.clone(), job: from.job, payload, length: from.length }
    }

    pub(super) fn body(self: &Arc<Self>) -> Produced {
        Produced { producer: Arc::clone(self), token: None, sent: 0, ended: false }
    }
}

impl Produced {
    /// How much is yet to be sent, if that is known.
    pub(super) fn left(&self) -> Option<u64> {
        if self.ended { Some(0) } else { self.producer.length.map(|length| length.saturating_sub(self.sent)) }
    }

    pub(super) fn poll_bytes(&mut self, cx: &mut std::task::Context<'_>) -> Poll<Option<Result<Bytes, Unproduced>>> {
        loop {
            if self.ended {
                return Poll::Ready(None);
            }
            let next = ready!(self.poll_item(cx)).map_err(|error| self.failed(&error));
            let checked = next.and_then(|item| self.check_length(item));
            match checked {
                Ok(Some(item)) if item.data().is_empty() => {}
                Ok(Some(item)) => return Poll::Ready(Some(Ok(Bytes::copy_from_slice(item.data())))),
                Ok(None) => self.end(),
                Err(error) => {
                    self.end();
                    return Poll::Ready(Some(Err(error)));
                }
            }
        }
    }

    fn poll_item(&mut self, cx: &mut std::task::Context<'_>) -> Poll<Result<Option<Reply>, Error>> {
        let token = match &mut self.token {
            Some(token) => token,
            none => {
                let Producer { context, job, payload, .. } = &*self.producer;
                none.insert(context.submit_job(job, payload.clone())?)
            }
        };
        token.poll_next(cx)
    }

    /// Exactly the length that was announced is sent: a server would take more, or less, for another request.
    fn check_length(&mut self, item: Option<Reply>) -> Result<Option<Reply>, Unproduced> {
        self.sent += item.as_ref().map_or(0, |item| item.data().len() as u64);
        let (job, sent) = (&self.producer.job, self.sent);
        match self.producer.length {
            Some(length) if sent > length || (item.is_none() && sent < length) => {
                let how = if item.is_none() { "ended after" } else { "sent" };
                Err(Unproduced(format!("the job {job:?} {how} {sent} bytes of a body whose length is {length}")))
            }
            _ => Ok(item),
        }
    }

    fn failed(&self, error: &Error) -> Unproduced {
        Unproduced(format!("the job {:?}, which produces the body, failed: {error}", self.producer.job))
    }

    /// Nobody needs more of the job.
    fn end(&mut self) {
        self.ended = true;
        if let Some(token) = self.token.take() {
            token.cancel();
        }
    }
}

impl Drop for Produced {
    fn drop(&mut self) {
        self.end();
    }
}

impl fmt::Display for Unproduced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unproduced {}
