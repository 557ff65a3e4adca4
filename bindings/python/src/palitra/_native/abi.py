"""The C ABI of a palitra library, as ctypes has it: structs, signatures, and the check of the version.

The structs mirror include/palitra.h; a test compares every name, size and signature with it. In C a handle is a struct
of one 64-bit integer. Here it is that integer, which every 64-bit ABI passes the same way, and ctypes much faster.

Structs that most functions need are passed by their address, an integer, which ``c_void_p`` accepts: that takes a
quarter less time than ``byref``. :class:`ReplyAddress` and the other subclasses tell the test what the address points
to.

A function that may wait, or that works for long, releases the GIL. Short ones that never block keep it: releasing it
would take longer than they do.

What each job calls is called without a signature, through :meth:`Functions.prepared`: converting seven arguments takes
longer than the call itself.
"""

from __future__ import annotations

import ctypes
import os
from ctypes import (
    CFUNCTYPE,
    POINTER,
    Structure,
    c_char_p,
    c_int,
    c_int32,
    c_int64,
    c_size_t,
    c_uint32,
    c_uint64,
    c_void_p,
)
from typing import Any

from .._limits import FOREVER as FOREVER

ABI_VERSION = 1

OK = 0
PENDING = 1
END = 2
JOB_FAILED = 10
JOB_PANICKED = 11
CANCELLED = 12
DEADLINE = 13
BAD_PAYLOAD = 14
INVALID_ARGUMENT = 20
INVALID_HANDLE = 21
SHUT_DOWN = 26
FORKED = 27

BYTES = 0
TEXT = 1
JSON = 2

ITEM_EVENTS = 1
NO_ITEMS = 2
INLINE_ONLY = 4

Handle = c_uint64

CompleteFunction = CFUNCTYPE(None, Handle, c_int32, c_void_p)
LogFunction = CFUNCTYPE(None, c_int32, c_char_p, c_char_p, c_void_p)
ThreadFunction = CFUNCTYPE(None, c_void_p)
FreeFunction = CFUNCTYPE(None, c_void_p)


class Reply(Structure):
    _fields_ = [
        ("status", c_int32),
        ("code", c_int32),
        ("format", c_int32),
        ("data", c_void_p),
        ("len", c_size_t),
        ("owner", c_void_p),
    ]


class JobInfo(Structure):
    _fields_ = [("name", c_char_p), ("doc", c_char_p), ("input", c_int32), ("output", c_int32)]


class RunnerOptions(Structure):
    _fields_ = [
        ("size", c_uint32),
        ("worker_threads", c_uint32),
        ("max_blocking_threads", c_uint32),
        ("flags", c_uint32),
        ("thread_name", c_char_p),
        ("thread_stack_size", c_size_t),
        ("max_in_flight", c_size_t),
        ("max_payload", c_size_t),
        ("thread_start", ThreadFunction),
        ("thread_stop", ThreadFunction),
        ("thread_user_data", c_void_p),
        ("thread_free", FreeFunction),
        ("spin_limit_ns", c_int64),
        ("config", c_char_p),
    ]


class SubmitOptions(Structure):
    _fields_ = [
        ("size", c_uint32),
        ("flags", c_uint32),
        ("deadline_ns", c_int64),
        ("queue", Handle),
        ("tag", c_uint64),
        ("stream_items", c_uint32),
        ("reserved", c_uint32),
    ]


class Submission(Structure):
    _fields_ = [("job", c_char_p), ("data", c_void_p), ("len", c_size_t), ("tag", c_uint64)]


class Event(Structure):
    _fields_ = [("tag", c_uint64), ("token", Handle), ("status", c_int32)]


class Stats(Structure):
    _fields_ = [
        ("size", c_uint32),
        ("threads", c_uint32),
        ("submitted", c_uint64),
        ("running", c_uint64),
        ("queued", c_uint64),
        ("succeeded", c_uint64),
        ("failed", c_uint64),
        ("panicked", c_uint64),
        ("cancelled", c_uint64),
        ("deadline", c_uint64),
        ("longest_poll_ns", c_uint64),
    ]


