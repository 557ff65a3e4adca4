"""``to_async``: a blocking function for coroutines.

Each call runs in a thread, with the context variables of the coroutine that awaits it; what the function sets is set in
the coroutine's afterwards. Which thread: one of the loop's executor; the thread that waits for the coroutine, if the
function wants that (``thread_sensitive``), or if that thread is one of an executor itself, which may have no other to
spare (``_loop.desk``).

A coroutine that is cancelled meanwhile cancels what the function waits for in a nested ``to_sync``, and then waits for
the function. If it waits for nothing of the kind, the coroutine continues at once: nothing can stop a thread.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import inspect
import sys
import weakref
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, ParamSpec, TypeVar, overload

from ._errors import CancelledError
from ._limits import check_limit
from ._loop.contexts import ASGIREF, copy_back, move_in, sensitive_executor
from ._loop.desk import Call, Handed, own_desk, waiting_desk

P = ParamSpec("P")
T = TypeVar("T")


class _Places:
    """At most so many calls at a time, in each event loop; None is no limit."""

    def __init__(self, limit: int | None) -> None:
        check_limit(limit)
        self._limit = limit
        self._loops: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore]
        self._loops = weakref.WeakKeyDictionary()

    async def take(self, loop: asyncio.AbstractEventLoop) -> None:
        """Waits for a place."""
        if self._limit is not None:
            places = self._loops.get(loop)
            if places is None:
                places = self._loops[loop] = asyncio.Semaphore(self._limit)
            await places.acquire()

    def free(self, loop: asyncio.AbstractEventLoop) -> None:
        """Frees the place that was taken."""
        if self._limit is not None:
            self._loops[loop].release()


def check_blocking(function: object) -> None:
    """Raises TypeError for what cannot be called, and for an asynchronous function, which would not be awaited."""
    if not callable(function):
        raise TypeError(f"to_async takes a blocking function, not {type(function).__name__}")
    inner: Any = function
    while isinstance(inner, functools.partial):
        inner = inner.func
    for one in (inner, type(inner).__call__):
        if inspect.iscoroutinefunction(one) or inspect.isasyncgenfunction(one):
            raise TypeError("to_async takes a blocking function, and this one is asynchronous: await it as it is")


@overload
def to_async(
    function: Callable[P, T],
    /,
    *,
    limit: int | None = None,
    executor: Executor | None = None,
    thread_sensitive: bool = False,
    context: contextvars.Context | None = None,
) -> Callable[P, Coroutine[Any, Any, T]]: ...
@overload
def to_async(
    *,
    limit: int | None = None,
    executor: Executor | None = None,
    thread_sensitive: bool = False,
    context: contextvars.Context | None = None,
) -> Callable[[Callable[P, T]], Callable[P, Coroutine[Any, Any, T]]]: ...
def to_async(
    function: Callable[P, T] | None = None,
    /,
    *,
    limit: int | None = None,
    executor: Executor | None = None,
    thread_sensitive: bool = False,
    context: contextvars.Context | None = None,
) -> Any:
    """A blocking function for coroutines: each call runs in a thread. A decorator, with arguments or without.

    It runs in the loop's executor, or in ``executor``. With ``thread_sensitive`` it runs on the thread that waits for
    the coroutine in ``run``, ``to_sync`` or the like, one call at a time, and where none waits on the one thread that
    serves all such calls: for code that is bound to a thread, as SQLite's connections and Django's are.

    It sees the caller's context variables, and the caller those that it sets; with ``context`` it runs in that one, and
    the caller sees nothing. At most ``limit`` calls run at a time in one loop (None: as many as there are threads). A
    caller that is cancelled cancels what the call waits for in ``to_sync``; if it waits for nothing of the kind, the
    caller continues at once, and the call runs to its end and counts until then.

    Raises TypeError for an asynchronous function, for what cannot be called, and for both ``executor`` and
    ``thread_sensitive``; ValueError for a limit below 1. The coroutine raises what the function raises; RuntimeError
    for a StopIteration; WouldDeadlockError if the thread that is to run it runs the coroutine's loop.
    """
    if thread_sensitive and executor is not None:
        raise TypeError("to_async takes an executor or thread_sensitive, not both")
    places = _Places(limit)
    if function is None:
        return functools.partial(
            to_async, limit=limit, executor=executor, thread_sensitive=thread_sensitive, context=context
        )
    check_blocking(function)
    blocking = function

    @functools.wraps(blocking)
    async def call(*arguments: P.args, **keywords: P.kwargs) -> T:
        loop = asyncio.get_running_loop()
        within = contextvars.copy_context() if context is None else context
        one = Call(loop, lambda: _run_in(within, blocking, arguments, keywords))
        if limit is not None:
            await places.take(loop)
        try:
            running = _start(loop, one, executor, thread_sensitive)
        except BaseException:
            places.free(loop)
            raise
        if limit is not None:
            running.add_done_callback(lambda _: places.free(loop))
            running = asyncio.shield(running)  # The place is taken until the function ends.
        try:
            value: T = await one.outcome(running)
            return value
        finally:
            if context is None:
                copy_back(within)

    if hasattr(blocking, "__self__"):
        call.__self__ = blocking.__self__  # type: ignore[attr-defined]  # pyright: ignore
    return call


def _run_in(context: contextvars.Context, function: Callable[..., Any], arguments: Any, keywords: Any) -> Any:
    if ASGIREF in sys.modules:
        move_in(context, None)
    return context.run(function, *arguments, **keywords)


def _start(
    loop: asyncio.AbstractEventLoop, call: Call, executor: Executor | None, thread_sensitive: bool
) -> asyncio.Future[Any]:
    if thread_sensitive:
        return loop.run_in_executor(sensitive_executor(loop), call)
    desk = waiting_desk.get()
    if executor is not None or desk is None or not desk.open_to_all:
        return loop.run_in_executor(executor, call)
    # Whoever is free first does it: the executor's threads may all be waiting for calls like this one.
    handed = Handed(call)
    loop.run_in_executor(None, handed.run)
    desk.hand_over(handed)
    return asyncio.wrap_future(handed.future, loop=loop)


def check_cancelled() -> None:
    """Called now and then in a function that ``to_async`` called: raises CancelledError once nobody waits for it any
    more, because the coroutine that awaits it was cancelled. So a long loop in a thread can end early.

    Raises RuntimeError elsewhere.
    """
    call = own_desk().serving
    if call is None:
        raise RuntimeError("check_cancelled is for functions that to_async calls")
    if call.cancelled:
        raise CancelledError("nobody waits for this call any more: the coroutine that awaited it was cancelled")
