"""How another thread has a running event loop look into its inbox.

On Linux the loop watches an eventfd: one system call rings, one clears it. ``call_soon_threadsafe`` makes a handle, a
copy of the context and three system calls on a socket pair. It is used elsewhere, and on loops that watch no
descriptors.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable


class Doorbell:
    """Any thread rings; ``on_ring`` is called on the loop's thread. Rings that come together may call it once."""

    __slots__ = ("_descriptor", "_loop", "_on_ring")

    def __init__(self, loop: asyncio.AbstractEventLoop, on_ring: Callable[[], None]) -> None:
        """Called before the loop runs, or on its thread."""
        self._loop = loop
        self._on_ring = on_ring
        self._descriptor = -1
        if not hasattr(os, "eventfd"):
            return
        descriptor = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        try:
            loop.add_reader(descriptor, self._clear)
        except NotImplementedError:
            os.close(descriptor)
        else:
            self._descriptor = descriptor

    def ring(self) -> None:
        """Has the loop call ``on_ring`` soon. After ``detach`` it does nothing, or raises RuntimeError."""
        if self._descriptor >= 0:
            os.eventfd_write(self._descriptor, 1)
        else:
            self._loop.call_soon_threadsafe(self._on_ring)

    def _clear(self) -> None:
        try:
            os.eventfd_read(self._descriptor)
        except BlockingIOError:
            pass
        self._on_ring()

    def detach(self) -> None:
        """Called on the loop's thread before the loop is closed. Later rings do nothing."""
        if self._descriptor >= 0:
            self._loop.remove_reader(self._descriptor)

    def __del__(self) -> None:
        # Not any sooner: a thread that is about to ring holds the bell, and the number may be another file's next.
        if self._descriptor >= 0:
            os.close(self._descriptor)
