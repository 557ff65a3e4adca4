//! JSON, which a job takes as its payload and leaves as its reply.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::extract::FromRequest;
use super::output::IntoReply;
use super::request::Request;
use crate::reply::{Format, JobError, Reply};

/// JSON: as an argument the payload, as a result the reply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Json<T> {
    const PAYLOAD: Option<Format> = Some(Format::Json);

    fn from_request(request: &mut Request<'_>) -> Result<Self, JobError> {
        let payload = request.take_payload();
        serde_json::from_slice(&payload).map(Json).map_err(JobError::does_not_fit)
    }
}

impl<T: Serialize> IntoReply for Json<T> {
    const FORMAT: Format = Format::Json;

    fn into_reply(self) -> Reply {
        let mut json = Vec::with_capacity(MOST_JSON);
        match write_json(&mut json, &self.0) {
            Ok(()) => Reply::success(Self::FORMAT, json),
            Err(error) => error.into(),
        }
    }
}

impl IntoReply for serde_json::Value {
    const FORMAT: Format = Format::Json;

    fn into_reply(self) -> Reply {
        Json(self).into_reply()
    }
}

/// Room that most replies fit into, as serde_json makes it.
pub(super) const MOST_JSON: usize = 128;

/// Appends the value, without a line feed.
pub(crate) fn write_json(json: &mut Vec<u8>, value: &impl Serialize) -> Result<(), JobError> {
    serde_json::to_writer(json, value)
        .map_err(|error| JobError::from(format!("the result cannot be written as JSON: {error}")))
}
