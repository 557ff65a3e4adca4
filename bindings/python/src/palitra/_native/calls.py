"""Jobs in Python: functions that are registered on a native runner, and their calls, which an asyncio loop answers.

A call comes as an event of a queue whose descriptor the loop watches: no thread of the library ever runs Python code.
The loop is the global runner's, whose thread this chapter knows as its :class:`Home`.

States of a call: called -> running, a task of the loop -> answered and freed. A job that is not wanted any more cancels
its task. Every call is freed when its task is done, and a call that is freed unanswered fails: nobody waits forever.

Threads. ``register``, ``end`` and what a :class:`JobCall` offers may be called from any thread; the rest is the loop's.
"""

from __future__ import annotations

import asyncio
import contextvars
import ctypes
import functools
import inspect
import logging
import os
import threading
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from typing import Any, Protocol

from .._errors import BadPayloadError, JobError, JobPanickedError, WouldDeadlockError, error_of
from .._fork import inheritors, start_anew_if_forked
from .._threads import real_lock
from . import abi
from .completions import notify_of_closed_loops
from .events import CompletionQueue
from .payload import FORMATS, JobDescription, decode, encode_result

logger = logging.getLogger("palitra")

#: What a job in Python is: a function of its payload.
JobFunction = Callable[[Any], Any]


class Home(Protocol):
    """The thread whose loop runs jobs in Python: ``palitra._loop.thread.LoopThread``."""

    loop: asyncio.AbstractEventLoop
    ident: int | None

    @property
    def closing(self) -> bool: ...

    def post(self, posted: Callable[[], object], /) -> None: ...


class Surroundings:
    """What the other chapter provides. Set when the package is imported."""

    def __init__(self) -> None:
        #: Returns the home; starts its thread if there is none.
        self.home: Callable[[], Home]
        #: Makes a coroutine function of a blocking one, which runs in the loop's executor.
        self.to_async: Callable[[Callable[..., Any]], Callable[..., Awaitable[Any]]]


surroundings = Surroundings()

_current: contextvars.ContextVar[JobCall] = contextvars.ContextVar("palitra_call")


def current_call() -> JobCall:
    """The call that is being answered, inside a job that was registered in Python and in what it calls.

    Raises LookupError elsewhere.
    """
    try:
        return _current.get()
    except LookupError:
        raise LookupError("current_call() is for jobs that were registered in Python, and none runs here") from None


class HostJob:
    """A function that is registered as a job."""

    def __init__(self, description: JobDescription, function: JobFunction, max_waiting: int) -> None:
        """Raises TypeError for what cannot be called."""
        if not callable(function):
            raise TypeError(f"a job in Python is a function of its payload, not {type(function).__name__}")
        self.description = description
        self.max_waiting = max_waiting
        self._function = function

    def start(self, payload: Any) -> Awaitable[Any] | AsyncIterator[Any]:
        """Its items, if it streams; otherwise what returns its reply."""
        function: Any = self._function
        if _is(inspect.isasyncgenfunction, function):
            items: AsyncIterator[Any] = function(payload)
            return items
        if _is(inspect.iscoroutinefunction, function):
            reply: Awaitable[Any] = function(payload)
            return reply
        if _is(inspect.isgeneratorfunction, function):
            return _items_of(function(payload))
        return surroundings.to_async(function)(payload)


def _is(kind: Callable[[object], bool], function: Any) -> bool:
    while isinstance(function, functools.partial):
        function = function.func
    return kind(function) or kind(type(function).__call__)


async def _items_of(items: Generator[Any, Any, Any]) -> AsyncIterator[Any]:
    """The items of a blocking generator, which runs in the loop's executor, and ends there."""
    end, turn = object(), real_lock()

    def step() -> Any:
        with turn:
            return next(items, end)

    def close() -> None:
        with turn:  # The thread of a step whose wait was cancelled may be in the generator still.
            items.close()

    next_item = surroundings.to_async(step)
    try:
        while (item := await next_item()) is not end:
            yield item
    except (GeneratorExit, asyncio.CancelledError):
        # What it does at its end may block, too. Nobody waits for that.
        asyncio.get_running_loop().run_in_executor(None, contextvars.copy_context().run, close)
        raise


