"""What ``to_sync`` makes of a function, for type checkers: to be called, or awaited by its twin ``aio``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Generator
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, overload

P = ParamSpec("P")
Q = ParamSpec("Q")
S = TypeVar("S", contravariant=True)
T = TypeVar("T", covariant=True)


class SyncFunction(Protocol[P, T]):
    """A function that returns what the coroutine returns."""

    __name__: str
    __qualname__: str

    def __call__(self, *arguments: P.args, **keywords: P.kwargs) -> T: ...

    @property
    def aio(self) -> Callable[P, Coroutine[Any, Any, T]]:
        """The function for asynchronous code: on the runner's loop, to be awaited in any."""
        ...

    @overload
    def __get__(self, instance: None, owner: type, /) -> SyncFunction[P, T]: ...
    @overload
    def __get__(self: SyncFunction[Concatenate[S, Q], T], instance: S, owner: type, /) -> Callable[Q, T]: ...


class SyncGenerator(Protocol[P, T]):
    """A function that returns a generator of what the asynchronous one yields."""

    __name__: str
    __qualname__: str

    def __call__(self, *arguments: P.args, **keywords: P.kwargs) -> Generator[T, None, None]: ...

    @property
    def aio(self) -> Callable[P, AsyncIterator[T]]:
        """The function for asynchronous code: on the runner's loop, for ``async for`` in any."""
        ...

    @overload
    def __get__(self, instance: None, owner: type, /) -> SyncGenerator[P, T]: ...
    @overload
    def __get__(
        self: SyncGenerator[Concatenate[S, Q], T], instance: S, owner: type, /
    ) -> Callable[Q, Generator[T, None, None]]: ...
