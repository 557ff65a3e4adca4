//! Failures with codes that have names, and with details for programs.

use std::collections::HashMap;
use std::fmt;

use palitra::{Context, ErrorCodes, JobError, Json, Status, job};

use super::{PATIENCE, runner};

#[derive(Debug, ErrorCodes)]
enum OrderError {
    /// The shop has no such article.
    #[code = 404]
    UnknownArticle,
    /// Fewer are left
    /// than were ordered.
    #[code(-9)]
    SoldOut {
        #[detail]
        left: u32,
        #[detail]
        r#type: String,
        ordered: u32,
    },
    #[code = 5]
    Parse(std::num::ParseIntError),
    #[code = 6]
    Unwritable {
        #[detail]
        by_place: HashMap<(i32, i32), u32>,
    },
}

impl fmt::Display for OrderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OrderError::UnknownArticle => f.write_str("no such article"),
            OrderError::SoldOut { ordered, .. } => write!(f, "{ordered} are not left"),
            OrderError::Parse(_) => f.write_str("the number is none"),
            OrderError::Unwritable { .. } => f.write_str("the failure stays"),
        }
    }
}

impl std::error::Error for OrderError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            OrderError::Parse(error) => Some(error),
            _ => None,
        }
    }
}

#[job("rust.order_error")]
async fn order(what: String) -> Result<Json<u32>, OrderError> {
    match &*what {
        "unknown" => Err(OrderError::UnknownArticle),
        "sold out" => Err(OrderError::SoldOut { left: 2, r#type: what, ordered: 3 }),
        "unwritable" => Err(OrderError::Unwritable { by_place: HashMap::from([((1, 2), 3)]) }),
        number => number.parse().map(Json).map_err(OrderError::Parse),
    }
}

/// Fails as the job that it calls.
#[job("rust.order_error_again")]
async fn again(context: Context, what: String) -> Result<String, JobError> {
    Ok(context.call("rust.order_error", what).await?.text().into_owned())
}

#[test]
fn an_enum_of_errors_has_its_codes_by_name_with_their_documentation() {
    let expected = [
        ("UnknownArticle", 404, "The shop has no such article."),
        ("SoldOut", -9, "Fewer are left\nthan were ordered."),
        ("Parse", 5, ""),
        ("Unwritable", 6, ""),
    ];
    assert_eq!(OrderError::CODES, expected);
    assert_eq!(OrderError::UnknownArticle.code(), 404);
}

#[test]
fn a_failure_has_the_code_of_its_variant_its_causes_and_its_details_also_from_a_job_that_called_it() {
    let cases = [
        ("unknown", 404, "no such article", None),
        ("sold out", -9, "3 are not left", Some(r#"{"left":2,"type":"sold out"}"#)),
        ("none", 5, "the number is none: invalid digit found in string", None),
        ("unwritable", 6, "the failure stays (its details cannot be written as JSON: key must be a string)", None),
    ];
    let runner = runner();
    for (payload, code, message, details) in cases {
        for job in ["rust.order_error", "rust.order_error_again"] {
            for timeout in [None, Some(PATIENCE)] {
                let reply = runner.run_job(job, payload, timeout).unwrap();
                assert_eq!((reply.status(), reply.code(), &*reply.text()), (Status::JobFailed, code, message), "{job}");
                assert_eq!(reply.details(), details, "{job}");
                assert_eq!(reply.into_result().unwrap_err().details(), details);
            }
        }
    }
}

#[test]
fn a_success_and_a_failure_without_details_have_none() {
    let runner = runner();
    assert_eq!(runner.run_job("palitra.echo", "{}", None).unwrap().details(), None);
    assert_eq!(runner.run_job("test.panic", "", None).unwrap().details(), None);
    assert_eq!(runner.run_job("test.never", "", Some(std::time::Duration::ZERO)).unwrap().details(), None);
}
