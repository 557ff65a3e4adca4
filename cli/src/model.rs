//! The types of a library's jobs, as all languages can have them: what `bindgen` and `jobs` work with.
//!
//! Each job's schemas are documents of their own; here a type that several of them name is one type. What serde takes
//! and what it writes may differ: a member with a default is left out by who wants, and always written. Such a type stays
//! one, whose member may be absent, so that a value that was read can be sent. Types that differ in more get names of
//! their own.

use std::collections::{BTreeMap, BTreeSet};

use crate::describe::{Description, Errors, Format, Job, Part};
use crate::names::Names;
use crate::schema;

/// A type of JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// Any JSON; and why no more is known, if somebody may ask.
    Any(Option<&'static str>),
    Null,
    Bool,
    Integer {
        signed: bool,
        bits: u8,
    },
    Number,
    Text,
    List(Box<Type>),
    /// An object whose members all have one type.
    Map(Box<Type>),
    Tuple(Vec<Type>),
    /// Or null.
    Optional(Box<Type>),
    /// One of [`Model::definitions`].
    Named(String),
}

/// A type with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    pub name: String,
    pub doc: String,
    pub body: Body,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    Struct(Vec<Field>),
    /// One of these texts.
    Enum(Vec<Value>),
    Union {
        tagging: Tagging,
        variants: Vec<Variant>,
    },
    Alias(Type),
}

/// A member of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    pub name: String,
    pub doc: String,
    pub ty: Type,
    /// Whether it is always there.
    pub required: bool,
}

/// One text of an enum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    pub name: String,
    pub doc: String,
}

/// How JSON says which variant it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tagging {
    /// A member of this name says it, beside the variant's own.
    Internal(String),
    /// The one member's name says it; a variant without content is a text.
    External,
    /// The content alone.
    Untagged,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    /// What JSON calls it; of an untagged one the name that its type suggests.
    pub name: String,
    pub doc: String,
    pub content: Option<Type>,
}

/// What a payload, a reply or an item is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    Nothing,
    Bytes,
    Text,
    Json(Type),
    /// JSON, a line feed, and bytes.
    Framed(Type),
}

/// A job with the types of its parts.
#[derive(Clone)]
pub struct TypedJob {
    pub name: String,
    pub doc: String,
    pub payload: Data,
    pub reply: Data,
    pub items: Option<Data>,
    /// The codes that it fails with: the name of one of [`Model::errors`].
    pub errors: Option<String>,
}

pub struct Model {
    pub jobs: Vec<TypedJob>,
    /// In the order of their names.
    pub definitions: BTreeMap<String, Definition>,
    /// The enums of codes, in the order of their names.
    pub errors: BTreeMap<String, Errors>,
}

/// Why JSON has no type.
pub const NOT_DERIVED: &str = "its type in Rust does not derive schemars::JsonSchema";
pub const NO_SCHEMAS: &str = "the library was built without palitra's feature \"schema\"";

/// One part of one job, with the types that its schema defines, under the names that it gives them.
struct Document {
    job: usize,
    role: Role,
    data: Data,
    definitions: BTreeMap<String, Definition>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Payload,
    Reply,
    Items,
}

impl Model {
    /// Of those jobs that are wanted.
    pub fn of(description: &Description, wanted: impl Fn(&Job) -> bool) -> Model {
        let jobs: Vec<_> = description.jobs.iter().filter(|job| wanted(job)).collect();
        let why = if description.schemas { NOT_DERIVED } else { NO_SCHEMAS };
        let mut documents = Vec::new();
        for (index, job) in jobs.iter().enumerate() {
            let parts = [(Role::Payload, &job.payload), (Role::Reply, &job.reply), (Role::Items, &job.items)];
            for (role, part) in parts {
                if let Some(part) = part {
                    documents.push(Document::read(index, role, job, part, why));
                }
            }
        }
        let definitions = unify(&mut documents, &jobs);
        let mut errors = BTreeMap::new();
        let typed = jobs.iter().map(|job| TypedJob {
            name: job.name.clone(),
            doc: job.doc.clone(),
            payload: Data::Nothing,
            reply: Data::Nothing,
            items: None,
            errors: job.errors.as_ref().map(|codes| keep(&mut errors, codes, &job.name, &definitions)),
        });
        let mut jobs: Vec<_> = typed.collect();
        for document in documents {
            let job = &mut jobs[document.job];
            match document.role {
                Role::Payload => job.payload = document.data,
                Role::Reply => job.reply = document.data,
                Role::Items => job.items = Some(document.data),
            }
        }
        Model { jobs, definitions, errors }
    }

