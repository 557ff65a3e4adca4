"""How finished jobs reach whoever awaits them: a completion queue for each asyncio loop, and one for futures.

A loop watches its queue's descriptor while jobs of its are under way, and not otherwise: it may be closed at
any time without a reader left behind. Futures are settled by one thread that waits in the library.
"""

from __future__ import annotations

import asyncio
import ctypes
import itertools
import logging
import os
import threading
import weakref
from collections.abc import AsyncGenerator, Callable, Generator
from typing import TYPE_CHECKING, Any

from . import _abi
from ._calls import Slot
from ._errors import ForkedError, WouldDeadlockError, error_of
from ._fork import inheritors
from ._futures import WOULD_DEADLOCK, Future
from ._job import Job

if TYPE_CHECKING:
    from ._native import Calls

logger = logging.getLogger("palitra")

#: How often the progress of an awaited job is looked at, in seconds.
PROGRESS_INTERVAL = 0.1

#: Is told the status of an event: PENDING for items that wait, anything else for the job's end.
Receiver = Callable[[int], object]


class CompletionQueue:
    """One queue of the library, and who is to be told of each of its events."""

    BATCH = 256

    def __init__(self, functions: _abi.Functions) -> None:
        self.functions = functions
        handle = _abi.Handle()
        status = functions.queue_new(ctypes.byref(handle))
        if status != _abi.OK:
            raise OSError(functions.status_message(status).decode())
        self.handle: int = handle.value
        self.receivers: dict[int, Receiver] = {}
        self._tags = itertools.count(1)
        self._events = (_abi.Event * self.BATCH)()
        self._count = ctypes.c_size_t()
        self._events_at = ctypes.addressof(self._events)
        self._words = memoryview(self._events).cast("B").cast("Q")
        self._count_at = ctypes.addressof(self._count)
        weakref.finalize(self, functions.queue_free, self.handle).atexit = False

    def submit(self, calls: Calls, job: Job, receiver: Receiver, flags: int = 0) -> tuple[int, int]:
        """Submits a job whose events the receiver is told; its token and its tag. From any thread."""
        tag = next(self._tags)
        options = calls.submit_options(job)
        options.flags, options.queue, options.tag = flags, self.handle, tag
        self.receivers[tag] = receiver
        try:
            return calls._submit(job, Slot(), options), tag
        except BaseException:
            del self.receivers[tag]
            raise

    def next(self, timeout: int) -> list[tuple[int, int]]:
        """The tags and statuses of at most a batch of events; none past the timeout in nanoseconds.

        Raises an Error where there will be none: in a forked child.
        """
        functions = self.functions
        status = functions.queue_next(self.handle, timeout, self._events_at, self.BATCH, self._count_at)
        if status == _abi.PENDING:
            return []
        if status != _abi.OK:
            raise error_of(status, 0, functions.status_message(status).decode())
        # An event is three words: the tag, the token and the status.
        words = self._words[: 3 * self._count.value].tolist()
        return list(zip(words[::3], words[2::3]))

    def drain(self, timeout: int) -> None:
        """Tells the receivers of at most a batch of events. Raises as ``next``."""
        for tag, status in self.next(timeout):
            receiver = self.receivers.get(tag)
            if receiver is not None:
                try:
                    receiver(status)
                except BaseException:
                    logger.exception("a callback of a finished job raised")


class LoopCompletions:
    """The queue of one asyncio loop. Everything here happens on that loop's thread."""

    def __init__(self, functions: _abi.Functions, loop: asyncio.AbstractEventLoop) -> None:
        self._queue = CompletionQueue(functions)
        self._descriptor = functions.queue_fd(self._queue.handle)
        self._loop = weakref.ref(loop)

    def submit(self, calls: Calls, job: Job, receiver: Receiver, flags: int = 0) -> tuple[int, int]:
        submitted = self._queue.submit(calls, job, receiver, flags)
        if len(self._queue.receivers) == 1:
            loop = self._loop()
            if loop is not None:
                loop.add_reader(self._descriptor, self._drain)
        return submitted

    def forget(self, tag: int) -> None:
        """After the job's end, or when nobody awaits it any more."""
        self._queue.receivers.pop(tag, None)
        if not self._queue.receivers:
            loop = self._loop()
            if loop is not None and not loop.is_closed():
                loop.remove_reader(self._descriptor)

    def _drain(self) -> None:
        # What is left when a batch was full makes the descriptor readable again at once.
        self._queue.drain(0)


