//! The payload of a job out of the words of a command line.
//!
//! | words | payload |
//! |---|---|
//! | none | nothing; `{}` for a job that takes JSON |
//! | `-` | what stands in the standard input |
//! | `@FILE` | what stands in the file |
//! | `KEY=VALUE` ... | for a job that takes JSON an object with these members |
//! | one word | as it stands |
//!
//! A value of a pair is text where the schema says that the member is a string; elsewhere it is JSON if it reads as
//! JSON, and text if not.

use std::fs;
use std::io::{Read, stdin};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value};

use crate::describe::{Format, Job, Part};

pub fn payload(job: &Job, words: &[String]) -> Result<Vec<u8>> {
    let Some(part) = &job.payload else {
        ensure!(words.is_empty(), "{} takes no payload", job.name);
        return Ok(Vec::new());
    };
    let takes_json = part.format == Format::Json;
    match words {
        [] if takes_json => Ok(b"{}".to_vec()),
        [] => Ok(Vec::new()),
        [word] if word == "-" => {
            let mut bytes = Vec::new();
            stdin().read_to_end(&mut bytes).context("the standard input")?;
            Ok(bytes)
        }
        [word] if word.starts_with('@') => fs::read(&word[1..]).with_context(|| format!("the file {:?}", &word[1..])),
        words if takes_json && words.iter().all(|word| pair(word).is_some()) => object(part, words),
        [word] => {
            if takes_json && let Err(error) = serde_json::from_str::<Value>(word) {
                bail!("{word:?} is neither JSON ({error}) nor KEY=VALUE");
            }
            Ok(word.clone().into_bytes())
        }
        words => {
            let wrong = words.iter().find(|word| pair(word).is_none());
            ensure!(takes_json, "{} takes {}: one word of it, not {}", job.name, part.format.name(), words.len());
            bail!("{:?} is not KEY=VALUE", wrong.map_or("", |word| word))
        }
    }
}

/// The two sides of `KEY=VALUE`, whose key looks like one: `{"a": "="}` is none.
fn pair(word: &str) -> Option<(&str, &str)> {
    let (key, value) = word.split_once('=')?;
    let is_key = !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || "_-.$".contains(c));
    is_key.then_some((key, value))
}

fn object(part: &Part, words: &[String]) -> Result<Vec<u8>> {
    let mut members = Map::new();
    for (key, text) in words.iter().filter_map(|word| pair(word)) {
        let value = match serde_json::from_str(text) {
            Ok(value) if !is_string(part, key) => value,
            _ => Value::String(text.to_string()),
        };
        ensure!(members.insert(key.to_string(), value).is_none(), "{key:?} is there twice");
    }
    Ok(serde_json::to_vec(&members)?)
}

/// Whether the schema says that this member is text, or text or null.
fn is_string(part: &Part, key: &str) -> bool {
    let schema = part.schema.as_ref().map(|schema| &schema["properties"][key]["type"]);
    match schema {
        Some(Value::String(kind)) => kind == "string",
        Some(Value::Array(kinds)) => kinds.iter().all(|kind| kind == "string" || kind == "null"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(payload: &str) -> Job {
        let bytes = r#"{"format": "bytes"}"#;
        let text = format!(r#"{{"name": "j", "doc": "", "inline": false, "payload": {payload}, "reply": {bytes}}}"#);
        serde_json::from_str(&text).unwrap()
    }

    fn made(payload: &str, words: &[&str]) -> Result<String> {
        let words: Vec<_> = words.iter().map(ToString::to_string).collect();
        super::payload(&job(payload), &words).map(|bytes| String::from_utf8(bytes).unwrap())
    }

    const JSON: &str = r#"{"format": "json", "schema": {"properties": {
        "zip": {"type": "string"}, "note": {"type": ["string", "null"]}, "n": {"type": "integer"}}}}"#;
    const TEXT: &str = r#"{"format": "text"}"#;

    #[test]
    fn pairs_are_an_object_whose_texts_are_those_of_the_schema() {
        let words = ["zip=01234", "n=5", "note=null", "other=true", "list=[1,2]", "free=so so", "eq=a=b"];
        let expected = r#"{"eq":"a=b","free":"so so","list":[1,2],"n":5,"note":"null","other":true,"zip":"01234"}"#;
        assert_eq!(made(JSON, &words).unwrap(), expected);
    }

    #[test]
    fn one_word_stays_as_it_is() {
        assert_eq!(made(JSON, &[r#"{"a": "="}"#]).unwrap(), r#"{"a": "="}"#);
        assert_eq!(made(TEXT, &["a=b"]).unwrap(), "a=b");
        assert_eq!(made(JSON, &[]).unwrap(), "{}");
        assert_eq!(made(TEXT, &[]).unwrap(), "");
    }

    #[test]
    fn what_is_no_payload_is_said_where_it_stands() {
        let message = |payload, words: &[&str]| made(payload, words).unwrap_err().to_string();
        assert!(message(JSON, &["{"]).starts_with("\"{\" is neither JSON"));
        assert_eq!(message(JSON, &["a=1", "b"]), "\"b\" is not KEY=VALUE");
        assert_eq!(message(JSON, &["a=1", "a=2"]), "\"a\" is there twice");
        assert_eq!(message(TEXT, &["a", "b"]), "j takes text: one word of it, not 2");
        assert_eq!(message("null", &["a"]), "j takes no payload");
        assert_eq!(message(TEXT, &["@/no/such/file"]), "the file \"/no/such/file\"");
    }
}
