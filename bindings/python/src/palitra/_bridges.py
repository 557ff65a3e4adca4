"""Whole functions, classes and objects for the other side: ``to_sync`` and ``to_async``.

The results of ``to_sync`` run on the global runner and may be used from any thread; those of ``to_async`` are awaited
in any asyncio loop.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import inspect
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator
from typing import Any, ParamSpec, TypeVar, overload

from ._global import enter, iterate, run
from ._limits import check_limit

P = ParamSpec("P")
T = TypeVar("T")


def _to_sync_result(result: Any, keep: type | tuple[()] = ()) -> Any:
    """The result of an asynchronous function for synchronous code. An object of the class ``keep`` is left as it is."""
    if isinstance(result, keep):
        return result
    if hasattr(result, "__aenter__"):
        return Synchronous(result)
    if inspect.isawaitable(result):
        return run(result)
    if hasattr(result, "__anext__"):
        return iterate(result)
    return result


class Synchronous:
    """An object whose asynchronous methods, context and iteration are synchronous; ``wrapped`` is the object.

    Other attributes are the object's own.
    """

    def __init__(self, wrapped: Any) -> None:
        object.__setattr__(self, "wrapped", wrapped)

    def __getattr__(self, name: str) -> Any:
        if name == "wrapped":  # Not set yet: the object is being copied or unpickled.
            raise AttributeError(name)
        attribute = getattr(self.wrapped, name)
        return _function_to_sync(attribute) if inspect.isroutine(attribute) else attribute

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self.wrapped, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self.wrapped, name)

    def __enter__(self) -> Any:
        if not hasattr(self.wrapped, "__aenter__"):
            return self.wrapped.__enter__()
        manager = enter(self.wrapped)
        object.__setattr__(self, "_manager", manager)
        value = manager.__enter__()
        return self if value is self.wrapped else _to_sync_result(value)

    def __exit__(self, *details: Any) -> Any:
        manager = self.__dict__.pop("_manager", self.wrapped)
        return manager.__exit__(*details)

    def __iter__(self) -> Any:
        if hasattr(self.wrapped, "__aiter__"):
            return iterate(self.wrapped)
        return iter(self.wrapped)

    def __bool__(self) -> bool:
        return bool(self.wrapped)

    def __len__(self) -> int:
        return len(self.wrapped)

    def __getitem__(self, key: Any) -> Any:
        return self.wrapped[key]

    def __repr__(self) -> str:
        return f"<synchronous {self.wrapped!r}>"


class SynchronousClass:
    """A class whose objects are synchronous, including those that its class methods make."""

    def __init__(self, wrapped: type) -> None:
        self.wrapped = wrapped
        self.__doc__ = wrapped.__doc__

    def _own(self, result: Any) -> Any:
        return Synchronous(result) if isinstance(result, self.wrapped) else result

    def __call__(self, *arguments: Any, **keywords: Any) -> Synchronous:
        async def construct() -> Any:
            return self.wrapped(*arguments, **keywords)

        # On the loop's thread: many asynchronous classes want a running loop from the start.
        return Synchronous(run(construct()))

    def __getattr__(self, name: str) -> Any:
        if name == "wrapped":
            raise AttributeError(name)
        attribute = getattr(self.wrapped, name)
        if not inspect.isroutine(attribute):
            return attribute

        @functools.wraps(attribute)
        def call(*arguments: Any, **keywords: Any) -> Any:
            return self._own(_to_sync_result(attribute(*arguments, **keywords), keep=self.wrapped))

        return call

    def __repr__(self) -> str:
        return f"<synchronous {self.wrapped!r}>"


def _function_to_sync(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*arguments: Any, **keywords: Any) -> Any:
        return _to_sync_result(function(*arguments, **keywords))

    return call


@overload
def to_sync(subject: Callable[P, Coroutine[Any, Any, T]], /) -> Callable[P, T]: ...
@overload
def to_sync(subject: Callable[P, AsyncIterator[T]], /) -> Callable[P, Generator[T, None, None]]: ...
@overload
def to_sync(subject: Any, /) -> Any: ...
def to_sync(subject: Any, /) -> Any:
    """An asynchronous function, class or object for synchronous code, on the global runner.

    A coroutine function becomes a function that returns its result; an asynchronous generator function becomes a
    function that returns a generator. A class becomes a factory of synchronous objects: their coroutine methods block,
    ``with`` enters them, ``for`` iterates over them; they are constructed on the loop's thread. An object becomes such
    an object. Usable as a decorator, and as Flask's ``app.async_to_sync``.

    Raises TypeError for what can be neither called nor wrapped. The functions raise as ``run`` does.
    """
    if inspect.isclass(subject):
        return SynchronousClass(subject)
    if inspect.isroutine(subject) or isinstance(subject, functools.partial):
        return _function_to_sync(subject)
    if subject is None or isinstance(subject, bool | int | float | complex | str | bytes):
        raise TypeError(f"to_sync takes a function, a class or an object, not {type(subject).__name__}")
    # The question is what calling it returns, not whether it can be called.
    if callable(subject) and inspect.iscoroutinefunction(getattr(subject, "__call__", None)):  # noqa: B004
        return _function_to_sync(subject)
    return Synchronous(subject)


class _Places:
    """At most so many calls at a time, in each event loop."""

    def __init__(self, limit: int) -> None:
        check_limit(limit)
        self._limit = limit
        self._loops: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore]
        self._loops = weakref.WeakKeyDictionary()

    def of_running_loop(self) -> asyncio.Semaphore:
        loop = asyncio.get_running_loop()
        places = self._loops.get(loop)
        if places is None:
            places = self._loops[loop] = asyncio.Semaphore(self._limit)
        return places


def to_async(function: Callable[P, T], /, *, limit: int | None = None) -> Callable[P, Awaitable[T]]:
    """A blocking function for coroutines: each call runs in a thread of the loop's executor.

    It sees the caller's context variables. At most ``limit`` calls run at a time in one loop (None: as many as the
    executor has threads). A caller that is cancelled continues at once; the call runs to its end and counts until then.
    Raises ValueError for a limit below 1.
    """
    limited = None if limit is None else _Places(limit)

    @functools.wraps(function)
    async def call(*arguments: P.args, **keywords: P.kwargs) -> T:
        loop = asyncio.get_running_loop()
        context = contextvars.copy_context()

        def work() -> T:
            try:
                return context.run(function, *arguments, **keywords)
            except StopIteration as error:
                # No future takes one: before Python 3.13 the await would never end.
                raise RuntimeError(f"{function!r} raised StopIteration") from error

        if limited is None:
            return await loop.run_in_executor(None, work)
        places = limited.of_running_loop()
        await places.acquire()
        try:
            running = loop.run_in_executor(None, work)
        except BaseException:
            places.release()
            raise
        running.add_done_callback(lambda _: places.release())
        return await asyncio.shield(running)

    return call
