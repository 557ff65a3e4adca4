"""The pool of connections to PostgreSQL: how many there are, across calls, cancels, forks, restarts and the end."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable
from typing import Any

import palitra
import pytest
from conftest import PROMPT, Host, eventually
from servers import Servers, free_port
from slow_cancels import SlowCancels

Count = Callable[[Host], int]
UNREACHABLE = 1


def test_a_thousand_calls_share_the_connections_of_the_pool(make_host: Callable[..., Host], count: Count) -> None:
    host = make_host(connections=3)
    job = host.runner.job("pg.query", sql="select pg_backend_pid() as pid, pg_sleep(0.001)::text")
    backends = {reply["rows"][0]["pid"] for reply in host.runner.gather(*[job] * 1000)}
    assert len(backends) == 3
    assert count(host) == 3


def test_calls_one_after_another_use_one_connection(host: Host, count: Count) -> None:
    assert len({host.backend() for _ in range(100)}) == 1
    assert count(host) == 1


def test_what_is_not_used_is_not_connected_to(host: Host, count: Count) -> None:
    assert host.run("redis.command", ["PING"]) == "PONG"
    assert count(host) == 0


def test_after_a_timeout_the_next_query_is_prompt_on_the_same_connection(make_host: Callable[..., Host]) -> None:
    host = make_host(connections=1)
    backend = host.backend()
    for _ in range(3):
        with pytest.raises(palitra.TimeoutError):
            host.query("select pg_sleep(60)", timeout=0.1)
        began = time.monotonic()
        assert host.backend() == backend
        assert time.monotonic() - began < PROMPT


def test_the_server_is_told_that_a_query_is_cancelled(host: Host, admin: Host) -> None:
    sleeping = "select pid from pg_stat_activity where application_name = $1 and state = 'active'"
    future = host.runner.submit(host.runner.job("pg.query", sql="select pg_sleep(60)"))
    eventually(lambda: len(admin.query(sleeping, host.name)) == 1)
    future.cancel()
    eventually(lambda: not admin.query(sleeping, host.name))


def test_hundreds_of_cancelled_queries_leave_no_connection_behind(make_host: Callable[..., Host], count: Count) -> None:
    host = make_host(connections=2)
    for seconds in (0.0, 0.0005, 0.001, 0.002) * 25:
        futures = [host.runner.submit(host.runner.job("pg.query", sql="select pg_sleep(0.001)")) for _ in range(3)]
        time.sleep(seconds)
        for future in futures:
            future.cancel()
    assert host.query("select 1 as one", timeout=PROMPT) == [{"one": 1}]
    assert count(host) <= 2


def test_a_cancel_that_comes_late_meets_no_other_query(library: Any, servers: Servers) -> None:
    with SlowCancels(servers.postgres.port, 0.5) as proxy:
        url = f"postgresql://palitra@127.0.0.1:{proxy.port}/postgres"
        with library.Runner(config={"pg": {"url": url, "connections": 1}}) as runner:
            runner.run(runner.job("pg.query", sql="select pg_sleep(0)"))
            with pytest.raises(palitra.TimeoutError):
                runner.run(runner.job("pg.query", sql="select pg_sleep(0.2)"), timeout=0.1)
            # The first has ended by itself before the server learns that it is to be cancelled.
            runner.run(runner.job("pg.query", sql="select pg_sleep(1)"), timeout=PROMPT)


def test_a_cancelled_transaction_is_rolled_back(make_host: Callable[..., Host]) -> None:
    host, other = make_host(connections=1), make_host(connections=1)
    host.query("create table cancelled (id int primary key)")
    statements = [{"sql": "insert into cancelled values (1)"}, {"sql": "select pg_sleep(60)"}]
    with pytest.raises(palitra.TimeoutError):
        host.run("pg.transaction", statements, timeout=0.3)
    # Would wait for the other's transaction, were that not over.
    other.query("insert into cancelled values (1)", timeout=PROMPT)
    assert host.query("select * from cancelled", timeout=PROMPT) == [{"id": 1}]
    assert host.query("select pg_current_xact_id_if_assigned()::text as id") == [{"id": None}]


def test_a_forked_child_makes_a_pool_of_its_own(host: Host, admin: Host, servers: Servers, library: Any) -> None:
    host.library.configure(host.config)
    parents = library.run(library.job("pg.query", sql="select pg_backend_pid() as pid"))["rows"][0]["pid"]
    query = "select pid from pg_stat_activity where application_name = $1"
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        seen: Any = "nothing"
        try:
            rows = library.run(library.job("pg.query", sql=query, parameters=[host.name]), timeout=20)["rows"]
            seen = [row["pid"] for row in rows]
        except BaseException as error:
            seen = repr(error)
        os.write(write, json.dumps(seen).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        seen = json.loads(pipe.read())
    assert os.waitpid(child, 0)[1] == 0
    assert parents in seen and len(seen) == 2, seen
    eventually(lambda: [row["pid"] for row in admin.query(query, host.name)] == [parents])
    assert library.run(library.job("pg.query", sql="select pg_backend_pid() as pid"))["rows"][0]["pid"] == parents
    library.shutdown_global_runner()
    library.configure(None)


def test_after_the_end_of_a_runner_no_connection_is_left(make_host: Callable[..., Host], count: Count) -> None:
    host = make_host(connections=3)
    host.runner.gather(*(host.runner.job("pg.query", sql="select pg_sleep(0.01)") for _ in range(30)))
    assert count(host) == 3
    host.runner.close()
    eventually(lambda: count(host) == 0)


def test_the_end_of_a_runner_cancels_what_the_server_is_doing(make_host: Callable[..., Host], count: Count) -> None:
    host = make_host(connections=2)
    for _ in range(2):
        host.runner.submit(host.runner.job("pg.query", sql="select pg_sleep(60)"))
    eventually(lambda: count(host) == 2)
    host.runner.close()
    eventually(lambda: count(host) == 0)


def test_a_server_that_restarts_is_connected_to_again(host: Host, servers: Servers, admin: Host) -> None:
    before = host.backend()
    servers.postgres.stop()
    with pytest.raises(palitra.JobError) as failed:
        host.backend()
    assert failed.value.code == UNREACHABLE
    servers.postgres.start()
    assert host.backend() != before
    admin.backend()


@pytest.mark.parametrize("accepts", [False, True], ids=["nobody", "silent"])
def test_a_server_that_is_not_there_is_an_error_with_the_name_of_the_service(library: Any, *, accepts: bool) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"127.0.0.1:{silent.getsockname()[1] if accepts else free_port()}"
        services = {"pg": "postgresql", "redis": "redis", "nats": "nats"}
        with library.Runner(
            config={name: {"url": f"{scheme}://{address}"} for name, scheme in services.items()}
        ) as runner:
            failures = runner.gather(
                runner.job("pg.query", sql="select 1"),
                runner.job("redis.command", ["PING"]),
                runner.job("nats.publish", b'{"subject": "a"}\n'),
                timeout=20,
                return_exceptions=True,
            )
    for service, failure in zip(services, failures, strict=True):
        assert isinstance(failure, palitra.JobError) and failure.code == UNREACHABLE
        assert failure.message.startswith(f"{service}: ")


def test_a_configuration_that_does_not_fit_is_named(library: Any) -> None:
    for config in ({}, {"pg": {"url": 3}}, {"pg": {"url": "postgresql://127.0.0.1", "conections": 3}}):
        with library.Runner(config=config) as runner, pytest.raises(palitra.JobError, match='configuration "pg"'):
            runner.run(runner.job("pg.query", sql="select 1"))
