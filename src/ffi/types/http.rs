//! The codes of the HTTP jobs, as numbers of C.

// The header has them in every build.
#![cfg_attr(not(feature = "http"), allow(dead_code))]

/// The request cannot be sent as it is: an invalid URL, method, header, field or path.
pub const PALITRA_HTTP_INVALID_REQUEST: i32 = 1;
/// The server or its proxy cannot be reached: the name is unknown, it refused, the network is down.
pub const PALITRA_HTTP_CANNOT_CONNECT: i32 = 2;
/// The timeout of the request passed before the response was complete.
pub const PALITRA_HTTP_TIMEOUT: i32 = 3;
/// More redirects than the request allows.
pub const PALITRA_HTTP_TOO_MANY_REDIRECTS: i32 = 4;
/// The body, unpacked if it comes compressed, is larger than the request allows.
pub const PALITRA_HTTP_BODY_TOO_LARGE: i32 = 5;
/// The certificate of the server is not trusted, or the encrypted connection failed.
pub const PALITRA_HTTP_TLS: i32 = 6;
/// The response is not HTTP, breaks its rules, or broke off.
pub const PALITRA_HTTP_BROKEN_RESPONSE: i32 = 7;
/// The body is not text in its charset, or the charset is unknown.
pub const PALITRA_HTTP_NOT_TEXT: i32 = 8;
/// The file of a download exists.
pub const PALITRA_HTTP_FILE_EXISTS: i32 = 9;
/// There is no space for the file of a download: the disk is full, or a quota is reached.
pub const PALITRA_HTTP_NO_SPACE: i32 = 10;
/// The file of a download cannot be written, for another reason.
pub const PALITRA_HTTP_CANNOT_WRITE: i32 = 11;
/// A file that is to be sent cannot be read, or became shorter meanwhile.
pub const PALITRA_HTTP_CANNOT_READ: i32 = 12;
/// The job that produces the body failed, or its items are not of the announced length.
pub const PALITRA_HTTP_BODY_FAILED: i32 = 13;
