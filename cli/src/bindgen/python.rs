//! Python: TypedDicts, which are the JSON as palitra returns it, and a class with a method and its twin for each job.
//!
//! | model | Python |
//! |---|---|
//! | a struct | a TypedDict; members that may be absent are NotRequired |
//! | an enum | Literal |
//! | a union | TypedDicts, one a variant: type checkers tell them apart by their tag |
//! | codes | an IntEnum, equal to `JobError.code` |

use std::collections::BTreeSet;

use anyhow::Result;
use serde::Serialize;

use super::{File, JobName, documentation, filled, job_names, job_reasons, one_line, reasons, variant_name};
use crate::describe::{ErrorCode, Errors};
use crate::model::{Body, Data, Definition, Field, Model, Tagging, Type, Variant};
use crate::names::{Names, pascal, snake, upper};

#[derive(Serialize)]
struct Module {
    title: String,
    class: String,
    exported: Vec<String>,
    types: Vec<PythonType>,
    errors: Vec<Codes>,
    jobs: Vec<Method>,
}

#[derive(Serialize)]
struct PythonType {
    /// "class", "functional" or "alias".
    kind: &'static str,
    name: String,
    doc: String,
    remarks: Vec<String>,
    fields: Vec<Member>,
    ty: String,
}

#[derive(Serialize)]
struct Member {
    name: String,
    /// As a text in Python.
    key: String,
    doc: Vec<String>,
    ty: String,
}

#[derive(Serialize)]
struct Codes {
    name: String,
    codes: Vec<Code>,
}

#[derive(Serialize)]
struct Code {
    name: String,
    code: i32,
    doc: String,
}

#[derive(Serialize)]
struct Method {
    name: String,
    doc: String,
    parameters: String,
    call: String,
    streams: bool,
    /// What the library returns, what the method returns, and how it makes that.
    reply: String,
    result: String,
    async_result: String,
    returned: String,
}

pub fn file(model: &Model, library: &str) -> Result<File> {
    let model = &model.beside(&OWN);
    // Those of the module: types, then variants, and the class last.
    let types_and_codes = model.definitions.keys().chain(model.errors.keys()).map(String::as_str);
    let mut names = Names::beside(types_and_codes.chain(OWN));
    let types = types(model, &mut names);
    let errors: Vec<_> = model.errors.values().map(codes).collect();
    let class = names.take(pascal(library));
    let mut exported: Vec<_> = types.iter().map(|ty| ty.name.clone()).collect();
    exported.extend(errors.iter().map(|error| error.name.clone()));
    exported.push(class.clone());
    exported.sort();
    // Types of the annotations of other methods.
    let mut methods = Names::beside(["bytes", "palitra", "tuple"]);
    let jobs = job_names(&model.jobs, &mut methods, &["{}", "{}_async"], |name| identifier(&snake(name)));
    let jobs = jobs.into_iter().map(method).collect();
    let module = Module { title: format!("The jobs of {library}, typed."), class, exported, types, errors, jobs };
    Ok(File { name: format!("{library}.py"), text: filled(include_str!("../../templates/python.py.jinja"), module)? })
}

fn types(model: &Model, names: &mut Names) -> Vec<PythonType> {
    let (mut types, mut of_variants) = (Vec::new(), Vec::new());
    for definition in model.definitions.values() {
        let named = variants(model, definition, names);
        types.push(defined(definition, &named));
        of_variants.extend(named.iter().filter_map(|variant| typed(model, variant)));
    }
    // The content of a variant has its tag beside it, and stands there in its place.
    types.retain(|ty| of_variants.iter().all(|variant: &PythonType| variant.name != ty.name));
    types.extend(of_variants);
    types.sort_by(|one, other| one.name.cmp(&other.name));
    types
}

fn defined(definition: &Definition, variants: &[NamedVariant<'_>]) -> PythonType {
    let Definition { name, doc, body } = definition;
    match body {
        Body::Struct(fields) => typed_dict(name, doc, fields.iter().map(member).collect()),
        Body::Enum(values) => {
            let texts: Vec<_> = values.iter().map(|value| text(&value.name)).collect();
            let remarks = values.iter().filter(|value| !value.doc.is_empty());
            let remarks = remarks.map(|value| format!("{}: {}", text(&value.name), one_line(&value.doc))).collect();
            alias(name, doc, remarks, format!("Literal[{}]", texts.join(", ")))
        }
        Body::Alias(ty) => alias(name, doc, reasons(ty, &annotation), annotation(ty)),
        Body::Union { .. } => {
            let types: Vec<_> = variants.iter().map(variant_type).collect();
            alias(name, doc, Vec::new(), types.join(" | "))
        }
    }
}

/// A variant of a union.
struct NamedVariant<'m> {
    tagging: &'m Tagging,
    variant: &'m Variant,
    /// Of the TypedDict that it has, if it has one.
    name: Option<String>,
}

