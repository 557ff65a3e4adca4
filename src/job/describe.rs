//! The description of a job: one JSON document for hosts, their tools and people. `src/abi/job.rs` says what it holds.
//!
//! It is made anew each time somebody asks, so that no lock can be held by another thread in a fork, and it is always
//! the same, to the byte: what is generated from it changes only if the library has.

use serde::Serialize;
use serde_json::Value;

use super::extract::FromRequest;
use super::output::IntoReply;
use super::probe::Codes;
use super::{Description, Job};
use crate::reply::Format;

/// What the types of a job's function say, one after the other.
#[derive(Default)]
pub struct Types {
    payload: Option<Part>,
    reply: Option<Part>,
    items: Option<Part>,
    errors: Option<Codes>,
}

/// What is known of the bytes of a payload, a reply or an item beyond their format.
struct Part {
    format: Format,
    is_framed: bool,
    schema: Option<Value>,
}

impl Types {
    /// The function takes an `A`.
    pub fn argument<A: FromRequest>(&mut self, schema: Option<Value>) {
        if let Some(format) = A::PAYLOAD {
            self.payload = Some(Part { format, is_framed: A::IS_FRAMED, schema });
        } else if let Some(format) = A::ITEMS {
            self.items = Some(Part { format, is_framed: A::IS_FRAMED, schema });
        }
    }

    /// The function returns an `R`.
    pub fn result<R: IntoReply>(&mut self, schema: Option<Value>, codes: Option<Codes>) {
        self.errors = codes;
        if !R::IS_EMPTY {
            self.reply = Some(Part { format: R::FORMAT, is_framed: R::IS_FRAMED, schema });
        }
    }
}

#[derive(Serialize)]
struct LibraryDocument<'a> {
    /// The version of palitra.
    palitra: &'static str,
    /// Whether the library was built with the feature `schema`.
    schemas: bool,
    jobs: Vec<JobDocument<'a>>,
}

#[derive(Serialize)]
struct JobDocument<'a> {
    name: &'a str,
    doc: &'a str,
    inline: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<PartDocument>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply: Option<PartDocument>,
    #[serde(skip_serializing_if = "Option::is_none")]
    items: Option<PartDocument>,
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<ErrorsDocument>,
}

#[derive(Serialize)]
struct PartDocument {
    format: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    schema: Option<Value>,
    /// The schema of the JSON before the bytes; `true`, which every JSON fits, where none is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    head: Option<Value>,
}

#[derive(Serialize)]
struct ErrorsDocument {
    /// Of the enum.
    name: &'static str,
    codes: Vec<CodeDocument>,
}

#[derive(Serialize)]
struct CodeDocument {
    name: &'static str,
    code: i32,
    doc: &'static str,
}

impl Codes {
    fn document(self) -> ErrorsDocument {
        let codes = self.codes.iter().map(|&(name, code, doc)| CodeDocument { name, code, doc });
        ErrorsDocument { name: self.name, codes: codes.collect() }
    }
}

impl Part {
    fn document(self) -> PartDocument {
        let format = match self.format {
            Format::Bytes => "bytes",
            Format::Text => "text",
            Format::Json => "json",
        };
        if self.is_framed {
            PartDocument { format, schema: None, head: Some(self.schema.unwrap_or(Value::Bool(true))) }
        } else {
            PartDocument { format, schema: self.schema, head: None }
        }
    }
}

fn document(job: &Job) -> JobDocument<'_> {
    let Description { name, describe, inline, .. } = job.description;
    let mut types = Types::default();
    describe(&mut types);
    JobDocument {
        name,
        doc: job.doc(),
        inline,
        payload: types.payload.map(Part::document),
        reply: types.reply.map(Part::document),
        items: types.items.map(Part::document),
        errors: types.errors.map(Codes::document),
    }
}

/// One job.
pub(crate) fn description(job: &Job) -> String {
    written(&document(job))
}

/// All jobs of the library.
pub(crate) fn descriptions(jobs: &[&Job]) -> String {
    let jobs = jobs.iter().map(|job| document(job)).collect();
    written(&LibraryDocument { palitra: env!("CARGO_PKG_VERSION"), schemas: cfg!(feature = "schema"), jobs })
}

/// Of texts, lists and JSON, all of which can be written.
fn written(document: &impl Serialize) -> String {
    serde_json::to_string(document).unwrap_or_default()
}
