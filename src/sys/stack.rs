//! Where a thread is on its stack, and where that ends.

/// Where the caller is on its stack, which grows downwards on every platform of Rust's that has threads and a libc.
#[inline(always)]
pub(crate) fn here() -> usize {
    let mark = 0_u8;
    (&raw const mark).addr()
}

/// A lowest address that leaves room wherever the caller is.
const UNKNOWN: usize = 1;

/// The lowest address of the calling thread's stack; never 0. Not known of a process's first thread, whose stack grows
/// to a limit of its own.
#[cfg(target_os = "linux")]
pub(crate) fn lowest() -> usize {
    // SAFETY: plain system calls.
    if unsafe { libc::syscall(libc::SYS_gettid) == libc::c_long::from(libc::getpid()) } {
        return UNKNOWN;
    }
    let mut attributes = std::mem::MaybeUninit::<libc::pthread_attr_t>::uninit();
    // SAFETY: asks about the thread that is running, which is alive, and fills the attributes if it returns 0.
    if unsafe { libc::pthread_getattr_np(libc::pthread_self(), attributes.as_mut_ptr()) } != 0 {
        return UNKNOWN;
    }
    let (mut address, mut size, mut guard) = (std::ptr::null_mut(), 0, 0);
    // SAFETY: the attributes were filled, and are destroyed once, after the last use.
    let known = unsafe {
        let known = libc::pthread_attr_getstack(attributes.as_ptr(), &mut address, &mut size) == 0
            && libc::pthread_attr_getguardsize(attributes.as_ptr(), &mut guard) == 0;
        libc::pthread_attr_destroy(attributes.as_mut_ptr());
        known
    };
    // The guard is a part of the stack in glibc; elsewhere this asks for a page more than is needed.
    if known { (address.addr() + guard).max(UNKNOWN) } else { UNKNOWN }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn lowest() -> usize {
    UNKNOWN
}
