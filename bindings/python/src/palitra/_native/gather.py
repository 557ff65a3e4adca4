"""Many native jobs at once: for a thread that waits, or awaited in an asyncio loop.

No loop takes part in the former, which drains a completion queue of its own. In a loop one future is awaited for all of
them: there is no task for each.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from time import perf_counter
from typing import Any

from .._errors import TimeoutError
from .._limits import check_limit, nanoseconds
from . import abi
from .batch import Batch
from .events import CompletionQueue
from .invoke import Invoker
from .job import Job
from .loops import LoopQueue
from .signals import SLICE
from .slot import Slot

#: For how many seconds a gather in a loop polls jobs that are ready, one after the other, before it lets the loop turn.
MOST_POLLING = 0.001


def is_batch(awaitables: Sequence[Any]) -> bool:
    """Whether they are jobs of one library: a completion queue has the events of its own library only."""
    if not awaitables or type(awaitables[0]) is not Job:
        return False
    functions = awaitables[0].invoker.functions
    return all(type(one) is Job and one.invoker.functions is functions for one in awaitables)


def gather_jobs(
    jobs: Sequence[Any],
    return_exceptions: bool = False,
    timeout: float | None = None,
    limit: int | None = None,
    invoker: Invoker | None = None,
) -> list[Any]:
    """The values of all jobs, in order; see ``EventLoopThreadRunner.gather``."""
    if not jobs:
        return []
    queue = CompletionQueue(jobs[0].invoker.functions)
    # A timeout has to hold for a job that never yields.
    options = jobs[0].invoker.options(flags=abi.NO_ITEMS if timeout is None else abi.NO_ITEMS | abi.INLINE_ONLY)
    options.queue = queue.handle
    batch = Batch(jobs, return_exceptions, limit, invoker, options, Slot())
    try:
        _wait(batch, queue, timeout)
    except BaseException:
        batch.cancel()
        raise
    finally:
        batch.close()
    return batch.result()


def _wait(batch: Batch, queue: CompletionQueue, timeout: float | None) -> None:
    """Until all jobs have ended, or one has failed. Raises TimeoutError."""
    limit = nanoseconds(timeout)
    deadline = time.monotonic_ns() + limit
    while True:
        batch.submit_more()
        if batch.failure is not None or not batch.tokens:
            return
        remaining = SLICE if limit < 0 else max(0, min(SLICE, deadline - time.monotonic_ns()))
        events = queue.wait(remaining)
        for tag in events[::3]:
            batch.finish(tag)
            if batch.failure is not None:
                return
        if not events and limit >= 0 and time.monotonic_ns() >= deadline:
            raise TimeoutError(f"timed out after {timeout} seconds")


async def gather_async(*jobs: Job, return_exceptions: bool = False, limit: int | None = None) -> list[Any]:
    """Awaits several native jobs of one library in the running loop, at most ``limit`` at a time, and returns the list
    of their replies, in order. As ``asyncio.gather``, but without a task for each job, and so in a fraction of the
    time.

    Without ``return_exceptions`` the first failure in time is raised, and the others keep running. If the await is
    cancelled, so are they. Raises TypeError for anything but jobs of one library, ValueError for a limit below 1.
    """
    check_limit(limit)
    if not jobs:
        return []
    if not is_batch(jobs):
        raise TypeError("jobs of one library are required: asyncio.gather takes any awaitable")
    queue = jobs[0].invoker.completions.of_running_loop()
    tags = queue.take_tags(len(jobs))
    batch = Batch(jobs, return_exceptions, limit, None, queue.batch_options, queue.slot, tags.start)
    try:
        await _wait_in_loop(batch, queue, tags)
    except BaseException:
        batch.cancel()
        raise
    finally:
        batch.close()
        queue.forget(tags)
    return batch.result()


async def _wait_in_loop(batch: Batch, queue: LoopQueue, tags: range) -> None:
    """As ``_wait``. Between two turns of the loop it polls jobs for a limited time."""
    waiter = None
    while True:
        while batch.submit_more(perf_counter() + MOST_POLLING):
            await asyncio.sleep(0)
        if batch.failure is not None or not batch.tokens:
            return
        waiter = waiter or queue.wait(tags)
        # With a limit, each that ends lets another start.
        waiter.wanted = 1 if batch.has_more() else len(batch.tokens)
        await waiter.notified
        for tag, _ in waiter.take_events():
            batch.finish(tag)
            if batch.failure is not None:
                return
