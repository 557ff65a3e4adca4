//! Submit: running jobs on a runner, with or without waiting for them.

use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;
use std::time::Instant;

use crate::ffi::argument::{self, Jobs, Read, array, bytes, init, options, out_array, text};
use crate::ffi::boundary::{enter, enter_reply};
use crate::ffi::handle;
use crate::ffi::types::handle::{palitra_runner, palitra_token};
use crate::ffi::types::reply::palitra_reply;
use crate::ffi::types::status::palitra_status;
use crate::ffi::types::submit::{
    PALITRA_INLINE_ONLY, PALITRA_ITEM_EVENTS, PALITRA_NO_ITEMS, PALITRA_WILL_WAIT, palitra_submission,
    palitra_submit_options,
};
use crate::reply::Status;
use crate::runner::{EventsWanted, Payload, PolledInline, Submission, Submitter, Wanted};
use crate::token::Reading;

/// Sets the size of the struct, and the defaults, which are zeros. The macro below passes the
/// size: palitra_submit_options_init(&options).
///
/// @param options  the struct; NULL does nothing
/// @param size     its size in bytes; a size that no version of the struct has does nothing
#[unsafe(no_mangle)]
pub unsafe extern "C" fn palitra_submit_options_init(options: *mut palitra_submit_options, size: u32) {
    init!(options, size)
}

/// Runs a job, waits until it has finished, and fills its reply.
///
/// Without a timeout (PALITRA_FOREVER) the calling thread polls the job once. A job that is ready
/// at once needs no other thread; any other continues on the runner. With a timeout it does so
/// only for an inline job, one whose author declares that its first poll never blocks, such as
/// palitra.echo. Any other starts on the runner's thread, so that the timeout holds for a job that
/// never yields, too. An inline job that is ready at that poll leaves its reply, even if the
/// timeout has passed or is 0.
///
/// Nobody can read the items of a job that is run this way: the first item that it sends is
/// refused, and most jobs then fail with "nobody reads the stream any more". Submit such a job and
/// read its items with palitra_token_next.
///
/// @param runner      the runner
/// @param job         the name of the job
/// @param data        the payload, which is copied; may be NULL if the length is 0
/// @param len         the length of the payload in bytes
/// @param timeout_ns  when to cancel the job, counted from the call; any negative number means
///                    never
/// @param out         receives the reply, which the caller frees; may be NULL
///
/// @return how the job ended:
/// - PALITRA_OK: it succeeded
/// - PALITRA_JOB_FAILED: it returned an error
/// - PALITRA_JOB_PANICKED: it panicked
/// - PALITRA_BAD_PAYLOAD: the payload is not what the job takes
/// - PALITRA_DEADLINE: the timeout passed, and the job was cancelled
/// - PALITRA_CANCELLED: the runner was shut down before it finished
///
/// or why it did not run:
/// - PALITRA_INVALID_ARGUMENT: the name is NULL or not UTF-8, or the data is NULL and the length
///   is not 0
/// - PALITRA_INVALID_HANDLE: the runner is invalid
/// - PALITRA_UNKNOWN_JOB: there is no such job; the reply names the job, and the one with the most
///   similar name
/// - PALITRA_BUSY: the runner has as many jobs in flight as its options allow; or no handle is
///   left for the token: see Handles at the top
/// - PALITRA_TOO_LARGE: the payload exceeds the limit of the runner, or there is not enough memory
///   for a copy
/// - PALITRA_WOULD_DEADLOCK: the call came from a job or a callback of this runner
/// - PALITRA_SHUT_DOWN: the runner was shut down
/// - PALITRA_FORKED: the runner belongs to the parent process
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
            let job = match argument::job_or_reply(core, text!(job)?)? {
                Ok(job) => job,
                Err(unknown) => return Ok(unknown),
            };
            let payload = Payload::Borrowed(bytes!(data, len)?);
            core.run(job, payload, argument::timeout(timeout_ns))
        })
    })
}

