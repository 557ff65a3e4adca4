"""How another thread has a running event loop look into its inbox.

On Linux the loop watches an eventfd: one system call rings, one clears it. ``call_soon_threadsafe`` makes a handle, a
copy of the context and three system calls on a socket pair. It is used elsewhere, and on loops that watch no
descriptors.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable


class Descriptor:
    """An eventfd, closed when nobody refers to it: its number may be another file's next, and somebody may just be
    about to write."""

    __slots__ = ("number",)

    def __init__(self) -> None:
        self.number = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def __del__(self) -> None:
        os.close(self.number)


class Doorbell:
    """Any thread rings; ``on_ring`` is called on the loop's thread. Rings that come together may call it once."""

    __slots__ = ("_descriptor", "_loop", "_on_ring")

    def __init__(self, loop: asyncio.AbstractEventLoop, on_ring: Callable[[], None]) -> None:
        """Called before the loop runs, or on its thread."""
        self._loop = loop
        self._on_ring = on_ring
        self._descriptor: Descriptor | None = None
        if not hasattr(os, "eventfd"):
            return
        descriptor = Descriptor()
        try:
            loop.add_reader(descriptor.number, self._clear, descriptor.number)
        except NotImplementedError:
            return
        self._descriptor = descriptor

    def ring(self) -> None:
        """Has the loop call ``on_ring`` soon. After ``detach`` it does nothing."""
        descriptor = self._descriptor
        if descriptor is not None:
            os.eventfd_write(descriptor.number, 1)
            return
        try:
            self._loop.call_soon_threadsafe(self._on_ring)
        except RuntimeError:
            pass  # The loop is closed: whoever closed it looks into the inbox once more.

    def _clear(self, number: int) -> None:
        try:
            os.eventfd_read(number)
        except BlockingIOError:
            pass
        self._on_ring()

    def detach(self) -> None:
        """Called on the loop's thread before the loop is closed. Later rings do nothing."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            self._loop.remove_reader(descriptor.number)
