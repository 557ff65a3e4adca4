"""The runner: one event loop in a background thread, for synchronous code to call.

Called by users and by the functions of the global runner, on any thread. Coroutines go to the runner's asyncio loop
(``_loop``); native jobs go straight to their library (``_native``), and to the loop only where they are mixed with
coroutines.
"""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Coroutine, Generator
from concurrent.futures import Future as ConcurrentFuture
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from sys import modules
from threading import get_ident
from types import TracebackType
from typing import Any, Literal, NoReturn, ParamSpec, TypeVar, overload

from ._bridges import Bridge
from ._errors import ShutDownError, WouldDeadlockError, keep_one_own_frame
from ._fork import inheritors, start_anew_if_forked
from ._limits import check_limit, seconds
from ._loop.as_completed import CompletedFuture, Completing
from ._loop.conversation import Entered, Iteration, check_iterable, check_manager
from ._loop.futures import Submission
from ._loop.gather import Gathering
from ._loop.thread import CLOSED, Lease, LoopThread, closing_seconds
from ._loop.work import Work, discarding
from ._native.completions import free_queues_of_closed_loops
from ._native.futures import JobFuture
from ._native.gather import gather_jobs, is_batch
from ._native.job import Job
from ._native.run import iterate_job, run_bounded
from ._threads import sleep_if_exiting

P = ParamSpec("P")
T = TypeVar("T")
T1 = TypeVar("T1")
T2 = TypeVar("T2")
T3 = TypeVar("T3")
T4 = TypeVar("T4")
T5 = TypeVar("T5")

#: In place of a thread's number.
CLOSED_FOR_ALL = -1

LoopFactory = Callable[[], asyncio.AbstractEventLoop]