class Completions:
    """The queues of one library: one for each loop, one for futures. A forked child begins with none."""

    def __init__(self, functions: _abi.Functions) -> None:
        self._functions = functions
        self._after_fork_in_child()
        inheritors.add(self)

    def _after_fork_in_child(self) -> None:
        self._loops: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, LoopCompletions]
        self._loops = weakref.WeakKeyDictionary()
        self._settler: Settler | None = None
        self._lock = threading.Lock()

    def of_running_loop(self) -> LoopCompletions:
        loop = asyncio.get_running_loop()
        completions = self._loops.get(loop)
        if completions is None:
            with self._lock:
                completions = self._loops[loop] = LoopCompletions(self._functions, loop)
        return completions

    def settler(self) -> Settler:
        with self._lock:
            if self._settler is None:
                self._settler = Settler(self._functions)
            return self._settler


class Settler:
    """The thread that settles the futures of submitted jobs."""

    def __init__(self, functions: _abi.Functions) -> None:
        self._process = os.getpid()
        self._queue = CompletionQueue(functions)
        self._thread = threading.Thread(target=self._settle, name="palitra-futures", daemon=True)
        self._thread.start()

    def _settle(self) -> None:
        while True:
            self._queue.drain(_abi.FOREVER)

    def check_may_wait(self) -> None:
        if self._process != os.getpid():
            raise ForkedError("this job runs in the parent of this forked process")
        if threading.get_ident() == self._thread.ident:
            raise WouldDeadlockError(WOULD_DEADLOCK)

    def submit(self, calls: Calls, job: Job) -> JobFuture:
        future = JobFuture(calls, self)
        future.submit(self._queue, job)
        return future


class JobFuture(Future[Any]):
    """The future of a submitted native job."""

    def __init__(self, calls: Calls, settler: Settler) -> None:
        super().__init__()
        self._calls = calls
        self._settler = settler
        self._token = 0

    def submit(self, queue: CompletionQueue, job: Job) -> None:
        told = threading.Event()
        tag = 0

        def receive(status: int) -> None:
            # The job may end before `submit` has answered which tag and token it has.
            told.wait()
            queue.receivers.pop(tag, None)
            self._receive()

        try:
            self._token, tag = queue.submit(self._calls, job, receive)
        finally:
            told.set()
        weakref.finalize(self, self._calls.functions.token_free, self._token).atexit = False

    def _receive(self) -> None:
        try:
            value = self._calls._poll(self._token)
        except BaseException as error:
            self.settle(None, error)
        else:
            self.settle(value, None)

    def _cancel_work(self) -> None:
        self._calls.functions.token_cancel(self._token)

    def _check_may_wait(self) -> None:
        self._settler.check_may_wait()

    def progress(self) -> tuple[int, int]:
        """How far the job says it is: what is done, and of how much. (0, 0) before it said anything."""
        return self._calls._progress(self._token)


def await_job(completions: Completions, calls: Calls, job: Job) -> Generator[Any, None, Any]:
    """Awaits a job in the running loop; cancelled there, the job is cancelled."""
    queue = completions.of_running_loop()
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[int] = loop.create_future()

    def receive(status: int) -> None:
        if not ended.done():
            ended.set_result(status)

    token, tag = queue.submit(calls, job, receive)
    try:
        if job.progress is None:
            yield from ended.__await__()
        else:
            yield from _with_progress(calls, job, token, ended)
        return calls._poll(token)
    except BaseException:
        calls.functions.token_cancel(token)
        raise
    finally:
        queue.forget(tag)
        calls.functions.token_free(token)


def _with_progress(calls: Calls, job: Job, token: int, ended: asyncio.Future[int]) -> Generator[Any, None, None]:
    while not ended.done():
        yield from asyncio.wait({ended}, timeout=PROGRESS_INTERVAL).__await__()
        progress = calls._progress(token)
        if job.progress is not None and progress != (0, 0):
            job.progress(*progress)


async def stream_job(completions: Completions, calls: Calls, job: Job) -> AsyncGenerator[Any, None]:
    """The items of a streaming job in the running loop; closed there, the job is cancelled."""
    queue = completions.of_running_loop()
    loop = asyncio.get_running_loop()
    slot = Slot()
    arrived: asyncio.Future[int] = loop.create_future()

    def receive(status: int) -> None:
        if not arrived.done():
            arrived.set_result(status)

    token, tag = queue.submit(calls, job, receive, _abi.ITEM_EVENTS)
    try:
        while True:
            arrived = loop.create_future()
            status = calls.functions.token_next(token, 0, slot.reply_address)
            if status == _abi.END:
                return
            if status == _abi.PENDING:
                # Answered PENDING, the library tells the queue of the next item: nothing is missed meanwhile,
                # since the queue is drained by this same thread.
                await arrived
                continue
            yield calls._take(status, slot)
            if job.progress is not None:
                job.progress(*calls._progress(token))
    finally:
        calls.functions.token_cancel(token)
        queue.forget(tag)
        calls.functions.token_free(token)
