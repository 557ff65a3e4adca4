"""The runner: one event loop in a background thread, for synchronous code to call.

Called by users and by the functions of the global runner, on any thread. Coroutines go to the runner's asyncio loop
(``_loop``); native jobs go straight to their library (``_native``), and to the loop only where they are mixed with
coroutines. ``_owner`` is how it gets its thread.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Coroutine, Generator
from concurrent.futures import Future as ConcurrentFuture
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from sys import modules
from threading import get_ident
from types import TracebackType
from typing import Any, ParamSpec, TypeVar, overload

from ._bridges import Bridge
from ._errors import BusyError, ShutDownError, keep_one_own_frame, one_own_frame
from ._gathering import Gatherer
from ._limits import check_limit, seconds
from ._loop.as_completed import CompletedFuture, Completing
from ._loop.conversation import Entered, Iteration, check_iterable, check_manager
from ._loop.futures import Submission
from ._loop.inbox import CLOSED
from ._loop.portal import call_on_loop, started_task
from ._loop.work import Work, discarding
from ._native.futures import JobFuture
from ._native.job import Job
from ._native.run import iterate_job, run_bounded
from ._owner import LoopFactory, ThreadOwner
from ._types import SyncFunction, SyncGenerator

P = ParamSpec("P")
T = TypeVar("T")


class EventLoopThreadRunner(Gatherer):
    """An event loop in a background thread that runs coroutines for synchronous callers.

    ::

        with EventLoopThreadRunner() as runner:
            page = runner.run(fetch(url), timeout=5)
            pages = runner.gather(*map(fetch, urls))

    Every method may be called from any thread. A forked child gets a loop and a thread of its own at its first use. A
    runner is closed when nobody refers to it any more, nor to what it returned: its futures, generators and context
    managers keep it, and so does work that runs.
    """

    __slots__ = ("_limit", "_places")

    def __init__(
        self,
        *,
        loop_factory: LoopFactory | None = None,
        debug: bool | None = None,
        name: str = "LoopThread",
        limit: int | None = None,
    ) -> None:
        """Starts the thread. ``loop_factory`` makes the loop (None: the current policy does), ``debug`` sets its debug
        mode, ``name`` is the thread's. At most ``limit`` coroutines that were submitted run at a time (None: as many
        as there are); ``submit`` waits for a place. Raises ValueError for a limit below 1."""
        check_limit(limit)
        self._limit = limit
        self._prepare(loop_factory, debug, name)
        self._live_thread()

    def _start_afresh(self) -> None:
        super()._start_afresh()
        self._places = None if self._limit is None else threading.Semaphore(self._limit)

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
        name: str | None = None,
    ) -> T:
        """Runs a coroutine, another awaitable or a native job, and returns its result.

        It runs in a copy of the caller's context; with ``copy_context_back`` the context variables that it set are then
        set in the caller's. ``debug`` is the loop's debug mode while it runs. With ``loop_factory`` it runs on a loop
        that this factory makes, which is kept for later as long as somebody refers to the factory: keep a bound method
        in a variable, as each access makes another one. ``name`` is the task's: that of the function, if it is None.

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
        owner: ThreadOwner = self
        if loop_factory is not None:
            with discarding((coro,)):
                owner = self._sibling(loop_factory)
        thread = owner._thread
        if thread is None or not thread.accepting or thread.is_current():
            thread = owner._thread_for("run", coro)
        work = Work(thread, coro, debug, copy_context_back, name)
        try:
            result: T = work.run(timeout)
            return result
        except BaseException as error:
            keep_one_own_frame(error)
            raise
        finally:
            if copy_context_back:
                work.copy_context_back()

    @overload
    def submit(self, coro: Job, /, *, name: str | None = None, block: bool = True) -> JobFuture: ...
    @overload
    def submit(self, coro: Awaitable[T], /, *, name: str | None = None, block: bool = True) -> ConcurrentFuture[T]: ...
    def submit(self, coro: Awaitable[T], /, *, name: str | None = None, block: bool = True) -> ConcurrentFuture[T]:
        """Starts a coroutine, or submits a native job, and returns a future at once.

        Cancelling the future cancels the work. To wait for it in a coroutine: ``await asyncio.wrap_future(future)``.
        ``name`` is the task's: that of the function, if it is None. A failure that nobody asked the future for is
        reported once to the loop's exception handler, which logs it.

        On a runner with a limit it waits for a place, or with ``block=False`` raises BusyError if there is none; so it
        does on the runner's own thread, where a wait would last forever. Raises RuntimeError after ``close``.
        """
        if type(coro) is Job:
            if self._closed:
                raise ShutDownError(CLOSED)
            return JobFuture(coro.invoker, coro)
        with discarding((coro,)):
            if self._places is None:
                return Submission(self._live_thread(), coro, name).submit()
            self._take_place(self._places, block)
            try:
                return Submission(self._live_thread(), coro, name, self._places.release).submit()
            except BaseException:
                self._places.release()
                raise

    def _take_place(self, places: threading.Semaphore, block: bool) -> None:
        if places.acquire(blocking=False):
            return
        if not block or self._live_thread().is_current():
            raise BusyError(f"{self._limit} coroutines that were submitted to this runner have not ended")
        places.acquire()

    @overload
    def call(self, function: Callable[..., Awaitable[T]], /, *arguments: Any, timeout: float | None = None) -> T: ...
    @overload
    def call(self, function: Callable[..., T], /, *arguments: Any, timeout: float | None = None) -> T: ...
    def call(self, function: Callable[..., Any], /, *arguments: Any, timeout: float | None = None) -> Any:
        """Calls a function on the loop's thread, where it may use the loop, and returns what it returns; if that can be
        awaited, its result. Keyword arguments are for ``functools.partial``.

        A function that blocks blocks the loop: such functions are for ``to_async``. Raises as ``run`` does.
        """
        with one_own_frame:
            return self.run(call_on_loop(function, arguments), timeout=timeout)

    def start_task(
        self,
        function: Callable[..., Awaitable[T]],
        /,
        *arguments: Any,
        name: str | None = None,
        timeout: float | None = None,
    ) -> tuple[ConcurrentFuture[T], Any]:
        """Starts a coroutine function that says when it is ready, and returns its future and the value that it said.

        The function gets a keyword argument, ``task_status``, and calls ``task_status.started(value)`` when it is
        ready. Raises what the function raises before; RuntimeError if it ends without having called that; TimeoutError
        after ``timeout`` seconds, when it has been cancelled; and otherwise as ``run`` does. It takes no place of a
        runner with a limit.
        """
        thread = self._thread_for("start_task")
        with one_own_frame:
            return self.run(started_task(thread, function, arguments, name), timeout=timeout)

    def stats(self) -> dict[str, int]:
        """The runner's coroutines in numbers: tasks that are ``running``; those ``waiting`` to start, for the loop or
        the limit of a gather; and how many ``finished``, ``failed`` and were ``cancelled`` since its thread started.
        Native jobs are counted by their own runners."""
        return self._numbers()

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
    def to_sync(self, subject: Callable[P, Coroutine[Any, Any, T]], /) -> SyncFunction[P, T]: ...
    @overload
    def to_sync(self, subject: Callable[P, AsyncIterator[T]], /) -> SyncGenerator[P, T]: ...
    @overload
    def to_sync(self, subject: Any, /) -> Any: ...
    def to_sync(self, subject: Any, /) -> Any:
        """As ``palitra.to_sync``, on this runner."""
        return Bridge(self, self._on_own_loop, self._live_thread, self._thread_for).to_sync(subject)

    def close(self, timeout: float | None = None, *, cancel: bool = True) -> None:
        """Cancels what runs, closes asynchronous generators, the executor and the loop, and ends the thread.

        Waits at most ``timeout`` seconds (None: five) for the work to end; then whoever waits for it gets an error and
        the thread is left behind. With ``cancel=False`` new work is refused, and what runs has ``timeout`` seconds
        (None: as long as it takes) to end before the rest is cancelled. On the runner's own thread it requests the end
        and returns. Closing again does nothing.

        Raises WouldDeadlockError with ``cancel=False`` in a function that ``to_async`` called for this runner's work.
        """
        self._end(timeout, cancel, for_good=True)

    def __enter__(self) -> EventLoopThreadRunner:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
