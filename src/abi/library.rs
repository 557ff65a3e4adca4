//! The library itself: versions, texts, the jobs it holds, freeing a reply.

use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;

use crate::ffi::argument::{self, text};
use crate::ffi::boundary::{enter, enter_or};
use crate::ffi::callback::{self, UserData};
use crate::ffi::reply;
use crate::ffi::types::{palitra_free_fn, palitra_job_info, palitra_log_fn, palitra_reply, palitra_status};
use crate::log;
use crate::registry;
use crate::reply::Status;

/// The version of this ABI, and the number in the name that programs remember the library by: libpalitra.so.1. It
/// changes when a program built against an older header would no longer work.
pub const PALITRA_ABI_VERSION: u32 = 1;

/// The version of the library that this header came with: the first number of palitra_version.
pub const PALITRA_VERSION_MAJOR: u32 = 0;
/// The second number of the version.
pub const PALITRA_VERSION_MINOR: u32 = 2;
/// The third number of the version.
pub const PALITRA_VERSION_PATCH: u32 = 0;

// The numbers are those of Cargo.toml.
const _: () = {
    assert!(PALITRA_VERSION_MAJOR == number(env!("CARGO_PKG_VERSION_MAJOR")));
    assert!(PALITRA_VERSION_MINOR == number(env!("CARGO_PKG_VERSION_MINOR")));
    assert!(PALITRA_VERSION_PATCH == number(env!("CARGO_PKG_VERSION_PATCH")));
};

const fn number(digits: &str) -> u32 {
    let (mut number, mut i) = (0, 0);
    while i < digits.len() {
        number = 10 * number + (digits.as_bytes()[i] - b'0') as u32;
        i += 1;
    }
    number
}

/// The version of the library, such as "1.2.3". Never NULL; lives as long as the library is loaded.
#[unsafe(no_mangle)]
pub extern "C" fn palitra_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// The ABI version of the library that is loaded; compare it with PALITRA_ABI_VERSION of the header.
#[unsafe(no_mangle)]
pub extern "C" fn palitra_abi_version() -> u32 {
    PALITRA_ABI_VERSION
}

/// The name of a status, such as "PALITRA_OK"; "PALITRA_UNKNOWN_STATUS" for a number that is none.
/// Never NULL; lives as long as the library is loaded.
#[unsafe(no_mangle)]
pub extern "C" fn palitra_status_name(status: palitra_status) -> *const c_char {
    Status::from_number(status).map_or(c"PALITRA_UNKNOWN_STATUS", |status| status.texts().0).as_ptr()
}

/// One sentence that says what a status means. Never NULL; lives as long as the library is loaded.
#[unsafe(no_mangle)]
pub extern "C" fn palitra_status_message(status: palitra_status) -> *const c_char {
    Status::from_number(status).map_or(c"not a status of this version", |status| status.texts().1).as_ptr()
}

/// How many jobs this library holds. It never changes while the library is loaded.
#[unsafe(no_mangle)]
pub extern "C" fn palitra_job_count() -> usize {
    enter_or(0, || registry::jobs().len())
}

/// Describes the job at an index below palitra_job_count, in the order of names.
///
/// Answers PALITRA_OK; PALITRA_INVALID_ARGUMENT for an index beyond the last or a NULL out, which leaves the
/// out as it was.
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

/// The name of the job that a caller may have meant by this one: the registered name with the fewest letters to
/// change, upper and lower case alike; the name itself if it is registered. NULL where no job's name is near, and for
/// a NULL or one that is not UTF-8. For the message of a PALITRA_UNKNOWN_JOB that came without a reply, as from
/// palitra_runner_submit. The text belongs to the library and lives as long as it is loaded.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn palitra_job_nearest(name: *const c_char) -> *const c_char {
    let nearest = || Ok(registry::nearest(argument::utf8(text!(name)?)?));
    let job = enter_or(Err(Status::Internal), nearest);
    job.ok().flatten().map_or(std::ptr::null(), |job| job.texts().0.as_ptr())
}

/// Has a function given what the library, and the Rust crates in it, have to say, up to a level: one of the
/// PALITRA_LOG_ numbers. A NULL function or PALITRA_LOG_OFF ends it; while nobody listens a message costs
/// nothing. Function and level are set together, also where several threads set them at once. A new function replaces the one before, which may still be under way on another thread when this
/// returns; its user data is freed after that. In a forked child nobody listens until the child calls this.
///
/// The free function, unless NULL, is called with the user data exactly once, whatever this call answers.
///
/// Answers PALITRA_OK; PALITRA_INVALID_ARGUMENT for a level that is none; PALITRA_INTERNAL if Rust code of this
/// library listens to its messages itself.
#[unsafe(no_mangle)]
pub extern "C" fn palitra_log_set(
    level: i32,
    function: palitra_log_fn,
    user_data: *mut c_void,
    free_user_data: palitra_free_fn,
) -> palitra_status {
    enter(|| {
        let user_data = UserData::new(user_data, free_user_data);
        let level = usize::try_from(level).ok().filter(|level| *level <= log::MAX_LEVEL);
        let level = level.ok_or(Status::InvalidArgument)?;
        let sink = if level == 0 { None } else { callback::on_log(function, user_data) };
        log::set(level, sink)
    })
}

/// Frees what a reply owns and empties it: freeing it again, or freeing NULL, does nothing. A reply that was
/// copied as a struct is one reply: free one of the copies.
///
/// From any thread, at any time, also after the runner is gone and in a forked child.
#[unsafe(no_mangle)]
pub extern "C" fn palitra_reply_free(reply: Option<&mut palitra_reply>) {
    enter_or((), || {
        if let Some(reply) = reply {
            reply::take_back(reply);
        }
    });
}
