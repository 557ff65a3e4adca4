"""Many native jobs at once, for a caller that waits: one completion queue, drained in batches.

No event loop takes part. Each reply costs a poll and a free; the queue returns up to 256 events in one call.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

from .._errors import BusyError, TimeoutError
from .._limits import deadline_nanoseconds, nanoseconds
from . import abi
from .completions import CompletionQueue
from .invoke import Invoker
from .job import Job
from .signals import SLICE
from .slot import Slot

#: How a job ended: its index, its value and its error.
Outcome = tuple[int, Any, "BaseException | None"]


class Batch:
    """The jobs of one ``gather``, which are of one library. Used by one thread."""

    def __init__(self, jobs: Sequence[Job], limit: int | None, timeout: float | None, invoker: Invoker | None) -> None:
        """``invoker`` runs all jobs; None: each job's own does."""
        self._jobs = jobs
        self._limit = limit or len(jobs)
        self._timeout = timeout
        self._invoker = invoker
        self._polls_inline = True
        self._functions = jobs[0].invoker.functions
        self._queue = CompletionQueue(self._functions)
        self._options = jobs[0].invoker.options()
        self._options.queue = self._queue.handle
        self._tokens: dict[int, int] = {}
        self._next = 0
        self._slot = Slot()

    def outcomes(self) -> Iterator[Outcome]:
        """How each job ended, in order of time. Raises TimeoutError."""
        limit = nanoseconds(self._timeout)
        deadline = time.monotonic_ns() + limit
        while True:
            yield from self._submit_more()
            if not self._tokens:
                return
            remaining = SLICE if limit < 0 else max(0, min(SLICE, deadline - time.monotonic_ns()))
            events = self._queue.next(remaining)
            for index, _ in events:
                yield self._poll(index)
            if not events and limit >= 0 and time.monotonic_ns() >= deadline:
                raise TimeoutError(f"timed out after {self._timeout} seconds")

    def _submit_more(self) -> Iterator[Outcome]:
        while self._next < len(self._jobs) and len(self._tokens) < self._limit:
            index = self._next
            try:
                outcome = self._submit(index)
            except BusyError as error:
                if self._tokens:
                    return  # The runner is full, of our own jobs too: continue when one has ended.
                outcome = index, None, error
            except Exception as error:
                outcome = index, None, error
            self._next += 1
            if outcome is not None:
                yield outcome

    def _submit(self, index: int) -> Outcome | None:
        """Polls a job inline, on this thread, as long as that ends the jobs. The first that is pending shows that the
        rest will be too: those are submitted. (1,000 pages of a local nginx: 4.2 times as fast as aiohttp that way, 3.1
        with each polled inline; 100 ready jobs 0.24 ms, 0.95 submitted.)"""
        job = self._jobs[index]
        invoker = self._invoker or job.invoker
        options, slot = self._options, self._slot
        options.tag = index
        options.deadline_ns = abi.FOREVER if job.plain else deadline_nanoseconds(job.deadline)
        # A timeout and a deadline have to hold for a job that never yields.
        options.flags = 0 if self._timeout is None and job.deadline is None else abi.INLINE_ONLY
        if not self._polls_inline:
            self._tokens[index] = invoker.submit(job.wire_name, job.data, options, slot)
            return None
        status = invoker.poll_inline(job.wire_name, job.data, options, slot)
        if status != abi.PENDING:
            return index, invoker.take(status, slot), None
        self._polls_inline = False
        self._tokens[index] = slot.token.value
        return None

    def _poll(self, index: int) -> Outcome:
        token = self._tokens.pop(index)
        slot = self._slot
        status = self._functions.token_poll(token, slot.reply_address)
        self._functions.token_free(token)
        try:
            return index, self._jobs[index].invoker.take(status, slot), None
        except BaseException as error:
            return index, None, error

    def cancel(self) -> None:
        for token in self._tokens.values():
            self._functions.token_cancel(token)

    def close(self) -> None:
        """Frees the tokens of what still runs. It keeps running, unless it was cancelled."""
        while self._tokens:
            self._functions.token_free(self._tokens.popitem()[1])


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
    batch = Batch(jobs, limit, timeout, invoker)
    failure: BaseException | None = None
    try:
        for index, value, error in batch.outcomes():
            if error is None:
                values[index] = value
            elif return_exceptions:
                values[index] = error
            else:
                failure = error
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
