"""Native jobs that a coroutine awaits, beside the same jobs of pyo3-async-runtimes: in asyncio's loop and in uvloop's.

The rival (rival/src/lib.rs) is what a Rust crate does that offers its futures to asyncio: a task of tokio for each, and
a future of the loop that is completed with ``call_soon_threadsafe``. Both have the same jobs on tokio, and what a
program writes is timed: the call that makes the awaitable too.
"""

import asyncio
import dataclasses
import importlib.machinery
import importlib.util
import os
import sys
from collections.abc import Callable

import palitra
import uvloop

PAYLOAD = b"hello world"
SECONDS = 0.001


def import_rival(path):
    """The extension module that `make bench-python` has built."""
    if not os.path.exists(path):
        sys.exit(f"{path} is missing: make bench-python builds it, --rival says where it is")
    loader = importlib.machinery.ExtensionFileLoader("palitra_python_rival", path)
    spec = importlib.util.spec_from_file_location(loader.name, path, loader=loader)
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


@dataclasses.dataclass
class Await:
    """An operation of ours and of the rival's, each a function that makes a coroutine, done ``times`` in a row."""

    title: str
    ours: Callable[[], object]
    rival: Callable[[], object]
    goal: float | None = None
    times: int = 1


def awaits(rival):
    """What is awaited, for each loop. With as many jobs at a time as the titles say."""
    folder = os.environ.get("PALITRA_LIBRARY_DIR", "target/release")
    streams = palitra.load(os.path.join(folder, "libpalitra_test_jobs.so"))

    def echo():
        return palitra.job("palitra.echo", PAYLOAD)

    def sleep():
        return palitra.job("palitra.sleep", seconds=SECONDS)

    def their_echo():
        return rival.echo(PAYLOAD)

    def their_sleep():
        return rival.sleep(SECONDS)

    def their_stream(items):
        return rival.stream(items)

    def our_stream(items):
        return streams.job("test.stream", items=items)

    yield Await("await of a ready job", one(echo), one(their_echo), 20, times=300)
    for n, goal in (1, None), (10, None), (100, 10), (1000, None):
        yield Await(f"gather_async of {n:,} ready", gather_async(echo, n), gather(their_echo, n), goal, 1000 // n)
    yield Await("asyncio.gather of 100 ready", gather(echo, 100), gather(their_echo, 100), 10, times=10)
    yield Await("await of a sleeping job", one(sleep), one(their_sleep))
    for n, goal in (10, None), (100, 2), (1000, None):
        yield Await(f"gather_async of {n:,} sleeping", gather_async(sleep, n), gather(their_sleep, n), goal)
    yield Await("asyncio.gather of 100 sleeping", gather(sleep, 100), gather(their_sleep, 100), 2)
    for n, goal in (100, None), (10_000, 2):
        yield Await(f"stream of {n:,} items", read(our_stream, n), read(their_stream, n), goal)


def one(make):
    async def awaited():
        await make()

    return awaited


def gather(make, n):
    async def gathered():
        assert len(await asyncio.gather(*[make() for _ in range(n)])) == n

    return gathered


def gather_async(make, n):
    async def gathered():
        assert len(await palitra.gather_async(*[make() for _ in range(n)])) == n

    return gathered


def read(make, n):
    async def read_all():
        count = 0
        async for _ in make(n):
            count += 1
        assert count == n

    return read_all


def loops():
    """The name of each loop, and one that does an operation so many times."""
    for name, factory in ("asyncio", asyncio.new_event_loop), ("uvloop", uvloop.new_event_loop):
        yield name, runs_in(factory())


def runs_in(loop):
    def subject(operation, times):
        async def repeat():
            for _ in range(times):
                await operation()

        return lambda: loop.run_until_complete(repeat())

    return subject
