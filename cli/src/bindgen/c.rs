//! C: a function and a documented name for each job; JSON goes in and comes out as text.
//!
//! C has no type for most of what JSON holds, and no JSON library that all share: the members of each type stand in the
//! comments, texts of enums and codes are constants.

use anyhow::Result;
use serde::Serialize;

use super::{File, JobName, documentation, filled, job_names, one_line, quoted};
use crate::jobs::{data, listed_type};
use crate::model::{Body, Data, Model};
use crate::names::{snake, upper};

#[derive(Serialize)]
struct Header {
    library: String,
    guard: String,
    types: Vec<String>,
    texts: Vec<Constant>,
    errors: Vec<Enum>,
    jobs: Vec<Function>,
}

#[derive(Serialize)]
struct Enum {
    name: String,
    codes: Vec<Constant>,
}

#[derive(Serialize)]
struct Constant {
    name: String,
    value: String,
    doc: String,
}

#[derive(Serialize)]
struct Function {
    name: String,
    job: String,
    doc: Vec<String>,
    takes: String,
    leaves: String,
    streams: Option<String>,
    /// Of the payload: "nothing", "text" or "bytes".
    payload: &'static str,
}

pub fn file(model: &Model, library: &str) -> Result<File> {
    let prefix = upper(library);
    let types = model.definitions.values().map(|definition| listed_type(definition).replace("*/", "* /"));
    let texts = model.definitions.values().flat_map(|definition| match &definition.body {
        Body::Enum(values) => values
            .iter()
            .map(|value| Constant {
                name: format!("{prefix}_{}_{}", upper(&definition.name), upper(&value.name)),
                value: quoted(&value.name),
                doc: comment(&value.doc),
            })
            .collect(),
        _ => Vec::new(),
    });
    let errors = model.errors.values().map(|errors| Enum {
        name: errors.name.clone(),
        codes: errors
            .codes
            .iter()
            .map(|code| Constant {
                name: format!("{prefix}_{}_{}", upper(&errors.name), upper(&code.name)),
                value: code.code.to_string(),
                doc: comment(&code.doc),
            })
            .collect(),
    });
    let header = Header {
        library: library.to_string(),
        guard: format!("{prefix}_JOBS_H"),
        types: types.collect(),
        texts: texts.collect(),
        errors: errors.collect(),
        jobs: job_names(&model.jobs, |name| format!("{}_{}", snake(library), snake(name))).map(function).collect(),
    };
    Ok(File { name: format!("{library}.h"), text: filled(include_str!("../../templates/c.h.jinja"), header)? })
}

fn function(JobName { name, job }: JobName<'_>) -> Function {
    let payload = match &job.payload {
        Data::Nothing => "nothing",
        Data::Text | Data::Json(_) => "text",
        Data::Bytes | Data::Framed(_) => "bytes",
    };
    Function {
        name,
        job: quoted(&job.name),
        doc: documentation(job, &[]).iter().map(|line| line.replace("*/", "* /")).collect(),
        takes: said(&job.payload),
        leaves: said(&job.reply),
        streams: job.items.as_ref().map(said),
        payload,
    }
}

fn said(part: &Data) -> String {
    match part {
        Data::Json(_) => format!("JSON: {}", data(part)),
        Data::Framed(_) => format!("JSON, a line feed and bytes: {}", data(part)),
        part => data(part),
    }
}

fn comment(doc: &str) -> String {
    one_line(doc).replace("*/", "* /")
}
