"""What a forked child does with what it inherited.

A child has none of its parent's threads. Whatever holds a lock, a loop or a handle that depends on such a thread joins
:data:`inheritors`. In a child each of them is called once, before any other Python code runs there, to start anew
without touching what belongs to the parent.

Not every host that forks lets Python do so: uWSGI, unless it is told to, calls the system's fork alone. There they are
called by the first use, from :func:`start_anew_if_forked`.
"""

from __future__ import annotations

import ctypes
import os
import threading
import weakref
from typing import Any, Protocol


class Inheritor(Protocol):
    def _after_fork_in_child(self) -> None: ...


inheritors: weakref.WeakSet[Inheritor] = weakref.WeakSet()


def keep_forever(thing: object) -> None:
    """Never finalizes the thing, not even at exit: it is the parent's, and closing it here would reach there."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))


#: The process whose inheritors have been called.
_process = os.getpid()
#: Held while they are called, by process: one that was held during the fork stays so forever.
_locks: dict[int, Any] = {}


def _call_inheritors() -> None:
    global _process
    for inheritor in list(inheritors):
        inheritor._after_fork_in_child()  # pyright: ignore[reportPrivateUsage]
    _process = os.getpid()


def start_anew_if_forked() -> None:
    """To be called before the first lock is taken, and before a thread is taken to be there."""
    process = os.getpid()
    if process != _process:
        with _locks.setdefault(process, threading.RLock()):
            if process != _process:
                _call_inheritors()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_call_inheritors)
