//! What a job's result becomes: the reply.

use std::borrow::Cow;

use crate::reply::{Format, JobError, Reply};

/// Something that a job can return.
#[diagnostic::on_unimplemented(
    message = "a job cannot return a `{Self}`",
    label = "no reply can be made of this",
    note = "a job returns `()`, `Vec<u8>`, `String`, `&'static str`, a `Cow` of these, `Json<T>` or `Framed<T>` where `T: Serialize`, a `serde_json::Value`, a `Reply`, or a `Result` of one of them"
)]
pub trait IntoReply {
    /// What the bytes of a success are.
    const FORMAT: Format;

    /// Whether they are JSON with bytes behind it.
    const IS_FRAMED: bool = false;

    /// Whether there are never any.
    const IS_EMPTY: bool = false;

    /// The reply that the host reads.
    fn into_reply(self) -> Reply;
}

impl IntoReply for () {
    const FORMAT: Format = Format::Bytes;
    const IS_EMPTY: bool = true;

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

impl IntoReply for Cow<'static, [u8]> {
    const FORMAT: Format = Format::Bytes;

    fn into_reply(self) -> Reply {
        self.into_owned().into_reply()
    }
}

impl IntoReply for Cow<'static, str> {
    const FORMAT: Format = Format::Text;

    fn into_reply(self) -> Reply {
        match self {
            Cow::Borrowed(text) => text.into_reply(),
            Cow::Owned(text) => text.into_reply(),
        }
    }
}

/// Without a copy, unless others share the bytes.
#[cfg(feature = "bytes")]
impl IntoReply for bytes::Bytes {
    const FORMAT: Format = Format::Bytes;

    fn into_reply(self) -> Reply {
        Vec::from(self).into_reply()
    }
}

/// As it is, in whichever format. The job is listed as one that returns bytes.
impl IntoReply for Reply {
    const FORMAT: Format = Format::Bytes;

    fn into_reply(self) -> Reply {
        self
    }
}

impl<T: IntoReply, E: Into<JobError>> IntoReply for Result<T, E> {
    const FORMAT: Format = T::FORMAT;
    const IS_FRAMED: bool = T::IS_FRAMED;
    const IS_EMPTY: bool = T::IS_EMPTY;

    fn into_reply(self) -> Reply {
        match self {
            Ok(value) => value.into_reply(),
            Err(error) => error.into().into(),
        }
    }
}
