//! The arguments of a C function: strings, bytes, arrays, sized structs, timeouts.
//!
//! Promise 11: bad input and limits return a status. Each macro turns raw pointers of an `unsafe extern "C"` function
//! into safe Rust, or fails with `INVALID_ARGUMENT`. The references live as long as the pointers: until the function
//! returns.
//!
//! # Sized structs
//!
//! The options and the statistics begin with their size and may grow at their end. Host and library may know different
//! versions: the fields that both know are read and written. A field that the library does not know must be 0, so that
//! nothing a host asks for is silently ignored.

use std::ffi::{CStr, c_char};
use std::mem::MaybeUninit;
use std::time::Duration;

use super::types::reply::palitra_format;
use super::types::runner::palitra_runner_options;
use super::types::stats::palitra_stats;
use super::types::submit::palitra_submit_options;
use crate::arena::INDEX_BITS;
use crate::job::Job;
use crate::registry;
use crate::reply::{Format, Reply, Status};
use crate::runner::{Callee, Core};

/// `text!(pointer)`: a C string.
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

/// `out_array!(pointer, n)`: an array to fill; `None` for NULL.
macro_rules! out_array {
    ($pointer:expr, $n:expr) => {
        // SAFETY: promised to be room for `n` elements, used by nobody else, if it is not NULL.
        unsafe { $crate::ffi::argument::out_array_from($pointer, $n) }
    };
}

/// `init!(pointer, size)`: a sized struct with its defaults.
macro_rules! init {
    ($pointer:expr, $size:expr) => {
        // SAFETY: promised to be room for `size` bytes if it is not NULL.
        unsafe { $crate::ffi::argument::init_sized($pointer, $size) }
    };
}

/// `options!(pointer)`: a sized struct, or its defaults for NULL.
macro_rules! options {
    ($pointer:expr) => {
        // SAFETY: promised to be as many bytes as its first member says if it is not NULL.
        unsafe { $crate::ffi::argument::options_from($pointer) }
    };
}

/// `out_options!(pointer, value)`: fills a sized struct, as far as both sides know it.
macro_rules! out_options {
    ($pointer:expr, $value:expr) => {
        // SAFETY: promised to be as many bytes as its first member says if it is not NULL.
        unsafe { $crate::ffi::argument::out_options_to($pointer, $value) }
    };
}

pub(crate) use {array, bytes, init, options, out_array, out_options, text};

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
    match (pointer.is_null() || !pointer.is_aligned(), n) {
        (_, 0) => Ok(&[]),
        (true, _) => Err(Status::InvalidArgument),
        // SAFETY: not NULL, so it is `n` elements; their size in bytes and their alignment were checked.
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
    if !pointer.is_aligned() {
        return Err(Status::InvalidArgument);
    }
    // SAFETY: not NULL, so there is room for `n` elements; MaybeUninit promises nothing about what is there.
    Ok(Some(unsafe { std::slice::from_raw_parts_mut(pointer.cast(), n) }))
}

/// How many there may be of what has a token each: no more than there can be tokens. The host's arrays need not be that
/// long if this fails.
pub(crate) fn check_count(n: usize) -> Result<(), Status> {
    if n >> INDEX_BITS == 0 { Ok(()) } else { Err(Status::InvalidArgument) }
}

/// No object is larger than `isize::MAX` bytes: a greater length is the host's mistake.
fn check_size<T>(n: usize) -> Result<(), Status> {
    let fits = n.checked_mul(size_of::<T>()).is_some_and(|bytes| isize::try_from(bytes).is_ok());
    if fits { Ok(()) } else { Err(Status::InvalidArgument) }
}

/// A struct that begins with its size and may grow in later versions. Zeros are its defaults.
///
/// # Safety
/// The type is `repr(C)`, begins with `size: u32`, and is valid for all bytes that a host may have put there.
#[allow(unsafe_code)]
pub(crate) unsafe trait SizedStruct: Copy {
    /// The size of its first version in bytes: no host has a smaller one.
    const FIRST_SIZE: usize;

    fn defaults() -> Self {
        // SAFETY: valid for any bytes, so for zeros.
        let mut defaults: Self = unsafe { std::mem::zeroed() };
        // SAFETY: begins with its size.
        unsafe { (&raw mut defaults).cast::<u32>().write(size_of::<Self>() as u32) };
        defaults
    }
}

/// No version will be larger than this: a greater size is the host's mistake.
const LARGEST: usize = 4096;

/// Options as far as both sides know them.
pub(crate) struct Read<T> {
    pub(crate) options: T,
    /// Whether the host has set a field that this version does not know.
    has_unknown: bool,
}

impl<T> Read<T> {
    /// [`Status::InvalidArgument`] if the host has set a field that this version does not know. A larger struct by
    /// itself is fine: the host was built with a later header.
    pub(crate) fn check(&self) -> Result<(), Status> {
        if self.has_unknown { Err(Status::InvalidArgument) } else { Ok(()) }
    }
}

