//! Bodies that come compressed, as they are asked for unless the host asks for something else.
//!
//! A few bytes may unpack to gigabytes. So they are unpacked piece by piece, and who reads the pieces stops when there
//! are too many of them.

use std::io::{self, BufRead, Read};

use brotli_decompressor::{BrotliDecoderParameter, Decompressor as Brotli};
use bytes::{Buf, Bytes};
use flate2::bufread::MultiGzDecoder;
use hyper::header::{CONTENT_ENCODING, HeaderMap};
use zstd::stream::read::Decoder as Zstd;

/// What servers are told to send if they like.
pub(super) const ACCEPTED: &str = "gzip, br, zstd";
/// The most that is unpacked at once.
const PIECE: usize = 32 << 10;
/// What brotli reads at once of what has come.
const BROTLI_BUFFER: usize = 4 << 10;
/// The largest window of zstd as a coding of HTTP (RFC 9659): 8 MiB. Others could ask for two gigabytes.
const LARGEST_ZSTD_WINDOW: u32 = 23;

/// A compressed body, of which some has come.
pub(super) struct Unpacker {
    decoder: Decoder,
    scratch: Box<[u8]>,
}

enum Decoder {
    Gzip(Box<MultiGzDecoder<Arrived>>),
    Brotli(Box<Brotli<Arrived>>),
    Zstd(Box<Zstd<'static, Arrived>>),
}

/// What unpacking came to.
pub(super) enum Piece {
    Bytes(Bytes),
    /// More must come before there is a piece.
    Hungry,
    End,
}

impl Unpacker {
    /// For the coding that the headers name; `None` if there is none, or one that nobody asked for.
    pub(super) fn new(headers: &HeaderMap) -> io::Result<Option<Unpacker>> {
        let Some(coding) = headers.get(CONTENT_ENCODING).and_then(|coding| coding.to_str().ok()) else {
            return Ok(None);
        };
        let arrived = Arrived::default();
        let decoder = match coding.trim().to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => Decoder::Gzip(Box::new(MultiGzDecoder::new(arrived))),
            "br" => {
                let mut brotli = Brotli::new(arrived, BROTLI_BUFFER);
                // As a coding of HTTP (RFC 7932) it has windows of up to 16 MiB. Its library would take a gigabyte.
                brotli.set_parameter(BrotliDecoderParameter::BROTLI_DECODER_PARAM_LARGE_WINDOW, 0);
                Decoder::Brotli(Box::new(brotli))
            }
            "zstd" => {
                let mut zstd = Zstd::with_buffer(arrived)?;
                zstd.window_log_max(LARGEST_ZSTD_WINDOW)?;
                Decoder::Zstd(Box::new(zstd))
            }
            _ => return Ok(None),
        };
        Ok(Some(Unpacker { decoder, scratch: vec![0; PIECE].into() }))
    }

    /// The next bytes have come. Those before are used up.
    pub(super) fn arrived(&mut self, bytes: Bytes) {
        self.input().bytes = bytes;
    }

    /// No more come.
    pub(super) fn ended(&mut self) {
        self.input().ended = true;
    }

    /// Unpacks some of what has come.
    pub(super) fn next(&mut self) -> io::Result<Piece> {
        let read = match &mut self.decoder {
            Decoder::Gzip(decoder) => decoder.read(&mut self.scratch),
            Decoder::Brotli(decoder) => decoder.read(&mut self.scratch),
            Decoder::Zstd(decoder) => decoder.read(&mut self.scratch),
        };
        match read {
            Ok(0) => Ok(Piece::End),
            Ok(length) => Ok(Piece::Bytes(Bytes::copy_from_slice(&self.scratch[..length]))),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Piece::Hungry),
            Err(error) => Err(error),
        }
    }

    fn input(&mut self) -> &mut Arrived {
        match &mut self.decoder {
            Decoder::Gzip(decoder) => decoder.get_mut(),
            Decoder::Brotli(decoder) => decoder.get_mut(),
            Decoder::Zstd(decoder) => decoder.get_mut(),
        }
    }
}

/// What has come and is not unpacked yet. Reading from it blocks nobody: it fails until more comes.
#[derive(Default)]
struct Arrived {
    bytes: Bytes,
    ended: bool,
}

impl BufRead for Arrived {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.bytes.is_empty() && !self.ended {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(&self.bytes)
    }

    fn consume(&mut self, length: usize) {
        self.bytes.advance(length);
    }
}

impl Read for Arrived {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.fill_buf()?.read(buffer)?;
        self.consume(length);
        Ok(length)
    }
}
