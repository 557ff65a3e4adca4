"""``gather_async``: many native jobs awaited as one."""

from __future__ import annotations

import asyncio
from typing import Any

import palitra
import pytest
from native import Run, drops, drops_of_others, until_started
from waits import wait_until


def test_gather_async_returns_the_replies_in_order(tests: palitra.Library, run: Run) -> None:
    async def work(limit: int | None) -> None:
        jobs = [palitra.job("palitra.sleep", seconds=0.0001 * (number % 7)) for number in range(600)]
        echoes = [palitra.job("palitra.echo", str(number).encode()) for number in range(600)]
        values = await palitra.gather_async(*echoes, *jobs, *echoes, limit=limit)
        assert values[:600] == values[1200:] == [str(number).encode() for number in range(600)]
        assert [value["seconds"] for value in values[600:1200]] == [0.0001 * (number % 7) for number in range(600)]
        with_deadline = [job.with_deadline(30) if number % 3 else job for number, job in enumerate(jobs)]
        assert len(await palitra.gather_async(*with_deadline, limit=limit)) == 600

    run(work(None))
    run(work(7))
    assert run(palitra.gather_async()) == []


def test_gather_async_raises_the_first_failure_in_time_or_returns_all(tests: palitra.Library, run: Run) -> None:
    slow = tests.job("palitra.sleep", seconds=0.05)
    late = tests.job("test.panic_later", "late")
    failing = tests.job("test.fail", code=7, message="no")

    async def work() -> None:
        with pytest.raises(palitra.JobPanickedError):
            await palitra.gather_async(slow, late)
        with pytest.raises(palitra.JobError):
            await palitra.gather_async(slow, late, failing)
        values = await palitra.gather_async(slow, late, failing, return_exceptions=True)
        assert [type(value) for value in values] == [dict, palitra.JobPanickedError, palitra.JobError]

    run(work())


def test_gather_async_waits_for_room_in_its_own_runner(tests: palitra.Library, run: Run) -> None:
    with tests.Runner(max_in_flight=3) as runner:
        jobs = [runner.job("palitra.sleep", seconds=0.002) for _ in range(20)]
        assert len(run(palitra.gather_async(*jobs))) == 20


def test_cancelling_gather_async_cancels_its_jobs(tests: palitra.Library, run: Run) -> None:
    async def work() -> None:
        jobs = [tests.job("test.never") for _ in range(10)]
        task = asyncio.create_task(palitra.gather_async(*jobs))
        await until_started(tests)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    before = drops_of_others(tests)
    run(work())
    wait_until(lambda: drops(tests) == before + 10, "all ten jobs were dropped")


def test_gather_async_lets_the_loop_turn_between_many_ready_jobs(run: Run) -> None:
    async def work() -> int:
        jobs = [palitra.job("palitra.echo", b"x")] * 20_000
        gathering = asyncio.ensure_future(palitra.gather_async(*jobs))
        turns = 0
        while not gathering.done():
            turns += 1
            await asyncio.sleep(0)
        return turns

    assert run(work()) > 5


@pytest.mark.parametrize("wrong", [1, "text", None, b"x"])
def test_gather_async_takes_jobs_of_one_library_only(tests: palitra.Library, run: Run, wrong: Any) -> None:
    with pytest.raises(TypeError, match="jobs of one library"):
        run(palitra.gather_async(palitra.job("palitra.echo"), wrong))
    with pytest.raises(TypeError, match="jobs of one library"):
        run(palitra.gather_async(palitra.job("palitra.echo"), tests.job("palitra.echo")))
    with pytest.raises(ValueError, match="at least 1"):
        run(palitra.gather_async(palitra.job("palitra.echo"), limit=0))
