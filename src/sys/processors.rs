//! How many processors a thread may use at a time.

use std::sync::atomic::{AtomicU8, Ordering};
use std::thread::available_parallelism;

/// Whether the process may use the time of several processors; 0: nobody has asked yet. Threads that ask at the same
/// time all find out. In a OnceLock, a child that is forked meanwhile would wait forever for the one that does.
static QUOTA: AtomicU8 = AtomicU8::new(0);
const ONE: u8 = 1;
const SEVERAL: u8 = 2;

/// Whether this thread may run on several processors, and its process may use the time of more than one.
pub(crate) fn are_several() -> bool {
    may_use_several() && quota() == SEVERAL
}

/// That of a control group is read from files: once. Only where the thread itself may use several processors, as
/// available_parallelism counts those of the thread that asks first.
fn quota() -> u8 {
    match QUOTA.load(Ordering::Relaxed) {
        0 => {
            let several = available_parallelism().is_ok_and(|processors| processors.get() > 1);
            let quota = if several { SEVERAL } else { ONE };
            QUOTA.store(quota, Ordering::Relaxed);
            quota
        }
        known => known,
    }
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
