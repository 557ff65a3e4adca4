"""Jobs of a library on one native runner: submitted, waited for, their replies read.

An :class:`Invoker` knows one runner's handle and nothing of its owner, a ``Library`` or a ``Runner``. It is used from
any thread, and has no state that changes but the handle of a global runner. Every method that takes a token takes it as
an integer, and every ``slot`` is used by one thread at a time.

Waits release the GIL. Whatever a signal's handler raises meanwhile cancels the job first.
"""

from __future__ import annotations

import ctypes
import itertools
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from .._errors import Error, ShutDownError, TooLargeError, error_of
from .._limits import deadline_nanoseconds
from .._threads import sleep_if_exiting
from . import abi
from .calls import HostJobs
from .completions import Completions
from .events import CompletionQueue
from .payload import Call, decode
from .signals import wait_in_slices
from .slot import Slot, read_reply, return_slot, take_slot

#: A handle for a prepared function, in a third of the time that ``abi.Handle`` takes.
as_handle = abi.Handle.from_param

#: The most jobs that one call of the library submits.
MANY = 256

#: What reading the reply of a job that succeeded raises if the reply is not what it says, or too large.
UNREADABLE = (ValueError, RecursionError, MemoryError)


class Invoker:
    """Submits jobs to one native runner, waits for them and reads what they left."""

    def __init__(self, functions: abi.Functions, completions: Completions, runner: abi.Handle | None = None) -> None:
        self.functions = functions
        self.completions = completions
        #: The native runner's handle, which is replaced and never changed. An invalid one before there is a runner.
        self.runner = runner or abi.Handle()
        #: The jobs in Python that are registered on the runner.
        self.host_jobs = HostJobs(functions)
        self._start = functions.prepared("runner_start")
        self._submit = functions.prepared("runner_submit")
        self._submit_many = functions.prepared("runner_submit_many")
        self._poll = functions.prepared("token_poll")
        self._free_token = functions.prepared("token_free")
        self._free_reply = functions.prepared("reply_free")
        # `run` has no reader for items: what its job streams is refused.
        self._run_options = ctypes.byref(self.options(flags=abi.NO_ITEMS))
        #: Of a run that has a timeout, which must hold for a job that never yields. By reference.
        self.bounded_options = ctypes.byref(self.options(flags=abi.NO_ITEMS | abi.INLINE_ONLY))

    def replaces(self, status: int, runner: abi.Handle) -> bool:
        """Whether ``self.runner`` is another runner now, after that one refused a job with the status."""
        return False

    def on_runner(self, call: Callable[[abi.Handle], int]) -> int:
        """Calls the function with the runner, once more with the one that takes its place; returns its status."""
        while True:
            runner = self.runner
            status = call(runner)
            if status < abi.INVALID_HANDLE or not self.replaces(status, runner):
                return status

    def check_may_wait(self) -> None:
        """Raises WouldDeadlockError on the thread that answers the calls of the runner's jobs in Python."""
        queue = self.host_jobs.queue
        if queue is not None:
            queue.check_may_wait()

    def check_may_wait_for_all(self) -> None:
        """As ``check_may_wait``, before a wait for all jobs of the runner: not in one of them either."""
        queue = self.host_jobs.queue
        if queue is not None:
            queue.check_may_wait_for_all()

    # Submitting.

    def options(self, deadline: float | None = None, flags: int = 0) -> abi.SubmitOptions:
        """Options for a submission, with a deadline in seconds and no queue."""
        options = self.functions.submit_options(flags)
        if deadline is not None:
            options.deadline_ns = deadline_nanoseconds(deadline)
        return options

    def submit(self, call: Call, options: Any, slot: Slot) -> int:
        """Submits a job, with options by reference; returns its token. Raises the error of a refusal."""
        while True:
            slot.runner = runner = self.runner
            status: int = self._submit(runner, call.wire_name, call.data, call.size, options, slot.token_reference)
            if status == abi.OK:
                return slot.token.value
            if not self.replaces(status, runner):
                raise self.refusal(status)

    def submit_many(
        self, calls: Mapping[int, Call], options: Any, made: ctypes.Array[abi.Handle] | None = None
    ) -> Iterator[tuple[int, int, BaseException | None]]:
        """Submits jobs, each with its tag, the options by reference. Yields the tag of each with its token, or with the
        error of its refusal. One call of the library, which wakes the runner once, takes up to ``MANY`` of them, and
        leaves their tokens in ``made``: whoever is interrupted by a signal's handler finds there those that were not
        yielded yet."""
        if made is None:
            made = (abi.Handle * min(MANY, len(calls)))()
        waiting = iter(calls.items())
        chunk = list(itertools.islice(waiting, MANY))
        while chunk:
            tokens: list[int] = []
            try:
                tokens, status = self._submit_chunk(chunk, options, made)
                error = None if status == abi.OK else self.refusal(status)
            except Error as raised:
                error = raised  # There is no global runner, and none can be made.
            for (tag, _), token in zip(chunk, tokens, strict=False):
                yield tag, token, None
            del chunk[: len(tokens)]
            if error is not None:
                # Too large is one job; anything else would refuse the others at this moment, too.
                refused = 1 if isinstance(error, TooLargeError) else len(chunk)
                for tag, _ in chunk[:refused]:
                    yield tag, 0, error
                del chunk[:refused]
            chunk += itertools.islice(waiting, MANY - len(chunk))

    def _submit_chunk(
        self, chunk: Sequence[tuple[int, Call]], options: Any, made: ctypes.Array[abi.Handle]
    ) -> tuple[list[int], int]:
        """The tokens of those that were submitted, from the first on, and OK, or why the next one was refused."""
        words: list[int] = []
        for tag, call in chunk:
            words += abi.address_of(call.wire_name), abi.address_of(call.data), len(call.data), tag
        submissions = struct.pack(f"{len(words)}Q", *words)
        taken = ctypes.c_size_t()
        while True:
            runner = self.runner
            status = self._submit_many(runner, submissions, len(chunk), options, made, ctypes.byref(taken))
            if status == abi.OK or taken.value or not self.replaces(status, runner):
                return made[: taken.value], status

    def poll_inline(self, call: Call, options: Any, slot: Slot) -> int:
        """Polls a new job once on this thread, unless the options, by reference, keep it from that. Returns how it
        ended, its reply in the slot; or PENDING, its token there. A refusal is a status too."""
        while True:
            slot.runner = runner = self.runner
            status: int = self._start(
                runner, call.wire_name, call.data, call.size, options, slot.token_reference, slot.reply_reference
            )
            if status < abi.INVALID_HANDLE or not self.replaces(status, runner):
                return status

    def run(self, call: Call) -> Any:
        """Runs a job to its end; returns its reply, or raises what it failed with. A job that is ready at its first
        poll, on this thread, costs one call of the library."""
        slot = take_slot()
        try:
            status = self.poll_inline(call, self._run_options, slot)
            if status == abi.PENDING:
                status = self.wait(slot.token.value, abi.FOREVER, slot)
                self.functions.token_free(slot.token.value)
        except BaseException:
            # A token that is left from an earlier job is a stale handle: nothing happens to it.
            self.abandon(slot.token.value)
            raise
        try:
            return self.take(status, slot)
        finally:
            return_slot(slot)

    # Waiting.

    def wait(
        self,
        token: int,
        limit: int,
        slot: Slot,
        on_slice: Callable[[], None] | None = None,
        queue: CompletionQueue | None = None,
    ) -> int:
        """Waits at most so many nanoseconds for a token that was submitted with the slot. Returns its status, its
        reply in the slot, or PENDING. ``on_slice`` is called every tenth of a second, and at the end. With a queue that
        the end is announced in, other greenlets run meanwhile."""
        wait, poll, address = self.functions.runner_wait, self.functions.token_poll, slot.reply_address

        def wait_once(slice: int) -> int:
            status: int
            if queue is not None:
                queue.wait(slice)
                status = poll(token, address)
            else:
                status = wait(slot.runner, token, slice, address)
            if on_slice is not None:
                on_slice()
            return status

        status = wait_in_slices(wait_once, limit, on_slice is not None)
        if status >= abi.JOB_FAILED and self.host_jobs.known:
            sleep_if_exiting()  # The exit has ended the loop that was to answer.
        return status

    def abandon(self, token: int) -> None:
        """Cancels and frees the token of a job that nobody waits for any more. 0 is no token."""
        if token:
            self.functions.token_cancel(token)
            self.functions.token_free(token)

    # Reading.

    def poll(self, token: int, slot: Slot) -> int:
        """Returns the status of a token that has finished, its reply in the slot."""
        status: int = self._poll(as_handle(token), slot.reply_reference)
        return status

    def poll_and_free(self, token: int, slot: Slot) -> int:
        """Returns the status of a token that has finished, its reply in the slot, and frees the token."""
        handle = as_handle(token)
        status: int = self._poll(handle, slot.reply_reference)
        self._free_token(handle)
        return status

    def take(self, status: int, slot: Slot) -> Any:
        """Returns the slot's reply, decoded, and frees it. Raises what the job failed with, for any status but OK; with
        OK, ``UNREADABLE``."""
        if status != abi.OK:
            raise self.failure(status, slot)
        _, _, format, _, size, owner = read_reply(slot.reply_bytes)
        data: bytes = slot.reply_data[:size] if size else b""
        if owner:
            self._free_reply(slot.reply_reference)
        return data if format == abi.BYTES else decode(format, data)

    def failure(self, status: int, slot: Slot) -> BaseException:
        """What the job failed with, for any status but OK. Frees the slot's reply."""
        _, code, _, _, size, owner = read_reply(slot.reply_bytes)
        data: bytes = slot.reply_data[:size] if size else b""
        details = self.functions.reply_details(slot.reply_address) if owner else None
        if owner:
            self._free_reply(slot.reply_reference)
        message = data.decode(errors="replace")
        if not message and status not in (abi.JOB_FAILED, abi.JOB_PANICKED, abi.BAD_PAYLOAD):
            message = self._message(status)
        return error_of(status, code, message, details and decode(abi.JSON, details))

    def take_awaited(self, status: int, slot: Slot) -> Any:
        """As ``take``, for a coroutine."""
        if status != abi.OK:
            raise self.failure_awaited(status, slot)
        return self.take(status, slot)

    def failure_awaited(self, status: int, slot: Slot) -> BaseException:
        """As ``failure``, for a coroutine. Of a job that was cancelled it is a ShutDownError there: the coroutine's own
        task was not, and a task group would take a CancelledError for its orderly end."""
        if status == abi.CANCELLED:
            self._free_reply(slot.reply_reference)
            return ShutDownError("the job was cancelled: its runner was shut down")
        return self.failure(status, slot)

    def progress(self, token: int) -> tuple[int, int]:
        """How far the job reports to be: what is done, and of how much. (0, 0) before it reports anything."""
        done, total = ctypes.c_uint64(), ctypes.c_uint64()
        self.functions.token_progress(token, ctypes.byref(done), ctypes.byref(total))
        return done.value, total.value

    def refusal(self, status: int) -> BaseException:
        """The error for a status that is not about a job of its own."""
        return error_of(status, 0, self._message(status))

    def _message(self, status: int) -> str:
        message: bytes = self.functions.status_message(status)
        return message.decode()


class GlobalInvoker(Invoker):
    """Jobs on a library's global runner, which is made by the first of them."""

    def replaces(self, status: int, runner: abi.Handle) -> bool:
        """Before the first use, after a shutdown and in a forked child the global runner is another one."""
        if status not in (abi.SHUT_DOWN, abi.FORKED, abi.INVALID_HANDLE):
            return False
        if self.runner.value != runner.value:
            return True  # Another thread was here already.
        handle = abi.Handle()
        refusal = self.functions.runner_global(ctypes.byref(handle))
        if refusal != abi.OK:
            raise self.refusal(refusal)
        # First its jobs in Python: whoever finds the new runner finds them there.
        self.host_jobs.serve_again(handle)
        self.runner = handle
        return bool(handle.value != runner.value)
