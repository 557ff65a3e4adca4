/// The codes of the HTTP jobs: error::code() of one that failed with Status::job_failed.
///
///     catch (const palitra::error& failed) {
///         if (failed.code() == palitra::http::cannot_connect) ...
///     }
///
/// From 100 on the code is the status of the server.
#ifndef PALITRA_HTTP_HPP
#define PALITRA_HTTP_HPP

#include <palitra.h>

namespace palitra::http {

/// Why an HTTP job failed; the numbers of palitra.h.
enum Code : int {
    /// The request cannot be sent as it is: an invalid URL, method, header, field or path.
    invalid_request = PALITRA_HTTP_INVALID_REQUEST,
    /// The server or its proxy cannot be reached: the name is unknown, it refused, the network is down.
    cannot_connect = PALITRA_HTTP_CANNOT_CONNECT,
    /// The timeout of the request passed before the response was complete.
    timeout = PALITRA_HTTP_TIMEOUT,
    /// More redirects than the request allows.
    too_many_redirects = PALITRA_HTTP_TOO_MANY_REDIRECTS,
    /// The body, unpacked if it comes compressed, is larger than the request allows.
    body_too_large = PALITRA_HTTP_BODY_TOO_LARGE,
    /// The certificate of the server is not trusted, or the encrypted connection failed.
    tls = PALITRA_HTTP_TLS,
    /// The response is not HTTP, breaks its rules, or broke off.
    broken_response = PALITRA_HTTP_BROKEN_RESPONSE,
    /// The body is not text in its charset, or the charset is unknown.
    not_text = PALITRA_HTTP_NOT_TEXT,
    /// The file of a download exists.
    file_exists = PALITRA_HTTP_FILE_EXISTS,
    /// There is no space for the file of a download: the disk is full, or a quota is reached.
    no_space = PALITRA_HTTP_NO_SPACE,
    /// The file of a download cannot be written, for another reason.
    cannot_write = PALITRA_HTTP_CANNOT_WRITE,
    /// A file that is to be sent cannot be read, or became shorter meanwhile.
    cannot_read = PALITRA_HTTP_CANNOT_READ,
    /// The job that produces the body failed, or its items are not of the announced length.
    body_failed = PALITRA_HTTP_BODY_FAILED
};

} // namespace palitra::http

#endif
