"""What asyncio loops that await native jobs take and leave behind: descriptors, files, tasks, forked children."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import resource
import threading
import weakref
from collections.abc import Iterator
from typing import Any

import palitra
import pytest
from native import Run, each_loop, in_flight
from waits import wait_until


@contextlib.contextmanager
def no_descriptor_left() -> Iterator[None]:
    """The system refuses this process any further descriptor meanwhile."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    held: list[int] = []
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(map(int, os.listdir("/proc/self/fd"))) + 10, before[1]))
        with contextlib.suppress(OSError):
            while True:
                held.append(os.open("/dev/null", os.O_RDONLY))
        yield
    finally:
        for one in held:
            os.close(one)
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_a_loop_that_gets_no_descriptor_says_so_and_goes_on_when_there_is_one(tests: palitra.Library, run: Run) -> None:
    async def read() -> None:
        async for _ in runner.job("test.stream", items=0, forever=True):
            pass

    async def work() -> None:
        with no_descriptor_left():
            assert await tests.job("palitra.echo", b"x") == b"x"
            assert await palitra.gather_async(*[tests.job("palitra.echo", b"x")] * 3) == [b"x"] * 3
            for make in (lambda: never, lambda: never, lambda: palitra.gather_async(never, never), read):
                with pytest.raises(palitra.InternalError, match="too many files are open"):
                    await make()
        assert await tests.job("palitra.sleep", seconds=0.001) == {"seconds": 0.001}
        assert await palitra.gather_async(*[tests.job("palitra.sleep", seconds=0.001)] * 3)

    tests.run(tests.job("palitra.echo", b"x"))  # The global runner wants descriptors of its own.
    tests.invoker.completions.pended.clear()
    # A new queue would first free those of the loops of other tests that somebody still holds, and get a descriptor.
    gc.collect()
    tests.invoker.completions.free_closed()
    with tests.Runner() as runner:
        never = runner.job("test.never")
        run(work())
        # What had been submitted by then was cancelled.
        wait_until(lambda: in_flight(runner) == 0, "no job was in flight")
        assert runner.stats()["submitted"] == runner.stats()["cancelled"] == 4


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


@each_loop
def test_a_thousand_loops_leave_no_files_although_somebody_holds_them(factory: Any) -> None:
    async def work() -> None:
        await palitra.job("palitra.sleep", seconds=0.0001)

    held = []
    gc.collect()
    for turn in range(1010):
        loop = factory()
        loop.run_until_complete(work())
        loop.close()
        held.append(loop)
        if turn == 10:
            before = open_files()
    assert open_files() <= before + 2


@each_loop
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_loop_closed_with_jobs_in_flight_is_collected(tests: palitra.Library, factory: Any) -> None:
    async def wait(job: palitra.Job) -> None:
        await job

    def leave() -> weakref.ref[Any]:
        loop = factory()
        loop.set_exception_handler(lambda loop, context: None)
        tasks = [loop.create_task(wait(tests.job("test.never"))) for _ in range(5)]
        loop.run_until_complete(asyncio.sleep(0.01))
        for task in tasks:
            task._log_destroy_pending = False
        loop.close()
        return weakref.ref(loop)

    left = [leave() for _ in range(5)]
    asyncio.run(asyncio.wait_for(tests.job("palitra.echo", b"x"), 20))  # A new loop sees which ones are closed.
    gc.collect()
    assert [loop() for loop in left] == [None] * 5


def test_a_forked_child_of_a_loop_awaits_in_a_loop_of_its_own() -> None:
    async def work() -> None:
        await palitra.job("palitra.sleep", seconds=0.0005)
        await palitra.gather_async(*[palitra.job("palitra.sleep", seconds=0.0005) for _ in range(5)])

    async def fork() -> int:
        under_way = asyncio.ensure_future(work())
        await palitra.job("palitra.sleep", seconds=0.0001)
        child = os.fork()
        if child == 0:
            code = 1
            try:
                thread = threading.Thread(target=lambda: asyncio.run(work()))
                thread.start()
                thread.join(20)
                code = 2 if thread.is_alive() else 0
            finally:
                os._exit(code)
        await under_way
        await work()
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    assert asyncio.run(asyncio.wait_for(fork(), 40)) == 0


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
