//! A descriptor that is readable while marks are in it.

use std::fs::File;
use std::io::{Read, Result, Write};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use super::Marks;

pub(in crate::queue) struct Descriptor {
    reader: File,
    #[cfg(not(target_os = "linux"))]
    writer: File,
}

/// What a mark is on the wire: an eventfd adds up numbers of 8 bytes and gives their sum.
#[cfg(target_os = "linux")]
const MARK: [u8; 8] = 1_u64.to_ne_bytes();
#[cfg(not(target_os = "linux"))]
const MARK: [u8; 1] = [1];

impl Descriptor {
    #[cfg(target_os = "linux")]
    #[allow(unsafe_code)]
    pub(super) fn new() -> Result<Descriptor> {
        use std::os::fd::FromRawFd;
        // SAFETY: a plain system call; it returns a new descriptor, which is owned from here on, or -1.
        let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
        if fd < 0 {
            return Err(std::io::Error::last_os_error());
        }
        // SAFETY: see above.
        Ok(Descriptor { reader: File::from(unsafe { OwnedFd::from_raw_fd(fd) }) })
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn new() -> Result<Descriptor> {
        let (reader, writer) = std::io::pipe()?;
        Ok(Descriptor { reader: File::from(OwnedFd::from(reader)), writer: File::from(OwnedFd::from(writer)) })
    }

    pub(super) fn fd(&self) -> RawFd {
        self.reader.as_raw_fd()
    }
}

impl Marks for Descriptor {
    fn put(&self) {
        #[cfg(target_os = "linux")]
        let mut writer = &self.reader;
        #[cfg(not(target_os = "linux"))]
        let mut writer = &self.writer;
        // Fails only beyond 2^64 marks, or in a pipe whose reader is gone: never with the few that there are.
        let _ = writer.write_all(&MARK);
    }

    fn clear(&self) {
        // A pipe's marks are counted; who has the turn takes them out.
        if cfg!(target_os = "linux") {
            self.take(1);
        }
    }

    fn take(&self, marks: u32) {
        // One reading empties an eventfd. A host that read the descriptor itself, which it must not, leaves nothing.
        let readings = if cfg!(target_os = "linux") { 1 } else { marks };
        for _ in 0..readings {
            let mut mark = MARK;
            let _ = (&self.reader).read(&mut mark);
        }
    }
}
