"""One job, for a caller that waits: its reply, or the items that it streams."""

from __future__ import annotations

import ctypes
from collections.abc import Generator
from typing import Any

from .._errors import TimeoutError
from .._limits import nanoseconds
from . import abi
from .invoke import Invoker
from .job import Job, report_progress
from .signals import wait_in_slices
from .slot import Slot


def run_submitted(invoker: Invoker, job: Job, timeout: float | None) -> Any:
    """Runs a job to its end, from the start on the runner's thread: the timeout holds for a job that never yields."""
    functions = invoker.functions
    limit = nanoseconds(timeout)
    slot = Slot()
    token = 0
    try:
        token = invoker.submit(job, ctypes.byref(invoker.options(job.deadline, abi.NO_ITEMS)), slot)
        on_slice = None if job.progress is None else lambda: report_progress(job, invoker, token)
        status = invoker.wait(token, limit, slot, on_slice)
    except BaseException:
        invoker.abandon(token)
        raise
    try:
        if status == abi.PENDING:
            functions.token_cancel(token)
            status = functions.token_poll(token, slot.reply_address)
            if status != abi.OK:
                raise TimeoutError(f"timed out after {timeout} seconds")
        return invoker.take(status, slot)
    finally:
        functions.reply_free(slot.reply_address)
        functions.token_free(token)


def iterate_job(invoker: Invoker, job: Job, timeout: float | None) -> Generator[Any, None, None]:
    """The items that a job streams; see ``JobRunner.iterate``."""
    limit = nanoseconds(timeout)
    slot = Slot()
    token = invoker.submit(job, ctypes.byref(invoker.options(job.deadline)), slot)
    next_item = invoker.functions.token_next
    try:
        while True:
            status = wait_in_slices(lambda slice: next_item(token, slice, slot.reply_address), limit)
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
