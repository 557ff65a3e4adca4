"""What a thread asks of the loop besides a result: to call a function there, and to start a task that says when it is
ready.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

from .._errors import CancelledError
from .futures import Submission, SubmittedFuture, name_of
from .thread import LoopThread

T = TypeVar("T")


def call_on_loop(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """A coroutine that calls the function, and awaits what it returns if it can."""

    async def call() -> Any:
        value = function(*arguments)
        return await value if inspect.isawaitable(value) else value

    return _named(call(), function)


class TaskStatus(Generic[T]):
    """What a task of ``start_task`` says by that it is ready."""

    def __init__(self, ready: asyncio.Future[T | None]) -> None:
        self._ready = ready

    def started(self, value: T | None = None) -> None:
        """The task is ready; ``start_task`` returns the value. To be called once, on the loop's thread. Raises
        RuntimeError the second time."""
        if self._ready.done() and not self._ready.cancelled():
            raise RuntimeError("the task has said before that it is started")
        if not self._ready.done():
            self._ready.set_result(value)


async def started_task(
    thread: LoopThread, function: Callable[..., Awaitable[Any]], arguments: tuple[Any, ...], name: str | None
) -> tuple[SubmittedFuture[Any], Any]:
    """Starts the task and awaits that it is ready: on the loop of the thread."""
    ready: asyncio.Future[Any] = thread.loop.create_future()

    async def task() -> Any:
        return await function(*arguments, task_status=TaskStatus(ready))

    future = Submission(thread, _named(task(), function), name).submit()
    ended = asyncio.wrap_future(future)
    try:
        await asyncio.wait({ready, ended}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        if not ready.done():
            future.cancel()
            ready.cancel()
    if ready.done() and not ready.cancelled():
        return future, ready.result()
    if ended.cancelled():
        raise CancelledError("the task was cancelled before it was started")
    await ended
    raise RuntimeError(f"{name_of(function)} ended without having called task_status.started()")


def _named(coroutine: Any, function: Callable[..., Any]) -> Any:
    coroutine.__qualname__ = name_of(function)
    return coroutine
