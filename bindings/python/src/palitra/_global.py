"""The global runner: made at its first use in each process, and anew after each shutdown.

The functions of the package are the methods of one object. It is never closed for good; its thread and loop start with
the first coroutine.
"""

from __future__ import annotations

import contextlib

from ._errors import Error
from ._fork import start_anew_if_forked
from ._loop.thread import closing_seconds
from ._native.library import default
from ._runner import EventLoopThreadRunner


class GlobalRunner(EventLoopThreadRunner):
    __slots__ = ()

    def __init__(self) -> None:
        self._prepare(None, None, "LoopThread")

    def __reduce__(self) -> str:
        """Pickled, and so are its methods, by the name below: the global runner there is that of that process."""
        return "_runner"

    def is_runner_alive(self) -> bool:
        """Whether the global runner exists and accepts work. Makes none. Takes no lock, so that a coroutine may ask
        while another thread shuts it down."""
        thread = self._thread
        if thread is not None and not thread.closing:
            return True
        return default.library is not None and default.library.is_runner_alive()

    def shutdown_global_runner(self, timeout: float | None = None) -> None:
        """Shuts the global runner down: work in flight, native jobs too, is cancelled, and whoever waits for it gets an
        error. The next use makes a new runner.

        Waits at most ``timeout`` seconds (None: five) for the work to end. May be called at any time, from any thread,
        and again. On the runner's own thread it requests the end and returns.
        """
        limit = closing_seconds(timeout)
        start_anew_if_forked()
        with self._lock:
            thread, siblings = self._detach()
        for sibling in siblings:
            sibling.close(limit)
        if thread is not None:
            thread.close(limit)
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
runner_to_sync = _runner.to_sync
is_runner_alive = _runner.is_runner_alive
shutdown_global_runner = _runner.shutdown_global_runner