class JobCall:
    """One call of a job in Python; ``palitra.current_call()`` returns it to the job. Any thread may use it."""

    def __init__(self, functions: abi.Functions, handle: int, job: HostJob) -> None:
        self._functions = functions
        self._handle = handle
        self._job = job
        self._room: asyncio.Future[None] | None = None
        #: A blocking function may ask when the call has been freed.
        self._cancelled = False

    @property
    def name(self) -> str:
        """The name that the job was called by."""
        return self._job.description.name

    def progress(self, done: int, total: int = 0) -> None:
        """Says how far the job is: what is done, and of how much (0: unknown)."""
        self._functions.call_progress(self._handle, done, total)

    def is_cancelled(self) -> bool:
        """Whether nobody needs the reply any more. A coroutine is cancelled then; a blocking function asks."""
        return self._cancelled or bool(self._functions.call_is_cancelled(self._handle))

    def __repr__(self) -> str:
        return f"<call of {self.name}>"

    # On the loop's thread.

    def _read(self) -> Any:
        data, size = ctypes.c_void_p(), ctypes.c_size_t()
        self._functions.call_payload(self._handle, ctypes.byref(data), ctypes.byref(size))
        payload = ctypes.string_at(data.value, size.value) if data.value else b""
        return decode(FORMATS.index(self._job.description.input), payload)

    async def _answer(self) -> None:
        """Runs the job. Raises what it raises, or completes the call."""
        _current.set(self)
        try:
            payload = self._read()
        except (ValueError, RecursionError) as error:
            raise BadPayloadError(f"the payload is not {self._job.description.input}: {error}") from error
        running = self._job.start(payload)
        if isinstance(running, AsyncIterator):
            await self._stream(running)
            reply = abi.BYTES, b""
        else:
            reply = encode_result(self._job.description, await running)
        self._check(self._complete(abi.OK, 0, *reply))

    async def _stream(self, items: AsyncIterator[Any]) -> None:
        try:
            async for item in items:
                format, data = encode_result(self._job.description, item)
                while (status := self._functions.call_send(self._handle, format, data, len(data), 0)) == abi.PENDING:
                    # Having returned PENDING, the library notifies the queue of room.
                    self._room = asyncio.get_running_loop().create_future()
                    await self._room
                if status == abi.END:
                    raise JobError("nobody reads the stream any more")
                if status == abi.CANCELLED:
                    raise asyncio.CancelledError
                self._check(status)
        finally:
            close = getattr(items, "aclose", None)
            if close is not None:
                await close()

    def _has_room(self) -> None:
        if self._room is not None and not self._room.done():
            self._room.set_result(None)

    def _complete(self, status: int, code: int, format: int, data: bytes) -> int:
        answered: int = self._functions.call_complete(self._handle, status, code, format, data, len(data))
        return answered

    def _check(self, status: int) -> None:
        """Raises the error of a reply or an item that the library refuses: of one that no memory holds twice. That a
        reply comes too late is no error."""
        if status not in (abi.OK, abi.END, abi.CANCELLED):
            raise error_of(status, 0, "no memory holds a copy of what the job made")

    def _fail(self, error: BaseException) -> None:
        status, message = abi.JOB_FAILED, f"{type(error).__name__}: {_text_of(error)}"
        code: Any = 0  # A program may give a JobError whatever it likes.
        if isinstance(error, JobError):
            status = abi.BAD_PAYLOAD if isinstance(error, BadPayloadError) else abi.JOB_FAILED
            code, message = error.code, error.message
        elif isinstance(error, JobPanickedError):
            status, message = abi.JOB_PANICKED, str(error)
        elif isinstance(error, asyncio.CancelledError):
            self._cancelled = True
            status, message = abi.CANCELLED, ""
        else:
            logger.info("the job %s raised", self.name, exc_info=error)
        if not (isinstance(code, int) and -(1 << 31) <= code < 1 << 31):
            code, message = 0, f"{message} (its code {code!r} is no 32-bit number)"
        self._complete(status, code, abi.TEXT, str(message).encode(errors="replace"))

    async def _drive(self) -> None:
        try:
            await self._answer()
        except BaseException as error:
            self._fail(error)


