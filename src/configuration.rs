//! The configuration of what jobs share: JSON, one part for each name.
//!
//! A runner has a configuration of its own, and what that does not name it has from the process. It is read when a
//! [`State`](crate::State) is made; a part that nobody reads does nothing.
//!
//! # Guarantees
//!
//! * A runner keeps the process's configuration as it was when the runner was made.
//! * A forked child has the configuration of its parent. Nothing is locked, so nothing is held against the child: a new
//!   configuration of the process stands behind the ones before it, and all of them live as long as the library.

use std::sync::OnceLock;

use serde::de::{DeserializeOwned, Error as _};
use serde_json::{Map, Value};

use crate::reply::{Error, Status};

type Parts = Map<String, Value>;

/// What one runner's jobs may read.
#[derive(Debug, Default)]
pub(crate) struct Configuration {
    own: Parts,
    process: Option<&'static Link>,
}

/// One configuration of the process, and the one that took its place.
#[derive(Debug)]
struct Link {
    parts: Parts,
    next: OnceLock<&'static Link>,
}

static FIRST: OnceLock<&'static Link> = OnceLock::new();

/// Configures the runners that are made from now on, the global one among them, also in forked children. The text is a
/// JSON object with one member for each [`RunnerState`](crate::RunnerState) that is to be configured, by its name. What
/// was configured before is replaced; empty text configures nothing. It is meant to be called once, at the start of a
/// program: what is replaced is kept in memory.
///
/// ```
/// palitra::configure(r#"{"pool": {"url": "postgresql://localhost/shop", "size": 4}}"#)?;
/// # palitra::configure("")?;
/// # Ok::<(), palitra::Error>(())
/// ```
///
/// # Errors
/// [`Status::InvalidArgument`] with a message if the text is not a JSON object.
pub fn configure(json: &str) -> Result<(), Error> {
    let parts = parse(json)?;
    let mut link: &'static Link = Box::leak(Box::new(Link { parts, next: OnceLock::new() }));
    let mut end = &FIRST;
    // Behind the last one; again if another was added there meanwhile.
    loop {
        match end.get() {
            Some(other) => end = &other.next,
            None => match end.set(link) {
                Ok(()) => return Ok(()),
                Err(again) => link = again,
            },
        }
    }
}

/// The members of the object; none for empty text.
pub(crate) fn parse(json: &str) -> Result<Parts, Error> {
    let refused = |why| Error::new(Status::InvalidArgument, format!("the configuration is not a JSON object: {why}"));
    if json.trim().is_empty() { Ok(Parts::new()) } else { serde_json::from_str(json).map_err(refused) }
}

impl Configuration {
    /// A runner's own parts, and the process's as they are now.
    pub(crate) fn new(own: Parts) -> Configuration {
        let process = std::iter::successors(FIRST.get().copied(), |link| link.next.get().copied()).last();
        Configuration { own, process }
    }

    /// The part with this name. Where there is none, what can be made of nothing: of an object without members, or of
    /// null.
    pub(crate) fn read<T: DeserializeOwned>(&self, name: &str) -> Result<T, serde_json::Error> {
        let of_process = || self.process.and_then(|link| link.parts.get(name));
        match self.own.get(name).or_else(of_process) {
            Some(part) => T::deserialize(part),
            None => T::deserialize(Value::Null).or_else(|_| {
                T::deserialize(Value::Object(Parts::new())).map_err(|error| {
                    serde_json::Error::custom(format!("there is none, and it has no default: {error}"))
                })
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Pool {
        url: String,
        #[serde(default)]
        size: u32,
    }

    fn configuration(json: &str) -> Configuration {
        Configuration { own: parse(json).unwrap(), process: None }
    }

    #[test]
    fn a_part_is_read_by_its_name_and_what_does_not_fit_is_named() {
        let given = configuration(r#"{"pool": {"url": "here"}, "other": {"url": 3}}"#);
        assert_eq!(given.read::<Pool>("pool").unwrap(), Pool { url: "here".to_string(), size: 0 });
        assert!(given.read::<Pool>("other").unwrap_err().to_string().contains("expected a string"));
        assert!(given.read::<Pool>("none").unwrap_err().to_string().contains("missing field `url`"));
    }

    #[test]
    fn without_a_part_what_needs_none_is_made_of_nothing() {
        let given = configuration("");
        given.read::<()>("none").unwrap();
        assert_eq!(given.read::<Option<u32>>("none").unwrap(), None);
        assert!(given.read::<std::collections::BTreeMap<String, u32>>("none").unwrap().is_empty());
    }

    #[test]
    fn what_is_no_json_object_is_refused() {
        for text in ["{", "[]", "3", "{} {}", "null"] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.status(), Status::InvalidArgument, "{text}");
            assert!(error.to_string().contains("JSON"), "{error}");
        }
    }
}
