//! `palitra.sleep`: a job that takes its time and blocks no thread meanwhile.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::job::Json;
use crate::reply::JobError;

#[derive(Clone, Copy, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct Sleep {
    /// How long.
    seconds: f64,
}

/// Sleeps for `{"seconds": 0.5}` and returns the same.
#[palitra::job("palitra.sleep", inline)]
async fn sleep(Json(sleep): Json<Sleep>) -> Result<Json<Sleep>, JobError> {
    let duration = Duration::try_from_secs_f64(sleep.seconds)
        .map_err(|error| JobError::from(format!("\"seconds\": {}: {error}", sleep.seconds)))?;
    tokio::time::sleep(duration).await;
    Ok(Json(sleep))
}
