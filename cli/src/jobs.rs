//! `palitra jobs`: what a library holds, for a person or as the library's own JSON document.
//!
//! A person reads `name: payload -> reply, streams item`, the documentation, and below all jobs the types that they
//! name.

use std::fmt::Write as _;

use anyhow::Result;
use serde_json::Value;

use crate::describe::{Description, Format};
use crate::library::Library;
use crate::model::{Body, Data, Definition, Field, Model, Tagging, Type, TypedJob};
use crate::run::print;

pub fn list(library: &Library, json: bool, prefix: &str) -> Result<()> {
    let document = library.describe()?;
    let text = if json { filtered(&document, prefix)? } else { listed(&Description::read(&document)?, prefix) };
    print(text.as_bytes(), Format::Bytes)
}

/// The document with those jobs alone.
fn filtered(document: &str, prefix: &str) -> Result<String> {
    let mut document: Value = serde_json::from_str(document)?;
    if let Some(jobs) = document["jobs"].as_array_mut() {
        jobs.retain(|job| job["name"].as_str().is_some_and(|name| name.starts_with(prefix)));
    }
    Ok(format!("{document:#}\n"))
}

fn listed(description: &Description, prefix: &str) -> String {
    let model = Model::of(description, |job| job.name.starts_with(prefix));
    let jobs = model.jobs.iter().map(|job| listed_job(job, &model));
    jobs.chain(model.definitions.values().map(listed_type)).collect::<Vec<_>>().join("\n")
}

fn listed_job(job: &TypedJob, model: &Model) -> String {
    let mut text = String::new();
    let items = job.items.as_ref().map(|items| format!(", streams {}", data(items))).unwrap_or_default();
    let _ = writeln!(text, "{}: {} -> {}{items}", job.name, data(&job.payload), data(&job.reply));
    for line in job.doc.lines() {
        let _ = writeln!(text, "    {line}");
    }
    let errors = job.errors.as_ref().and_then(|name| model.errors.get(name));
    for error in errors.iter().flat_map(|errors| &errors.codes) {
        let doc = if error.doc.is_empty() { String::new() } else { format!(": {}", error.doc) };
        let _ = writeln!(text, "    fails with {} {}{doc}", error.code, error.name);
    }
    text
}

/// What a payload, a reply or an item is.
pub fn data(data: &Data) -> String {
    match data {
        Data::Nothing => "nothing".to_string(),
        Data::Bytes => "bytes".to_string(),
        Data::Text => "text".to_string(),
        Data::Json(ty) => notation(ty),
        Data::Framed(ty) => format!("{} and bytes", notation(ty)),
    }
}

fn notation(ty: &Type) -> String {
    match ty {
        Type::Any(_) => "JSON".to_string(),
        Type::Null => "null".to_string(),
        Type::Bool => "true|false".to_string(),
        Type::Integer { .. } => "integer".to_string(),
        Type::Number => "number".to_string(),
        Type::Text => "string".to_string(),
        Type::List(ty) => format!("[{}, ...]", notation(ty)),
        Type::Map(ty) => format!("{{string: {}, ...}}", notation(ty)),
        Type::Tuple(types) => format!("[{}]", types.iter().map(notation).collect::<Vec<_>>().join(", ")),
        Type::Optional(ty) => format!("{}|null", notation(ty)),
        Type::Named(name) => name.clone(),
    }
}

/// A type, and a line for each member or variant.
pub fn listed_type(definition: &Definition) -> String {
    let Definition { name, doc, body } = definition;
    let doc = remark(doc);
    let mut lines = Vec::new();
    match body {
        Body::Struct(members) => lines.extend(members.iter().map(field)),
        Body::Enum(values) => lines.extend(values.iter().map(|it| format!("{:?}{}", it.name, remark(&it.doc)))),
        Body::Alias(ty) => lines.push(notation(ty)),
        Body::Union { tagging, variants } => lines.extend(variants.iter().map(|variant| {
            let content = variant.content.as_ref().map(notation);
            let shown = match (tagging, content) {
                (Tagging::Untagged, content) => content.unwrap_or_default(),
                (Tagging::Internal(tag), None) => format!("{{{tag}: {:?}}}", variant.name),
                (Tagging::Internal(tag), Some(content)) => format!("{{{tag}: {:?}}} and {content}", variant.name),
                (Tagging::External, None) => format!("{:?}", variant.name),
                (Tagging::External, Some(content)) => format!("{{{}: {content}}}", variant.name),
            };
            shown + &remark(&variant.doc)
        })),
    }
    let kind = match body {
        Body::Struct(_) | Body::Alias(_) => "",
        Body::Enum(_) | Body::Union { .. } => ", one of",
    };
    let mut text = format!("{name}{kind}{doc}\n");
    for line in lines {
        let _ = writeln!(text, "    {line}");
    }
    text
}

fn field(field: &Field) -> String {
    let mark = if field.required { "" } else { "?" };
    format!("{}{mark}: {}{}", field.name, notation(&field.ty), remark(&field.doc))
}

/// Behind what it is about, on one line.
fn remark(doc: &str) -> String {
    if doc.is_empty() { String::new() } else { format!("  # {}", doc.split_whitespace().collect::<Vec<_>>().join(" ")) }
}
