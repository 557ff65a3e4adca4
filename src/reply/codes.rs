//! The codes of an enum of errors, by name: what `#[derive(ErrorCodes)]` writes.

use serde::Serialize;
use serde_json::{Map, Value};

/// The errors that a job can fail with, each with a code that stays what it is.
///
/// Hosts see the code of a failure and not its type, so a code once published must keep its meaning. Derive it: each
/// variant has a code (`#[code = 1]`, `#[code(-1)]`), which is not 0, and no two have the same, or the enum does not
/// compile. The derive also writes
/// `From<It> for JobError`, so that `?` in a job takes the enum: the message is what the error and its causes say, and
/// fields with `#[detail]` become the [details](crate::JobError::with_details) of the failure, by their names.
///
/// ```
/// use palitra::{ErrorCodes, JobError};
///
/// #[derive(Debug, ErrorCodes)]
/// enum OrderError {
///     /// The shop has no such article.
///     #[code = 404]
///     UnknownArticle,
///     /// Fewer are left than were ordered.
///     #[code = 409]
///     SoldOut {
///         #[detail]
///         left: u32,
///     },
/// }
/// # impl std::fmt::Display for OrderError {
/// #     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
/// #         f.write_str(match self {
/// #             OrderError::UnknownArticle => "no such article",
/// #             OrderError::SoldOut { .. } => "not enough are left",
/// #         })
/// #     }
/// # }
/// # impl std::error::Error for OrderError {}
/// // Display and Error by hand or by the crate thiserror.
///
/// let failure = JobError::from(OrderError::SoldOut { left: 2 });
/// assert_eq!((failure.code(), failure.message()), (409, "not enough are left"));
/// assert_eq!(failure.details(), Some(r#"{"left":2}"#));
/// assert_eq!(OrderError::CODES[0], ("UnknownArticle", 404, "The shop has no such article."));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no codes",
    label = "no error with codes",
    note = "an enum of errors has them by `#[derive(palitra::ErrorCodes)]`"
)]
pub trait ErrorCodes {
    /// Name, code and documentation of every variant, in their order.
    const CODES: &'static [(&'static str, i32, &'static str)];

    /// The code of this error.
    fn code(&self) -> i32;
}

/// The details that a derived error has in its fields: a JSON object, or why it cannot be written.
#[derive(Default)]
pub struct Details(Map<String, Value>, Option<serde_json::Error>);

impl Details {
    /// The same with another field.
    pub fn and(mut self, name: &str, value: &impl Serialize) -> Details {
        match serde_json::to_value(value) {
            Ok(value) => drop(self.0.insert(name.to_string(), value)),
            Err(error) => self.1 = Some(error),
        }
        self
    }
}

impl Serialize for Details {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.1 {
            Some(error) => Err(serde::ser::Error::custom(error)),
            None => self.0.serialize(serializer),
        }
    }
}
