"""The codes of the HTTP jobs."""

from __future__ import annotations

import enum


class HttpCode(enum.IntEnum):
    """Why an HTTP job failed: the ``code`` of its :class:`JobError`. From 100 on that is the status of the server."""

    INVALID_REQUEST = 1
    """The request cannot be sent as it is: an invalid URL, method, header, field or path."""
    CANNOT_CONNECT = 2
    """The server or its proxy cannot be reached: the name is unknown, it refused, the network is down."""
    TIMEOUT = 3
    """The timeout of the request passed before the response was complete."""
    TOO_MANY_REDIRECTS = 4
    """More redirects than the request allows."""
    BODY_TOO_LARGE = 5
    """The body, unpacked if it comes compressed, is larger than the request allows."""
    TLS = 6
    """The certificate of the server is not trusted, or the encrypted connection failed."""
    BROKEN_RESPONSE = 7
    """The response is not HTTP, breaks its rules, or broke off."""
    NOT_TEXT = 8
    """The body is not text in its charset, or the charset is unknown."""
    FILE_EXISTS = 9
    """The file of a download exists."""
    NO_SPACE = 10
    """There is no space for the file of a download: the disk is full, or a quota is reached."""
    CANNOT_WRITE = 11
    """The file of a download cannot be written, for another reason."""
    CANNOT_READ = 12
    """A file that is to be sent cannot be read, or became shorter meanwhile."""
    BODY_FAILED = 13
    """The job that produces the body failed, or its items are not of the announced length."""
