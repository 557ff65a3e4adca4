"""Memory for what one call of the library fills in: a reply and a token, with their addresses.

Used by one thread at a time. A slot may be used again when its reply has been taken.
"""

from __future__ import annotations

import ctypes
import struct
from collections import deque

from . import abi

bytes_at = ctypes.pythonapi.PyBytes_FromStringAndSize
bytes_at.restype = ctypes.py_object
bytes_at.argtypes = [ctypes.c_void_p, ctypes.c_ssize_t]

#: The fields of a reply, read at once.
read_reply = struct.Struct("iiiPNP").unpack_from
assert struct.calcsize("iiiPNP") == ctypes.sizeof(abi.Reply)


class Slot:
    """A reply and a token, with their addresses."""

    __slots__ = ("reply", "reply_address", "reply_bytes", "runner", "token", "token_address")

    def __init__(self) -> None:
        #: The runner that the token's job was submitted to.
        self.runner = 0
        self.reply = abi.Reply()
        self.reply_address = ctypes.addressof(self.reply)
        self.reply_bytes = memoryview(self.reply).cast("B")
        self.token = abi.Handle()
        self.token_address = ctypes.addressof(self.token)


#: Slots for ``run``, to be used again.
_slots: deque[Slot] = deque(maxlen=64)

return_slot = _slots.append


def take_slot() -> Slot:
    """A slot that was returned, or a new one."""
    try:
        return _slots.pop()
    except IndexError:
        return Slot()
