"""``to_sync``: whole functions, classes and objects for synchronous code, on one runner.

A function becomes one that returns what its coroutine returns; classes and objects get faces (``_faces``). Called in a
thread by ``to_async``, a function's coroutine runs on the loop that awaits that call, and its cancellation cancels the
coroutine. Each function has a twin ``aio`` for asynchronous code.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import weakref
from collections.abc import Callable
from types import CoroutineType
from typing import Any, Protocol

from ._errors import one_own_frame
from ._faces import (
    FaceClasses,
    FaceType,
    asynchronous_names,
    face_class,
    face_of,
    face_of_entered,
    translated,
    unwrapped,
)
from ._loop.awaited import AwaitedIteration, AwaitedWork
from ._loop.borrowed import BorrowedWork
from ._loop.conversation import Entered, Iteration
from ._loop.desk import own_desk
from ._loop.thread import LoopThread

#: The classes of faces of each runner, by the classes they wrap.
_classes: weakref.WeakKeyDictionary[Any, FaceClasses] = weakref.WeakKeyDictionary()


class Runner(Protocol):
    """What the bridge wants of its runner."""

    def run(self, coro: Any, *, copy_context_back: bool = False) -> Any: ...


class Leaving:
    """The exit of a manager that was entered as an awaitable."""

    def __init__(self, bridge: Bridge, manager: Any) -> None:
        self._bridge = bridge
        self._manager = manager

    def __exit__(self, *details: Any) -> Any:
        return self._bridge.run(type(self._manager).__aexit__(self._manager, *details))


class Bridge:
    """From asynchronous things to synchronous ones, on one runner."""

    def __init__(
        self,
        runner: Runner,
        on_own_loop: Callable[[], bool],
        live_thread: Callable[[], LoopThread],
        thread_to_wait_for: Callable[[str], LoopThread],
    ) -> None:
        self._runner = runner
        self._on_own_loop = on_own_loop
        self._live_thread = live_thread
        self._thread_to_wait_for = thread_to_wait_for

    def to_sync(self, subject: Any) -> Any:
        """See ``palitra.to_sync``."""
        if isinstance(type(subject), FaceType) or isinstance(subject, FaceType):
            return subject
        if inspect.isclass(subject):
            return face_class(self, subject)
        if inspect.isroutine(subject) or isinstance(subject, functools.partial):
            return self._function(subject)
        if inspect.iscoroutine(subject) or asyncio.isfuture(subject):
            raise TypeError(f"to_sync takes the function, not what it returned, a {type(subject).__name__}: see run")
        if subject is None or isinstance(subject, bool | int | float | complex | str | bytes):
            raise TypeError(f"to_sync takes a function, a class or an object, not {type(subject).__name__}")
        # The question is what calling it returns, not whether it can be called.
        if asynchronous_names(type(subject)) == frozenset(("__call__",)):
            return self._function(subject)
        return face_of(self, subject)

    def classes(self) -> FaceClasses:
        """The classes of faces of the runner."""
        return _classes.get(self._runner) or _classes.setdefault(self._runner, FaceClasses())

    # What runs.

    def run(self, awaitable: Any) -> Any:
        """On the runner's loop, where the objects are that have faces."""
        return self._runner.run(awaitable, copy_context_back=True)

    def _run_here(self, awaitable: Any) -> Any:
        """On the loop that awaits this function, if ``to_async`` called it; else on the runner's."""
        serving = own_desk().serving
        if serving is None or not serving.loop.is_running():
            return self._runner.run(awaitable, copy_context_back=True)
        work = BorrowedWork(serving.loop, awaitable)
        try:
            return work.run(None)
        finally:
            work.copy_context_back()

    async def run_async(self, awaitable: Any) -> Any:
        """On the runner's loop, for a coroutine in any loop."""
        if self._on_own_loop():
            return await awaitable
        return await AwaitedWork(self._live_thread(), awaitable).outcome()

    def enter(self, manager: Any) -> Any:
        return Entered(self._thread_to_wait_for("enter"), manager)

    def iterate(self, iterable: Any) -> Any:
        return Iteration(self._thread_to_wait_for("iterate"), iterable).items(None, self.translated)

    def iterate_async(self, iterable: Any) -> Any:
        if self._on_own_loop():
            return iterable
        return AwaitedIteration(self._live_thread(), iterable).items_async(self.translated)

    # What results become.

    def translated(self, value: Any) -> Any:
        """The value with faces for the asynchronous objects in it."""
        return translated(self, value)

    def result(self, value: Any) -> Any:
        """What a method returned: awaited, and translated."""
        if type(value) is CoroutineType:
            return self.translated(self.run(value))
        if inspect.isawaitable(value):
            return self._entered(value) if hasattr(type(value), "__aenter__") else self.translated(self.run(value))
        return self.iterate(value) if inspect.isasyncgen(value) else self.translated(value)

    def _function_result(self, value: Any) -> Any:
        """What a function returned: awaited, and otherwise as it is, if synchronous code can use that."""
        kind: type = type(value)
        if kind is CoroutineType:
            return self._run_here(value)
        if inspect.isawaitable(value):
            return self._entered(value) if hasattr(kind, "__aenter__") else self._run_here(value)
        if inspect.isasyncgen(value):
            return self.iterate(value)
        asynchronous = any(hasattr(kind, name) for name in ("__aenter__", "__aiter__", "__anext__"))
        return face_of(self, value) if asynchronous and not isinstance(kind, FaceType) else value

    def _entered(self, manager: Any) -> Any:
        """An awaitable that is a context manager, too: entered, which awaits it; ``with`` leaves it."""
        value = self.run(type(manager).__aenter__(manager))
        return face_of_entered(self, value, Leaving(self, manager))

    # What functions become.

    def _function(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(*arguments: Any, **keywords: Any) -> Any:
            with one_own_frame:
                return self._function_result(called(function, arguments, keywords))

        attributes: dict[str, Any] = {"aio": self.twin(function, self._function_result, _as_it_is)}
        if hasattr(function, "__self__"):
            attributes["__self__"] = function.__self__  # pyright: ignore[reportFunctionMemberAccess]
        vars(call).update(attributes)
        return call

    def method(self, function: Callable[..., Any], owner: Any) -> Method:
        """A method of the owner, which is a face or a class of faces."""
        return Method(self, function, owner)

    def twin(
        self, function: Callable[..., Any], result: Callable[[Any], Any], last: Callable[[Any], Any]
    ) -> Callable[..., Any]:
        """The function for asynchronous code. ``result`` makes what is not awaited, ``last`` what was."""

        async def outcome(value: Any) -> Any:
            kind: Any = type(value)
            return last(await self.run_async(kind.__aenter__(value) if hasattr(kind, "__aenter__") else value))

        def twin(*arguments: Any, **keywords: Any) -> Any:
            value = called(function, arguments, keywords)
            if inspect.isawaitable(value):
                return outcome(value)
            return self.iterate_async(value) if inspect.isasyncgen(value) else result(value)

        async def coroutine_twin(*arguments: Any, **keywords: Any) -> Any:
            return last(await self.run_async(called(function, arguments, keywords)))

        chosen = coroutine_twin if inspect.iscoroutinefunction(function) else twin
        return functools.update_wrapper(chosen, function)


def called(function: Callable[..., Any], arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    """Calls the function, with the objects of the faces among its arguments."""
    if keywords:
        keywords = {key: unwrapped(value) for key, value in keywords.items()}
    return function(*map(unwrapped, arguments), **keywords)


def _as_it_is(value: Any) -> Any:
    return value


class Method:
    """A method of a face. It is made at each access, and so makes its twin when it is asked for it."""

    __slots__ = ("__self__", "__wrapped__", "_bridge")

    def __init__(self, bridge: Bridge, function: Callable[..., Any], owner: Any) -> None:
        self._bridge = bridge
        self.__wrapped__ = function
        self.__self__ = owner

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        with one_own_frame:
            return self._bridge.result(called(self.__wrapped__, arguments, keywords))

    @property
    def aio(self) -> Callable[..., Any]:
        """The method for asynchronous code."""
        return self._bridge.twin(self.__wrapped__, self._bridge.result, self._bridge.translated)

    @property
    def __doc__(self) -> str | None:  # type: ignore[override]  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.__wrapped__.__doc__

    def __getattr__(self, name: str) -> Any:
        if name == "__code__":
            raise AttributeError(name)  # With it, it would count as a coroutine function.
        return getattr(self.__wrapped__, name)

    def __eq__(self, other: object) -> bool:
        return type(other) is Method and self.__wrapped__ == other.__wrapped__

    def __hash__(self) -> int:
        return hash(self.__wrapped__)

    def __repr__(self) -> str:
        return f"<synchronous {self.__wrapped__!r}>"
