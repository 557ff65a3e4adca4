"""Work on a runner's loop that a coroutine in another loop awaits: the ``aio`` twins of ``to_sync``.

The awaiting task blocks no thread. Cancelled, it cancels the work and waits for its end, however long its cleanup
takes: what comes after the ``await`` may rely on it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any

from .conversation import STOP, Answer, Iteration
from .posted import Posted
from .thread import LoopThread
from .work import Work


class _Awaited(Work):
    """Work whose news go to a future of the awaiting loop."""

    # Without slots: a subclass has those of a conversation, too.
    blocks = False

    def __init__(self, thread: LoopThread, awaitable: Any) -> None:
        super().__init__(thread, awaitable)
        self._keeps_context = True
        self._awaiting = asyncio.get_running_loop()
        self._arrival: asyncio.Future[None] | None = None

    def ring(self) -> None:
        try:
            self._awaiting.call_soon_threadsafe(self._arrive)
        except RuntimeError:
            pass  # That loop is closed, and its task with it.

    def _arrive(self) -> None:
        if self._arrival is not None and not self._arrival.done():
            self._arrival.set_result(None)

    async def _news_of(self, posted: Posted) -> bool:
        """Posts, and awaits the news. Returns True if the awaiting task was cancelled meanwhile. It must raise then,
        also if the work ended well: that may have happened before the cancellation reached it."""
        self._arrival = self._awaiting.create_future()
        self._thread.post(posted)
        cancelled = False
        while not self._arrival.done():
            try:
                await asyncio.shield(self._arrival)
            except asyncio.CancelledError:
                cancelled = True
                self.cancel()
        self._news = False
        return cancelled


class AwaitedWork(_Awaited):
    """One awaitable. Its context variables come back as a coroutine's own would."""

    async def outcome(self) -> Any:
        """Returns the value, or raises the error."""
        cancelled = await self._news_of(self)
        try:
            value = self._take_outcome()
        finally:
            self.copy_context_back()
        if cancelled:
            raise asyncio.CancelledError
        return value


class AwaitedIteration(_Awaited, Iteration):
    """An asynchronous iterable, item by item, for ``async for`` in another loop."""

    async def _ask(self, message: Any) -> bool:
        self._message = message
        self._finished = True
        cancelled = await self._news_of(self if self._resumed is None else self._resume)
        if self._ended or self._abandoned is not None:
            self._take_outcome()
        else:
            self._finished = False
        if cancelled:
            raise asyncio.CancelledError
        return not self._finished

    async def items_async(self, translate: Callable[[Any], Any]) -> AsyncGenerator[Any, Any]:
        """As ``items``."""
        answer = Answer()
        try:
            while await self._ask(answer.message):
                with answer:
                    answer.sent((yield translate(self.take_handed())))
        finally:
            if not self._finished and self._resumed is not None and not self._thread.closing:
                await self._ask(STOP)
