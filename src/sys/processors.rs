//! How many processors a thread may use at a time.

use std::sync::OnceLock;
use std::thread::available_parallelism;

/// Whether this thread may run on several processors, and its process may use the time of more than one.
pub(crate) fn are_several() -> bool {
    // The quota of a control group is read from files: once. Only where the thread itself may use several processors,
    // as available_parallelism counts those of the thread that asks first.
    static QUOTA: OnceLock<bool> = OnceLock::new();
    may_use_several() && *QUOTA.get_or_init(|| available_parallelism().is_ok_and(|processors| processors.get() > 1))
}

/// The one that this thread runs on, as of now. A read of memory, not a system call.
#[cfg(target_os = "linux")]
pub(crate) fn this() -> Option<u32> {
    // SAFETY: takes no argument and touches no memory of ours.
    u32::try_from(unsafe { libc::sched_getcpu() }).ok()
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn this() -> Option<u32> {
    None
}

#[cfg(target_os = "linux")]
fn may_use_several() -> bool {
    // SAFETY: a set of processors is an array of bits; zeros are the empty set.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: asks about the calling thread and fills the set, whose size it is given.
    let result = unsafe { libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &mut set) };
    // Refused where the machine has more processors than the set has room for.
    // SAFETY: reads the set.
    result != 0 || unsafe { libc::CPU_COUNT(&set) } > 1
}

#[cfg(not(target_os = "linux"))]
fn may_use_several() -> bool {
    true
}
