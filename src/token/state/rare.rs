//! What few tokens have, so that the others do without: a stream, progress, a queue to tell, many observers.
//!
//! Made under the token's lock when somebody needs it, dropped with the tenant.

use std::sync::Arc;

use super::{More, Observer, Registration, TokenCell};
use crate::current::RunnerId;
use crate::reply::Status;
use crate::sync::lock;
use crate::token::stream::Stream;

/// The parts of a token that are made when somebody needs them.
#[derive(Default)]
pub(super) struct Rare {
    /// Every observer after the first.
    pub(super) observers: Vec<Registration>,
    /// Told when the token finishes, also if the host has let go of it by then.
    pub(super) completion: Option<Registration>,
    pub(super) stream: Option<Arc<Stream>>,
    /// Done and total, as the job last said.
    pub(super) progress: (u64, u64),
}

impl Rare {
    /// The token finishes: whom to notify, and who sends to its stream no more. Under the token's lock, so that whoever
    /// sees the token finished has all its items before it.
    pub(super) fn finish(&mut self) -> More {
        let senders = self.stream.as_ref().map(|stream| stream.end()).unwrap_or_default();
        More { senders, observers: std::mem::take(&mut self.observers), completion: self.completion.take() }
    }

    /// The host lets go: those who wait for it are notified, and a stream has nobody to send to any more.
    pub(super) fn release_host(&mut self) -> (More, Option<Arc<Stream>>) {
        let more = More { senders: Vec::new(), observers: std::mem::take(&mut self.observers), completion: None };
        (more, self.stream.clone())
    }
}

impl TokenCell {
    /// Whom to tell when the token finishes, also if the host lets go of it before; at once if it has finished.
    /// Once for each token.
    pub(crate) fn set_completion(&self, generation: u32, observer: Arc<dyn Observer>) {
        let Ok(mut state) = self.host_state(generation) else { return };
        match state.reply().map(|reply| reply.status()) {
            None => state.rare.get_or_insert_default().completion = Some(Registration { observer, tag: 0 }),
            Some(status) => {
                drop(state);
                observer.finished(0, status);
            }
        }
    }

    /// The stream that the job sends to; `None` if nobody will read it or the token has finished.
    pub(crate) fn sending(&self, generation: u32) -> Option<Arc<Stream>> {
        let mut state = self.host_state(generation).ok()?;
        let open = state.is_pending() && !state.unread;
        open.then(|| Arc::clone(state.rare.get_or_insert_default().stream.get_or_insert_default()))
    }

    /// The stream that the host reads, its runner, and how the token finished, if it has.
    pub(crate) fn reading(&self, generation: u32) -> Result<(Arc<Stream>, RunnerId, Option<Status>), Status> {
        let (_, finished) = self.look(generation, |reply| reply.status());
        let mut state = self.host_state(generation)?;
        let stream = Arc::clone(state.rare.get_or_insert_default().stream.get_or_insert_default());
        Ok((stream, state.runner, finished.ok()))
    }

    pub(crate) fn set_progress(&self, generation: u32, done: u64, total: u64) {
        let mut state = lock(&self.state);
        if state.generation == generation && state.is_pending() {
            state.rare.get_or_insert_default().progress = (done, total);
        }
    }

    /// (0, 0) before the job said anything.
    pub(crate) fn progress(&self, generation: u32) -> Result<(u64, u64), Status> {
        Ok(self.host_state(generation)?.rare.as_ref().map_or((0, 0), |rare| rare.progress))
    }
}
