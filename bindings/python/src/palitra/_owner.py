"""What a runner is before it runs anything: it owns a thread with an event loop.

The thread starts with the first use, and anew in a forked child; loops of other factories are siblings beside it. Its
methods say to whoever is about to post work which thread takes it, or why none does.
"""

from __future__ import annotations

import asyncio
import threading
import time
import weakref
from collections.abc import Callable
from threading import get_ident

from ._errors import ShutDownError, WouldDeadlockError
from ._fork import inheritors, start_anew_if_forked
from ._limits import seconds
from ._loop.at_exit import close_at_exit
from ._loop.desk import own_desk
from ._loop.inbox import CLOSED
from ._loop.posted import Lease
from ._loop.thread import CLOSE_TIMEOUT, LoopThread, closing_seconds
from ._loop.work import discarding
from ._native.completions import free_queues_of_closed_loops
from ._threads import refuse_at_exit, sleep_if_exiting, start_thread

#: Of a runner without a thread.
NO_NUMBERS = dict.fromkeys(("running", "waiting", "finished", "failed", "cancelled"), 0)

#: In place of a thread's number.
CLOSED_FOR_ALL = -1

LoopFactory = Callable[[], asyncio.AbstractEventLoop]


class ThreadOwner:
    """Owns a loop's thread, from its first use until it is closed. Any thread may call its methods."""

    __slots__ = (
        "__weakref__",
        "_closed",
        "_debug",
        "_lease",
        "_lock",
        "_loop_factory",
        "_loops",
        "_name",
        "_refuser",
        "_siblings",
        "_thread",
    )

    def _prepare(self, loop_factory: LoopFactory | None, debug: bool | None, name: str) -> None:
        self._loop_factory = loop_factory
        self._debug = debug
        self._name = name
        self._closed = False
        self._start_afresh()
        inheritors.add(self)

    def _start_afresh(self) -> None:
        self._thread: LoopThread | None = None
        self._lease: Lease | None = None
        #: The thread's, and those of threads that were detached and may still have something to clean up.
        self._loops: weakref.WeakSet[asyncio.AbstractEventLoop] = weakref.WeakSet()
        #: The thread on which a wait is refused, the loop's own, or CLOSED_FOR_ALL; None before there is either. One
        #: thing to look at, as a native job is run in less than two microseconds.
        self._refuser: int | None = CLOSED_FOR_ALL if self._closed else None
        #: The loops of other factories. Each lives as long as its factory.
        self._siblings: weakref.WeakKeyDictionary[LoopFactory, ThreadOwner] = weakref.WeakKeyDictionary()
        self._lock = threading.RLock()

    def _after_fork_in_child(self) -> None:
        thread = self._detach()
        self._start_afresh()
        if thread is not None:
            thread.leave_to_parent()

    def _live_thread(self) -> LoopThread:
        thread = self._thread
        if thread is not None and thread.accepting:
            return thread
        _prepare_to_start()
        with self._lock:
            if self._closed:
                raise ShutDownError(CLOSED)
            if self._thread is None or not self._thread.accepting:
                self._start(self._loop_factory or asyncio.new_event_loop)
            assert self._thread is not None
            return self._thread

    def _start(self, loop_factory: LoopFactory) -> None:
        lease = Lease()
        thread = LoopThread(lease, loop_factory, self._name, self._debug, free_queues_of_closed_loops)
        close_at_exit(thread)
        if self._thread is not None and self._thread.accepting:
            return  # Garbage was collected meanwhile, and its finalizer started one. This one goes with its lease.
        self._detach()
        self._thread, self._lease, self._refuser = thread, lease, thread.ident
        self._loops.add(thread.loop)

    def _detach(self) -> LoopThread | None:
        """Forgets the thread and the siblings; returns the thread."""
        thread, self._thread, self._refuser = self._thread, None, None
        self._lease = None
        self._siblings.clear()
        return thread

    def _on_own_loop(self) -> bool:
        """Whether the caller runs on the loop, also while that closes: what it then awaits can run nowhere else."""
        loop = asyncio._get_running_loop()
        return loop is not None and loop in self._loops

    def _thread_for(self, name: str, *unused: object) -> LoopThread:
        """The thread, for a caller that is going to wait for it. Raises on that thread and after ``close``, and then
        closes the coroutines that will not be awaited."""
        with discarding(unused):
            thread = self._live_thread()
            if thread.is_current():
                self._refuse(name)
        return thread

    def _check_may_wait(self, name: str) -> None:
        """Raises ShutDownError after ``close``, WouldDeadlockError on the loop's own thread."""
        if (refuser := self._refuser) is not None and (refuser < 0 or refuser == get_ident()):
            self._refuse(name)

    def _refuse(self, name: str) -> None:
        if self._closed:
            raise ShutDownError(CLOSED)
        # In a forked child the thread is the parent's, and its number may be that of a thread of the child's.
        start_anew_if_forked()
        if self._refuser == get_ident():
            raise WouldDeadlockError(
                f"Cannot call {name}() from the loop thread: "
                "await there, or await asyncio.wrap_future(runner.submit(...))"
            )

    def _sibling(self, loop_factory: LoopFactory) -> ThreadOwner:
        """The owner of the loop that this factory makes: this one, or one beside it."""
        if loop_factory == self._loop_factory:
            return self
        _prepare_to_start()
        with self._lock:
            if self._closed:
                raise ShutDownError(CLOSED)
            sibling = self._siblings.get(loop_factory)
            if sibling is None or sibling._closed:
                sibling = ThreadOwner()
                # Without the factory, which would keep itself in the dictionary.
                sibling._prepare(None, self._debug, self._name)
                sibling._start(loop_factory)
                self._siblings[loop_factory] = sibling
            return sibling

    def _numbers(self) -> dict[str, int]:
        """Of the thread and its siblings, summed up."""
        with self._lock:
            owners = list(self._siblings.values())
        threads = [owner._thread for owner in (self, *owners)]
        every = [thread.numbers() for thread in threads if thread is not None]
        return {name: sum(one[name] for one in every) for name in (every or [NO_NUMBERS])[0]}

    # The end.

    def _end(
        self,
        timeout: float | None,
        cancel: bool,
        for_good: bool,
        end_jobs: Callable[[float | None], object] | None = None,
    ) -> None:
        """Closes the thread and its siblings; unless that is for good, the next use starts another one. ``end_jobs`` is
        called with the seconds (None: as long as it takes) that native jobs have to end, while the loops still answer
        their calls."""
        limit = closing_seconds(timeout) if cancel else seconds(timeout)
        start_anew_if_forked()
        with self._lock:
            owners = [self, *self._siblings.values()]
            threads = [owner._thread for owner in owners if owner._thread is not None]
            # Without its lease a thread would close before its time.
            leases = [owner._lease for owner in owners]
            if not cancel:
                _check_may_drain(threads)
            if for_good:
                for owner in owners:
                    owner._closed, owner._refuser = True, CLOSED_FOR_ALL
            else:
                self._detach()

        def close() -> None:
            _close_threads(threads, limit, cancel, end_jobs)
            leases.clear()

        if end_jobs is not None and not cancel and any(thread.is_current() for thread in threads):
            # The jobs that are waited for may need this thread.
            start_thread(close, "palitra-shutdown")
        else:
            close()


