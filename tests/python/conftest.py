"""What the tests of the Python package share: where the libraries are, free ports, bounded waits, other Pythons.

Every test is bounded by pytest-timeout (pytest.ini), every wait by PATIENCE. A library that has not been built is a
failure that names it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from waits import PATIENCE

ROOT = Path(__file__).parents[2]

# What a shell runs in the background ignores Ctrl-C, and the programs of the tests would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def library(name: str) -> Path:
    """A library under test: in PALITRA_LIBRARY_DIR, or where a release build leaves it."""
    path = Path(os.environ.get("PALITRA_LIBRARY_DIR", ROOT / "target/release")) / name
    assert path.exists(), f"{path} is missing: run make all jobs, or set PALITRA_LIBRARY_DIR"
    return path


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def palitra_library() -> Path:
    """libpalitra.so, as cargo built it."""
    return library("libpalitra.so")


@pytest.fixture(scope="session")
def test_jobs() -> Path:
    """The library with the test jobs: test.fail, test.panic, test.never, test.stream ..."""
    return library("libpalitra_test_jobs.so")


@pytest.fixture(scope="module")
def tests(request: pytest.FixtureRequest) -> Any:
    """That library, loaded."""
    import palitra

    path: Path = request.getfixturevalue("test_jobs")
    return palitra.load(path)


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Callable[[Any], Any]:
    """Runs a coroutine in a loop of its own, as asyncio.run does, of each kind."""
    import native

    def run(coroutine: Any) -> Any:
        loop = native.LOOPS[request.param]()
        try:
            return loop.run_until_complete(asyncio.wait_for(coroutine, 40))
        finally:
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()

    return run


@pytest.fixture(scope="session")
def example_jobs() -> Path:
    """The library of examples/jobs."""
    return library("libexample_jobs.so")


@pytest.fixture(scope="session")
def original_python() -> Path:
    """The Python that has palitra 0.1.0, for a test that shows a defect of it."""
    python = ROOT / "target/venv-original/bin/python"
    assert python.exists(), f"{python} is missing: run make target/venv-original/made"
    return python


@pytest.fixture
def free_port() -> Callable[[], int]:
    """Returns a port of the loopback that nobody listens on, a new one each time."""
    used: set[int] = set()

    def find() -> int:
        while True:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port: int = probe.getsockname()[1]
            if port not in used:
                used.add(port)
                return port

    return find


@pytest.fixture
def run_python() -> Callable[..., subprocess.CompletedProcess[str]]:
    """``run_python(code, *arguments, python=..., timeout=PATIENCE, env=...)`` runs a program in a Python of its own,
    this one's unless another is named, and returns how it ended and what it wrote. Warnings are errors in it."""

    def run(
        code: str,
        *arguments: str,
        python: str | Path = sys.executable,
        timeout: float = PATIENCE,
        env: dict[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(python), "-W", "error", "-c", code, *arguments],
            capture_output=True,
            text=True,
            timeout=timeout,
            env={**os.environ, **(env or {})},
        )

    return run
