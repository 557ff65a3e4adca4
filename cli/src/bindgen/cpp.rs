//! C++: structs with to_json and from_json for the library nlohmann/json, and a class with a member function for each
//! job.
//!
//! | model | C++ |
//! |---|---|
//! | a struct | a struct; members that may be absent or null are std::optional |
//! | an enum | an enum class |
//! | a union | a struct with a std::variant of one struct a variant |
//! | an untagged union, any JSON, and a type within itself that no list or map is around | nlohmann::json |
//! | codes | an enum of int |

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use serde::Serialize;

use super::{
    Declared, File, JobName, Member, documentation, filled, job_names, job_reasons, one_line_if_any, quoted, reasons,
    untagged_reason, variant_name,
};
use crate::describe::{ErrorCode, Errors};
use crate::model::{Body, Data, Definition, Field, Model, Tagging, Type, Variant, mentions};
use crate::names::{Names, pascal, snake, upper};

const ITSELF: &str = "it would hold itself";

#[derive(Serialize)]
struct Header {
    library: String,
    guard: String,
    class: String,
    types: Vec<Declared>,
    errors: Vec<Declared>,
    jobs: Vec<Function>,
}

#[derive(Serialize)]
struct Function {
    name: String,
    job: String,
    doc: Vec<String>,
    parameters: String,
    payload: String,
    reply: String,
    item: Option<String>,
}

pub fn file(model: &Model, library: &str) -> Result<File> {
    // Those of the namespace: types, then variants, and the class last.
    let mut names = Names::beside(model.definitions.keys().chain(model.errors.keys()).cloned());
    let types = in_order(&finite(model)).into_iter().map(|definition| defined(definition, &mut names)).collect();
    let class = names.take(pascal(library));
    let mut members = Names::beside(TAKEN.split_whitespace().chain([class.as_str()]));
    let jobs = job_names(&model.jobs, &mut members, &["{}", "submit_{}", "read_{}"], snake);
    let header = Header {
        library: snake(library),
        guard: format!("{}_JOBS_HPP", upper(library)),
        class,
        types,
        errors: model.errors.values().map(codes).collect(),
        jobs: jobs.into_iter().map(function).collect(),
    };
    Ok(File { name: format!("{library}.hpp"), text: filled(include_str!("../../templates/cpp.hpp.jinja"), header)? })
}

/// The types, without those that hold themselves: a struct of C++ would be infinite.
fn finite(model: &Model) -> BTreeMap<String, Definition> {
    let finite = |definition: &Definition| {
        let name = definition.name.as_str();
        let mut definition = definition.clone();
        let own = own_contents(&definition);
        definition.each_type(&mut |ty| {
            let held: Vec<_> = held(ty).into_iter().filter(|held| !own.contains(held)).collect();
            if held.iter().any(|held| holds(model, held, name, &mut BTreeSet::new())) {
                *ty = Type::Any(Some(ITSELF));
            }
        });
        // Another name for itself in a list.
        if let Body::Alias(ty) = &mut definition.body
            && mentions(ty, name)
        {
            *ty = Type::Any(Some(ITSELF));
        }
        definition
    };
    model.definitions.iter().map(|(name, definition)| (name.clone(), finite(definition))).collect()
}

/// The structs that are variants of a union themselves: they are without the union, not it without them.
fn own_contents(definition: &Definition) -> BTreeSet<String> {
    let Body::Union { variants, .. } = &definition.body else { return BTreeSet::new() };
    variants.iter().map(|variant| variant_name(&definition.name, variant)).collect()
}

/// The names of the types that are a part of this one: those in lists and maps are elsewhere in memory.
fn held(ty: &Type) -> Vec<String> {
    match ty {
        Type::Named(name) => vec![name.clone()],
        Type::Optional(ty) => held(ty),
        Type::Tuple(types) => types.iter().flat_map(held).collect(),
        _ => Vec::new(),
    }
}

