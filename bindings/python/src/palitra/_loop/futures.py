"""Work whose outcome completes a future: what ``submit`` does with an awaitable.

The caller's thread submits and keeps the future; the loop's thread completes it. A failure that nobody asked for when
the future goes reaches the loop's exception handler, as that of a forgotten task does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from .._errors import ForkedError, ShutDownError
from .._future import WOULD_DEADLOCK, Future
from .thread import LoopThread
from .work import Work

T = TypeVar("T")


def name_of(awaitable: object) -> str:
    """The name of the function that made it, as a task that drives it bears it."""
    return getattr(awaitable, "__qualname__", None) or type(awaitable).__qualname__


class SubmittedFuture(Future[T]):
    """The future of an awaitable on a loop thread."""

    #: The loop that the failure is reported to, and whose it is.
    _failed: tuple[asyncio.AbstractEventLoop, str] | None = None

    def __init__(self, submission: Submission) -> None:
        super().__init__()
        #: None once it has ended, so that neither keeps the other alive. Whoever reads it reads it once.
        self._submission: Submission | None = submission

    def _cancel_work(self) -> None:
        submission = self._submission
        if submission is not None:
            submission.cancel()

    def _check_may_wait(self) -> None:
        submission = self._submission
        if submission is not None:
            submission.check_may_wait()

    def complete(self, value: Any, error: BaseException | None) -> None:
        self._submission = None
        super().complete(value, error)

    def complete_failed(self, error: BaseException, loop: asyncio.AbstractEventLoop, name: str) -> None:
        self._failed = loop, name
        self.complete(None, error)

    def _report_forgotten(self, error: BaseException) -> None:
        if self._failed is None:
            return
        loop, name = self._failed
        context = {"message": f"{name} was submitted and failed, and nobody asked for its result", "exception": error}
        try:
            # There: an exception handler is a function of that thread, and this may be any.
            loop.call_soon_threadsafe(loop.call_exception_handler, context)
        except RuntimeError:
            loop.call_exception_handler(context)  # The loop is closed.


class Submission(Work):
    """Work that no thread waits for in place: its outcome completes a future."""

    __slots__ = ("_future", "_on_end")

    blocks = False

    def __init__(
        self,
        thread: LoopThread,
        awaitable: Any,
        name: str | None = None,
        on_end: Callable[[], object] | None = None,
    ) -> None:
        """``on_end`` is called once it has ended, or was given up."""
        super().__init__(thread, awaitable, name=name or name_of(awaitable))
        self._on_end = on_end
        #: Emptied by whoever completes it: the loop's thread, or who closes that. An error's traceback holds this work.
        self._future: list[SubmittedFuture[Any]] = [SubmittedFuture(self)]

    def submit(self) -> SubmittedFuture[Any]:
        """Posts the work and returns its future. Called once."""
        (future,) = self._future
        self._thread.post(self)
        return future

    def check_may_wait(self) -> None:
        self._thread.check_may_wait(WOULD_DEADLOCK)

    def _wake(self) -> None:
        try:
            future = self._future.pop()
        except IndexError:
            return
        error = self._error if self._ended else self._abandoned
        value, self._error, self._value = self._value, None, None
        if error is None or isinstance(error, ShutDownError | ForkedError):
            future.complete(value, error)  # That a runner was closed is no failure of the function.
        else:
            future.complete_failed(error, self._thread.loop, str(self._name))
        del error
        if self._on_end is not None:
            self._on_end()