/// Submits a job. Does not block, and may be called from a job or a callback of the same runner.
///
/// @param runner   the runner
/// @param job      the name of the job
/// @param data     the payload, which is copied; may be NULL if the length is 0
/// @param len      the length of the payload in bytes
/// @param options  NULL for the defaults
/// @param out      receives the token, which the caller frees; the id 0 unless the call returns
///                 PALITRA_OK. NULL: the job runs without a token, and items that it sends are
///                 refused.
///
/// @return PALITRA_OK, or why nothing was submitted:
/// - PALITRA_INVALID_ARGUMENT: the name is NULL or not UTF-8, the data is NULL and the length is
///   not 0, or the options are invalid
/// - PALITRA_INVALID_HANDLE: the runner, or the queue of the options, is invalid
/// - PALITRA_UNKNOWN_JOB: there is no such job; see palitra_job_nearest
/// - PALITRA_BUSY: the runner has as many jobs in flight as its options allow; or no handle is
///   left for the token: see Handles at the top
/// - PALITRA_TOO_LARGE: the payload exceeds the limit of the runner, or there is not enough memory
///   for a copy
/// - PALITRA_SHUT_DOWN: the runner was shut down. Its own jobs may submit until the grace period
///   has passed.
/// - PALITRA_WOULD_DEADLOCK: the call came from a job or a callback of this runner, with
///   PALITRA_WILL_WAIT
/// - PALITRA_FORKED: the runner, or the queue of the options, belongs to the parent process
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
            let job = argument::job(core, text!(job)?)?;
            let payload = Payload::Borrowed(bytes!(data, len)?);
            core.submit(Submitter::Host, job, payload, wanted(options!(options)?, out.is_some())?)
        })?;
        if let Some(out) = out {
            *out = handle::of_token(token.into_id());
        }
        Ok(())
    })
}

/// Submits many jobs in order, for less than half of what as many calls of palitra_runner_submit
/// cost, and wakes the runner once for all of them. Does not block, and may be called from a job or
/// a callback of the same runner.
///
/// At the first job that is refused it stops and returns why, as palitra_runner_submit would for
/// this one. The jobs before it were submitted; neither it nor those behind it were. So a host can
/// go on from there: wait for a job and try again after PALITRA_BUSY, or leave out the one that is
/// refused for what it is.
///
/// @param runner       the runner
/// @param submissions  the jobs, which may differ; may be NULL if there are none. A name that is
///                     the same pointer again is the same job.
/// @param n            how many there are
/// @param options      how to submit each of them; NULL for the defaults. The deadline counts from
///                     the call. The tag is not used: each job has its own.
/// @param tokens       receives n tokens in the order of the jobs, which the caller frees; the id 0
///                     for a job that was not submitted. NULL: the jobs run without tokens, and
///                     items that they send are refused.
/// @param taken        receives how many jobs were submitted; may be NULL
///
/// @return PALITRA_OK: all of them were, or there are none. Or why not all were submitted, of those
/// that palitra_runner_submit returns:
/// - PALITRA_INVALID_ARGUMENT: the array of jobs is NULL, an array is not aligned, there are more
///   jobs than handles for them, or the options are invalid: nothing was submitted. Or the name of
///   a job is NULL or not UTF-8, or its data is NULL and its length is not 0.
/// - PALITRA_INVALID_HANDLE: the runner, or the queue of the options, is invalid; nothing was
///   submitted
/// - PALITRA_UNKNOWN_JOB: there is no job of the name; see palitra_job_nearest
/// - PALITRA_BUSY: the runner has as many jobs in flight as its options allow; or no handle is
///   left for a token: see Handles at the top
/// - PALITRA_TOO_LARGE: a payload exceeds the limit of the runner, or there is not enough memory
///   for a copy
/// - PALITRA_SHUT_DOWN: the runner was shut down, maybe during the call
/// - PALITRA_WOULD_DEADLOCK: as from palitra_runner_submit; nothing was submitted
/// - PALITRA_FORKED: the runner, or the queue of the options, belongs to the parent process;
///   nothing was submitted
#[unsafe(no_mangle)]
pub unsafe extern "C" fn palitra_runner_submit_many(
    runner: palitra_runner,
    submissions: *const palitra_submission,
    n: usize,
    options: *const palitra_submit_options,
    tokens: *mut palitra_token,
    taken: Option<&mut MaybeUninit<usize>>,
) -> palitra_status {
    let mut submitted = 0;
    let status = enter(|| {
        argument::check_count(n)?;
        let submissions = array!(submissions, n);
        let mut tokens = out_array!(tokens, n)?;
        // Before anything can be refused: what is not filled below has the id 0.
        tokens.iter_mut().flat_map(|all| all.iter_mut()).for_each(|token| _ = token.write(palitra_token { id: 0 }));
        let submissions = submissions?;
        let wanted = wanted(options!(options)?, tokens.is_some())?;
        let mut jobs = Jobs::default();
        handle::with_core(runner, |core| {
            let submissions = submissions.iter().map(|submission| {
                let callee = jobs.find(submission.job, || argument::job(core, text!(submission.job)?))?;
                let payload = bytes!(submission.data, submission.len)?;
                Ok(Submission { callee, payload, tag: submission.tag })
            });
            core.submit_many(Submitter::Host, submissions, &wanted, |token| {
                if let Some(tokens) = &mut tokens {
                    tokens[submitted].write(handle::of_token(token.into_id()));
                }
                submitted += 1;
            })
        })
    });
    if let Some(taken) = taken {
        taken.write(submitted);
    }
    status
}

