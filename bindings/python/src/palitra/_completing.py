"""``as_completed``: several awaitables at once, their futures in the order of time."""

from __future__ import annotations

import concurrent.futures
import queue
import time
from collections.abc import Awaitable, Generator
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ._call import TIMEOUT_GRACE, Call, seconds
from ._errors import TimeoutError
from ._gathering import Gathering

if TYPE_CHECKING:
    from ._loop_thread import LoopThread

T = TypeVar("T")

WOULD_DEADLOCK = "cannot wait for coroutines on the loop thread: use asyncio.as_completed there"


class CompletedFuture(concurrent.futures.Future[T]):
    """What ``as_completed`` answers: done, and at which position its awaitable stood."""

    index: int


class Completing(Generic[T]):
    """The awaitables of one ``as_completed``, begun, and a queue of those that ended."""

    def __init__(
        self, thread: LoopThread, coros: tuple[Awaitable[T], ...], timeout: float | None, limit: int | None
    ) -> None:
        seconds(timeout)
        self._thread = thread
        self._timeout = timeout
        self._ended: queue.SimpleQueue[CompletedFuture[T]] = queue.SimpleQueue()
        positions: dict[int, int] = {}
        for position, coro in enumerate(coros):
            positions.setdefault(id(coro), position)
        #: The position of each awaitable among all, where some were given twice.
        self._positions = list(positions.values())
        self._call = Gathering(thread, tuple(coros[at] for at in self._positions), True, limit, self._told)
        self._deadline = None if timeout is None else time.monotonic() + timeout
        if coros:
            thread.post(self._call)

    def _told(self, index: int, value: Any, error: BaseException | None) -> None:
        future: CompletedFuture[T] = CompletedFuture()
        future.index = -1 if index < 0 else self._positions[index]
        if error is None:
            future.set_result(value)
        else:
            future.set_exception(Call._translate(error))
        self._ended.put(future)

    def _next(self) -> CompletedFuture[T]:
        remaining = None if self._deadline is None else max(0.0, self._deadline - time.monotonic())
        try:
            future = self._ended.get(timeout=remaining)
        except queue.Empty:
            self._call.interrupt(TIMEOUT_GRACE)
            raise TimeoutError(f"timed out after {self._timeout} seconds") from None
        except BaseException:
            self._call.interrupt()
            raise
        if future.index < 0:
            future.result()  # None of them will end: raises why.
        return future

    def futures(self) -> Generator[CompletedFuture[T], None, None]:
        """Let go of, also before its first step, it cancels what still runs."""
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
            self._call.cancel()
