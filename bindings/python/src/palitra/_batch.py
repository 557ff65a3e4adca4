"""Many native jobs at once, for a caller that waits: one completion queue, drained in batches.

No event loop takes part. Each answer costs a poll and a free; the queue tells up to 256 ends in one call.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from . import _abi
from ._completions import CompletionQueue
from ._errors import BusyError, TimeoutError

if TYPE_CHECKING:
    from ._job import Job
    from ._native import Calls


class Batch:
    """The jobs of one ``gather``. Used by one thread."""

    def __init__(self, jobs: Sequence[Job], limit: int | None, calls: Calls | None) -> None:
        """``calls`` is the runner for all; None: each job's own."""
        from ._native import Slot

        self._jobs = jobs
        self._limit = limit or len(jobs)
        self._calls = calls
        self._functions = jobs[0].library.functions
        self._queue = CompletionQueue(self._functions)
        self._tokens: dict[int, int] = {}
        self._next = 0
        self._slot = Slot()
        self._events = (_abi.Event * CompletionQueue.BATCH)()
        self._count = ctypes.c_size_t()
        self._events_at = ctypes.addressof(self._events)
        self._count_at = ctypes.addressof(self._count)

    def ended(self, timeout: float | None) -> Iterator[tuple[int, Any, BaseException | None]]:
        """The index, value and error of each job, in order of time. Raises TimeoutError."""
        from ._native import SLICE, nanoseconds

        limit = nanoseconds(timeout)
        deadline = time.monotonic_ns() + limit
        while True:
            yield from self._begin_more()
            if not self._tokens:
                return
            remaining = SLICE if limit < 0 else max(0, min(SLICE, deadline - time.monotonic_ns()))
            status = self._functions.queue_next(
                self._queue.handle, remaining, self._events_at, CompletionQueue.BATCH, self._count_at
            )
            if status == _abi.OK:
                for event in self._events[: self._count.value]:
                    yield self._outcome(event.tag)
            elif status != _abi.PENDING:
                raise self._jobs[0].library._refused(status)
            elif limit >= 0 and time.monotonic_ns() >= deadline:
                raise TimeoutError(f"timed out after {timeout} seconds")

    def _begin_more(self) -> Iterator[tuple[int, Any, BaseException | None]]:
        while self._next < len(self._jobs) and len(self._tokens) < self._limit:
            index, job = self._next, self._jobs[self._next]
            calls = self._calls or job.library
            options = calls.submit_options(job)
            options.queue, options.tag = self._queue.handle, index
            try:
                self._tokens[index] = calls._submit(job, self._slot, options)
            except BusyError as error:
                if self._tokens:
                    return  # The runner is full of our own jobs, among others: go on when one has ended.
                self._next += 1
                yield index, None, error
            except Exception as error:
                self._next += 1
                yield index, None, error
            else:
                self._next += 1

    def _outcome(self, index: int) -> tuple[int, Any, BaseException | None]:
        token = self._tokens.pop(index)
        try:
            return index, self._jobs[index].library._poll(token, self._slot), None
        except BaseException as error:
            return index, None, error
        finally:
            self._functions.token_free(token)

    def cancel(self) -> None:
        for token in self._tokens.values():
            self._functions.token_cancel(token)

    def close(self) -> None:
        """Lets go of what still runs: it runs on, unless it was cancelled."""
        while self._tokens:
            self._functions.token_free(self._tokens.popitem()[1])


def fits(awaitables: Sequence[Any]) -> bool:
    """Whether they are jobs, of one library: a queue tells of its own library's only."""
    from ._job import Job

    if not awaitables or type(awaitables[0]) is not Job:
        return False
    functions = awaitables[0].library.functions
    return all(type(one) is Job and one.library.functions is functions for one in awaitables)


def gather(
    jobs: Sequence[Any],
    return_exceptions: bool = False,
    timeout: float | None = None,
    limit: int | None = None,
    calls: Calls | None = None,
) -> list[Any]:
    """The values of all jobs, in order; see ``EventLoopThreadRunner.gather``."""
    values: list[Any] = [None] * len(jobs)
    if not jobs:
        return values
    batch = Batch(jobs, limit, calls)
    failure: BaseException | None = None
    try:
        for index, value, error in batch.ended(timeout):
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
