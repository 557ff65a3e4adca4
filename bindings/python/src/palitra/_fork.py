"""What a forked child does with what it inherited.

A child has none of its parent's threads. Whatever holds a lock, a loop or a handle that depends on such a thread joins
:data:`inheritors`. In a child each of them is called once, before any other Python code runs there, to start anew
without touching what belongs to the parent.
"""

from __future__ import annotations

import ctypes
import os
import weakref
from typing import Protocol


class Inheritor(Protocol):
    def _after_fork_in_child(self) -> None: ...


inheritors: weakref.WeakSet[Inheritor] = weakref.WeakSet()


def keep_forever(thing: object) -> None:
    """Never finalizes the thing, not even at exit: it is the parent's, and closing it here would reach there."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))


def _call_inheritors() -> None:
    for inheritor in list(inheritors):
        inheritor._after_fork_in_child()  # pyright: ignore[reportPrivateUsage]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_call_inheritors)