    /// The same for a language, or a file, where other names are taken: no type and no codes have one of these.
    pub fn beside(&self, taken: &[&str]) -> Model {
        let all = || self.definitions.keys().chain(self.errors.keys()).cloned();
        let mut free = Names::beside(all().chain(taken.iter().map(|name| name.to_string())));
        let named = all().filter(|name| taken.contains(&name.as_str()));
        let names: BTreeMap<_, _> = named.map(|name| (name.clone(), free.take(name))).collect();
        let new = |name: &String| names.get(name).unwrap_or(name).clone();
        let mut jobs = self.jobs.clone();
        for job in &mut jobs {
            job.errors = job.errors.as_ref().map(new);
            [Some(&mut job.payload), Some(&mut job.reply), job.items.as_mut()]
                .into_iter()
                .flatten()
                .for_each(|data| data.rename(&names));
        }
        let errors = self.errors.values().map(|errors| Errors { name: new(&errors.name), codes: errors.codes.clone() });
        let errors = errors.map(|errors| (errors.name.clone(), errors)).collect();
        Model { jobs, definitions: renamed(self.definitions.clone(), &names), errors }
    }

    pub fn is_struct(&self, ty: &Type) -> bool {
        let Type::Named(name) = ty else { return false };
        matches!(self.definitions.get(name).map(|definition| &definition.body), Some(Body::Struct(_)))
    }

    /// The members of a type that is a struct.
    pub fn fields(&self, ty: &Type) -> &[Field] {
        let Type::Named(name) = ty else { return &[] };
        match self.definitions.get(name).map(|definition| &definition.body) {
            Some(Body::Struct(fields)) => fields,
            _ => &[],
        }
    }
}

/// Keeps the codes under a name that means nothing else, and returns it.
fn keep(
    errors: &mut BTreeMap<String, Errors>,
    codes: &Errors,
    job: &str,
    definitions: &BTreeMap<String, Definition>,
) -> String {
    let is_taken = |name: &String| {
        definitions.contains_key(name) || errors.get(name).is_some_and(|other| other.codes != codes.codes)
    };
    let mut name = codes.name.clone();
    if is_taken(&name) {
        name = crate::names::pascal(job) + &name;
    }
    while is_taken(&name) {
        name.push('_');
    }
    errors.insert(name.clone(), Errors { name: name.clone(), codes: codes.codes.clone() });
    name
}

impl Document {
    fn read(index: usize, role: Role, job: &Job, part: &Part, why: &'static str) -> Document {
        let hint = crate::names::pascal(&job.name) + role.word();
        let mut definitions = BTreeMap::new();
        let mut read = |schema: Option<&serde_json::Value>| match schema {
            Some(serde_json::Value::Bool(true)) if part.head.is_some() => Type::Any(Some(why)),
            Some(schema) => schema::read(schema, &hint, &mut definitions),
            None => Type::Any(Some(why)),
        };
        let data = match (part.format, &part.head) {
            (Format::Json, _) => Data::Json(read(part.schema.as_ref())),
            (Format::Text, _) => Data::Text,
            (Format::Bytes, Some(head)) => Data::Framed(read(Some(head))),
            (Format::Bytes, None) => Data::Bytes,
        };
        Document { job: index, role, data, definitions }
    }
}

impl Role {
    fn word(self) -> &'static str {
        match self {
            Role::Payload => "Payload",
            Role::Reply => "Reply",
            Role::Items => "Item",
        }
    }
}

/// Gives each type of all documents one name, and returns the types by these names.
///
/// A name that means one type everywhere stays. Where payloads mean one and replies another, the latter get a word
/// behind the name; where that is not enough, the name of the job before it; and where that is another type's name, the
/// word of their part behind it. As long as a type is renamed, those that refer to it differ too, so this repeats itself
/// until nothing changes.
fn unify(documents: &mut [Document], jobs: &[&Job]) -> BTreeMap<String, Definition> {
    for step in [rename_by_role, rename_by_job] {
        loop {
            let conflicts = conflicts(documents);
            let mut changed = false;
            for document in documents.iter_mut() {
                changed |= step(document, &conflicts, jobs);
            }
            if !changed {
                break;
            }
        }
    }
    let mut definitions: BTreeMap<String, Definition> = BTreeMap::new();
    for definition in documents.iter().flat_map(|document| document.definitions.values()) {
        let merged = definitions.get(&definition.name).and_then(|other| merge(other, definition));
        definitions.insert(definition.name.clone(), merged.unwrap_or_else(|| definition.clone()));
    }
    definitions
}

