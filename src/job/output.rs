//! What a job's result becomes: the reply.

use crate::reply::{Format, JobError, Reply};

/// Something that a job can return.
#[diagnostic::on_unimplemented(
    message = "a job cannot return a `{Self}`",
    label = "no reply can be made of this",
    note = "a job returns `()`, `Vec<u8>`, `String`, `&'static str`, `Json<T>` or `Framed<T>` where `T: Serialize`, or a `Result` of one of them"
)]
pub trait IntoReply {
    /// What the bytes of a success are.
    const FORMAT: Format;

    /// The reply that the host reads.
    fn into_reply(self) -> Reply;
}

impl IntoReply for () {
    const FORMAT: Format = Format::Bytes;

    fn into_reply(self) -> Reply {
        Reply::success(Self::FORMAT, Vec::new())
    }
}

impl IntoReply for Vec<u8> {
    const FORMAT: Format = Format::Bytes;

    fn into_reply(self) -> Reply {
        Reply::success(Self::FORMAT, self)
    }
}

impl IntoReply for String {
    const FORMAT: Format = Format::Text;

    fn into_reply(self) -> Reply {
        Reply::success(Self::FORMAT, self.into_bytes())
    }
}

impl IntoReply for &'static str {
    const FORMAT: Format = Format::Text;

    fn into_reply(self) -> Reply {
        // With room for the NUL that a text ends with.
        let mut bytes = Vec::with_capacity(self.len() + 1);
        bytes.extend_from_slice(self.as_bytes());
        Reply::success(Self::FORMAT, bytes)
    }
}

impl<T: IntoReply, E: Into<JobError>> IntoReply for Result<T, E> {
    const FORMAT: Format = T::FORMAT;

    fn into_reply(self) -> Reply {
        match self {
            Ok(value) => value.into_reply(),
            Err(error) => error.into().into(),
        }
    }
}
