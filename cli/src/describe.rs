//! The description of a library's jobs, as `palitra_job_describe` writes it.

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::Value;

use crate::library::Library;

/// All jobs of a library, in the order of their names.
#[derive(Deserialize)]
pub struct Description {
    /// Whether the library was built with schemas.
    pub schemas: bool,
    pub jobs: Vec<Job>,
}

#[derive(Deserialize)]
pub struct Job {
    pub name: String,
    pub doc: String,
    /// Unless the job takes none.
    pub payload: Option<Part>,
    /// Unless it leaves nothing.
    pub reply: Option<Part>,
    /// If the job says that it streams.
    pub items: Option<Part>,
    /// The codes that the job may fail with, if its error has names for them.
    pub errors: Option<Errors>,
}

/// What bytes are: a payload, a reply or an item.
#[derive(Deserialize)]
pub struct Part {
    pub format: Format,
    pub schema: Option<Value>,
    /// Of the JSON before the bytes.
    pub head: Option<Value>,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq, Debug)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    Bytes,
    Text,
    Json,
}

impl Format {
    pub fn name(self) -> &'static str {
        match self {
            Format::Bytes => "bytes",
            Format::Text => "text",
            Format::Json => "JSON",
        }
    }
}

/// The codes of an enum of errors.
#[derive(Clone, Deserialize, PartialEq, Eq)]
pub struct Errors {
    pub name: String,
    pub codes: Vec<ErrorCode>,
}

/// A failure that has a name.
#[derive(Clone, Deserialize, PartialEq, Eq)]
pub struct ErrorCode {
    pub code: i32,
    pub name: String,
    pub doc: String,
}

impl Description {
    pub fn of(library: &Library) -> Result<Description> {
        Description::read(&library.describe()?)
    }

    pub fn read(document: &str) -> Result<Description> {
        serde_json::from_str(document)
            .context("the library describes its jobs in a way that this command does not know")
    }

    pub fn job(&self, name: &str) -> Option<&Job> {
        self.jobs.iter().find(|job| job.name == name)
    }
}
