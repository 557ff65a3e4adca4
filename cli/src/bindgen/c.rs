//! C: a function and a documented name for each job; JSON goes in and comes out as text.
//!
//! C has no type for most of what JSON holds, and no JSON library that all share: the members of each type stand in the
//! comments, texts of enums and codes are constants.

use anyhow::Result;
use serde::Serialize;

use super::{File, JobName, documentation, filled, job_names, one_line, quoted};
use crate::describe::Errors;
use crate::jobs::{data, listed_type};
use crate::model::{Body, Data, Model};
use crate::names::{Names, snake, upper};

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
    let guard = format!("{prefix}_JOBS_H");
    // Macros and enumerators alike.
    let mut names = Names::beside([&guard]);
    let mut constant = |of: &str, name: &str, value: String, doc: &str| {
        let name = names.take(format!("{prefix}_{}_{}", upper(of), upper(name)));
        Constant { name, value, doc: comment(doc) }
    };
    let mut texts = Vec::new();
    for definition in model.definitions.values() {
        let Body::Enum(values) = &definition.body else { continue };
        let of = &definition.name;
        texts.extend(values.iter().map(|value| constant(of, &value.name, quoted(&value.name), &value.doc)));
    }
    let errors = model.errors.values().map(|Errors { name, codes }| {
        let codes = codes.iter().map(|code| constant(name, &code.name, code.code.to_string(), &code.doc));
        Enum { name: name.clone(), codes: codes.collect() }
    });
    let errors = errors.collect();
    let job = |name: &str| format!("{}_{}", snake(library), snake(name));
    let jobs = job_names(&model.jobs, &mut Names::default(), &["{}", "{}_submit"], job);
    let header = Header {
        library: library.to_string(),
        guard,
        types: types.collect(),
        texts,
        errors,
        jobs: jobs.into_iter().map(function).collect(),
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