def _prepare_to_start() -> None:
    """To be called before the lock is taken under which a thread may be started. At the exit of the interpreter it puts
    a daemon thread to sleep, which would keep the lock from the exit's handlers."""
    start_anew_if_forked()
    sleep_if_exiting()
    refuse_at_exit()


def _check_may_drain(threads: list[LoopThread]) -> None:
    serving = own_desk().serving
    if serving is not None and any(thread.loop is serving.loop for thread in threads):
        raise WouldDeadlockError("a function that to_async called cannot wait for the work that awaits it to end")


def _close_threads(
    threads: list[LoopThread], limit: float, cancel: bool, end_jobs: Callable[[float | None], object] | None
) -> None:
    """Closes them one after the other; without ``cancel`` when their work has ended, and the jobs, or past the
    limit."""
    end = time.monotonic() + limit

    def remaining() -> float:
        return limit if limit < 0 else max(0.0, end - time.monotonic())

    try:
        if not cancel:
            for thread in threads:
                thread.drain(remaining())
            if end_jobs is not None:
                end_jobs(None if limit < 0 else remaining())
    finally:
        for thread in threads:
            if cancel or not thread.is_current():  # There the draining closes it.
                thread.close(limit if cancel else CLOSE_TIMEOUT)
    if cancel and end_jobs is not None:
        end_jobs(0)
