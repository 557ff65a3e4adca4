"""What palitra raises, and how the library's statuses become exceptions.

Every exception of a native job is an :class:`Error`, has the status's name, and derives from the built-in type that a
caller would look for. Deadlines are :class:`TimeoutError` and cancellations :class:`CancelledError`, for native jobs
and coroutines alike.
"""

from __future__ import annotations

import asyncio
import builtins
import concurrent.futures
import os
import sys
from types import TracebackType
from typing import Any

__all__ = [
    "BadPayloadError",
    "BusyError",
    "CancelledError",
    "Error",
    "ForkedError",
    "InternalError",
    "InvalidArgumentError",
    "InvalidHandleError",
    "JobError",
    "JobPanickedError",
    "ShutDownError",
    "TimeoutError",
    "TooLargeError",
    "UnknownJobError",
    "WouldDeadlockError",
    "error_of",
    "keep_one_own_frame",
    "one_own_frame",
    "without_own_frames",
]


class Error(Exception):
    """A native job failed, or an operation on one.

    ``status`` is the name of the status, such as ``"PALITRA_BUSY"``; the message says what it means.
    """

    status = "PALITRA_INTERNAL"


class JobError(Error):
    """The job ran and returned an error: ``code`` is its number, ``message`` its text, ``details`` what it says to
    programs, a JSON value as Python has it; ``None`` if it says nothing."""

    status = "PALITRA_JOB_FAILED"

    def __init__(self, message: str, code: int = 0, details: Any = None) -> None:
        super().__init__(message, code)
        self.message = message
        self.code = code
        self.details = details

    def __str__(self) -> str:
        return f"{self.message} (code {self.code})" if self.message else f"code {self.code}"


class BadPayloadError(JobError, ValueError):
    """The job refused its payload before it started: JSON of another shape, text that is not UTF-8."""

    status = "PALITRA_BAD_PAYLOAD"

    def __str__(self) -> str:
        return self.message


class JobPanickedError(Error):
    """The job panicked, with this message. Its runner continues."""

    status = "PALITRA_JOB_PANICKED"


class InvalidArgumentError(Error, ValueError):
    """The library does not accept an argument."""

    status = "PALITRA_INVALID_ARGUMENT"


class InvalidHandleError(Error, RuntimeError):
    """The runner or token was freed."""

    status = "PALITRA_INVALID_HANDLE"


class UnknownJobError(Error, LookupError):
    """No job of that name is registered in the library."""

    status = "PALITRA_UNKNOWN_JOB"


class BusyError(Error):
    """As many jobs are in flight as the runner accepts, or as many coroutines were submitted and have not ended."""

    status = "PALITRA_BUSY"


class TooLargeError(Error, ValueError):
    """The payload is larger than the runner accepts."""

    status = "PALITRA_TOO_LARGE"


class WouldDeadlockError(Error, RuntimeError):
    """A wait on the thread that has to do the work, a runner's or a job's, would never end."""

    status = "PALITRA_WOULD_DEADLOCK"


class ShutDownError(Error, RuntimeError):
    """The runner was closed or shut down, or ended with the interpreter."""

    status = "PALITRA_SHUT_DOWN"


class ForkedError(Error, RuntimeError):
    """The runner was made before this process was forked from its parent."""

    status = "PALITRA_FORKED"


class InternalError(Error, RuntimeError):
    """The library failed, for example to start a thread."""


class CancelledError(asyncio.CancelledError, concurrent.futures.CancelledError):
    """The work was cancelled. The names of asyncio and of concurrent.futures both catch it."""

    status = "PALITRA_CANCELLED"


if sys.version_info >= (3, 11):
    TimeoutError = builtins.TimeoutError
else:

    class TimeoutError(asyncio.TimeoutError, concurrent.futures.TimeoutError, builtins.TimeoutError):
        """Before Python 3.11 there are three types of this name. Each of them catches this one."""


_ERRORS: dict[int, type[Error]] = {
    11: JobPanickedError,
    20: InvalidArgumentError,
    21: InvalidHandleError,
    22: UnknownJobError,
    23: BusyError,
    24: TooLargeError,
    25: WouldDeadlockError,
    26: ShutDownError,
    27: ForkedError,
    29: InternalError,
}


def error_of(status: int, code: int, message: str, details: Any = None) -> BaseException:
    """The exception for a status that is not PALITRA_OK."""
    if status == 10:
        return JobError(message, code, details)
    if status == 14:
        return BadPayloadError(message, code, details)
    if status == 12:
        return CancelledError(message)
    if status == 13:
        return TimeoutError(message)
    return _ERRORS.get(status, InternalError)(message)


_FOLDER = os.path.join(os.path.dirname(__file__), "")


def without_own_frames(traceback: TracebackType | None) -> TracebackType | None:
    """The traceback from the first frame on that is not this package's; all of it if there is none."""
    rest = traceback
    while rest is not None and rest.tb_frame.f_code.co_filename.startswith(_FOLDER):
        rest = rest.tb_next
    return rest or traceback


def keep_one_own_frame(error: BaseException) -> None:
    """To be called by the function that a program called, in its ``except``: of this package's frames, the error keeps
    that function's alone. They say nothing about the failure of a coroutine."""
    first = error.__traceback__
    if first is not None:
        first.tb_next = without_own_frames(first.tb_next)


class _OneOwnFrame:
    """As ``keep_one_own_frame``, around a block of that function."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if error is not None:
            keep_one_own_frame(error)


one_own_frame = _OneOwnFrame()
