"""A thousand of anything leave nothing: no threads, no files, no memory, no garbage."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import palitra
import pytest
import uvloop
from palitra import EventLoopThreadRunner


async def noop() -> None:
    pass


async def fail() -> None:
    raise ValueError("on purpose")


async def endless() -> None:
    await asyncio.sleep(600)


async def items() -> AsyncIterator[bytes]:
    while True:
        yield b"x" * 1000


def memory() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def used() -> tuple[int, int]:
    """Threads and open files."""
    return threading.active_count(), len(os.listdir("/proc/self/fd"))


def check_no_growth(action: Callable[[], object], times: int, most_memory: int = 4 << 20) -> None:
    """Neither threads nor files are left by so many actions, nor more memory than the allocator wanders."""
    for _ in range(times // 10):
        action()
    gc.collect()
    threads, files = settled()
    before = memory()
    for _ in range(times):
        action()
    gc.collect()
    end = time.monotonic() + 20
    most = (threads, files + 2)  # What was dropped last may still be about to go.
    while not within(most) and time.monotonic() < end:
        time.sleep(0.01)
    assert within(most), f"{used()}, at most {most}"
    assert memory() - before < most_memory


def within(most: tuple[int, int]) -> bool:
    return all(one <= bound for one, bound in zip(used(), most, strict=True))


def settled() -> tuple[int, int]:
    """What is used when the threads of earlier tests have ended."""
    seen = used()
    while True:
        time.sleep(0.05)
        if used() == seen:
            return seen
        seen = used()


def expect(kind: type[BaseException], call: Callable[..., object], *arguments: Any, **keywords: Any) -> None:
    try:
        call(*arguments, **keywords)
    except kind:
        return
    raise AssertionError(f"no {kind.__name__}")


@pytest.fixture(scope="module")
def runner() -> Any:
    with EventLoopThreadRunner() as runner:
        yield runner


def closed_runner() -> None:
    with EventLoopThreadRunner() as runner:
        runner.run(noop())


def dropped_runner() -> None:
    EventLoopThreadRunner().run(noop())


def uvloop_runner() -> None:
    with EventLoopThreadRunner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(noop())


def global_runner() -> None:
    palitra.run(noop())
    palitra.run(palitra.job("palitra.echo", b"x"))
    palitra.shutdown_global_runner()


@pytest.mark.parametrize("action", [closed_runner, dropped_runner, uvloop_runner, global_runner],
                         ids=lambda action: action.__name__)  # fmt: skip
def test_many_runners(action: Callable[[], None]) -> None:
    check_no_growth(action, 500, most_memory=8 << 20)


ACTIONS: dict[str, tuple[int, Callable[[EventLoopThreadRunner], object]]] = {
    "runs": (2000, lambda runner: runner.run(noop())),
    "failures": (3000, lambda runner: expect(ValueError, runner.run, fail())),
    "timeouts": (1000, lambda runner: expect(TimeoutError, runner.run, endless(), timeout=0)),
    "gathers": (500, lambda runner: runner.gather(*[noop() for _ in range(10)], limit=3)),
    "failing gathers": (500, lambda runner: expect(ValueError, runner.gather, fail(), noop())),
    "gathers that return exceptions": (500, lambda runner: runner.gather(fail(), noop(), return_exceptions=True)),
    "gathers that time out": (500, lambda runner: expect(TimeoutError, runner.gather, endless(), noop(), timeout=0)),
    "submits": (2000, lambda runner: runner.submit(noop()).result(20)),
    "failing submits": (1000, lambda runner: expect(ValueError, lambda: runner.submit(fail()).result(20))),
    "cancelled submits": (1000, lambda runner: runner.submit(endless()).cancel()),
    "as_completed": (500, lambda runner: [*runner.as_completed(noop(), fail())]),
    "iterations broken off": (500, lambda runner: next(runner.iterate(items()))),
    "wrong awaitables": (1000, lambda runner: expect(TypeError, runner.run, "text")),
    "debug runs": (500, lambda runner: runner.run(noop(), debug=False)),
    "native runs": (20000, lambda runner: runner.run(palitra.job("palitra.echo", b"x" * 1000))),
    "native runs that pend": (500, lambda runner: runner.run(palitra.job("palitra.sleep", seconds=0.0001))),
    "native failures": (2000, lambda runner: expect(palitra.JobError, runner.run, palitra.job("palitra.sleep", b"{"))),
    "native timeouts": (500, lambda runner: expect(TimeoutError, runner.run,
                                                  palitra.job("palitra.sleep", seconds=600), timeout=0)),
    "native gathers": (500, lambda runner: runner.gather(*[palitra.job("palitra.echo", b"x")] * 10, limit=3)),
    "native submits": (2000, lambda runner: runner.submit(palitra.job("palitra.echo", b"x" * 1000)).result(20)),
    "failing native submits": (1000, lambda runner: expect(palitra.JobError, lambda: runner.submit(
                                                        palitra.job("palitra.sleep", b"{")).result(20))),
    "mixed gathers": (200, lambda runner: runner.gather(noop(), palitra.job("palitra.echo", b"x"))),
}  # fmt: skip


@pytest.mark.parametrize("name", ACTIONS)
def test_a_thousand_calls(runner: EventLoopThreadRunner, name: str) -> None:
    times, action = ACTIONS[name]
    check_no_growth(lambda: action(runner), times)


@pytest.mark.parametrize("name", ["runs", "failures", "gathers", "gathers that return exceptions", "submits",
                                  "failing submits", "native runs", "native submits", "failing native submits",
                                  "native gathers"])  # fmt: skip
def test_no_call_leaves_work_for_the_garbage_collector(runner: EventLoopThreadRunner, name: str) -> None:
    _, action = ACTIONS[name]
    action(runner)
    # What pytest and threads of earlier tests leave is there once; what calls leave is there each time.
    assert min(collected(lambda: [action(runner) for _ in range(100)], runner) for _ in range(3)) < 100


def collected(calls: Callable[[], object], runner: EventLoopThreadRunner) -> int:
    """How many objects only the garbage collector can free after these calls."""
    runner.run(noop())
    gc.collect()
    gc.disable()
    try:
        calls()
        runner.run(noop())
        return gc.collect()
    finally:
        gc.enable()


def test_many_loops_that_awaited_a_native_job() -> None:
    async def work() -> None:
        await palitra.job("palitra.echo", b"x")

    check_no_growth(lambda: asyncio.run(work()), 100)


def test_a_hundred_native_runners() -> None:
    library = palitra.load(os.environ.get("PALITRA_LIBRARY") or palitra.job("palitra.echo").library.path)

    def action() -> None:
        with library.Runner() as runner:
            runner.run(runner.job("palitra.echo", b"x"))

    check_no_growth(action, 100)
