"""``to_sync`` of libraries as they are: aiosqlite, aiofiles, aiohttp, httpx, asyncio's streams and locks."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiofiles
import aiohttp
import aiosqlite
import httpx
import palitra
import pytest
from asynchronous import serving
from palitra import EventLoopThreadRunner


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A server that responds with JSON."""
    with EventLoopThreadRunner() as host, host.enter(serving(set())) as served:
        yield served


# aiosqlite: connect and execute are awaitables that are context managers, too.


def test_aiosqlite_without_with(tmp_path: Path) -> None:
    database: Any = palitra.to_sync(aiosqlite.connect)(tmp_path / "notes")
    database.execute("create table notes (text)")
    database.execute("insert into notes values ('a')")
    database.executemany("insert into notes values (?)", [("b",), ("c",)])
    database.commit()
    assert database.total_changes == 3
    cursor = database.execute("select text from notes")
    assert cursor.fetchone() == ("a",)
    assert list(cursor) == [("b",), ("c",)]
    cursor.close()
    assert database.execute_fetchall("select count(*) from notes") == [(3,)]
    database.close()


def test_aiosqlite_with_with(tmp_path: Path) -> None:
    with palitra.to_sync(aiosqlite.connect)(tmp_path / "notes") as database:  # type: ignore[attr-defined]
        with database.execute("select 1 union select 2") as cursor:
            assert list(cursor) == [(1,), (2,)]
    with pytest.raises(ValueError, match="no active connection"):
        database.execute("select 1")
    with pytest.raises(aiosqlite.OperationalError, match="syntax error"):
        with palitra.to_sync(aiosqlite.connect)(":memory:") as database:  # type: ignore[attr-defined]
            database.execute("no SQL")


# aiofiles: open returns an awaitable that is a context manager, of an object with __anext__.


def test_aiofiles(tmp_path: Path) -> None:
    opened: Any = palitra.to_sync(aiofiles.open)
    path = tmp_path / "text"
    with opened(path, "w") as file:
        file.write("one\ntwo\n")
        file.writelines(["three\n"])
    assert path.read_text() == "one\ntwo\nthree\n"
    file = opened(path)
    assert file.readline() == "one\n"
    assert next(file) == "two\n"
    assert list(file) == ["three\n"]
    file.close()
    assert file.closed


# aiohttp and httpx.


def test_aiohttp_without_with_and_with_it(address: str) -> None:
    session: Any = palitra.to_sync(aiohttp.ClientSession)()
    response = session.get(f"{address}/one")
    assert response.status == 200
    assert response.json() == {"path": "/one"}
    with session.get(f"{address}/two") as response:
        assert response.content.read() == b'{"path": "/two"}'
    assert next(session.get(f"{address}/a").content.iter_chunked(4)) == b'{"pa'
    session.close()
    assert session.closed


def test_httpx(address: str) -> None:
    with palitra.to_sync(httpx.AsyncClient)(base_url=address) as client:
        assert client.get("/one").json() == {"path": "/one"}
        with client.stream("GET", "/two") as response:
            assert b"".join(response.aiter_bytes()) == b'{"path": "/two"}'
    assert client.is_closed


# asyncio's own.


def test_streams_and_processes() -> None:
    process: Any = palitra.to_sync(palitra.to_sync(asyncio.create_subprocess_exec)("cat", stdin=-1, stdout=-1))
    process.stdin.write(b"text\n")
    process.stdin.drain()
    assert process.stdout.readline() == b"text\n"
    process.stdin.close()
    assert process.wait() == 0


@pytest.mark.timeout(20)
def test_a_lock_is_one_for_threads() -> None:
    lock: Any = palitra.to_sync(asyncio.Lock())
    inside, most = 0, 0

    def work() -> None:
        nonlocal inside, most
        for _ in range(50):
            with lock:
                inside += 1
                most = max(most, inside)
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(15)
        assert not thread.is_alive()
    assert most == 1
    assert not lock.locked()
    with lock:
        assert lock.locked()


@pytest.mark.timeout(20)
def test_a_semaphore_is_entered_by_several_threads_and_twice_by_one() -> None:
    semaphore: Any = palitra.to_sync(asyncio.Semaphore(3))
    others = threading.Barrier(3)

    def work() -> None:
        with semaphore:
            others.wait(10)
            others.wait(10)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    others.wait(10)
    with semaphore:
        assert semaphore.locked()
        others.wait(10)
        for thread in threads:
            thread.join(10)
        with semaphore, semaphore:
            assert semaphore.locked()
        assert not semaphore.locked()
    assert semaphore.wrapped._value == 3
