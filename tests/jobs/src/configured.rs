//! A state that its runner configures, takes time to be made and says goodbye.

use std::time::Duration;

use palitra::{JobError, RunnerState, State, job};
use serde::Deserialize;

struct Configured {
    config: Config,
}

#[derive(Deserialize)]
struct Config {
    text: String,
    /// A file to make when the state is closed.
    farewell: Option<String>,
}

impl RunnerState for Configured {
    const NAME: &str = "test.configured";
    type Config = Config;

    async fn create(config: Config) -> Result<Self, JobError> {
        tokio::time::sleep(Duration::from_millis(1)).await;
        Ok(Configured { config })
    }

    async fn close(&self) {
        if let Some(path) = &self.config.farewell {
            let _ = std::fs::write(path, &self.config.text);
        }
    }
}

/// The text that its runner is configured with: {"test.configured": {"text": ..., "farewell": a file made at the end}}.
#[job("test.configured")]
async fn configured(state: State<Configured>) -> String {
    state.config.text.clone()
}
