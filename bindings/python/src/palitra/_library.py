"""A loaded job library: the one that comes with this package, or one of the user's own.

Every library holds a whole palitra of its own: its jobs, and a global runner that runs them.
"""

from __future__ import annotations

import ctypes
import os
import threading
from pathlib import Path
from typing import Any

from . import _abi
from ._completions import Completions
from ._errors import InvalidArgumentError, UnknownJobError
from ._fork import inheritors
from ._job import Job, JobDescription, describe, encode
from ._native import Calls, Runner


class Library(Calls):
    """The jobs of one shared library, run on its global runner. Made by :func:`load`."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        functions = _abi.Functions(path)
        super().__init__(functions, Completions(functions))
        self.path = functions.path
        self._descriptions = {one.name: one for one in self._read_jobs()}

    def _read_jobs(self) -> list[JobDescription]:
        info = _abi.JobInfo()
        jobs: list[JobDescription] = []
        for index in range(self.functions.job_count()):
            self.functions.job_at(index, ctypes.byref(info))
            jobs.append(describe(info.name, info.doc, info.input, info.output))
        return jobs

    def _stale(self, status: int, runner: int) -> bool:
        """Before the first use, after a shutdown and in a forked child the global runner is another one."""
        if status not in (_abi.SHUT_DOWN, _abi.FORKED, _abi.INVALID_HANDLE):
            return False
        if self._runner != runner:
            return True  # Another thread has tried already.
        handle = _abi.Handle()
        refusal = self.functions.runner_global(ctypes.byref(handle))
        if refusal != _abi.OK:
            raise self._refused(refusal)
        self._runner = handle.value
        return self._runner != runner

    def jobs(self) -> list[JobDescription]:
        """The jobs that the library holds, in the order of their names."""
        return list(self._descriptions.values())

    def describe(self, name: str) -> JobDescription:
        """One of them. Raises UnknownJobError."""
        try:
            return self._descriptions[name]
        except KeyError:
            raise UnknownJobError(f"{self.path} has no job {name!r}{self._hint(name)}") from None

    def _hint(self, name: str) -> str:
        """Which job may have been meant."""
        nearest = None if "\0" in name else self.functions.job_nearest(name.encode(errors="replace"))
        return f"; the nearest is {nearest.decode()!r}" if nearest else ""

    def job(self, name: str, payload: Any = None, /, **fields: Any) -> Job:
        """A job with its payload: bytes as they are, anything else in the format that the job declares; fields
        are the payload of a job that takes JSON.

        Raises UnknownJobError, and TypeError for a payload that the format has no room for.
        """
        description = self.describe(name)
        return Job(self, description, encode(description, payload, fields))

    def Runner(
        self,
        *,
        worker_threads: int = 0,
        max_blocking_threads: int = 0,
        thread_name: str | None = None,
        thread_stack_size: int = 0,
        max_in_flight: int = 0,
        max_payload: int = 0,
    ) -> Runner:
        """A runner of its own, with threads, state and limits of its own.

        ``worker_threads`` run jobs beside the runner's thread, ``max_blocking_threads`` their blocking parts;
        ``thread_stack_size`` and ``max_payload`` are bytes; at most ``max_in_flight`` jobs are unfinished at a
        time. 0 means the default, and no bound. Raises InvalidArgumentError, InternalError.
        """
        options = _abi.RunnerOptions()
        self.functions.runner_options_init(ctypes.byref(options), ctypes.sizeof(options))
        options.thread_name = None if thread_name is None else thread_name.encode()
        numbers = {
            "worker_threads": worker_threads,
            "max_blocking_threads": max_blocking_threads,
            "thread_stack_size": thread_stack_size,
            "max_in_flight": max_in_flight,
            "max_payload": max_payload,
        }
        for name, number in numbers.items():
            setattr(options, name, number)
            if getattr(options, name) != number:  # ctypes takes what fits and drops the rest.
                raise InvalidArgumentError(f"{name} cannot be {number}")
        return Runner(self, options)

    def is_runner_alive(self) -> bool:
        """Whether the library's global runner takes work; makes none."""
        alive: bool = self.functions.is_runner_alive()
        return alive

    def shutdown_global_runner(self, grace: float | None = 0) -> None:
        """Ends the library's global runner: jobs have ``grace`` seconds (None: as long as they take) to
        finish and are cancelled then. The next use makes a new one."""
        self._shut_down(self.functions.shutdown_global_runner, grace)

    def version(self) -> str:
        """The version of the library."""
        version: bytes = self.functions.version()
        return version.decode()

    def __repr__(self) -> str:
        return f"<palitra library {self.path}>"


def load(path: str | os.PathLike[str]) -> Library:
    """Loads a job library: a shared library that a crate with jobs of its own built.

    Raises OSError if it cannot be loaded, ImportError if it is no palitra library, or one whose ABI version is
    another than this package's.
    """
    return Library(path)


def _own_path() -> Path:
    named = os.environ.get("PALITRA_LIBRARY")
    return Path(named) if named else Path(__file__).with_name("libpalitra.so")


class _Default:
    """The library of this package, loaded at its first use."""

    def __init__(self) -> None:
        self.library: Library | None = None
        self._after_fork_in_child()
        inheritors.add(self)

    def _after_fork_in_child(self) -> None:
        self._lock = threading.Lock()

    def get(self) -> Library:
        if self.library is None:
            with self._lock:
                if self.library is None:
                    self.library = Library(_own_path())
        return self.library


default = _Default()


def job(name: str, payload: Any = None, /, **fields: Any) -> Job:
    """A job of the library that comes with palitra, such as ``job("http.get", url=...)``: awaitable in any
    asyncio loop, accepted by ``run``, ``gather``, ``submit`` and ``iterate``.

    Raises UnknownJobError, and TypeError for a payload that the job's format has no room for.
    """
    return (default.library or default.get()).job(name, payload, **fields)


def jobs() -> list[JobDescription]:
    """The jobs that come with palitra."""
    return default.get().jobs()
