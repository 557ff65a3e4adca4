"""Streams: rows with back-pressure, notifications, messages, objects."""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path

import palitra
import pytest
from conftest import PROMPT, Host, eventually

#: What a stream may take of memory, whatever its length, in bytes.
MEMORY = 32 << 20

#: Rows of a kibibyte each, a tebibyte in all: who waits for the last one waits in vain.
MANY_ROWS = {"sql": "select generate_series(1, 1000000000) as i, repeat('x', 1000) as text"}


def resident() -> int:
    """The memory of this process."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("VmRSS:"))


def test_rows_come_in_order_and_are_counted(host: Host) -> None:
    rows = host.iterate("pg.rows", {"sql": "select i from generate_series(1, $1::int) i", "parameters": [1000]})
    assert [row["i"] for row in rows] == list(range(1, 1001))


def test_a_reader_that_waits_makes_the_server_wait(host: Host, admin: Host) -> None:
    before = resident()
    rows = host.iterate("pg.rows", MANY_ROWS)
    assert next(rows)["i"] == 1
    waits = "select wait_event from pg_stat_activity where application_name = $1 and wait_event = 'ClientWrite'"
    eventually(lambda: len(admin.query(waits, host.name)) == 1)
    assert resident() - before < MEMORY
    rows.close()
    eventually(lambda: not admin.query(waits, host.name))


def test_a_long_stream_takes_little_memory(host: Host) -> None:
    before = resident()
    rows = host.iterate("pg.rows", MANY_ROWS)
    most = before
    for row in rows:
        if row["i"] % 10_000 == 0:
            most = max(most, resident())
        if row["i"] == 100_000:
            break
    rows.close()
    assert most - before < MEMORY


def test_a_stream_that_is_left_gives_its_connection_back(make_host: Callable[..., Host]) -> None:
    host = make_host(connections=1)
    backend = host.backend()
    rows = host.iterate("pg.rows", MANY_ROWS)
    next(rows)
    rows.close()
    assert host.query("select pg_backend_pid() as pid", timeout=PROMPT) == [{"pid": backend}]


def test_a_failure_in_the_middle_comes_after_the_rows_before_it(make_host: Callable[..., Host]) -> None:
    host = make_host(connections=1)
    rows = host.iterate("pg.rows", {"sql": "select 10 / (5 - i) as q from generate_series(1, 9) i"})
    seen: list[int] = []
    with pytest.raises(palitra.JobError) as failed:
        seen.extend(row["q"] for row in rows)
    assert failed.value.code == int("22012", 36)  # division by zero
    assert host.query("select 1 as one", timeout=PROMPT) == [{"one": 1}]


def test_a_channel_is_listened_to_until_the_reader_leaves(
    host: Host, count: Callable[[Host], int], admin: Host
) -> None:
    host.backend()
    notifications = host.iterate("pg.listen", 'odd " name')
    assert next(notifications) == {"listening": 'odd " name'}
    assert count(host) == 2
    for payload in ("one", "two"):
        admin.query("select pg_notify($1, $2)", 'odd " name', payload)
        assert next(notifications) == {"channel": 'odd " name', "payload": payload}
    notifications.close()
    eventually(lambda: count(host) == 1)


def test_a_server_that_ends_ends_the_listening(host: Host, admin: Host) -> None:
    notifications = host.iterate("pg.listen", "ended")
    next(notifications)
    admin.query("select pg_terminate_backend(pid) from pg_stat_activity where query like 'LISTEN%'")
    with pytest.raises(palitra.JobError) as failed:
        next(notifications)
    assert failed.value.code in (int("57P01", 36), 1)


def test_messages_reach_those_who_subscribed(make_host: Callable[..., Host]) -> None:
    one, other = make_host(), make_host()
    messages = one.iterate("nats.subscribe", "orders.*")
    assert next(messages) == b'{"listening":"orders.*"}\n'
    for number in range(100):
        other.run("nats.publish", b'{"subject": "orders.%d"}\nline one\nline two' % number)
    for number in range(100):
        assert next(messages) == b'{"subject":"orders.%d"}\nline one\nline two' % number
    messages.close()


def test_a_large_object_comes_in_chunks_under_its_progress(host: Host) -> None:
    content = bytes(range(256)) * (64 << 12)
    assert host.run("objects.write", b'{"path": "large/one"}\n' + content) == {"bytes": 64 << 20}
    assert host.run("objects.list", "large/") == [{"path": "large/one", "bytes": 64 << 20}]
    gc.collect()
    before, read, most = resident(), 0, 0
    for chunk in host.iterate("objects.read", "large/one"):
        assert chunk == content[read : read + len(chunk)]
        read += len(chunk)
        most = max(most, resident())
    assert read == len(content)
    assert most - before < MEMORY


def test_an_object_outside_the_root_or_not_there_is_refused(host: Host) -> None:
    for path, code in (("none", 3), ("../escape", 2), ("a/../../b", 2)):
        with pytest.raises(palitra.JobError, match="objects: ") as failed:
            list(host.iterate("objects.read", path))
        assert failed.value.code == code
    with pytest.raises(palitra.JobError) as failed:
        host.run("objects.write", b'{"path": "../escape"}\nx')
    assert failed.value.code == 2
