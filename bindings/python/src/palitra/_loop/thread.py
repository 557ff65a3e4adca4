"""The thread that keeps one event loop alive, and its end.

A :class:`LoopThread` belongs to one runner, in one process. Any thread posts work to its inbox; the loop's own thread
takes it out. A post takes no lock, so that a signal handler and a finalizer may post too.

States: running -> closing -> closed. ``closing`` is set once, by whoever closes first. From then on

* what is in the inbox, and what still arrives there, is refused, by the poster or by the loop's thread, whichever
  finds it first;
* every task is cancelled and awaited, asynchronous generators are closed, the default executor is shut down, all
  before the closer's deadline;
* a caller whose work does not end by that deadline gets an error, and the thread is left behind.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import logging
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from .._errors import CancelledError, ForkedError, WouldDeadlockError
from .._fork import keep_forever
from .doorbell import Doorbell

logger = logging.getLogger("palitra")

#: How long ``close()`` waits for work that was cancelled, in seconds.
CLOSE_TIMEOUT = 5.0
#: The same when the interpreter exits.
EXIT_TIMEOUT = 1.0

CLOSED = "Event loop is closed: this runner was closed"


class Postable:
    """Work, as the thread knows it. The thread starts it or refuses it; it abandons what does not end in time."""

    __slots__ = ()

    def start(self) -> None:
        """Starts the work, on the loop's thread. If it raises, the thread refuses the work with the error."""
        raise NotImplementedError

    def refuse(self, error: BaseException) -> None:
        """Ends the work with the error before it has started. Called on any thread once the loop has ended."""
        raise NotImplementedError

    def abandon(self, error: BaseException) -> None:
        """Wakes the caller with the error although the work has not ended. Called on any thread."""
        raise NotImplementedError


#: Work to start, or a function to call, on the loop's thread.
Posted = Postable | Callable[[], object]


class Executor(ThreadPoolExecutor):
    """The loop's default executor, whose end takes a bounded time."""

    used = False

    def submit(self, *arguments: Any, **keywords: Any) -> Any:
        self.used = True
        return super().submit(*arguments, **keywords)

    def shut_down_within(self, timeout: float) -> None:
        """Waits for its threads for so many seconds."""
        self.shutdown(wait=False, cancel_futures=True)
        if self.used and timeout > 0:
            waiter = threading.Thread(target=self.shutdown, name="palitra-executor-shutdown", daemon=True)
            try:
                waiter.start()
            except RuntimeError:
                return  # The interpreter is exiting and starts no threads.
            waiter.join(timeout)


