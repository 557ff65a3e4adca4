"""What any thread hands over to a loop's thread: work to start, or a function to call there."""

from __future__ import annotations

from collections.abc import Callable


class Postable:
    """Work, as the thread knows it. The thread starts it or refuses it; it abandons what does not end in time."""

    __slots__ = ()

    def tasks(self) -> tuple[int, int]:
        """How many tasks of it run, and how many wait for others of it to end. Called on any thread."""
        return 1, 0

    def start(self) -> None:
        """Starts the work, on the loop's thread. If it raises, the thread refuses the work with the error."""
        raise NotImplementedError

    def refuse(self, error: BaseException) -> None:
        """Ends the work with the error before it has started. Called on any thread once the loop has ended."""
        raise NotImplementedError

    def abandon(self, error: BaseException) -> None:
        """Wakes the caller with the error although the work has not ended. Called on any thread."""
        raise NotImplementedError


#: Work to start, or a function to call, on the loop's thread.
Posted = Postable | Callable[[], object]


class Lease:
    """Held by a runner, and by all work that it started: when nobody holds it any more, the thread closes."""

    __slots__ = ("__weakref__",)
