"""A coroutine and a thread that take turns: asynchronous iterators and context managers for synchronous code.

One task drives the whole generator or context manager, from its first step to its ``aclose`` or ``__aexit__``, so that
context variables, cancel scopes and task groups work. The task hands a value to the caller and sleeps; the caller's
next message wakes it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from types import TracebackType
from typing import Any, Generic, TypeVar

from .._errors import TimeoutError
from .._limits import seconds
from .thread import LoopThread
from .work import Work

T = TypeVar("T")

#: How long a dropped iterator waits for its generator to end, in seconds, before it cancels it.
STOP_TIMEOUT = 5.0


class Conversation(Work):
    """Work that hands over values before it ends."""

    __slots__ = ("_finished", "_handed", "_message", "_outcome", "_resumed")

    def __init__(self, thread: LoopThread, subject: Any) -> None:
        super().__init__(thread, subject)
        self._handed: Any = None
        self._message: Any = None
        self._outcome: Any = None
        self._finished = False
        self._resumed: asyncio.Future[Any] | None = None

    async def _next_message(self) -> Any:
        """On the loop's thread: hands ``_handed`` to the caller and waits for its next message."""
        self._resumed = self._thread.loop.create_future()
        self._wake()
        return await self._resumed

    def _resume(self) -> None:
        if self._resumed is not None and not self._resumed.done():
            self._resumed.set_result(self._message)

    def send(self, message: Any, timeout: float | None = None) -> bool:
        """On the caller's thread: sends the message and waits. Returns True if a value was handed over, False if the
        conversation has ended. Raises the error it ended with; past the timeout cancels it and raises TimeoutError."""
        if self._finished:
            raise RuntimeError("this asynchronous iterator or context manager has ended")
        limit = seconds(timeout)
        self._thread.check_may_wait("cannot wait for a coroutine on the loop thread: use async for or async with there")
        self._message = message
        self._finished = True  # Unless it hands over a value.
        if not self._wait(limit, self if self._resumed is None else self._resume):
            self.cancel()
            raise TimeoutError(f"timed out after {timeout} seconds")
        if self._ended or self._abandoned is not None:
            self._outcome = self._take_outcome()
            return False
        self._finished = False
        return True

    def take_handed(self) -> Any:
        """Returns the value that was handed over last, and keeps it no longer."""
        handed, self._handed = self._handed, None
        return handed

    @property
    def outcome(self) -> Any:
        """The value that the conversation ended with."""
        return self._outcome


class Iteration(Conversation):
    """An asynchronous iterable, item by item. A message says whether the caller wants another item."""

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
        """The items, as the caller asks for them. Closing or dropping this generator closes the asynchronous one."""
        try:
            while self.send(True, timeout):
                yield self.take_handed()
        finally:
            self._stop()

    def _stop(self) -> None:
        if self._finished or self._resumed is None or self._thread.closing:
            return  # A thread that is closing ends the generator itself.
        if self._thread.is_current():
            # Garbage was collected on the loop's own thread, where a wait would last forever.
            self._finished = True
            self._message = False
            self._resume()
        else:
            self.send(False, STOP_TIMEOUT)


class Entering(Conversation):
    """An asynchronous context manager. The message is the exception that left the block, or None."""

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
    """An asynchronous context manager as a synchronous one, to be entered once."""

    def __init__(self, thread: LoopThread, manager: AbstractAsyncContextManager[T]) -> None:
        self._conversation = Entering(thread, manager)

    def __enter__(self) -> T:
        self._conversation.send(None)
        value: T = self._conversation.take_handed()
        return value

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        try:
            self._conversation.send(error)
        except BaseException as raised:
            if raised is error:
                return False
            raise
        return error is not None and bool(self._conversation.outcome)


def check_iterable(subject: object) -> None:
    if not hasattr(subject, "__aiter__"):
        raise TypeError(f"'async for' requires an object with __aiter__ method, got {type(subject).__name__}")


def check_manager(subject: object) -> None:
    if not (hasattr(subject, "__aenter__") and hasattr(subject, "__aexit__")):
        message = f"{type(subject).__name__!r} object does not support the asynchronous context manager protocol"
        raise TypeError(message)
