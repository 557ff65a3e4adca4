"""How the end of a job is noticed: completion queues, one for each asyncio loop and one for all futures.

A loop watches its queue's descriptor only while somebody in that loop awaits a job, so that it may be closed at any
time without a reader left behind. The queue of the futures is drained by a thread that waits in the library.
"""

from __future__ import annotations

import asyncio
import ctypes
import itertools
import logging
import os
import threading
import weakref
from collections.abc import Callable

from .._errors import ForkedError, WouldDeadlockError, error_of
from .._fork import inheritors
from .._future import WOULD_DEADLOCK
from . import abi

logger = logging.getLogger("palitra")

#: Is called with the status of an event: PENDING when items wait, any other when the job has finished.
Receiver = Callable[[int], object]


class CompletionQueue:
    """One queue of the library, and who is notified of each of its events."""

    BATCH = 256

    def __init__(self, functions: abi.Functions) -> None:
        self._functions = functions
        handle = abi.Handle()
        status = functions.queue_new(ctypes.byref(handle))
        if status != abi.OK:
            raise OSError(functions.status_message(status).decode())
        self.handle: int = handle.value
        self._receivers: dict[int, Receiver] = {}
        self._tags = itertools.count(1)
        self._events = (abi.Event * self.BATCH)()
        self._count = ctypes.c_size_t()
        self._events_at = ctypes.addressof(self._events)
        self._words = memoryview(self._events).cast("B").cast("Q")
        self._count_at = ctypes.addressof(self._count)
        weakref.finalize(self, functions.queue_free, self.handle).atexit = False

    def register(self, options: abi.SubmitOptions, receiver: Receiver) -> int:
        """Has the receiver notified of the job that is submitted with these options; returns its tag. From any thread.

        The receiver may be called before the submission has returned.
        """
        tag = next(self._tags)
        options.queue, options.tag = self.handle, tag
        self._receivers[tag] = receiver
        return tag

    def forget(self, tag: int) -> None:
        """Notifies the receiver no more. From any thread."""
        self._receivers.pop(tag, None)

    def is_awaited(self) -> bool:
        """Whether there is a receiver."""
        return bool(self._receivers)

    def next(self, timeout: int) -> list[tuple[int, int]]:
        """The tags and statuses of at most a batch of events; none past the timeout in nanoseconds.

        Raises an Error where none will ever come, such as ForkedError in a forked child.
        """
        functions = self._functions
        status = functions.queue_next(self.handle, timeout, self._events_at, self.BATCH, self._count_at)
        if status == abi.PENDING:
            return []
        if status != abi.OK:
            raise error_of(status, 0, functions.status_message(status).decode())
        # An event is three words: the tag, the token and the status.
        words = self._words[: 3 * self._count.value].tolist()
        return list(zip(words[::3], words[2::3]))

    def drain(self, timeout: int) -> None:
        """Notifies the receivers of at most a batch of events. Raises as ``next``."""
        for tag, status in self.next(timeout):
            receiver = self._receivers.get(tag)
            if receiver is not None:
                try:
                    receiver(status)
                except BaseException:
                    logger.exception("a callback of a finished job raised")


class LoopQueue:
    """The queue of one asyncio loop. Everything here happens on that loop's thread."""

    def __init__(self, functions: abi.Functions, loop: asyncio.AbstractEventLoop) -> None:
        self._queue = CompletionQueue(functions)
        self._descriptor = functions.queue_fd(self._queue.handle)
        self._loop = weakref.ref(loop)

    def register(self, options: abi.SubmitOptions, receiver: Receiver) -> int:
        """As ``CompletionQueue.register``; the loop watches the queue from now on."""
        if not self._queue.is_awaited():
            loop = self._loop()
            if loop is not None:
                loop.add_reader(self._descriptor, self._drain)
        return self._queue.register(options, receiver)

    def forget(self, tag: int) -> None:
        """As ``CompletionQueue.forget``; after the last one the loop stops watching the queue."""
        self._queue.forget(tag)
        if not self._queue.is_awaited():
            loop = self._loop()
            if loop is not None and not loop.is_closed():
                loop.remove_reader(self._descriptor)

    def _drain(self) -> None:
        # If a batch leaves events behind, the descriptor is readable again at once.
        self._queue.drain(0)


class FutureQueue:
    """The queue of all futures, and the thread that completes them."""

    def __init__(self, functions: abi.Functions) -> None:
        self._process = os.getpid()
        self.queue = CompletionQueue(functions)
        self._thread = threading.Thread(target=self._drain, name="palitra-futures", daemon=True)
        self._thread.start()

    def _drain(self) -> None:
        while True:
            self.queue.drain(abi.FOREVER)

    def check_may_wait(self) -> None:
        """Raises ForkedError in a forked child, WouldDeadlockError on the thread that completes the futures."""
        if self._process != os.getpid():
            raise ForkedError("this job runs in the parent of this forked process")
        if threading.get_ident() == self._thread.ident:
            raise WouldDeadlockError(WOULD_DEADLOCK)


class Completions:
    """The queues of one library. A forked child starts with none."""

    def __init__(self, functions: abi.Functions) -> None:
        self._functions = functions
        self._after_fork_in_child()
        inheritors.add(self)

    def _after_fork_in_child(self) -> None:
        self._loops: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, LoopQueue] = weakref.WeakKeyDictionary()
        self._futures: FutureQueue | None = None
        self._lock = threading.Lock()

    def of_running_loop(self) -> LoopQueue:
        """The queue of the loop that runs on this thread. Raises RuntimeError if none does."""
        loop = asyncio.get_running_loop()
        queue = self._loops.get(loop)
        if queue is None:
            with self._lock:
                queue = self._loops[loop] = LoopQueue(self._functions, loop)
        return queue

    def of_futures(self) -> FutureQueue:
        """The queue of the futures; its thread starts with the first use."""
        with self._lock:
            if self._futures is None:
                self._futures = FutureQueue(self._functions)
            return self._futures
