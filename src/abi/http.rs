//! HTTP: the code in the reply of an HTTP job that failed, with the status PALITRA_JOB_FAILED. From
//! 100 on it is the status of the server: of the jobs whose reply has no room for it, a status
//! outside 200 to 299 is a failure.

#[cfg(feature = "http")]
use crate::ffi::types::http::*;
#[cfg(feature = "http")]
use crate::jobs::http::code;

// The numbers are those of the jobs.
#[cfg(feature = "http")]
const _: () = {
    assert!(PALITRA_HTTP_INVALID_REQUEST == code::INVALID_REQUEST);
    assert!(PALITRA_HTTP_CANNOT_CONNECT == code::CANNOT_CONNECT);
    assert!(PALITRA_HTTP_TIMEOUT == code::TIMEOUT);
    assert!(PALITRA_HTTP_TOO_MANY_REDIRECTS == code::TOO_MANY_REDIRECTS);
    assert!(PALITRA_HTTP_BODY_TOO_LARGE == code::BODY_TOO_LARGE);
    assert!(PALITRA_HTTP_TLS == code::TLS);
    assert!(PALITRA_HTTP_BROKEN_RESPONSE == code::BROKEN_RESPONSE);
    assert!(PALITRA_HTTP_NOT_TEXT == code::NOT_TEXT);
    assert!(PALITRA_HTTP_FILE_EXISTS == code::FILE_EXISTS);
    assert!(PALITRA_HTTP_NO_SPACE == code::NO_SPACE);
    assert!(PALITRA_HTTP_CANNOT_WRITE == code::CANNOT_WRITE);
    assert!(PALITRA_HTTP_CANNOT_READ == code::CANNOT_READ);
    assert!(PALITRA_HTTP_BODY_FAILED == code::BODY_FAILED);
};
