//! Redis: any command, on one connection that all jobs of a runner share and that is made anew when it breaks.

use palitra::{JobError, Json, RunnerState, State, job};
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, Cmd, IntoConnectionInfo, ProtocolVersion, RedisError, Value};
use serde::Deserialize;
use serde_json::{Value as JsonValue, json};

use crate::{PATIENCE, code};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    /// `redis://user:password@host:port/database`
    url: String,
}

struct Redis(ConnectionManager);

impl RunnerState for Redis {
    const NAME: &str = "redis";
    type Config = Config;

    async fn create(config: Config) -> Result<Self, JobError> {
        let server = config.url.into_connection_info().map_err(failed)?;
        // Under this protocol a break is noticed when it happens, and mended before the next command.
        let settings = server.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        let client = Client::open(server.set_redis_settings(settings)).map_err(failed)?;
        let patience = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(None) // the host's timeouts hold
            .set_number_of_retries(0); // the next command tries again
        Ok(Redis(ConnectionManager::new_with_config(client, patience).await.map_err(failed)?))
    }
}

/// Runs a command, `["SET", "color", "blue", "EX", 60]`, and returns what Redis replies as JSON. All jobs share a
/// connection: a command that blocks, such as BLPOP, keeps the others waiting.
#[job("redis.command")]
async fn command(redis: State<Redis>, Json(words): Json<Vec<JsonValue>>) -> Result<Json<JsonValue>, JobError> {
    let mut command = Cmd::new();
    for word in &words {
        match word {
            JsonValue::String(text) => command.arg(text),
            other => command.arg(other.to_string()),
        };
    }
    let mut connection = redis.0.clone();
    let reply = match command.query_async(&mut connection).await {
        // The connection broke before, and the attempt to make it anew came too early. Nothing was sent.
        Err(error) if error.is_connection_refusal() => command.query_async(&mut connection).await,
        reply => reply,
    };
    to_json(reply.map_err(failed)?).map(Json)
}

fn to_json(value: Value) -> Result<JsonValue, JobError> {
    let list = |values: Vec<Value>| values.into_iter().map(to_json).collect::<Result<Vec<_>, _>>();
    Ok(match value {
        Value::Nil => JsonValue::Null,
        Value::Okay => json!("OK"),
        Value::Int(number) => json!(number),
        Value::Double(number) => json!(number),
        Value::Boolean(truth) => json!(truth),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => json!(text),
        Value::BulkString(bytes) | Value::BigNumber(bytes) => json!(to_text(bytes)?),
        Value::Array(values) | Value::Set(values) => JsonValue::Array(list(values)?),
        Value::Map(pairs) => {
            let member = |(key, value)| Ok((to_key(key)?, to_json(value)?));
            JsonValue::Object(pairs.into_iter().map(member).collect::<Result<_, JobError>>()?)
        }
        Value::Attribute { data, .. } => to_json(*data)?,
        Value::ServerError(error) => return Err(failed(error.into())),
        other => return Err(JobError::new(code::REFUSED, format!("redis: JSON has no {other:?}"))),
    })
}

fn to_key(value: Value) -> Result<String, JobError> {
    match to_json(value)? {
        JsonValue::String(text) => Ok(text),
        other => Ok(other.to_string()),
    }
}

fn to_text(bytes: Vec<u8>) -> Result<String, JobError> {
    String::from_utf8(bytes).map_err(|_| JobError::new(code::REFUSED, "redis: the value is not UTF-8"))
}

fn failed(error: RedisError) -> JobError {
    let code = if error.is_io_error() || error.is_timeout() { code::UNREACHABLE } else { code::REFUSED };
    JobError::new(code, format!("redis: {}", JobError::from_error(code, &error).message()))
}
