//! A file that is written while it is downloaded, on a thread of its own: a disk may block for long.
//!
//! Nobody sees half a file. It is written beside its place under a temporary name, and gets its own when all of it is
//! on the disk. What is given up is removed, unless it is to be resumed; then it stays as `NAME.part`, locked by
//! whoever writes it, and `NAME.part.from` says which version of which page it is a part of.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use super::background;
use crate::sys::files::{lock, open_or_make};

/// Chunks that wait for the disk. A slow disk slows the download.
const WAITING: usize = 8;
/// The longest note of where a part is from: a url and a validator are shorter.
const LONGEST_NOTE: u64 = 128 << 10;
/// How often a part is opened that others finish or remove meanwhile, each time just before it is locked.
const MOST_TRIES: u32 = 100;

/// Where a file goes, and how.
pub(super) struct Plan {
    pub(super) path: PathBuf,
    pub(super) overwrite: bool,
    pub(super) resume: bool,
}

/// What is there of an earlier download.
pub(super) struct Found {
    /// Its bytes.
    pub(super) length: u64,
    /// What it is a part of.
    pub(super) from: String,
}

/// The writing of one file. Dropped, it gives up.
pub(super) struct Writer {
    messages: mpsc::Sender<Message>,
    result: oneshot::Receiver<io::Result<()>>,
}

enum Message {
    /// The bytes that are there count or not, and what the file is a part of.
    Begin {
        keep: bool,
        from: Option<String>,
    },
    Bytes(Bytes),
    Finish,
}

impl Writer {
    /// Makes the file under its temporary name, or finds the part of an earlier download.
    pub(super) async fn new(plan: Plan) -> io::Result<(Writer, Option<Found>)> {
        let (messages, received) = mpsc::channel(WAITING);
        let (ready, made) = oneshot::channel();
        let result = background::spawn(move || match Part::open(plan) {
            Ok((part, found)) => {
                let _ = ready.send(Ok(found));
                part.live(received)
            }
            Err(error) => {
                let _ = ready.send(Err(error));
                Ok(())
            }
        })?;
        let found = made.await.unwrap_or_else(|_| Err(lost()))?;
        Ok((Writer { messages, result }, found))
    }

    /// Before the first bytes: whether those that were found are kept, and what the file is a part of, should it remain
    /// a part.
    pub(super) async fn begin(&mut self, keep: bool, from: Option<String>) -> io::Result<()> {
        self.send(Message::Begin { keep, from }).await
    }

    pub(super) async fn write(&mut self, bytes: Bytes) -> io::Result<()> {
        self.send(Message::Bytes(bytes)).await
    }

    /// Gives the file its name.
    pub(super) async fn finish(mut self) -> io::Result<()> {
        self.send(Message::Finish).await?;
        self.result.await.unwrap_or_else(|_| Err(lost()))
    }

    /// Gives up as a drop does, and waits until nothing is open any more: whoever tries again then finds no lock.
    pub(super) async fn give_up(self) {
        let Writer { messages, result } = self;
        drop(messages);
        // The failure of the thread itself may have been taken.
        if !result.is_terminated() {
            let _ = result.await;
        }
    }

    async fn send(&mut self, message: Message) -> io::Result<()> {
        if self.messages.send(message).await.is_ok() {
            return Ok(());
        }
        // The thread has ended before its time: it says why.
        let result = (&mut self.result).await.unwrap_or_else(|_| Err(lost()));
        Err(result.err().unwrap_or_else(lost))
    }
}

fn lost() -> io::Error {
    io::Error::other("the thread that wrote the file ended")
}

/// The file under its temporary name.
struct Part {
    plan: Plan,
    file: File,
    name: PathBuf,
    /// It stays if the download is given up.
    stays: bool,
}

impl Part {
    fn open(plan: Plan) -> io::Result<(Part, Option<Found>)> {
        match fs::symlink_metadata(&plan.path) {
            Ok(metadata) if metadata.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
            Ok(_) if !plan.overwrite => return Err(io::ErrorKind::AlreadyExists.into()),
            _ => {}
        }
        if !plan.resume {
            let (file, name) = create(&plan.path)?;
            return Ok((Part { plan, file, name, stays: false }, None));
        }
        let name = beside(&plan.path, "", ".part");
        let file = open_locked(&name)?;
        let length = file.metadata()?.len();
        let from = read_note(&beside(&plan.path, "", ".part.from"));
        let found = from.filter(|_| length > 0).map(|from| Found { length, from });
        Ok((Part { plan, file, name, stays: true }, found))
    }

