//! The body of a request: bytes, bytes and files one after the other, or what a job produces; it is never held whole.
//!
//! A file is read on a thread of its own while it is sent. Its length is known before, and exactly so much of it is
//! sent: a file that has become shorter breaks the request off, and what is added meanwhile is not sent.

use std::fs::File;
use std::io::{self, Read};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::mpsc;

use super::background;
use super::produced::{Produced, Producer};

/// So much of a file is read at a time.
const CHUNK: usize = 64 << 10;
/// Chunks that wait for the connection.
const WAITING: usize = 4;

/// What is sent, as often as need be.
#[derive(Clone, Debug)]
pub(super) enum Source {
    Bytes(Bytes),
    Pieces(Arc<[Piece]>),
    Job(Arc<Producer>),
}

/// A part of what is sent.
#[derive(Debug)]
pub(super) enum Piece {
    Bytes(Bytes),
    /// The file at this path, and its length once it has been measured.
    File(String, u64),
}

impl Source {
    pub(super) fn empty() -> Source {
        Source::Bytes(Bytes::new())
    }

    /// Finds the lengths of the files.
    pub(super) async fn measure(pieces: Vec<Piece>) -> Result<Source, Unreadable> {
        let lost = || Err(Unreadable { path: String::new(), error: io::Error::other("its thread ended") });
        let measure = move || pieces.into_iter().map(measured).collect::<Result<_, _>>();
        Ok(Source::Pieces(background::compute(measure).await.unwrap_or_else(lost)?))
    }

    /// The body of one request.
    pub(super) fn content(&self) -> Content {
        match self {
            Source::Bytes(bytes) => Content::Bytes(Some(bytes.clone()).filter(|bytes| !bytes.is_empty())),
            Source::Pieces(pieces) => {
                let left = pieces.iter().map(Piece::length).sum();
                Content::Pieces { pieces: Arc::clone(pieces), next: 0, reading: None, left }
            }
            Source::Job(producer) => Content::Job(producer.body()),
        }
    }
}

impl Piece {
    fn length(&self) -> u64 {
        match self {
            Piece::Bytes(bytes) => bytes.len() as u64,
            Piece::File(_, length) => *length,
        }
    }
}

fn measured(piece: Piece) -> Result<Piece, Unreadable> {
    let Piece::File(path, _) = piece else { return Ok(piece) };
    match std::fs::metadata(&path) {
        Ok(metadata) if metadata.is_file() => Ok(Piece::File(path, metadata.len())),
        Ok(_) => Err(Unreadable { path, error: io::Error::other("it is no regular file") }),
        Err(error) => Err(Unreadable { path, error }),
    }
}

/// The body of one request, as it is sent.
pub(super) enum Content {
    Bytes(Option<Bytes>),
    Pieces {
        pieces: Arc<[Piece]>,
        /// The piece after the one that is being read.
        next: usize,
        reading: Option<mpsc::Receiver<io::Result<Bytes>>>,
        /// Bytes that are yet to be sent.
        left: u64,
    },
    Job(Produced),
}

/// A file that cannot be read, or not to the length that it had.
#[derive(Debug)]
pub(super) struct Unreadable {
    path: String,
    error: io::Error,
}

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the file {:?} cannot be read: {}", self.path, self.error)
    }
}

impl std::error::Error for Unreadable {}

/// An [`Unreadable`] file, or a job that is [`Unproduced`](super::produced::Unproduced).
pub(super) type Unsent = Box<dyn std::error::Error + Send + Sync>;

impl Body for Content {
    type Data = Bytes;
    type Error = Unsent;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Unsent>>> {
        let (pieces, next, reading, left) = match self.get_mut() {
            Content::Bytes(bytes) => return Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Content::Job(produced) => {
                let bytes = ready!(produced.poll_bytes(cx));
                return Poll::Ready(bytes.map(|bytes| bytes.map(Frame::data).map_err(Unsent::from)));
            }
            Content::Pieces { pieces, next, reading, left } => (pieces, next, reading, left),
        };
        loop {
            let bytes = match reading {
                None => match pieces.get(*next) {
                    None => return Poll::Ready(None),
                    Some(Piece::Bytes(bytes)) => {
                        *next += 1;
                        bytes.clone()
                    }
                    Some(Piece::File(path, length)) => {
                        *next += 1;
                        *reading = Some(read(path.clone(), *length));
                        continue;
                    }
                },
                Some(receiver) => match ready!(receiver.poll_recv(cx)) {
                    None => {
                        *reading = None;
                        continue;
                    }
                    Some(Ok(bytes)) => bytes,
                    Some(Err(error)) => return Poll::Ready(Some(Err(unreadable(pieces, *next, error).into()))),
                },
            };
            if !bytes.is_empty() {
                *left = left.saturating_sub(bytes.len() as u64);
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Content::Bytes(bytes) => bytes.is_none(),
            Content::Pieces { left, .. } => *left == 0,
            Content::Job(produced) => produced.left() == Some(0),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Content::Bytes(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, Bytes::len) as u64),
            Content::Pieces { left, .. } => SizeHint::with_exact(*left),
            Content::Job(produced) => produced.left().map_or_else(SizeHint::default, SizeHint::with_exact),
        }
    }
}

/// The piece before the next is the one that is being read.
fn unreadable(pieces: &[Piece], next: usize, error: io::Error) -> Unreadable {
    match pieces.get(next - 1) {
        Some(Piece::File(path, _)) => Unreadable { path: path.clone(), error },
        _ => Unreadable { path: String::new(), error },
    }
}

/// Reads so many bytes of a file, as they are taken.
fn read(path: String, length: u64) -> mpsc::Receiver<io::Result<Bytes>> {
    let (sender, receiver) = mpsc::channel(WAITING);
    let failing = sender.clone();
    let read = move || {
        if let Err(error) = send_all(&path, length, &sender) {
            let _ = sender.blocking_send(Err(error));
        }
    };
    if let Err(error) = background::spawn(read) {
        let _ = failing.try_send(Err(error));
    }
    receiver
}

fn send_all(path: &str, mut left: u64, sender: &mpsc::Sender<io::Result<Bytes>>) -> io::Result<()> {
    let mut file = File::open(path)?;
    while left > 0 {
        let mut chunk = vec![0; CHUNK.min(usize::try_from(left).unwrap_or(CHUNK))];
        let length = file.read(&mut chunk)?;
        if length == 0 {
            return Err(io::Error::other("it has become shorter"));
        }
        chunk.truncate(length);
        left -= length as u64;
        if sender.blocking_send(Ok(chunk.into())).is_err() {
            // Nobody takes it any more.
            return Ok(());
        }
    }
    Ok(())
}
