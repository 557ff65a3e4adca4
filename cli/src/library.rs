//! A loaded library of jobs: the part of its C ABI (include/palitra.h) that the command needs, behind safe types.
//!
//! Nothing here is linked with palitra: whatever language the library was written in and whatever version of palitra it
//! holds, it is asked through its exported functions alone. The library is never unloaded, which palitra's are not
//! anyway; runners and tokens are freed when they are dropped.

#![allow(unsafe_code)]

use std::ffi::{CStr, CString, OsStr, c_char, c_void};
use std::path::{Path, PathBuf};
use std::ptr;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

/// The ABI version that the command knows.
const ABI_VERSION: u32 = 1;

/// How a call or a job ended: a `PALITRA_` number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status(pub i32);

impl Status {
    pub const OK: Status = Status(0);
    pub const PENDING: Status = Status(1);
    pub const END: Status = Status(2);
    pub const JOB_FAILED: Status = Status(10);
    pub const JOB_PANICKED: Status = Status(11);
    pub const CANCELLED: Status = Status(12);
    pub const DEADLINE: Status = Status(13);
}

/// A handle of the library's: a struct of one number, passed by value.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq)]
struct Handle(u64);

/// `palitra_reply`.
#[repr(C)]
struct RawReply {
    status: i32,
    code: i32,
    format: i32,
    data: *const u8,
    len: usize,
    owner: *mut c_void,
}

/// `palitra_submit_options`.
#[repr(C)]
struct RawOptions {
    size: u32,
    flags: u32,
    deadline_ns: i64,
    queue: Handle,
    tag: u64,
    stream_items: u32,
    reserved: u32,
}

/// `PALITRA_ITEM_EVENTS`.
const ITEM_EVENTS: u32 = 1;

/// `palitra_event`.
#[repr(C)]
#[derive(Clone, Copy)]
struct RawEvent {
    tag: u64,
    token: Handle,
    status: i32,
}

/// The functions of the library, found by their names.
macro_rules! functions {
    ($($name:ident($($argument:ty),*) $(-> $result:ty)?;)*) => {
        struct Functions {
            $($name: unsafe extern "C" fn($($argument),*) $(-> $result)?,)*
        }

        impl Functions {
            fn find(library: &libloading::Library) -> Result<Functions, libloading::Error> {
                // SAFETY: palitra's ABI version, which was compared before, says that the functions have these types.
                unsafe { Ok(Functions { $($name: *library.get(concat!("palitra_", stringify!($name), "\0"))?,)* }) }
            }
        }
    };
}

functions! {
    job_describe(*const c_char, *mut RawReply) -> i32;
    reply_free(*mut RawReply);
    status_name(i32) -> *const c_char;
    status_message(i32) -> *const c_char;
    job_nearest(*const c_char) -> *const c_char;
    runner_new(*const c_void, *mut Handle) -> i32;
    runner_free(Handle);
    runner_submit(Handle, *const c_char, *const c_void, usize, *const c_void, *mut Handle) -> i32;
    token_next(Handle, i64, *mut RawReply) -> i32;
    token_poll(Handle, *mut RawReply) -> i32;
    token_progress(Handle, *mut u64, *mut u64) -> i32;
    token_cancel(Handle) -> i32;
    token_free(Handle);
    queue_new(*mut Handle) -> i32;
    queue_next(Handle, i64, *mut RawEvent, usize, *mut usize) -> i32;
    queue_free(Handle);
}

fn open(file: &OsStr) -> Result<libloading::Library, libloading::Error> {
    // SAFETY: a library of jobs runs its constructors, which register jobs and nothing else.
    unsafe { libloading::Library::new(file) }
}

/// The library of that name that was installed or unpacked with this command, if there is one. The loader looks into the
/// system's folders alone.
fn installed_beside(name: &OsStr) -> Option<PathBuf> {
    let path = std::env::current_exe().ok()?.parent()?.parent()?.join("lib").join(name);
    (Path::new(name).components().count() == 1 && path.exists()).then_some(path)
}

/// A library of jobs.
pub struct Library {
    functions: Functions,
}

