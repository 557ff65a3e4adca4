//! Files that several may want to write, and locks on them, which end with the process that holds them, however it
//! ends.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Opens the file of this name to read and write it, or makes it. A link is not followed, but an error.
pub(crate) fn open_or_make(name: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false);
    options.custom_flags(libc::O_NOFOLLOW).open(name)
}

/// Locks the file for whoever has it open here; an error if somebody else has it locked, in this process or another.
/// The lock ends when the file is closed.
pub(crate) fn lock(file: &File) -> io::Result<()> {
    // SAFETY: the descriptor is open for as long as the file is borrowed.
    match unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
