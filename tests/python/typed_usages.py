"""How type checkers see the public API. Checked by mypy --strict and pyright, never run.

Each function is a use that a user would write; assert_type is the promise. wrong_usages.py has those that must be
errors.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator
from contextlib import AbstractContextManager, asynccontextmanager
from typing import Any

import palitra
from typing_extensions import assert_type


async def number(text: str, base: int = 10) -> int:
    return int(text, base)


async def word() -> str:
    return "word"


async def numbers(count: int) -> AsyncIterator[int]:
    for n in range(count):
        yield n


@asynccontextmanager
async def session(name: str) -> AsyncGenerator[bytes, None]:
    yield name.encode()


def length(text: str, *, strip: bool = False) -> int:
    return len(text.strip() if strip else text)


class Awaitable42:
    def __await__(self) -> Generator[Any, None, int]:
        return number("42").__await__()


def one() -> None:
    assert_type(palitra.run(number("1")), int)
    assert_type(palitra.run(number("1"), timeout=1.5, debug=True, loop_factory=asyncio.new_event_loop), int)
    assert_type(palitra.run(Awaitable42()), int)
    assert_type(palitra.run(palitra.job("palitra.echo", b"payload")), Any)


def several(texts: list[str]) -> None:
    assert_type(palitra.gather(number("1")), tuple[int])
    assert_type(palitra.gather(number("1"), word()), tuple[int, str])
    assert_type(palitra.gather(number("1"), word(), number("2"), limit=2, timeout=1), tuple[int, str, int])
    assert_type(palitra.gather(word(), word(), word(), number("1")), tuple[str, str, str, int])
    assert_type(palitra.gather(word(), word(), word(), word(), number("1")), tuple[str, str, str, str, int])
    assert_type(palitra.gather(*[number(text) for text in texts]), list[int])
    assert_type(palitra.gather(*map(number, texts), limit=10), list[int])
    assert_type(palitra.gather(palitra.job("palitra.echo"), word()), tuple[Any, str])


def several_with_exceptions(texts: list[str], return_exceptions: bool) -> None:
    pair = palitra.gather(number("1"), word(), return_exceptions=True)
    assert_type(pair, tuple[int | BaseException, str | BaseException])
    assert_type(palitra.gather(*map(number, texts), return_exceptions=True), list[int | BaseException])
    assert_type(palitra.gather(*map(number, texts), return_exceptions=return_exceptions), list[int | BaseException])
    assert_type(palitra.gather(*map(number, texts), return_exceptions=False), list[int])


def later(texts: list[str]) -> None:
    future = palitra.submit(number("1"))
    assert_type(future, concurrent.futures.Future[int])
    assert_type(future.result(timeout=1), int)
    assert_type(palitra.submit(palitra.job("palitra.sleep", seconds=1)).progress(), tuple[int, int])
    for done in palitra.as_completed(*map(number, texts), timeout=1, limit=2):
        assert_type(done.result(), int)
        assert_type(done.index, int)


def item_by_item() -> None:
    items = palitra.iterate(numbers(3), timeout=1)
    assert_type(items, Generator[int, None, None])
    assert_type([item + 1 for item in items], list[int])
    for _ in palitra.iterate(palitra.job("http.stream", url="http://127.0.0.1/")):
        pass
    with palitra.enter(session("name")) as entered:
        assert_type(entered, bytes)
    manager: AbstractContextManager[bytes] = palitra.enter(session("name"))
    del manager


def both_ways() -> None:
    sync_number = palitra.to_sync(number)
    assert_type(sync_number("ff", base=16), int)
    assert_type(palitra.to_sync(numbers)(3), Generator[int, None, None])
    async_length = palitra.to_async(length, limit=2)
    exact: Callable[[str], Awaitable[int]] = async_length
    assert_type(palitra.run(async_length("text", strip=True)), int)
    del exact


async def twins() -> None:
    assert_type(await palitra.to_sync(number).aio("ff", base=16), int)
    async for item in palitra.to_sync(numbers).aio(3):
        assert_type(item, int)
    assert_type(await decorated.aio("name"), bytes)


class Client:
    @palitra.to_sync
    async def get(self, name: str) -> bytes:
        return name.encode()

    @palitra.to_sync
    async def items(self, count: int) -> AsyncIterator[int]:
        yield count


def methods(client: Client) -> None:
    assert_type(client.get("name"), bytes)
    assert_type(client.items(3), Generator[int, None, None])


async def ready(port: int, *, task_status: palitra.TaskStatus[str]) -> int:
    task_status.started("ready")
    palitra.check_cancelled()
    return port


def portal() -> None:
    assert_type(palitra.call(length, "text"), int)
    assert_type(palitra.call(number, "1", timeout=1), int)
    future, value = palitra.start_task(ready, 80, name="server", timeout=1)
    assert_type(future, concurrent.futures.Future[int])
    print(value)
    assert_type(palitra.run(number("1"), name="mine"), int)
    assert_type(palitra.submit(number("1"), name="mine", block=False), concurrent.futures.Future[int])
    with palitra.EventLoopThreadRunner(limit=10) as runner:
        assert_type(runner.stats(), dict[str, int])
        runner.close(5, cancel=False)
    assert_type(palitra.native_stats(), dict[str, int])
    palitra.shutdown_global_runner(cancel=False)


@palitra.to_sync
async def decorated(name: str) -> bytes:
    return name.encode()


@palitra.to_async(limit=4, thread_sensitive=True)
def decorated_with_arguments(name: str) -> bytes:
    return name.encode()


def decorators() -> None:
    assert_type(decorated("name"), bytes)
    assert_type(palitra.run(decorated_with_arguments("name")), bytes)


async def tasks(executor: concurrent.futures.Executor) -> None:
    task = asyncio.create_task(palitra.to_async(length)("text"))
    assert_type(task, asyncio.Task[int])
    asyncio.get_running_loop().create_task(decorated_with_arguments("name"))
    assert_type(await palitra.to_async(length, executor=executor)("text", strip=True), int)


def runners() -> None:
    with palitra.EventLoopThreadRunner(loop_factory=asyncio.new_event_loop, debug=True, name="mine") as runner:
        assert_type(runner, palitra.EventLoopThreadRunner)
        assert_type(runner.get_loop(), asyncio.AbstractEventLoop)
        assert_type(runner.run(number("1")), int)
        assert_type(runner.gather(number("1"), word()), tuple[int, str])
        assert_type(runner.to_sync(number)("ff", base=16), int)
        assert_type(runner.to_sync(numbers)(3), Generator[int, None, None])
        runner.close(timeout=1)
    assert_type(palitra.is_runner_alive(), bool)
    palitra.shutdown_global_runner()


async def awaited() -> None:
    assert_type(await palitra.job("palitra.echo", "text"), Any)
    assert_type(await palitra.gather_async(palitra.job("palitra.echo"), limit=1), list[Any])
    async for item in palitra.job("http.stream", url="http://127.0.0.1/"):
        print(item)


def libraries() -> None:
    library = palitra.load("libtext_jobs.so")
    assert_type(library, palitra.Library)
    assert_type(library.jobs(), list[palitra.JobDescription])
    job = library.job("text.split", text="a b", at=" ")
    assert_type(job, palitra.Job)
    assert_type(job.with_deadline(1.5).with_progress(lambda done, total: print(done, total)), palitra.Job)
    assert_type(library.gather(job, job), list[Any])
    with library.Runner(max_in_flight=10) as runner:
        assert_type(runner, palitra.Runner)
        assert_type(runner.stats(), dict[str, int])


def failures() -> None:
    try:
        palitra.run(palitra.job("palitra.echo"))
    except palitra.JobError as error:
        assert_type(error.code, int)
        assert_type(error.message, str)
    except palitra.Error as error:
        assert_type(error.status, str)
    except palitra.TimeoutError:
        pass


def jobs_in_python(runner: palitra.Runner) -> None:
    @runner.register("host.number")
    async def decorated(text: str) -> int:
        palitra.current_call().progress(1, 2)
        return len(text)

    async def awaited() -> None:
        assert_type(await decorated("a"), int)

    @palitra.register("host.items", output="text", max_waiting=10)
    def items(count: int) -> Generator[str, None, None]:
        yield from map(str, range(count))

    assert_type(items(1), Generator[str, None, None])
    assert_type(runner.register("host.length", length)("a", strip=True), int)
    assert_type(palitra.current_call().is_cancelled(), bool)
    asyncio.run(awaited())
