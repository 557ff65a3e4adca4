//! Go: structs with json tags, and for each job a `palitra.Job` or, where its payload or reply is not JSON, a function.
//!
//! | model | Go |
//! |---|---|
//! | a struct | a struct; members that may be absent are pointers, slices or maps with `omitzero`: nil is absent |
//! | an enum | a string type with constants |
//! | a union | a struct with a pointer for each variant, one of which is set, that is JSON as serde writes it |
//! | an untagged union | any |
//! | codes | a type with constants, and a function that finds one in an error |

use anyhow::Result;
use serde::Serialize;

use super::{
    Declared, File, JobName, Member, documentation, filled, job_names, job_reasons, one_line_if_any, quoted, reasons,
    untagged_reason,
};
use crate::describe::{ErrorCode, Errors};
use crate::model::{Body, Data, Definition, Field, Model, Tagging, Type};
use crate::names::{Names, pascal};

#[derive(Serialize)]
struct Package {
    library: String,
    package: String,
    imports: Vec<&'static str>,
    body: String,
}

#[derive(Serialize)]
struct Contents {
    types: Vec<Declared>,
    errors: Vec<Declared>,
    jobs: Vec<Function>,
    frames: bool,
}

#[derive(Serialize)]
struct Function {
    name: String,
    job: String,
    doc: Vec<String>,
    /// "job", "call" or "stream".
    kind: &'static str,
    /// Of a `palitra.Job`.
    types: String,
    parameters: String,
    /// How the payload is made: an expression, or "json" or "framed".
    payload: &'static str,
    results: String,
    /// How the reply or item is read: "nothing", "bytes", "text", "json" or "framed".
    reply: &'static str,
    item: String,
}

pub fn file(model: &Model, library: &str) -> Result<File> {
    // Those of the package: types, and what finds a code; then constants; then jobs.
    let errors = model.errors.keys().cloned().map(exported).flat_map(|name| [format!("{name}Of"), name]);
    let mut names = Names::beside(model.definitions.keys().cloned().map(exported).chain(errors));
    let types = model.definitions.values().map(|definition| defined(definition, &mut names)).collect();
    let errors = model.errors.values().map(|errors| codes(errors, &mut names)).collect();
    let jobs = job_names(&model.jobs, &mut names, &["{}"], |name| exported(pascal(name)));
    let jobs = jobs.into_iter().map(function).collect();
    let frames =
        model.jobs.iter().any(|job| matches!(job.payload, Data::Framed(_)) || matches!(job.reply, Data::Framed(_)));
    let body = filled(include_str!("../../templates/go_body.go.jinja"), Contents { types, errors, jobs, frames })?;
    let imports = ["bytes", "context", "encoding/json", "errors", "fmt", "iter"].into_iter();
    let is_used = |import: &&str| body.contains(&format!("{}.", import.rsplit('/').next().unwrap_or(import)));
    let package = library.replace('_', "");
    let whole = Package { library: library.to_string(), package, imports: imports.filter(is_used).collect(), body };
    Ok(File { name: format!("{library}.go"), text: filled(include_str!("../../templates/go.go.jinja"), whole)? })
}

fn codes(errors: &Errors, names: &mut Names) -> Declared {
    let name = exported(errors.name.clone());
    let member = |code: &ErrorCode| constant(names, &name, &code.name, &code.doc, code.code.to_string());
    Declared { kind: "codes", members: errors.codes.iter().map(member).collect(), name, ..Declared::default() }
}

fn defined(definition: &Definition, names: &mut Names) -> Declared {
    let Definition { name, doc, body } = definition;
    let name = &exported(name.clone());
    let mut ty = Declared { name: name.clone(), doc: one_line_if_any(doc), ..Declared::default() };
    match body {
        Body::Struct(fields) => {
            ty.kind = "struct";
            ty.members = members(fields);
        }
        Body::Enum(values) => {
            ty.kind = "enum";
            ty.members = values
                .iter()
                .map(|value| constant(names, name, &value.name, &value.doc, quoted(&value.name)))
                .collect();
        }
        Body::Alias(of) => {
            ty.kind = "alias";
            ty.doc.extend(reasons(of, &go));
            ty.ty = go(of);
        }
        Body::Union { tagging: Tagging::Untagged, variants } => {
            ty.kind = "alias";
            ty.doc.push(untagged_reason(variants, &go));
            ty.ty = "= any".to_string();
        }
        Body::Union { tagging, variants } => {
            ty.kind = "union";
            ty.tag = match tagging {
                Tagging::Internal(tag) => Some(tag.clone()),
                _ => None,
            };
            let mut names = Names::default();
            ty.members = variants
                .iter()
                .map(|variant| Member {
                    name: names.take(exported(pascal(&variant.name))),
                    doc: one_line_if_any(&variant.doc),
                    ty: variant.content.as_ref().map_or("struct{}".to_string(), go),
                    value: quoted(&variant.name),
                    content: if variant.content.is_some() { "own" } else { "empty" },
                    ..Member::default()
                })
                .collect();
        }
    }
    ty
}

