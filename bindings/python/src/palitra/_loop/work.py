"""One awaitable on its way through a loop thread, and the caller that waits for it.

Guarantees

* Work ends exactly once for its caller: with a value, an error, or :class:`CancelledError`.
* Whatever the awaitable raises, SystemExit and KeyboardInterrupt too, reaches the caller and not the loop.
* The caller's deadline and Ctrl-C hold even if the awaitable, or another one, does not end when it is cancelled.
* A coroutine that never starts is closed, so that Python does not warn that it was never awaited.

States

    posted    in the loop thread's inbox
    running   its task exists; the task holds the awaitable
    ended     its outcome is written, and after that its lock is released
    abandoned the loop thread gave up on it: the lock is released, and an outcome that comes later is ignored

Transitions: posted -> running -> ended, posted -> ended (refused, or no task could be made), and from posted and
running -> abandoned. Only the loop's thread writes an outcome; only whoever closes that thread abandons.

While it waits, the caller's thread serves its desk (``desk``): the lock is released for what is laid there, too.
"""

from __future__ import annotations

import _thread
import asyncio
import concurrent.futures
import contextlib
import contextvars
import sys
import time
from collections import deque
from collections.abc import Coroutine, Generator, Iterable
from types import CoroutineType
from typing import Any

from .._errors import CancelledError, ForkedError, TimeoutError, without_own_frames
from .._limits import seconds
from .._threads import sleep_if_exiting
from .contexts import ASGIREF, context_with, copy_back, move_in
from .desk import Desk, own_desk
from .posted import Postable, Posted
from .thread import LoopThread

#: How long a caller whose timeout passed waits, in seconds, for the cancelled work to end.
TIMEOUT_GRACE = 0.1
#: How long a caller that was interrupted waits for that; a second Ctrl-C ends the wait.
INTERRUPT_GRACE = 2.0


def discard(awaitable: object) -> None:
    """Closes a coroutine that will not be awaited, so that Python does not warn of it."""
    close = getattr(awaitable, "close", None)
    if asyncio.iscoroutine(awaitable) and close is not None:
        close()


@contextlib.contextmanager
def discarding(awaitables: Iterable[object]) -> Generator[None, None, None]:
    """Discards them if the block raises."""
    try:
        yield
    except BaseException:
        for awaitable in awaitables:
            discard(awaitable)
        raise


def check_loop(awaitable: object, loop: asyncio.AbstractEventLoop) -> None:
    """Raises RuntimeError for a future or task of another loop. Stepped here it would be broken for its owner."""
    if asyncio.isfuture(awaitable) and awaitable.get_loop() is not loop:
        raise RuntimeError(
            f"{awaitable!r} belongs to another event loop: await it there, or hand over the coroutine instead"
        )


def make_task(
    loop: asyncio.AbstractEventLoop,
    coroutine: Coroutine[Any, Any, Any],
    context: contextvars.Context,
    awaitable: object,
    name: str | None = None,
) -> asyncio.Task[Any]:
    """Makes a task in the caller's context; it runs its first step at once where Python can do that. It bears the name,
    or that of the awaitable that the coroutine drives."""
    name = name or str(getattr(awaitable, "__qualname__", None) or type(awaitable).__qualname__)
    coroutine.__qualname__ = name  # type: ignore[attr-defined]
    # In debug mode a loop names what took long: a task that takes its first step in a turn of its own.
    if loop.get_task_factory() is not None or loop.get_debug():
        return context.run(loop.create_task, coroutine, name=name)
    if sys.version_info >= (3, 12):
        return asyncio.Task(coroutine, loop=loop, context=context, eager_start=True, name=name)
    ready: deque[asyncio.Handle] | None = getattr(loop, "_ready", None)
    before = len(ready or ())
    if sys.version_info >= (3, 11):
        task = asyncio.Task(coroutine, loop=loop, context=context, name=name)
    else:
        task = context.run(asyncio.Task, coroutine, loop=loop, name=name)
    # The loops of these versions, which change no more, keep the first step at the end of a queue; uvloop hides its
    # own. If another thread has just put something there, that is called now, as it would be in the next turn.
    if ready is not None and len(ready) == before + 1 and asyncio.current_task(loop) is None:
        step = ready.pop()
        if not step.cancelled():
            step._run()
    return task


