"""A native runner: jobs of a library, run by their name, from synchronous code.

Waits let go of the GIL and come back to Python every tenth of a second in the main thread, so that Ctrl-C and
other signals are heeded there; whatever a signal's handler raises cancels the job first.
"""

from __future__ import annotations

import ctypes
import functools
import queue
import threading
import time
import weakref
from collections import deque
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

from . import _abi, _batch
from ._calls import SLICE, Slot, bytes_at, deadline_nanoseconds, nanoseconds, read_reply
from ._completions import Completions, JobFuture, await_job, stream_job
from ._errors import InvalidArgumentError, TimeoutError, error_of
from ._gathering import check_limit
from ._job import Job, ProgressFunction, decode, encode

if TYPE_CHECKING:
    from ._library import Library

_slots: deque[Slot] = deque(maxlen=64)


class Calls:
    """The calls about jobs that every runner of a library shares."""

    def __init__(self, functions: _abi.Functions, completions: Completions) -> None:
        self.functions = functions
        self._completions = completions
        #: The native runner; 0, which the library answers as stale, before there is one.
        self._runner = 0
        self._start = functions.runner_start
        #: How a run submits: it has no reader, so what the job streams is refused.
        self._run_options = _abi.SubmitOptions()
        functions.submit_options_init(ctypes.byref(self._run_options), ctypes.sizeof(self._run_options))
        self._run_options.flags = _abi.NO_ITEMS
        self._run_options_address = ctypes.addressof(self._run_options)
        self._free_reply = functions.reply_free

    def _stale(self, status: int, runner: int) -> bool:
        """Whether such an answer of this runner means that another is to be tried."""
        return False

    # Replies.

    def _take(self, status: int, slot: Slot) -> Any:
        """What a finished job left, decoded; frees the reply. Raises what it failed with."""
        _, code, format, address, size, owner = read_reply(slot.reply_bytes)
        data: bytes = bytes_at(address, size) if size else b""
        if owner:
            self._free_reply(slot.reply_address)
        if status == _abi.OK:
            return data if format == _abi.BYTES else decode(format, data)
        message = data.decode(errors="replace")
        if not message and status not in (_abi.JOB_FAILED, _abi.JOB_PANICKED, _abi.BAD_PAYLOAD):
            message = self._message(status)
        raise error_of(status, code, message)

    def _message(self, status: int) -> str:
        message: bytes = self.functions.status_message(status)
        return message.decode()

    def _refused(self, status: int) -> BaseException:
        return error_of(status, 0, self._message(status))

    # Running.

    def run(self, job: Job, *, timeout: float | None = None) -> Any:
        """Runs a job to its end and answers its reply: bytes, text, or what the JSON says.

        Raises JobError when the job failed, TimeoutError after ``timeout`` seconds, when it has been
        cancelled, and the other errors of this package. Ctrl-C cancels the job.
        """
        self._check_library((job,))
        if timeout is None and job.plain:
            return self._run(job)
        return self._run_submitted(job, timeout)

    def _run(self, job: Job) -> Any:
        """The first poll on this thread: a job that is ready at once is one call of the library."""
        try:
            slot = _slots.pop()
        except IndexError:
            slot = Slot()
        data = job.data
        slot.runner = runner = self._runner
        try:
            status = self._start(
                runner,
                job.wire_name,
                data,
                len(data),
                self._run_options_address,
                slot.token_address,
                slot.reply_address,
            )
            if status == _abi.PENDING:
                status = self._wait(slot.token.value, _abi.FOREVER, slot)
                self.functions.token_free(slot.token.value)
            elif status >= _abi.INVALID_HANDLE and self._stale(status, runner):
                return self._run(job)
        except BaseException:
            # A token of an earlier call is stale by now, and so left alone.
            self._let_go(slot.token.value)
            raise
        try:
            return self._take(status, slot)
        finally:
            _slots.append(slot)

    def _wait(self, token: int, limit: int, slot: Slot, told: ProgressFunction | None = None) -> int:
        """Waits for a token; its status, or PENDING past the limit."""
        wait, poll, address = self.functions.runner_wait, self.functions.token_poll, slot.reply_address

        def wait_once(slice: int) -> int:
            status: int = wait(slot.runner, token, slice, address)
            if status >= _abi.INVALID_ARGUMENT:
                # The runner was shut down and freed meanwhile, which ends all its tokens: they stay readable.
                status = poll(token, address)
                if status == _abi.PENDING:
                    time.sleep(0.001)  # The shutdown is still at it.
            if told is not None and self._progress(token) != (0, 0):
                told(*self._progress(token))
            return status

        return self._in_slices(wait_once, limit, told is not None)

    @staticmethod
    def _in_slices(wait: Callable[[int], int], limit: int, always: bool = False) -> int:
        """Waits so many nanoseconds for a status other than PENDING; in slices where Python runs the handlers of
        signals, the main thread, or always."""
        longest = SLICE if always or threading.current_thread() is threading.main_thread() else 2**62
        deadline = time.monotonic_ns() + limit
        while True:
            status = wait(longest if limit < 0 else max(0, min(longest, deadline - time.monotonic_ns())))
            if status != _abi.PENDING or (limit >= 0 and time.monotonic_ns() >= deadline):
                return status

    def _let_go(self, token: int) -> None:
        """Ends the token of a call that was interrupted; its job is dropped at its next await."""
        if token:
            self.functions.token_cancel(token)
            self.functions.token_free(token)

    def _run_submitted(self, job: Job, timeout: float | None) -> Any:
        """On the runner's thread from the start, so that the timeout holds for a job that never yields."""
        limit = nanoseconds(timeout)
        slot = Slot()
        token = 0
        try:
            options = self.submit_options(job)
            options.flags = _abi.NO_ITEMS
            token = self._submit(job, slot, options)
            status = self._wait(token, limit, slot, job.progress)
        except BaseException:
            self._let_go(token)
            raise
        try:
            if status == _abi.PENDING:
                self.functions.token_cancel(token)
                status = self.functions.token_poll(token, slot.reply_address)
                if status != _abi.OK:
                    raise TimeoutError(f"timed out after {timeout} seconds")
            return self._take(status, slot)
        finally:
            self._free_reply(slot.reply_address)
            self.functions.token_free(token)

    def _shut_down(self, shut_down: Callable[[int], int], grace: float | None) -> int:
        """Shuts a runner down. A grace is waited for on another thread: this one heeds signals meanwhile, and
        what a signal's handler raises ends the grace."""
        limit = nanoseconds(grace)
        if limit == 0 or threading.current_thread() is not threading.main_thread():
            return shut_down(limit)
        answer: queue.SimpleQueue[int] = queue.SimpleQueue()
        waiter = threading.Thread(target=lambda: answer.put(shut_down(limit)), name="palitra-shutdown", daemon=True)
        waiter.start()
        try:
            return answer.get()
        except BaseException:
            shut_down(0)
            raise

    def _progress(self, token: int) -> tuple[int, int]:
        done, total = ctypes.c_uint64(), ctypes.c_uint64()
        self.functions.token_progress(token, ctypes.byref(done), ctypes.byref(total))
        return done.value, total.value

    def submit_options(self, job: Job) -> _abi.SubmitOptions:
        """How such a job is to be submitted, with nobody told of its end."""
        options = _abi.SubmitOptions()
        self.functions.submit_options_init(ctypes.byref(options), ctypes.sizeof(options))
        options.deadline_ns = deadline_nanoseconds(job.deadline)
        return options

    def _poll(self, token: int, slot: Slot | None = None) -> Any:
        """What a finished token's job left, decoded. Raises what it failed with."""
        slot = slot or Slot()
        return self._take(self.functions.token_poll(token, slot.reply_address), slot)

    def _check_library(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            if job.library.functions is not self.functions:
                raise InvalidArgumentError(f"{job!r} is a job of another library, {job.library.functions.path}")

    def gather(
        self,
        *jobs: Job,
        return_exceptions: bool = False,
        timeout: float | None = None,
        limit: int | None = None,
    ) -> list[Any]:
        """Runs several jobs at the same time, at most ``limit`` of them; the list of their replies, in order.

        Without ``return_exceptions`` the first failure in time is raised, and the others run on. Past
        ``timeout`` seconds all are cancelled and TimeoutError is raised.
        """
        check_limit(limit)
        self._check_library(jobs)
        return _batch.gather(jobs, return_exceptions, timeout, limit, self)

    def submit(self, job: Job) -> JobFuture:
        """Submits a job and answers a future at once. Cancelling the future cancels the job."""
        self._check_library((job,))
        return self._completions.settler().submit(self, job)

    def _await(self, job: Job) -> Generator[Any, None, Any]:
        return await_job(self._completions, self, job)

    def _stream(self, job: Job) -> AsyncGenerator[Any, None]:
        return stream_job(self._completions, self, job)

    def _begin(self, job: Job, slot: Slot, options: _abi.SubmitOptions) -> int:
        """Begins a job on this thread; how it ended, or PENDING with its token."""
        data = job.data
        while True:
            runner = self._runner
            status: int = self._start(
                runner,
                job.wire_name,
                data,
                len(data),
                ctypes.addressof(options),
                slot.token_address,
                slot.reply_address,
            )
            if status < _abi.INVALID_HANDLE or not self._stale(status, runner):
                return status

    def _submit(self, job: Job, slot: Slot, options: _abi.SubmitOptions) -> int:
        """Submits a job and answers its token."""
        while True:
            slot.runner = runner = self._runner
            status: int = self.functions.runner_submit(
                runner, job.wire_name, job.data, len(job.data), ctypes.addressof(options), slot.token_address
            )
            if status == _abi.OK:
                return slot.token.value
            if not self._stale(status, runner):
                raise self._refused(status)

    # Streams.

    def iterate(self, job: Job, *, timeout: float | None = None) -> Generator[Any, None, None]:
        """The items that a job streams, as they come. Let go of, the job is cancelled.

        Raises what the job failed with, after its items; TimeoutError when one takes more than ``timeout``
        seconds.
        """
        self._check_library((job,))
        limit = nanoseconds(timeout)
        slot = Slot()
        token = self._submit(job, slot, self.submit_options(job))
        next_item = self.functions.token_next
        try:
            while True:
                status = self._in_slices(lambda slice: next_item(token, slice, slot.reply_address), limit)
                if status == _abi.END:
                    return
                if status == _abi.PENDING:
                    raise TimeoutError(f"timed out after {timeout} seconds")
                yield self._take(status, slot)
                if job.progress is not None:
                    job.progress(*self._progress(token))
        finally:
            self.functions.token_cancel(token)
            self.functions.token_free(token)


class Runner(Calls):
    """A native runner with threads, state and limits of its own. Made by ``Library.Runner``."""

    def __init__(self, library: Library, options: _abi.RunnerOptions) -> None:
        super().__init__(library.functions, library._completions)
        self.library = library
        handle = _abi.Handle()
        status = self.functions.runner_new(ctypes.byref(options), ctypes.byref(handle))
        if status != _abi.OK:
            raise self._refused(status)
        self._runner = handle.value
        self._free = weakref.finalize(self, self.functions.runner_free, self._runner)
        self._free.atexit = False

    def job(self, name: str, payload: Any = None, /, **fields: Any) -> Job:
        """As ``Library.job``; awaited, it runs on this runner."""
        description = self.library.describe(name)
        return Job(self, description, encode(description, payload, fields))

    def is_alive(self) -> bool:
        """Whether the runner takes work."""
        alive: bool = self.functions.runner_is_alive(self._runner)
        return alive

    def stats(self) -> dict[str, int]:
        """How the runner is doing, by the names of ``palitra_stats``; ``longest_poll_ns`` is nanoseconds.

        Raises InvalidHandleError after ``close``, ForkedError in a child of the runner's process.
        """
        stats = _abi.Stats(size=ctypes.sizeof(_abi.Stats))
        status = self.functions.runner_stats(self._runner, ctypes.byref(stats))
        if status != _abi.OK:
            raise self._refused(status)
        return {name: getattr(stats, name) for name, *_ in _abi.Stats._fields_[1:]}

    def shutdown(self, grace: float | None = 0) -> bool:
        """Refuses new jobs, gives those that run ``grace`` seconds (None: as long as they take) and cancels the
        rest. False if a job that never yields kept its thread.

        Raises WouldDeadlockError from one of its jobs, InvalidHandleError after ``close``, ForkedError.
        """
        status = self._shut_down(functools.partial(self.functions.runner_shutdown, self._runner), grace)
        if status not in (_abi.OK, _abi.PENDING):
            raise self._refused(status)
        return bool(status == _abi.OK)

    def close(self) -> None:
        """Shuts down with no grace and frees the runner. Closing again does nothing."""
        self._free()

    def __enter__(self) -> Runner:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
