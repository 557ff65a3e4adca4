"""The thread that keeps one event loop alive, and its end.

A :class:`LoopThread` belongs to one runner, in one process. Calls are posted to its inbox from any thread; the
loop's own thread takes them out. Posting takes no lock, so a signal handler and a finalizer may do it too.

States: running -> closing -> closed. ``closing`` is set once, by whoever closes first. From then on

* what is in the inbox, and what comes, is refused: the poster or the loop's thread does it, whoever still
  finds it there;
* every task is cancelled and awaited, asynchronous generators are closed, the default executor is shut down,
  all within the closer's deadline;
* a caller whose work refuses to end is given an error at that deadline, and the thread is left behind.
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

from ._call import Call
from ._doorbell import Doorbell
from ._errors import CancelledError, ForkedError, WouldDeadlockError
from ._fork import keep_for_ever

logger = logging.getLogger("palitra")

#: How long ``close()`` waits for work that was cancelled, in seconds.
CLOSE_TIMEOUT = 5.0
#: The same when the interpreter exits.
EXIT_TIMEOUT = 1.0

CLOSED = "Event loop is closed: this runner was closed"


#: A call to begin, or a function to be called on the loop's thread.
Posted = Call | Callable[[], object]


class Executor(ThreadPoolExecutor):
    """The loop's default executor; known to us so that its end can be bounded."""

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
                return  # The interpreter is on its way out and starts no threads.
            waiter.join(timeout)


class LoopThread:
    """One event loop, its thread, and what is on its way to it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, name: str) -> None:
        self.loop = loop
        self.process = os.getpid()
        #: The calls that have begun and not ended; only the loop's thread changes it.
        self.calls: set[Call] = set()
        #: The interpreter is about to end.
        self.exiting = False
        #: This is a forked child, and the thread its parent's.
        self.forked = False
        self._inbox: deque[Posted] = deque()
        self._closing = False
        self._closers = threading.Lock()
        self._turning = False
        self._deadline = 0.0
        self._ended = threading.Event()
        self._debug_overrides: dict[Call, bool] = {}
        self._debug = False
        self._executor = Executor(thread_name_prefix="asyncio")
        loop.set_default_executor(self._executor)
        self._doorbell = Doorbell(loop, self._answer)
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
            self.begin_close(0)  # Interrupted: the thread turns, or is about to, and closes the loop.
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
        """Hands over a call, or a function. A call that comes too late is refused; a function is dropped."""
        self._inbox.append(posted)
        if not self._closing:
            self._doorbell.ring()
            return
        if not self._ended.is_set():
            # The thread still turns, to wind down, and what it winds down may need to hear this.
            self._doorbell.ring()
        if self._ended.is_set():
            self._refuse_inbox()

    def _answer(self) -> None:
        inbox = self._inbox
        while inbox:
            try:
                posted = inbox.popleft()
            except IndexError:
                return
            if not isinstance(posted, Call):
                self._guarded(posted)
            elif self._closing:
                posted.refuse(self._refusal())
            else:
                try:
                    posted.begin()
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
            if isinstance(posted, Call):
                posted.refuse(self._refusal())

    def check_may_wait(self, otherwise: str) -> None:
        """Raises ForkedError where the thread is a parent's, WouldDeadlockError on the thread itself, RuntimeError
        when the interpreter is about to end."""
        if self.exiting:
            sleep_if_exiting()
        if self.forked or self.exiting:
            raise self._refusal()
        if self.is_current():
            raise WouldDeadlockError(otherwise)

    # Debug mode for the length of a call; on the loop's thread.

    def override_debug(self, call: Call, debug: bool) -> None:
        if not self._debug_overrides:
            self._debug = self.loop.get_debug()
        self._debug_overrides[call] = debug
        self.loop.set_debug(debug)

    def restore_debug(self, call: Call) -> None:
        if self._debug_overrides.pop(call, None) is not None:
            latest = next(reversed(self._debug_overrides.values()), self._debug)
            self.loop.set_debug(latest)

    # The end.

    def close(self, timeout: float) -> bool:
        """Cancels what runs and waits so many seconds for the thread's end; False if it did not come. On the
        loop's own thread it only begins the end."""
        self.begin_close(timeout)
        if self.is_current() or self.process != os.getpid():
            return True
        if self._ended.wait(max(0.0, timeout)):
            # What follows in the thread is its own exit, which at the interpreter's exit may never come.
            self._thread.join(max(0.0, timeout))
            return True
        self._abandon_calls()
        return False

    def begin_close(self, timeout: float) -> None:
        """running -> closing; never waits, so that a finalizer may do it on any thread."""
        if self.process == os.getpid() and self._closers.acquire(blocking=False):
            self._deadline = time.monotonic() + timeout
            self._closing = True
            self.post(self._stop)

    def _stop(self) -> None:
        # Not what runs the loop afterwards, to wind down.
        if self._turning:
            self.loop.stop()

    def _abandon_calls(self) -> None:
        for call in self.calls.copy():
            call.abandon(CancelledError("the runner was closed and the work did not end in time"))
        self._refuse_inbox()

    def _main(self) -> None:
        loop = self.loop
        asyncio.set_event_loop(loop)
        try:
            self._turning = True
            while not self._closing:
                # Only a closing runner stops its loop: not a callback's SystemExit, nor a stray loop.stop().
                self._guarded(loop.run_forever)
            self._turning = False
            self._wind_down()
        finally:
            self._abandon_calls()
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
        self._answer()
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
            # It would be reported as destroyed while pending, which its caller has been told by an error.
            task._log_destroy_pending = False  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
        if stubborn and not self.exiting:
            logger.warning("closed a runner although %d tasks refused their cancellation", len(stubborn))

    async def _close_generators(self) -> None:
        closing = asyncio.ensure_future(self.loop.shutdown_asyncgens())
        _, stubborn = await asyncio.wait({closing}, timeout=max(0.01, self._remaining()))
        if stubborn:
            closing._log_destroy_pending = False  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
            if not self.exiting:
                logger.warning("closed a runner although an asynchronous generator refused to be closed")

    # In a forked child, where the thread does not exist.

    def leave_to_parent(self) -> None:
        """Keeps what is the parent's from being finalized here: closing the loop would reach its epoll set."""
        keep_for_ever(self)
        self.forked = True
        self._closing = True
        keep_for_ever(self._inbox)
        self._inbox = deque()
        self._ended = threading.Event()
        self._ended.set()
        with contextlib.suppress(RuntimeError):
            for task in asyncio.all_tasks(self.loop):
                keep_for_ever(task)


#: Every loop thread that turns; the others are no more than garbage.
_threads: weakref.WeakSet[LoopThread] = weakref.WeakSet()


_exiting = False


def sleep_if_exiting() -> None:
    """For whoever wants a new thread: a daemon thread that is still busy when the interpreter ends has nobody
    who would hear of an error. The end of the process ends it."""
    if _exiting and threading.current_thread() is not threading.main_thread():
        for_ever = threading.Lock()
        for_ever.acquire()
        for_ever.acquire()


def _close_all_at_exit() -> None:
    global _exiting
    _exiting = True
    threads = [thread for thread in list(_threads) if thread.process == os.getpid()]
    for thread in threads:
        thread.exiting = True
        thread.begin_close(EXIT_TIMEOUT)
    deadline = time.monotonic() + EXIT_TIMEOUT
    for thread in threads:
        thread.close(max(0.0, deadline - time.monotonic()))


atexit.register(_close_all_at_exit)
