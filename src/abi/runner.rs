//! The runner: made, asked, shut down.

use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;
use std::time::{Duration, Instant};

use crate::ffi::argument::{self, Read, array, bytes, init, options, out_array, out_options, text};
use crate::ffi::boundary::{enter, enter_or, enter_reply};
use crate::ffi::types::{
    PALITRA_FAIL_FAST, PALITRA_ITEM_EVENTS, PALITRA_NO_ITEMS, palitra_reply, palitra_runner, palitra_runner_options,
    palitra_stats, palitra_status, palitra_submit_options, palitra_token,
};
use crate::ffi::{callback, handle, reply};
use crate::gather;
use crate::reply::{Error, Status};
use crate::runner::{self, Caller, EventsWanted, Options, Payload, PolledInline, Runner, Wanted};
use crate::token::{Reading, Until};

/// Sets the size and the defaults, which are zeros: `palitra_runner_options_init(&options)`. The macro of this name
/// passes the size that the struct has for the caller, which is how much is written. NULL, and a size that no version
/// of the struct has, do nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn palitra_runner_options_init(options: *mut palitra_runner_options, size: u32) {
    init!(options, size)
}

/// Sets the size and the defaults, as palitra_runner_options_init does: `palitra_submit_options_init(&options)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn palitra_submit_options_init(options: *mut palitra_submit_options, size: u32) {
    init!(options, size)
}

/// Sets the size and makes everything else 0, as palitra_runner_options_init does: `palitra_stats_init(&stats)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn palitra_stats_init(stats: *mut palitra_stats, size: u32) {
    init!(stats, size)
}

/// Makes a runner. NULL options mean the defaults: one thread, no limits. The caller frees it with
/// palitra_runner_free.
///
/// Answers PALITRA_OK; PALITRA_INVALID_ARGUMENT for a NULL out or options that cannot be meant;
/// PALITRA_INTERNAL if the system refuses one of its threads or file descriptors, with all that was made until then
/// undone; PALITRA_BUSY if as many runners exist as can be named, or 1,024 processes in this line of forks have made
/// some. Unless PALITRA_OK the out is the id 0.
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
        let thread_name = match given.thread_name.is_null() {
            true => String::new(),
            false => argument::utf8(text!(given.thread_name)?)?.to_string(),
        };
        let runner = Runner::with_options(Options {
            worker_threads: given.worker_threads,
            max_blocking_threads: given.max_blocking_threads,
            thread_name,
            thread_stack_size: given.thread_stack_size,
            max_in_flight: given.max_in_flight,
            max_payload: given.max_payload,
            thread_start,
            thread_stop,
        });
        *out = handle::of_runner(runner.map_err(|error| error.status())?)?;
        Ok(())
    })
}

/// The global runner of this process, made now if there is none or the last one was shut down. The same
/// handle for every caller; it belongs to the library and needs no free. After palitra_shutdown_global_runner
/// it can still be waited on, until the next global runner is made.
///
/// Answers PALITRA_OK; PALITRA_INVALID_ARGUMENT for a NULL out; PALITRA_INTERNAL.
#[unsafe(no_mangle)]
pub extern "C" fn palitra_runner_global(out: Option<&mut MaybeUninit<palitra_runner>>) -> palitra_status {
    enter(|| {
        let out = out.ok_or(Status::InvalidArgument)?.write(palitra_runner { id: 0 });
        *out = handle::of_global_runner().map_err(|error| error.status())?;
        Ok(())
    })
}

/// Whether the global runner takes work. Makes none.
#[unsafe(no_mangle)]
pub extern "C" fn palitra_is_runner_alive() -> bool {
    enter_or(false, runner::is_runner_alive)
}

/// Shuts the global runner down as palitra_runner_shutdown does; the next use of the global runner makes a
/// new one. PALITRA_OK if there is none.
#[unsafe(no_mangle)]
pub extern "C" fn palitra_shutdown_global_runner(grace_ns: i64) -> palitra_status {
    enter(|| status_of(runner::shutdown_global_runner(argument::timeout(grace_ns))))
}

/// Whether a runner takes work: false for one that was shut down or freed, for no runner, and in a forked
/// child for a runner of the parent.
#[unsafe(no_mangle)]
pub extern "C" fn palitra_runner_is_alive(runner: palitra_runner) -> bool {
    enter_or(false, || handle::with_core(runner, |core| Ok(core.is_alive())) == Ok(true))
}

