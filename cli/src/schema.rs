//! One JSON Schema, as schemars writes it for serde's types, read as types of the model.
//!
//! | schema | type |
//! |---|---|
//! | an object with properties | a struct |
//! | an object without | a map |
//! | `enum`, or `oneOf` of constants | an enum of texts |
//! | `oneOf` of objects with one constant member in common | a union with a tag inside |
//! | `oneOf` of objects with one member, and texts | a union in serde's own way |
//! | any other `oneOf` and `anyOf` | an untagged union |
//! | with `null` as one of several | optional |
//! | `prefixItems` | a tuple |
//! | `$ref` | the type that it refers to; by name if that has one |
//!
//! What is none of these is any JSON, with the reason; so is what is several of them at once, as serde's flattened
//! members are.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::model::{self, Body, Definition, Field, Tagging, Type, Variant, mentions};
use crate::names::pascal;

const COMBINED: &str = "its schema combines several others";
const MIXED: &str = "it has both members with names of their own and any others";
const VALUES: &str = "it is one of several values that are not all texts";
const KINDS: &str = "it may be of several kinds";
const WIDE: &str = "it is an integer of more than 64 bits";
const UNRESOLVED: &str = "its schema refers to one that is elsewhere";

/// Reads a schema. Types without a name of their own get names that begin with the hint. The types with names are added
/// to the definitions.
pub fn read(schema: &Value, hint: &str, definitions: &mut BTreeMap<String, Definition>) -> Type {
    let title = schema["title"].as_str().map_or_else(|| hint.to_string(), pascal);
    let mut reader = Reader { root: schema, root_name: title.clone(), reading: BTreeSet::new(), definitions };
    reader.named(schema, &title)
}

struct Reader<'a> {
    root: &'a Value,
    root_name: String,
    /// The names of the types that are being read, which may refer to themselves.
    reading: BTreeSet<String>,
    definitions: &'a mut BTreeMap<String, Definition>,
}

type Object = Map<String, Value>;

impl<'a> Reader<'a> {
    /// A schema that has this name, if it is a type that can have one.
    fn named(&mut self, schema: &'a Value, name: &str) -> Type {
        self.reading.insert(name.to_string());
        let ty = self.read(schema, name);
        self.reading.remove(name);
        let refers_to_itself = self.definitions.get(name).is_none() && mentions(&ty, name);
        if refers_to_itself {
            return self.define(name, doc(schema), Body::Alias(ty));
        }
        ty
    }

    /// Keeps the body under this name, or one more word if that is taken by another type.
    fn define(&mut self, name: &str, doc: String, body: Body) -> Type {
        let mut free = name.to_string();
        while self.definitions.get(&free).is_some_and(|other| other.body != body) {
            free.push_str("Inner");
        }
        self.definitions.insert(free.clone(), Definition { name: free.clone(), doc, body });
        Type::Named(free)
    }

    fn read(&mut self, schema: &'a Value, hint: &str) -> Type {
        let Value::Object(object) = schema else { return Type::Any(None) };
        if let Some(why) = scattered(object) {
            return Type::Any(Some(why));
        }
        if let Some(Value::String(target)) = object.get("$ref") {
            return self.referred(target);
        }
        if let Some(Value::Array(choices)) = object.get("oneOf").or(object.get("anyOf")) {
            return self.choice(schema, choices, hint);
        }
        if let Some(Value::Array(parts)) = object.get("allOf") {
            let [part] = parts.as_slice() else { return Type::Any(Some(COMBINED)) };
            return self.read(part, hint);
        }
        if let Some(texts) = texts(schema) {
            return self.define(hint, doc(schema), Body::Enum(texts));
        }
        if object.contains_key("const") || object.contains_key("enum") {
            return self.values(schema, object, hint);
        }
        match object.get("type") {
            Some(Value::String(kind)) => self.kind(kind, schema, object, hint),
            Some(Value::Array(kinds)) => self.kinds(kinds, schema, object, hint),
            _ if object.contains_key("properties") => self.kind("object", schema, object, hint),
            _ => Type::Any(None),
        }
    }

