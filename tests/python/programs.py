"""Programs as tests: Python code in a process of its own, bounded in time, with every warning shown.

These are for what can be judged only from outside: what a process writes when it ends, Ctrl-C, forks, hangs. A program
runs with ``-X dev -W error``, in a session of its own, so that a forked child that hangs is ended with it.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

#: CPython 3.12 and later warn of a fork where threads run. Here that is what is tested.
FORK_IS_MEANT = "ignore:This process:DeprecationWarning"

#: The longest that a program may take that is not expected to hang, in seconds: long, for a busy machine is slow.
PATIENCE = 60.0

#: What asyncio's debug mode, which ``-X dev`` turns on, says of a step of more than a tenth of a second: on a busy
#: machine any may.
SLOW_STEP = re.compile(r"^Executing <.*> took \d+\.\d+ seconds\n", re.MULTILINE)


@dataclass
class Ended:
    """How a program ended. ``status`` is None if it did not, and was killed."""

    status: int | None
    output: str
    errors: str
    seconds: float

    def __str__(self) -> str:
        how = "was killed" if self.status is None else f"ended with {self.status}"
        return f"it {how} after {self.seconds:.1f} seconds\noutput:\n{self.output}\nerrors:\n{self.errors}"


def start(code: str, *arguments: str, python: str | Path = sys.executable, **options: object) -> subprocess.Popen[str]:
    """Starts a program; its output can be read line by line."""
    command = [str(python), "-X", "dev", "-W", "error", "-W", FORK_IS_MEANT, "-c", textwrap.dedent(code), *arguments]
    environment = {**os.environ, "PYTHONDEVMODE": "1", "PYTHONUNBUFFERED": "1"}
    if python != sys.executable:
        environment.pop("PYTHONPATH", None)  # It may name this package, and the other Python has one of its own.
    return subprocess.Popen(command, text=True, start_new_session=True, env=environment, **options)  # type: ignore[call-overload, no-any-return]


def kill(program: subprocess.Popen[str]) -> None:
    """Ends a program and the children that it left."""
    try:
        os.killpg(program.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    program.wait()


def run(code: str, *arguments: str, python: str | Path = sys.executable, timeout: float = PATIENCE) -> Ended:
    """Runs a program to its end, or kills it."""
    # Files, not pipes: a child that was left behind would keep a pipe open.
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        before = time.monotonic()
        program = start(code, *arguments, python=python, stdout=output, stderr=errors)
        status: int | None
        try:
            status = program.wait(timeout)
        except subprocess.TimeoutExpired:
            status = None
        seconds = time.monotonic() - before
        kill(program)
        for file in (output, errors):
            file.seek(0)
        return Ended(status, output.read(), SLOW_STEP.sub("", errors.read()), seconds)


def check(code: str, *arguments: str, timeout: float = PATIENCE, output: str = "kept\n") -> Ended:
    """Runs a program that is to end well, write this, and nothing else."""
    ended = run(code, *arguments, timeout=timeout)
    assert (ended.status, ended.output, ended.errors) == (0, output, ""), str(ended)
    return ended


@contextmanager
def together(runs: Mapping[str, Callable[[], Ended]], at_once: int = 4) -> Iterator[dict[str, Future[Ended]]]:
    """Several programs beside each other, since they wait more than they work: the future of each, by its name."""
    with ThreadPoolExecutor(at_once) as executor:
        yield {name: executor.submit(run) for name, run in runs.items()}
        executor.shutdown(cancel_futures=True)
