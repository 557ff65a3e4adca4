"""A coroutine and a thread that take turns: asynchronous iterators and context managers for synchronous code.

One task drives the whole of the generator or context manager, from its first step to its ``aclose`` or
``__aexit__``: what it keeps in context variables, cancel scopes and task groups stays in one place. The task
hands a value to the caller and sleeps; the caller's next turn wakes it with a message.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ._call import Call, seconds
from ._errors import TimeoutError

if TYPE_CHECKING:
    from ._loop_thread import LoopThread

T = TypeVar("T")

#: How long an iterator that is let go of waits for its generator's end, in seconds, before it is cancelled.
STOP_TIMEOUT = 5.0


class Dialogue(Call):
    """A call that hands over values before it ends."""

    __slots__ = ("_handed", "_message", "_outcome", "_over", "_resumed")

    def __init__(self, thread: LoopThread, subject: Any) -> None:
        super().__init__(thread, subject)
        self._handed: Any = None
        self._message: Any = None
        self._outcome: Any = None
        self._over = False
        self._resumed: asyncio.Future[Any] | None = None

    async def _next_message(self) -> Any:
        """On the loop's thread: has the caller take what is in ``_handed``, and waits for its next message."""
        self._resumed = self._thread.loop.create_future()
        self._wake()
        return await self._resumed

    def _resume(self) -> None:
        if self._resumed is not None and not self._resumed.done():
            self._resumed.set_result(self._message)

    def turn(self, message: Any, timeout: float | None = None) -> bool:
        """On the caller's thread: whether a value was handed over; else the dialogue has ended, without error.
        Raises what it ended with, and TimeoutError past the timeout, which cancels it."""
        if self._over:
            raise RuntimeError("this asynchronous iterator or context manager has ended")
        limit = seconds(timeout)
        self._thread.check_may_wait("cannot wait for a coroutine on the loop thread: use async for or async with there")
        self._message = message
        self._over = True  # Unless it hands over a value.
        if not self._wait(limit, self if self._resumed is None else self._resume):
            self.cancel()
            raise TimeoutError(f"timed out after {timeout} seconds")
        if self._ended or self._abandoned is not None:
            self._outcome = self._take()
            return False
        self._over = False
        return True

    def take_handed(self) -> Any:
        """The value that was handed over last, kept no longer."""
        handed, self._handed = self._handed, None
        return handed

    @property
    def outcome(self) -> Any:
        """What the dialogue ended with."""
        return self._outcome


class Iteration(Dialogue):
    """An asynchronous iterable, item by item. Its messages: whether to go on."""

    __slots__ = ()

    async def _perform(self) -> None:
        iterator = self._awaitable.__aiter__()
        try:
            async for item in iterator:
                self._handed = item
                del item  # Kept no longer than the caller keeps it.
                if not await self._next_message():
                    break
        finally:
            if hasattr(iterator, "aclose"):
                await iterator.aclose()

    def items(self, timeout: float | None) -> Generator[Any, None, None]:
        """The items, as the caller asks for them; let go of, the generator is closed."""
        try:
            while self.turn(True, timeout):
                yield self.take_handed()
        finally:
            self._stop()

    def _stop(self) -> None:
        if self._over or self._resumed is None or self._thread.closing:
            return  # A thread that is closing ends the generator itself.
        if self._thread.is_current():
            # A collection on the loop's own thread: waiting there would be for ever.
            self._over = True
            self._message = False
            self._resume()
        else:
            self.turn(False, STOP_TIMEOUT)


class Entering(Dialogue):
    """An asynchronous context manager. Its message: the exception that left the block, or None."""

    __slots__ = ()

    async def _perform(self) -> bool:
        manager = self._awaitable
        kind: type[Any] = type(manager)
        leave = kind.__aexit__
        self._handed = await kind.__aenter__(manager)
        try:
            error = await self._next_message()
        except BaseException as interruption:
            if await leave(manager, type(interruption), interruption, interruption.__traceback__):
                return True
            raise
        if error is None:
            await leave(manager, None, None, None)
            return False
        return bool(await leave(manager, type(error), error, error.__traceback__))


class Entered(AbstractContextManager[T], Generic[T]):
    """An asynchronous context manager as a synchronous one; entered once."""

    def __init__(self, thread: LoopThread, manager: AbstractAsyncContextManager[T]) -> None:
        self._dialogue = Entering(thread, manager)

    def __enter__(self) -> T:
        self._dialogue.turn(None)
        value: T = self._dialogue.take_handed()
        return value

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        try:
            self._dialogue.turn(error)
        except BaseException as raised:
            if raised is error:
                return False
            raise
        return error is not None and bool(self._dialogue.outcome)


def check_iterable(subject: object) -> None:
    if not hasattr(subject, "__aiter__"):
        raise TypeError(f"'async for' requires an object with __aiter__ method, got {type(subject).__name__}")


def check_manager(subject: object) -> None:
    if not (hasattr(subject, "__aenter__") and hasattr(subject, "__aexit__")):
        message = f"{type(subject).__name__!r} object does not support the asynchronous context manager protocol"
        raise TypeError(message)