/// The names that mean several types.
fn conflicts(documents: &[Document]) -> BTreeSet<String> {
    let mut found: BTreeMap<&str, Definition> = BTreeMap::new();
    let mut conflicts = BTreeSet::new();
    for (name, definition) in documents.iter().flat_map(|document| &document.definitions) {
        match found.get(name.as_str()).map(|other| merge(other, definition)) {
            None => drop(found.insert(name, definition.clone())),
            Some(Some(merged)) => drop(found.insert(name, merged)),
            Some(None) => drop(conflicts.insert(name.clone())),
        }
    }
    conflicts
}

fn rename_by_role(document: &mut Document, conflicts: &BTreeSet<String>, _: &[&Job]) -> bool {
    let word = document.role.word();
    document.rename(|name| {
        (document_is_left(word) && conflicts.contains(name) && !name.ends_with(word)).then(|| format!("{name}{word}"))
    })
}

fn document_is_left(word: &str) -> bool {
    word != Role::Payload.word()
}

fn rename_by_job(document: &mut Document, conflicts: &BTreeSet<String>, jobs: &[&Job]) -> bool {
    let job = crate::names::pascal(&jobs[document.job].name);
    document.rename(|name| (conflicts.contains(name) && !name.starts_with(&job)).then(|| format!("{job}{name}")))
}

impl Document {
    /// Returns whether anything has a new name.
    fn rename(&mut self, new: impl Fn(&str) -> Option<String>) -> bool {
        let mut taken: BTreeSet<String> = self.definitions.keys().cloned().collect();
        let mut names = BTreeMap::new();
        for name in self.definitions.keys() {
            let Some(mut new) = new(name) else { continue };
            while !taken.insert(new.clone()) {
                new.push_str(self.role.word());
            }
            names.insert(name.clone(), new);
        }
        if names.is_empty() {
            return false;
        }
        self.definitions = renamed(std::mem::take(&mut self.definitions), &names);
        self.data.rename(&names);
        true
    }
}

/// The types under their new names, where they have some.
fn renamed(
    definitions: BTreeMap<String, Definition>,
    names: &BTreeMap<String, String>,
) -> BTreeMap<String, Definition> {
    let renamed = definitions.into_values().map(|mut definition| {
        definition.name = names.get(&definition.name).unwrap_or(&definition.name).clone();
        definition.each_type(&mut |ty| ty.rename(names));
        (definition.name.clone(), definition)
    });
    renamed.collect()
}

impl Data {
    fn rename(&mut self, names: &BTreeMap<String, String>) {
        if let Data::Json(ty) | Data::Framed(ty) = self {
            ty.rename(names);
        }
    }
}

/// One type out of two of the same name, if they are alike but for members that one of them may lack.
fn merge(one: &Definition, other: &Definition) -> Option<Definition> {
    let (Body::Struct(one_fields), Body::Struct(other_fields)) = (&one.body, &other.body) else {
        return (one.body == other.body).then(|| one.clone());
    };
    let alike = |(one, other): (&Field, &Field)| one.name == other.name && one.ty == other.ty;
    if one_fields.len() != other_fields.len() || !one_fields.iter().zip(other_fields).all(alike) {
        return None;
    }
    let fields = one_fields.iter().zip(other_fields);
    let fields = fields.map(|(one, other)| Field { required: one.required && other.required, ..one.clone() });
    Some(Definition { body: Body::Struct(fields.collect()), ..one.clone() })
}

impl Definition {
    /// Every type that stands in it.
    pub fn each_type(&mut self, visit: &mut dyn FnMut(&mut Type)) {
        match &mut self.body {
            Body::Struct(fields) => fields.iter_mut().for_each(|field| visit(&mut field.ty)),
            Body::Enum(_) => {}
            Body::Union { variants, .. } => variants.iter_mut().filter_map(|it| it.content.as_mut()).for_each(visit),
            Body::Alias(ty) => visit(ty),
        }
    }

    /// The names of the types in it, those behind lists and maps among them.
    pub fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        self.clone().each_type(&mut |ty| ty.each_name(&mut |name| names.push(name.clone())));
        names
    }
}

impl Type {
    fn rename(&mut self, names: &BTreeMap<String, String>) {
        self.each_name(&mut |name| *name = names.get(name).unwrap_or(name).clone());
    }

