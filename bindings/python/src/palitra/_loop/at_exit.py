"""The loop threads of the process, and their end when the interpreter exits."""

from __future__ import annotations

import os
import time
import weakref

from .._threads import before_threads_end, note_exit
from .thread import LoopThread

#: How long work that is cancelled then may take to end, in seconds.
EXIT_TIMEOUT = 1.0

#: Every loop thread that somebody still refers to.
_threads: weakref.WeakSet[LoopThread] = weakref.WeakSet()


def close_at_exit(thread: LoopThread) -> None:
    """Has the thread closed when the interpreter exits, if it is in this process then."""
    _threads.add(thread)


def _known() -> list[LoopThread]:
    while True:
        try:
            return list(_threads)
        except RuntimeError:
            pass  # Another thread has just added one.


def _close_all() -> None:
    note_exit()
    threads = [thread for thread in _known() if thread.process == os.getpid()]
    for thread in threads:
        thread.exiting = True
        thread.request_close(EXIT_TIMEOUT)
    deadline = time.monotonic() + EXIT_TIMEOUT
    for thread in threads:
        thread.close(max(0.0, deadline - time.monotonic()))


before_threads_end(_close_all)