/// Runs a job to its end and fills its reply, which the caller frees. The payload is copied.
///
/// The reply of PALITRA_UNKNOWN_JOB names the job and the nearest that there is; see palitra_job_nearest.
///
/// With a negative timeout the job is polled once on the calling thread; one that is ready at once needs no
/// other thread. Past a timeout of 0 or more nanoseconds the job is cancelled and the answer is
/// PALITRA_DEADLINE.
///
/// A run has no token, so nobody can read the items of a streaming job: the first one that it sends is refused, and
/// mostly the job fails then, "nobody reads the stream any more". Submit such a job and read palitra_token_next.
///
/// Answers how the job ended: PALITRA_OK, PALITRA_JOB_FAILED, PALITRA_JOB_PANICKED, PALITRA_CANCELLED,
/// PALITRA_DEADLINE, PALITRA_BAD_PAYLOAD. Or why it was not run: PALITRA_INVALID_ARGUMENT (a NULL name, data that is NULL but not
/// empty), PALITRA_INVALID_HANDLE, PALITRA_UNKNOWN_JOB, PALITRA_BUSY, PALITRA_TOO_LARGE,
/// PALITRA_WOULD_DEADLOCK (from a job of this runner), PALITRA_SHUT_DOWN, PALITRA_FORKED. The out may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn palitra_runner_run(
    runner: palitra_runner,
    job: *const c_char,
    data: *const c_void,
    len: usize,
    timeout_ns: i64,
    out: Option<&mut MaybeUninit<palitra_reply>>,
) -> palitra_status {
    enter_reply(out, || {
        handle::with_core(runner, |core| {
            let job = match argument::job_or_reply(text!(job)?)? {
                Ok(job) => job,
                Err(unknown) => return Ok(unknown),
            };
            let payload = Payload::Borrowed(bytes!(data, len)?);
            core.run(job, payload, argument::timeout(timeout_ns))
        })
    })
}

/// Submits a job and returns at once. The payload is copied. NULL options mean the defaults. The caller frees
/// the token with palitra_token_free; with a NULL out the job runs detached, and what it streams is refused.
///
/// Answers PALITRA_OK; PALITRA_INVALID_ARGUMENT, PALITRA_INVALID_HANDLE, PALITRA_UNKNOWN_JOB, PALITRA_BUSY,
/// PALITRA_TOO_LARGE, PALITRA_SHUT_DOWN, PALITRA_FORKED as palitra_runner_run does. Unless PALITRA_OK nothing
/// was submitted and the out is the id 0. From any thread, also from a job of the same runner.
///
/// PALITRA_BUSY says that the runner has as many jobs in flight as it may; or that as many tokens exist as can be
/// named, or that 1,024 processes in this line of forks have made some.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn palitra_runner_submit(
    runner: palitra_runner,
    job: *const c_char,
    data: *const c_void,
    len: usize,
    options: *const palitra_submit_options,
    out: Option<&mut MaybeUninit<palitra_token>>,
) -> palitra_status {
    enter(|| {
        let out = out.map(|out| out.write(palitra_token { id: 0 }));
        let token = handle::with_core(runner, |core| {
            let job = argument::job(text!(job)?)?;
            let payload = Payload::Borrowed(bytes!(data, len)?);
            core.submit(Caller::Host, job, payload, wanted(options!(options)?, out.is_some())?)
        })?;
        if let Some(out) = out {
            *out = handle::of_token(token.into_id());
        }
        Ok(())
    })
}

/// Begins a job and returns at once, with its reply if it was ready: polls it once on the calling thread, as
/// palitra_runner_run does. For a host that must not wait in here, and gets what is ready without another thread.
///
/// A job that is ready at once leaves its reply, which the caller frees, and no token: the id 0. The answer is how
/// it ended; the queue of the options is not told, and what it streamed is lost. A job that pends goes on at the
/// runner: the answer is PALITRA_PENDING, and the token is as one of palitra_runner_submit with these options. The
/// deadline counts from this call, but does not interrupt the first poll. With a NULL token the job runs detached;
/// the reply may be NULL. From a job of the same runner it is submitted, never polled here.
///
/// Other answers as of palitra_runner_submit: nothing was begun, and the token is the id 0. The reply of
/// PALITRA_UNKNOWN_JOB names the job and the nearest that there is.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn palitra_runner_start(
    runner: palitra_runner,
    job: *const c_char,
    data: *const c_void,
    len: usize,
    options: *const palitra_submit_options,
    token: Option<&mut MaybeUninit<palitra_token>>,
    reply: Option<&mut MaybeUninit<palitra_reply>>,
) -> palitra_status {
    let token = token.map(|token| token.write(palitra_token { id: 0 }));
    enter_reply(reply, || {
        handle::with_core(runner, |core| {
            let job = match argument::job_or_reply(text!(job)?)? {
                Ok(job) => job,
                Err(unknown) => return Ok(unknown),
            };
            let payload = Payload::Borrowed(bytes!(data, len)?);
            let host = match core.poll_inline(job, payload, wanted(options!(options)?, token.is_some())?)? {
                PolledInline::Ready(reply) => return Ok(reply),
                PolledInline::Pending(host) => host,
            };
            if let Some(token) = token {
                *token = handle::of_token(host.into_id());
            }
            Err(Status::Pending)
        })
    })
}