    /// What a `$ref` refers to.
    fn referred(&mut self, target: &str) -> Type {
        if target == "#" {
            return Type::Named(self.root_name.clone());
        }
        let Some(key) = target.strip_prefix("#/$defs/") else { return Type::Any(Some(UNRESOLVED)) };
        let name = pascal(key);
        if self.reading.contains(&name) || self.definitions.contains_key(&name) {
            return Type::Named(name);
        }
        let root = self.root;
        // Keys are escaped as in a JSON pointer.
        match root["$defs"].get(key.replace("~1", "/").replace("~0", "~")) {
            Some(schema) => self.named(schema, &name),
            None => Type::Any(Some(UNRESOLVED)),
        }
    }

    /// Constants that are not all texts: only null may be among these.
    fn values(&mut self, schema: &'a Value, object: &Object, hint: &str) -> Type {
        let Some(Value::Array(values)) = object.get("enum") else { return Type::Any(Some(VALUES)) };
        let named: Option<Vec<_>> = values.iter().filter(|it| !it.is_null()).map(|it| it.as_str().map(value)).collect();
        match named {
            Some(texts) if !texts.is_empty() => {
                Type::Optional(Box::new(self.define(hint, doc(schema), Body::Enum(texts))))
            }
            _ => Type::Any(Some(VALUES)),
        }
    }

    fn kinds(&mut self, kinds: &[Value], schema: &'a Value, object: &'a Object, hint: &str) -> Type {
        let others: Vec<_> = kinds.iter().filter_map(Value::as_str).filter(|kind| *kind != "null").collect();
        let [kind] = others.as_slice() else { return Type::Any(Some(KINDS)) };
        let ty = self.kind(kind, schema, object, hint);
        if others.len() < kinds.len() { optional(ty) } else { ty }
    }

    fn kind(&mut self, kind: &str, schema: &'a Value, object: &'a Object, hint: &str) -> Type {
        match kind {
            "null" => Type::Null,
            "boolean" => Type::Bool,
            "integer" => integer(object),
            "number" => Type::Number,
            "string" => Type::Text,
            "array" => self.array(object, hint),
            "object" => self.object(schema, object, hint),
            _ => Type::Any(Some(KINDS)),
        }
    }

    fn array(&mut self, object: &'a Object, hint: &str) -> Type {
        if let Some(Value::Array(parts)) = object.get("prefixItems") {
            let parts = parts.iter().enumerate();
            return Type::Tuple(parts.map(|(i, part)| self.read(part, &format!("{hint}{i}"))).collect());
        }
        let item = object.get("items").map_or(Type::Any(None), |item| self.read(item, &format!("{hint}Item")));
        Type::List(Box::new(item))
    }

    fn object(&mut self, schema: &'a Value, object: &'a Object, hint: &str) -> Type {
        if let Some(value) = others(object) {
            return Type::Map(Box::new(self.read(value, &format!("{hint}Value"))));
        }
        // A struct without members takes no others.
        let is_closed = object.get("additionalProperties") == Some(&Value::Bool(false));
        if !object.contains_key("properties") && !is_closed {
            return Type::Map(Box::new(Type::Any(None)));
        }
        let fields = self.fields(object, hint, None);
        self.define(hint, doc(schema), Body::Struct(fields))
    }

    /// The members, without the tag of a union.
    fn fields(&mut self, object: &'a Object, hint: &str, tag: Option<&str>) -> Vec<Field> {
        let required: BTreeSet<_> =
            object.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        let properties = members(object).into_iter().filter(|(name, _)| Some(name.as_str()) != tag);
        let field = |(name, schema): (&String, &'a Value)| Field {
            name: name.clone(),
            doc: doc(schema),
            ty: self.read(schema, &format!("{hint}{}", pascal(name))),
            required: required.contains(name.as_str()),
        };
        properties.map(field).collect()
    }

    fn choice(&mut self, schema: &'a Value, choices: &'a [Value], hint: &str) -> Type {
        let some: Vec<_> = choices.iter().filter(|choice| choice["type"] != "null").collect();
        let ty = match some.as_slice() {
            // An enum of one variant has its tag all the same.
            [one] if schema.get("oneOf").is_none() => self.read(one, hint),
            _ => self.union(schema, &some, hint),
        };
        if some.len() < choices.len() { optional(ty) } else { ty }
    }

