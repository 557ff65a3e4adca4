//! The body of a request, as it is sent.

use bytes::Bytes;
use http_body_util::Full;

pub(super) type Content = Full<Bytes>;
