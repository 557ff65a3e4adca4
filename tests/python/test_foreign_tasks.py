"""A task or future of another loop is refused before it is stepped, and stays whole for its owner."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import palitra
import pytest


async def later() -> str:
    await asyncio.sleep(0.01)
    return "done"


def as_completed(task: Any) -> Any:
    return [future.result() for future in palitra.as_completed(task)]


WAYS: dict[str, Callable[[Any], Any]] = {
    "run": palitra.run,
    "run with a timeout": lambda task: palitra.run(task, timeout=10),
    "gather": lambda task: palitra.gather(later(), task),
    "submit": lambda task: palitra.submit(task).result(10),
    "as_completed": as_completed,
}


@pytest.mark.parametrize("way", WAYS)
def test_a_task_of_the_callers_loop_is_refused_and_stays_its_own(way: str) -> None:
    async def main() -> str:
        task = asyncio.ensure_future(later())
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="belongs to another event loop"):
            WAYS[way](task)
        return await task

    assert asyncio.run(main()) == "done"


def test_a_future_of_another_loop_is_refused() -> None:
    with contextlib.closing(asyncio.new_event_loop()) as loop:
        future: asyncio.Future[int] = loop.create_future()
        with pytest.raises(RuntimeError, match="belongs to another event loop"):
            palitra.run(future)
        loop.call_soon(future.set_result, 5)
        assert loop.run_until_complete(future) == 5


def test_a_task_of_the_runners_loop_is_awaited() -> None:
    async def start() -> asyncio.Task[str]:
        return asyncio.create_task(later())

    assert palitra.run(palitra.run(start())) == "done"
    assert palitra.gather(palitra.run(start()), later()) == ["done", "done"]
