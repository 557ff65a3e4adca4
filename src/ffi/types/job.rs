//! The description of a job.

use std::ffi::c_char;

use super::reply::palitra_format;

/// Describes a job. The strings belong to the library and live as long as it is loaded.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct palitra_job_info {
    /// The name of the job.
    pub name: *const c_char,
    /// The documentation of the job; empty if it has none.
    pub doc: *const c_char,
    /// The format of the payload that the job takes.
    pub input: palitra_format,
    /// The format of the reply when the job succeeds.
    pub output: palitra_format,
}
