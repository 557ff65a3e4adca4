"""A loaded job library, the one that comes with this package or one of the user's own, and the runners that it makes.

Each library holds a whole palitra: its jobs, and a global runner that runs them. Both classes may be used from any
thread.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import json
import os
import threading
import weakref
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, overload

from .._errors import InvalidArgumentError
from .._fork import inheritors
from .._limits import nanoseconds
from . import abi
from .completions import Completions
from .invoke import GlobalInvoker, Invoker
from .job import Job
from .payload import Catalogue, JobDescription, encode
from .runner import F, JobRunner, RegisterOptions
from .signals import shut_down
from .slot import Slot

if TYPE_CHECKING:
    from typing_extensions import Unpack


def _make_job(owner: Library | Runner, catalogue: Catalogue, name: str, payload: Any, fields: dict[str, Any]) -> Job:
    registered = owner.invoker.host_jobs.known
    description = registered.get(name) or catalogue.known.get(name) or catalogue.describe(name)
    return Job(owner, description, encode(description, payload, fields))


def _json(config: Mapping[str, Any] | str | None) -> bytes:
    text = config if isinstance(config, str) else json.dumps(config or {})
    if "\0" in text:
        raise InvalidArgumentError("a configuration with a NUL in it")
    return text.encode()


class Library(JobRunner):
    """The jobs of one shared library, run on its global runner. Made by :func:`load`."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        functions = abi.Functions(path)
        super().__init__(GlobalInvoker(functions, Completions(functions)), Catalogue(functions))
        self.path = functions.path

    def jobs(self) -> list[JobDescription]:
        """The jobs of the library, in the order of their names."""
        return self.catalogue.descriptions()

    def describe(self, name: str) -> JobDescription:
        """The job of that name. Raises UnknownJobError."""
        return self.catalogue.describe(name)

    def describe_job(self, name: str) -> dict[str, Any]:
        """The job of that name in full: with the JSON Schemas of its payload, its reply and its items, as far as they
        are known. ``palitra_job_describe`` of the C header says what the dictionary holds. Raises UnknownJobError."""
        return self._described(self.catalogue.describe(name).wire_name)

    def describe_jobs(self) -> dict[str, Any]:
        """All jobs of the library in full, as the list ``"jobs"`` in the order of their names."""
        return self._described(None)

    def _described(self, name: bytes | None) -> dict[str, Any]:
        slot = Slot()
        status = self.functions.job_describe(name, slot.reply_address)
        description: dict[str, Any] = self.invoker.take(status, slot)
        return description

    def job(self, name: str, payload: Any = None, /, **fields: Any) -> Job:
        """A job with its payload: bytes as they are, anything else in the format that the job declares. Fields are the
        payload of a job that takes JSON.

        Raises UnknownJobError, and TypeError for a payload that the format cannot express.
        """
        return _make_job(self, self.catalogue, name, payload, fields)

    def Runner(
        self,
        *,
        worker_threads: int = 0,
        max_blocking_threads: int = 0,
        thread_name: str | None = None,
        thread_stack_size: int = 0,
        max_in_flight: int = 0,
        max_payload: int = 0,
        spin_limit: float | None = None,
        config: Mapping[str, Any] | str | None = None,
    ) -> Runner:
        """A runner of its own, with threads, state and limits of its own.

        ``worker_threads`` run jobs besides the runner's thread, ``max_blocking_threads`` run their blocking parts.
        ``thread_stack_size`` and ``max_payload`` are bytes. At most ``max_in_flight`` jobs are in flight at a time. 0
        means the default, or no bound.

        The runner's thread without work, and a thread that waits for one of its jobs, spin for at most ``spin_limit``
        seconds before they sleep, as long as that has paid lately: 20 microseconds if it is None, not at all if it is
        0, never longer than a millisecond.

        ``config`` is what the states of its jobs are configured by, such as a pool of connections: one value for each
        state, by the name that the documentation of the jobs says, as a mapping or as the text of a JSON object. What
        is not named there is as ``configure`` set it before. Raises InvalidArgumentError, InternalError.
        """
        options = abi.RunnerOptions()
        self.functions.runner_options_init(ctypes.byref(options), ctypes.sizeof(options))
        options.thread_name = None if thread_name is None else thread_name.encode()
        options.config = _json(config)
        numbers = {
            "worker_threads": worker_threads,
            "max_blocking_threads": max_blocking_threads,
            "thread_stack_size": thread_stack_size,
            "max_in_flight": max_in_flight,
            "max_payload": max_payload,
            "spin_limit_ns": 0 if spin_limit is None else nanoseconds(spin_limit) or -1,
        }
        for name, number in numbers.items():
            setattr(options, name, number)
            if getattr(options, name) != number:  # ctypes takes the bits that fit and drops the rest.
                raise InvalidArgumentError(f"{name} cannot be {number}")
        return Runner(self, options)

    def configure(self, config: Mapping[str, Any] | str | None) -> None:
        """Configures the runners that are made from now on, the global one among them, also in forked children: see
        ``Runner``. What was configured before is replaced; None configures nothing. Meant to be called once, at the
        start of a program. Raises InvalidArgumentError for what is no JSON object, TypeError for what JSON cannot
        express."""
        status = self.functions.configure(_json(config))
        if status != abi.OK:
            raise self.invoker.refusal(status)

    def is_runner_alive(self) -> bool:
        """Whether the library's global runner accepts jobs. Makes none."""
        alive: bool = self.functions.is_runner_alive()
        return alive

    def shutdown_global_runner(self, grace: float | None = 0) -> None:
        """Shuts the library's global runner down. Its jobs have ``grace`` seconds (None: as long as they take) to end,
        and are cancelled then. The next use makes a new one.

        Raises WouldDeadlockError, as ``Runner.shutdown`` does.
        """
        limit = nanoseconds(grace)
        if limit != 0:
            self.invoker.check_may_wait_for_all()
        runner = self.invoker.runner.value
        shut_down(self.functions.shutdown_global_runner, limit)
        self.invoker.host_jobs.end()
        self.invoker.completions.settle_futures(runner)

    def version(self) -> str:
        """The version of the library."""
        version: bytes = self.functions.version()
        return version.decode()

    def __repr__(self) -> str:
        return f"<palitra library {self.path}>"


