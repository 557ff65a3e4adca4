"""What the tests of native jobs share beside the fixtures: the count of dropped jobs, of jobs in flight, loops."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import palitra
import pytest
import uvloop
from waits import wait_until

#: How the loops that jobs are awaited in are made, by name.
LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}

#: Gives a test the maker of each loop as ``factory``.
each_loop = pytest.mark.parametrize("factory", LOOPS.values(), ids=LOOPS.keys())

#: Runs a coroutine in a loop of its own: the fixture ``run``.
Run = Callable[[Any], Any]


def in_flight(runner: palitra.Library | palitra.Runner) -> int:
    """In one look: between two a queued job may have begun."""
    stats = runner.stats()
    return stats["running"] + stats["queued"]


def drops(tests: palitra.Library) -> int:
    """How many jobs test.never were dropped in this process."""
    return int(tests.run(tests.job("test.drops")))


def drops_of_others(tests: palitra.Library) -> int:
    """The same, once no job of another test is in flight: one that is dropped late would be counted as this test's."""
    wait_until(lambda: in_flight(tests) == 0, "no job of another test was in flight")
    return drops(tests)


async def until_started(tests: palitra.Library) -> None:
    """Waits until the jobs that tasks of this loop are about to submit have started. A job that is cancelled before it
    starts leaves nothing to drop. Jobs start in the order of their submission."""
    await asyncio.sleep(0)
    await tests.job("palitra.sleep", seconds=0.001)
