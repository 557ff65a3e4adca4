"""How the end of a job is noticed: completion queues, one for each asyncio loop and one for all futures.

The loops watch theirs (``loops``). The queue of the futures is drained by a thread that waits in the library.
"""

from __future__ import annotations

import concurrent.futures
import logging
import os
import threading
import weakref
from asyncio import AbstractEventLoop, get_running_loop
from typing import Any, Protocol

from .._errors import ForkedError, WouldDeadlockError
from .._fork import inheritors, start_anew_if_forked
from .._future import WOULD_DEADLOCK, Future
from .._threads import DAEMON, before_threads_end, refuse_at_exit, refuse_eventlet, start_thread
from . import abi
from .events import CompletionQueue
from .loops import LoopQueue, Pended

logger = logging.getLogger("palitra")


class Completable(Future[Any]):
    """A future of a job, as its queue knows it."""

    #: The handle of the native runner that has the job, once it was submitted.
    runner = 0

    def receive(self) -> None:
        """Completes the future: the job's token has finished, or is about to be returned by its submission."""
        raise NotImplementedError


class FutureQueue:
    """The queue of all futures, and the thread that completes them."""

    #: How long a shutdown waits for the futures that it ended, in seconds: a callback of one may take its time.
    PATIENCE = 1.0

    def __init__(self, functions: abi.Functions) -> None:
        self._process = os.getpid()
        self._queue = CompletionQueue(functions)
        self._futures: dict[int, Completable] = {}
        refuse_eventlet()
        self._ident: int | None = None
        self._ending = False

    def start(self) -> None:
        """Starts the thread. To be called once."""
        start_thread(self._drain, "palitra-futures")
        if not DAEMON:
            before_threads_end(self._end)

    def _end(self) -> None:
        """Ends the thread: of an interpreter that waits for its threads."""
        self._ending = True
        self._queue.end()

    def register(self, options: abi.SubmitOptions, future: Completable) -> int:
        """Has the future notified of the end of the job that is submitted with these options; returns its tag. That may
        happen before the submission has returned."""
        tag = id(future)  # Held below, until its one event has come.
        options.queue, options.tag = self._queue.handle, tag
        self._futures[tag] = future
        return tag

    def forget(self, tag: int) -> None:
        """The job of the tag was not submitted."""
        self._futures.pop(tag, None)

    def _drain(self) -> None:
        self._ident = threading.get_ident()
        while not self._ending:
            for tag in self._queue.next(abi.FOREVER)[::3]:
                future = self._futures.get(tag)
                if future is not None:
                    try:
                        future.receive()
                    except BaseException:
                        logger.exception("a callback of a finished job raised")
                    # Not before: a shutdown waits for those that are here.
                    self._futures.pop(tag, None)
                    del future

    def check_may_wait(self) -> None:
        """Raises ForkedError in a forked child, WouldDeadlockError on the thread that completes the futures,
        ShutDownError when that has ended with the interpreter."""
        refuse_at_exit()
        if self._process != os.getpid():
            raise ForkedError("this job runs in the parent of this forked process")
        if threading.get_ident() == self._ident:
            raise WouldDeadlockError(WOULD_DEADLOCK)

    def settle(self, runner: int) -> None:
        """Waits until the futures of a native runner that was shut down are done, within ``PATIENCE``. On the thread
        that completes them, where it would wait for itself, it does nothing."""
        if threading.get_ident() == self._ident:
            return
        ended = [future for future in list(self._futures.values()) if future.runner == runner]
        concurrent.futures.wait(ended, self.PATIENCE)


class Completions:
    """The queues of one library. A forked child starts with none."""

    def __init__(self, functions: abi.Functions) -> None:
        self._functions = functions
        self.pended = Pended()
        self._after_fork_in_child()
        inheritors.add(self)
        _all.add(self)

    def _after_fork_in_child(self) -> None:
        #: By the ``id`` of a loop that lives: a WeakKeyDictionary takes four times as long to ask.
        self._loops: dict[int, LoopQueue] = {}
        self._futures: FutureQueue | None = None
        # Reentrant: garbage may be collected while it is held, and a finalizer may submit a job.
        self._lock = threading.RLock()

    def of_running_loop(self) -> LoopQueue:
        """The queue of the loop that runs on this thread. Raises RuntimeError if none does."""
        loop = get_running_loop()
        return self._loops.get(id(loop)) or self._make(loop)

    def _make(self, loop: AbstractEventLoop) -> LoopQueue:
        """A new queue. Those of closed loops are freed: nothing announces the end of a loop that is not palitra's."""
        start_anew_if_forked()
        loops, number = self._loops, id(loop)
        with self._lock:
            self.free_closed()
            queue = LoopQueue(self._functions, loop, self.pended, lambda _: loops.pop(number, None))
            loops[number] = queue
        return queue

    def free_closed(self) -> None:
        """Frees the queues of closed loops: a loop that somebody still holds would keep its queue, and a task that
        waits there would keep its loop. From any thread."""
        with self._lock:
            for number, queue in list(self._loops.items()):
                if queue.is_of_closed_loop():
                    self._loops.pop(number, None)
                    queue.close()

    def of_futures(self) -> FutureQueue:
        """The queue of the futures; its thread starts with the first use. Raises ShutDownError when the interpreter
        exits: no future would be completed any more."""
        refuse_at_exit()
        start_anew_if_forked()
        with self._lock:
            if self._futures is None:
                futures = FutureQueue(self._functions)
                # A finalizer may have been here meanwhile.
                if self._futures is None:
                    futures.start()
                    self._futures = futures
            return self._futures

    def settle_futures(self, runner: int) -> None:
        """As ``FutureQueue.settle``, if there have been futures."""
        if self._futures is not None:
            self._futures.settle(runner)


class LoopUser(Protocol):
    """Who has something that belongs to a loop."""

    def free_closed(self) -> None:
        """Frees what belongs to loops that are closed. From any thread."""


#: Those of every library, and others.
_all: weakref.WeakSet[LoopUser] = weakref.WeakSet()

#: Has one more notified of loops that are closed.
notify_of_closed_loops = _all.add


def free_queues_of_closed_loops() -> None:
    """To be called when a loop has been closed. From any thread."""
    for completions in list(_all):
        completions.free_closed()
