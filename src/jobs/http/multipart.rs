//! The body of a form with files (RFC 7578), as browsers send it.

use std::hash::{BuildHasher, RandomState};
use std::path::Path;

use bytes::Bytes;
use hyper::header::HeaderValue;

use super::code;
use super::content::Piece;
use super::payload::Part;
use super::shown::short;
use crate::reply::JobError;

/// What is between the parts: so long and random that no part holds it.
pub(super) fn boundary() -> String {
    let random = || RandomState::new().hash_one(0);
    format!("palitra-{:016x}{:016x}", random(), random())
}

/// The body, in which files are yet to be read.
pub(super) fn pieces(parts: Vec<Part>, boundary: &str) -> Result<Vec<Piece>, JobError> {
    let mut pieces = Vec::with_capacity(3 * parts.len() + 1);
    for part in parts {
        pieces.push(Piece::Bytes(head(&part, boundary)?));
        pieces.push(match (part.value, part.file) {
            (Some(value), None) => Piece::Bytes(value.into()),
            (None, Some(path)) => Piece::File(path, 0),
            _ => {
                return Err(code::invalid(format_args!("the part {:?}: a \"value\" or a \"file\"", short(&part.name))));
            }
        });
        pieces.push(Piece::Bytes(Bytes::from_static(b"\r\n")));
    }
    pieces.push(Piece::Bytes(format!("--{boundary}--\r\n").into()));
    Ok(pieces)
}

fn head(part: &Part, boundary: &str) -> Result<Bytes, JobError> {
    let of_path = || part.file.as_ref().map(|path| Path::new(path).file_name().unwrap_or_default().to_string_lossy());
    let file_name = part.filename.as_deref().map(Into::into).or_else(of_path);
    let mut head = format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"", escaped(&part.name));
    if let Some(file_name) = file_name {
        head += &format!("; filename=\"{}\"", escaped(&file_name));
    }
    let usual = part.file.as_ref().map(|_| "application/octet-stream");
    if let Some(content_type) = part.content_type.as_deref().or(usual) {
        if HeaderValue::from_str(content_type).is_err() {
            return Err(code::invalid(format_args!(
                "the part {:?}: its content type holds a line break or another control \
                character",
                short(&part.name)
            )));
        }
        head += &format!("\r\nContent-Type: {content_type}");
    }
    Ok((head + "\r\n\r\n").into())
}

/// As browsers escape what would end the quotes or the line.
fn escaped(text: &str) -> String {
    text.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}
