"""Native jobs awaited in asyncio loops, uvloop's too: through one queue for each loop, with nothing left behind."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import palitra
import pytest
import uvloop


@pytest.fixture(scope="module")
def tests(request: pytest.FixtureRequest) -> palitra.Library:
    path: Path = request.getfixturevalue("test_jobs")
    return palitra.load(path)


Run = Callable[[Any], Any]


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    """Runs a coroutine in a loop of its own, as asyncio.run does."""

    def run(coroutine: Any) -> Any:
        loop = request.param()
        try:
            return loop.run_until_complete(asyncio.wait_for(coroutine, 40))
        finally:
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()

    return run


def drops(tests: palitra.Library) -> int:
    return int(tests.run(tests.job("test.drops")))


async def until_started(tests: palitra.Library) -> None:
    """Waits until the jobs that tasks of this loop are about to submit have started. A job that is cancelled before it
    starts leaves nothing to drop. Jobs start in the order of their submission."""
    await asyncio.sleep(0)
    await tests.job("palitra.sleep", seconds=0.001)


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_a_job_is_awaited(run: Run) -> None:
    async def work() -> tuple[Any, Any]:
        return await palitra.job("palitra.echo", b"x"), await palitra.job("palitra.sleep", seconds=0.01)

    assert run(work()) == (b"x", {"seconds": 0.01})


def test_the_loop_turns_meanwhile(run: Run) -> None:
    async def work() -> int:
        turns = 0
        job = asyncio.ensure_future(palitra.job("palitra.sleep", seconds=0.2))
        while not job.done():
            turns += 1
            await asyncio.sleep(0.005)
        return turns

    assert run(work()) > 5


def test_a_thousand_at_once(run: Run) -> None:
    async def work() -> list[Any]:
        jobs = [palitra.job("palitra.sleep", seconds=0.001 * (number % 7)) for number in range(500)]
        echoes = [palitra.job("palitra.echo", str(number).encode()) for number in range(500)]
        return await asyncio.gather(*jobs, *echoes)

    results = run(work())
    assert results[500:] == [str(number).encode() for number in range(500)]
    assert [result["seconds"] for result in results[:500]] == [0.001 * (number % 7) for number in range(500)]


def test_jobs_and_coroutines_in_one_gather(run: Run) -> None:
    async def coroutine() -> str:
        await asyncio.sleep(0.001)
        return "coroutine"

    async def work() -> Any:
        return await asyncio.gather(coroutine(), palitra.job("palitra.echo", b"job"))

    assert run(work()) == ["coroutine", b"job"]
    assert palitra.gather(coroutine(), palitra.job("palitra.echo", b"job"), coroutine()) == [
        "coroutine",
        b"job",
        "coroutine",
    ]


def test_many_loops_in_many_threads(run: Run) -> None:
    errors: list[BaseException] = []

    def thread(number: int) -> None:
        async def work() -> None:
            for turn in range(30):
                text = f"{number} {turn}".encode()
                assert await palitra.job("palitra.echo", text) == text
                await palitra.job("palitra.sleep", seconds=0.0005)

        try:
            run(work())
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=thread, args=(number,)) for number in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert not errors
    assert not any(one.is_alive() for one in threads)


def test_cancelling_reaps_the_job(tests: palitra.Library, run: Run) -> None:
    async def work() -> None:
        task = asyncio.ensure_future(tests.job("test.never"))
        await until_started(tests)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        task = asyncio.ensure_future(tests.job("test.never"))
        await until_started(tests)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(task, 0.02)

    before = drops(tests)
    run(work())
    wait_for(lambda: drops(tests) == before + 2)


def test_a_task_cancelled_at_the_moment_of_the_end_is_one_or_the_other(run: Run) -> None:
    async def work() -> None:
        for number in range(300):
            task = asyncio.ensure_future(palitra.job("palitra.sleep", seconds=0.0005))
            await asyncio.sleep(0.0001 * (number % 12))
            task.cancel()
            try:
                assert await task == {"seconds": 0.0005}
            except asyncio.CancelledError:
                pass
        assert await palitra.job("palitra.echo", b"x") == b"x"

    run(work())


def test_a_loop_closed_with_jobs_under_way_leaves_nothing(tests: palitra.Library) -> None:
    left: list[Any] = []

    async def leave() -> None:
        left.extend(asyncio.ensure_future(tests.job("test.never")) for _ in range(10))
        await until_started(tests)

    before = drops(tests)
    asyncio.run(leave())
    wait_for(lambda: drops(tests) == before + 10)


@pytest.mark.parametrize("factory", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_loop_closed_without_cancelling_harms_nobody(tests: palitra.Library, factory: Any) -> None:
    async def wait(job: palitra.Job) -> None:
        await job

    for _ in range(5):
        loop = factory()
        loop.set_exception_handler(lambda loop, context: None)
        tasks = [loop.create_task(wait(tests.job("palitra.sleep", seconds=0.05))) for _ in range(5)]
        loop.run_until_complete(asyncio.sleep(0.01))
        for task in tasks:
            task._log_destroy_pending = False
        loop.close()
        del tasks, loop
    gc.collect()
    time.sleep(0.1)  # The jobs end now, and their loops are gone.
    assert asyncio.run(asyncio.wait_for(tests.job("palitra.echo", b"x"), 20)) == b"x"


def test_a_loop_is_free_of_readers_between_jobs() -> None:
    # A watched descriptor would cost the loop time in each iteration, and keep it from being closed cleanly.
    async def work() -> tuple[int, int]:
        watched: list[Any] = []
        loop = asyncio.get_running_loop()
        add = loop.add_reader
        loop.add_reader = lambda fd, *rest: (watched.append(fd), add(fd, *rest))  # type: ignore[method-assign]
        await palitra.job("palitra.sleep", seconds=0.001)
        return len(watched), sum(loop.remove_reader(fd) for fd in watched)

    watched, left = asyncio.run(work())
    assert watched >= 1
    assert left == 0


def test_many_loops_leave_no_files(run: Run) -> None:
    async def work() -> None:
        await palitra.job("palitra.sleep", seconds=0.0001)

    run(work())
    gc.collect()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(30):
        run(work())
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) <= before + 1


def test_a_job_is_awaited_on_palitras_own_loop_and_runner(tests: palitra.Library) -> None:
    with tests.Runner(thread_name="its own") as runner:

        async def work() -> Any:
            return await runner.job("palitra.echo", b"x")

        assert palitra.run(work()) == b"x"
        assert runner.stats()["submitted"] == 1


def test_awaiting_outside_a_loop_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="no running event loop"):
        palitra.job("palitra.echo", b"x").__await__().__next__()


def test_asyncio_tools_take_a_job(run: Run) -> None:
    async def work() -> None:
        job = palitra.job("palitra.echo", b"x")
        assert await asyncio.wait_for(job, 20) == b"x"
        assert await asyncio.shield(asyncio.ensure_future(job)) == b"x"
        done, _ = await asyncio.wait([asyncio.ensure_future(job)], timeout=20)
        assert done.pop().result() == b"x"
        assert [await one for one in asyncio.as_completed([asyncio.ensure_future(job)])] == [b"x"]

    run(work())
