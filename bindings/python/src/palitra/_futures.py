"""What ``submit`` answers: a ``concurrent.futures.Future`` of work on a loop thread.

Cancelling it cancels the work, at any time before its end. Waiting for it on the thread that has to do the
work is refused with :class:`WouldDeadlockError`, never a hang.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from ._call import Call
from ._errors import WouldDeadlockError

if TYPE_CHECKING:
    from ._loop_thread import LoopThread

T = TypeVar("T")

WOULD_DEADLOCK = "cannot wait for a future on the thread that has to complete it: await asyncio.wrap_future(future)"


class Future(concurrent.futures.Future[T]):
    """The future of one submitted awaitable or job."""

    def __init__(self, cancel_work: Callable[[], None], is_worker: Callable[[], bool]) -> None:
        """``cancel_work`` never waits; ``is_worker`` says whether the current thread completes this future."""
        super().__init__()
        self._cancel_work = cancel_work
        self._is_worker = is_worker

    def cancel(self) -> bool:
        """Cancels the work; False if it has ended."""
        if not super().cancel():
            return False
        with contextlib.suppress(concurrent.futures.InvalidStateError, RuntimeError):
            self.set_running_or_notify_cancel()
        self._cancel_work()
        return True

    def result(self, timeout: float | None = None) -> T:
        """The result, waiting so many seconds for it. Raises what the work raised, TimeoutError (the work runs
        on), CancelledError, and WouldDeadlockError on the loop's own thread."""
        self._check_may_wait(timeout)
        return super().result(timeout)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """What the work raised, or None; otherwise as ``result``."""
        self._check_may_wait(timeout)
        return super().exception(timeout)

    def _check_may_wait(self, timeout: float | None) -> None:
        if timeout != 0 and not self.done() and self._is_worker():
            raise WouldDeadlockError(WOULD_DEADLOCK)

    def settle(self, value: Any, error: BaseException | None) -> None:
        """Completes the future, unless it was cancelled meanwhile."""
        with contextlib.suppress(concurrent.futures.InvalidStateError):
            if error is None:
                self.set_result(value)
            else:
                self.set_exception(error)


class Submission(Call):
    """A call that nobody waits for in place: its outcome settles a future."""

    __slots__ = ("future",)

    def __init__(self, thread: LoopThread, awaitable: Any) -> None:
        super().__init__(thread, awaitable)
        self.future: Future[Any] = Future(self.cancel, thread.is_current)

    def _wake(self) -> None:
        error = self._error if self._ended else self._abandoned
        self.future.settle(self._value, None if error is None else self._translate(error))
        self._error = self._value = None
