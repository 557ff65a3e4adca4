"""What ``submit`` answers: a ``concurrent.futures.Future`` of work on a loop thread.

Cancelling it cancels the work, at any time before its end. Waiting for it on the thread that has to do the
work is refused with :class:`WouldDeadlockError`, never a hang.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
from typing import TYPE_CHECKING, Any, TypeVar

from ._call import Call
from ._errors import TimeoutError

if TYPE_CHECKING:
    from ._loop_thread import LoopThread

T = TypeVar("T")

WOULD_DEADLOCK = "cannot wait for a future on the thread that has to complete it: await asyncio.wrap_future(future)"


class Future(concurrent.futures.Future[T]):
    """The future of one submitted awaitable or job."""

    def __init__(self) -> None:
        super().__init__()
        self._not_notified = [True]

    def _cancel_work(self) -> None:
        """Has the work cancelled; never waits."""
        raise NotImplementedError

    def _check_may_wait(self) -> None:
        """Raises where to wait would be for ever: on the thread that completes this future, in a forked child."""
        raise NotImplementedError

    def cancel(self) -> bool:
        """Cancels the work; False if it has ended."""
        if not super().cancel():
            return False
        # Once only, whoever comes first: concurrent.futures.wait is told.
        with contextlib.suppress(IndexError):
            self._not_notified.pop()
            self.set_running_or_notify_cancel()
            self._cancel_work()
        return True

    def result(self, timeout: float | None = None) -> T:
        """The result, waiting so many seconds for it. Raises what the work raised, TimeoutError (the work runs
        on), CancelledError, WouldDeadlockError on the loop's own thread, ForkedError in a forked child."""
        if timeout != 0 and not self.done():
            self._check_may_wait()
        try:
            return super().result(timeout)
        except concurrent.futures.TimeoutError:
            if self.done():
                raise
            raise TimeoutError(f"timed out after {timeout} seconds") from None  # Another type before Python 3.11.

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """What the work raised, or None; otherwise as ``result``."""
        if timeout != 0 and not self.done():
            self._check_may_wait()
        try:
            return super().exception(timeout)
        except concurrent.futures.TimeoutError:
            raise TimeoutError(f"timed out after {timeout} seconds") from None

    def settle(self, value: Any, error: BaseException | None) -> None:
        """Completes the future, unless it was cancelled meanwhile."""
        with contextlib.suppress(concurrent.futures.InvalidStateError):
            if error is None:
                self.set_result(value)
            else:
                self.set_exception(error)


class SubmittedFuture(Future[T]):
    """The future of an awaitable on a loop thread."""

    def __init__(self, submission: Submission) -> None:
        super().__init__()
        #: Gone once it has ended, so that neither keeps the other.
        self._submission: Submission | None = submission

    def _cancel_work(self) -> None:
        if self._submission is not None:
            self._submission.cancel()

    def _check_may_wait(self) -> None:
        if self._submission is not None:
            self._submission.check_may_wait()

    def settle(self, value: Any, error: BaseException | None) -> None:
        self._submission = None
        super().settle(value, error)


class Submission(Call):
    """A call that nobody waits for in place: its outcome settles a future."""

    __slots__ = ("future",)

    def __init__(self, thread: LoopThread, awaitable: Any) -> None:
        super().__init__(thread, awaitable)
        #: Gone once it is settled: an error's traceback holds this call.
        self.future: SubmittedFuture[Any] | None = SubmittedFuture(self)

    def check_may_wait(self) -> None:
        self._thread.check_may_wait(WOULD_DEADLOCK)

    def _wake(self) -> None:
        if self._thread.exiting:
            return  # As for every call; whoever would begin to wait now is told by check_may_wait.
        future, self.future = self.future, None
        if future is None:
            return
        error = self._error if self._ended else self._abandoned
        value, self._error, self._value = self._value, None, None
        future.settle(value, None if error is None else self._translate(error))
        del error
