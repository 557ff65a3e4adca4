//! Job: an async function that the library holds under a name.

use std::ffi::c_char;
use std::mem::MaybeUninit;

use crate::ffi::argument::{self, text};
use crate::ffi::boundary::{enter, enter_or, enter_reply};
use crate::ffi::types::job::palitra_job_info;
use crate::ffi::types::reply::palitra_reply;
use crate::ffi::types::status::palitra_status;
use crate::registry;
use crate::reply::{Format, Reply, Status};

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

/// Describes one job in full, or all jobs of the library, as a JSON document. The object of a job
/// has these members:
///
/// - "name" and "doc": what palitra_job_at says
/// - "inline": whether its first poll never blocks, as its author declares
/// - "payload": an object with "format", which is "json", "text" or "bytes", and with "schema", the
///   JSON Schema (draft 2020-12) of the payload, if it is known. Missing if the job takes none.
/// - "reply": the same of the reply when the job succeeds
/// - "items": the same of each item, if the job says that it streams
/// - "errors": the codes that it fails with, if its error has names for them: an object with its
///   "name", and "codes", an array of objects with "name", "code" and "doc"
///
/// Bytes that are JSON, a line feed and further bytes have the schema of that JSON as "head", which
/// is true if it is not known. A schema is known if the author derives it and the library was built
/// with schemas. The document for all jobs is an object with "palitra", the version, "schemas",
/// whether the library has any, and "jobs", an array in the order of their names.
///
/// Later versions may add members. The document of a library is the same each time.
///
/// @param name  the name of the job; NULL: all jobs
/// @param out   receives the document, which the caller frees; may be NULL
///
/// @return one of these:
/// - PALITRA_OK
/// - PALITRA_INVALID_ARGUMENT: the name is not UTF-8
/// - PALITRA_UNKNOWN_JOB: the library holds no such job; the reply names the job, and the one with
///   the most similar name
#[unsafe(no_mangle)]
pub unsafe extern "C" fn palitra_job_describe(
    name: *const c_char,
    out: Option<&mut MaybeUninit<palitra_reply>>,
) -> palitra_status {
    enter_reply(out, || {
        if name.is_null() {
            return Ok(Reply::success(Format::Json, registry::describe_jobs().into_bytes()));
        }
        Ok(match argument::described(text!(name)?)? {
            Ok(job) => Reply::success(Format::Json, job.describe().into_bytes()),
            Err(unknown) => unknown,
        })
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
