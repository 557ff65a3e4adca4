//! A job library to start from: copy this folder, name the crate, write your async functions.
//!
//! `cargo build --release` leaves `libexample_jobs.so`, which exports the C ABI of include/palitra.h and holds
//! these jobs beside palitra's own.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use palitra::{Context, ErrorCodes, JobError, Json, State, job};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

/// Upper-cases its payload.
#[job("text.upper")]
async fn upper(text: String) -> String {
    text.to_uppercase()
}

#[derive(Deserialize)]
struct Add {
    amount: i64,
}

#[derive(Serialize)]
struct Total {
    total: i64,
}

/// Shared by all jobs of a runner; made when the first of them asks for it.
#[derive(Default)]
struct Account {
    total: Mutex<i64>,
}

/// Why an account refuses. The codes stay what they are: hosts compare with them.
#[derive(Debug, ErrorCodes)]
enum AccountError {
    /// The account holds less than is to be taken.
    #[code = 402]
    TooLittle {
        #[detail]
        total: i64,
    },
}

impl fmt::Display for AccountError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AccountError::TooLittle { total } = self;
        write!(f, "the account holds only {total}")
    }
}

impl Error for AccountError {}

/// Adds `{"amount": n}` to the runner's account and returns the total. Fails rather than go below zero.
#[job("account.add")]
async fn add(account: State<Account>, Json(add): Json<Add>) -> Result<Json<Total>, AccountError> {
    let mut total = account.total.lock().await;
    let new = total.checked_add(add.amount).filter(|new| *new >= 0);
    *total = new.ok_or(AccountError::TooLittle { total: *total })?;
    Ok(Json(Total { total: *total }))
}

/// Runs another job on two payloads at the same time and joins what they return.
#[job("text.pair")]
async fn pair(context: Context, Json((first, second)): Json<(String, String)>) -> Result<String, JobError> {
    let first = context.submit_job("text.upper", first)?;
    let second = context.submit_job("text.upper", second)?;
    let (first, second) = tokio::join!(first, second);
    Ok(format!("{} and {}", first?.into_result()?.text(), second?.into_result()?.text()))
}

/// Returns its payload after a tenth of a second.
#[job("text.later")]
async fn later(text: String) -> String {
    tokio::time::sleep(Duration::from_millis(100)).await;
    text
}
