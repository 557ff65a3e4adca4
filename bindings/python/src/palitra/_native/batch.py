"""The jobs of one gather: how they are submitted, many in one call, and how their replies are read.

``gather`` waits for them, for a thread or in an asyncio loop.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from typing import Any

from .._errors import BusyError
from .._limits import deadline_nanoseconds
from . import abi
from .invoke import MANY, Invoker
from .job import Job
from .slot import Slot

#: How a job ended: its index, its value and its error.
Outcome = tuple[int, Any, "BaseException | None"]


class Batch:
    """Jobs of one library. Used by one thread.

    The first ones are polled inline, on this thread, as long as that ends them. One that is pending shows that the rest
    will be too: those are submitted. (1,000 pages of a local nginx: 4.2 times as fast as aiohttp that way, 3.1 with
    each polled inline; 100 ready jobs 0.24 ms, 0.95 submitted.)
    """

    def __init__(
        self, jobs: Sequence[Job], limit: int | None, invoker: Invoker | None, queue: int, first_tag: int = 0
    ) -> None:
        """At most ``limit`` run at a time, on the invoker's runner; None: on each job's own. Their events go to the
        queue, with tags that count from the first one."""
        self.functions: abi.Functions = jobs[0].invoker.functions
        self.polls_inline = True
        #: The tokens of those that run, by index.
        self.tokens: dict[int, int] = {}
        self._jobs = jobs
        self._limit = limit or len(jobs)
        self._invoker = invoker
        self._first_tag = first_tag
        self._next = 0
        self._slot = Slot()
        self._options = self.functions.submit_options(abi.NO_ITEMS)
        self._options.queue = queue
        self._options_reference = ctypes.byref(self._options)

    def submit_more(self) -> Iterator[Outcome]:
        """Submits as many as the limit allows; how those ended that have ended thereby."""
        while self._next < len(self._jobs) and len(self.tokens) < self._limit:
            for index, token, outcome in self._submit_some():
                if token:
                    self.tokens[index] = token
                elif outcome is not None:
                    if isinstance(outcome[2], BusyError) and self.tokens:
                        return  # The runner is full, of our own jobs too: continue when one has ended.
                    self._next = index + 1
                    yield outcome
                self._next = index + 1

    def _submit_some(self) -> Iterator[tuple[int, int, Outcome | None]]:
        """Submits the next job, or several: the index of each with its token, or with 0 and how it ended."""
        job = self._jobs[self._next]
        try:
            if self.polls_inline:
                yield self._start(job, self._invoker or job.invoker)
            elif job.plain:
                yield from self._submit_plain_ones(self._invoker or job.invoker)
            else:
                self._set_options(job)
                invoker = self._invoker or job.invoker
                yield self._next, invoker.submit(job, self._options_reference, self._slot), None
        except Exception as error:
            yield self._next, 0, (self._next, None, error)

    def _start(self, job: Job, invoker: Invoker) -> tuple[int, int, Outcome | None]:
        index = self._next
        self._set_options(job)
        status = invoker.poll_inline(job, self._options_reference, self._slot)
        if status != abi.PENDING:
            return index, 0, (index, invoker.take(status, self._slot), None)
        self.polls_inline = False
        return index, self._slot.token.value, None

    def _submit_plain_ones(self, invoker: Invoker) -> Iterator[tuple[int, int, Outcome | None]]:
        calls: dict[int, Job] = {}
        end = self._next + min(MANY, self._limit - len(self.tokens))
        for tag, job in enumerate(self._jobs[self._next : end], self._first_tag + self._next):
            if not job.plain or (self._invoker or job.invoker) is not invoker:
                break
            calls[tag] = job
        self._options.deadline_ns = abi.FOREVER
        for tag, token, error in invoker.submit_many(calls, self._options_reference):
            index = tag - self._first_tag
            yield index, token, None if error is None else (index, None, error)

    def _set_options(self, job: Job) -> None:
        self._options.tag = self._first_tag + self._next
        self._options.deadline_ns = abi.FOREVER if job.plain else deadline_nanoseconds(job.deadline)

    def poll(self, tag: int) -> Outcome:
        """How a job ended that was announced, by its tag."""
        index = tag - self._first_tag
        slot = self._slot
        token = self.tokens.pop(index)
        status = self.functions.token_poll(token, slot.reply_address)
        self.functions.token_free(token)
        try:
            return index, self._jobs[index].invoker.take(status, slot), None
        except BaseException as error:
            return index, None, error

    def cancel(self) -> None:
        """Cancels what still runs."""
        for token in self.tokens.values():
            self.functions.token_cancel(token)

    def close(self) -> None:
        """Frees the tokens of what still runs. It keeps running, unless it was cancelled."""
        while self.tokens:
            self.functions.token_free(self.tokens.popitem()[1])
