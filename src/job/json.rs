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
        serde_json::from_slice(&payload)
            .map(Json)
            .map_err(|error| JobError::bad_payload(format!("the payload does not fit: {error}")))
    }
}

impl<T: Serialize> IntoReply for Json<T> {
    const FORMAT: Format = Format::Json;

    fn into_reply(self) -> Reply {
        match serde_json::to_vec(&self.0) {
            Ok(bytes) => Reply::success(Self::FORMAT, bytes),
            Err(error) => JobError::from(format!("the result cannot be written as JSON: {error}")).into(),
        }
    }
}
