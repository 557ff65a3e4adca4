"""Threads of the operating system, also where gevent has made greenlets of Python's.

Once gevent has patched a process, ``threading`` starts greenlets: an event loop on one of them, or a wait in C, would
stop all others. So whatever has to be a thread is started here, and whoever is about to wait in C asks
:func:`in_gevent` and waits for a descriptor instead. Locks, events and futures need no care: those of gevent work
between threads too, and let other greenlets run meanwhile. A thread that uses them has a hub of its own.

eventlet's locks do not work between threads. Where it has patched threading, a loop stays on a greenlet, where one of
them can run in a process, and a wait for a native job is an error.
"""

from __future__ import annotations

import _thread
import atexit
import contextlib
import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import Future
from sys import is_finalizing, modules
from typing import Any

from ._errors import ShutDownError

#: The longest single wait for a descriptor, in seconds.
LONGEST_WAIT = 3600.0


def in_gevent() -> bool:
    """Whether gevent has patched this process's threads."""
    return "gevent.monkey" in modules and bool(modules["gevent.monkey"].is_module_patched("threading"))


def refuse_eventlet() -> None:
    """Raises RuntimeError if eventlet has patched this process's threads: a wait in C would stop every greenlet."""
    if "eventlet.patcher" in modules and modules["eventlet.patcher"].is_monkey_patched("thread"):
        raise RuntimeError(
            "native jobs cannot be waited for where eventlet has patched threading, whose locks do not reach from "
            "thread to thread: use gevent or threads, or leave threads out, eventlet.monkey_patch(thread=False)"
        )


_exiting = False


def note_exit() -> None:
    """The interpreter is about to exit."""
    global _exiting
    _exiting = True


class _Here(threading.local):
    #: This thread runs a runner's loop.
    runs_loop = False


_here = _Here()


def note_loop_here() -> None:
    """The calling thread runs a runner's loop from now on."""
    _here.runs_loop = True


def sleep_if_exiting() -> None:
    """Called where a new thread is wanted, or an error is about to be raised that comes of the exit. While the
    interpreter exits it never returns on a daemon thread: an error would be reported to nobody. The end of the process
    ends the sleep. Only the thread of a runner's loop goes on, for what its coroutines have to clean up."""
    if _exiting and not _here.runs_loop and threading.current_thread() is not threading.main_thread():
        forever = _thread.allocate_lock()
        forever.acquire()
        forever.acquire()


def refuse_at_exit() -> None:
    """Raises ShutDownError once the interpreter has stopped all threads but this one, which finalizes what is left: a
    wait for another thread would never end. Before Python 3.12 that includes the start of one."""
    if is_finalizing():
        raise ShutDownError("the interpreter is exiting, and its threads have ended")


def real_lock() -> Any:
    """A lock that blocks its whole thread, every greenlet there."""
    if in_gevent():
        return modules["gevent.monkey"].get_original("_thread", "allocate_lock")()
    return _thread.allocate_lock()


def wait_readable(descriptor: int, seconds: float) -> None:
    """In a process that gevent patched: waits until the descriptor is readable, at most so many seconds. Other
    greenlets run meanwhile."""
    import gevent.socket  # type: ignore[import-untyped]

    try:
        gevent.socket.wait_read(descriptor, timeout=min(seconds, LONGEST_WAIT))
    except TimeoutError:
        pass


def keep_hub_awake(future: Future[Any]) -> None:
    """In a process that gevent patched: a greenlet of this thread may wait for a future that another thread completes.
    Without a watcher of its own gevent takes that for a wait that nothing will end."""
    import gevent

    watcher = gevent.get_hub().loop.async_()
    watcher.start(watcher.close)

    def wake(_: Future[Any]) -> None:
        with contextlib.suppress(ValueError):  # The submitter's thread has ended, and its hub with it.
            watcher.send()

    future.add_done_callback(wake)


class _RealThread:
    """A thread that is no ``threading.Thread``: those are greenlets here."""

    def __init__(self, main: Callable[[], object], name: str) -> None:
        self._main = main
        self._name = name
        self._ended = threading.Event()

    def start(self) -> None:
        modules["gevent.monkey"].get_original("_thread", "start_new_thread")(self._run, ())

    def _run(self) -> None:
        import gevent

        threading.current_thread().name = self._name
        try:
            self._main()
        finally:
            # Before anybody believes that this thread has ended: the interpreter may exit then.
            gevent.get_hub().destroy(destroy_loop=True)
            self._ended.set()

    def join(self, timeout: float | None = None) -> None:
        self._ended.wait(timeout)

    def is_alive(self) -> bool:
        return not self._ended.is_set()


Thread = threading.Thread | _RealThread


#: Python's main interpreter lets daemon threads run. Another one waits for all of its threads to end.
DAEMON: bool = getattr(_thread, "daemon_threads_allowed", lambda: True)()


def before_threads_end(function: Callable[[], object]) -> None:
    """Calls the function when the interpreter exits: before it waits for threads, if it waits for those started
    here."""
    if DAEMON:
        atexit.register(function)
    else:
        # As concurrent.futures does, whose executors have the same wish.
        threading._register_atexit(function)  # type: ignore[attr-defined]  # pyright: ignore


def start_thread(main: Callable[[], object], name: str) -> Thread:
    """Starts a daemon thread, where there are some. Raises RuntimeError if the system or the interpreter refuses one,
    and while the interpreter exits."""
    refuse_at_exit()
    thread = _RealThread(main, name) if in_gevent() else threading.Thread(target=main, name=name, daemon=DAEMON)
    # Where threads inherit the context, the first caller's would live as long as the thread.
    contextvars.Context().run(thread.start)
    return thread
