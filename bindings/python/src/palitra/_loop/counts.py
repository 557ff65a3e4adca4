"""How the work of one loop's thread ended, in numbers."""

from __future__ import annotations

import asyncio
import concurrent.futures


class Counts:
    """Counted on the loop's thread, read on any."""

    __slots__ = ("cancelled", "failed", "finished")

    def __init__(self) -> None:
        self.finished = self.failed = self.cancelled = 0

    def count_failure(self, error: BaseException) -> None:
        """One more awaitable has ended with an error. Others are counted in ``finished`` in place, to be quick."""
        if isinstance(error, asyncio.CancelledError | concurrent.futures.CancelledError):
            self.cancelled += 1
        else:
            self.failed += 1

    def numbers(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in ("finished", "failed", "cancelled")}