/// A name that another package can use: encoding/json, too, reads and writes no member without a capital letter first.
fn exported(name: String) -> String {
    if name.starts_with(char::is_uppercase) { name } else { format!("X{name}") }
}

fn constant(names: &mut Names, of: &str, name: &str, doc: &str, value: String) -> Member {
    Member {
        name: names.take(format!("{of}{}", pascal(name))),
        doc: one_line_if_any(doc),
        ty: of.to_string(),
        value,
        ..Member::default()
    }
}

fn members(fields: &[Field]) -> Vec<Member> {
    let mut names = Names::default();
    let member = |field: &Field| {
        let name = names.take(exported(pascal(&field.name)));
        let mut doc = one_line_if_any(&field.doc);
        doc.extend(reasons(&field.ty, &go));
        let ty = go(&field.ty);
        let is_nil = ["*", "[]", "map[", "any"].iter().any(|start| ty.starts_with(start));
        let ty = if field.required || is_nil { ty } else { format!("*{ty}") };
        let rest = if field.required { "" } else { ",omitzero" };
        Member { name, doc, ty, json: format!("`json:\"{}{rest}\"`", field.name), ..Member::default() }
    };
    fields.iter().map(member).collect()
}

fn go(ty: &Type) -> String {
    match ty {
        Type::Any(_) | Type::Null => "any".to_string(),
        Type::Bool => "bool".to_string(),
        Type::Integer { signed, bits } => format!("{}int{bits}", if *signed { "" } else { "u" }),
        Type::Number => "float64".to_string(),
        Type::Text => "string".to_string(),
        // A []uint8 would be JSON as text in base64.
        Type::List(ty) if **ty == (Type::Integer { signed: false, bits: 8 }) => "[]uint16".to_string(),
        Type::List(ty) => format!("[]{}", go(ty)),
        Type::Map(ty) => format!("map[string]{}", go(ty)),
        Type::Tuple(_) => "[]any".to_string(),
        Type::Optional(ty) => match go(ty) {
            ty if ty == "any" || ty.starts_with("[]") || ty.starts_with("map[") => ty,
            ty => format!("*{ty}"),
        },
        Type::Named(name) => exported(name.clone()),
    }
}

fn function(JobName { name, job }: JobName<'_>) -> Function {
    let mut doc = documentation(job, &job_reasons(job, &go));
    let left = job.items.as_ref().unwrap_or(&job.reply);
    let types = match (&job.payload, left) {
        (Data::Json(taken), Data::Json(left)) => format!("[{}, {}]", go(taken), go(left)),
        _ => String::new(),
    };
    let kind = match (&job.items, types.is_empty()) {
        (_, false) => "job",
        (Some(_), true) => "stream",
        (None, true) => "call",
    };
    if kind == "job" && job.items.is_some() {
        doc.extend([String::new(), "It streams: read its items with Stream.".to_string()]);
    }
    let (parameters, payload) = match &job.payload {
        Data::Nothing => (String::new(), "nil"),
        Data::Bytes => (", payload []byte".to_string(), "payload"),
        Data::Text => (", payload string".to_string(), "[]byte(payload)"),
        Data::Json(ty) => (format!(", payload {}", go(ty)), "json"),
        Data::Framed(ty) => (format!(", head {}, body []byte", go(ty)), "framed"),
    };
    let (results, reply) = match left {
        Data::Nothing => ("(err error)".to_string(), "nothing"),
        Data::Bytes => ("(out []byte, err error)".to_string(), "bytes"),
        Data::Text => ("(out string, err error)".to_string(), "text"),
        Data::Json(ty) => (format!("(out {}, err error)", go(ty)), "json"),
        Data::Framed(ty) => (format!("(out {}, rest []byte, err error)", go(ty)), "framed"),
    };
    let item = match left {
        Data::Text => "string".to_string(),
        Data::Json(ty) => go(ty),
        _ => "[]byte".to_string(),
    };
    Function { name, job: quoted(&job.name), doc, kind, types, parameters, payload, results, reply, item }
}
