"""``as_completed``: several awaitables at once, their futures in order of time.

The loop's thread leaves a finished future for each awaitable that ended; the caller's thread takes them.
"""

from __future__ import annotations

import _thread
import time
from collections import deque
from collections.abc import Awaitable, Generator
from typing import Any, Generic, TypeVar

from .._errors import TimeoutError
from .._future import Future
from .._limits import seconds
from .desk import own_desk
from .gather import Gathering
from .thread import LoopThread
from .work import TIMEOUT_GRACE

T = TypeVar("T")

WOULD_DEADLOCK = "cannot wait for coroutines on the loop thread: use asyncio.as_completed there"


class CompletedFuture(Future[T]):
    """What ``as_completed`` yields: a future that is done. ``index`` is the position of its awaitable."""

    index: int


class Completing(Generic[T]):
    """The awaitables of one ``as_completed``, which have been started, and the futures of those that ended."""

    def __init__(
        self, thread: LoopThread, coros: tuple[Awaitable[T], ...], timeout: float | None, limit: int | None
    ) -> None:
        seconds(timeout)
        self._thread = thread
        self._timeout = timeout
        self._ended: deque[CompletedFuture[T]] = deque()
        #: Released when there is news. Not a queue: gevent's does not reach from thread to thread, its locks do.
        self._news = _thread.allocate_lock()
        self._news.acquire()
        positions: dict[int, int] = {}
        for position, coro in enumerate(coros):
            positions.setdefault(id(coro), position)
        #: The position of each awaitable among all, where some came twice.
        self._positions = list(positions.values())
        self._gathering = Gathering(thread, tuple(coros[at] for at in self._positions), True, limit, self._one_ended)
        self._deadline = None if timeout is None else time.monotonic() + timeout
        if coros:
            thread.post(self._gathering)

    def _one_ended(self, index: int, value: Any, error: BaseException | None) -> None:
        future: CompletedFuture[T] = CompletedFuture()
        future.index = -1 if index < 0 else self._positions[index]
        future.complete(value, error)
        self._ended.append(future)
        self.ring()

    def ring(self) -> None:
        """Wakes the caller's thread, for its desk if none has ended."""
        try:
            self._news.release()
        except RuntimeError:
            pass  # There is older news, which the caller has not noticed yet.

    def cancel(self) -> None:
        """Requests the cancellation of what still runs."""
        self._gathering.cancel()

    def _next(self) -> CompletedFuture[T]:
        try:
            in_time = self._wait()
        except BaseException:
            self._gathering.interrupt()
            raise
        if not in_time:
            self._gathering.interrupt(TIMEOUT_GRACE)
            raise TimeoutError(f"timed out after {self._timeout} seconds")
        future = self._ended.popleft()
        if future.index < 0:
            future.result()  # None of them will end: this raises the reason.
        return future

    def _wait(self) -> bool:
        """Until one has ended; serves the thread's desk meanwhile. Returns False past the timeout."""
        desk = own_desk()
        before = desk.enter(self, self._deadline is not None)
        try:
            while not self._ended:
                remaining = None if self._deadline is None else self._deadline - time.monotonic()
                if not self._news.acquire(timeout=seconds(remaining)):
                    return bool(self._ended)
                if not self._ended:
                    desk.serve()
                    self._gathering.leave_to_parent_if_forked()
        finally:
            desk.leave(before)
        return True

    def futures(self) -> Generator[CompletedFuture[T], None, None]:
        """The futures, as they end. Closed or dropped, even before its first step, the generator cancels what still
        runs."""
        generator = self._generate()
        next(generator)
        return generator  # type: ignore[return-value]  # pyright: ignore[reportReturnType]

    def _generate(self) -> Generator[CompletedFuture[T] | None, None, None]:
        try:
            yield None
            for _ in self._positions:
                self._thread.check_may_wait(WOULD_DEADLOCK)
                yield self._next()
        finally:
            self.cancel()