/// The most items of a stream that may wait for their reader.
const MOST_ITEMS: u32 = 65536;

/// When a job is to end, which queue is to be notified, whether anybody can read its items and how many may wait.
fn wanted(read: Read<palitra_submit_options>, named: bool) -> Result<Wanted, Status> {
    read.check()?;
    let given = read.options;
    let (items, unread) = (given.flags & PALITRA_ITEM_EVENTS != 0, given.flags & PALITRA_NO_ITEMS != 0);
    let unknown = given.flags & !(PALITRA_ITEM_EVENTS | PALITRA_NO_ITEMS) != 0;
    if unknown || (items && (unread || given.queue.id == 0)) {
        return Err(Status::InvalidArgument);
    }
    if given.stream_items > MOST_ITEMS || given.reserved != 0 {
        return Err(Status::InvalidArgument);
    }
    let events = match given.queue.id {
        0 => None,
        _ => Some(EventsWanted { queue: handle::queue_for_token(given.queue)?, tag: given.tag, named, items }),
    };
    let deadline = argument::deadline(given.deadline_ns).and_then(|after| Instant::now().checked_add(after));
    let reading = Reading { unread: unread || !named, most_items: given.stream_items };
    Ok(Wanted { deadline, events, reading })
}

/// Waits for a job and fills its reply, which the caller frees, each time anew; the out may be NULL.
///
/// Answers the job's own status once it has finished; PALITRA_PENDING past the timeout, the job runs on.
/// PALITRA_INVALID_HANDLE, also when the token is freed meanwhile; PALITRA_INVALID_ARGUMENT for a token of
/// another runner; PALITRA_WOULD_DEADLOCK from a job of this runner; PALITRA_FORKED. Any number of threads may
/// wait for the same token. Works after a shutdown, which leaves no token unfinished.
#[unsafe(no_mangle)]
pub extern "C" fn palitra_runner_wait(
    runner: palitra_runner,
    token: palitra_token,
    timeout_ns: i64,
    out: Option<&mut MaybeUninit<palitra_reply>>,
) -> palitra_status {
    enter_reply(out, || {
        let runner = handle::runner_id(runner)?;
        handle::token(token)?.wait_on(runner, Until::after(argument::timeout(timeout_ns)))
    })
}

/// Waits until one of n tokens has finished, however its job ended, and sets the index of it. If some have finished
/// already, that is the first in order, on any thread, and what stands behind it is not looked at.
///
/// Each call looks at every token before that one. To take the next of many again and again, submit with a queue:
/// palitra_queue_next costs the same however many are unfinished.
///
/// Returns PALITRA_OK; PALITRA_PENDING past the timeout; PALITRA_INVALID_ARGUMENT for no tokens or a token of
/// another runner; PALITRA_TOO_LARGE for more tokens than there is memory to watch; PALITRA_INVALID_HANDLE,
/// PALITRA_WOULD_DEADLOCK (none has finished, and the call came from a job or callback of this runner),
/// PALITRA_FORKED. The index is written with PALITRA_OK only, and may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn palitra_runner_wait_any(
    runner: palitra_runner,
    tokens: *const palitra_token,
    n: usize,
    timeout_ns: i64,
    index: Option<&mut MaybeUninit<usize>>,
) -> palitra_status {
    enter(|| {
        let runner = handle::runner_id(runner)?;
        let tokens = array!(tokens, n)?.iter().map(|token| handle::token(*token));
        let first = gather::wait_any(runner, tokens, Until::after(argument::timeout(timeout_ns)))?;
        if let Some(index) = index {
            index.write(first);
        }
        Ok(())
    })
}

