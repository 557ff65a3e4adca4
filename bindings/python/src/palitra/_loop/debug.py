"""A loop's debug mode while some work runs that asked for another one than the loop's own."""

from __future__ import annotations

import asyncio

from .posted import Postable


class DebugMode:
    """Of one loop; used on its thread. What asked last decides, as long as it runs."""

    __slots__ = ("_loop", "_overrides", "_own")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._own = False
        self._overrides: dict[Postable, bool] = {}

    def override(self, work: Postable, debug: bool) -> None:
        """Until ``restore`` is called for the same work."""
        if not self._overrides:
            self._own = self._loop.get_debug()
        self._overrides[work] = debug
        self._loop.set_debug(debug)

    def restore(self, work: Postable) -> None:
        if self._overrides.pop(work, None) is not None:
            latest = next(reversed(self._overrides.values()), self._own)
            self._loop.set_debug(latest)
