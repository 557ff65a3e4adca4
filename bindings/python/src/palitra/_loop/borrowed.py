"""The loop of a program of its own, on which the coroutine of a nested ``to_sync`` runs.

A function that ``to_async`` called in a thread may call ``to_sync``. Its coroutine runs on the loop that awaits the
function, where the program's sessions and locks are, and not on a runner's. That loop is not palitra's to close:
whoever waits looks now and then whether it still is there.
"""

from __future__ import annotations

import asyncio
import threading
import weakref
from typing import Any

from .._errors import CancelledError, WouldDeadlockError
from .inbox import Inbox
from .posted import Lease, Postable, Posted
from .thread import LoopThread
from .work import Work

#: How often, in seconds, one who waits looks whether the loop was closed.
LOOK = 0.5

CLOSED = "Event loop is closed: it was to run the coroutine of a nested to_sync"


class BorrowedLoop(LoopThread):
    """A loop that runs in a thread which is not a runner's, as work knows its thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        Inbox.__init__(self)
        self.loop = loop
        self.exiting = False
        # Held by itself: no end of palitra's closes this loop.
        self._own_lease = Lease()
        self.lease = weakref.ref(self._own_lease)

    @property
    def closing(self) -> bool:
        return self.loop.is_closed()

    def is_current(self) -> bool:
        return threading.get_ident() == getattr(self.loop, "_thread_id", None)

    def post(self, posted: Posted) -> None:
        try:
            self.loop.call_soon_threadsafe(self._take, posted)
        except RuntimeError:
            if isinstance(posted, Postable):
                posted.refuse(RuntimeError(CLOSED))

    def _take(self, posted: Posted) -> None:
        if not isinstance(posted, Postable):
            posted()
            return
        try:
            posted.start()
        except BaseException as error:
            posted.refuse(error)

    def check_may_wait(self, otherwise: str) -> None:
        if self.is_current():
            raise WouldDeadlockError(otherwise)


class BorrowedWork(Work):
    """Work on a borrowed loop, for a caller that waits without a bound. It sets context variables of the caller's."""

    __slots__ = ()

    def __init__(self, loop: asyncio.AbstractEventLoop, awaitable: Any) -> None:
        super().__init__(BorrowedLoop(loop), awaitable, keeps_context=True)

    def run(self, timeout: float | None = LOOK) -> Any:
        """Waits in turns of LOOK seconds, so that the end of the loop ends the wait, too."""
        posted: Posted = self
        while not self._wait(LOOK, posted, True):
            posted = _nothing
            if self._thread.closing:
                self.abandon(CancelledError(CLOSED))
        return self._take_outcome()


def _nothing() -> None:
    """Is posted when the work has been."""
