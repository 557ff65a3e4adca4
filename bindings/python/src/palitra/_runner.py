"""The runner: one event loop in a background thread, for synchronous code to call.

Called by users and by the functions of the global runner. Coroutines run on the runner's asyncio loop; native
jobs go straight to their library, and come to the loop only where they are mixed with coroutines.
"""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import AsyncIterable, Awaitable, Callable, Coroutine, Generator
from concurrent.futures import Future as ConcurrentFuture
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from types import TracebackType
from typing import Any, Literal, TypeVar, overload

from . import _batch
from ._call import Call, discard
from ._completing import CompletedFuture, Completing
from ._completions import JobFuture
from ._dialogue import Entered, Iteration, check_iterable, check_manager
from ._fork import inheritors
from ._futures import Submission
from ._gathering import Gathering, check_limit
from ._job import Job
from ._loop_thread import CLOSE_TIMEOUT, CLOSED, LoopThread, sleep_if_exiting

T = TypeVar("T")
T1 = TypeVar("T1")
T2 = TypeVar("T2")
T3 = TypeVar("T3")
T4 = TypeVar("T4")
T5 = TypeVar("T5")

LoopFactory = Callable[[], asyncio.AbstractEventLoop]


class EventLoopThreadRunner:
    """An event loop that lives in a background thread, and runs coroutines for synchronous callers.

    ::

        with EventLoopThreadRunner() as runner:
            page = runner.run(fetch(url), timeout=5)
            pages = runner.gather(*map(fetch, urls))

    Every method may be called from any thread. A forked child gets a loop and thread of its own at its first
    call. A runner that nobody refers to any more is closed.
    """

    __slots__ = (
        "__weakref__",
        "_closed",
        "_debug",
        "_finalizer",
        "_lock",
        "_loop_factory",
        "_name",
        "_siblings",
        "_thread",
    )

    def __init__(
        self,
        *,
        loop_factory: LoopFactory | None = None,
        debug: bool | None = None,
        name: str = "LoopThread",
    ) -> None:
        """Starts the thread. ``loop_factory`` makes the loop (None: the current policy does), ``debug`` sets
        its debug mode, ``name`` is the thread's."""
        self._prepare(loop_factory, debug, name)
        self._started()

    def _prepare(self, loop_factory: LoopFactory | None, debug: bool | None, name: str) -> None:
        self._loop_factory = loop_factory
        self._debug = debug
        self._name = name
        self._closed = False
        self._start_afresh()
        inheritors.add(self)

    def _start_afresh(self) -> None:
        self._thread: LoopThread | None = None
        self._finalizer: weakref.finalize[..., EventLoopThreadRunner] | None = None
        #: The runners of other factories, each as long as its factory.
        self._siblings: weakref.WeakKeyDictionary[LoopFactory, EventLoopThreadRunner] = weakref.WeakKeyDictionary()
        self._lock = threading.RLock()

    def _after_fork_in_child(self) -> None:
        thread, _ = self._let_go()
        self._start_afresh()
        if thread is not None:
            thread.leave_to_parent()

    def _started(self) -> LoopThread:
        thread = self._thread
        if thread is not None and not thread.closing:
            return thread
        with self._lock:
            if self._closed:
                raise RuntimeError(CLOSED)
            if self._thread is None or self._thread.closing:
                self._let_go()
                self._keep(self._make_thread(self._loop_factory or asyncio.new_event_loop))
            assert self._thread is not None
            return self._thread

    def _make_thread(self, loop_factory: LoopFactory) -> LoopThread:
        sleep_if_exiting()
        loop = loop_factory()
        if self._debug is not None:
            loop.set_debug(self._debug)
        return LoopThread(loop, self._name)

    def _keep(self, thread: LoopThread) -> None:
        self._thread = thread
        self._finalizer = weakref.finalize(self, thread.begin_close, CLOSE_TIMEOUT)
        self._finalizer.atexit = False

    def _let_go(self) -> tuple[LoopThread | None, list[EventLoopThreadRunner]]:
        """Takes away the thread and the siblings, for their end."""
        thread, self._thread = self._thread, None
        finalizer, self._finalizer = self._finalizer, None
        if finalizer is not None:
            finalizer.detach()
        siblings = list(self._siblings.values())
        self._siblings.clear()
        return thread, siblings

    def _thread_for(self, name: str, *unused: object) -> LoopThread:
        """The thread, for a caller that is going to wait for it. Otherwise closes what will not be awaited."""
        try:
            thread = self._started()
        except BaseException:
            for awaitable in unused:
                discard(awaitable)
            raise
        if thread.is_current():
            for awaitable in unused:
                discard(awaitable)
            raise RuntimeError(
                f"Cannot call {name}() from the loop thread: "
                "await there, or await asyncio.wrap_future(runner.submit(...))"
            )
        return thread

    def _sibling(self, loop_factory: LoopFactory) -> EventLoopThreadRunner:
        """The runner whose loop such a factory makes: this one, or one beside it."""
        if loop_factory == self._loop_factory:
            return self
        with self._lock:
            if self._closed:
                raise RuntimeError(CLOSED)
            sibling = self._siblings.get(loop_factory)
            if sibling is None or not sibling.is_alive():
                sibling = EventLoopThreadRunner.__new__(EventLoopThreadRunner)
                # Without the factory, which would keep itself in the dictionary.
                sibling._prepare(None, self._debug, self._name)
                sibling._keep(sibling._make_thread(loop_factory))
                self._siblings[loop_factory] = sibling
            return sibling

    def is_alive(self) -> bool:
        """Whether the runner takes work: until it is closed."""
        return not self._closed

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """The event loop in the background; after ``close`` the closed one."""
        if self._closed and self._thread is not None:
            return self._thread.loop
        return self._started().loop

    def run(
        self,
        coro: Coroutine[Any, Any, T] | Awaitable[T],
        *,
        timeout: float | None = None,
        debug: bool | None = None,
        loop_factory: LoopFactory | None = None,
        copy_context_back: bool = False,
    ) -> T:
        """Runs a coroutine, another awaitable or a native job, and answers its result.

        It runs in a copy of the caller's context; with ``copy_context_back`` the context variables that it set
        are set in the caller's. ``debug`` is the loop's debug mode for the length of this call.
        ``loop_factory`` runs it on a loop that this factory made, kept for later calls too.

        Raises what the coroutine raises; TypeError for what cannot be awaited; TimeoutError after ``timeout``
        seconds, when the work has been cancelled, or refuses to be; CancelledError if the work was cancelled or
        the runner closed; RuntimeError on the runner's own thread and after ``close``. Ctrl-C cancels the work
        and awaits it, for at most two seconds, before KeyboardInterrupt is raised.
        """
        if type(coro) is Job:
            if timeout is None and coro.plain:
                return coro.library._run(coro)  # type: ignore[no-any-return]
            return coro.library.run(coro, timeout=timeout)  # type: ignore[no-any-return]
        if loop_factory is not None:
            try:
                runner = self._sibling(loop_factory)
            except BaseException:
                discard(coro)
                raise
            return runner.run(coro, timeout=timeout, debug=debug, copy_context_back=copy_context_back)
        thread = self._thread
        if thread is None or thread.closing or thread.is_current():
            thread = self._thread_for("run", coro)
        call = Call(thread, coro, debug, copy_context_back)
        value: T = call.perform(timeout)
        if copy_context_back:
            call.copy_context_back()
        return value

    # What is told apart by position has the type of a tuple, as asyncio.gather's has; it is a list.
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
        """Runs several at the same time and answers the list of their results, in order.

        At most ``limit`` run at a time. Without ``return_exceptions`` the first failure in time is raised: what
        runs then runs on, what the limit kept from beginning is closed. With it, exceptions are among the
        results. Past ``timeout`` seconds all are cancelled and TimeoutError is raised. Otherwise raises as
        ``run`` does, and ValueError for a limit below 1.
        """
        check_limit(limit)
        if _batch.fits(coros_or_futures):
            return _batch.gather(coros_or_futures, return_exceptions, timeout, limit)
        thread = self._thread_for("gather", *coros_or_futures)
        if not coros_or_futures:
            return []
        return Gathering(thread, coros_or_futures, return_exceptions, limit).perform(timeout)

    @overload
    def submit(self, coro: Job, /) -> JobFuture: ...
    @overload
    def submit(self, coro: Awaitable[T], /) -> ConcurrentFuture[T]: ...
    def submit(self, coro: Awaitable[T], /) -> ConcurrentFuture[T]:
        """Begins a coroutine or a native job and answers a future at once.

        Cancelling the future cancels the work. To wait for it in a coroutine: ``await
        asyncio.wrap_future(future)``. Raises RuntimeError after ``close``. May be called on the runner's own
        thread.
        """
        if type(coro) is Job:
            return coro.library.submit(coro)
        try:
            thread = self._started()
        except BaseException:
            discard(coro)
            raise
        submission = Submission(thread, coro)
        future = submission.future
        assert future is not None
        thread.post(submission)
        return future

    def as_completed(
        self, *coros: Awaitable[T], timeout: float | None = None, limit: int | None = None
    ) -> Generator[CompletedFuture[T], None, None]:
        """Runs several at the same time, at most ``limit`` of them, and answers their futures, done, in order
        of time. Each has the position of its awaitable as ``future.index``.

        All begin with this call. One that is given twice is answered once. Past ``timeout`` seconds, or when the
        generator is closed, the rest is cancelled; the timeout raises TimeoutError. Otherwise raises as ``run``.
        """
        check_limit(limit)
        return Completing(self._thread_for("as_completed", *coros), coros, timeout, limit).futures()

    @overload
    def iterate(self, iterable: Job, /, *, timeout: float | None = None) -> Generator[Any, None, None]: ...
    @overload
    def iterate(self, iterable: AsyncIterable[T], /, *, timeout: float | None = None) -> Generator[T, None, None]: ...
    def iterate(self, iterable: Any, /, *, timeout: float | None = None) -> Generator[Any, None, None]:
        """The items of an asynchronous iterable, or of a native job that streams, as they are asked for.

        One task drives an asynchronous generator from its start to its ``aclose``, which comes when the
        iteration ends, is closed or let go of. Raises TimeoutError when an item takes more than ``timeout``
        seconds, TypeError for what is no asynchronous iterable, and otherwise as ``run`` does.
        """
        if type(iterable) is Job:
            return iterable.library.iterate(iterable, timeout=timeout)
        check_iterable(iterable)
        return Iteration(self._thread_for("iterate"), iterable).items(timeout)

    def enter(self, manager: AbstractAsyncContextManager[T], /) -> AbstractContextManager[T]:
        """An asynchronous context manager as one for ``with``; one task enters and leaves it.

        Raises TypeError for what is none, and otherwise as ``run`` does.
        """
        check_manager(manager)
        return Entered(self._thread_for("enter"), manager)

    def close(self, timeout: float | None = None) -> None:
        """Cancels what runs, closes asynchronous generators, the executor and the loop, and ends the thread.

        Waits ``timeout`` seconds (None: five) for work that takes its time; then whoever waits for it is given
        an error and the thread is left behind. On the runner's own thread it begins the end and returns.
        Closing again does nothing.
        """
        with self._lock:
            self._closed = True
            siblings = list(self._siblings.values())
            thread = self._thread
        for sibling in siblings:
            sibling.close(timeout)
        if thread is not None:
            thread.close(CLOSE_TIMEOUT if timeout is None else timeout)

    def __enter__(self) -> EventLoopThreadRunner:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
