//! What a job takes its arguments from: the payload, the token and the runner.

use std::cell::OnceCell;
use std::sync::Arc;

use super::state::States;
use crate::reply::{Error, JobError, Status};
use crate::token::{self, HostSide, JobSide, Reading, TokenId, TokenRef};

/// The runner, as its jobs see it.
pub(crate) trait JobRuntime: Send + Sync {
    fn states(&self) -> &States;
    fn make_token(&self, reading: Reading) -> Result<(HostSide, JobSide), Status>;
    fn submit(&self, job: &str, payload: Vec<u8>) -> Result<HostSide, Error>;
    fn to_arc(&self) -> Arc<dyn JobRuntime>;
}

/// One execution of a job, while its arguments are being taken from it.
pub struct Request<'a> {
    payload: Vec<u8>,
    pub(super) runtime: &'a dyn JobRuntime,
    token: RequestToken<'a>,
}

/// The token of a job. A job that is run, is ready at once and never asks for its token does without one.
#[derive(Clone, Copy)]
pub(crate) enum RequestToken<'a> {
    Made(TokenId),
    OnDemand(&'a OnDemand),
}

/// A token that is made when somebody asks for it.
pub(crate) struct OnDemand {
    reading: Reading,
    token: OnceCell<Result<(HostSide, JobSide), Status>>,
}

impl OnDemand {
    pub(crate) fn new(reading: Reading) -> OnDemand {
        OnDemand { reading, token: OnceCell::new() }
    }

    fn get(&self, runtime: &dyn JobRuntime) -> Result<TokenRef, Status> {
        let made = self.token.get_or_init(|| runtime.make_token(self.reading));
        made.as_ref().map(|(host_side, _)| host_side.token()).map_err(|status| *status)
    }

    /// The token, made now if nobody has asked for it.
    pub(crate) fn into_token(self, runtime: &dyn JobRuntime) -> Result<(HostSide, JobSide), Status> {
        let OnDemand { reading, token } = self;
        token.into_inner().unwrap_or_else(|| runtime.make_token(reading))
    }
}

impl<'a> Request<'a> {
    pub(crate) fn new(payload: Vec<u8>, runtime: &'a dyn JobRuntime, token: RequestToken<'a>) -> Self {
        Request { payload, runtime, token }
    }

    /// The payload; whoever takes it leaves nothing behind.
    pub fn take_payload(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.payload)
    }

    pub(super) fn token(&self) -> Result<TokenRef, JobError> {
        match self.token {
            RequestToken::Made(id) => token::find(id).map_err(|status| JobError::from(status.message())),
            RequestToken::OnDemand(token) => token.get(self.runtime).map_err(|status| JobError::from(status.message())),
        }
    }
}