impl Library {
    /// Loads the library: a path, or a name that the system's loader searches for.
    pub fn load(file: &OsStr) -> Result<Library> {
        let named = || format!("the library {}", file.display());
        let installed = |error| installed_beside(file).map_or(Err(error), |path| open(path.as_os_str()));
        let library = open(file).or_else(installed).with_context(named)?;
        // SAFETY: has this type in every version of palitra.
        let version = unsafe { library.get::<extern "C" fn() -> u32>("palitra_abi_version\0") };
        let version = version.with_context(|| format!("{} holds no jobs of palitra", file.display()))?();
        ensure!(version == ABI_VERSION, "{} has ABI version {version}, and this command knows {ABI_VERSION}", named());
        let functions = Functions::find(&library).with_context(|| format!("{} is older than this command", named()))?;
        std::mem::forget(library);
        Ok(Library { functions })
    }

    /// All jobs of the library, as its own JSON document.
    pub fn describe(&self) -> Result<String> {
        let reply = self.fill(|reply| {
            // SAFETY: a place for a reply, and no name.
            unsafe { (self.functions.job_describe)(ptr::null(), reply) }
        });
        ensure!(reply.status == Status::OK, "the library does not describe its jobs: {}", reply.text());
        Ok(reply.text())
    }

    /// The name of the job that may have been meant.
    pub fn nearest(&self, name: &str) -> Option<String> {
        let name = CString::new(name).ok()?;
        // SAFETY: a C string; what is returned is NULL or one that lives as long as the library.
        unsafe {
            let nearest = (self.functions.job_nearest)(name.as_ptr());
            (!nearest.is_null()).then(|| CStr::from_ptr(nearest).to_string_lossy().into_owned())
        }
    }

    /// "PALITRA_BUSY".
    pub fn status_name(&self, status: Status) -> String {
        // SAFETY: returns a C string for every number.
        unsafe { CStr::from_ptr((self.functions.status_name)(status.0)) }.to_string_lossy().into_owned()
    }

    fn status_message(&self, status: Status) -> String {
        // SAFETY: returns a C string for every number.
        unsafe { CStr::from_ptr((self.functions.status_message)(status.0)) }.to_string_lossy().into_owned()
    }

    /// A runner with the defaults.
    pub fn runner(&self) -> Result<Runner<'_>> {
        let mut handle = Handle(0);
        // SAFETY: the defaults, and a place for a handle.
        let status = Status(unsafe { (self.functions.runner_new)(ptr::null(), &mut handle) });
        ensure!(status == Status::OK, "no runner can be made: {}", self.status_message(status));
        Ok(Runner { library: self, handle })
    }

    /// A queue, where the ends of jobs are announced.
    pub fn queue(&self) -> Result<Queue<'_>> {
        let mut handle = Handle(0);
        // SAFETY: a place for a handle.
        let status = Status(unsafe { (self.functions.queue_new)(&mut handle) });
        ensure!(status == Status::OK, "no queue can be made: {}", self.status_message(status));
        Ok(Queue { library: self, handle })
    }

    /// The reply that a function of the library fills.
    fn fill(&self, call: impl FnOnce(*mut RawReply) -> i32) -> Reply {
        let empty = RawReply { status: 0, code: 0, format: 0, data: ptr::null(), len: 0, owner: ptr::null_mut() };
        let mut raw = empty;
        let status = Status(call(&mut raw));
        // SAFETY: the library says that so many bytes are there.
        let data = if raw.len == 0 { &[] } else { unsafe { std::slice::from_raw_parts(raw.data, raw.len) } };
        let reply = Reply { status, code: raw.code, data: data.to_vec() };
        // SAFETY: filled by the library, and not used any more.
        unsafe { (self.functions.reply_free)(&mut raw) };
        reply
    }
}

/// What a job left, an item, or a message.
pub struct Reply {
    pub status: Status,
    pub code: i32,
    pub data: Vec<u8>,
}

impl Reply {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.data).into_owned()
    }
}

pub struct Runner<'a> {
    library: &'a Library,
    handle: Handle,
}

/// How a job is submitted, beside its name and payload.
#[derive(Default)]
pub struct Submission<'a> {
    /// The job is cancelled after this time.
    pub timeout: Option<Duration>,
    /// Where the end of the job is announced, and that items wait; with the tag.
    pub events: Option<(&'a Queue<'a>, u64)>,
}

