//! Names in the ways of the languages: `text.split`, `SameDay` and `content-type` as `text_split`, `sameDay`,
//! `ContentType`.

use std::ffi::OsStr;
use std::path::Path;

/// The words of a name: parted by what is no letter or digit, and before a capital letter.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut previous = ' ';
    let mut letters = name.chars().peekable();
    while let Some(letter) = letters.next() {
        let ends_capitals = previous.is_uppercase() && letters.peek().is_some_and(|next| next.is_lowercase());
        let begins =
            !previous.is_alphanumeric() || (letter.is_uppercase() && (!previous.is_uppercase() || ends_capitals));
        if letter.is_alphanumeric() {
            match words.last_mut() {
                Some(word) if !begins => word.extend(letter.to_lowercase()),
                _ => words.push(letter.to_lowercase().collect()),
            }
        }
        previous = letter;
    }
    words
}

fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

/// A digit cannot begin a name.
fn legal(name: String) -> String {
    if name.starts_with(|c: char| c.is_alphabetic() || c == '_') { name } else { format!("_{name}") }
}

pub fn snake(name: &str) -> String {
    legal(words(name).join("_"))
}

pub fn upper(name: &str) -> String {
    snake(name).to_uppercase()
}

pub fn pascal(name: &str) -> String {
    legal(words(name).iter().map(|word| capitalized(word)).collect())
}

pub fn camel(name: &str) -> String {
    let name = pascal(name);
    let mut letters = name.chars();
    letters.next().map_or(String::new(), |first| first.to_lowercase().chain(letters).collect())
}

/// "example_jobs" of "/some/where/libexample_jobs.so".
pub fn of_library(file: &OsStr) -> String {
    let stem = Path::new(file).file_name().unwrap_or(file).to_string_lossy().into_owned();
    let stem = stem.split('.').next().unwrap_or_default();
    snake(stem.strip_prefix("lib").unwrap_or(stem))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_written_in_each_way() {
        for (name, as_snake, as_pascal, as_camel) in [
            ("text.split", "text_split", "TextSplit", "textSplit"),
            ("SameDay", "same_day", "SameDay", "sameDay"),
            ("HTTPError", "http_error", "HttpError", "httpError"),
            ("content-type", "content_type", "ContentType", "contentType"),
            ("2nd", "_2nd", "_2nd", "_2nd"),
            ("OUT_OF_MONEY", "out_of_money", "OutOfMoney", "outOfMoney"),
        ] {
            assert_eq!(
                (snake(name).as_str(), pascal(name).as_str(), camel(name).as_str()),
                (as_snake, as_pascal, as_camel)
            );
        }
    }

    #[test]
    fn a_library_has_the_name_of_its_file() {
        assert_eq!(of_library(OsStr::new("/some/where/libexample_jobs.so")), "example_jobs");
        assert_eq!(of_library(OsStr::new("libpalitra.so.1")), "palitra");
    }
}
