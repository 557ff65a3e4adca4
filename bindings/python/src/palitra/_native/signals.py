"""Waits in the library that let Python handle signals.

Python runs signal handlers in the main thread, between two steps of Python code. There a long wait is made of slices,
so that Ctrl-C is handled within a tenth of a second; what a handler raises ends the wait. Other threads wait in one go.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

from .._threads import in_gevent, refuse_eventlet, start_thread
from . import abi

#: The longest single wait in the main thread, in nanoseconds.
SLICE = 100_000_000
#: The longest single wait elsewhere: 146 years.
_WHOLE = 2**62


def wait_in_slices(wait: Callable[[int], int], limit: int, always: bool = False) -> int:
    """Calls ``wait`` with at most so many nanoseconds until it returns a status other than PENDING, or until ``limit``
    nanoseconds have passed (negative: never). Returns the last status. ``always`` slices on every thread.

    Raises RuntimeError where eventlet has patched threading: it would stop every greenlet."""
    refuse_eventlet()
    longest = SLICE if always or threading.current_thread() is threading.main_thread() else _WHOLE
    deadline = time.monotonic_ns() + limit
    while True:
        status = wait(longest if limit < 0 else max(0, min(longest, deadline - time.monotonic_ns())))
        if status != abi.PENDING or (limit >= 0 and time.monotonic_ns() >= deadline):
            return status


def shut_down(function: Callable[[int], int], grace: int) -> int:
    """Calls a function that shuts a runner down, with the grace period in nanoseconds; returns its status.

    The main thread waits on another thread meanwhile, and so does a greenlet. If a signal's handler raises there, the
    grace period ends.
    """
    if not in_gevent() and (grace == 0 or threading.current_thread() is not threading.main_thread()):
        return function(grace)
    status: Future[int] = Future()
    start_thread(lambda: status.set_result(function(grace)), "palitra-shutdown")
    try:
        return status.result()
    except BaseException:
        function(0)
        raise
