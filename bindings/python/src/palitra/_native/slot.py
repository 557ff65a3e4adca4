"""Memory for what one call of the library fills in: a reply and a token, and how to reach them.

Used by one thread at a time. A slot may be used again when its reply has been taken.
"""

from __future__ import annotations

import ctypes
import struct
from collections import deque
from typing import Any

from . import abi

_Characters = ctypes.POINTER(ctypes.c_char)

#: The fields of a reply, read at once.
read_reply = struct.Struct("iiiPNP").unpack_from
assert struct.calcsize("iiiPNP") == ctypes.sizeof(abi.Reply)


class Slot:
    """A reply and a token. Functions take their addresses, prepared ones take them by reference."""

    __slots__ = (
        "reply",
        "reply_address",
        "reply_bytes",
        "reply_data",
        "reply_reference",
        "runner",
        "token",
        "token_address",
        "token_reference",
    )

    def __init__(self) -> None:
        #: The runner that the token's job was submitted to.
        self.runner = abi.Handle()
        self.reply = abi.Reply()
        self.reply_address = ctypes.addressof(self.reply)
        self.reply_bytes = memoryview(self.reply).cast("B")
        self.reply_reference = ctypes.byref(self.reply)
        #: The reply's pointer to its data, as it is in memory: a slice of it, from 0, is a copy of the data.
        self.reply_data: Any = _Characters.from_buffer(self.reply, abi.Reply.data.offset)
        self.token = abi.Handle()
        self.token_address = ctypes.addressof(self.token)
        self.token_reference = ctypes.byref(self.token)


#: Slots for ``run``, to be used again.
_slots: deque[Slot] = deque(maxlen=64)

return_slot = _slots.append


def take_slot() -> Slot:
    """A slot that was returned, or a new one."""
    try:
        return _slots.pop()
    except IndexError:
        return Slot()
