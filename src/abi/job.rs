//! Job: an async function that the library holds under a name.

use std::ffi::c_char;
use std::mem::MaybeUninit;

use crate::ffi::argument::{self, text};
use crate::ffi::boundary::{enter, enter_or};
use crate::ffi::types::job::palitra_job_info;
use crate::ffi::types::status::palitra_status;
use crate::registry;
use crate::reply::Status;

/// Returns how many jobs this library holds.
///
/// @return the number of jobs. It does not change while the library is loaded.
#[unsafe(no_mangle)]
pub extern "C" fn palitra_job_count() -> usize {
    enter_or(0, || registry::jobs().len())
}

/// Describes one job. The jobs are in the order of their names.
///
/// @param index  an index below palitra_job_count
/// @param out    receives the description; unchanged unless the call returns PALITRA_OK
///
/// @return one of these:
/// - PALITRA_OK
/// - PALITRA_INVALID_ARGUMENT: the index is too large, or out is NULL
#[unsafe(no_mangle)]
pub extern "C" fn palitra_job_at(index: usize, out: Option<&mut MaybeUninit<palitra_job_info>>) -> palitra_status {
    enter(|| {
        let out = out.ok_or(Status::InvalidArgument)?;
        let job = *registry::jobs().get(index).ok_or(Status::InvalidArgument)?;
        let (name, doc) = job.texts();
        out.write(palitra_job_info {
            name: name.as_ptr(),
            doc: doc.as_ptr(),
            input: job.input() as i32,
            output: job.output() as i32,
        });
        Ok(())
    })
}

/// Finds the job with the most similar name, for a message after PALITRA_UNKNOWN_JOB. A reply of
/// that status has such a message already; a call without a reply, such as palitra_runner_submit,
/// has none. The most similar name is the one with the fewest letters to change. Case does not
/// count.
///
/// @param name  the name of a job, perhaps misspelled
///
/// @return the name of that job, which is the same name if it is the name of a job. NULL if no
/// name is similar, or if the name is NULL or not UTF-8. The text lives as long as the library is
/// loaded.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn palitra_job_nearest(name: *const c_char) -> *const c_char {
    let nearest = || Ok(registry::nearest(argument::utf8(text!(name)?)?));
    let job = enter_or(Err(Status::Internal), nearest);
    job.ok().flatten().map_or(std::ptr::null(), |job| job.texts().0.as_ptr())
}
