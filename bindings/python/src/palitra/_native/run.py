"""One job, for a caller that waits: its reply, or the items that it streams."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable, Generator
from sys import modules
from typing import Any

from .._errors import TimeoutError
from .._limits import nanoseconds
from .._threads import in_gevent
from . import abi
from .events import CompletionQueue
from .invoke import Invoker
from .job import Job, report_progress
from .signals import wait_in_slices
from .slot import Slot, return_slot, take_slot


def run_bounded(invoker: Invoker, job: Job, timeout: float | None) -> Any:
    """Runs a job to its end, with a timeout, a deadline or a progress function, or in a greenlet. An inline job is
    polled on this thread at first; any other starts on the runner's thread: the bounds hold for a job that never
    yields."""
    functions = invoker.functions
    began = time.monotonic_ns()
    limit = nanoseconds(timeout)
    queue = CompletionQueue(functions) if "gevent.monkey" in modules and in_gevent() else None
    slot = take_slot()
    try:
        if job.progress is None:
            status, on_slice = invoker.poll_inline(job, _options(invoker, job, queue), slot), None
        else:
            # Submitted, because a job that is ready at its inline poll leaves no token that knows its progress.
            token = invoker.submit(job, _options(invoker, job, queue), slot)
            status, on_slice = abi.PENDING, lambda: report_progress(job, invoker, token)
        if status == abi.PENDING:
            status = _wait_or_cancel(invoker, slot, limit if limit < 0 else began + limit, on_slice, queue)
            functions.token_free(slot.token.value)
        if status == abi.PENDING:
            raise TimeoutError(f"timed out after {timeout} seconds")
        return invoker.take(status, slot)
    except BaseException:
        # A token that is left from an earlier job is a stale handle: nothing happens to it.
        invoker.abandon(slot.token.value)
        functions.reply_free(slot.reply_address)
        raise
    finally:
        return_slot(slot)


def _options(invoker: Invoker, job: Job, queue: CompletionQueue | None) -> Any:
    """By reference."""
    if job.deadline is None and queue is None:
        return invoker.bounded_options
    options = invoker.options(job.deadline, abi.NO_ITEMS | abi.INLINE_ONLY)
    if queue is not None:
        options.queue = queue.handle
    return ctypes.byref(options)


def _wait_or_cancel(
    invoker: Invoker, slot: Slot, until: int, on_slice: Callable[[], None] | None, queue: CompletionQueue | None
) -> int:
    """Waits for the slot's token until that time of the monotonic clock; negative: as long as it takes. Returns how its
    job ended, or PENDING if it was cancelled then."""
    token = slot.token.value
    limit = until if until < 0 else max(0, until - time.monotonic_ns())
    status = invoker.wait(token, limit, slot, on_slice, queue)
    if status == abi.PENDING:
        invoker.functions.token_cancel(token)
        # It may have ended by itself just before.
        status = invoker.functions.token_poll(token, slot.reply_address)
        if status != abi.OK:
            return abi.PENDING
    return status


def iterate_job(invoker: Invoker, job: Job, timeout: float | None) -> Generator[Any, None, None]:
    """The items that a job streams; see ``JobRunner.iterate``."""
    limit = nanoseconds(timeout)
    slot = Slot()
    options, next_item = invoker.options(job.deadline), invoker.functions.token_next
    queue = CompletionQueue(invoker.functions) if in_gevent() else None
    if queue is not None:
        options.queue, options.flags = queue.handle, abi.ITEM_EVENTS
    token = invoker.submit(job, ctypes.byref(options), slot)

    def wait_for_item(slice: int) -> int:
        if queue is None:
            return int(next_item(token, slice, slot.reply_address))
        status = int(next_item(token, 0, slot.reply_address))
        if status == abi.PENDING and slice > 0:
            # Having returned PENDING, the library notifies the queue of the next item.
            queue.wait(slice)
            status = int(next_item(token, 0, slot.reply_address))
        return status

    try:
        while True:
            status = wait_in_slices(wait_for_item, limit)
            if status == abi.END:
                return
            if status == abi.PENDING:
                raise TimeoutError(f"timed out after {timeout} seconds")
            yield invoker.take(status, slot)
            if job.progress is not None:
                job.progress(*invoker.progress(token))
    finally:
        invoker.functions.token_cancel(token)
        invoker.functions.token_free(token)