def _text_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return "<exception str() failed>"  # As Python's own reports say.


class CallQueue:
    """The calls of the jobs of one native runner, on one loop."""

    def __init__(self, functions: abi.Functions, home: Home) -> None:
        self._functions = functions
        self.home = home
        self._process = os.getpid()
        self._queue = CompletionQueue(functions)
        self.handle = self._queue.handle
        self._descriptor = self._queue.descriptor()
        self._jobs: dict[int, HostJob] = {}
        self._running: dict[int, tuple[JobCall, asyncio.Task[None]]] = {}
        self._ended = False
        # The loop watches the queue's descriptor until the queue is closed, or the loop is.
        home.post(self._watch)
        notify_of_closed_loops(self)
        self.free_closed()  # It may have been closed just before.

    def is_open(self) -> bool:
        """Whether the loop takes calls."""
        return not self._ended and not self.home.closing

    def add(self, job: HostJob) -> int:
        """The job's calls are answered from now on; returns their tag."""
        tag = len(self._jobs)
        self._jobs[tag] = job
        return tag

    def check_may_wait(self) -> None:
        """Raises WouldDeadlockError on the loop's thread, where nobody would answer the call that is waited for."""
        if threading.get_ident() == self.home.ident and self._process == os.getpid():
            raise WouldDeadlockError(
                "this thread answers the calls of the runner's jobs in Python: await the job there instead"
            )

    def check_may_wait_for_all(self) -> None:
        """Raises WouldDeadlockError also in one of the calls, on whichever thread: it cannot wait for its own end."""
        self.check_may_wait()
        call = _current.get(None)
        if call is not None and self._answers(call):
            raise WouldDeadlockError("a job cannot wait until the jobs of its runner have ended: it is one of them")

    def _answers(self, call: JobCall) -> bool:
        running = self._running.get(call._handle)  # pyright: ignore[reportPrivateUsage]
        return running is not None and running[0] is call

    def end(self) -> None:
        """The runner has ended. Cancels what runs, and closes the queue. From any thread."""
        if self._process == os.getpid():
            self._ended = True
            self.home.post(self._close)

    def free_closed(self) -> None:
        """A loop was closed: if it is this one, the queue is closed, and who calls gets an error at once."""
        if self._process == os.getpid() and self.home.loop.is_closed():
            self._ended = True
            self._queue.close()

    # On the loop's thread.

    def _watch(self) -> None:
        # In an empty context: that of the first who registers would live as long as the loop.
        contextvars.Context().run(self.home.loop.add_reader, self._descriptor, self._drain)

    def _close(self) -> None:
        if self._queue.close.alive:
            self.home.loop.remove_reader(self._descriptor)
            self._queue.close()
        for _, task in list(self._running.values()):
            task.cancel()

    def _drain(self) -> None:
        if not self._queue.close.alive:
            return
        # If a batch leaves events behind, the descriptor is readable again at once.
        events = self._queue.next(0)
        for tag, handle, status in zip(events[::3], events[1::3], events[2::3], strict=True):
            # The status is the lower half of its word; the other half is padding.
            match status & 0xFFFFFFFF:
                case abi.PENDING:
                    self._begin(handle, self._jobs[tag])
                case abi.OK:
                    if handle in self._running:
                        self._running[handle][0]._has_room()  # pyright: ignore[reportPrivateUsage]
                case _:
                    if handle in self._running:
                        self._running[handle][1].cancel()

    def _begin(self, handle: int, job: HostJob) -> None:
        call = JobCall(self._functions, handle, job)
        if self.home.closing or self._functions.call_notify(handle, self.handle, 0) != abi.OK:
            self._functions.call_free(handle)  # Nobody needs the reply any more, or nobody is going to give one.
            return
        drive = call._drive()  # pyright: ignore[reportPrivateUsage]
        task = self.home.loop.create_task(drive, name=f"palitra job {call.name}")
        self._running[handle] = call, task
        task.add_done_callback(functools.partial(self._done, handle))

    def _done(self, handle: int, task: asyncio.Task[None]) -> None:
        call, _ = self._running.pop(handle)
        if task.cancelled():  # Before its first step.
            call._fail(asyncio.CancelledError())  # pyright: ignore[reportPrivateUsage]
        self._functions.call_free(handle)


