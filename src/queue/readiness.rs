//! The readiness of a queue as a file descriptor: an eventfd, or a pipe where there is none.
//!
//! # Guarantees
//!
//! * Readable exactly while events wait, apart from the moment in which a producer or the consumer is between
//!   its count and its system call: no lost wake-up, and none for nothing.
//! * A system call only when the queue becomes filled or empty, not for every event.
//!
//! # Protocol
//!
//! `waiting` counts the events that were added and not taken. It may be negative for a moment: an event can be
//! taken before its producer has counted it. Each step from 0 to 1 puts one mark into the descriptor, each step
//! from above 0 to 0 or below takes one mark out. The steps alternate, so the marks are 0 or 1 when all have
//! been carried out, in whichever order: a mark that is to be taken out before it was put in is waited for.

use std::fs::File;
use std::io::{ErrorKind, Read, Result, Write};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicIsize, Ordering};

pub(super) struct Readiness {
    waiting: AtomicIsize,
    marks: Marks,
}

impl Readiness {
    pub(super) fn new() -> Result<Readiness> {
        Ok(Readiness { waiting: AtomicIsize::new(0), marks: Marks::new()? })
    }

    /// After one event was added.
    pub(super) fn added_one(&self) {
        if self.waiting.fetch_add(1, Ordering::AcqRel) == 0 {
            self.marks.put();
        }
    }

    /// After so many events were taken.
    pub(super) fn took(&self, events: usize) {
        let events = events as isize;
        let before = self.waiting.fetch_sub(events, Ordering::AcqRel);
        if before > 0 && before <= events {
            self.marks.take();
        }
    }

    /// Readable for ever, so that an event loop comes and learns of the end.
    pub(super) fn closed(&self) {
        self.marks.put();
    }

    pub(super) fn fd(&self) -> RawFd {
        self.marks.reader.as_raw_fd()
    }
}

/// A descriptor that is readable while marks are in it.
struct Marks {
    reader: File,
    #[cfg(not(target_os = "linux"))]
    writer: File,
}

/// What a mark is on the wire: an eventfd takes and gives 8 bytes, and here one at a time.
#[cfg(target_os = "linux")]
const MARK: [u8; 8] = 1_u64.to_ne_bytes();
#[cfg(not(target_os = "linux"))]
const MARK: [u8; 1] = [1];

impl Marks {
    #[cfg(target_os = "linux")]
    #[allow(unsafe_code)]
    fn new() -> Result<Marks> {
        use std::os::fd::FromRawFd;
        // SAFETY: a plain system call; it answers a new descriptor, which is owned from here on, or -1.
        let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK | libc::EFD_SEMAPHORE) };
        if fd < 0 {
            return Err(std::io::Error::last_os_error());
        }
        // SAFETY: see above.
        Ok(Marks { reader: File::from(unsafe { OwnedFd::from_raw_fd(fd) }) })
    }

    #[cfg(not(target_os = "linux"))]
    fn new() -> Result<Marks> {
        let (reader, writer) = std::io::pipe()?;
        Ok(Marks { reader: File::from(OwnedFd::from(reader)), writer: File::from(OwnedFd::from(writer)) })
    }

    fn put(&self) {
        #[cfg(target_os = "linux")]
        let mut writer = &self.reader;
        #[cfg(not(target_os = "linux"))]
        let mut writer = &self.writer;
        // Fails only beyond 2^64 marks, or in a pipe whose reader is gone: never with 2 at most.
        let _ = writer.write_all(&MARK);
    }

    fn take(&self) {
        let mut mark = MARK;
        // Its producer is between its count and its put, so this is short; a host that read the descriptor
        // itself, which it must not, is not waited for.
        for _ in 0..1_000_000 {
            match (&self.reader).read(&mut mark) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::yield_now(),
                _ => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsRawFd;

    fn is_readable(readiness: &Readiness) -> bool {
        let mut poll = libc::pollfd { fd: readiness.marks.reader.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        #[allow(unsafe_code)]
        // SAFETY: one pollfd, alive for the call.
        let ready = unsafe { libc::poll(&mut poll, 1, 0) };
        ready == 1
    }

    #[test]
    fn readable_exactly_while_events_wait() {
        let readiness = Readiness::new().unwrap();
        assert!(!is_readable(&readiness));
        readiness.added_one();
        readiness.added_one();
        assert!(is_readable(&readiness));
        readiness.took(1);
        assert!(is_readable(&readiness));
        readiness.took(1);
        assert!(!is_readable(&readiness));
    }

    #[test]
    fn an_event_may_be_taken_before_it_is_counted() {
        let readiness = Readiness::new().unwrap();
        readiness.took(1);
        readiness.added_one();
        assert!(!is_readable(&readiness));
        readiness.added_one();
        assert!(is_readable(&readiness));
    }
}
