"""A completion queue of the library: where finished jobs are announced, one event for each."""

from __future__ import annotations

import ctypes
import weakref

from .._errors import InternalError, error_of
from .._threads import LONGEST_WAIT, in_gevent, refuse_eventlet, wait_readable
from . import abi


class CompletionQueue:
    """One queue of the library, and the events that were taken out of it last."""

    BATCH = 256

    def __init__(self, functions: abi.Functions) -> None:
        self._functions = functions
        handle = abi.Handle()
        status = functions.queue_new(ctypes.byref(handle))
        if status != abi.OK:
            raise OSError(functions.status_message(status).decode())
        self.handle: int = handle.value
        self._events = (abi.Event * self.BATCH)()
        self._count = ctypes.c_size_t()
        self._events_at = ctypes.addressof(self._events)
        self._words = memoryview(self._events).cast("B").cast("Q")
        self._count_at = ctypes.addressof(self._count)
        #: Frees the queue, at the latest when this object is collected. From any thread.
        self.close = weakref.finalize(self, functions.queue_free, self.handle)
        self.close.atexit = False

    def end(self) -> None:
        """No more events come: who waits for one gets none. From any thread."""
        self._functions.queue_close(self.handle)

    def next(self, timeout: int) -> list[int]:
        """At most a batch of events, three numbers each: tag, token and status. None past the timeout in nanoseconds.

        Raises an Error where none will ever come, such as ForkedError in a forked child.
        """
        functions = self._functions
        status = functions.queue_next(self.handle, timeout, self._events_at, self.BATCH, self._count_at)
        if status in (abi.PENDING, abi.END):
            return []
        if status != abi.OK:
            raise error_of(status, 0, functions.status_message(status).decode())
        return self._words[: 3 * self._count.value].tolist()

    def wait(self, timeout: int) -> list[int]:
        """As ``next``; where gevent has patched threading, other greenlets run meanwhile, and none may come earlier."""
        refuse_eventlet()
        if timeout == 0 or not in_gevent():
            return self.next(timeout)
        events = self.next(0)
        if not events:
            wait_readable(self.descriptor(), LONGEST_WAIT if timeout < 0 else timeout / 1e9)
            events = self.next(0)
        return events

    def descriptor(self) -> int:
        """A descriptor that is readable while there are events. Raises InternalError if the system refuses one."""
        descriptor: int = self._functions.queue_fd(self.handle)
        if descriptor < 0:
            raise InternalError("too many files are open: there is no descriptor to notice a job's end by")
        return descriptor
