//! What a caller passed: strings, bytes, arrays, sized structs, timeouts.
//!
//! Each macro turns raw pointers of an `unsafe extern "C"` function into safe Rust, or answers
//! `INVALID_ARGUMENT` with `?`. The pointers live for the call, and so do the references.

use std::ffi::{CStr, c_char, c_void};
use std::mem::MaybeUninit;
use std::time::Duration;

use super::types::{palitra_runner_options, palitra_stats, palitra_submit_options};
use crate::job::Job;
use crate::registry;
use crate::reply::Status;

/// `text!(pointer)`: the bytes of a C string.
macro_rules! text {
    ($pointer:expr) => {
        // SAFETY: promised to be a C string if it is not NULL.
        unsafe { $crate::ffi::argument::text_from($pointer) }
    };
}

/// `bytes!(pointer, len)`: a payload.
macro_rules! bytes {
    ($pointer:expr, $len:expr) => {
        // SAFETY: promised to be `len` bytes if it is not NULL.
        unsafe { $crate::ffi::argument::array_from($pointer.cast::<u8>(), $len) }
    };
}

/// `array!(pointer, n)`: an array that is read.
macro_rules! array {
    ($pointer:expr, $n:expr) => {
        // SAFETY: promised to be `n` elements if it is not NULL.
        unsafe { $crate::ffi::argument::array_from($pointer, $n) }
    };
}

/// `out_array!(pointer, n)`: an array to be filled, or `None` where the caller does not care.
macro_rules! out_array {
    ($pointer:expr, $n:expr) => {
        // SAFETY: promised to be room for `n` elements, used by nobody else, if it is not NULL.
        unsafe { $crate::ffi::argument::out_array_from($pointer, $n) }
    };
}

/// `options!(pointer)`: a sized struct, or its defaults for NULL.
macro_rules! options {
    ($pointer:expr) => {
        // SAFETY: promised to be as many bytes as its first member says if it is not NULL.
        unsafe { $crate::ffi::argument::options_from($pointer) }
    };
}

/// `out_options!(pointer, value)`: a sized struct that is filled, as far as both sides know it.
macro_rules! out_options {
    ($pointer:expr, $value:expr) => {
        // SAFETY: promised to be as many bytes as its first member says if it is not NULL.
        unsafe { $crate::ffi::argument::out_options_to($pointer, $value) }
    };
}

pub(crate) use {array, bytes, options, out_array, out_options, text};

/// # Safety
/// `pointer` is NULL or a C string that lives for `'a`.
#[allow(unsafe_code)]
pub(crate) unsafe fn text_from<'a>(pointer: *const c_char) -> Result<&'a CStr, Status> {
    if pointer.is_null() {
        return Err(Status::InvalidArgument);
    }
    // SAFETY: not NULL, so it is a C string.
    Ok(unsafe { CStr::from_ptr(pointer) })
}

/// # Safety
/// `pointer` is NULL or points to `n` elements that live, unchanged, for `'a`.
#[allow(unsafe_code)]
pub(crate) unsafe fn array_from<'a, T>(pointer: *const T, n: usize) -> Result<&'a [T], Status> {
    check_size::<T>(n)?;
    match (pointer.is_null(), n) {
        (_, 0) => Ok(&[]),
        (true, _) => Err(Status::InvalidArgument),
        // SAFETY: not NULL, so it is `n` elements; their size in bytes was checked.
        (false, _) => Ok(unsafe { std::slice::from_raw_parts(pointer, n) }),
    }
}

/// # Safety
/// `pointer` is NULL or points to room for `n` elements that is used by nobody else for `'a`.
#[allow(unsafe_code)]
pub(crate) unsafe fn out_array_from<'a, T>(
    pointer: *mut T,
    n: usize,
) -> Result<Option<&'a mut [MaybeUninit<T>]>, Status> {
    check_size::<T>(n)?;
    if pointer.is_null() || n == 0 {
        return Ok(None);
    }
    // SAFETY: not NULL, so there is room for `n` elements; MaybeUninit promises nothing about what is there.
    Ok(Some(unsafe { std::slice::from_raw_parts_mut(pointer.cast(), n) }))
}

/// No object is larger than isize::MAX bytes: a length beyond it is a mistake of the caller.
fn check_size<T>(n: usize) -> Result<(), Status> {
    let fits = n.checked_mul(size_of::<T>()).is_some_and(|bytes| isize::try_from(bytes).is_ok());
    if fits { Ok(()) } else { Err(Status::InvalidArgument) }
}

/// A struct that begins with its own size and may grow with later versions.
///
/// # Safety
/// Implementors are `repr(C)`, begin with `size: u32`, and are valid for any bytes.
#[allow(unsafe_code)]
pub(crate) unsafe trait Sized32: Copy {
    /// The size of its first version in bytes: no caller has a smaller one.
    const FIRST_SIZE: usize;

    fn defaults() -> Self;
}

/// No future version is larger: more is a mistake of the caller.
const LARGEST: usize = 4096;

