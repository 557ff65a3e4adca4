//! Messages that wait until their host asks for them: for a language whose code no thread of the library may run.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TryRecvError, TrySendError, bounded};
use serde::Serialize;

use crate::current::works_for_any;
use crate::deadline::Until;
use crate::reply::{Format, Reply, Status};
use crate::sys::fork::PerProcess;

/// How many messages wait, unless the host says another number.
const USUAL: usize = 1024;

/// The most that it may say.
pub(crate) const MOST: usize = 1 << 20;

/// Where the host reads. Kept when the collecting has ended, for the messages that still wait.
static RECEIVER: PerProcess<Mutex<Option<Receiver<Reply>>>> = PerProcess::new();

#[derive(Serialize)]
struct Message<'a> {
    level: usize,
    target: &'a str,
    message: &'a str,
}

/// Collects the messages up to this level, at most so many (0: as many as usual), and drops the sink that had them
/// before. Those for which there is no room are counted, and the count is a message once there is.
pub(crate) fn collect(level: usize, most: usize) -> Result<(), Status> {
    let (sender, receiver) = bounded(if most == 0 { USUAL } else { most });
    let lost = AtomicU64::new(0);
    super::set(
        level,
        Some(Box::new(move |level, target, message| add(&sender, &lost, &Message { level, target, message }))),
    )?;
    if level > 0 {
        *RECEIVER.get().lock().unwrap_or_else(PoisonError::into_inner) = Some(receiver);
    }
    Ok(())
}

fn add(sender: &Sender<Reply>, lost: &AtomicU64, message: &Message<'_>) {
    let missing = lost.swap(0, Ordering::Relaxed);
    if missing > 0 {
        let text = format!("{missing} messages were lost: nobody read those before them");
        let report = Message { level: 2, target: "palitra", message: &text };
        if send(sender, &report).is_err() {
            lost.fetch_add(missing, Ordering::Relaxed);
        }
    }
    if send(sender, message).is_err() {
        lost.fetch_add(1, Ordering::Relaxed);
    }
}

fn send(sender: &Sender<Reply>, message: &Message<'_>) -> Result<(), TrySendError<Reply>> {
    // Text and numbers: it can be written.
    let json = serde_json::to_vec(message).unwrap_or_default();
    sender.try_send(Reply::success(Format::Json, json))
}

/// The next message. [`Status::Pending`] if none has come by `until`, [`Status::End`] if none will,
/// [`Status::WouldDeadlock`] instead of blocking a thread of a runner.
pub(crate) fn next(until: Until) -> Result<Reply, Status> {
    let receiver = RECEIVER.get().lock().unwrap_or_else(PoisonError::into_inner).clone().ok_or(Status::End)?;
    match receiver.try_recv() {
        Ok(message) => return Ok(message),
        Err(TryRecvError::Disconnected) => return Err(Status::End),
        // Not a wait with a deadline that has passed: that one gives the processor away first.
        Err(TryRecvError::Empty) if matches!(until, Until::Now) => return Err(Status::Pending),
        Err(TryRecvError::Empty) if works_for_any() => return Err(Status::WouldDeadlock),
        Err(TryRecvError::Empty) => {}
    }
    match until.instant() {
        None => receiver.recv().or(Err(Status::End)),
        Some(end) => receiver.recv_deadline(end).map_err(|error| match error {
            RecvTimeoutError::Timeout => Status::Pending,
            RecvTimeoutError::Disconnected => Status::End,
        }),
    }
}
