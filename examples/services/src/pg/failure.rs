//! What goes wrong with PostgreSQL, and what the host learns of it.

use std::error::Error;

use deadpool_postgres::PoolError;
use palitra::JobError;

use crate::code;

/// `?` makes one of everything that the jobs of this folder meet.
pub enum Failure {
    Server(tokio_postgres::Error),
    Pool(PoolError),
    Socket(std::io::Error),
    Job(JobError),
}

/// The one place in which a failure becomes code and message.
impl From<Failure> for JobError {
    fn from(failure: Failure) -> JobError {
        match failure {
            Failure::Server(error) | Failure::Pool(PoolError::Backend(error)) => match error.as_db_error() {
                Some(refused) => {
                    let state = refused.code().code();
                    let detail = refused.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
                    JobError::new(code_of(state), format!("pg: {} (SQLSTATE {state}){detail}", refused.message()))
                }
                None => unreachable(&error),
            },
            Failure::Pool(error) => unreachable(&error),
            Failure::Socket(error) => unreachable(&error),
            Failure::Job(error) => error,
        }
    }
}

/// An SQLSTATE as a number, its five characters read in base 36: C's `strtol("23505", NULL, 36)`, Python's
/// `int("23505", 36)`. None of them is as small as the codes of [`crate::code`].
fn code_of(state: &str) -> i32 {
    i32::from_str_radix(state, 36).unwrap_or(code::REFUSED)
}

fn unreachable(error: &(dyn Error + 'static)) -> JobError {
    with_name(code::UNREACHABLE, error)
}

/// The host asked for what cannot be.
pub fn misfit(why: impl Into<Box<dyn Error + Send + Sync>>) -> JobError {
    with_name(code::REFUSED, &*why.into())
}

fn with_name(code: i32, error: &(dyn Error + 'static)) -> JobError {
    JobError::new(code, format!("pg: {}", JobError::from_error(code, error).message()))
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Failure {
        Failure::Socket(error)
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Failure {
        Failure::Server(error)
    }
}

impl From<PoolError> for Failure {
    fn from(error: PoolError) -> Failure {
        Failure::Pool(error)
    }
}

impl From<JobError> for Failure {
    fn from(error: JobError) -> Failure {
        Failure::Job(error)
    }
}
