"""The global runner: made at its first use in each process, and anew after each shutdown.

The functions of the package are the methods of one object. It is never closed for good; its thread and loop start with
the first coroutine.
"""

from __future__ import annotations

import contextlib

from ._errors import Error
from ._native.calls import surroundings
from ._native.library import default
from ._runner import EventLoopThreadRunner
from ._to_async import to_async


class GlobalRunner(EventLoopThreadRunner):
    __slots__ = ()

    def __init__(self) -> None:
        self._limit = None
        self._prepare(None, None, "LoopThread")
        # Jobs in Python run where the coroutines do.
        surroundings.home, surroundings.to_async = self._live_thread, to_async

    def __reduce__(self) -> str:
        """Pickled, and so are its methods, by the name below: the global runner there is that of that process."""
        return "_runner"

    def is_runner_alive(self) -> bool:
        """Whether the global runner exists and accepts work. Makes none. Takes no lock, so that a coroutine may ask
        while another thread shuts it down."""
        thread = self._thread
        if thread is not None and thread.accepting:
            return True
        return default.library is not None and default.library.is_runner_alive()

    def shutdown_global_runner(self, timeout: float | None = None, *, cancel: bool = True) -> None:
        """Shuts the global runner down: work in flight, native jobs too, is cancelled, and whoever waits for it gets an
        error. The next use makes a new runner.

        Waits at most ``timeout`` seconds (None: five) for the work to end. With ``cancel=False`` it has ``timeout``
        seconds (None: as long as it takes) to end by itself before it is cancelled. May be called at any time, from any
        thread, and again. On the runner's own thread it requests the end and returns.

        Raises WouldDeadlockError with ``cancel=False`` in a function that ``to_async`` called for this runner's work,
        which jobs in Python that block are, too.
        """
        self._end(timeout, cancel, for_good=False, end_jobs=_end_jobs)

    def native_stats(self) -> dict[str, int]:
        """The native jobs of the process's global runner in numbers, by the names of ``palitra_stats``;
        ``longest_poll_ns`` is nanoseconds. Makes a runner if there is none. After a shutdown the numbers of the
        runner that ended can be read until the next native job makes a new one."""
        return default.get().stats()


def _end_jobs(grace: float | None) -> None:
    if default.library is not None:
        with contextlib.suppress(Error):
            default.library.shutdown_global_runner(grace)


_runner = GlobalRunner()

run = _runner.run
gather = _runner.gather
submit = _runner.submit
as_completed = _runner.as_completed
call = _runner.call
start_task = _runner.start_task
stats = _runner.stats
native_stats = _runner.native_stats
iterate = _runner.iterate
enter = _runner.enter
runner_to_sync = _runner.to_sync
is_runner_alive = _runner.is_runner_alive
shutdown_global_runner = _runner.shutdown_global_runner
