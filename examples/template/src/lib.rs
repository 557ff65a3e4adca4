//! A library of jobs: async functions that programs in other languages call by their names.

use std::fmt;

use palitra::{ErrorCodes, Items, JobError, Json, job};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whom to greet.
#[derive(Deserialize, JsonSchema)]
struct Greet {
    name: String,
}

#[derive(Serialize, JsonSchema)]
struct Greeting {
    text: String,
    /// How many letters the name has.
    letters: usize,
}

/// Why there is no greeting.
#[derive(Debug, ErrorCodes)]
enum GreetError {
    /// The name is empty.
    #[code = 1]
    Nameless,
}

impl std::error::Error for GreetError {}

impl fmt::Display for GreetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GreetError::Nameless => f.write_str("the name is empty"),
        }
    }
}

/// Greets somebody.
#[job("greet.hello")]
async fn hello(Json(greet): Json<Greet>) -> Result<Json<Greeting>, GreetError> {
    if greet.name.is_empty() {
        return Err(GreetError::Nameless);
    }
    Ok(Json(Greeting { text: format!("hello {}", greet.name), letters: greet.name.chars().count() }))
}

/// Streams the words of a text.
#[job("greet.words")]
async fn words(items: Items<String>, text: String) -> Result<(), JobError> {
    for word in text.split_whitespace() {
        items.send(word.to_string()).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use palitra::{Error, Runner, Status};

    #[test]
    fn somebody_is_greeted() -> Result<(), Error> {
        let reply = Runner::new()?.run_job("greet.hello", r#"{"name": "Ada"}"#, None)?;
        assert_eq!(reply.text(), r#"{"text":"hello Ada","letters":3}"#);
        Ok(())
    }

    #[test]
    fn nobody_is_not() -> Result<(), Error> {
        let reply = Runner::new()?.run_job("greet.hello", r#"{"name": ""}"#, None)?;
        assert_eq!((reply.status(), reply.code()), (Status::JobFailed, 1));
        Ok(())
    }
}