class LoopThread:
    """One event loop, its thread, and what was posted to it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, name: str) -> None:
        self.loop = loop
        self.process = os.getpid()
        #: The work that has started and not ended; only the loop's thread changes it.
        self.running: set[Postable] = set()
        #: The interpreter is about to exit.
        self.exiting = False
        #: This is a forked child, and the thread is its parent's.
        self.forked = False
        self._inbox: deque[Posted] = deque()
        self._closing = False
        self._closers = threading.Lock()
        self._runs_loop = False
        self._deadline = 0.0
        self._ended = threading.Event()
        self._debug_overrides: dict[Postable, bool] = {}
        self._debug = False
        self._executor = Executor(thread_name_prefix="asyncio")
        loop.set_default_executor(self._executor)
        self._doorbell = Doorbell(loop, self._empty_inbox)
        started = threading.Event()
        loop.call_soon(started.set)
        self._thread = threading.Thread(target=self._main, name=name, daemon=True)
        try:
            self._thread.start()
            started.wait()
        except RuntimeError:
            loop.close()  # No thread could be started.
            raise
        except BaseException:
            self.request_close(0)  # Interrupted: the thread runs the loop, or is about to, and closes it.
            raise
        _threads.add(self)

    @property
    def closing(self) -> bool:
        return self._closing

    def is_current(self) -> bool:
        """Whether the caller runs on the loop's thread."""
        return threading.get_ident() == self._thread.ident

    def is_alive(self) -> bool:
        return not self._closing and self._thread.is_alive()

    def post(self, posted: Posted) -> None:
        """Hands over work, or a function. Work that comes too late is refused; such a function is discarded."""
        self._inbox.append(posted)
        if not self._closing:
            self._doorbell.ring()
            return
        if not self._ended.is_set():
            # The thread still runs the loop to wind down, and the end of some work may depend on this post.
            self._doorbell.ring()
        if self._ended.is_set():
            self._refuse_inbox()

    def _empty_inbox(self) -> None:
        inbox = self._inbox
        while inbox:
            try:
                posted = inbox.popleft()
            except IndexError:
                return
            if not isinstance(posted, Postable):
                self._guarded(posted)
            elif self._closing:
                posted.refuse(self._refusal())
            else:
                try:
                    posted.start()
                except BaseException as error:
                    posted.refuse(error)

    def _refusal(self) -> BaseException:
        if self.forked:
            return ForkedError("this runner's thread is in the parent of this forked process")
        return RuntimeError(CLOSED)

    def _refuse_inbox(self) -> None:
        while True:
            try:
                posted = self._inbox.popleft()
            except IndexError:
                return
            if isinstance(posted, Postable):
                posted.refuse(self._refusal())

    def check_may_wait(self, otherwise: str) -> None:
        """Raises WouldDeadlockError, with the message, on the loop's thread; ForkedError where the thread is a
        parent's; RuntimeError when the interpreter is about to exit."""
        if self.exiting:
            sleep_if_exiting()
        if self.forked or self.exiting:
            raise self._refusal()
        if self.is_current():
            raise WouldDeadlockError(otherwise)

    # Debug mode while some work runs; on the loop's thread.

    def override_debug(self, work: Postable, debug: bool) -> None:
        if not self._debug_overrides:
            self._debug = self.loop.get_debug()
        self._debug_overrides[work] = debug
        self.loop.set_debug(debug)

    def restore_debug(self, work: Postable) -> None:
        if self._debug_overrides.pop(work, None) is not None:
            latest = next(reversed(self._debug_overrides.values()), self._debug)
            self.loop.set_debug(latest)

    # The end.

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
            work.abandon(CancelledError("the runner was closed and the work did not end in time"))
        self._refuse_inbox()

    def _main(self) -> None:
        loop = self.loop
        asyncio.set_event_loop(loop)
        try:
            self._runs_loop = True
            while not self._closing:
                # Only a closing runner stops its loop: not a callback's SystemExit, nor a stray loop.stop().
                self._guarded(loop.run_forever)
            self._runs_loop = False
            self._wind_down()
        finally:
            self._abandon_work()
            self._ended.set()
            self._refuse_inbox()
            asyncio.set_event_loop(None)

    def _guarded(self, function: Callable[..., Any], *arguments: Any) -> None:
        try:
            function(*arguments)
        except BaseException as error:
            context = {"message": "a callback ended the event loop; palitra keeps it running", "exception": error}
            self.loop.call_exception_handler(context)

    def _remaining(self) -> float:
        return max(0.0, self._deadline - time.monotonic())

    def _wind_down(self) -> None:
        loop = self.loop
        for step in (self._cancel_tasks(), self._close_generators()):
            task = loop.create_task(step)
            while not task.done():
                self._guarded(loop.run_until_complete, task)
        self._executor.shut_down_within(self._remaining())
        self._doorbell.detach()
        loop.close()

    async def _cancel_tasks(self) -> None:
        self._empty_inbox()
        own = asyncio.current_task()
        tasks = {task for task in asyncio.all_tasks(self.loop) if task is not own}
        for task in tasks:
            task.cancel()
        if not tasks:
            return
        done, stubborn = await asyncio.wait(tasks, timeout=self._remaining())
        for task in done:
            if not task.cancelled() and task.exception() is not None:
                context = {"message": "unhandled exception while the runner was closed", "task": task}
                self.loop.call_exception_handler({**context, "exception": task.exception()})
        for task in stubborn:
            _do_not_report(task)
        if stubborn and not self.exiting:
            logger.warning("closed a runner although %d tasks refused their cancellation", len(stubborn))

    async def _close_generators(self) -> None:
        closing = asyncio.ensure_future(self.loop.shutdown_asyncgens())
        _, stubborn = await asyncio.wait({closing}, timeout=max(0.01, self._remaining()))
        if stubborn:
            _do_not_report(closing)
            if not self.exiting:
                logger.warning("closed a runner although an asynchronous generator refused to be closed")

    # In a forked child, where the thread does not exist.

    def leave_to_parent(self) -> None:
        """Keeps what is the parent's from being finalized here: closing the loop would reach its epoll set."""
        keep_forever(self)
        self.forked = True
        self._closing = True
        keep_forever(self._inbox)
        self._inbox = deque()
        self._ended = threading.Event()
        self._ended.set()
        with contextlib.suppress(RuntimeError):
            for task in asyncio.all_tasks(self.loop):
                keep_forever(task)


def _do_not_report(task: asyncio.Task[Any]) -> None:
    """Has asyncio not report that a pending task was destroyed. Its caller has got an error already."""
    task._log_destroy_pending = False  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]


#: Every loop thread that somebody still refers to.
_threads: weakref.WeakSet[LoopThread] = weakref.WeakSet()

_exiting = False


def sleep_if_exiting() -> None:
    """Called where a new thread is wanted. While the interpreter exits it never returns on a daemon thread: an error
    would be reported to nobody. The end of the process ends the sleep."""
    if _exiting and threading.current_thread() is not threading.main_thread():
        forever = threading.Lock()
        forever.acquire()
        forever.acquire()


def _close_all_at_exit() -> None:
    global _exiting
    _exiting = True
    threads = [thread for thread in list(_threads) if thread.process == os.getpid()]
    for thread in threads:
        thread.exiting = True
        thread.request_close(EXIT_TIMEOUT)
    deadline = time.monotonic() + EXIT_TIMEOUT
    for thread in threads:
        thread.close(max(0.0, deadline - time.monotonic()))


atexit.register(_close_all_at_exit)
