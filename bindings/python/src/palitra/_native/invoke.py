"""Jobs of a library on one native runner: submitted, waited for, their replies read.

An :class:`Invoker` knows one runner's handle and nothing of its owner, a ``Library`` or a ``Runner``. It is used from
any thread, and has no state that changes but the handle of a global runner. Every method that takes a token takes it as
an integer, and every ``slot`` is used by one thread at a time.

Waits release the GIL. Whatever a signal's handler raises meanwhile cancels the job first.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from typing import Any

from .._errors import error_of
from .._limits import deadline_nanoseconds
from . import abi
from .completions import Completions
from .payload import decode
from .signals import wait_in_slices
from .slot import Slot, bytes_at, read_reply, return_slot, take_slot


class Invoker:
    """Submits jobs to one native runner, waits for them and reads what they left."""

    def __init__(self, functions: abi.Functions, completions: Completions, runner: int = 0) -> None:
        self.functions = functions
        self.completions = completions
        #: The native runner's handle. 0, an invalid handle, before there is one.
        self.runner = runner
        self._start = functions.runner_start
        self._free_reply = functions.reply_free
        # `run` has no reader for items: what its job streams is refused.
        self._run_options = self.options(flags=abi.NO_ITEMS)
        #: Of a run that has a timeout, which must hold for a job that never yields.
        self.bounded_options = self.options(flags=abi.NO_ITEMS | abi.INLINE_ONLY)
        self._run_options_address = ctypes.addressof(self._run_options)

    def replaces(self, status: int, runner: int) -> bool:
        """Whether ``self.runner`` is another runner now, after that one refused a job with the status."""
        return False

    # Submitting.

    def options(self, deadline: float | None = None, flags: int = 0) -> abi.SubmitOptions:
        """Options for a submission, with a deadline in seconds and no queue."""
        options = abi.SubmitOptions()
        self.functions.submit_options_init(ctypes.byref(options), ctypes.sizeof(options))
        options.deadline_ns = deadline_nanoseconds(deadline)
        options.flags = flags
        return options

    def submit(self, name: bytes, data: bytes, options: abi.SubmitOptions, slot: Slot) -> int:
        """Submits a job; returns its token. Raises the error of a refusal."""
        while True:
            slot.runner = runner = self.runner
            status: int = self.functions.runner_submit(
                runner, name, data, len(data), ctypes.addressof(options), slot.token_address
            )
            if status == abi.OK:
                return slot.token.value
            if not self.replaces(status, runner):
                raise self.refusal(status)

    def poll_inline(self, name: bytes, data: bytes, options: abi.SubmitOptions, slot: Slot) -> int:
        """Polls a new job once on this thread, unless the options keep it from that. Returns how it ended, its reply in
        the slot; or PENDING, its token there. A refusal is a status too."""
        while True:
            slot.runner = runner = self.runner
            status: int = self._start(
                runner, name, data, len(data), ctypes.addressof(options), slot.token_address, slot.reply_address
            )
            if status < abi.INVALID_HANDLE or not self.replaces(status, runner):
                return status

    def run(self, name: bytes, data: bytes) -> Any:
        """Runs a job to its end; returns its reply, or raises what it failed with. A job that is ready at its first
        poll, on this thread, costs one call of the library."""
        slot = take_slot()
        slot.runner = runner = self.runner
        try:
            status = self._start(
                runner, name, data, len(data), self._run_options_address, slot.token_address, slot.reply_address
            )
            if status != abi.OK:
                if status >= abi.INVALID_HANDLE and self.replaces(status, runner):
                    status = self.poll_inline(name, data, self._run_options, slot)
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

    def wait(self, token: int, limit: int, slot: Slot, on_slice: Callable[[], None] | None = None) -> int:
        """Waits at most so many nanoseconds for a token that was submitted with the slot. Returns its status, its
        reply in the slot, or PENDING. ``on_slice`` is called every tenth of a second, and at the end."""
        wait, poll, address = self.functions.runner_wait, self.functions.token_poll, slot.reply_address

        def wait_once(slice: int) -> int:
            status: int = wait(slot.runner, token, slice, address)
            if status >= abi.INVALID_ARGUMENT:
                # The runner was shut down and freed meanwhile, which finishes its tokens: they stay readable.
                status = poll(token, address)
                if status == abi.PENDING:
                    time.sleep(0.001)  # The shutdown has not come to this one yet.
            if on_slice is not None:
                on_slice()
            return status

        return wait_in_slices(wait_once, limit, on_slice is not None)

    def abandon(self, token: int) -> None:
        """Cancels and frees the token of a job that nobody waits for any more. 0 is no token."""
        if token:
            self.functions.token_cancel(token)
            self.functions.token_free(token)

    # Reading.

    def poll(self, token: int, slot: Slot | None = None) -> Any:
        """Returns the reply of a token that has finished, or raises what its job failed with."""
        slot = slot or Slot()
        return self.take(self.functions.token_poll(token, slot.reply_address), slot)

    def take(self, status: int, slot: Slot) -> Any:
        """Returns the slot's reply, decoded, and frees it. Raises what the job failed with, for any status but OK."""
        _, code, format, address, size, owner = read_reply(slot.reply_bytes)
        data: bytes = bytes_at(address, size) if size else b""
        if owner:
            self._free_reply(slot.reply_address)
        if status == abi.OK:
            return data if format == abi.BYTES else decode(format, data)
        message = data.decode(errors="replace")
        if not message and status not in (abi.JOB_FAILED, abi.JOB_PANICKED, abi.BAD_PAYLOAD):
            message = self._message(status)
        raise error_of(status, code, message)

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

    def replaces(self, status: int, runner: int) -> bool:
        """Before the first use, after a shutdown and in a forked child the global runner is another one."""
        if status not in (abi.SHUT_DOWN, abi.FORKED, abi.INVALID_HANDLE):
            return False
        if self.runner != runner:
            return True  # Another thread was here already.
        handle = abi.Handle()
        refusal = self.functions.runner_global(ctypes.byref(handle))
        if refusal != abi.OK:
            raise self.refusal(refusal)
        self.runner = handle.value
        return self.runner != runner