fn variants<'m>(model: &Model, definition: &'m Definition, names: &mut Names) -> Vec<NamedVariant<'m>> {
    let Body::Union { tagging, variants } = &definition.body else { return Vec::new() };
    let mut given = BTreeSet::new();
    let mut name = |variant: &Variant| {
        let own = variant_name(&definition.name, variant);
        match (tagging, &variant.content) {
            (Tagging::Untagged, _) | (Tagging::External, None) => None,
            (Tagging::External, Some(_)) => Some(names.take(own + "Case")),
            // A tag beside the members of another union: no TypedDict says that.
            (Tagging::Internal(_), Some(content)) if !model.is_struct(content) => None,
            // Stands in the place of its content, which it has alone.
            (Tagging::Internal(_), Some(Type::Named(name))) if *name == own && given.insert(name.clone()) => Some(own),
            (Tagging::Internal(_), _) => Some(names.take(own)),
        }
    };
    variants.iter().map(|variant| NamedVariant { tagging, variant, name: name(variant) }).collect()
}

/// What stands in the union for a variant.
fn variant_type(NamedVariant { tagging, variant, name }: &NamedVariant<'_>) -> String {
    match (tagging, name) {
        (_, Some(name)) => name.clone(),
        (Tagging::Untagged, _) => variant.content.as_ref().map_or("None".to_string(), annotation),
        (Tagging::Internal(_), _) => "dict[str, Any]".to_string(),
        (Tagging::External, _) => format!("Literal[{}]", text(&variant.name)),
    }
}

/// The TypedDict of a variant.
fn typed(model: &Model, NamedVariant { tagging, variant, name }: &NamedVariant<'_>) -> Option<PythonType> {
    let content = variant.content.as_ref();
    let members = match tagging {
        Tagging::Internal(tag) => {
            let tag = raw_member(tag, format!("Literal[{}]", text(&variant.name)), &[]);
            let members = content.into_iter().flat_map(|content| model.fields(content)).map(member);
            std::iter::once(tag).chain(members).collect()
        }
        _ => content.map(|content| raw_member(&variant.name, annotation(content), &[])).into_iter().collect(),
    };
    Some(typed_dict(name.as_ref()?, &variant.doc, members))
}

fn typed_dict(name: &str, doc: &str, fields: Vec<Member>) -> PythonType {
    let kind = if fields.iter().all(|field| is_identifier(&field.name)) { "class" } else { "functional" };
    let doc = if kind == "class" { docstring(doc, "    ") } else { doc.to_string() };
    PythonType { kind, name: name.to_string(), doc, remarks: Vec::new(), fields, ty: String::new() }
}

fn alias(name: &str, doc: &str, remarks: Vec<String>, ty: String) -> PythonType {
    PythonType { kind: "alias", name: name.to_string(), doc: doc.to_string(), remarks, fields: Vec::new(), ty }
}

fn member(field: &Field) -> Member {
    let ty = annotation(&field.ty);
    let ty = if field.required { ty } else { format!("NotRequired[{ty}]") };
    let mut doc: Vec<_> = field.doc.lines().map(str::to_string).collect();
    doc.extend(reasons(&field.ty, &annotation));
    raw_member(&field.name, ty, &doc)
}

fn raw_member(name: &str, ty: String, doc: &[String]) -> Member {
    Member { name: name.to_string(), key: double_quoted(name), doc: doc.to_vec(), ty }
}

fn annotation(ty: &Type) -> String {
    match ty {
        Type::Any(_) => "Any".to_string(),
        Type::Null => "None".to_string(),
        Type::Bool => "bool".to_string(),
        Type::Integer { .. } => "int".to_string(),
        Type::Number => "float".to_string(),
        Type::Text => "str".to_string(),
        Type::List(ty) => format!("list[{}]", annotation(ty)),
        Type::Map(ty) => format!("dict[str, {}]", annotation(ty)),
        // JSON has lists alone, and that is what a reply holds.
        Type::Tuple(types) if types.is_empty() => "list[None]".to_string(),
        Type::Tuple(types) => format!("list[{}]", distinct(types.iter().map(annotation)).join(" | ")),
        Type::Optional(ty) => format!("{} | None", annotation(ty)),
        Type::Named(name) => name.clone(),
    }
}

fn distinct(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut found = Vec::new();
    for name in names {
        if !found.contains(&name) {
            found.push(name);
        }
    }
    found
}

fn codes(errors: &Errors) -> Codes {
    let mut names = Names::default();
    let code = |error: &ErrorCode| {
        let name = names.take(identifier(&upper(&error.name)));
        Code { name, code: error.code, doc: error.doc.clone() }
    };
    Codes { name: errors.name.clone(), codes: errors.codes.iter().map(code).collect() }
}

