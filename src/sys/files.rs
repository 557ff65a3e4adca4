//! Locks on files, which end with the process that holds them, however it ends.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

/// Locks the file for whoever has it open here; an error if somebody else has it locked, in this process or another.
/// The lock ends when the file is closed.
pub(crate) fn lock(file: &File) -> io::Result<()> {
    // SAFETY: the descriptor is open for as long as the file is borrowed.
    match unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