    fn union(&mut self, schema: &'a Value, choices: &[&'a Value], hint: &str) -> Type {
        let constants: Option<Vec<_>> = choices.iter().map(|choice| texts(choice)).collect();
        if let Some(constants) = constants {
            return self.define(hint, doc(schema), Body::Enum(constants.into_iter().flatten().collect()));
        }
        let (tagging, variants) = if let Some(tag) = tag(choices) {
            (Tagging::Internal(tag.to_string()), self.internal(choices, tag, hint))
        } else if choices.iter().all(|choice| texts(choice).is_some() || only_member(choice).is_some()) {
            (Tagging::External, self.external(choices, hint))
        } else {
            (Tagging::Untagged, self.untagged(choices, hint))
        };
        self.define(hint, doc(schema), Body::Union { tagging, variants })
    }

    fn internal(&mut self, choices: &[&'a Value], tag: &str, hint: &str) -> Vec<Variant> {
        let variant = |choice: &&'a Value| {
            let object = choice.as_object()?;
            let name = choice["properties"][tag]["const"].as_str()?.to_string();
            let hint = format!("{hint}{}", pascal(&name));
            let content = match (object.get("$ref"), scattered(object)) {
                // The tag alone is beside it.
                (Some(Value::String(target)), _) if members(object).len() == 1 => Some(self.referred(target)),
                (_, Some(why)) => Some(Type::Any(Some(why))),
                _ => {
                    let fields = self.fields(object, &hint, Some(tag));
                    (!fields.is_empty()).then(|| self.define(&hint, doc(choice), Body::Struct(fields)))
                }
            };
            Some(Variant { name, doc: doc(choice), content })
        };
        choices.iter().filter_map(variant).collect()
    }

    fn external(&mut self, choices: &[&'a Value], hint: &str) -> Vec<Variant> {
        let mut variants = Vec::new();
        for choice in choices {
            if let Some((name, schema)) = only_member(choice) {
                let content = self.read(schema, &format!("{hint}{}", pascal(name)));
                variants.push(Variant { name: name.clone(), doc: doc(choice), content: Some(content) });
            }
            let unit = |text: model::Value| Variant { name: text.name, doc: text.doc, content: None };
            variants.extend(texts(choice).into_iter().flatten().map(unit));
        }
        variants
    }

    fn untagged(&mut self, choices: &[&'a Value], hint: &str) -> Vec<Variant> {
        let variant = |(i, choice): (usize, &&'a Value)| {
            let content = self.read(choice, &format!("{hint}{}", i + 1));
            let name = match &content {
                Type::Named(name) => name.clone(),
                Type::Text => "Text".to_string(),
                Type::Bool => "Bool".to_string(),
                Type::Integer { .. } => "Integer".to_string(),
                Type::Number => "Number".to_string(),
                Type::List(_) => "List".to_string(),
                Type::Map(_) => "Map".to_string(),
                _ => format!("Variant{}", i + 1),
            };
            Variant { name, doc: doc(choice), content: Some(content) }
        };
        choices.iter().enumerate().map(variant).collect()
    }
}

/// Those that have names.
fn members(object: &Object) -> Vec<(&String, &Value)> {
    object.get("properties").and_then(Value::as_object).into_iter().flatten().collect()
}

/// What any other member of an object is, if it may have some.
fn others(object: &Object) -> Option<&Value> {
    let all = ["additionalProperties", "unevaluatedProperties"].into_iter().find_map(|key| object.get(key));
    let patterns = object.get("patternProperties").and_then(Value::as_object).and_then(|it| it.values().next());
    all.filter(|others| **others != Value::Bool(false)).or(patterns)
}

/// Why an object has no type whose members stand in several places, as those do that serde flattens: a type that was
/// read from one of them would lack the others.
fn scattered(object: &Object) -> Option<&'static str> {
    let schemas = ["$ref", "oneOf", "anyOf", "allOf"].into_iter().filter(|key| object.contains_key(*key)).count();
    let places = schemas + usize::from(!members(object).is_empty()) + usize::from(others(object).is_some());
    let why = if schemas > 0 { COMBINED } else { MIXED };
    (places > 1).then_some(why)
}

/// The description, with the value of a member that is left out.
fn doc(schema: &Value) -> String {
    let doc = schema["description"].as_str().unwrap_or_default();
    match schema.get("default") {
        Some(default) if !default.is_null() => {
            format!("{doc}{}Default: {default}.", if doc.is_empty() { "" } else { " " })
        }
        _ => doc.to_string(),
    }
}

