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
from ._framed import frame, unframe
from ._global import (
    as_completed,
    call,
    enter,
    gather,
    is_runner_alive,
    iterate,
    native_stats,
    run,
    shutdown_global_runner,
    start_task,
    stats,
    submit,
)
from ._http import HttpCode
from ._logs import set_logger
from ._loop.portal import TaskStatus
from ._native.calls import JobCall, current_call
from ._native.gather import gather_async
from ._native.job import Job
from ._native.library import Library, Runner, configure, job, jobs, load, register
from ._native.payload import JobDescription
from ._runner import EventLoopThreadRunner
from ._to_async import check_cancelled, to_async
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
    "JobCall",
    "JobDescription",
    "JobError",
    "JobPanickedError",
    "Library",
    "Runner",
    "ShutDownError",
    "TaskStatus",
    "TimeoutError",
    "TooLargeError",
    "UnknownJobError",
    "WouldDeadlockError",
    "as_completed",
    "call",
    "check_cancelled",
    "configure",
    "current_call",
    "enter",
    "frame",
    "gather",
    "gather_async",
    "is_runner_alive",
    "iterate",
    "job",
    "jobs",
    "load",
    "native_stats",
    "register",
    "run",
    "set_logger",
    "shutdown_global_runner",
    "start_task",
    "stats",
    "submit",
    "to_async",
    "to_sync",
    "unframe",
)

# Their modules are private: reprs and pickles name the package.
for _public in (
    HttpCode,
    Job,
    JobCall,
    JobDescription,
    Library,
    Runner,
    TaskStatus,
    check_cancelled,
    configure,
    current_call,
    frame,
    gather_async,
    job,
    jobs,
    load,
    register,
    set_logger,
    to_async,
    to_sync,
    unframe,
):
    _public.__module__ = __name__
del _public