class EventLoopThreadRunner:
    """An event loop in a background thread that runs coroutines for synchronous callers.

    ::

        with EventLoopThreadRunner() as runner:
            page = runner.run(fetch(url), timeout=5)
            pages = runner.gather(*map(fetch, urls))

    Every method may be called from any thread. A forked child gets a loop and a thread of its own at its first use. A
    runner is closed when nobody refers to it any more, nor to what it returned: its futures, generators and context
    managers keep it, and so does work that runs.
    """

    __slots__ = (
        "__weakref__",
        "_closed",
        "_debug",
        "_lease",
        "_lock",
        "_loop_factory",
        "_name",
        "_refuser",
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
        """Starts the thread. ``loop_factory`` makes the loop (None: the current policy does), ``debug`` sets its debug
        mode, ``name`` is the thread's."""
        self._prepare(loop_factory, debug, name)
        self._live_thread()

    def _prepare(self, loop_factory: LoopFactory | None, debug: bool | None, name: str) -> None:
        self._loop_factory = loop_factory
        self._debug = debug
        self._name = name
        self._closed = False
        self._start_afresh()
        inheritors.add(self)

    def _start_afresh(self) -> None:
        self._thread: LoopThread | None = None
        self._lease: Lease | None = None
        #: The thread on which a wait is refused, the loop's own, or CLOSED_FOR_ALL; None before there is either. One
        #: thing to look at, as a native job is run in less than two microseconds.
        self._refuser: int | None = CLOSED_FOR_ALL if self._closed else None
        #: The runners of other loop factories. Each lives as long as its factory.
        self._siblings: weakref.WeakKeyDictionary[LoopFactory, EventLoopThreadRunner] = weakref.WeakKeyDictionary()
        self._lock = threading.RLock()

    def _after_fork_in_child(self) -> None:
        thread, _ = self._detach()
        self._start_afresh()
        if thread is not None:
            thread.leave_to_parent()

    def _live_thread(self) -> LoopThread:
        thread = self._thread
        if thread is not None and not thread.closing:
            return thread
        start_anew_if_forked()
        with self._lock:
            if self._closed:
                raise ShutDownError(CLOSED)
            if self._thread is None or self._thread.closing:
                self._start(self._loop_factory or asyncio.new_event_loop)
            assert self._thread is not None
            return self._thread

    def _start(self, loop_factory: LoopFactory) -> None:
        sleep_if_exiting()
        lease = Lease()
        thread = LoopThread(lease, loop_factory, self._name, self._debug, free_queues_of_closed_loops)
        if self._thread is not None and not self._thread.closing:
            return  # Garbage was collected meanwhile, and its finalizer started one. This one goes with its lease.
        self._detach()
        self._thread, self._lease, self._refuser = thread, lease, thread.ident

    def _detach(self) -> tuple[LoopThread | None, list[EventLoopThreadRunner]]:
        """Forgets the thread and the siblings, and returns them to be closed."""
        thread, self._thread, self._refuser = self._thread, None, None
        self._lease = None
        siblings = list(self._siblings.values())
        self._siblings.clear()
        return thread, siblings

    def _thread_for(self, name: str, *unused: object) -> LoopThread:
        """The thread, for a caller that is going to wait for it. Raises on that thread and after ``close``, and then
        closes the coroutines that will not be awaited."""
        with discarding(unused):
            thread = self._live_thread()
            if thread.is_current():
                self._refuse(name)
        return thread

    def _check_may_wait(self, name: str) -> None:
        """Raises ShutDownError after ``close``, WouldDeadlockError on the loop's own thread."""
        if (refuser := self._refuser) is not None and (refuser < 0 or refuser == get_ident()):
            self._refuse(name)

    def _refuse(self, name: str) -> NoReturn:
        if self._closed:
            raise ShutDownError(CLOSED)
        raise WouldDeadlockError(
            f"Cannot call {name}() from the loop thread: await there, or await asyncio.wrap_future(runner.submit(...))"
        )

    def _sibling(self, loop_factory: LoopFactory) -> EventLoopThreadRunner:
        """The runner whose loop this factory makes: this one, or one beside it."""
        if loop_factory == self._loop_factory:
            return self
        start_anew_if_forked()
        with self._lock:
            if self._closed:
                raise ShutDownError(CLOSED)
            sibling = self._siblings.get(loop_factory)
            if sibling is None or not sibling.is_alive():
                sibling = EventLoopThreadRunner.__new__(EventLoopThreadRunner)
                # Without the factory, which would keep itself in the dictionary.
                sibling._prepare(None, self._debug, self._name)
                sibling._start(loop_factory)
                self._siblings[loop_factory] = sibling
            return sibling

    def is_alive(self) -> bool:
        """Whether the runner accepts work, which it does until it is closed."""
        return not self._closed

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """Returns the event loop in the background; after ``close`` the closed one."""
        if self._closed and self._thread is not None:
            return self._thread.loop
        return self._live_thread().loop

    def run(
        self,
        coro: Coroutine[Any, Any, T] | Awaitable[T],
        *,
        timeout: float | None = None,
        debug: bool | None = None,
        loop_factory: LoopFactory | None = None,
        copy_context_back: bool = False,
    ) -> T:
        """Runs a coroutine, another awaitable or a native job, and returns its result.

        It runs in a copy of the caller's context; with ``copy_context_back`` the context variables that it set are then
        set in the caller's. ``debug`` is the loop's debug mode while it runs. With ``loop_factory`` it runs on a loop
        that this factory makes, which is kept for later.

        Raises what the coroutine raises; TypeError for what cannot be awaited; TimeoutError after ``timeout`` seconds,
        when the work has been cancelled, or does not end although it was; CancelledError if the work was cancelled or
        the runner closed; RuntimeError on the runner's own thread and after ``close``. Ctrl-C cancels the work and
        waits for it, at most two seconds, before KeyboardInterrupt is raised.
        """
        value: T
        if type(coro) is Job:
            if (refuser := self._refuser) is not None and (refuser < 0 or refuser == get_ident()):
                self._refuse("run")
            if timeout is None and coro.plain and "gevent.monkey" not in modules:
                value = coro.invoker.run(coro)
            else:
                value = run_bounded(coro.invoker, coro, timeout)
            return value
        if loop_factory is not None:
            with discarding((coro,)):
                runner = self._sibling(loop_factory)
            try:
                return runner.run(coro, timeout=timeout, debug=debug, copy_context_back=copy_context_back)
            except BaseException as error:
                keep_one_own_frame(error)
                raise
        thread = self._thread
        if thread is None or thread.closing or thread.is_current():
            thread = self._thread_for("run", coro)
        work = Work(thread, coro, debug, copy_context_back)
        try:
            result: T = work.run(timeout)
            return result
        except BaseException as error:
            keep_one_own_frame(error)
            raise
        finally:
            if copy_context_back:
                work.copy_context_back()

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

    @overload
    def submit(self, coro: Job, /) -> JobFuture: ...
    @overload
    def submit(self, coro: Awaitable[T], /) -> ConcurrentFuture[T]: ...
    def submit(self, coro: Awaitable[T], /) -> ConcurrentFuture[T]:
        """Starts a coroutine, or submits a native job, and returns a future at once.

        Cancelling the future cancels the work. To wait for it in a coroutine: ``await asyncio.wrap_future(future)``.
        Raises RuntimeError after ``close``. May be called on the runner's own thread.
        """
        if type(coro) is Job:
            if self._closed:
                raise ShutDownError(CLOSED)
            return JobFuture(coro.invoker, coro)
        with discarding((coro,)):
            thread = self._live_thread()
        return Submission(thread, coro).submit()

    def as_completed(
        self, *coros: Awaitable[T], timeout: float | None = None, limit: int | None = None
    ) -> Generator[CompletedFuture[T], None, None]:
        """Runs several at the same time, at most ``limit`` of them, and yields their futures, done, in order of time.
        ``future.index`` is the position of its awaitable.

        They start when this is called, before the generator's first step. One that is passed twice is yielded once.
        Past ``timeout`` seconds TimeoutError is raised. Then, and when the generator is closed, the rest is cancelled.
        Otherwise raises as ``run`` does.
        """
        with discarding(coros):
            check_limit(limit)
            seconds(timeout)
        return Completing(self._thread_for("as_completed", *coros), coros, timeout, limit).futures()

    @overload
    def iterate(self, iterable: Job, /, *, timeout: float | None = None) -> Generator[Any, None, None]: ...
    @overload
    def iterate(self, iterable: AsyncIterable[T], /, *, timeout: float | None = None) -> Generator[T, None, None]: ...
    def iterate(self, iterable: Any, /, *, timeout: float | None = None) -> Generator[Any, None, None]:
        """The items of an asynchronous iterable, or of a native job that streams, as they are asked for.

        One task drives an asynchronous generator from its start to its ``aclose``, which is called when the iteration
        ends, or is closed or dropped. Raises TimeoutError when an item takes more than ``timeout`` seconds, TypeError
        for anything but an asynchronous iterable, and otherwise as ``run`` does.
        """
        seconds(timeout)
        if type(iterable) is Job:
            self._check_may_wait("iterate")
            return iterate_job(iterable.invoker, iterable, timeout)
        check_iterable(iterable)
        return Iteration(self._thread_for("iterate"), iterable).items(timeout)

    def enter(self, manager: AbstractAsyncContextManager[T], /) -> AbstractContextManager[T]:
        """An asynchronous context manager as one for ``with``. One task enters and leaves it.

        Raises TypeError for anything but an asynchronous context manager, and otherwise as ``run`` does.
        """
        check_manager(manager)
        return Entered(self._thread_for("enter"), manager)

    @overload
    def to_sync(self, subject: Callable[P, Coroutine[Any, Any, T]], /) -> Callable[P, T]: ...
    @overload
    def to_sync(self, subject: Callable[P, AsyncIterator[T]], /) -> Callable[P, Generator[T, None, None]]: ...
    @overload
    def to_sync(self, subject: Any, /) -> Any: ...
    def to_sync(self, subject: Any, /) -> Any:
        """As ``palitra.to_sync``, on this runner."""
        return Bridge(self, self._live_thread, self._thread_for).to_sync(subject)

    def close(self, timeout: float | None = None) -> None:
        """Cancels what runs, closes asynchronous generators, the executor and the loop, and ends the thread.

        Waits at most ``timeout`` seconds (None: five) for the work to end; then whoever waits for it gets an error and
        the thread is left behind. On the runner's own thread it requests the end and returns. Closing again does
        nothing.
        """
        limit = closing_seconds(timeout)
        start_anew_if_forked()
        with self._lock:
            self._closed = True
            self._refuser = CLOSED_FOR_ALL
            siblings = list(self._siblings.values())
            thread = self._thread
        for sibling in siblings:
            sibling.close(limit)
        if thread is not None:
            thread.close(limit)

    def __enter__(self) -> EventLoopThreadRunner:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