class ReplyAddress(c_void_p):
    target = Reply


class HandleAddress(c_void_p):
    target = Handle


class OptionsAddress(c_void_p):
    target = SubmitOptions


class SubmissionsAddress(c_void_p):
    target = Submission


class EventsAddress(c_void_p):
    target = Event


class CountAddress(c_void_p):
    target = c_size_t


_STATUS = c_int32

#: These may wait or take long: the GIL is released.
_BLOCKING: dict[str, tuple[Any, list[Any]]] = {
    "palitra_runner_new": (_STATUS, [POINTER(RunnerOptions), POINTER(Handle)]),
    "palitra_runner_global": (_STATUS, [POINTER(Handle)]),
    "palitra_shutdown_global_runner": (_STATUS, [c_int64]),
    "palitra_runner_start": (
        _STATUS,
        [Handle, c_char_p, c_char_p, c_size_t, OptionsAddress, HandleAddress, ReplyAddress],
    ),
    "palitra_runner_submit": (
        _STATUS,
        [Handle, c_char_p, c_char_p, c_size_t, OptionsAddress, HandleAddress],
    ),
    "palitra_runner_submit_many": (
        _STATUS,
        [Handle, SubmissionsAddress, c_size_t, OptionsAddress, HandleAddress, CountAddress],
    ),
    "palitra_runner_wait": (_STATUS, [Handle, Handle, c_int64, ReplyAddress]),
    "palitra_runner_shutdown": (_STATUS, [Handle, c_int64]),
    "palitra_runner_free": (None, [Handle]),
    "palitra_token_next": (_STATUS, [Handle, c_int64, ReplyAddress]),
    "palitra_queue_next": (_STATUS, [Handle, c_int64, EventsAddress, c_size_t, CountAddress]),
    "palitra_job_describe": (_STATUS, [c_char_p, ReplyAddress]),
    "palitra_log_set": (_STATUS, [c_int32, LogFunction, c_void_p, FreeFunction]),
    "palitra_log_collect": (_STATUS, [c_int32, c_size_t]),
    "palitra_log_next": (_STATUS, [c_int64, ReplyAddress]),
}

#: These never block: the GIL is kept.
_SHORT: dict[str, tuple[Any, list[Any]]] = {
    "palitra_version": (c_char_p, []),
    "palitra_abi_version": (c_uint32, []),
    "palitra_status_name": (c_char_p, [_STATUS]),
    "palitra_status_message": (c_char_p, [_STATUS]),
    "palitra_job_count": (c_size_t, []),
    "palitra_job_at": (_STATUS, [c_size_t, POINTER(JobInfo)]),
    "palitra_reply_free": (None, [ReplyAddress]),
    "palitra_reply_details": (c_char_p, [ReplyAddress]),
    "palitra_job_nearest": (c_char_p, [c_char_p]),
    "palitra_configure": (_STATUS, [c_char_p]),
    "palitra_runner_options_init": (None, [POINTER(RunnerOptions), c_uint32]),
    "palitra_submit_options_init": (None, [POINTER(SubmitOptions), c_uint32]),
    "palitra_is_runner_alive": (ctypes.c_bool, []),
    "palitra_runner_is_alive": (ctypes.c_bool, [Handle]),
    "palitra_runner_stats": (_STATUS, [Handle, POINTER(Stats)]),
    "palitra_token_poll": (_STATUS, [Handle, ReplyAddress]),
    "palitra_token_cancel": (_STATUS, [Handle]),
    "palitra_token_progress": (_STATUS, [Handle, POINTER(c_uint64), POINTER(c_uint64)]),
    "palitra_token_free": (None, [Handle]),
    "palitra_queue_new": (_STATUS, [POINTER(Handle)]),
    "palitra_queue_fd": (c_int, [Handle]),
    "palitra_queue_close": (_STATUS, [Handle]),
    "palitra_queue_free": (None, [Handle]),
    "palitra_runner_register_queued": (_STATUS, [Handle, POINTER(JobInfo), Handle, c_uint64, c_size_t]),
    "palitra_call_payload": (_STATUS, [Handle, POINTER(c_void_p), POINTER(c_size_t)]),
    "palitra_call_notify": (_STATUS, [Handle, Handle, c_uint64]),
    "palitra_call_complete": (_STATUS, [Handle, _STATUS, c_int32, c_int32, c_char_p, c_size_t]),
    # Always with a timeout of 0.
    "palitra_call_send": (_STATUS, [Handle, c_int32, c_char_p, c_size_t, c_int64]),
    "palitra_call_progress": (_STATUS, [Handle, c_uint64, c_uint64]),
    "palitra_call_is_cancelled": (ctypes.c_bool, [Handle]),
    "palitra_call_free": (None, [Handle]),
}