/// Whether the first type is the other, or has it as a part, however deep.
fn holds(model: &Model, name: &str, other: &str, seen: &mut BTreeSet<String>) -> bool {
    if name == other {
        return true;
    }
    let Some(definition) = model.definitions.get(name).filter(|_| seen.insert(name.to_string())) else { return false };
    let mut parts = Vec::new();
    definition.clone().each_type(&mut |ty| parts.extend(held(ty)));
    parts.iter().any(|part| holds(model, part, other, seen))
}

/// Each type behind those that are parts of it.
fn in_order(definitions: &BTreeMap<String, Definition>) -> Vec<&Definition> {
    let (mut done, mut order) = (BTreeSet::new(), Vec::new());
    for name in definitions.keys() {
        visit(definitions, name, &mut done, &mut order);
    }
    order
}

fn visit<'d>(
    definitions: &'d BTreeMap<String, Definition>,
    name: &str,
    done: &mut BTreeSet<String>,
    order: &mut Vec<&'d Definition>,
) {
    let Some(definition) = definitions.get(name).filter(|_| done.insert(name.to_string())) else { return };
    let mut parts = Vec::new();
    // Enums and other names must stand before lists of them, too; structs are declared before.
    let is_declared = |name: &String| match definitions.get(name).map(|definition| &definition.body) {
        Some(Body::Struct(_)) => true,
        Some(Body::Union { tagging, .. }) => *tagging != Tagging::Untagged,
        _ => false,
    };
    definition.clone().each_type(&mut |ty| parts.extend(held(ty)));
    parts.extend(definition.names().into_iter().filter(|name| !is_declared(name)));
    for part in parts {
        visit(definitions, &part, done, order);
    }
    order.push(definition);
}

fn codes(errors: &Errors) -> Declared {
    let mut names = scope();
    let member = |code: &ErrorCode| {
        plain_member(&names.take(snake(&code.name)), &code.doc, String::new(), code.code.to_string())
    };
    let members = errors.codes.iter().map(member).collect();
    Declared { kind: "codes", name: errors.name.clone(), members, ..Declared::default() }
}

fn defined(definition: &Definition, names: &mut Names) -> Declared {
    let Definition { name, doc, body } = definition;
    let mut ty = Declared { name: name.clone(), doc: one_line_if_any(doc), ..Declared::default() };
    match body {
        Body::Struct(fields) => {
            ty.kind = "struct";
            ty.members = members(fields);
        }
        Body::Enum(values) => {
            ty.kind = "enum";
            let mut names = scope();
            let member = |value: &crate::model::Value| {
                plain_member(&names.take(snake(&value.name)), &value.doc, name.clone(), quoted(&value.name))
            };
            ty.members = values.iter().map(member).collect();
        }
        Body::Alias(of) => {
            ty.kind = "alias";
            ty.doc.extend(reasons(of, &cpp));
            ty.ty = cpp(of);
        }
        Body::Union { tagging: Tagging::Untagged, variants } => {
            ty.kind = "alias";
            ty.doc.push(untagged_reason(variants, &cpp));
            ty.ty = "nlohmann::json".to_string();
        }
        Body::Union { tagging, variants } => {
            ty.kind = "union";
            ty.tag = match tagging {
                Tagging::Internal(tag) => Some(quoted(tag)),
                _ => None,
            };
            ty.members = alternatives(name, variants, names);
        }
    }
    ty
}

/// The variants of a union. The first whose content is a struct that it has alone is that; the others are structs of
/// their own.
fn alternatives(union: &str, variants: &[Variant], names: &mut Names) -> Vec<Member> {
    let mut given = BTreeSet::new();
    let alternative = |variant: &Variant| {
        let own = variant_name(union, variant);
        let (name, content, inner) = match &variant.content {
            Some(Type::Named(name)) if *name == own && given.insert(name.clone()) => (own, "own", name.clone()),
            Some(ty) => (names.take(own), "wrapped", cpp(ty)),
            None => (names.take(own), "empty", String::new()),
        };
        Member { content, inner, ..plain_member(&name, &variant.doc, name.clone(), quoted(&variant.name)) }
    };
    variants.iter().map(alternative).collect()
}

