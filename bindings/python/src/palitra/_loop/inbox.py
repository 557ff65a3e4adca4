"""What was handed over to one loop's thread: from the post, which takes no lock, to the end of the work.

Any thread posts; a signal handler and a finalizer may, too. The loop's thread takes out what was posted, starts it or
refuses it, and knows what runs.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from .._errors import ForkedError, ShutDownError
from .counts import Counts
from .posted import Postable, Posted

CLOSED = "Event loop is closed: this runner was closed"


class Inbox:
    """Of one loop's thread, in one process."""

    def __init__(self) -> None:
        self.process = os.getpid()
        #: The work that has started and not ended; only the loop's thread changes it.
        self.running: set[Postable] = set()
        #: How work ended, in numbers.
        self.counts = Counts()
        self._inbox: deque[Posted] = deque()
        #: Work that is new is refused from now on; what there is may end.
        self._draining = False
        #: Is called on the loop's thread when all work has ended.
        self._on_drained: Callable[[], object] | None = None
        self._closing = False
        #: Nothing runs any more.
        self._ended = threading.Event()

    def _ring(self) -> None:
        """Has the loop's thread empty the inbox soon. Does nothing where there is no loop any more."""
        raise NotImplementedError

    def _guarded(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Calls a function whose failure is not the loop's."""
        raise NotImplementedError

    @property
    def closing(self) -> bool:
        """Whether what it has is about to end, or has, as in a forked child that it is not in."""
        return self._closing or self.process != os.getpid()

    @property
    def accepting(self) -> bool:
        """Whether it takes new work: not while it drains, nor when it closes."""
        return not (self._draining or self._closing) and self.process == os.getpid()

    @property
    def forked(self) -> bool:
        """This is a forked child, and the thread is its parent's."""
        return self.process != os.getpid()

    def post(self, posted: Posted) -> None:
        """Hands over work, or a function. Work that comes too late is refused; such a function is discarded."""
        self._inbox.append(posted)
        # A thread that is closing still runs the loop to wind down, and the end of some work may depend on this post.
        self._ring()
        if self._closing and self._ended.is_set():
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
            elif self._closing or self._on_drained is not None:
                posted.refuse(self._refusal())
            else:
                try:
                    posted.start()
                except BaseException as error:
                    posted.refuse(error)

    def _refusal(self) -> BaseException:
        if self.forked:
            return ForkedError("this runner's thread is in the parent of this forked process")
        return ShutDownError(CLOSED)

    def _refuse_inbox(self) -> None:
        while True:
            try:
                posted = self._inbox.popleft()
            except IndexError:
                return
            if isinstance(posted, Postable):
                posted.refuse(self._refusal())

    # Work, from its start to its end; on the loop's thread.

    def work_ended(self, work: Postable) -> None:
        """No more is to be done for the work."""
        self.running.discard(work)
        if self._on_drained is not None and not self.running:
            self._on_drained()

    def numbers(self) -> dict[str, int]:
        """How many tasks run and wait, and how those that ended did. From any thread."""
        running, waiting = 0, len(self._inbox)
        for work in self.running.copy():
            tasks, later = work.tasks()
            running, waiting = running + tasks, waiting + later
        return {"running": running, "waiting": waiting, **self.counts.numbers()}

    def _drain(self, on_drained: Callable[[], object]) -> None:
        """On the loop's thread, after all that was posted before."""
        earlier = self._on_drained or int

        def both() -> None:
            earlier()
            on_drained()

        self._on_drained = both
        if not self.running:
            both()
