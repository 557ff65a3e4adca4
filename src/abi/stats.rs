//! Stats: how a runner is doing.

use crate::ffi::argument::{init, out_options};
use crate::ffi::boundary::enter;
use crate::ffi::handle;
use crate::ffi::types::handle::palitra_runner;
use crate::ffi::types::stats::palitra_stats;
use crate::ffi::types::status::palitra_status;

/// Sets the size of the struct, and everything else to 0. The macro below passes the size:
/// palitra_stats_init(&stats).
///
/// @param stats  the struct; NULL does nothing
/// @param size   its size in bytes; a size that no version of the struct has does nothing
#[unsafe(no_mangle)]
pub unsafe extern "C" fn palitra_stats_init(stats: *mut palitra_stats, size: u32) {
    init!(stats, size)
}

/// Reads the figures of a runner. Works after a shutdown, too.
///
/// @param runner  the runner
/// @param out     receives the figures. Its size must be set, by palitra_stats_init or by hand; as
///                many bytes are written.
///
/// @return one of these:
/// - PALITRA_OK
/// - PALITRA_INVALID_ARGUMENT: out is NULL, or no version of the struct has its size
/// - PALITRA_INVALID_HANDLE: the runner is invalid
/// - PALITRA_FORKED: the runner belongs to the parent process
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