fn plain_member(name: &str, doc: &str, ty: String, value: String) -> Member {
    Member { name: name.to_string(), doc: one_line_if_any(doc), ty, value, ..Member::default() }
}

fn members(fields: &[Field]) -> Vec<Member> {
    let mut names = scope();
    let member = |field: &Field| {
        let name = names.take(snake(&field.name));
        let ty = match &field.ty {
            Type::Optional(ty) => format!("std::optional<{}>", cpp(ty)),
            ty if field.required => cpp(ty),
            ty => format!("std::optional<{}>", cpp(ty)),
        };
        let ty_and_value = plain_member(&name, &field.doc, ty, quoted(&field.name));
        Member { doc: [one_line_if_any(&field.doc), reasons(&field.ty, &cpp)].concat(), ..ty_and_value }
    };
    fields.iter().map(member).collect()
}

fn cpp(ty: &Type) -> String {
    match ty {
        // Not every version of nlohmann/json knows std::optional.
        Type::Any(_) | Type::Null | Type::Optional(_) => "nlohmann::json".to_string(),
        Type::Bool => "bool".to_string(),
        Type::Integer { signed, bits } => format!("std::{}int{bits}_t", if *signed { "" } else { "u" }),
        Type::Number => "double".to_string(),
        Type::Text => "std::string".to_string(),
        Type::List(ty) => format!("std::vector<{}>", cpp(ty)),
        Type::Map(ty) => format!("std::map<std::string, {}>", cpp(ty)),
        Type::Tuple(types) => format!("std::tuple<{}>", types.iter().map(cpp).collect::<Vec<_>>().join(", ")),
        Type::Named(name) => name.clone(),
    }
}

fn function(JobName { name, job }: JobName<'_>) -> Function {
    let (parameters, payload) = match &job.payload {
        Data::Nothing => (String::new(), "{}".to_string()),
        Data::Bytes | Data::Text => ("palitra::Payload payload".to_string(), "payload".to_string()),
        Data::Json(ty) => (format!("const {}& payload", cpp(ty)), "nlohmann::json(payload).dump()".to_string()),
        Data::Framed(ty) => {
            (format!("const {}& head, std::string_view body", cpp(ty)), "detail::framed(head, body)".to_string())
        }
    };
    Function {
        name,
        job: quoted(&job.name),
        doc: documentation(job, &job_reasons(job, &cpp)),
        parameters,
        payload,
        reply: left(&job.reply),
        item: job.items.as_ref().map(left),
    }
}

/// The type of a reply or an item, which detail::Read makes of the bytes.
fn left(data: &Data) -> String {
    match data {
        Data::Nothing => "void".to_string(),
        Data::Bytes | Data::Text => "std::string".to_string(),
        Data::Json(ty) => format!("detail::Json<{}>", cpp(ty)),
        Data::Framed(ty) => format!("detail::Framed<{}>", cpp(ty)),
    }
}

/// The names of a struct or an enum, none of which is a word that C++ has taken.
fn scope() -> Names {
    Names::beside(TAKEN.split_whitespace())
}

/// Keywords, and the other ways to write operators; what the header itself names; macros of C and, in GNU's dialect, of
/// compilers.
const TAKEN: &str = "
    alignas alignof and and_eq asm auto bitand bitor bool break case catch char char8_t char16_t char32_t class
    co_await co_return co_yield compl concept const const_cast consteval constexpr constinit continue decltype
    default delete do double dynamic_cast else enum explicit export extern false float for friend goto if inline
    int long mutable namespace new noexcept not not_eq nullptr operator or or_eq private protected public
    register reinterpret_cast requires return short signed sizeof static static_assert static_cast struct switch
    template this thread_local throw true try typedef typeid typename union unsigned using virtual void volatile
    wchar_t while xor xor_eq
    detail nlohmann palitra runner_ std
    assert errno linux stderr stdin stdout unix
";