def for_caller(error: BaseException) -> BaseException:
    """The error as the caller is to see it: the names of asyncio and of concurrent.futures both catch a
    cancellation."""
    if isinstance(error, asyncio.CancelledError | concurrent.futures.CancelledError):
        if not isinstance(error, CancelledError):
            cancelled = CancelledError(*error.args)
            cancelled.__cause__ = error
            return cancelled
    return error


class Work(Postable):
    """Runs one awaitable to its end. One thread makes it and waits for it, the loop's thread drives it."""

    __slots__ = (
        "_abandoned",
        "_awaitable",
        "_cancelled",
        "_context",
        "_debug",
        "_desk",
        "_ended",
        "_error",
        "_keeps_context",
        "_lease",
        "_lock",
        "_name",
        "_news",
        "_task",
        "_thread",
        "_value",
    )

    #: Whether a thread waits for it in place.
    blocks = True
    #: Whether it is one awaitable: of several each counts for itself, and some may run when the whole has ended.
    single = True

    def __init__(
        self,
        thread: LoopThread,
        awaitable: Any,
        debug: bool | None = None,
        keeps_context: bool = False,
        name: str | None = None,
    ) -> None:
        self._thread = thread
        #: Keeps the thread: this work may be all that is left of its runner.
        self._lease = thread.lease()
        self._awaitable: Any = awaitable
        #: The task's; None: that of the function that made the awaitable.
        self._name = name
        self._debug = debug
        #: The desk of the thread that waits; None if none does.
        self._desk: Desk | None = own_desk() if self.blocks else None
        self._context = context_with(self._desk)
        self._keeps_context = keeps_context
        self._task: asyncio.Task[Any] | None = None
        self._value: Any = None
        self._error: BaseException | None = None
        self._abandoned: BaseException | None = None
        self._ended = False
        self._cancelled = False
        #: There is news for the waiting thread: it was not woken for its desk alone.
        self._news = False
        # Not imported by its name: gevent may patch it later.
        self._lock = _thread.allocate_lock()
        self._lock.acquire()

    # On the loop's thread.

    def start(self) -> None:
        """posted -> running."""
        if self._cancelled:
            return self.refuse(CancelledError())
        thread = self._thread
        if type(self._awaitable) is not CoroutineType:
            check_loop(self._awaitable, thread.loop)
        thread.running.add(self)
        if self._debug is not None:
            thread.debug_mode.override(self, self._debug)
        if ASGIREF in sys.modules:
            move_in(self._context, self._desk)
        drive = self._drive()
        try:
            task = make_task(thread.loop, drive, self._context, self._awaitable, self._name)
        except BaseException:
            drive.close()
            raise
        if not self._ended:
            self._task = task
            task.add_done_callback(self._task_ended)

    def refuse(self, error: BaseException) -> None:
        """posted -> ended, and the awaitable never starts."""
        discard(self._awaitable)
        self._awaitable = None
        self._end(error)

    async def _drive(self) -> None:
        try:
            self._value = await self._perform()
        except BaseException as error:
            error.__traceback__ = without_own_frames(error.__traceback__)
            ended_with: BaseException | None = error
        else:
            ended_with = None
        if self._keeps_context:
            self._context = contextvars.copy_context()
        self._end(ended_with)
        # The error's traceback holds this frame: without this they would hold each other.
        ended_with = None

    async def _perform(self) -> Any:
        return await self._awaitable

    def _task_ended(self, task: asyncio.Task[Any]) -> None:
        # The task was cancelled before its first step: `_drive` never ran.
        if not self._ended:
            self.refuse(CancelledError())

    def _end(self, error: BaseException | None) -> None:
        """-> ended."""
        thread = self._thread
        if self._debug is not None:
            thread.debug_mode.restore(self)
        if self._task is not None:
            self._task.remove_done_callback(self._task_ended)
            self._task = None
        self._error = error
        self._awaitable = None
        self._ended = True
        if self.single:
            if error is None:
                thread.counts.finished += 1
            else:
                thread.counts.count_failure(error)
            thread.work_ended(self)
        self._wake()

    def _cancel_now(self) -> None:
        if self._task is not None:
            self._task.cancel()

    # On any thread.

    def _wake(self) -> None:
        if self._thread.exiting:
            return  # Only daemon threads still wait by now; woken, they would report an error to nobody.
        self._news = True
        self.ring()

    def ring(self) -> None:
        """Wakes the caller's thread, for its desk if there is no other news."""
        try:
            self._lock.release()
        except RuntimeError:
            pass  # It was released already.

    def cancel(self) -> None:
        """Asks the loop's thread to cancel the work; never waits."""
        self._cancelled = True
        self._thread.post(self._cancel_now)

    def abandon(self, error: BaseException) -> None:
        """-> abandoned: the loop's thread will not end this work in time."""
        self._abandoned = error
        self._wake()

    # On the caller's thread.

    def run(self, timeout: float | None) -> Any:
        """Posts the work and waits for its outcome: returns the value, or raises the error. Past the timeout, or
        interrupted, it cancels the work."""
        try:
            limit = seconds(timeout)
        except BaseException as error:
            self.refuse(error)
            raise
        if self._wait(limit, self):
            return self._take_outcome()
        self.interrupt(TIMEOUT_GRACE)
        if self._ended and self._error is None:
            return self._take_outcome()
        cause, self._error = self._error, None
        try:
            raise TimeoutError(f"timed out after {timeout} seconds") from cause
        finally:
            del cause

    def _wait(self, timeout: float, posted: Posted, forever: bool = False) -> bool:
        """Posts, and waits to be woken. Returns False past the timeout. ``forever`` says that it will wait again."""
        desk = own_desk()
        before = desk.enter(self, timeout >= 0 and not forever)
        try:
            self._thread.post(posted)
            # Most waits end here, without a look at the desk.
            woken = self._lock.acquire(timeout=timeout)
            return self._news or self._wait_on(woken, timeout, desk)
        except BaseException:
            # A signal's handler raised: Ctrl-C, or what a server's own handler raises.
            self.interrupt()
            raise
        finally:
            desk.leave(before)

    def _wait_on(self, woken: bool, timeout: float, desk: Desk) -> bool:
        """After the first time that the lock was released without news, or not at all."""
        end = time.monotonic() + timeout if timeout > 0 else None
        while woken:
            desk.serve()
            self.leave_to_parent_if_forked()
            remaining = timeout if end is None else max(0.0, end - time.monotonic())
            woken = self._lock.acquire(timeout=remaining)
            if self._news:
                return True
        return False

    def interrupt(self, grace: float = INTERRUPT_GRACE) -> None:
        """Cancels the work of a caller that will not wait for it, and waits at most ``grace`` seconds for its end."""
        self.cancel()
        end = time.monotonic() + grace
        # The caller may have taken the lock that was released for the end: it is released for that only once.
        while not (self._news and (self._ended or self._abandoned is not None)):
            if not self._lock.acquire(timeout=max(0.0, end - time.monotonic())):
                break
            # Otherwise it was rung for the desk, which is not served any more, or for an item.

    def leave_to_parent_if_forked(self) -> None:
        """-> abandoned, if what lay on the desk has forked and this is the child."""
        if self._thread.forked:
            self.abandon(ForkedError("this work runs in the parent of this forked process"))

    def _take_outcome(self) -> Any:
        error = self._error if self._ended else self._abandoned
        if error is None:
            value, self._value = self._value, None
            return value
        if self._thread.exiting:
            sleep_if_exiting()  # The exit ended it while its caller was about to take earlier news.
        try:
            raise for_caller(error)
        finally:
            # The traceback holds this frame: without this the work would live until a collection.
            self._error = None
            del error

    def copy_context_back(self) -> None:
        """Sets the context variables that the work set."""
        copy_back(self._context)
