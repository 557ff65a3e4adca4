"""The global runner: made at its first use, in each process, and after each shutdown anew.

The functions of the package are the methods of one object: it is never closed for good, and its thread and
loop come with the first coroutine.
"""

from __future__ import annotations

import contextlib

from ._errors import Error
from ._library import default
from ._loop_thread import CLOSE_TIMEOUT
from ._runner import EventLoopThreadRunner


class GlobalRunner(EventLoopThreadRunner):
    __slots__ = ()

    def __init__(self) -> None:
        self._prepare(None, None, "LoopThread")

    def is_runner_alive(self) -> bool:
        """Whether the global runner exists and takes work; makes none. Takes no lock, so that a coroutine may
        ask while another thread shuts it down."""
        thread = self._thread
        if thread is not None and thread.is_alive():
            return True
        return default.library is not None and default.library.is_runner_alive()

    def shutdown_global_runner(self, timeout: float | None = None) -> None:
        """Shuts the global runner down: work in flight is cancelled, and whoever waits for it is given an
        error; native jobs too. The next use makes a new one.

        Waits at most ``timeout`` seconds (None: five) for work that takes its time. Safe at any time, from any
        thread, and again. On the runner's own thread it begins the end and returns.
        """
        with self._lock:
            thread, siblings = self._let_go()
        for sibling in siblings:
            sibling.close(timeout)
        if thread is not None:
            thread.close(CLOSE_TIMEOUT if timeout is None else timeout)
        if default.library is not None:
            with contextlib.suppress(Error):
                default.library.shutdown_global_runner()


_runner = GlobalRunner()

run = _runner.run
gather = _runner.gather
submit = _runner.submit
as_completed = _runner.as_completed
iterate = _runner.iterate
enter = _runner.enter
is_runner_alive = _runner.is_runner_alive
shutdown_global_runner = _runner.shutdown_global_runner
