"""Servers as processes: started in a group of their own on a free port, watched by their log, stopped by that group.

Every wait is bounded. When one fails, what the server wrote is shown.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType

from waits import PATIENCE, wait_until


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that has ended and was not waited for does not."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def children_of(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def get(url: str, timeout: float = PATIENCE) -> tuple[int, str]:
    """Status and body; OSError where there was no response."""
    # A proxy that the machine is set up with is not for servers on the loopback.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=timeout) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, refusal.read().decode()


class Server:
    """A process and its children; ``with`` ends them all. They may note what happens in the file $NOTES."""

    def __init__(self, command: list[str], log: Path, environment: Mapping[str, str] | None = None) -> None:
        self.log = log
        self.notes_file = log.with_suffix(".notes")
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, "NOTES": str(self.notes_file), **(environment or {})},
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    def children(self) -> list[int]:
        return children_of(self.pid)

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def notes(self) -> list[str]:
        return self.notes_file.read_text().split() if self.notes_file.exists() else []

    def wait_until(self, condition: Callable[[], object], what: str, timeout: float = PATIENCE) -> None:
        """Fails with the log when the condition does not come true, or the server ends before."""

        def is_true() -> bool:
            met = bool(condition())
            assert met or self.process.poll() is None, f"it ended with {self.process.returncode} before {what}"
            return met

        try:
            wait_until(is_true, what, timeout)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.output()}") from None

    def wait_for_port(self, port: int) -> None:
        def listens() -> bool:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
            except OSError:
                return False
            return True

        self.wait_until(listens, f"it listened on port {port}")

    def signal(self, number: signal.Signals) -> None:
        """To the server itself, not its children."""
        self.process.send_signal(number)

    def end(self, number: signal.Signals, timeout: float = PATIENCE) -> int:
        """Signals the server and returns the code that it exits with."""
        self.signal(number)
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it did not end {timeout} seconds after {number.name}\n{self.output()}") from None

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # The group outlives its leader while a child of it does.
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait(PATIENCE)
