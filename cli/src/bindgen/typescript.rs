//! TypeScript: interfaces, and a `Client` over a `Runner` that passes bytes to a library of jobs.
//!
//! | model | TypeScript |
//! |---|---|
//! | a struct | an interface; members that may be absent have a question mark |
//! | an enum | a union of texts |
//! | a union | a union of types, which the tag tells apart |
//! | codes | a const object |

use anyhow::Result;
use serde::Serialize;

use super::{File, JobName, documentation, filled, job_names, job_reasons, one_line, quoted, reasons};
use crate::model::{Body, Data, Definition, Field, Model, Tagging, Type, Variant};
use crate::names::{Names, camel};

#[derive(Serialize)]
struct Module {
    library: String,
    types: Vec<TsType>,
    errors: Vec<TsType>,
    jobs: Vec<Method>,
}

#[derive(Serialize)]
struct TsType {
    name: String,
    doc: Vec<String>,
    /// Of an interface or of codes.
    members: Vec<Member>,
    /// Of any other.
    ty: Option<String>,
}

#[derive(Serialize)]
struct Member {
    name: String,
    doc: Vec<String>,
    ty: String,
}

#[derive(Serialize)]
struct Method {
    name: String,
    job: String,
    doc: Vec<String>,
    parameters: String,
    payload: String,
    streams: bool,
    result: String,
    decode: &'static str,
}

/// TypeScript's own types, and those of the file, that are written in it.
const OWN: [&str; 10] = [
    "Array",
    "AsyncGenerator",
    "AsyncIterable",
    "Client",
    "Promise",
    "Record",
    "Runner",
    "TextDecoder",
    "TextEncoder",
    "Uint8Array",
];

pub fn file(model: &Model, library: &str) -> Result<File> {
    let model = &model.beside(&OWN);
    let jobs = job_names(&model.jobs, &mut Names::beside(["constructor", "runner"]), &["{}"], camel);
    let errors = model.errors.values().map(|errors| TsType {
        name: errors.name.clone(),
        doc: vec!["The codes of a job that failed.".to_string()],
        members: errors
            .codes
            .iter()
            .map(|code| Member { name: key(&code.name), doc: lines(&code.doc), ty: code.code.to_string() })
            .collect(),
        ty: None,
    });
    let module = Module {
        library: library.to_string(),
        types: model.definitions.values().map(|definition| defined(model, definition)).collect(),
        errors: errors.collect(),
        jobs: jobs.into_iter().map(method).collect(),
    };
    Ok(File {
        name: format!("{library}.ts"),
        text: filled(include_str!("../../templates/typescript.ts.jinja"), module)?,
    })
}

fn defined(model: &Model, definition: &Definition) -> TsType {
    let Definition { name, doc, body } = definition;
    let mut doc = lines(doc);
    let (members, ty) = match body {
        Body::Struct(fields) => (fields.iter().map(member).collect(), None),
        Body::Enum(values) => {
            let documented = values.iter().filter(|value| !value.doc.is_empty());
            doc.extend(documented.map(|value| format!("{}: {}", quoted(&value.name), one_line(&value.doc))));
            (Vec::new(), Some(values.iter().map(|value| quoted(&value.name)).collect::<Vec<_>>().join(" | ")))
        }
        Body::Alias(ty) => {
            doc.extend(reasons(ty, &ts));
            (Vec::new(), Some(ts(ty)))
        }
        Body::Union { tagging, variants } => {
            let types: Vec<_> = variants.iter().map(|variant| variant_type(model, tagging, variant)).collect();
            (Vec::new(), Some(types.join(" | ")))
        }
    };
    TsType { name: name.clone(), doc, members, ty }
}

fn variant_type(model: &Model, tagging: &Tagging, variant: &Variant) -> String {
    let content = variant.content.as_ref().map(ts);
    match (tagging, content) {
        (Tagging::Untagged, content) => content.unwrap_or_else(|| "null".to_string()),
        (Tagging::Internal(tag), content) => {
            let tag = format!("{{ {}: {} }}", key(tag), quoted(&variant.name));
            let is_empty = variant.content.as_ref().is_none_or(|content| model.fields(content).is_empty());
            content.filter(|_| !is_empty).map_or(tag.clone(), |content| format!("({tag} & {content})"))
        }
        (Tagging::External, None) => quoted(&variant.name),
        (Tagging::External, Some(content)) => format!("{{ {}: {content} }}", key(&variant.name)),
    }
}

fn member(field: &Field) -> Member {
    let mut doc = lines(&field.doc);
    doc.extend(reasons(&field.ty, &ts));
    let mark = if field.required { "" } else { "?" };
    Member { name: key(&field.name) + mark, doc, ty: ts(&field.ty) }
}

fn ts(ty: &Type) -> String {
    match ty {
        Type::Any(_) => "unknown".to_string(),
        Type::Null => "null".to_string(),
        Type::Bool => "boolean".to_string(),
        // Beyond 2^53 JSON.parse rounds it.
        Type::Integer { .. } | Type::Number => "number".to_string(),
        Type::Text => "string".to_string(),
        Type::List(ty) => format!("Array<{}>", ts(ty)),
        Type::Map(ty) => format!("Record<string, {}>", ts(ty)),
        Type::Tuple(types) => format!("[{}]", types.iter().map(ts).collect::<Vec<_>>().join(", ")),
        Type::Optional(ty) => format!("{} | null", ts(ty)),
        Type::Named(name) => name.clone(),
    }
}

fn method(JobName { name, job }: JobName<'_>) -> Method {
    // A tuple is one in TypeScript too.
    let remarks: Vec<_> = job_reasons(job, &ts).into_iter().filter(|why| why.starts_with("Any")).collect();
    let (parameters, payload) = match &job.payload {
        Data::Nothing => (String::new(), "new Uint8Array()".to_string()),
        Data::Bytes => ("payload: Uint8Array".to_string(), "payload".to_string()),
        Data::Text => ("payload: string".to_string(), "encode(payload)".to_string()),
        Data::Json(ty) => (format!("payload: {}", ts(ty)), "encode(JSON.stringify(payload))".to_string()),
        Data::Framed(ty) => (format!("head: {}, body: Uint8Array", ts(ty)), "framed(head, body)".to_string()),
    };
    let (result, decode) = match job.items.as_ref().unwrap_or(&job.reply) {
        Data::Nothing => ("void".to_string(), "nothing"),
        Data::Bytes => ("Uint8Array".to_string(), "bytes"),
        Data::Text => ("string".to_string(), "decode"),
        Data::Json(ty) => (ts(ty), "json"),
        Data::Framed(ty) => (format!("[{}, Uint8Array]", ts(ty)), "parted"),
    };
    let doc = documentation(job, &remarks).into_iter().map(|line| line.replace("*/", "* /")).collect();
    let streams = job.items.is_some();
    Method { name, job: quoted(&job.name), doc, parameters, payload, streams, result, decode }
}

fn lines(doc: &str) -> Vec<String> {
    if doc.is_empty() { Vec::new() } else { vec![one_line(doc).replace("*/", "* /")] }
}

/// The name of a member.
fn key(name: &str) -> String {
    let letters = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '$');
    let is_plain = letters && !name.starts_with(|c: char| c.is_ascii_digit()) && !name.is_empty();
    if is_plain { name.to_string() } else { quoted(name) }
}
