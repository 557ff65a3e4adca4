"""How another thread gets a running event loop to look into its inbox.

On Linux an eventfd that the loop watches: one system call to ring and one to answer, where
``call_soon_threadsafe`` makes a handle, a copy of the context and three calls on a socket pair. Elsewhere, and
on loops that watch no descriptors, ``call_soon_threadsafe`` itself.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable


class Doorbell:
    """Rung from any thread, answered on the loop's. Rings that come together may be answered once."""

    __slots__ = ("_answer", "_descriptor", "_loop")

    def __init__(self, loop: asyncio.AbstractEventLoop, answer: Callable[[], None]) -> None:
        """Before the loop runs, or on its thread."""
        self._loop = loop
        self._answer = answer
        self._descriptor = -1
        if not hasattr(os, "eventfd"):
            return
        descriptor = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        try:
            loop.add_reader(descriptor, self._answer_ring)
        except NotImplementedError:
            os.close(descriptor)
        else:
            self._descriptor = descriptor

    def ring(self) -> None:
        """Has the loop answer soon. After ``detach`` nobody answers; RuntimeError where that is known."""
        if self._descriptor >= 0:
            os.eventfd_write(self._descriptor, 1)
        else:
            self._loop.call_soon_threadsafe(self._answer)

    def _answer_ring(self) -> None:
        try:
            os.eventfd_read(self._descriptor)
        except BlockingIOError:
            pass
        self._answer()

    def detach(self) -> None:
        """On the loop's thread, before the loop is closed. The bell may still be rung, in vain."""
        if self._descriptor >= 0:
            self._loop.remove_reader(self._descriptor)

    def __del__(self) -> None:
        # Not any sooner: a thread that is about to ring holds the bell, and the number may be another file's next.
        if self._descriptor >= 0:
            os.close(self._descriptor)
