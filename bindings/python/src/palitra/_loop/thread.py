"""The thread that keeps one event loop alive, and its end.

A :class:`LoopThread` belongs to one runner, in one process. Any thread posts work to its inbox; the loop's own thread
takes it out.

States: running -> draining -> closing -> closed, or without draining. While it drains, the work that there is may end,
and new work is refused. ``closing`` is set once, by whoever closes first. From then on

* what is in the inbox, and what still arrives there, is refused, by the poster or by the loop's thread, whichever
  finds it first;
* every task is cancelled and awaited, asynchronous generators are closed, the default executor is shut down, all
  before the closer's deadline;
* a caller whose work does not end by that deadline gets an error, and the thread is left behind.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from typing import Any

from .._errors import CancelledError, WouldDeadlockError
from .._fork import keep_forever
from .._limits import seconds
from .._threads import in_gevent, note_loop_here, real_lock, refuse_at_exit, sleep_if_exiting, start_thread
from .debug import DebugMode
from .doorbell import Doorbell
from .ending import cancel_tasks, close_generators
from .executor import Executor, has_executor, make_executor
from .inbox import Inbox
from .posted import Lease

logger = logging.getLogger("palitra")

#: How long ``close()`` waits for work that was cancelled, in seconds.
CLOSE_TIMEOUT = 5.0

#: How often, in seconds, one who waits for work to end looks whether the thread has ended.
LOOK = 0.1


def closing_seconds(timeout: float | None) -> float:
    """How long ``close`` waits with that timeout. Raises TypeError or ValueError for what is no number."""
    return CLOSE_TIMEOUT if timeout is None else seconds(timeout)


def made_by(loop_factory: Callable[[], asyncio.AbstractEventLoop]) -> asyncio.AbstractEventLoop:
    """The loop that the factory makes. Raises TypeError if that is none, RuntimeError if it is no new one."""
    loop = loop_factory()
    if not hasattr(loop, "run_forever"):
        raise TypeError(f"loop_factory must return an event loop, not {type(loop).__name__}")
    if loop.is_running() or loop.is_closed():
        state = "running" if loop.is_running() else "closed"
        raise RuntimeError(f"loop_factory returned a loop that is {state} already: it must make a new one")
    return loop


class LoopThread(Inbox):
    """One event loop, its thread, and their end."""

    def __init__(
        self,
        lease: Lease,
        loop_factory: Callable[[], asyncio.AbstractEventLoop],
        name: str,
        debug: bool | None = None,
        on_closed: Callable[[], object] = int,
    ) -> None:
        """Makes the loop, and starts the thread, which closes when nobody holds the lease any more. ``debug`` is the
        loop's debug mode (None: its own); ``on_closed`` is called on the thread when the loop is closed.

        Raises what the factory raises, TypeError if it returns no loop, RuntimeError if the loop cannot run.
        """
        refuse_at_exit()
        super().__init__()
        self.loop: asyncio.AbstractEventLoop
        self.debug_mode: DebugMode
        self._doorbell: Doorbell
        #: The interpreter is about to exit.
        self.exiting = False
        self._closers = threading.Lock()
        self._runs_loop = False
        self._turned = False
        self._deadline = 0.0
        #: Of the thread that runs the loop, as ``threading.get_ident`` has it.
        self.ident: int | None = None
        self._failure: BaseException | None = None
        #: Returns the lease, for whoever is to keep this thread, or None when it is about to close.
        self.lease = weakref.ref(lease)
        self._executor: Executor | None = None
        self._loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = loop_factory
        self._initial_debug = debug
        self._on_closed = on_closed
        self._has_loop = False
        # A gevent loop belongs to the thread that makes it.
        if not in_gevent():
            self._make_loop()
        #: Held until the loop has turned once, or cannot. It must not let other greenlets run: its holder holds locks.
        self._starting = real_lock()
        self._started = False
        self._starting.acquire()
        try:
            self._thread = start_thread(self._main, name)
            self._starting.acquire()
        except RuntimeError:
            self._discard_loop()  # No thread could be started.
            raise
        except BaseException:
            self.request_close(0)  # Interrupted: the thread runs the loop, or is about to, and closes it.
            raise
        if self._failure is not None:
            failure, self._failure = self._failure, None
            try:
                raise failure
            finally:
                del failure
        weakref.finalize(lease, self.request_close, CLOSE_TIMEOUT).atexit = False

    def _make_loop(self) -> None:
        """Makes the loop and what belongs to it, in an empty context: the first caller's would live as long as they."""
        factory, self._loop_factory = self._loop_factory, None
        assert factory is not None
        contextvars.Context().run(self._set_up, factory)

    def _set_up(self, loop_factory: Callable[[], asyncio.AbstractEventLoop]) -> None:
        loop = made_by(loop_factory)
        self.loop = loop
        try:
            self._doorbell = Doorbell(loop, self._empty_inbox)
        except BaseException:
            loop.close()
            raise
        self._has_loop = True
        self.debug_mode = DebugMode(loop)
        if self._initial_debug is not None:
            loop.set_debug(self._initial_debug)
        if not has_executor(loop):
            self._executor = make_executor()
            loop.set_default_executor(self._executor)

    def _ring(self) -> None:
        if self._has_loop:
            self._doorbell.ring()

    def _discard_loop(self) -> None:
        if self._has_loop:
            self._doorbell.detach()
            self.loop.close()
            self._on_closed()

    def is_current(self) -> bool:
        """Whether the caller runs on the loop's thread. In a forked child another one may have its number."""
        return threading.get_ident() == self.ident and not self.forked

    def check_may_wait(self, otherwise: str) -> None:
        """Raises WouldDeadlockError, with the message, on the loop's thread; ForkedError where the thread is a
        parent's; ShutDownError when the interpreter is about to exit."""
        if self.exiting:
            sleep_if_exiting()
        if self.forked or self.exiting:
            raise self._refusal()
        if self.is_current():
            raise WouldDeadlockError(otherwise)

    # The end.

    def drain(self, timeout: float) -> None:
        """Refuses new work, and waits at most so many seconds (negative: as long as it takes) until what was posted has
        ended. On the loop's own thread it only requests that, and that the thread closes then."""
        self._draining = True
        if self.is_current():
            self.post(lambda: self._drain(lambda: self.request_close(CLOSE_TIMEOUT)))
            if timeout >= 0:
                self.loop.call_later(timeout, self.request_close, CLOSE_TIMEOUT)
        elif not self.forked:
            drained = threading.Event()
            self.post(lambda: self._drain(drained.set))
            end = time.monotonic() + timeout
            while timeout < 0 or time.monotonic() < end:
                # Somebody else may close the thread meanwhile, and leave behind work that refuses to end.
                if drained.wait(LOOK if timeout < 0 else max(0.0, min(LOOK, end - time.monotonic()))):
                    return
                if self._ended.is_set():
                    return

    def close(self, timeout: float) -> bool:
        """Cancels what runs and waits so many seconds for the thread to end. Returns False if it did not end. On the
        loop's own thread it only requests the end."""
        self.request_close(timeout)
        if self.is_current() or self.process != os.getpid():
            return True
        if self._ended.wait(max(0.0, timeout)):
            # What follows in the thread is its own exit, which never comes once the interpreter exits.
            self._thread.join(max(0.0, timeout))
            return True
        self._abandon_work()
        return False

    def request_close(self, timeout: float) -> None:
        """running -> closing. Never waits, so that a finalizer may call it on any thread."""
        if self.process == os.getpid() and self._closers.acquire(blocking=False):
            self._deadline = time.monotonic() + timeout
            self._closing = True
            self.post(self._stop)

    def _stop(self) -> None:
        # Only the loop's main run: what runs the loop afterwards, to wind down, must not be stopped.
        if self._runs_loop:
            self.loop.stop()

    def _abandon_work(self) -> None:
        for work in self.running.copy():
            error = CancelledError("the runner was closed and the work did not end in time")
            error.__cause__ = self._failure
            work.abandon(error)
        self._refuse_inbox()

    def _main(self) -> None:
        self.ident = threading.get_ident()
        note_loop_here()
        try:
            if self._loop_factory is not None:
                self._make_loop()
            asyncio.set_event_loop(self.loop)
            self._keep_turning()
        except BaseException as error:
            self._fail(error)
        else:
            self._wind_down()
        finally:
            self._closing = True
            self._abandon_work()
            self._ended.set()
            self._refuse_inbox()
            asyncio.set_event_loop(None)
            self._let_start()

    def _keep_turning(self) -> None:
        """Runs the loop until this thread closes. Raises if the loop cannot turn, which would not change."""
        self._runs_loop = True
        while not self._closing:
            # Only a closing runner stops its loop: not a callback's SystemExit, nor a stray loop.stop().
            self._turned = False
            try:
                self.loop.call_soon(self._on_turn)
                self.loop.run_forever()
            except BaseException as error:
                # A loop passes on no Exception of a callback: this one is its own.
                if isinstance(error, Exception) and not self._turned:
                    raise RuntimeError(f"the event loop cannot run on its thread: {error}") from error
                self._report(error)
            else:
                if not self._turned:
                    raise RuntimeError("the event loop cannot run on its thread: it ends at once")
        self._runs_loop = False

    def _on_turn(self) -> None:
        self._turned = True
        self._let_start()

    def _let_start(self) -> None:
        """Wakes the constructor."""
        if not self._started:
            self._started = True
            self._starting.release()

    def _fail(self, error: BaseException) -> None:
        """The loop does not turn, or no more: nothing that needs it can be done."""
        if self._started:
            logger.error("the event loop of a runner has ended", exc_info=error)
        self._failure = error
        try:
            self._discard_loop()
        except Exception:
            logger.exception("an event loop that cannot run cannot be closed either")

    def _guarded(self, function: Callable[..., Any], *arguments: Any) -> None:
        try:
            function(*arguments)
        except BaseException as error:
            self._report(error)

    def _report(self, error: BaseException) -> None:
        context = {"message": "a callback ended the event loop; palitra keeps it running", "exception": error}
        self.loop.call_exception_handler(context)

    def _remaining(self) -> float:
        return max(0.0, self._deadline - time.monotonic())

    def _wind_down(self) -> None:
        loop = self.loop
        self._empty_inbox()
        for step in (cancel_tasks, close_generators):
            task = loop.create_task(step(self._deadline, self.exiting))
            while not task.done():
                self._guarded(loop.run_until_complete, task)
        if self._executor is not None:
            self._executor.shut_down_within(self._remaining())
        self._discard_loop()

    # In a forked child, where the thread does not exist.

    def leave_to_parent(self) -> None:
        """Keeps what is the parent's from being finalized here: closing the loop would reach its epoll set."""
        keep_forever(self)
        self._closing = True
        keep_forever(self._inbox)
        self._inbox = deque()
        self._ended = threading.Event()
        self._ended.set()
        with contextlib.suppress(RuntimeError):
            for task in asyncio.all_tasks(self.loop):
                keep_forever(task)