#: Where the characters of ``bytes`` begin in CPython, from the object on. ctypes knows this too, but takes four times
#: as long to fill in a submission.
_characters_at = bytes.__basicsize__ - 1
assert ctypes.string_at(id(b"palitra") + _characters_at) == b"palitra"


def address_of(characters: bytes) -> int:
    """Where the characters are in memory, with a NUL behind them, as long as the object lives."""
    return id(characters) + _characters_at


#: The largest integer that ctypes passes as it is.
_largest_int = 2**31 - 1


def size_of(data: bytes) -> int | c_size_t:
    """The length of a payload, as a prepared function takes it."""
    size = len(data)
    return size if size <= _largest_int else c_size_t(size)


SIGNATURES = {**_BLOCKING, **_SHORT}


class Functions:
    """The functions of one loaded library, each under its C name without ``palitra_``."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Loads the library. Raises OSError if that fails, ImportError if it is not a palitra library or has another
        ABI version."""
        self.path = os.fspath(path)
        blocking = ctypes.CDLL(self.path)
        short = ctypes.PyDLL(self.path)
        self._check_version(short)
        for library, signatures in ((blocking, _BLOCKING), (short, _SHORT)):
            for name, (result, arguments) in signatures.items():
                try:
                    function = getattr(library, name)
                except AttributeError:
                    raise ImportError(f"{self.path} has no {name}: it is older than this package") from None
                function.restype, function.argtypes = result, arguments
                setattr(self, name.removeprefix("palitra_"), function)

    def submit_options(self, flags: int = 0) -> SubmitOptions:
        """Options without a deadline and a queue."""
        options = SubmitOptions()
        self.submit_options_init(ctypes.byref(options), ctypes.sizeof(options))
        options.flags = flags
        return options

    def prepared(self, name: str) -> Any:
        """The function of that name once more, for arguments that are made beforehand: ctypes converts none of them and
        checks none. A handle is a ``Handle``, a name or a payload ``bytes``, a size what ``size_of`` returns, a pointer
        what ``byref`` returns. A call takes half the time."""
        library = ctypes.CDLL if f"palitra_{name}" in _BLOCKING else ctypes.PyDLL
        function = library(self.path)[f"palitra_{name}"]
        function.restype = SIGNATURES[f"palitra_{name}"][0]
        return function

    def _check_version(self, library: ctypes.PyDLL) -> None:
        try:
            version = library.palitra_abi_version()
        except AttributeError:
            raise ImportError(f"{self.path} is not a palitra library: it has no palitra_abi_version") from None
        if version != ABI_VERSION:
            message = f"{self.path} has ABI version {version}, and this package works with version {ABI_VERSION}"
            raise ImportError(message)

    def __getattr__(self, name: str) -> Any:
        # Called only for names without a signature. Type checkers learn from it that the others exist.
        raise AttributeError(name)