/// The options, or their defaults for NULL.
///
/// # Safety
/// `pointer` is NULL or points to as many bytes as its first member says, unchanged during the call.
#[allow(unsafe_code)]
pub(crate) unsafe fn options_from<T: SizedStruct>(pointer: *const T) -> Result<Read<T>, Status> {
    let mut options = T::defaults();
    if pointer.is_null() {
        return Ok(Read { options, has_unknown: false });
    }
    // SAFETY: not NULL, so its first member can be read.
    let size = unsafe { pointer.cast::<u32>().read() } as usize;
    if !(T::FIRST_SIZE..=LARGEST).contains(&size) {
        return Err(Status::InvalidArgument);
    }
    let known = size.min(size_of::<T>());
    // SAFETY: promised to be `size` bytes.
    let (given, unknown) = unsafe { std::slice::from_raw_parts(pointer.cast::<u8>(), size) }.split_at(known);
    // SAFETY: at most as many bytes as T has, and T is valid for any.
    unsafe { std::ptr::copy_nonoverlapping(given.as_ptr(), (&raw mut options).cast::<u8>(), known) };
    Ok(Read { options, has_unknown: unknown.iter().any(|byte| *byte != 0) })
}

/// Zeroes the host's struct and sets its size. The size is that of the host's header, which may be a later one. NULL
/// and a size that no version of the struct has do nothing.
///
/// # Safety
/// `pointer` is NULL or points to room for `size` bytes, used by nobody else during the call.
#[allow(unsafe_code)]
pub(crate) unsafe fn init_sized<T: SizedStruct>(pointer: *mut T, size: u32) {
    let bytes = size as usize;
    if pointer.is_null() || !(T::FIRST_SIZE..=LARGEST).contains(&bytes) {
        return;
    }
    // SAFETY: promised to be `size` bytes, the first of which are the size.
    unsafe {
        std::ptr::write_bytes(pointer.cast::<u8>(), 0, bytes);
        pointer.cast::<u32>().write(size);
    }
}

/// Fills the host's struct, except for its size. Fields that only a later version has become zero.
///
/// # Safety
/// `pointer` is NULL or points to as many bytes as its first member says, used by nobody else during the call.
#[allow(unsafe_code)]
pub(crate) unsafe fn out_options_to<T: SizedStruct>(pointer: *mut T, value: T) -> Result<(), Status> {
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

// SAFETY: repr(C), begins with its size, made of numbers and of pointers that may be NULL.
#[allow(unsafe_code)]
unsafe impl SizedStruct for palitra_runner_options {
    const FIRST_SIZE: usize = 48;
}

// SAFETY: repr(C), begins with its size, made of numbers.
#[allow(unsafe_code)]
unsafe impl SizedStruct for palitra_submit_options {
    const FIRST_SIZE: usize = 32;
}

// SAFETY: repr(C), begins with its size, made of numbers.
#[allow(unsafe_code)]
unsafe impl SizedStruct for palitra_stats {
    const FIRST_SIZE: usize = 80;
}

/// The job with this name.
pub(crate) fn job(core: &Core, name: &CStr) -> Result<Callee, Status> {
    // Checked only if there is no such job: every name of a job is UTF-8.
    core.find_job(name.to_bytes()).ok_or_else(|| utf8(name).err().unwrap_or(Status::UnknownJob))
}

/// The jobs of names that repeat: one that is where the last one was is the same.
#[derive(Default)]
pub(crate) struct Jobs {
    last: Option<(*const c_char, Callee)>,
}

impl Jobs {
    /// The job of the name at `place`, which `look_up` reads.
    #[inline]
    pub(crate) fn find(
        &mut self,
        place: *const c_char,
        look_up: impl FnOnce() -> Result<Callee, Status>,
    ) -> Result<Callee, Status> {
        match self.last {
            Some((last, job)) if last == place => Ok(job),
            _ => {
                let job = look_up()?;
                self.last = Some((place, job));
                Ok(job)
            }
        }
    }
}

/// The job with this name; or the reply that says that there is none, with this name and the most similar one.
#[inline(always)]
pub(crate) fn job_or_reply(core: &Core, name: &CStr) -> Result<Result<Callee, Reply>, Status> {
    match core.find_job(name.to_bytes()) {
        Some(job) => Ok(Ok(job)),
        None => unknown(name).map(Err),
    }
}

/// The library's job with this name, whatever a runner has registered; or the reply that says that there is none.
pub(crate) fn described(name: &CStr) -> Result<Result<&'static Job, Reply>, Status> {
    match registry::find(name.to_bytes()) {
        Some(job) => Ok(Ok(job)),
        None => unknown(name).map(Err),
    }
}

#[cold]
fn unknown(name: &CStr) -> Result<Reply, Status> {
    Ok(Reply::refused(registry::unknown_job(utf8(name)?)))
}

pub(crate) fn utf8(text: &CStr) -> Result<&str, Status> {
    text.to_str().map_err(|_| Status::InvalidArgument)
}

/// A format by its number.
pub(crate) fn format(number: palitra_format) -> Result<Format, Status> {
    [Format::Bytes, Format::Text, Format::Json]
        .into_iter()
        .find(|format| *format as i32 == number)
        .ok_or(Status::InvalidArgument)
}

/// How long after the call a deadline is; `None` for no deadline, which is also what zeroed options say.
pub(crate) fn deadline(nanoseconds: i64) -> Option<Duration> {
    if nanoseconds == 0 { None } else { timeout(nanoseconds) }
}

/// A timeout in nanoseconds; `None` (negative) for forever.
pub(crate) fn timeout(nanoseconds: i64) -> Option<Duration> {
    u64::try_from(nanoseconds).ok().map(Duration::from_nanos)
}

/// A runner's limit of spinning: 0 is the default, a negative one none at all.
pub(crate) fn spin_limit(nanoseconds: i64) -> Option<Duration> {
    if nanoseconds == 0 { None } else { Some(timeout(nanoseconds).unwrap_or_default()) }
}