    fn each_name(&mut self, visit: &mut dyn FnMut(&mut String)) {
        match self {
            Type::Named(name) => visit(name),
            Type::List(ty) | Type::Map(ty) | Type::Optional(ty) => ty.each_name(visit),
            Type::Tuple(types) => types.iter_mut().for_each(|ty| ty.each_name(visit)),
            _ => {}
        }
    }
}

/// Whether the type is that of this name, or a part of it is.
pub fn mentions(ty: &Type, name: &str) -> bool {
    match ty {
        Type::Named(other) => other == name,
        Type::List(ty) | Type::Map(ty) | Type::Optional(ty) => mentions(ty, name),
        Type::Tuple(types) => types.iter().any(|ty| mentions(ty, name)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The model of jobs whose payloads and replies have these schemas.
    fn model(jobs: &[(&str, serde_json::Value, serde_json::Value)]) -> Model {
        let part = |schema: &serde_json::Value| serde_json::json!({"format": "json", "schema": schema});
        let job = |(name, payload, reply): &(&str, serde_json::Value, serde_json::Value)| serde_json::json!({"name": name, "doc": "", "payload": part(payload), "reply": part(reply)});
        let jobs: Vec<_> = jobs.iter().map(job).collect();
        let document = serde_json::json!({"schemas": true, "jobs": jobs}).to_string();
        Model::of(&Description::read(&document).unwrap(), |_| true)
    }

    /// A struct with one member that refers to another type with these members.
    fn schema(title: &str, held: &[&str], required: &[&str]) -> serde_json::Value {
        let members: serde_json::Map<_, _> =
            held.iter().map(|name| (name.to_string(), serde_json::json!({"type": "string"}))).collect();
        serde_json::json!({
            "title": title, "type": "object", "required": ["held"],
            "properties": {"held": {"$ref": "#/$defs/Held"}},
            "$defs": {"Held": {"type": "object", "properties": members, "required": required}},
        })
    }

    fn names(model: &Model) -> Vec<&str> {
        model.definitions.keys().map(String::as_str).collect()
    }

    fn held<'m>(model: &'m Model, name: &str) -> &'m Type {
        &model.fields(&Type::Named(name.to_string()))[0].ty
    }

    #[test]
    fn a_type_that_only_lacks_members_is_one_type() {
        let model = model(&[("j", schema("Both", &["a", "b"], &["a"]), schema("Both", &["a", "b"], &["a", "b"]))]);
        assert_eq!(names(&model), ["Both", "Held"]);
        let fields = model.fields(&Type::Named("Held".to_string()));
        assert_eq!(fields.iter().map(|field| field.required).collect::<Vec<_>>(), [true, false]);
    }

    #[test]
    fn a_reply_of_another_shape_gets_a_name_of_its_own_and_so_does_what_refers_to_it() {
        let model = model(&[("j", schema("Both", &["a"], &["a"]), schema("Both", &["a", "b"], &["a", "b"]))]);
        assert_eq!(names(&model), ["Both", "BothReply", "Held", "HeldReply"]);
        assert_eq!(held(&model, "Both"), &Type::Named("Held".to_string()));
        assert_eq!(held(&model, "BothReply"), &Type::Named("HeldReply".to_string()));
        assert_eq!(model.jobs[0].reply, Data::Json(Type::Named("BothReply".to_string())));
    }

    #[test]
    fn a_name_of_its_own_is_no_name_that_another_type_has() {
        let model = model(&[("j", schema("Both", &["a"], &["a"]), schema("HeldReply", &["a", "b"], &["a", "b"]))]);
        assert_eq!(names(&model), ["Both", "Held", "HeldReply", "HeldReplyReply"]);
        assert_eq!(held(&model, "Both"), &Type::Named("Held".to_string()));
        assert_eq!(held(&model, "HeldReply"), &Type::Named("HeldReplyReply".to_string()));
        assert_eq!(model.fields(&Type::Named("HeldReplyReply".to_string())).len(), 2);
        assert_eq!(model.jobs[0].reply, Data::Json(Type::Named("HeldReply".to_string())));
    }

    #[test]
    fn types_of_two_modules_with_one_name_get_those_of_their_jobs() {
        let any = serde_json::json!({"type": "null"});
        let model = model(&[
            ("one.j", schema("One", &["a"], &["a"]), any.clone()),
            ("two.j", schema("Two", &["b"], &["b"]), any),
        ]);
        assert_eq!(names(&model), ["One", "OneJHeld", "Two", "TwoJHeld"]);
        assert_eq!(held(&model, "Two"), &Type::Named("TwoJHeld".to_string()));
    }
}
