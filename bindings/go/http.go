package palitra

// The codes of the HTTP jobs.

/*
#include "native.h"
*/
import "C"

// Why an HTTP job failed: the Code of its [JobError]. From 100 on it is the status of the server.
const (
	// The request cannot be sent as it is: an invalid URL, method, header, field or path.
	HTTPInvalidRequest int32 = C.PALITRA_HTTP_INVALID_REQUEST
	// The server or its proxy cannot be reached: the name is unknown, it refused, the network is down.
	HTTPCannotConnect int32 = C.PALITRA_HTTP_CANNOT_CONNECT
	// The timeout of the request passed before the response was complete.
	HTTPTimeout int32 = C.PALITRA_HTTP_TIMEOUT
	// More redirects than the request allows.
	HTTPTooManyRedirects int32 = C.PALITRA_HTTP_TOO_MANY_REDIRECTS
	// The body, unpacked if it comes compressed, is larger than the request allows.
	HTTPBodyTooLarge int32 = C.PALITRA_HTTP_BODY_TOO_LARGE
	// The certificate of the server is not trusted, or the encrypted connection failed.
	HTTPTLS int32 = C.PALITRA_HTTP_TLS
	// The response is not HTTP, breaks its rules, or broke off.
	HTTPBrokenResponse int32 = C.PALITRA_HTTP_BROKEN_RESPONSE
	// The body is not text in its charset, or the charset is unknown.
	HTTPNotText int32 = C.PALITRA_HTTP_NOT_TEXT
	// The file of a download exists.
	HTTPFileExists int32 = C.PALITRA_HTTP_FILE_EXISTS
	// There is no space for the file of a download: the disk is full, or a quota is reached.
	HTTPNoSpace int32 = C.PALITRA_HTTP_NO_SPACE
	// The file of a download cannot be written, for another reason.
	HTTPCannotWrite int32 = C.PALITRA_HTTP_CANNOT_WRITE
	// A file that is to be sent cannot be read, or became shorter meanwhile.
	HTTPCannotRead int32 = C.PALITRA_HTTP_CANNOT_READ
	// The job that produces the body failed, or its items are not of the announced length.
	HTTPBodyFailed int32 = C.PALITRA_HTTP_BODY_FAILED
)
