"""Many native jobs at once: for a caller that waits, or awaited in an asyncio loop.

No loop takes part in the former, which drains a completion queue of its own. In a loop one future is awaited for all of
them: there is no task for each.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from time import perf_counter
from typing import Any

from .._errors import TimeoutError
from .._limits import check_limit, nanoseconds
from .batch import Batch, Outcome
from .events import CompletionQueue
from .invoke import Invoker
from .job import Job
from .loops import SLOW_POLL, Waiter
from .signals import SLICE


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
    values: list[Any] = [None] * len(jobs)
    if not jobs:
        return values
    queue = CompletionQueue(jobs[0].invoker.functions)
    batch = Batch(jobs, limit, invoker, queue.handle)
    # Never with a timeout, which has to hold for a job that never yields.
    batch.polls_inline = timeout is None
    failure: BaseException | None = None
    try:
        for outcome in _outcomes(batch, queue, timeout):
            failure = _fill(values, outcome, return_exceptions)
            if failure is not None:
                break
    except BaseException:
        batch.cancel()
        raise
    finally:
        batch.close()
    if failure is None:
        return values
    try:
        raise failure
    finally:
        del failure


def _outcomes(batch: Batch, queue: CompletionQueue, timeout: float | None) -> Iterator[Outcome]:
    """How each job ended, in order of time. Raises TimeoutError."""
    limit = nanoseconds(timeout)
    deadline = time.monotonic_ns() + limit
    while True:
        yield from batch.submit_more()
        if not batch.tokens:
            return
        remaining = SLICE if limit < 0 else max(0, min(SLICE, deadline - time.monotonic_ns()))
        tags = queue.next(remaining)
        for tag in tags:
            yield batch.poll(tag)
        if not tags and limit >= 0 and time.monotonic_ns() >= deadline:
            raise TimeoutError(f"timed out after {timeout} seconds")


def _fill(values: list[Any], outcome: Outcome, return_exceptions: bool) -> BaseException | None:
    """Writes a value to its place, and an exception if it is wanted there; else returns it."""
    index, value, error = outcome
    if error is None:
        values[index] = value
    elif return_exceptions:
        values[index] = error
    else:
        return error
    return None


async def gather_async(*jobs: Job, return_exceptions: bool = False, limit: int | None = None) -> list[Any]:
    """Awaits several native jobs of one library in the running loop, at most ``limit`` at a time, and returns the list
    of their replies, in order. As ``asyncio.gather``, but without a task for each job, and so in a fraction of the
    time.

    Without ``return_exceptions`` the first failure in time is raised, and the others keep running. If the await is
    cancelled, so are they. Raises TypeError for anything but jobs of one library, ValueError for a limit below 1.
    """
    check_limit(limit)
    values: list[Any] = [None] * len(jobs)
    if not jobs:
        return values
    if not is_batch(jobs):
        raise TypeError("jobs of one library are required: asyncio.gather takes any awaitable")
    queue = jobs[0].invoker.completions.of_running_loop()
    tags = queue.take_tags(len(jobs))
    batch = Batch(jobs, limit, None, queue.handle, tags.start)
    batch.polls_inline = jobs[0].wire_name not in queue.habits
    waiter = queue.wait(tags)
    try:
        failure = await _fill_in_loop(values, batch, waiter, return_exceptions)
    except BaseException:
        batch.cancel()
        raise
    finally:
        batch.close()
        queue.forget(tags)
    if failure is None:
        return values
    try:
        raise failure
    finally:
        del failure


async def _fill_in_loop(
    values: list[Any], batch: Batch, waiter: Waiter, return_exceptions: bool
) -> BaseException | None:
    """As ``_fill``. Between two turns of the loop it polls jobs for about as long as a slow first poll takes."""
    while True:
        pause = perf_counter() + SLOW_POLL
        for outcome in batch.submit_more():
            failure = _fill(values, outcome, return_exceptions)
            if failure is not None:
                return failure
            if perf_counter() > pause:
                await asyncio.sleep(0)
                pause = perf_counter() + SLOW_POLL
        if not batch.tokens:
            return None
        await waiter.notified
        for tag, _ in waiter.take_events():
            failure = _fill(values, batch.poll(tag), return_exceptions)
            if failure is not None:
                return failure
