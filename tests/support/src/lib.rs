//! What the test programs share: other programs, compiled and run within bounds; a suite of tests that are found at
//! run time; two HTTP servers; the promises.
//!
//! Every function panics, with all that is known, when something does not work: its caller is a test.

#![allow(clippy::expect_used, clippy::missing_panics_doc, reason = "a test may panic")]

pub mod c;
pub mod nginx;
pub mod process;
pub mod scripted;
pub mod suite;