fn value(text: &str) -> model::Value {
    model::Value { name: text.to_string(), doc: String::new() }
}

/// The texts of a schema that allows a few texts alone.
fn texts(schema: &Value) -> Option<Vec<model::Value>> {
    if let Some(text) = schema.get("const") {
        return Some(vec![model::Value { name: text.as_str()?.to_string(), doc: doc(schema) }]);
    }
    schema.get("enum")?.as_array()?.iter().map(|text| text.as_str().map(value)).collect()
}

/// The member that all have, each with another text.
fn tag<'v>(choices: &[&'v Value]) -> Option<&'v str> {
    let members = choices.first()?["properties"].as_object()?;
    let is_tag = |name: &&String| choices.iter().all(|choice| choice["properties"][name.as_str()]["const"].is_string());
    members.keys().find(is_tag).map(String::as_str)
}

/// The one member of an object that has exactly one.
fn only_member(schema: &Value) -> Option<(&String, &Value)> {
    let members = schema.get("properties")?.as_object().filter(|_| schema.as_object().and_then(scattered).is_none())?;
    let member = members.iter().next().filter(|_| members.len() == 1)?;
    schema["required"].as_array().is_some_and(|required| required.len() == 1).then_some(member)
}

fn integer(object: &Object) -> Type {
    let unsigned = object.get("minimum").and_then(Value::as_i64).is_some_and(|minimum| minimum >= 0);
    let (signed, bits) = match object.get("format").and_then(Value::as_str) {
        Some("int8") => (true, 8),
        Some("int16") => (true, 16),
        Some("int32") => (true, 32),
        Some("uint8") => (false, 8),
        Some("uint16") => (false, 16),
        Some("uint32") => (false, 32),
        Some("int128" | "uint128") => return Type::Any(Some(WIDE)),
        _ => (!unsigned, 64),
    };
    Type::Integer { signed, bits }
}

