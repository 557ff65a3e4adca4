//! NATS: publish and subscribe, on one connection that all jobs of a runner share and that is made anew when it breaks.

use std::error::Error;

use async_nats::{Client, ConnectOptions};
use futures_util::StreamExt;
use palitra::{Context, Framed, JobError, RunnerState, State, job};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{PATIENCE, code};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    /// `nats://user:password@host:port`
    url: String,
}

struct Nats(Client);

impl RunnerState for Nats {
    const NAME: &str = "nats";
    type Config = Config;

    async fn create(config: Config) -> Result<Self, JobError> {
        let options = ConnectOptions::new().name("palitra").connection_timeout(PATIENCE);
        options.connect(config.url).await.map(Nats).map_err(|error| failed(code::UNREACHABLE, &error))
    }

    /// What was published is sent, and the server knows that nobody listens any more.
    async fn close(&self) {
        let _ = self.0.drain().await;
    }
}

#[derive(Deserialize, Serialize)]
struct Head {
    subject: String,
}

/// Publishes the bytes behind `{"subject"}`; returns when they are on their way.
#[job("nats.publish")]
async fn publish(nats: State<Nats>, Framed(head, message): Framed<Head>) -> Result<(), JobError> {
    nats.0.publish(head.subject, message.into()).await.map_err(|error| failed(code::REFUSED, &error))?;
    nats.0.flush().await.map_err(|error| failed(code::UNREACHABLE, &error))
}

/// Subscribes to a subject, `orders.*`, until it is cancelled. Sends `{"listening": subject}` once nothing can be
/// missed any more, then each message as `{"subject"}`, a line feed and its bytes. A reader so slow that some 65,000
/// messages wait for it loses further ones: NATS holds back nobody who publishes.
#[job("nats.subscribe")]
async fn subscribe(context: Context, nats: State<Nats>, subject: String) -> Result<(), JobError> {
    let subscription = nats.0.subscribe(subject.clone()).await;
    let mut messages = subscription.map_err(|error| failed(code::REFUSED, &error))?;
    nats.0.flush().await.map_err(|error| failed(code::UNREACHABLE, &error))?;
    context.send(Framed(json!({"listening": subject}), Vec::new())).await?;
    while let Some(message) = messages.next().await {
        let head = Head { subject: message.subject.to_string() };
        context.send(Framed(head, message.payload.to_vec())).await?;
    }
    Ok(())
}

fn failed(code: i32, error: &(dyn Error + 'static)) -> JobError {
    JobError::new(code, format!("nats: {}", JobError::from_error(code, error).message()))
}