class HostJobs:
    """The jobs in Python of one native runner; of a global runner, also those of the one in a forked child."""

    def __init__(self, functions: abi.Functions) -> None:
        self._functions = functions
        self._jobs: dict[str, HostJob] = {}
        #: Their descriptions, by name.
        self.known: dict[str, JobDescription] = {}
        self._after_fork_in_child()
        inheritors.add(self)

    def _after_fork_in_child(self) -> None:
        self.queue: CallQueue | None = None
        #: The runner that has the jobs.
        self._runner = 0
        # Reentrant: garbage may be collected while it is held, and a finalizer may end a runner.
        self._lock = threading.RLock()

    def register(self, job: HostJob, on_runner: Callable[[Callable[[abi.Handle], int]], int]) -> None:
        """``on_runner`` calls a function with the runner, which it makes if need be, and returns its status. Raises the
        error of a refusal."""
        start_anew_if_forked()
        home = self._home()
        with self._lock:
            status = on_runner(lambda runner: self._serve(runner, job, home))
            if status != abi.OK:
                message = self._functions.status_message(status).decode()
                if status == abi.INVALID_ARGUMENT:
                    message = f"{job.description.name!r} is registered on this runner already, or is no name of a job"
                raise error_of(status, 0, message)
            self._jobs[job.description.name] = job
            self.known[job.description.name] = job.description

    def serve_again(self, runner: abi.Handle) -> None:
        """This runner takes the place of another: in a forked child of the parent's."""
        if self._jobs:
            home = self._home()
            with self._lock:
                if self._jobs:
                    self._attach(runner, home)

    def end(self) -> None:
        """The runner has ended, and its registrations with it."""
        with self._lock:
            queue, self.queue = self.queue, None
            self._jobs.clear()
            self.known.clear()
        if queue is not None:
            queue.end()

    def _home(self) -> Home:
        """Where the calls are answered. Asked for before the lock is taken: at the exit of the interpreter it puts a
        daemon thread to sleep, which would keep the lock from the exit's handlers."""
        queue = self.queue
        return queue.home if queue is not None and queue.is_open() else surroundings.home()

    def _serve(self, runner: abi.Handle, job: HostJob, home: Home) -> int:
        return self._register(runner, self._attach(runner, home), job)

    def _attach(self, runner: abi.Handle, home: Home) -> CallQueue:
        """The queue. A new one, if its loop was closed or its process forked, and a new runner have the jobs that were
        registered before."""
        queue = self.queue
        if queue is None or not queue.is_open():
            queue = self.queue = CallQueue(self._functions, home)
            # The loop watches the queue, and would keep it.
            weakref.finalize(self, queue.end).atexit = False
            self._runner = 0
        if self._runner != runner.value:
            self._runner = runner.value
            for job in self._jobs.values():
                self._register(runner, queue, job)
        return queue

    def _register(self, runner: abi.Handle, queue: CallQueue, job: HostJob) -> int:
        one = job.description
        info = abi.JobInfo(one.wire_name, one.doc.encode(), FORMATS.index(one.input), FORMATS.index(one.output))
        status: int = self._functions.runner_register_queued(
            runner, ctypes.byref(info), queue.handle, queue.add(job), job.max_waiting
        )
        return status