/// The options, read as far as both sides know them; `None` where the caller passed NULL.
///
/// A caller built against a later header may pass a larger struct, as long as what this version does not know
/// is zero: a wish that would be ignored is refused.
///
/// # Safety
/// `pointer` is NULL or points to as many bytes as its first member says, unchanged during the call.
#[allow(unsafe_code)]
pub(crate) unsafe fn options_from<T: Sized32>(pointer: *const T) -> Result<T, Status> {
    let mut options = T::defaults();
    if pointer.is_null() {
        return Ok(options);
    }
    // SAFETY: not NULL, so its first member can be read.
    let size = unsafe { pointer.cast::<u32>().read() } as usize;
    if !(T::FIRST_SIZE..=LARGEST).contains(&size) {
        return Err(Status::InvalidArgument);
    }
    let known = size.min(size_of::<T>());
    // SAFETY: promised to be `size` bytes.
    let (given, unknown) = unsafe { std::slice::from_raw_parts(pointer.cast::<u8>(), size) }.split_at(known);
    if unknown.iter().any(|byte| *byte != 0) {
        return Err(Status::InvalidArgument);
    }
    // SAFETY: at most as many bytes as T has, and T is valid for any.
    unsafe { std::ptr::copy_nonoverlapping(given.as_ptr(), (&raw mut options).cast::<u8>(), known) };
    Ok(options)
}

/// Fills a sized struct, all but its size. What a later version of it has beyond this one becomes zero.
///
/// # Safety
/// `pointer` is NULL or points to as many bytes as its first member says, used by nobody else during the call.
#[allow(unsafe_code)]
pub(crate) unsafe fn out_options_to<T: Sized32>(pointer: *mut T, value: T) -> Result<(), Status> {
    const SIZE: usize = size_of::<u32>();
    if pointer.is_null() {
        return Err(Status::InvalidArgument);
    }
    // SAFETY: not NULL, so its first member can be read.
    let size = unsafe { pointer.cast::<u32>().read() } as usize;
    if !(T::FIRST_SIZE..=LARGEST).contains(&size) {
        return Err(Status::InvalidArgument);
    }
    let known = size.min(size_of::<T>());
    let (from, to) = ((&raw const value).cast::<u8>(), pointer.cast::<u8>());
    // SAFETY: promised to be `size` bytes, of which T has the first `known`.
    unsafe {
        std::ptr::copy_nonoverlapping(from.add(SIZE), to.add(SIZE), known - SIZE);
        std::ptr::write_bytes(to.add(known), 0, size - known);
    }
    Ok(())
}

// SAFETY: repr(C), begins with its size, made of numbers and a pointer that is checked when it is used.
#[allow(unsafe_code)]
unsafe impl Sized32 for palitra_runner_options {
    const FIRST_SIZE: usize = 48;

    fn defaults() -> Self {
        palitra_runner_options {
            size: size_of::<Self>() as u32,
            worker_threads: 0,
            max_blocking_threads: 0,
            flags: 0,
            thread_name: std::ptr::null(),
            thread_stack_size: 0,
            max_in_flight: 0,
            max_payload: 0,
        }
    }
}

// SAFETY: repr(C), begins with its size, made of numbers.
#[allow(unsafe_code)]
unsafe impl Sized32 for palitra_submit_options {
    const FIRST_SIZE: usize = 32;

    fn defaults() -> Self {
        palitra_submit_options {
            size: size_of::<Self>() as u32,
            flags: 0,
            deadline_ns: -1,
            queue: super::types::palitra_queue { id: 0 },
            tag: 0,
        }
    }
}

// SAFETY: repr(C), begins with its size, made of numbers.
#[allow(unsafe_code)]
unsafe impl Sized32 for palitra_stats {
    const FIRST_SIZE: usize = 80;

    fn defaults() -> Self {
        palitra_stats {
            size: size_of::<Self>() as u32,
            threads: 0,
            submitted: 0,
            running: 0,
            queued: 0,
            succeeded: 0,
            failed: 0,
            panicked: 0,
            cancelled: 0,
            deadline: 0,
            longest_poll_ns: 0,
        }
    }
}

// The layouts that hosts were compiled with.
#[cfg(target_pointer_width = "64")]
const _: () = {
    assert!(size_of::<palitra_runner_options>() == 48);
    assert!(size_of::<palitra_submit_options>() == 32);
    assert!(size_of::<palitra_stats>() == 80);
    assert!(size_of::<super::types::palitra_event>() == 24);
    assert!(size_of::<super::types::palitra_reply>() == 40);
    assert!(size_of::<super::types::palitra_runner>() == 8);
    assert!(size_of::<*const c_void>() == size_of::<usize>());
};

/// The job with this name.
pub(crate) fn job(name: &CStr) -> Result<&'static Job, Status> {
    // Only a name that is no job's need be looked at for what is wrong with it.
    registry::find(name.to_bytes()).ok_or_else(|| utf8(name).err().unwrap_or(Status::UnknownJob))
}

pub(crate) fn utf8(text: &CStr) -> Result<&str, Status> {
    text.to_str().map_err(|_| Status::InvalidArgument)
}

/// A timeout in nanoseconds; `None` (negative): for ever.
pub(crate) fn timeout(nanoseconds: i64) -> Option<Duration> {
    u64::try_from(nanoseconds).ok().map(Duration::from_nanos)
}
