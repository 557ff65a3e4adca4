"""A desk: what other threads want done on one thread, which does it while that thread waits.

Each thread has one desk. A thread that waits for a coroutine has nothing else to do; a function that the coroutine
wants called on that very thread, or for which no thread of the executor is free, is laid on its desk. So nested calls
of ``to_sync`` and ``to_async`` need no thread that is not there, and code that is bound to a thread stays on it.

A thread *waits* from :meth:`Desk.enter` to :meth:`Desk.leave`; waits nest, and the innermost one serves the desk. Any
thread hands over; no lock is taken. Either the waiting thread takes what was handed over, or whoever handed it over
takes it back, because the thread waits no more.

A desk is an executor as ``loop.run_in_executor`` takes it, and as asgiref does (:mod:`palitra._asgiref`).
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import os
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol

from .._errors import WouldDeadlockError
from .._fork import inheritors

WOULD_DEADLOCK = "the thread that has to call this function runs the loop that awaits it: call it there directly"


class Waiter(Protocol):
    """What a thread waits for."""

    def ring(self) -> None:
        """Wakes the thread, which then serves its desk. Called on any thread, also when it waits no more."""

    def cancel(self) -> None:
        """Requests that the wait ends. Called on any thread, also when it waits no more."""


class Call:
    """One call of a blocking function that a coroutine awaits."""

    __slots__ = ("_ended", "_error", "_function", "_value", "_waiter", "cancelled", "dropped", "inner", "loop")

    def __init__(self, loop: asyncio.AbstractEventLoop, function: Callable[[], Any]) -> None:
        self._function = function
        #: The loop of the coroutine.
        self.loop = loop
        #: What the function waits for at the moment, in a nested ``to_sync``.
        self.inner: Waiter | None = None
        #: Nobody waits for it any more: if it has not started, it never does.
        self.dropped = False
        #: The coroutine that awaits it was cancelled.
        self.cancelled = False
        self._ended = False
        self._value: Any = None
        self._error: BaseException | None = None
        self._waiter: asyncio.Future[None] | None = None

    # On the thread that does it.

    def __call__(self) -> Any:
        if self.dropped:
            return None
        desk = own_desk()
        outer, desk.serving = desk.serving, self
        try:
            self._value = self._function()
        except StopIteration as error:
            # A future cannot hold it: the coroutine would wait forever.
            self._error = RuntimeError("the function raised StopIteration, which cannot cross into a coroutine")
            raise self._error from error
        except BaseException as error:
            self._error = error
            raise
        finally:
            desk.serving = outer
            self._ended = True
            if self._waiter is not None:
                with contextlib.suppress(RuntimeError):  # The loop may be closed.
                    self.loop.call_soon_threadsafe(self._wake)
        return self._value

    # On the loop.

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def outcome(self, running: asyncio.Future[Any]) -> Any:
        """Returns what the function returns, or raises. ``running`` is done with the call. Cancelled, it cancels what
        the function waits for, and waits for the function; if that waits for nothing, it drops the call."""
        try:
            return await running
        except asyncio.CancelledError:
            if self._error is not None or not await self._cancel():
                raise  # The function's own, or nobody waits for the call any more.
            if self._error is not None:
                raise self._error from None
            return self._value
        finally:
            # The error's traceback holds the frames that hold this call.
            self._error = None

    async def _cancel(self) -> bool:
        self.cancelled = True
        while not self._ended:
            waiter = self._waiter = self.loop.create_future()
            inner = self.inner
            if inner is not None:
                inner.cancel()
            elif not self._ended:
                self.dropped = True
                return False
            if not self._ended:
                with contextlib.suppress(asyncio.CancelledError):
                    await waiter
        return True


class Handed:
    """A function that was handed over, and the future of its outcome. Several threads may get it; one calls it."""

    __slots__ = ("_function", "_once", "future")

    def __init__(self, function: Callable[[], Any]) -> None:
        self._function = function
        self._once = [True]
        self.future: Future[Any] = Future()

    def run(self) -> None:
        try:
            self._once.pop()
        except IndexError:
            return
        if not self.future.set_running_or_notify_cancel():
            return
        try:
            value = self._function()
        except BaseException as error:
            self.future.set_exception(error)
        else:
            self.future.set_result(value)


class Runnable(Protocol):
    """What can lie on a desk: a :class:`Handed`, or asgiref's own."""

    def run(self) -> None: ...


