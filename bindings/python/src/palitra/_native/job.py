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
from .completions import LoopQueue, Receiver
from .invoke import Invoker
from .payload import JobDescription
from .slot import Slot

#: How often the progress of an awaited job is read, in seconds.
PROGRESS_INTERVAL = 0.1

#: Is called with how far a job is: what is done, and of how much (0: unknown).
ProgressFunction = Callable[[int, int], object]


class Owner(Protocol):
    """The library or the runner that a job was made by, and runs on."""

    invoker: Invoker


class Job:
    """One native job with its payload. Awaitable in any asyncio loop; ``async for`` reads what it streams."""

    __slots__ = ("data", "deadline", "invoker", "library", "name", "plain", "progress", "wire_name")

    def __init__(self, library: Owner, description: JobDescription, data: bytes) -> None:
        self.library = library
        self.invoker = library.invoker
        self.name = description.name
        self.wire_name = description.wire_name
        self.data = data
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
        finished: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def receive(status: int) -> None:
            if not finished.done():
                finished.set_result(status)

        token, tag = self._submit_to(queue, receive)
        try:
            if self.progress is None:
                yield from finished.__await__()
            else:
                yield from self._with_progress(token, finished)
            return invoker.poll(token)
        except BaseException:
            invoker.functions.token_cancel(token)
            raise
        finally:
            queue.forget(tag)
            invoker.functions.token_free(token)

    def _with_progress(self, token: int, finished: asyncio.Future[int]) -> Generator[Any, None, None]:
        while not finished.done():
            yield from asyncio.wait({finished}, timeout=PROGRESS_INTERVAL).__await__()
            report_progress(self, self.invoker, token)

    async def __aiter__(self) -> AsyncGenerator[Any, None]:
        """The items that the job streams, in the running loop. Closed there, the job is cancelled."""
        invoker = self.invoker
        queue = invoker.completions.of_running_loop()
        loop = asyncio.get_running_loop()
        slot = Slot()
        arrived: asyncio.Future[int] = loop.create_future()

        def receive(status: int) -> None:
            if not arrived.done():
                arrived.set_result(status)

        token, tag = self._submit_to(queue, receive, abi.ITEM_EVENTS)
        try:
            while True:
                arrived = loop.create_future()
                status = invoker.functions.token_next(token, 0, slot.reply_address)
                if status == abi.END:
                    return
                if status == abi.PENDING:
                    # Having returned PENDING, the library notifies the queue of the next item. None is missed
                    # meanwhile, since this same thread drains the queue.
                    await arrived
                    continue
                yield invoker.take(status, slot)
                if self.progress is not None:
                    self.progress(*invoker.progress(token))
        finally:
            invoker.functions.token_cancel(token)
            queue.forget(tag)
            invoker.functions.token_free(token)

    def _submit_to(self, queue: LoopQueue, receiver: Receiver, flags: int = 0) -> tuple[int, int]:
        """Submits the job with its events in the queue; returns its token and its tag."""
        options = self.invoker.options(self.deadline, flags)
        tag = queue.register(options, receiver)
        try:
            return self.invoker.submit(self.wire_name, self.data, options, Slot()), tag
        except BaseException:
            queue.forget(tag)
            raise

    def __repr__(self) -> str:
        payload = self.data if len(self.data) <= 60 else self.data[:57] + b"..."
        return f"<job {self.name} {payload!r}>"


def report_progress(job: Job, invoker: Invoker, token: int) -> None:
    """Calls the job's progress function, if it has one and the job has reported anything to the invoker's runner."""
    if job.progress is not None:
        progress = invoker.progress(token)
        if progress != (0, 0):
            job.progress(*progress)
