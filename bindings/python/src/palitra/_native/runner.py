"""What a library, on its global runner, and a runner of its own do with jobs: run, gather, submit, iterate, register.

The methods may be called from any thread. They check that a job is one of their library and leave the work to ``run``,
``gather`` and ``futures``.
"""

from __future__ import annotations

import ctypes
import inspect
from collections.abc import Callable, Generator
from sys import modules
from typing import TYPE_CHECKING, Any, Literal, TypedDict, TypeVar, overload

from .._errors import InvalidArgumentError
from .._limits import check_limit
from . import abi
from .calls import HostJob
from .futures import JobFuture
from .gather import gather_jobs
from .invoke import Invoker
from .job import Job
from .payload import FORMATS, Catalogue, JobDescription
from .run import iterate_job, run_bounded

if TYPE_CHECKING:
    from typing_extensions import Unpack

#: A job in Python, a function of its payload: asynchronous or blocking, a generator if it streams.
F = TypeVar("F", bound=Callable[[Any], Any])

#: What a payload or a reply is.
Format = Literal["bytes", "text", "json"]


class RegisterOptions(TypedDict, total=False):
    """The keywords of ``register``."""

    input: Format | None
    output: Format | None
    max_waiting: int


class JobRunner:
    """Runs the jobs of one library on one native runner."""

    def __init__(self, invoker: Invoker, catalogue: Catalogue) -> None:
        self.functions: abi.Functions = invoker.functions
        self.invoker = invoker
        self.catalogue = catalogue

    @overload
    def register(self, name: str, function: None = None, /, **options: Unpack[RegisterOptions]) -> Callable[[F], F]: ...
    @overload
    def register(self, name: str, function: F, /, **options: Unpack[RegisterOptions]) -> F: ...
    def register(
        self,
        name: str,
        function: Any = None,
        /,
        *,
        input: Format | None = None,
        output: Format | None = None,
        max_waiting: int = 0,
    ) -> Any:
        """Registers a function as a job of this runner: whoever calls a job of that name, this program or another job,
        calls it. A decorator without ``function``. It comes before the library's job of that name.

        The function is called with the payload; what it returns is the reply. A coroutine function runs on the loop of
        ``palitra.run``, a blocking one in that loop's executor. A generator, asynchronous or not, streams its items,
        and waits for a slow reader. ``palitra.current_call()`` reports progress.

        ``input`` and ``output`` are the formats of the payload and of the reply: those of the library's job of that
        name, else JSON. What the function raises fails the job, with the type and the text of the error; a ``JobError``
        with its own message and code. Cancelling the job cancels the coroutine, and so do its deadline and a shutdown.
        At most ``max_waiting`` calls wait for the loop to take them (0: any number); one more fails.

        Lasts until the runner has ended, or ``palitra.shutdown_global_runner`` has closed the loop. The global runner
        of a forked child has the jobs of its parent's. Raises InvalidArgumentError for a name that is registered on
        this runner already, ShutDownError, ForkedError; TypeError for what cannot be called.
        """
        if function is None:

            def decorate(one: F) -> F:
                return self.register(name, one, input=input, output=output, max_waiting=max_waiting)

            return decorate
        description = self._describe(name, function, input, output)
        self.invoker.host_jobs.register(HostJob(description, function, max_waiting), self.invoker.on_runner)
        return function

    def _describe(self, name: str, function: Any, input: str | None, output: str | None) -> JobDescription:
        ours = self.catalogue.known.get(name)
        input = input or (ours.input if ours else "json")
        output = output or (ours.output if ours else "json")
        for format in (input, output):
            if format not in FORMATS:
                raise InvalidArgumentError(f"a format is one of {', '.join(FORMATS)}, and not {format!r}")
        if "\0" in name:
            raise InvalidArgumentError("a name with a NUL in it")
        return JobDescription(name, inspect.getdoc(function) or "", input, output, name.encode())

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
        self.invoker.check_may_wait()
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
        self.invoker.check_may_wait()
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
        self.invoker.check_may_wait()
        yield from iterate_job(self.invoker, job, timeout)

    def stats(self) -> dict[str, int]:
        """The runner's counters, by the names of ``palitra_stats``; ``longest_poll_ns`` is nanoseconds.

        A library makes its global runner if there is none. A runner of its own raises InvalidHandleError after
        ``close``, ForkedError in a child of its process.
        """
        stats = abi.Stats(size=ctypes.sizeof(abi.Stats))
        status = self.invoker.on_runner(lambda runner: self.functions.runner_stats(runner, ctypes.byref(stats)))
        if status != abi.OK:
            raise self.invoker.refusal(status)
        return {name: getattr(stats, name) for name, *_ in abi.Stats._fields_[1:]}