    fn live(mut self, mut messages: mpsc::Receiver<Message>) -> io::Result<()> {
        let finished = self.write(&mut messages);
        let is_empty = || self.file.metadata().is_ok_and(|metadata| metadata.len() == 0);
        if !matches!(finished, Ok(true)) && (!self.stays || is_empty()) {
            let _ = remove(&self.name);
        }
        finished.map(|_| ())
    }

    /// Whether it was written to its end and has its name.
    fn write(&mut self, messages: &mut mpsc::Receiver<Message>) -> io::Result<bool> {
        while let Some(message) = messages.blocking_recv() {
            match message {
                Message::Begin { keep, from } => self.begin(keep, from)?,
                Message::Bytes(bytes) => self.file.write_all(&bytes)?,
                Message::Finish => return self.finish().map(|()| true),
            }
        }
        Ok(false)
    }

    fn begin(&mut self, keep: bool, from: Option<String>) -> io::Result<()> {
        if !keep {
            self.file.set_len(0)?;
        }
        self.file.seek(SeekFrom::End(0))?;
        if !self.plan.resume {
            return Ok(());
        }
        let note = beside(&self.plan.path, "", ".part.from");
        match from {
            Some(from) => fs::write(note, from),
            None if keep => Ok(()),
            None => {
                // Without a version to compare with, nobody could go on with it.
                self.stays = false;
                remove(&note)
            }
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        self.file.sync_all()?;
        if self.plan.overwrite {
            fs::rename(&self.name, &self.plan.path)?;
        } else {
            name_without_overwriting(&self.name, &self.plan.path)?;
        }
        if self.plan.resume {
            let _ = remove(&beside(&self.plan.path, "", ".part.from"));
        }
        // The name is on the disk when its folder is.
        let folder = self.plan.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let _ = File::open(folder.unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all());
        Ok(())
    }
}

/// Makes a file with a name that nobody else uses.
fn create(path: &Path) -> io::Result<(File, PathBuf)> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = beside(path, ".", &format!(".{}-{number}.part", std::process::id()));
        match File::options().write(true).create_new(true).open(&name) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
            Ok(file) => return Ok((file, name)),
        }
    }
}

/// Opens the part of this name, or makes it, for nobody else to write.
fn open_locked(name: &Path) -> io::Result<File> {
    let busy = || io::Error::new(io::ErrorKind::ResourceBusy, format!("somebody else is writing {}", name.display()));
    for _ in 0..MOST_TRIES {
        let file = open_or_make(name)?;
        lock(&file).map_err(|_| busy())?;
        // Whoever had the lock before may have given the file its own name, or removed it, after it was opened here.
        // While it is locked here nobody does.
        if has_name(&file, name)? {
            return Ok(file);
        }
    }
    Err(busy())
}

/// Whether the file is still the one of this name.
fn has_name(file: &File, name: &Path) -> io::Result<bool> {
    let file = file.metadata()?;
    match fs::symlink_metadata(name) {
        Ok(named) => Ok((named.dev(), named.ino()) == (file.dev(), file.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// The path with something before and behind the name of its file.
fn beside(path: &Path, before: &str, behind: &str) -> PathBuf {
    let mut name = OsString::from(before);
    name.push(path.file_name().unwrap_or_default());
    name.push(behind);
    path.with_file_name(name)
}

/// Fails if the name is taken meanwhile, where the file system has a way to notice.
fn name_without_overwriting(from: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(from, to) {
        Ok(()) => remove(from),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
        // A file system without links.
        Err(_) if fs::symlink_metadata(to).is_ok() => Err(io::ErrorKind::AlreadyExists.into()),
        Err(_) => fs::rename(from, to),
    }
}

fn read_note(name: &Path) -> Option<String> {
    let short = fs::metadata(name).is_ok_and(|metadata| metadata.len() <= LONGEST_NOTE);
    if short { fs::read_to_string(name).ok() } else { None }
}

fn remove(name: &Path) -> io::Result<()> {
    match fs::remove_file(name) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_part_that_was_opened_is_the_one_of_its_name_though_others_remove_it() {
        let name = std::env::temp_dir().join(format!("palitra-part-{}", std::process::id()));
        let rounds = || {
            for _ in 0..5_000 {
                match open_locked(&name) {
                    Ok(file) => {
                        assert!(has_name(&file, &name).unwrap(), "the file that was locked is no longer the part");
                        fs::remove_file(&name).unwrap();
                    }
                    Err(error) => assert_eq!(error.kind(), io::ErrorKind::ResourceBusy, "{error}"),
                }
            }
        };
        std::thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(rounds))));
        let _ = fs::remove_file(&name);
    }
}
