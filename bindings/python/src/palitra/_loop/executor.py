"""The default executor of a loop, whose end takes a bounded time: where ``asyncio.to_thread`` and ``to_async`` run.

Where gevent has patched threading, the threads of Python's own executor would be greenlets on the loop's thread, which
nothing wakes from another one: there each call gets a thread of the system.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import gc
import os
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from .._threads import Thread, in_gevent, real_lock, start_thread

P = ParamSpec("P")
T = TypeVar("T")

#: The most calls at a time, as in Python's own executor.
MOST_THREADS = min(32, (os.cpu_count() or 1) + 4)


class PoolExecutor(ThreadPoolExecutor):
    """Python's own."""

    used = False

    def submit(self, *arguments: Any, **keywords: Any) -> Any:
        self.used = True
        return super().submit(*arguments, **keywords)

    def shut_down_within(self, timeout: float) -> None:
        """Waits for its threads for so many seconds."""
        self.shutdown(wait=False, cancel_futures=True)
        if self.used and timeout > 0:
            try:
                waiter = start_thread(self.shutdown, "palitra-executor-shutdown")
            except RuntimeError:
                return  # The interpreter is exiting and starts no threads.
            waiter.join(timeout)


class GeventExecutor(ThreadPoolExecutor):
    """Python's own for ``set_default_executor``, which takes no other; its threads are started here."""

    def __init__(self) -> None:
        super().__init__(MOST_THREADS)
        self._lock = real_lock()
        self._calls: deque[Callable[[], None]] = deque()
        self._under_way: set[Future[Any]] = set()
        self._threads_now = 0
        #: Those that may not have ended.
        self._started: list[Thread] = []

    def submit(self, function: Callable[P, T], /, *arguments: P.args, **keywords: P.kwargs) -> Future[T]:
        future: Future[T] = Future()

        def call() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                value = function(*arguments, **keywords)
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(value)

        self._under_way.add(future)
        future.add_done_callback(self._under_way.discard)
        self._calls.append(call)
        with self._lock:
            starts = self._threads_now < MOST_THREADS
            self._threads_now += starts
        if starts:
            thread = start_thread(self._work, "asyncio")
            self._started = [*(one for one in self._started if one.is_alive()), thread]
        return future

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._calls:
                    self._threads_now -= 1
                    return
                call = self._calls.popleft()
            call()

    def shut_down_within(self, timeout: float) -> None:
        """Waits for its calls, and for its threads, for so many seconds."""
        end = time.monotonic() + timeout
        self._calls.clear()
        under_way = {future for future in self._under_way.copy() if not future.cancel()}
        concurrent.futures.wait(under_way, timeout)
        for thread in self._started:
            # A thread whose call has ended still takes its hub apart. An interpreter that exits meanwhile may crash.
            thread.join(max(0.0, end - time.monotonic()))
        super().shutdown(wait=False)


Executor = PoolExecutor | GeventExecutor


def make_executor() -> Executor:
    return GeventExecutor() if in_gevent() else PoolExecutor(thread_name_prefix="asyncio")


def has_executor(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether the loop's factory has given it a default executor. asyncio's loops have it as an attribute. uvloop's
    hide it from everybody but the garbage collector."""
    known = getattr(loop, "_default_executor", None)
    return any(isinstance(one, concurrent.futures.Executor) for one in (known, *gc.get_referents(loop)))
