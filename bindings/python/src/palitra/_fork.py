"""What a forked child does with what it inherited.

A child has none of its parent's threads. Whoever holds a lock, a loop or a handle that lives by such a thread
joins :data:`inheritors`; in a child each is told once, before anything else runs there, to start anew without
touching what was the parent's.
"""

from __future__ import annotations

import ctypes
import os
import weakref
from typing import Protocol


class Inheritor(Protocol):
    def _after_fork_in_child(self) -> None: ...


inheritors: weakref.WeakSet[Inheritor] = weakref.WeakSet()


def keep_for_ever(thing: object) -> None:
    """Never finalizes the thing, not even at exit: it is the parent's, and to close it would reach there."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))


def _tell_inheritors() -> None:
    for inheritor in list(inheritors):
        inheritor._after_fork_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_tell_inheritors)
