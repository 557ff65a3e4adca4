"""A native job with its payload, what ``palitra.job(...)`` returns, and how a coroutine awaits it.

Nothing runs until the job is passed to ``run``, ``gather``, ``submit`` or ``iterate``, or awaited. The same job may be
run again and again, in any thread or loop.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any, Protocol

from . import abi
from .invoke import Invoker
from .payload import Call, JobDescription
from .slot import Slot

#: The size of a payload is an int for C below this one, and `size_of` need not be asked.
SMALL = 1 << 20

#: How often the progress of an awaited job is read, in seconds.
PROGRESS_INTERVAL = 0.1

#: Is called with how far a job is: what is done, and of how much (0: unknown).
ProgressFunction = Callable[[int, int], object]


class Owner(Protocol):
    """The library or the runner that a job was made by, and runs on."""

    invoker: Invoker


class Job(Call):
    """One native job with its payload. Awaitable in any asyncio loop; ``async for`` reads what it streams."""

    __slots__ = ("deadline", "invoker", "library", "name", "plain", "progress")

    def __init__(self, library: Owner, description: JobDescription, data: bytes) -> None:
        self.wire_name = description.wire_name
        self.data = data
        size = len(data)
        self.size = size if size < SMALL else abi.size_of(data)
        self.library = library
        self.invoker = library.invoker
        self.name = description.name
        #: Seconds after its submission at which it is cancelled and raises TimeoutError, or None.
        self.deadline: float | None = None
        #: What is called with its progress, or None.
        self.progress: ProgressFunction | None = None
        #: It has neither of the two.
        self.plain = True

    def with_deadline(self, deadline: float) -> Job:
        """The same job, which its runner cancels so many seconds after it was submitted."""
        other = copy.copy(self)
        other.deadline, other.plain = deadline, False
        return other

    def with_progress(self, progress: ProgressFunction) -> Job:
        """The same job, whose progress is passed to the function: what is done and of how much, every tenth of a
        second while somebody waits for it, and at its end. For a job that streams: after each item."""
        other = copy.copy(self)
        other.progress, other.plain = progress, False
        return other

    def __await__(self) -> Generator[Any, None, Any]:
        """Awaits the reply in the running loop. Cancelled there, the job is cancelled."""
        invoker = self.invoker
        queue = invoker.completions.of_running_loop()
        slot = queue.slot
        if self.plain and self.wire_name in queue.pended:
            queue.pended.count(self.wire_name)
            tag = queue.submit_soon(invoker, self)
        elif self.progress is not None:
            # A job that is ready at its inline poll leaves no token that knows its progress.
            tag = queue.submit_now(invoker, self, invoker.options(self.deadline, abi.NO_ITEMS))
        else:
            flags = abi.NO_ITEMS | abi.INLINE_ONLY
            options = queue.options if self.plain else queue.own_options(invoker.options(self.deadline, flags))
            status = invoker.poll_inline(self, options, slot)
            if status != abi.PENDING:
                return invoker.take_awaited(status, slot)
            queue.pended.add(self.wire_name)
            tag = queue.keep()
        try:
            waiter = queue.wait((tag,))
            if self.progress is None:
                yield from waiter.notified
            else:
                yield from self._with_progress(queue.token(tag), waiter.notified)
            ((_, refusal),) = waiter.events
            if refusal is not None:
                raise refusal
            return invoker.take_awaited(invoker.poll_and_free(queue.take_token(tag), slot), slot)
        except BaseException:
            invoker.functions.token_cancel(queue.token(tag))
            raise
        finally:
            queue.release(tag)

    def _with_progress(self, token: int, finished: asyncio.Future[None]) -> Generator[Any, None, None]:
        while not finished.done():
            yield from asyncio.wait({finished}, timeout=PROGRESS_INTERVAL).__await__()
            report_progress(self, self.invoker, token)

    async def __aiter__(self) -> AsyncGenerator[Any, None]:
        """The items that the job streams, in the running loop. Closed there, the job is cancelled."""
        invoker = self.invoker
        queue = invoker.completions.of_running_loop()
        slot = Slot()
        tag = queue.submit_now(invoker, self, invoker.options(self.deadline, abi.ITEM_EVENTS))
        token = queue.token(tag)
        next_item = invoker.functions.token_next
        try:
            while True:
                status = next_item(token, 0, slot.reply_address)
                if status == abi.OK:
                    yield invoker.take(status, slot)
                    if self.progress is not None:
                        self.progress(*invoker.progress(token))
                elif status == abi.PENDING:
                    # Having returned PENDING, the library notifies the queue of the next item.
                    await queue.wait((tag,)).notified
                elif status == abi.END:
                    return
                else:
                    invoker.take_awaited(status, slot)
        finally:
            invoker.functions.token_cancel(token)
            queue.release(tag)

    def __repr__(self) -> str:
        payload = self.data if len(self.data) <= 60 else self.data[:57] + b"..."
        return f"<job {self.name} {payload!r}>"


def report_progress(job: Job, invoker: Invoker, token: int) -> None:
    """Calls the job's progress function, if it has one and the job has reported anything to the invoker's runner."""
    if job.progress is not None:
        progress = invoker.progress(token)
        if progress != (0, 0):
            job.progress(*progress)