/// Waits for n tokens and fills n replies in the order of the tokens; the caller frees each. The replies may
/// be NULL.
///
/// Answers PALITRA_OK when every job succeeded, at once for no tokens; else the status of the first in order
/// that did not. PALITRA_PENDING past the timeout: the replies of unfinished jobs say PALITRA_PENDING and the
/// jobs run on. With PALITRA_FAIL_FAST it returns at the first failure in time, with its status, after
/// cancelling the rest.
///
/// PALITRA_INVALID_ARGUMENT (also for unknown flags or a token of another runner), PALITRA_INVALID_HANDLE,
/// PALITRA_TOO_LARGE (more tokens than there is memory to watch), PALITRA_WOULD_DEADLOCK, PALITRA_FORKED: nothing was
/// waited for, and every reply says so too.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn palitra_runner_gather(
    runner: palitra_runner,
    tokens: *const palitra_token,
    n: usize,
    flags: u32,
    timeout_ns: i64,
    replies: *mut palitra_reply,
) -> palitra_status {
    enter(|| {
        let mut outs = out_array!(replies, n)?.unwrap_or_default().iter_mut();
        let gathered = enter_or(Err(Status::Internal), || {
            if flags & !PALITRA_FAIL_FAST != 0 {
                return Err(Status::InvalidArgument);
            }
            let tokens = handle::tokens_of(runner, array!(tokens, n)?)?;
            let until = Until::after(argument::timeout(timeout_ns));
            Ok(if flags & PALITRA_FAIL_FAST != 0 {
                gather::gather_fail_fast(&tokens, until)
            } else {
                gather::gather(&tokens, until)
            })
        });
        let (status, answers) = match gathered {
            Ok(gathered) => (gathered.status, gathered.replies),
            Err(status) => (status, Vec::new()),
        };
        for answer in answers {
            reply::give(answer, outs.next());
        }
        for out in outs {
            reply::give(Err(status), Some(out));
        }
        if status == Status::Ok { Ok(()) } else { Err(status) }
    })
}

/// Reads how a runner is doing. Call palitra_stats_init first, or set the size of the struct; as much is written.
/// Every job that was submitted is queued, running or has ended: submitted is the sum of the others. No figure but
/// running and queued ever goes back.
///
/// Answers PALITRA_OK; PALITRA_INVALID_ARGUMENT for a NULL out or a size that no version of the struct has;
/// PALITRA_INVALID_HANDLE, PALITRA_FORKED. Works after a shutdown.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn palitra_runner_stats(runner: palitra_runner, out: *mut palitra_stats) -> palitra_status {
    enter(|| {
        let stats = handle::with_core(runner, |core| core.check_process().map(|()| core.stats()))?;
        out_options!(
            out,
            palitra_stats {
                size: 0,
                threads: stats.threads,
                submitted: stats.submitted,
                running: stats.running,
                queued: stats.queued,
                succeeded: stats.succeeded,
                failed: stats.failed,
                panicked: stats.panicked,
                cancelled: stats.cancelled,
                deadline: stats.deadline,
                longest_poll_ns: u64::try_from(stats.longest_poll.as_nanos()).unwrap_or(u64::MAX),
            }
        )
    })
}

/// Shuts a runner down: refuses new work, lets jobs finish for the grace (negative: as long as they take),
/// cancels the rest, finishes every token, wakes every waiter and joins the threads. Does not free the handle.
///
/// What is in flight has its grace wherever it is polled, also a palitra_runner_run on another thread. A job may
/// submit to its own runner until the grace is over. No job begins after that.
///
/// Returns PALITRA_OK; PALITRA_PENDING where something still held a thread a second after the grace: a job that never
/// yields, a first poll, a blocking part of a job, a callback, the destructor of a state. Then every token has finished,
/// no callback begins any more, and the user data of those that were due has been freed. A callback that was under way
/// may go on. The runner ends by itself when the thread comes back; called again, this waits again for its grace and a
/// second, and returns PALITRA_OK once that is so. PALITRA_WOULD_DEADLOCK from a job of this runner, where nothing is
/// done. PALITRA_INVALID_HANDLE, PALITRA_FORKED. May be called by several threads at once. Replies of finished tokens
/// stay readable.
#[unsafe(no_mangle)]
pub extern "C" fn palitra_runner_shutdown(runner: palitra_runner, grace_ns: i64) -> palitra_status {
    enter(|| status_of(handle::runner(runner)?.shutdown(argument::timeout(grace_ns))))
}

/// Frees a runner, after shutting it down with a grace of 0: the handle is stale from now on. It waits a second at the
/// most, and not again after a shutdown that returned PALITRA_PENDING. From a job of this runner it returns at once
/// and the runner ends by itself. Freeing a runner twice, or one that is none,
/// does nothing; so does freeing a parent's runner in a forked child.
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
