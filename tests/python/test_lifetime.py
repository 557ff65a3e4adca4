"""A runner lives as long as what it returned, and no longer."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from palitra import EventLoopThreadRunner
from waits import wait_until


async def work() -> str:
    await asyncio.sleep(0.05)
    return "done"


async def items() -> AsyncIterator[int]:
    for number in range(3):
        await asyncio.sleep(0.01)
        yield number


left: list[str] = []


@asynccontextmanager
async def manager() -> AsyncIterator[str]:
    try:
        yield "entered"
    finally:
        await asyncio.sleep(0.01)
        left.append("left")


def make() -> EventLoopThreadRunner:
    return EventLoopThreadRunner(name="lifetime")


def gone() -> bool:
    return not any(thread.name == "lifetime" for thread in threading.enumerate())


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Any:
    yield
    gc.collect()
    wait_until(gone, "the runner's thread had ended")


def test_a_future_keeps_its_runner() -> None:
    future = make().submit(work())
    gc.collect()
    assert future.result(20) == "done"


def test_work_that_was_submitted_ends_although_nobody_keeps_its_future() -> None:
    ended: list[str] = []

    async def note() -> None:
        await asyncio.sleep(0.05)
        ended.append("ended")

    make().submit(note())
    gc.collect()
    wait_until(lambda: ended, "the work had ended")


def test_a_generator_keeps_its_runner_before_and_after_its_first_step() -> None:
    fresh, begun = make().iterate(items()), make().iterate(items())
    assert next(begun) == 0
    gc.collect()
    assert list(begun) == [1, 2]
    assert list(fresh) == [0, 1, 2]


def test_a_context_manager_keeps_its_runner() -> None:
    with make().enter(manager()) as entered:
        gc.collect()
        assert entered == "entered"
    assert left.pop() == "left"


def test_as_completed_keeps_its_runner() -> None:
    completed = make().as_completed(work(), work())
    gc.collect()
    assert [one.result() for one in completed] == ["done", "done"]


def test_a_generator_that_is_dropped_lets_its_runner_go() -> None:
    generator = make().iterate(items())
    assert next(generator) == 0
    del generator


def test_a_future_that_is_done_keeps_no_runner() -> None:
    future = make().submit(work())
    assert future.result(20) == "done"
    wait_until(gone, "the runner's thread had ended")
    assert future.done()


def test_a_cancelled_future_keeps_no_runner() -> None:
    future = make().submit(asyncio.sleep(600))
    assert future.cancel()
    wait_until(gone, "the runner's thread had ended")
    assert future.cancelled()
