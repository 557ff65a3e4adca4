//! The jobs of this library as a host calls them, by their names.

use std::time::Duration;

// Without this line nothing of the library is linked, and its jobs are unknown here.
use example_jobs as _;
use palitra::{Error, Status, testing};

#[test]
fn a_text_is_upper_cased() -> Result<(), Error> {
    let reply = testing::runner()?.run_job("text.upper", "palitra", None)?;
    assert_eq!(reply.text(), "PALITRA");
    Ok(())
}

#[test]
fn an_account_is_the_runners_own_and_does_not_go_below_zero() -> Result<(), Error> {
    let runner = testing::runner()?;
    assert_eq!(runner.run_job("account.add", r#"{"amount": 5}"#, None)?.text(), r#"{"total":5}"#);
    let refused = runner.run_job("account.add", r#"{"amount": -6}"#, None)?;
    assert_eq!((refused.status(), refused.code()), (Status::JobFailed, 402));
    assert_eq!(refused.details(), Some(r#"{"total":5}"#));
    Ok(())
}

#[test]
fn a_text_that_comes_later_comes_too_late_by_the_paused_clock() -> Result<(), Error> {
    let runner = testing::runner()?;
    assert_eq!(runner.run_job("text.later", "tea", None)?.text(), "tea");
    let late = runner.run_job("text.later", "tea", Some(Duration::from_millis(99)))?;
    assert_eq!(late.status(), Status::Deadline);
    Ok(())
}
