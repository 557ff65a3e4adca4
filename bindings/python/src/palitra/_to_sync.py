"""``to_sync`` on the global runner."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, ParamSpec, TypeVar, overload

from ._global import runner_to_sync
from ._types import SyncFunction, SyncGenerator

P = ParamSpec("P")
T = TypeVar("T")


@overload
def to_sync(subject: Callable[P, Coroutine[Any, Any, T]], /) -> SyncFunction[P, T]: ...
@overload
def to_sync(subject: Callable[P, AsyncIterator[T]], /) -> SyncGenerator[P, T]: ...
@overload
def to_sync(subject: Any, /) -> Any: ...
def to_sync(subject: Any, /) -> Any:
    """An asynchronous function, class or object for synchronous code, on the global runner.

    A coroutine function becomes a function that returns its result; an asynchronous generator function becomes a
    function that returns a generator. Usable as a decorator, and as Flask's ``app.async_to_sync``. What the coroutine
    sets in context variables is set in the caller's. In a function that ``to_async`` called, the coroutine runs on the
    loop that awaits that function; otherwise on the runner's.

    A class becomes a class of synchronous objects: their coroutine methods block, ``with`` enters them, ``for``
    iterates over them; they are constructed on the loop's thread, and what their methods return is synchronous, too. It
    may be subclassed. An object becomes such an object. Its asynchronous self is ``wrapped``; passed to a method it is
    unwrapped. What can be awaited and entered both, as the requests of aiohttp, is entered at once; ``with`` leaves it.

    Functions and methods have a twin for asynchronous code: ``await function.aio()`` and ``async for`` over
    ``generator.aio()`` run on the runner's loop, too. Cancelling the await cancels the work and waits for its end.

    Raises TypeError for what can be neither called nor wrapped, and for a coroutine that was already made. The
    functions raise as ``run`` does.
    """
    return runner_to_sync(subject)
