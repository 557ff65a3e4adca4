"""What a library, on its global runner, and a runner of its own do with jobs: run, gather, submit, iterate.

The methods may be called from any thread. They check that a job is one of their library and leave the work to ``run``,
``gather`` and ``futures``.
"""

from __future__ import annotations

from collections.abc import Generator
from sys import modules
from typing import Any

from .._errors import InvalidArgumentError
from .._limits import check_limit
from . import abi
from .futures import JobFuture
from .gather import gather_jobs
from .invoke import Invoker
from .job import Job
from .run import iterate_job, run_bounded


class JobRunner:
    """Runs the jobs of one library on one native runner."""

    def __init__(self, invoker: Invoker) -> None:
        self.functions: abi.Functions = invoker.functions
        self.invoker = invoker

    def _check_library(self, *jobs: Job) -> None:
        for job in jobs:
            if job.invoker.functions is not self.functions:
                raise InvalidArgumentError(f"{job!r} is a job of another library, {job.invoker.functions.path}")

    def run(self, job: Job, *, timeout: float | None = None) -> Any:
        """Runs a job to its end and returns its reply: bytes, text, or the values of its JSON.

        Raises JobError when the job failed; TimeoutError after ``timeout`` seconds, when it has been cancelled; and the
        other errors of this package. Ctrl-C cancels the job.
        """
        self._check_library(job)
        if timeout is None and job.plain and "gevent.monkey" not in modules:
            return self.invoker.run(job)
        return run_bounded(self.invoker, job, timeout)

    def gather(
        self,
        *jobs: Job,
        return_exceptions: bool = False,
        timeout: float | None = None,
        limit: int | None = None,
    ) -> list[Any]:
        """Runs several jobs at the same time, at most ``limit`` of them, and returns the list of their replies, in
        order.

        Without ``return_exceptions`` the first failure in time is raised, and the others keep running. Past
        ``timeout`` seconds all are cancelled and TimeoutError is raised.
        """
        check_limit(limit)
        self._check_library(*jobs)
        return gather_jobs(jobs, return_exceptions, timeout, limit, self.invoker)

    def submit(self, job: Job) -> JobFuture:
        """Submits a job and returns a future at once. Cancelling the future cancels the job."""
        self._check_library(job)
        return JobFuture(self.invoker, job)

    def iterate(self, job: Job, *, timeout: float | None = None) -> Generator[Any, None, None]:
        """The items that a job streams, as they come. Closing or dropping the generator cancels the job.

        Raises what the job failed with, after its items; TimeoutError when one takes more than ``timeout`` seconds.
        """
        self._check_library(job)
        yield from iterate_job(self.invoker, job, timeout)
