"""What every call of the library is made with: times, and room for a reply and a token."""

from __future__ import annotations

import ctypes
import math
import struct

from . import _abi

#: The longest single wait in the main thread, where Python runs the handlers of signals.
SLICE = 100_000_000

bytes_at = ctypes.pythonapi.PyBytes_FromStringAndSize
bytes_at.restype = ctypes.py_object
bytes_at.argtypes = [ctypes.c_void_p, ctypes.c_ssize_t]

#: The fields of a reply, read at once.
read_reply = struct.Struct("iiiPNP").unpack_from
assert struct.calcsize("iiiPNP") == ctypes.sizeof(_abi.Reply)


def nanoseconds(timeout: float | None) -> int:
    """A timeout in seconds as the library takes it; -1 for ever."""
    if timeout is None:
        return _abi.FOREVER
    if math.isnan(timeout):
        raise ValueError("a timeout cannot be NaN")
    return int(min(max(timeout, 0.0), 9e9) * 1e9)


def deadline_nanoseconds(deadline: float | None) -> int:
    """The same for a deadline, of which 0 means none: one that has passed already is 1."""
    return nanoseconds(deadline) or 1


class Slot:
    """A reply and a token for one call, with their addresses. Used again by later calls."""

    __slots__ = ("reply", "reply_address", "reply_bytes", "runner", "token", "token_address")

    def __init__(self) -> None:
        #: The runner that has the token's job.
        self.runner = 0
        self.reply = _abi.Reply()
        self.reply_address = ctypes.addressof(self.reply)
        self.reply_bytes = memoryview(self.reply).cast("B")
        self.token = _abi.Handle()
        self.token_address = ctypes.addressof(self.token)
