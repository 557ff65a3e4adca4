"""A coroutine and a thread that take turns: asynchronous iterators and context managers for synchronous code.

One task drives the whole generator or context manager, from its first step to its ``aclose`` or ``__aexit__``, so that
context variables, cancel scopes and task groups work. The task hands a value to the caller and sleeps; the caller's
next message wakes it.
"""

from __future__ import annotations

import asyncio
import inspect
import sys
from collections.abc import Awaitable, Callable, Generator
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from types import TracebackType
from typing import Any, Generic, NamedTuple, TypeVar

from .._errors import TimeoutError, one_own_frame
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
        self._news = False
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


class Orphanage:
    """Takes in the asynchronous generator of an iteration when nobody refers to it any more.

    It is the generator's finalizer. Whether a generator that is not exhausted is the caller's still, only the
    interpreter knows: it calls the finalizer as the last reference goes. If that is the iteration's own, its task
    closes the generator; otherwise the loop's finalizer does, as for every generator.
    """

    __slots__ = ("_otherwise", "_taken_in", "_takes_in")

    def __init__(self) -> None:
        self._otherwise: Any = None
        self._taken_in: Any = None
        self._takes_in = False

    def first_step(self, generator: Any) -> Any:
        """Calls the generator's ``__anext__`` so that it gets this finalizer."""
        before = sys.get_asyncgen_hooks()
        self._otherwise = before.finalizer
        sys.set_asyncgen_hooks(finalizer=self._finalize)
        try:
            return generator.__anext__()
        finally:
            sys.set_asyncgen_hooks(*before)

    def _finalize(self, generator: Any) -> None:
        if self._takes_in:
            self._taken_in = generator
        elif self._otherwise is not None:
            self._otherwise(generator)

    def drop(self, holder: list[Any]) -> Any:
        """Drops the reference that the list holds. Returns the generator if that was the last, else None."""
        self._takes_in = True
        holder.clear()
        self._takes_in = False
        taken_in, self._taken_in = self._taken_in, None
        return taken_in


#: The caller wants the next item; it wants no more.
NEXT, STOP = object(), object()


class Iteration(Conversation):
    """An asynchronous iterable, item by item. A message is NEXT, STOP, or what the caller sends or throws."""

    __slots__ = ()

    async def _perform(self) -> None:
        iterable, self._awaitable = self._awaitable, None
        iterator = iterable.__aiter__()
        made, orphanage = iterator is not iterable, Orphanage()
        del iterable
        # In a list, so that the last reference to it can be dropped here, whatever holds this frame.
        holder = [iterator]
        step = orphanage.first_step(iterator) if inspect.isasyncgen(iterator) else iterator.__anext__()
        del iterator
        try:
            while True:
                try:
                    self._handed = await step
                except StopAsyncIteration:
                    return
                del step  # It refers to the iterator.
                message = await self._next_message()
                if message is STOP:
                    return
                step = _step(holder[0], message)
                del message
        finally:
            await _let_go(holder, orphanage, made)

    def items(self, timeout: float | None, translate: Callable[[Any], Any] | None = None) -> Generator[Any, Any, None]:
        """The items, as the caller asks for them, each translated.

        What is sent and thrown into this generator reaches the asynchronous one. Closing or dropping it closes the
        asynchronous one, unless the caller still refers to that.
        """
        answer = Answer()
        try:
            with one_own_frame:
                while self.send(answer.message, timeout):
                    with answer:
                        answer.sent((yield self.take_handed() if translate is None else translate(self.take_handed())))
        finally:
            del answer
            self._stop()

    def _stop(self) -> None:
        if self._finished or self._resumed is None or self._thread.closing:
            return  # A thread that is closing ends the generator itself.
        if self._thread.is_current():
            # Garbage was collected on the loop's own thread, where a wait would last forever.
            self._finished = True
            self._message = STOP
            self._resume()
        else:
            self.send(STOP, STOP_TIMEOUT)


class Sent(NamedTuple):
    """A value that the caller sends into the generator."""

    value: Any


class Thrown(NamedTuple):
    """An error that the caller throws into the generator."""

    error: BaseException


class Answer:
    """What the caller does with an item, as the next message: wants another, sends a value or throws an error. What is
    raised in its block was thrown; a generator that is closed ends."""

    __slots__ = ("message",)

    def __init__(self) -> None:
        self.message: Any = NEXT

    def sent(self, value: Any) -> None:
        self.message = NEXT if value is None else Sent(value)

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> bool:
        if error is None or isinstance(error, GeneratorExit):
            return False
        self.message = Thrown(error)
        return True


def _step(iterator: Any, message: Any) -> Awaitable[Any]:
    """The next step of the iterator. Raises what was thrown if the iterator takes nothing that is thrown, and TypeError
    if a value was sent and it takes none."""
    if isinstance(message, Thrown):
        if not hasattr(iterator, "athrow"):
            raise message.error
        thrown: Awaitable[Any] = iterator.athrow(message.error)
        return thrown
    if isinstance(message, Sent):
        if not hasattr(iterator, "asend"):
            raise TypeError(f"{type(iterator).__name__!r} object takes no values: it has no asend method")
        sent: Awaitable[Any] = iterator.asend(message.value)
        return sent
    following: Awaitable[Any] = iterator.__anext__()
    return following


async def _let_go(holder: list[Any], orphanage: Orphanage, made: bool) -> None:
    """Closes the iterator, unless the caller passed it and still refers to it, or it is not a generator and the
    caller's."""
    iterator = None
    if inspect.isasyncgen(holder[0]):
        iterator = orphanage.drop(holder)
    elif made and hasattr(holder[0], "aclose"):
        iterator = holder[0]
    if iterator is not None:
        await iterator.aclose()


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
        #: Emptied by whoever enters first.
        self._entrance = [True]

    def __enter__(self) -> T:
        try:
            self._entrance.pop()
        except IndexError:
            raise RuntimeError("it was entered before: call enter() again for each with") from None
        with one_own_frame:
            self._conversation.send(None)
        value: T = self._conversation.take_handed()
        return value

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        if self._entrance:
            raise RuntimeError("it was not entered")
        try:
            with one_own_frame:
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
