//! Steps through the C functions that a Rust program with palitra in it exports: for handles that the types
//! of the public API forbid. As include/palitra.h declares them; options are left at their defaults.

#![allow(unsafe_code, reason = "the functions are C functions")]

use std::collections::HashMap;
use std::ffi::{CString, c_char, c_void};
use std::ptr::{null, null_mut};
use std::sync::Mutex;

use palitra::Status;

use super::{Host, no_step, notes, payload, status, time, with_text};

const FOREVER: i64 = -1;
const FORGED: Handle = Handle { id: 0x0123_4567_89ab_cdef };

/// A palitra_runner, a palitra_token or a palitra_queue.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Handle {
    id: u64,
}

#[repr(C)]
struct Reply {
    status: i32,
    code: i32,
    format: i32,
    data: *const u8,
    len: usize,
    owner: *mut c_void,
}

/// A palitra_job_info.
#[repr(C)]
struct JobInfo {
    name: *const c_char,
    doc: *const c_char,
    input: i32,
    output: i32,
}

type JobFunction = unsafe extern "C" fn(Handle, *const u8, usize, *mut c_void);
type FreeFunction = unsafe extern "C" fn(*mut c_void);

/// A job of the program.
struct HostJob {
    name: String,
    answers: u32,
}

unsafe extern "C" {
    fn palitra_runner_register(
        runner: Handle,
        info: &JobInfo,
        function: JobFunction,
        user_data: *mut c_void,
        free: FreeFunction,
    ) -> i32;
    fn palitra_call_complete(call: Handle, status: i32, code: i32, format: i32, data: *const u8, len: usize) -> i32;
    safe fn palitra_call_free(call: Handle);
    safe fn palitra_reply_free(reply: &mut Reply);
    safe fn palitra_runner_is_alive(runner: Handle) -> bool;
    safe fn palitra_runner_wait(runner: Handle, token: Handle, timeout_ns: i64, out: &mut Reply) -> i32;
    safe fn palitra_runner_shutdown(runner: Handle, grace_ns: i64) -> i32;
    safe fn palitra_runner_free(runner: Handle);
    safe fn palitra_token_poll(token: Handle, out: &mut Reply) -> i32;
    safe fn palitra_token_cancel(token: Handle) -> i32;
    safe fn palitra_token_free(token: Handle);
    fn palitra_runner_new(options: *const c_void, out: &mut Handle) -> i32;
    fn palitra_runner_run(
        runner: Handle,
        job: *const c_char,
        data: *const u8,
        len: usize,
        timeout_ns: i64,
        out: &mut Reply,
    ) -> i32;
    fn palitra_runner_submit(
        runner: Handle,
        job: *const c_char,
        data: *const u8,
        len: usize,
        options: *const c_void,
        out: &mut Handle,
    ) -> i32;
}

impl Reply {
    fn empty() -> Reply {
        Reply { status: 0, code: 0, format: 0, data: null(), len: 0, owner: null_mut() }
    }