impl Runner<'_> {
    /// Submits a job, whose items somebody will read.
    pub fn submit(&self, name: &str, payload: &[u8], submission: &Submission<'_>) -> Result<Token<'_>> {
        let c_name = CString::new(name).context("a name with a NUL in it is no job's")?;
        let options = RawOptions {
            size: u32::try_from(size_of::<RawOptions>())?,
            flags: if submission.events.is_some() { ITEM_EVENTS } else { 0 },
            // 0 is none, so the shortest is 1.
            deadline_ns: submission.timeout.map_or(0, |timeout| nanoseconds(timeout).max(1)),
            queue: submission.events.map_or(Handle(0), |(queue, _)| queue.handle),
            tag: submission.events.map_or(0, |(_, tag)| tag),
            stream_items: 0,
            reserved: 0,
        };
        let mut handle = Handle(0);
        let (data, len) = (payload.as_ptr().cast(), payload.len());
        let submit = self.library.functions.runner_submit;
        let options = (&raw const options).cast();
        // SAFETY: a C string, a payload of that length, options of the size that they say, and a place for a handle.
        let status = Status(unsafe { submit(self.handle, c_name.as_ptr(), data, len, options, &mut handle) });
        if status != Status::OK {
            bail!("{name} was not accepted: {}", self.library.status_message(status));
        }
        Ok(Token { library: self.library, handle })
    }
}

/// How the library counts time; longer than it can count is as long as it can.
fn nanoseconds(time: Duration) -> i64 {
    i64::try_from(time.as_nanos()).unwrap_or(i64::MAX)
}

impl Drop for Runner<'_> {
    fn drop(&mut self) {
        // SAFETY: takes any number.
        unsafe { (self.library.functions.runner_free)(self.handle) }
    }
}

pub struct Token<'a> {
    library: &'a Library,
    handle: Handle,
}

impl Token<'_> {
    /// The next item, [`Status::PENDING`] if none comes in this time, [`Status::END`] after the last; or how the job
    /// ended if it did not succeed.
    pub fn next(&self, timeout: Duration) -> Reply {
        self.library.fill(|reply| {
            // SAFETY: any handle, and a place for a reply.
            unsafe { (self.library.functions.token_next)(self.handle, nanoseconds(timeout), reply) }
        })
    }

    /// The reply, once the job has ended.
    pub fn reply(&self) -> Reply {
        self.library.fill(|reply| {
            // SAFETY: any handle, and a place for a reply.
            unsafe { (self.library.functions.token_poll)(self.handle, reply) }
        })
    }

    /// What is done, and of how much; 0 and 0 of a job that says nothing.
    pub fn progress(&self) -> (u64, u64) {
        let (mut done, mut total) = (0, 0);
        // SAFETY: any handle, and places for two numbers.
        unsafe { (self.library.functions.token_progress)(self.handle, &mut done, &mut total) };
        (done, total)
    }

    pub fn cancel(&self) {
        // SAFETY: takes any number.
        unsafe { (self.library.functions.token_cancel)(self.handle) };
    }
}

impl Drop for Token<'_> {
    fn drop(&mut self) {
        // SAFETY: takes any number.
        unsafe { (self.library.functions.token_free)(self.handle) }
    }
}

/// What a queue announces: how the job with this tag ended, or [`Status::PENDING`] when its items wait.
pub struct Event {
    pub tag: u64,
    pub status: Status,
}

pub struct Queue<'a> {
    library: &'a Library,
    handle: Handle,
}

impl Queue<'_> {
    /// Waits for events and puts them into the list, which it empties first: none if none comes in this time.
    pub fn next(&self, timeout: Duration, events: &mut Vec<Event>) {
        const MOST: usize = 64;
        let mut raw = [RawEvent { tag: 0, token: Handle(0), status: 0 }; MOST];
        let mut n = 0;
        let next = self.library.functions.queue_next;
        // SAFETY: any handle, so many places for events, and one for their number.
        unsafe { next(self.handle, nanoseconds(timeout), raw.as_mut_ptr(), MOST, &mut n) };
        events.clear();
        events.extend(raw[..n].iter().map(|event| Event { tag: event.tag, status: Status(event.status) }));
    }
}

impl Drop for Queue<'_> {
    fn drop(&mut self) {
        // SAFETY: takes any number.
        unsafe { (self.library.functions.queue_free)(self.handle) }
    }
}