class Desk:
    """The desk of one thread."""

    __slots__ = ("_laid", "_process", "_thread", "for_asgiref", "innermost", "open_to_all", "serving")

    def __init__(self) -> None:
        self._laid: deque[Runnable] = deque()
        self._thread = threading.get_ident()
        self._process = os.getpid()
        #: What the thread waits for.
        self.innermost: Waiter | None = None
        #: The call that the thread is in.
        self.serving: Call | None = None
        #: Whether the thread may do what any thread may do: it belongs to an executor, and waits without a bound.
        self.open_to_all = False
        #: What asgiref's Local holds for those whom this thread waits for (``contexts``).
        self.for_asgiref: Any = None

    # On the desk's own thread.

    def enter(self, waiter: Waiter, bounded: bool) -> tuple[Waiter | None, Waiter | None, bool]:
        """The thread is going to wait. Returns what ``leave`` wants."""
        serving = self.serving
        outer, self.innermost = self.innermost, waiter
        if serving is None:
            return outer, None, False
        before = outer, serving.inner, self.open_to_all
        serving.inner = waiter
        self.open_to_all = not bounded
        return before

    def leave(self, before: tuple[Waiter | None, Waiter | None, bool]) -> None:
        """The thread has waited. What is left on the desk after the outermost wait is done elsewhere."""
        self.innermost, inner, self.open_to_all = before
        if self.serving is not None:
            self.serving.inner = inner
        if self.innermost is None:
            while self._laid and self._process == os.getpid():
                try:
                    laid = self._laid.popleft()
                except IndexError:
                    return
                fallback.submit(laid.run)

    def serve(self) -> None:
        """Does what lies on the desk; if that forks, the child leaves the rest to its parent."""
        while self._laid and self._process == os.getpid():
            try:
                laid = self._laid.popleft()
            except IndexError:
                return
            laid.run()

    # On any thread.

    def hand_over(self, laid: Runnable) -> bool:
        """Lays it on the desk. Returns False if the thread does not wait."""
        if self._process != os.getpid():
            return False  # The thread is the parent's.
        self._laid.append(laid)
        while True:
            waiter = self.innermost
            if waiter is None:
                try:
                    self._laid.remove(laid)
                except ValueError:
                    return True  # The thread has taken it meanwhile.
                return False
            waiter.ring()
            if self.innermost is waiter:
                return True

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **keywords: Any) -> Future[Any]:
        """As an executor does. If the thread does not wait, the process's one thread for such functions does it."""
        waits_here = self.innermost is not None and self._process == os.getpid()
        if waits_here and threading.get_ident() == self._thread:
            raise WouldDeadlockError(WOULD_DEADLOCK)
        handed = Handed(lambda: function(*arguments, **keywords))
        if not self.hand_over(handed):
            fallback.submit(handed.run)
        return handed.future


class _Own(threading.local):
    desk: Desk | None = None


_own = _Own()

#: The desk of the thread that waits for the work which runs in this context.
waiting_desk: contextvars.ContextVar[Desk | None] = contextvars.ContextVar("palitra.waiting_desk", default=None)


def own_desk() -> Desk:
    """The desk of the thread that asks."""
    desk = _own.desk
    if desk is None:
        desk = _own.desk = Desk()
    return desk


class Fallback:
    """The one thread for functions that want to be on the same thread, when none waits for them."""

    def __init__(self) -> None:
        self._after_fork_in_child()
        inheritors.add(self)

    def _after_fork_in_child(self) -> None:
        _own.desk = None
        self._executor: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()

    def submit(self, function: Callable[..., Any], /, *arguments: Any) -> Future[Any]:
        with self._lock:
            if self._executor is None:
                self._executor = ThreadPoolExecutor(1, thread_name_prefix="palitra-thread-sensitive")
            return self._executor.submit(function, *arguments)


fallback = Fallback()
