//! A descriptor that is readable while marks are in it: an eventfd, or a pipe where there is none.

use std::fs::File;
use std::io::{Read, Result, Write};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

pub(crate) struct EventFd {
    reader: File,
    #[cfg(not(target_os = "linux"))]
    writer: File,
}

/// What a mark is on the wire: an eventfd adds up numbers of 8 bytes, and a read returns their sum.
#[cfg(target_os = "linux")]
const MARK: [u8; 8] = 1_u64.to_ne_bytes();
#[cfg(not(target_os = "linux"))]
const MARK: [u8; 1] = [1];

impl EventFd {
    /// Whether one read takes out every mark; elsewhere each takes one.
    pub(crate) const ADDS_UP: bool = cfg!(target_os = "linux");

    /// Without a mark. Fails if the system refuses the descriptor.
    #[cfg(target_os = "linux")]
    pub(crate) fn new() -> Result<EventFd> {
        use std::os::fd::FromRawFd;
        // SAFETY: a plain system call; it returns a new descriptor, which is owned from here on, or -1.
        let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
        if fd < 0 {
            return Err(std::io::Error::last_os_error());
        }
        // SAFETY: see above.
        Ok(EventFd { reader: File::from(unsafe { OwnedFd::from_raw_fd(fd) }) })
    }

    #[cfg(not(target_os = "linux"))]
    pub(crate) fn new() -> Result<EventFd> {
        let (reader, writer) = std::io::pipe()?;
        Ok(EventFd { reader: File::from(OwnedFd::from(reader)), writer: File::from(OwnedFd::from(writer)) })
    }

    pub(crate) fn fd(&self) -> RawFd {
        self.reader.as_raw_fd()
    }

    /// Adds a mark, which wakes whoever waits for the descriptor.
    pub(crate) fn put(&self) {
        #[cfg(target_os = "linux")]
        let mut writer = &self.reader;
        #[cfg(not(target_os = "linux"))]
        let mut writer = &self.writer;
        // Fails only beyond 2^64 marks, or in a pipe whose reader is gone: never with the few that there are.
        let _ = writer.write_all(&MARK);
    }

    /// Takes out all marks that are in: `marks` of them. Waits in a pipe that holds fewer.
    pub(crate) fn take(&self, marks: u32) {
        // One read empties an eventfd. A host that read the descriptor itself, which it must not, leaves nothing.
        let reads = if EventFd::ADDS_UP { 1 } else { marks };
        for _ in 0..reads {
            let mut mark = MARK;
            let _ = (&self.reader).read(&mut mark);
        }
    }

    /// Whether it is readable now.
    #[cfg(all(test, not(palitra_model)))]
    pub(crate) fn is_readable(&self) -> bool {
        let mut poll = libc::pollfd { fd: self.fd(), events: libc::POLLIN, revents: 0 };
        // SAFETY: one pollfd, alive for the call.
        unsafe { libc::poll(&mut poll, 1, 0) == 1 }
    }
}

#[cfg(all(test, not(palitra_model)))]
mod tests {
    use super::*;

    #[test]
    fn it_is_readable_while_marks_are_in() {
        let descriptor = EventFd::new().unwrap();
        assert!(!descriptor.is_readable());
        descriptor.put();
        descriptor.put();
        assert!(descriptor.is_readable());
        descriptor.take(2);
        assert!(!descriptor.is_readable());
    }
}
