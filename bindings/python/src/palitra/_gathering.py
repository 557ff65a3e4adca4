"""``gather``, with a type for each number of awaitables."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Literal, TypeVar, overload

from ._errors import keep_one_own_frame
from ._limits import check_limit, seconds
from ._loop.gather import Gathering
from ._loop.work import discarding
from ._native.gather import gather_jobs, is_batch
from ._owner import ThreadOwner

T = TypeVar("T")
T1 = TypeVar("T1")
T2 = TypeVar("T2")
T3 = TypeVar("T3")
T4 = TypeVar("T4")
T5 = TypeVar("T5")


class Gatherer(ThreadOwner):
    """Runs several awaitables on its loop at the same time."""

    __slots__ = ()

    # Typed as a tuple, as asyncio.gather is, where each position has a type of its own. It is a list.
    # fmt: off
    @overload
    def gather(  # type: ignore[overload-overlap]  # pyright: ignore[reportOverlappingOverload]
        self, coro1: Awaitable[T1], /, *,
        return_exceptions: Literal[False] = False, timeout: float | None = None, limit: int | None = None,
    ) -> tuple[T1]: ...
    @overload
    def gather(  # type: ignore[overload-overlap]
        self, coro1: Awaitable[T1], coro2: Awaitable[T2], /, *,
        return_exceptions: Literal[False] = False, timeout: float | None = None, limit: int | None = None,
    ) -> tuple[T1, T2]: ...
    @overload
    def gather(  # type: ignore[overload-overlap]
        self, coro1: Awaitable[T1], coro2: Awaitable[T2], coro3: Awaitable[T3], /, *,
        return_exceptions: Literal[False] = False, timeout: float | None = None, limit: int | None = None,
    ) -> tuple[T1, T2, T3]: ...
    @overload
    def gather(  # type: ignore[overload-overlap]
        self, coro1: Awaitable[T1], coro2: Awaitable[T2], coro3: Awaitable[T3], coro4: Awaitable[T4], /, *,
        return_exceptions: Literal[False] = False, timeout: float | None = None, limit: int | None = None,
    ) -> tuple[T1, T2, T3, T4]: ...
    @overload
    def gather(  # type: ignore[overload-overlap]
        self, coro1: Awaitable[T1], coro2: Awaitable[T2], coro3: Awaitable[T3], coro4: Awaitable[T4],
        coro5: Awaitable[T5], /, *,
        return_exceptions: Literal[False] = False, timeout: float | None = None, limit: int | None = None,
    ) -> tuple[T1, T2, T3, T4, T5]: ...
    @overload
    def gather(  # type: ignore[overload-overlap]
        self, *coros_or_futures: Awaitable[T],
        return_exceptions: Literal[False] = False, timeout: float | None = None, limit: int | None = None,
    ) -> list[T]: ...
    @overload
    def gather(  # pyright: ignore[reportOverlappingOverload]
        self, coro1: Awaitable[T1], /, *,
        return_exceptions: bool, timeout: float | None = None, limit: int | None = None,
    ) -> tuple[T1 | BaseException]: ...
    @overload
    def gather(
        self, coro1: Awaitable[T1], coro2: Awaitable[T2], /, *,
        return_exceptions: bool, timeout: float | None = None, limit: int | None = None,
    ) -> tuple[T1 | BaseException, T2 | BaseException]: ...
    @overload
    def gather(
        self, coro1: Awaitable[T1], coro2: Awaitable[T2], coro3: Awaitable[T3], /, *,
        return_exceptions: bool, timeout: float | None = None, limit: int | None = None,
    ) -> tuple[T1 | BaseException, T2 | BaseException, T3 | BaseException]: ...
    @overload
    def gather(
        self, coro1: Awaitable[T1], coro2: Awaitable[T2], coro3: Awaitable[T3], coro4: Awaitable[T4], /, *,
        return_exceptions: bool, timeout: float | None = None, limit: int | None = None,
    ) -> tuple[T1 | BaseException, T2 | BaseException, T3 | BaseException, T4 | BaseException]: ...
    @overload
    def gather(
        self, coro1: Awaitable[T1], coro2: Awaitable[T2], coro3: Awaitable[T3], coro4: Awaitable[T4],
        coro5: Awaitable[T5], /, *,
        return_exceptions: bool, timeout: float | None = None, limit: int | None = None,
    ) -> tuple[T1 | BaseException, T2 | BaseException, T3 | BaseException, T4 | BaseException, T5 | BaseException]: ...
    @overload
    def gather(
        self, *coros_or_futures: Awaitable[T],
        return_exceptions: bool, timeout: float | None = None, limit: int | None = None,
    ) -> list[T | BaseException]: ...
    # fmt: on
    def gather(
        self,
        *coros_or_futures: Awaitable[Any],
        return_exceptions: bool = False,
        timeout: float | None = None,
        limit: int | None = None,
    ) -> Any:
        """Runs several at the same time and returns the list of their results, in order.

        At most ``limit`` run at a time. Without ``return_exceptions`` the first failure in time is raised; the others
        keep running, and those that the limit kept from starting are closed. With it, exceptions are among the results.
        Past ``timeout`` seconds all are cancelled and TimeoutError is raised. Otherwise raises as ``run`` does, and
        ValueError for a limit below 1.
        """
        with discarding(coros_or_futures):
            check_limit(limit)
            seconds(timeout)
        if is_batch(coros_or_futures):
            self._check_may_wait("gather")
            return gather_jobs(coros_or_futures, return_exceptions, timeout, limit)
        thread = self._thread_for("gather", *coros_or_futures)
        if not coros_or_futures:
            return []
        try:
            return Gathering(thread, coros_or_futures, return_exceptions, limit).run(timeout)
        except BaseException as error:
            keep_one_own_frame(error)
            raise
