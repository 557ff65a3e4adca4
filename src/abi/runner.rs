//! Runner: a background thread that runs jobs and keeps their state from one job to the next.

use std::ffi::c_char;
use std::mem::MaybeUninit;
use std::time::Duration;

use crate::ffi::argument::{self, init, options, text};
use crate::ffi::boundary::{enter, enter_or};
use crate::ffi::types::handle::palitra_runner;
use crate::ffi::types::runner::palitra_runner_options;
use crate::ffi::types::status::palitra_status;
use crate::ffi::{callback, handle};
use crate::reply::{Error, Status};
use crate::runner::{self, Options, Runner};

/// Sets the size of the struct, and the defaults, which are zeros. The macro below passes the
/// size: palitra_runner_options_init(&options).
///
/// @param options  the struct; NULL does nothing
/// @param size     its size in bytes; a size that no version of the struct has does nothing
#[unsafe(no_mangle)]
pub unsafe extern "C" fn palitra_runner_options_init(options: *mut palitra_runner_options, size: u32) {
    init!(options, size)
}

/// Makes a runner and starts its threads.
///
/// @param options  NULL for the defaults: one thread, no limits
/// @param out      receives the runner, which the caller frees; the id 0 unless the call returns
///                 PALITRA_OK
///
/// @return PALITRA_OK, or why there is no runner:
/// - PALITRA_INVALID_ARGUMENT: out is NULL, or the options are invalid
/// - PALITRA_INTERNAL: the system refuses a thread or a file descriptor. What was made before is
///   undone.
/// - PALITRA_BUSY: no handle is left: see Handles at the top
#[unsafe(no_mangle)]
pub unsafe extern "C" fn palitra_runner_new(
    options: *const palitra_runner_options,
    out: Option<&mut MaybeUninit<palitra_runner>>,
) -> palitra_status {
    enter(|| {
        let out = out.map(|out| out.write(palitra_runner { id: 0 }));
        let read = options!(options)?;
        // First, so that its user data is freed whatever else is wrong.
        let (thread_start, thread_stop) = callback::on_threads(&read.options);
        read.check()?;
        let (out, given) = (out.ok_or(Status::InvalidArgument)?, read.options);
        if given.flags != 0 {
            return Err(Status::InvalidArgument);
        }
        let optional = |text: *const c_char| match text.is_null() {
            true => Ok(String::new()),
            false => argument::utf8(text!(text)?).map(str::to_string),
        };
        let (thread_name, config) = (optional(given.thread_name)?, optional(given.config)?);
        let runner = Runner::with_options(Options {
            worker_threads: given.worker_threads,
            max_blocking_threads: given.max_blocking_threads,
            thread_name,
            thread_stack_size: given.thread_stack_size,
            max_in_flight: given.max_in_flight,
            max_payload: given.max_payload,
            spin_limit: argument::spin_limit(given.spin_limit_ns),
            config,
            thread_start,
            thread_stop,
            #[cfg(feature = "testing")]
            paused_clock: false,
        });
        *out = handle::of_runner(runner.map_err(logged)?)?;
        Ok(())
    })
}

/// The status of a refusal. What it says beyond that is in the log.
fn logged(error: Error) -> Status {
    tracing::error!(target: "palitra", "{error}");
    error.status()
}

/// Configures the runners that are made from now on, the global one among them, also in forked
/// children: see the field config of palitra_runner_options. What was configured before is
/// replaced. Meant to be called once, at the start of a program: what is replaced is kept in
/// memory.
///
/// @param json  a JSON object in UTF-8; it is copied. NULL or empty: nothing is configured.
///
/// @return PALITRA_OK, or PALITRA_INVALID_ARGUMENT: it is not a JSON object. The log says where.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn palitra_configure(json: *const c_char) -> palitra_status {
    enter(|| {
        let json = if json.is_null() { "" } else { argument::utf8(text!(json)?)? };
        crate::configuration::configure(json).map_err(logged)
    })
}

