//! What a job takes its arguments from: the payload, the token and the runner.

use std::cell::OnceCell;
use std::sync::Arc;

use super::state::{Making, States};
use super::{Call, Registered};
use crate::reply::{Error, JobError, Reply, Status};
use crate::token::{self, HostSide, JobSide, Reading, TokenId, TokenRef};

/// The runner, as its jobs see it.
pub(crate) trait JobRuntime: Send + Sync {
    fn states(&self) -> &States;
    fn make_token(&self, reading: Reading) -> Result<(HostSide, JobSide), Status>;
    fn submit(&self, job: &str, payload: Vec<u8>) -> Result<HostSide, Error>;
    /// The job that the host registered with this number.
    fn registered(&self, number: u32) -> Option<Registered>;
    fn to_arc(&self) -> Arc<dyn JobRuntime>;
    /// The message of a job's failed send: why nobody takes its item.
    fn why_nobody_reads(&self) -> &'static str {
        "nobody reads the stream any more"
    }
}

/// One execution of a job, while its arguments are being taken from it.
pub struct Request<'a> {
    payload: Vec<u8>,
    pub(super) runtime: &'a dyn JobRuntime,
    token: RequestToken<'a>,
    /// What makes the state that an extractor did not find.
    missing: Option<Making>,
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

/// A request whose job needs a state that is not made yet.
pub(super) struct Postponed {
    making: Making,
    payload: Vec<u8>,
    runtime: Arc<dyn JobRuntime>,
    token: Result<TokenId, JobError>,
}

impl Postponed {
    /// Waits for each state that is missing, then calls the job and runs it to its end.
    pub(super) async fn call(mut self, call: Call) -> Reply {
        loop {
            if let Err(error) = self.making.await {
                return error.into();
            }
            let token = match &self.token {
                Ok(id) => RequestToken::Made(*id),
                Err(error) => return error.clone().into(),
            };
            let called = {
                let mut request = Request::new(self.payload, &*self.runtime, token);
                call(&mut request).map_err(|error| request.postpone().ok_or(error))
            };
            match called {
                Ok(job) => return job.await,
                Err(Ok(postponed)) => self = postponed,
                Err(Err(error)) => return error.into(),
            }
        }
    }
}

impl<'a> Request<'a> {
    pub(crate) fn new(payload: Vec<u8>, runtime: &'a dyn JobRuntime, token: RequestToken<'a>) -> Self {
        Request { payload, runtime, token, missing: None }
    }

    /// The payload; whoever takes it leaves nothing behind.
    pub fn take_payload(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.payload)
    }

    pub(crate) fn registered(&self, number: u32) -> Option<Registered> {
        self.runtime.registered(number)
    }

    /// Keeps what makes the missing state. The error stands for it until then.
    pub(super) fn miss(&mut self, making: Making) -> JobError {
        self.missing = Some(making);
        JobError::from("a state is not made yet")
    }

    /// The same request, to be made again once the state is there that was missing.
    pub(super) fn postpone(&mut self) -> Option<Postponed> {
        let making = self.missing.take()?;
        let payload = self.take_payload();
        Some(Postponed { making, payload, runtime: self.runtime.to_arc(), token: self.token().map(TokenRef::id) })
    }

    pub(crate) fn token(&self) -> Result<TokenRef, JobError> {
        match self.token {
            RequestToken::Made(id) => token::find(id).map_err(|status| JobError::from(status.message())),
            RequestToken::OnDemand(token) => token.get(self.runtime).map_err(|status| JobError::from(status.message())),
        }
    }
}