fn method(JobName { name, job }: JobName<'_>) -> Method {
    let doc = docstring(&documentation(job, &job_reasons(job, &annotation)).join("\n"), "        ");
    let (parameters, argument) = match &job.payload {
        Data::Nothing => ("", String::new()),
        Data::Bytes => (", payload: bytes, /", ", payload".to_string()),
        Data::Text => (", payload: str, /", ", payload".to_string()),
        // Without a payload, palitra would send an empty object.
        Data::Json(Type::Any(_) | Type::Optional(_) | Type::Null) => {
            (", payload: {}, /", ", json.dumps(payload).encode()".to_string())
        }
        Data::Json(_) => (", payload: {}, /", ", payload".to_string()),
        Data::Framed(_) => (", head: {}, body: bytes, /", ", _framed(head, body)".to_string()),
    };
    let parameters = match &job.payload {
        Data::Json(ty) | Data::Framed(ty) => parameters.replace("{}", &annotation(ty)),
        _ => parameters.to_string(),
    };
    let call = format!("self._runner.job({}{argument})", double_quoted(&job.name));
    let (reply, result, returned) = left(&job.reply);
    let item = job.items.as_ref().map(|items| match items {
        Data::Framed(_) => "bytes".to_string(),
        items => left(items).1,
    });
    let (result, async_result) = match &item {
        Some(item) => (format!("Generator[{item}, None, None]"), format!("AsyncGenerator[{item}, None]")),
        None => (result.clone(), result),
    };
    Method { name, doc, parameters, call, streams: item.is_some(), reply, result, async_result, returned }
}

/// The type that palitra returns, the one that the method returns, and how it makes that of it.
fn left(data: &Data) -> (String, String, String) {
    let as_it_is = |ty: &str| (ty.to_string(), ty.to_string(), "reply".to_string());
    match data {
        Data::Nothing => as_it_is("None"),
        Data::Bytes => as_it_is("bytes"),
        Data::Text => as_it_is("str"),
        Data::Json(ty) => as_it_is(&annotation(ty)),
        Data::Framed(head) => {
            ("bytes".to_string(), format!("tuple[{}, bytes]", annotation(head)), "_parted(reply)".to_string())
        }
    }
}

/// A text within an annotation, which itself stands in double quotes in places.
fn text(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

fn double_quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The lines between the quotation marks of a docstring.
fn docstring(doc: &str, indent: &str) -> String {
    let escaped = doc.replace('\\', "\\\\").replace("\"\"\"", "\\\"\\\"\\\"");
    let lines = escaped.lines().map(|line| if line.is_empty() { String::new() } else { format!("{indent}{line}") });
    let mut text = lines.collect::<Vec<_>>().join("\n").trim_start().to_string();
    // A quotation mark at the end would join those that close the docstring.
    if text.ends_with('"') {
        text.push(' ');
    }
    text
}

fn is_identifier(name: &str) -> bool {
    let letters = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    letters
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty()
        && !KEYWORDS.contains(&name)
        && !USED.contains(&name)
        // Mangled in a class.
        && !name.starts_with("__")
}

fn identifier(name: &str) -> String {
    if is_identifier(name) { name.to_string() } else { format!("{name}_") }
}

/// What the module imports, and what is no name.
const OWN: [&str; 12] = [
    "Any",
    "AsyncGenerator",
    "False",
    "Generator",
    "IntEnum",
    "Literal",
    "None",
    "NotRequired",
    "TYPE_CHECKING",
    "True",
    "TypeAlias",
    "TypedDict",
];

/// What annotations of the same class would mean otherwise.
const USED: [&str; 9] = ["Any", "Literal", "NotRequired", "bool", "dict", "float", "int", "list", "str"];

const KEYWORDS: [&str; 35] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del",
    "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal",
    "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::describe::Description;

    #[test]
    fn a_tag_beside_another_union_is_an_object_of_any_members() {
        let variant = |name| json!({"type": "object", "required": ["kind"], "properties": {"kind": {"const": name}}});
        let inner = json!({"oneOf": [variant("a"), variant("b")]});
        let outer = json!({"$ref": "#/$defs/Inner", "type": "object", "required": ["tag"],
            "properties": {"tag": {"const": "inner"}}});
        let schema = json!({"title": "Outer", "oneOf": [outer], "$defs": {"Inner": inner}});
        let job = json!({"name": "j", "doc": "", "payload": {"format": "json", "schema": schema}});
        let document = json!({"schemas": true, "jobs": [job]}).to_string();
        let model = Model::of(&Description::read(&document).unwrap(), |_| true);
        let text = file(&model, "l").unwrap().text;
        assert!(text.contains("\nOuter: TypeAlias = \"dict[str, Any]\"\n"), "{text}");
        assert!(text.contains("\nInner: TypeAlias = \"InnerA | InnerB\"\n"), "{text}");
    }
}