/// Returns the global runner of this process, and makes it if there is none or it was shut down.
/// Every caller gets the same handle. It belongs to the library and need not be freed; freeing it
/// shuts the runner down for everyone. After a shutdown the handle stays valid until the next
/// global runner is made.
///
/// @param out  receives the runner; the id 0 unless the call returns PALITRA_OK
///
/// @return PALITRA_OK, or why there is no runner:
/// - PALITRA_INVALID_ARGUMENT: out is NULL
/// - PALITRA_INTERNAL: the system refuses a thread or a file descriptor
/// - PALITRA_BUSY: no handle is left: see Handles at the top
#[unsafe(no_mangle)]
pub extern "C" fn palitra_runner_global(out: Option<&mut MaybeUninit<palitra_runner>>) -> palitra_status {
    enter(|| {
        let out = out.ok_or(Status::InvalidArgument)?.write(palitra_runner { id: 0 });
        *out = handle::of_global_runner().map_err(|error| error.status())?;
        Ok(())
    })
}

/// Returns whether there is a global runner that accepts jobs. Does not make one.
///
/// @return whether there is one
#[unsafe(no_mangle)]
pub extern "C" fn palitra_is_runner_alive() -> bool {
    enter_or(false, runner::is_runner_alive)
}

/// Shuts the global runner down, as palitra_runner_shutdown does. The next palitra_runner_global
/// makes a new one.
///
/// @param grace_ns  the grace period: see palitra_runner_shutdown
///
/// @return one of these:
/// - PALITRA_OK: the runner has ended, or there is none
/// - PALITRA_PENDING: a thread is still blocked a second after the grace period: see
///   palitra_runner_shutdown
/// - PALITRA_WOULD_DEADLOCK: the call came from a job or a callback of this runner. Nothing was
///   done.
#[unsafe(no_mangle)]
pub extern "C" fn palitra_shutdown_global_runner(grace_ns: i64) -> palitra_status {
    enter(|| status_of(runner::shutdown_global_runner(argument::timeout(grace_ns))))
}

/// Returns whether a runner accepts jobs.
///
/// @param runner  any handle
///
/// @return false if the runner was shut down, is invalid, or belongs to the parent process
#[unsafe(no_mangle)]
pub extern "C" fn palitra_runner_is_alive(runner: palitra_runner) -> bool {
    enter_or(false, || handle::with_core(runner, |core| Ok(core.is_alive())) == Ok(true))
}

/// Shuts a runner down: refuses new jobs, lets the jobs in flight finish during the grace period,
/// cancels the rest, finishes every token, wakes every waiting thread, and joins the runner's
/// threads. Several threads may call it at once: the grace period that ends first holds for all.
/// The handle stays valid until palitra_runner_free, and the replies of finished tokens stay
/// readable.
///
/// Every job in flight has the grace period, also one that palitra_runner_run waits for in another
/// thread. A job may submit jobs to its own runner during the grace period. No job starts
/// afterwards.
///
/// @param runner    the runner
/// @param grace_ns  the grace period; any negative number means no limit
///
/// @return one of these:
/// - PALITRA_OK: the runner has ended
/// - PALITRA_PENDING: a second after the grace period something still blocks a thread: a job that
///   does not yield, an inline poll, the blocking part of a job, a callback, or the destructor of
///   a state. Every token has finished, no further callback is called, and the user data of those
///   that were due has been freed. A callback that is running may go on. The runner ends by itself
///   when the thread is free. Another call waits again, for its own grace period and a second, and
///   returns PALITRA_OK once the runner has ended.
/// - PALITRA_INVALID_HANDLE: the runner is invalid
/// - PALITRA_WOULD_DEADLOCK: the call came from a job or a callback of this runner. Nothing was
///   done.
/// - PALITRA_FORKED: the runner belongs to the parent process
#[unsafe(no_mangle)]
pub extern "C" fn palitra_runner_shutdown(runner: palitra_runner, grace_ns: i64) -> palitra_status {
    enter(|| status_of(handle::runner(runner)?.shutdown(argument::timeout(grace_ns))))
}

/// Frees a runner. The handle is stale from now on; its tokens stay valid, and are freed on their
/// own. A runner that is alive is shut down first, with a grace period of 0. This blocks for a
/// second at most, and not at all after a shutdown that returned PALITRA_PENDING. From a job or a
/// callback of this runner it returns at once, and the runner ends by itself.
///
/// @param runner  the runner. An invalid handle, or one of the parent process, does nothing.
#[unsafe(no_mangle)]
pub extern "C" fn palitra_runner_free(runner: palitra_runner) {
    enter_or((), || {
        if let Ok(runner) = handle::free_runner(runner) {
            runner.end(Duration::ZERO);
        }
    });
}

fn status_of(result: Result<(), Error>) -> Result<(), Status> {
    result.map_err(|error| error.status())
}
