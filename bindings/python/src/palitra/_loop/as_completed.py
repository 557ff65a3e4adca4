"""``as_completed``: several awaitables at once, their futures in order of time.

The loop's thread puts a finished future into a queue for each awaitable that ended; the caller's thread takes them out.
"""

from __future__ import annotations

import concurrent.futures
import queue
import time
from collections.abc import Awaitable, Generator
from typing import Any, Generic, TypeVar

from .._errors import TimeoutError
from .._limits import seconds
from .desk import own_desk
from .gather import Gathering
from .thread import LoopThread
from .work import TIMEOUT_GRACE, for_caller

T = TypeVar("T")

WOULD_DEADLOCK = "cannot wait for coroutines on the loop thread: use asyncio.as_completed there"


class CompletedFuture(concurrent.futures.Future[T]):
    """What ``as_completed`` yields: a future that is done. ``index`` is the position of its awaitable."""

    index: int


class Completing(Generic[T]):
    """The awaitables of one ``as_completed``, which have been started, and a queue of those that ended."""

    def __init__(
        self, thread: LoopThread, coros: tuple[Awaitable[T], ...], timeout: float | None, limit: int | None
    ) -> None:
        seconds(timeout)
        self._thread = thread
        self._timeout = timeout
        #: None wakes the caller for its desk.
        self._ended: queue.SimpleQueue[CompletedFuture[T] | None] = queue.SimpleQueue()
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
        if error is None:
            future.set_result(value)
        else:
            future.set_exception(for_caller(error))
        self._ended.put(future)

    def ring(self) -> None:
        """Wakes the caller's thread for its desk."""
        self._ended.put(None)

    def cancel(self) -> None:
        """Requests the cancellation of what still runs."""
        self._gathering.cancel()

    def _get(self) -> CompletedFuture[T]:
        """The next future; serves the thread's desk meanwhile. Raises queue.Empty past the deadline."""
        desk = own_desk()
        before = desk.enter(self, self._deadline is not None)
        try:
            while True:
                remaining = None if self._deadline is None else max(0.0, self._deadline - time.monotonic())
                future = self._ended.get(timeout=remaining)
                if future is not None:
                    return future
                desk.serve()
        finally:
            desk.leave(before)

    def _next(self) -> CompletedFuture[T]:
        try:
            future = self._get()
        except queue.Empty:
            self._gathering.interrupt(TIMEOUT_GRACE)
            raise TimeoutError(f"timed out after {self._timeout} seconds") from None
        except BaseException:
            self._gathering.interrupt()
            raise
        if future.index < 0:
            future.result()  # None of them will end: this raises the reason.
        return future

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