/// Submits a job after polling it once on the calling thread, as palitra_runner_run does, but
/// never waits for it. A job that is ready at once needs no other thread and gets no token.
///
/// From a job or a callback of the same runner this only submits; with the flag
/// PALITRA_INLINE_ONLY also a job that is not an inline job. The deadline of the options counts
/// from this call and does not interrupt the poll.
///
/// @param runner   the runner
/// @param job      the name of the job
/// @param data     the payload, which is copied; may be NULL if the length is 0
/// @param len      the length of the payload in bytes
/// @param options  NULL for the defaults
/// @param token    receives the token, which the caller frees, if the call returns
///                 PALITRA_PENDING; the id 0 otherwise. NULL: a pending job runs without a token.
/// @param reply    receives the reply, which the caller frees; may be NULL
///
/// @return one of these:
/// - PALITRA_PENDING: the job is pending and continues on the runner, as after
///   palitra_runner_submit
/// - how the job ended, as from palitra_runner_run: it was ready at once. The queue of the options
///   is not notified, and the items that the job sent are discarded.
/// - why nothing was submitted, as from palitra_runner_submit. The reply of PALITRA_UNKNOWN_JOB
///   names the job, and the one with the most similar name.
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
            let job = match argument::job_or_reply(core, text!(job)?)? {
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

/// The flags that say how a job is to be submitted.
const FLAGS: u32 = PALITRA_ITEM_EVENTS | PALITRA_NO_ITEMS | PALITRA_INLINE_ONLY | PALITRA_WILL_WAIT;

/// When a job is to end, which queue is to be notified, whether anybody can read its items and how
/// many may wait.
fn wanted(read: Read<palitra_submit_options>, named: bool) -> Result<Wanted, Status> {
    read.check()?;
    let given = read.options;
    let (items, unread) = (given.flags & PALITRA_ITEM_EVENTS != 0, given.flags & PALITRA_NO_ITEMS != 0);
    if given.flags & !FLAGS != 0 || (items && (unread || given.queue.id == 0)) {
        return Err(Status::InvalidArgument);
    }
    if given.stream_items > MOST_ITEMS || given.reserved != 0 {
        return Err(Status::InvalidArgument);
    }
    let events = match given.queue.id {
        0 => None,
        _ => Some(EventsWanted { queue: handle::weak_queue(given.queue)?, tag: given.tag, named, items }),
    };
    let deadline = argument::deadline(given.deadline_ns).and_then(|after| Instant::now().checked_add(after));
    let reading = Reading { unread: unread || !named, most_items: given.stream_items };
    let (inline_only, will_wait) = (given.flags & PALITRA_INLINE_ONLY != 0, given.flags & PALITRA_WILL_WAIT != 0);
    Ok(Wanted { deadline, events, reading, inline_only, will_wait })
}
