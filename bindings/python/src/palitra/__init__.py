"""palitra: synchronous programs call asynchronous code.

One event loop is kept alive in a background thread; synchronous code runs coroutines on it::

    import palitra

    page = palitra.run(fetch(url), timeout=5)
    pages = palitra.gather(*map(fetch, urls), limit=10)

Native jobs, async functions in Rust, run on a runtime of their own without an event loop in between::

    page = palitra.run(palitra.job("http.get", url="https://example.org"))
"""

from ._errors import (
    BadPayloadError,
    BusyError,
    CancelledError,
    Error,
    ForkedError,
    InternalError,
    InvalidArgumentError,
    InvalidHandleError,
    JobError,
    JobPanickedError,
    ShutDownError,
    TimeoutError,
    TooLargeError,
    UnknownJobError,
    WouldDeadlockError,
)
from ._global import (
    as_completed,
    enter,
    gather,
    is_runner_alive,
    iterate,
    run,
    shutdown_global_runner,
    submit,
)
from ._http import HttpCode
from ._native.gather import gather_async
from ._native.job import Job
from ._native.library import Library, Runner, configure, job, jobs, load
from ._native.payload import JobDescription
from ._runner import EventLoopThreadRunner
from ._to_async import to_async
from ._to_sync import to_sync

__all__ = (
    "BadPayloadError",
    "BusyError",
    "CancelledError",
    "Error",
    "EventLoopThreadRunner",
    "ForkedError",
    "HttpCode",
    "InternalError",
    "InvalidArgumentError",
    "InvalidHandleError",
    "Job",
    "JobDescription",
    "JobError",
    "JobPanickedError",
    "Library",
    "Runner",
    "ShutDownError",
    "TimeoutError",
    "TooLargeError",
    "UnknownJobError",
    "WouldDeadlockError",
    "as_completed",
    "configure",
    "enter",
    "gather",
    "gather_async",
    "is_runner_alive",
    "iterate",
    "job",
    "jobs",
    "load",
    "run",
    "shutdown_global_runner",
    "submit",
    "to_async",
    "to_sync",
)

# Their modules are private: reprs and pickles name the package.
for _public in (
    HttpCode,
    Job,
    JobDescription,
    Library,
    Runner,
    configure,
    gather_async,
    job,
    jobs,
    load,
    to_async,
    to_sync,
):
    _public.__module__ = __name__
del _public
