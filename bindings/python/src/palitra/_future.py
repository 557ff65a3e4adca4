"""The future that ``submit`` returns: a ``concurrent.futures.Future`` whose ``cancel`` reaches the work.

Cancelling it cancels the work, at any time before its end. Waiting for it on the thread that has to do the work raises
WouldDeadlockError instead of hanging. ``_loop.futures`` and ``_native.futures`` say what the work is.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
from sys import is_finalizing, modules
from typing import Any, TypeVar

from ._errors import CancelledError, ShutDownError, TimeoutError
from ._limits import FOREVER, seconds
from ._threads import in_gevent, keep_hub_awake, sleep_if_exiting

T = TypeVar("T")

WOULD_DEADLOCK = "cannot wait for a future on the thread that has to complete it: await asyncio.wrap_future(future)"


class Future(concurrent.futures.Future[T]):
    """The future of one submitted awaitable or job."""

    def __init__(self) -> None:
        super().__init__()
        self._not_notified = [True]
        #: Whether somebody learned what the work raised.
        self._asked = False
        #: What the work was cancelled with, if that was not by ``cancel``.
        self._cancellation: BaseException | None = None
        if "gevent.monkey" in modules and in_gevent():
            keep_hub_awake(self)

    def _cancel_work(self) -> None:
        """Requests the cancellation of the work; never waits."""
        raise NotImplementedError

    def _check_may_wait(self) -> None:
        """Raises where a wait would last forever: on the thread that completes this future, in a forked child."""
        raise NotImplementedError

    def _become_cancelled(self) -> bool:
        """Whether this call was the first one."""
        if not super().cancel():
            return False
        # Only the first caller does this, by which concurrent.futures.wait is notified.
        try:
            self._not_notified.pop()
        except IndexError:
            return False
        self.set_running_or_notify_cancel()
        return True

    def cancel(self) -> bool:
        """Cancels the work. Returns False if it has ended."""
        if self._become_cancelled():
            self._cancel_work()
        return self.cancelled()

    def result(self, timeout: float | None = None) -> T:
        """Returns the result; waits at most ``timeout`` seconds for it (None: as long as it takes).

        Raises what the work raised; TimeoutError past the timeout, and the work keeps running; CancelledError;
        WouldDeadlockError on the thread that has to do the work; ForkedError in a forked child.
        """
        limit = self._limit(timeout)
        try:
            return super().result(limit)
        except concurrent.futures.CancelledError:
            raise self._cancelled_error() from None
        except ShutDownError:
            sleep_if_exiting()
            raise
        except concurrent.futures.TimeoutError:
            if self.done():
                raise
            raise TimeoutError(f"timed out after {timeout} seconds") from None  # Another type before Python 3.11.
        finally:
            self._asked = self.done()
            # What the work raised has a traceback that holds this frame, and this future holds what it raised.
            del self

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Returns what the work raised, or None. Waits and raises as ``result``."""
        limit = self._limit(timeout)
        try:
            return super().exception(limit)
        except concurrent.futures.CancelledError:
            raise self._cancelled_error() from None
        except concurrent.futures.TimeoutError:
            raise TimeoutError(f"timed out after {timeout} seconds") from None
        finally:
            self._asked = self.done()

    def _get_snapshot(self) -> Any:
        """What asyncio's ``wrap_future`` asks for since CPython 3.15, in the place of ``exception`` and ``result``."""
        self._asked = self.done()
        return super()._get_snapshot()  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]

    def _report_forgotten(self, error: BaseException) -> None:
        """Nobody asked for the result of work that failed with this error. Called on any thread."""

    def __del__(self) -> None:
        # Without a lock: nobody else refers to this any more. One whose constructor failed has no attributes.
        error = None if getattr(self, "_asked", True) else self._exception
        if error is not None and not is_finalizing():
            self._report_forgotten(error)

    def _limit(self, timeout: float | None) -> float | None:
        """The timeout as the wait takes it. Raises where the wait would last forever."""
        limit = seconds(timeout)
        if limit != 0 and not self.done():
            self._check_may_wait()
        return None if limit == FOREVER else limit

    def _cancelled_error(self) -> CancelledError:
        sleep_if_exiting()
        if self._cancellation is None:
            return CancelledError()
        error = CancelledError(*self._cancellation.args)
        error.__cause__ = self._cancellation
        return error

    def complete(self, value: Any, error: BaseException | None) -> None:
        """Completes the future, unless it was cancelled meanwhile."""
        if isinstance(error, asyncio.CancelledError | concurrent.futures.CancelledError):
            self._cancellation = error
            self._become_cancelled()
            return
        with contextlib.suppress(concurrent.futures.InvalidStateError):
            if error is None:
                self.set_result(value)
            else:
                self.set_exception(error)