    /// The text of what a call gave, which is freed.
    fn take_text(&mut self) -> String {
        let bytes = match self.len {
            0 => Vec::new(),
            // SAFETY: a reply that a call has filled holds so many bytes there until it is freed.
            len => unsafe { std::slice::from_raw_parts(self.data, len) }.to_vec(),
        };
        palitra_reply_free(self);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// The outcome of a call that fills a reply.
fn outcome_of(call: impl FnOnce(&mut Reply) -> i32) -> String {
    let mut reply = Reply::empty();
    let number = call(&mut reply);
    let code = reply.code;
    with_text(known(number), code, &reply.take_text())
}

fn known(number: i32) -> Status {
    Status::from_number(number).unwrap_or_else(|| panic!("no status has the number {number}"))
}

fn nanoseconds(text: &str) -> i64 {
    time(text).as_nanos().try_into().expect("a time within three centuries")
}

/// A token, and the runner it was submitted to.
#[derive(Clone, Copy)]
struct Token {
    token: Handle,
    runner: Handle,
}

#[derive(Default)]
pub struct Exported {
    tokens: Mutex<HashMap<String, Token>>,
    runners: Mutex<HashMap<String, Handle>>,
}

impl Host for Exported {
    fn carry_out(&self, words: &[&str]) -> String {
        match words {
            ["runner", name] => self.make_runner(name),
            ["alive", runner] => palitra_runner_is_alive(self.runner(runner)).to_string(),
            ["submit", token, runner, job, text] => self.submit(token, self.runner(runner), job, payload(text)),
            ["run", runner, job, text] => self.run(runner, job, payload(text)),
            ["wait", token] => {
                let Token { token, runner } = self.token(token);
                outcome_of(|out| palitra_runner_wait(runner, token, FOREVER, out))
            }
            ["poll", token] => self.poll(self.token(token).token),
            ["cancel", token] => status(known(palitra_token_cancel(self.token(token).token))),
            ["free", name] => self.free(name),
            ["register", runner, job, "twice"] => self.register(runner, job, 2),
            ["register", runner, job, "give_up"] => self.register(runner, job, 0),
            ["note", job] => notes::take(job),
            ["forged", "token"] => self.poll(FORGED),
            ["forged", "runner"] => self.submit("", FORGED, "palitra.echo", ""),
            ["shutdown", runner, grace] => {
                status(known(palitra_runner_shutdown(self.runner(runner), nanoseconds(grace))))
            }
            other => no_step(other),
        }
    }
}

impl Exported {
    fn runner(&self, name: &str) -> Handle {
        self.runners.lock().unwrap()[name]
    }

    fn token(&self, name: &str) -> Token {
        self.tokens.lock().unwrap()[name]
    }

    fn make_runner(&self, name: &str) -> String {
        let mut runner = Handle::default();
        // SAFETY: NULL options are the defaults.
        let seen = unsafe { palitra_runner_new(null(), &mut runner) };
        self.runners.lock().unwrap().insert(name.to_string(), runner);
        status(known(seen))
    }

    fn submit(&self, name: &str, runner: Handle, job: &str, payload: &str) -> String {
        let job = CString::new(job).expect("a name without a NUL");
        let mut token = Handle::default();
        // SAFETY: the name ends with a NUL, the payload is as long as is said, NULL options are the defaults.
        let seen =
            unsafe { palitra_runner_submit(runner, job.as_ptr(), payload.as_ptr(), payload.len(), null(), &mut token) };
        if known(seen) == Status::Ok {
            self.tokens.lock().unwrap().insert(name.to_string(), Token { token, runner });
        }
        status(known(seen))
    }

    /// A job that answers so often.
    fn register(&self, runner: &str, name: &str, answers: u32) -> String {
        let c_name = CString::new(name).expect("a name without a NUL");
        let info = JobInfo { name: c_name.as_ptr(), doc: null(), input: 0, output: 1 };
        let job = Box::into_raw(Box::new(HostJob { name: name.to_string(), answers }));
        // SAFETY: the info lives for the call; the function takes the job, which the last one frees.
        status(known(unsafe { palitra_runner_register(self.runner(runner), &info, answer, job.cast(), free_job) }))
    }

    fn run(&self, runner: &str, job: &str, payload: &str) -> String {
        let (runner, job) = (self.runner(runner), CString::new(job).expect("a name without a NUL"));
        // SAFETY: as in `submit`.
        outcome_of(|out| unsafe {
            palitra_runner_run(runner, job.as_ptr(), payload.as_ptr(), payload.len(), FOREVER, out)
        })
    }

    fn poll(&self, token: Handle) -> String {
        outcome_of(|out| palitra_token_poll(token, out))
    }

    /// The name keeps the handle, which is stale from now on.
    fn free(&self, name: &str) -> String {
        match self.tokens.lock().unwrap().get(name) {
            Some(token) => palitra_token_free(token.token),
            None => palitra_runner_free(self.runner(name)),
        }
        status(Status::Ok)
    }
}

unsafe extern "C" fn answer(call: Handle, data: *const u8, len: usize, job: *mut c_void) {
    // SAFETY: what `register` gave.
    let HostJob { name, answers } = unsafe { &*job.cast() };
    for _ in 0..*answers {
        // SAFETY: the payload lives until this returns.
        let seen = unsafe { palitra_call_complete(call, 0, 0, 1, data, len) };
        notes::leave(name, status(known(seen)));
    }
    palitra_call_free(call);
}

unsafe extern "C" fn free_job(job: *mut c_void) {
    // SAFETY: what `register` gave, once.
    drop(unsafe { Box::from_raw(job.cast::<HostJob>()) });
}

/// Freeing twice is safe: what a step has freed needs no mark.
impl Drop for Exported {
    fn drop(&mut self) {
        self.tokens.lock().unwrap().values().for_each(|token| palitra_token_free(token.token));
        self.runners.lock().unwrap().values().for_each(|runner| palitra_runner_free(*runner));
    }
}