fn optional(ty: Type) -> Type {
    match ty {
        Type::Optional(_) | Type::Any(_) | Type::Null => ty,
        ty => Type::Optional(Box::new(ty)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(schema: &Value) -> (Type, BTreeMap<String, Definition>) {
        let mut definitions = BTreeMap::new();
        let ty = super::read(schema, "Hint", &mut definitions);
        (ty, definitions)
    }

    fn named(name: &str) -> Type {
        Type::Named(name.to_string())
    }

    #[test]
    fn null_beside_a_type_is_optional() {
        let by_kind = json!({"type": ["string", "null"]});
        assert_eq!(read(&by_kind).0, Type::Optional(Box::new(Type::Text)));
        let by_choice = json!({"anyOf": [{"type": "boolean"}, {"type": "null"}]});
        assert_eq!(read(&by_choice).0, Type::Optional(Box::new(Type::Bool)));
        let among_texts = json!({"enum": ["a", "b", null]});
        assert_eq!(read(&among_texts).0, Type::Optional(Box::new(named("Hint"))));
    }

    #[test]
    fn a_tag_beside_its_content_is_a_member_of_the_variant() {
        let variant = |name| {
            json!({"type": "object", "required": ["t", "c"], "properties": {
            "t": {"type": "string", "const": name}, "c": {"type": "integer"}}})
        };
        let (ty, definitions) = read(&json!({"title": "Tagged", "oneOf": [variant("A"), variant("B")]}));
        assert_eq!(ty, named("Tagged"));
        let Body::Union { tagging, variants } = &definitions["Tagged"].body else { panic!("no union") };
        assert_eq!((tagging, variants.len()), (&Tagging::Internal("t".to_string()), 2));
        let Body::Struct(fields) = &definitions["TaggedA"].body else { panic!("no struct") };
        assert_eq!(fields.iter().map(|field| field.name.as_str()).collect::<Vec<_>>(), ["c"]);
    }

    #[test]
    fn a_variant_with_members_beyond_its_own_is_any_json_and_loses_none() {
        let members = json!({"t": {"const": "A"}, "a": {}});
        let nested = json!({"type": "object", "properties": members, "oneOf": [{"type": "null"}, {"type": "string"}]});
        let map = json!({"type": "object", "properties": {"t": {"const": "B"}}, "additionalProperties": {}});
        let plain = json!({"type": "object", "properties": {"t": {"const": "C"}}, "additionalProperties": false});
        let (_, definitions) = read(&json!({"title": "Tagged", "oneOf": [nested, map, plain]}));
        let Body::Union { variants, .. } = &definitions["Tagged"].body else { panic!("no union") };
        let contents: Vec<_> = variants.iter().map(|variant| variant.content.clone()).collect();
        assert_eq!(contents, [Some(Type::Any(Some(COMBINED))), Some(Type::Any(Some(MIXED))), None]);
        // The one member beside others is no variant's name.
        let mixed = json!({"type": "object", "required": ["a"], "properties": {"a": {}}, "additionalProperties": true});
        let (_, definitions) = read(&json!({"title": "Untagged", "anyOf": [mixed, mixed]}));
        assert!(matches!(&definitions["Untagged"].body, Body::Union { tagging: Tagging::Untagged, .. }));
    }

    #[test]
    fn an_enum_of_one_variant_keeps_its_tag() {
        let variant = json!({"type": "object", "required": ["A"], "properties": {"A": {"type": "integer"}}});
        let (ty, definitions) = read(&json!({"title": "One", "oneOf": [variant]}));
        assert_eq!(ty, named("One"));
        assert!(matches!(&definitions["One"].body, Body::Union { tagging: Tagging::External, .. }));
    }

    #[test]
    fn a_list_of_itself_keeps_its_name() {
        let schema = json!({"$ref": "#/$defs/Forest",
            "$defs": {"Forest": {"type": "array", "items": {"$ref": "#/$defs/Forest"}}}});
        let (ty, definitions) = read(&schema);
        assert_eq!(ty, named("Forest"));
        assert_eq!(definitions["Forest"].body, Body::Alias(Type::List(Box::new(named("Forest")))));
    }

    #[test]
    fn maps_are_of_any_keys_or_of_those_of_a_pattern() {
        let map = Type::Map(Box::new(Type::Bool));
        assert_eq!(read(&json!({"type": "object", "additionalProperties": {"type": "boolean"}})).0, map);
        let pattern = json!({"type": "object", "patternProperties": {"^\\d+$": {"type": "boolean"}},
            "additionalProperties": false});
        assert_eq!(read(&pattern).0, map);
    }

    #[test]
    fn what_is_none_of_these_says_why() {
        let both = json!({"type": "object", "properties": {"a": {}}, "additionalProperties": {"type": "boolean"}});
        // What schemars makes of members that serde flattens: those of an enum, and any others.
        let variant = |name| json!({"type": "object", "required": ["t"], "properties": {"t": {"const": name}}});
        let variants = [variant("A"), variant("B")];
        let flattened = json!({"type": "object", "properties": {"a": {}}, "oneOf": variants});
        let twice = json!({"type": "object", "allOf": [{"oneOf": variants}, {"oneOf": variants}], "anyOf": variants});
        let optional = json!({"type": "object", "properties": {"a": {}}, "anyOf": [{"oneOf": variants}, {}]});
        let one = json!({"type": "object", "properties": {"a": {}}, "allOf": [{"type": "object"}]});
        let any_others = json!({"type": "object", "properties": {"a": {}}, "additionalProperties": true});
        let unevaluated = json!({"type": "object", "oneOf": variants, "unevaluatedProperties": true});
        for (schema, why) in [
            (both, MIXED),
            (any_others, MIXED),
            (flattened, COMBINED),
            (twice, COMBINED),
            (optional, COMBINED),
            (one, COMBINED),
            (unevaluated, COMBINED),
            (json!({"allOf": [{"type": "object"}, {"type": "object"}]}), COMBINED),
            (json!({"enum": [1, 2]}), VALUES),
            (json!({"type": ["string", "integer"]}), KINDS),
            (json!({"type": "integer", "format": "uint128", "minimum": 0}), WIDE),
            (json!({"$ref": "https://example.org/schema"}), UNRESOLVED),
        ] {
            assert_eq!(read(&schema).0, Type::Any(Some(why)), "{schema}");
        }
        assert_eq!(read(&json!(true)).0, Type::Any(None));
    }
}
