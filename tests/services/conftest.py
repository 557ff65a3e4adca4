"""What the tests of examples/services share: the servers, the library, runners, and what the servers say of them.

The servers are real and start once. What a test asks of a server, such as how many connections a runner has, it asks
through a runner of its own.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import palitra
import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "examples/services"))

from servers import Servers  # noqa: E402 (what stands above finds it)

#: The longest wait without a bound of its own, in seconds.
PATIENCE = 30.0

#: What is prompt, also on a busy machine; what the tests below would wait for otherwise takes a minute.
PROMPT = 10.0

LIBRARY = Path(os.environ.get("PALITRA_SERVICES_LIBRARY", ROOT / "target/services/release/libexample_services.so"))


def eventually(condition: Callable[[], bool]) -> None:
    """Waits until the condition holds."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it never came to be"
        time.sleep(0.01)


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """PostgreSQL, Redis and NATS."""
    with Servers() as running:
        yield running


@pytest.fixture(scope="session")
def library() -> Any:
    """The jobs under test."""
    assert LIBRARY.exists(), f"{LIBRARY} is missing: make services"
    return palitra.load(LIBRARY)


class Host:
    """A runner whose connections to PostgreSQL bear a name of their own."""

    def __init__(self, library: Any, servers: Servers, name: str, connections: int) -> None:
        self.name, self.config = name, servers.config(connections=connections)
        self.config["pg"]["url"] = str(self.config["pg"]["url"]).replace("=palitra", f"={name}")
        self.library = library
        self.runner = library.Runner(config=self.config)

    def query(self, sql: str, *parameters: Any, timeout: float | None = None) -> list[dict[str, Any]]:
        """The rows of a statement."""
        job = self.runner.job("pg.query", sql=sql, parameters=parameters)
        rows: list[dict[str, Any]] = self.runner.run(job, timeout=timeout)["rows"]
        return rows

    def run(self, name: str, payload: Any, timeout: float | None = None) -> Any:
        """The reply of a job."""
        return self.runner.run(self.runner.job(name, payload), timeout=timeout)

    def backend(self) -> int:
        """The server's process behind the connection of a query."""
        return int(self.query("select pg_backend_pid() as pid")[0]["pid"])

    def iterate(self, name: str, payload: Any) -> Any:
        """The items of a job."""
        return self.runner.iterate(self.runner.job(name, payload))


@pytest.fixture
def make_host(library: Any, servers: Servers, request: pytest.FixtureRequest) -> Iterator[Callable[..., Host]]:
    """Makes hosts, which are closed at the end of the test."""
    hosts: list[Host] = []

    def make(connections: int = 4) -> Host:
        hosts.append(Host(library, servers, f"{request.node.name[:50]}-{len(hosts)}", connections))
        return hosts[-1]

    yield make
    for host in hosts:
        host.runner.close()


@pytest.fixture
def host(make_host: Callable[..., Host]) -> Host:
    """One with a pool of four connections."""
    return make_host()


@pytest.fixture(scope="session")
def admin(library: Any, servers: Servers) -> Iterator[Host]:
    """Asks the server about the others."""
    made = Host(library, servers, "admin", 1)
    yield made
    made.runner.close()


@pytest.fixture
def count(admin: Host) -> Callable[[Host], int]:
    """How many connections a host has, as the server counts them."""

    def count(host: Host) -> int:
        sql = "select pid from pg_stat_activity where application_name = $1"
        return len(admin.query(sql, host.name))

    return count
