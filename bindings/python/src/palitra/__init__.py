"""palitra: synchronous programs call asynchronous code.

One event loop is kept alive in a background thread; synchronous code runs coroutines on it::

    import palitra

    page = palitra.run(fetch(url), timeout=5)
    pages = palitra.gather(*map(fetch, urls), limit=10)

Native jobs, async functions in Rust, run on a runtime of their own without an event loop in between::

    page = palitra.run(palitra.job("http.get", url="https://example.org"))
"""

from ._bridges import to_async, to_sync
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
from ._job import Job, JobDescription
from ._library import Library, job, jobs, load
from ._native import Runner
from ._runner import EventLoopThreadRunner

__all__ = (
    "BadPayloadError",
    "BusyError",
    "CancelledError",
    "Error",
    "EventLoopThreadRunner",
    "ForkedError",
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
    "enter",
    "gather",
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
