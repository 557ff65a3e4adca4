//! Names in the ways of the languages: `text.split`, `SameDay` and `content-type` as `text_split`, `sameDay`,
//! `ContentType`.

use std::collections::BTreeSet;
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

/// The names of one scope, each of which means one thing there: one that is taken gets a line behind it.
#[derive(Default)]
pub struct Names(BTreeSet<String>);

impl Names {
    pub fn beside<S: Into<String>>(taken: impl IntoIterator<Item = S>) -> Names {
        Names(taken.into_iter().map(Into::into).collect())
    }

    pub fn take(&mut self, name: String) -> String {
        self.take_with(name, &["{}"])
    }

    /// Takes the names that are made of this one as well: in these forms, with it in the place of the braces.
    pub fn take_with(&mut self, mut name: String, forms: &[&str]) -> String {
        let made = |name: &str| forms.iter().map(|form| form.replace("{}", name)).collect::<Vec<_>>();
        while made(&name).iter().any(|made| self.0.contains(made)) {
            name.push('_');
        }
        self.0.extend(made(&name));
        name
    }
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
    fn no_name_of_a_scope_is_given_twice() {
        let mut names = Names::beside(["not", "of"]);
        let mut take = |name: &str| names.take(name.to_string());
        assert_eq!([take("not"), take("mb"), take("mb"), take("mb")], ["not_", "mb", "mb_", "mb__"]);
        let mut take = |name: &str| names.take_with(name.to_string(), &["{}", "{}_async"]);
        assert_eq!([take("run_async"), take("run"), take("run_")], ["run_async", "run_", "run__"]);
    }

    #[test]
    fn a_library_has_the_name_of_its_file() {
        assert_eq!(of_library(OsStr::new("/some/where/libexample_jobs.so")), "example_jobs");
        assert_eq!(of_library(OsStr::new("libpalitra.so.1")), "palitra");
    }
}
