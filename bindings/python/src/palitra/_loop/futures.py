"""Work whose outcome completes a future: what ``submit`` does with an awaitable.

The caller's thread submits and keeps the future; the loop's thread completes it.
"""

from __future__ import annotations

from typing import Any, TypeVar

from .._future import WOULD_DEADLOCK, Future
from .thread import LoopThread
from .work import Work

T = TypeVar("T")


class SubmittedFuture(Future[T]):
    """The future of an awaitable on a loop thread."""

    def __init__(self, submission: Submission) -> None:
        super().__init__()
        #: None once it has ended, so that neither keeps the other alive.
        self._submission: Submission | None = submission

    def _cancel_work(self) -> None:
        if self._submission is not None:
            self._submission.cancel()

    def _check_may_wait(self) -> None:
        if self._submission is not None:
            self._submission.check_may_wait()

    def complete(self, value: Any, error: BaseException | None) -> None:
        self._submission = None
        super().complete(value, error)


class Submission(Work):
    """Work that no thread waits for in place: its outcome completes a future."""

    __slots__ = ("_future",)

    blocks = False

    def __init__(self, thread: LoopThread, awaitable: Any) -> None:
        super().__init__(thread, awaitable)
        #: None once it is complete: an error's traceback holds this work.
        self._future: SubmittedFuture[Any] | None = SubmittedFuture(self)

    def submit(self) -> SubmittedFuture[Any]:
        """Posts the work and returns its future. Called once."""
        future = self._future
        assert future is not None
        self._thread.post(self)
        return future

    def check_may_wait(self) -> None:
        self._thread.check_may_wait(WOULD_DEADLOCK)

    def _wake(self) -> None:
        future, self._future = self._future, None
        if future is None:
            return
        error = self._error if self._ended else self._abandoned
        value, self._error, self._value = self._value, None, None
        future.complete(value, error)
        del error