class Runner(JobRunner):
    """A native runner with threads, state and limits of its own. Made by ``Library.Runner``."""

    def __init__(self, library: Library, options: abi.RunnerOptions) -> None:
        functions = library.functions
        handle = abi.Handle()
        status = functions.runner_new(ctypes.byref(options), ctypes.byref(handle))
        if status != abi.OK:
            raise library.invoker.refusal(status)
        super().__init__(Invoker(functions, library.invoker.completions, handle), library.catalogue)
        self.library = library
        # Not with this object but with its invoker, which its jobs and futures keep alive.
        self._free = weakref.finalize(self.invoker, functions.runner_free, handle.value)
        self._free.atexit = False

    def job(self, name: str, payload: Any = None, /, **fields: Any) -> Job:
        """As ``Library.job``; awaited, it runs on this runner."""
        return _make_job(self, self.library.catalogue, name, payload, fields)

    def is_alive(self) -> bool:
        """Whether the runner accepts jobs."""
        alive: bool = self.functions.runner_is_alive(self.invoker.runner)
        return alive

    def shutdown(self, grace: float | None = 0) -> bool:
        """Refuses new jobs, lets those in flight run for ``grace`` seconds (None: as long as they take) and cancels the
        rest. Returns False if a job that never yields blocked its thread.

        Raises InvalidHandleError after ``close``, ForkedError. With a grace period also WouldDeadlockError: in one of
        its jobs in Python, and on the loop's thread that runs them, as they cannot end meanwhile.
        """
        limit = nanoseconds(grace)
        if limit != 0:
            self.invoker.check_may_wait_for_all()
        function = functools.partial(self.functions.runner_shutdown, self.invoker.runner)
        status = shut_down(function, limit)
        if status not in (abi.OK, abi.PENDING):
            raise self.invoker.refusal(status)
        self.invoker.host_jobs.end()
        self.invoker.completions.settle_futures(self.invoker.runner.value)
        return bool(status == abi.OK)

    def close(self) -> None:
        """Shuts down without a grace period and frees the runner. Closing again does nothing."""
        self._free()
        self.invoker.host_jobs.end()
        self.invoker.completions.settle_futures(self.invoker.runner.value)

    def __enter__(self) -> Runner:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def load(path: str | os.PathLike[str]) -> Library:
    """Loads a job library: a shared library that a crate with jobs of its own builds.

    Raises OSError if it cannot be loaded; ImportError if it is not a palitra library, or one of another ABI version
    than this package works with.
    """
    return Library(path)


def _own_path() -> str:
    folder = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    named = os.environ.get("PALITRA_LIBRARY")
    path = named or os.path.join(folder, "libpalitra.so")
    if os.path.exists(path):
        return path
    if not named:
        # A distribution has the library in a package of its own.
        installed = f"libpalitra.so.{abi.ABI_VERSION}"
        with contextlib.suppress(OSError):
            ctypes.CDLL(installed)
            return installed
    # Elsewhere than on Linux the package comes without it.
    raise FileNotFoundError(f"native jobs are not available: there is no {path}; coroutines need none")


class _Default:
    """The library of this package, loaded at its first use."""

    def __init__(self) -> None:
        self.library: Library | None = None
        self._after_fork_in_child()
        inheritors.add(self)

    def _after_fork_in_child(self) -> None:
        # Reentrant: garbage may be collected while it is held, and a finalizer may run a job.
        self._lock = threading.RLock()

    def get(self) -> Library:
        if self.library is None:
            with self._lock:
                if self.library is None:
                    library = Library(_own_path())
                    self.library = self.library or library
        return self.library


default = _Default()


def job(name: str, payload: Any = None, /, **fields: Any) -> Job:
    """A job of the library that comes with palitra, such as ``job("http.get", url=...)``: awaitable in any asyncio
    loop, accepted by ``run``, ``gather``, ``submit`` and ``iterate``.

    Raises UnknownJobError, TypeError for a payload that the job's format cannot express, and OSError where the package
    was installed without the library, as elsewhere than on Linux.
    """
    library = default.library or default.get()
    return _make_job(library, library.catalogue, name, payload, fields)


@overload
def register(name: str, function: None = None, /, **options: Unpack[RegisterOptions]) -> Callable[[F], F]: ...
@overload
def register(name: str, function: F, /, **options: Unpack[RegisterOptions]) -> F: ...
def register(name: str, function: Any = None, /, **options: Any) -> Any:
    """Registers a function as a job of the global runner of palitra's own library, until ``shutdown_global_runner``. A
    decorator without ``function``. See ``Library.register``."""
    return default.get().register(name, function, **options)


def jobs() -> list[JobDescription]:
    """The jobs that come with palitra."""
    return default.get().jobs()


def configure(config: Mapping[str, Any] | str | None) -> None:
    """Configures the native runners of palitra's own library that are made from now on, also in forked children, such
    as ``configure({"http": {"proxy": "http://proxy.example:3128"}})``. See ``Library.configure``."""
    default.get().configure(config)
