"""What a thread asks of the loop besides a result: to call a function there, to start a task that says when it is
ready, to let work end before it closes. As users of anyio's portal know it.
"""

from __future__ import annotations

import asyncio
import functools
import threading
import time
from collections.abc import Iterator
from typing import Any

import palitra
import pytest
from asynchronous import stubborn
from palitra import EventLoopThreadRunner
from waits import wait_until


@pytest.fixture
def runner() -> Iterator[EventLoopThreadRunner]:
    with EventLoopThreadRunner() as runner:
        yield runner


async def double(number: int) -> int:
    await asyncio.sleep(0.01)
    return 2 * number


# A function on the loop.


def test_a_function_is_called_where_the_loop_runs(runner: EventLoopThreadRunner) -> None:
    assert runner.call(asyncio.get_running_loop) is runner.get_loop()
    assert runner.call(threading.current_thread).name == "LoopThread"
    assert runner.call(functools.partial(int, "11", base=2)) == 3
    assert palitra.call(len, "four") == 4


def test_what_it_returns_is_awaited_if_it_can_be(runner: EventLoopThreadRunner) -> None:
    assert runner.call(double, 4) == 8
    with pytest.raises(TimeoutError):
        runner.call(asyncio.sleep, 60, timeout=0.01)


def test_what_it_raises_reaches_the_caller(runner: EventLoopThreadRunner) -> None:
    def fail() -> None:
        raise LookupError("failed on purpose")

    with pytest.raises(LookupError, match="failed on purpose"):
        runner.call(fail)


# A task that says when it is ready.


async def serve(port: int, *, task_status: palitra.TaskStatus[str]) -> str:
    await asyncio.sleep(0.01)
    task_status.started(f"listens on {port}")
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        return "ended"
    return "never"


def test_a_task_is_started_when_it_says_so(runner: EventLoopThreadRunner) -> None:
    future, value = runner.start_task(serve, 80)
    assert value == "listens on 80"
    assert not future.done()
    assert future.cancel()


def test_a_started_task_goes_on_and_has_a_result(runner: EventLoopThreadRunner) -> None:
    release = runner.call(asyncio.Event)

    async def work(task_status: palitra.TaskStatus[None]) -> str:
        task_status.started()
        await release.wait()
        return "worked"

    future, value = palitra.start_task(work) if runner is None else runner.start_task(work)
    assert value is None
    runner.call(release.set)
    assert future.result(10) == "worked"


def test_what_a_task_raises_before_it_is_started_is_raised(runner: EventLoopThreadRunner) -> None:
    async def fail(*, task_status: Any) -> None:
        raise LookupError("no such port")

    with pytest.raises(LookupError, match="no such port"):
        runner.start_task(fail)


def test_a_task_that_ends_without_having_started_is_an_error(runner: EventLoopThreadRunner) -> None:
    async def silent(*, task_status: Any) -> int:
        return 1

    with pytest.raises(RuntimeError, match="silent ended without having called task_status.started()"):
        runner.start_task(silent)


def test_a_task_that_is_not_ready_in_time_is_cancelled(runner: EventLoopThreadRunner) -> None:
    cancelled = threading.Event()

    async def slow(*, task_status: Any) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            cancelled.set()

    with pytest.raises(TimeoutError):
        runner.start_task(slow, timeout=0.5)
    assert cancelled.wait(10)


def test_a_task_is_started_once(runner: EventLoopThreadRunner) -> None:
    async def twice(*, task_status: palitra.TaskStatus[int]) -> None:
        task_status.started(1)
        task_status.started(2)

    future, value = runner.start_task(twice)
    assert value == 1
    with pytest.raises(RuntimeError, match="said before"):
        future.result(10)


# Names.


async def own_name() -> str:
    task = asyncio.current_task()
    assert task is not None
    return task.get_name()


def test_tasks_bear_the_name_that_was_given(runner: EventLoopThreadRunner) -> None:
    assert runner.run(own_name(), name="mine") == "mine"
    assert runner.submit(own_name(), name="mine").result(10) == "mine"
    assert runner.run(own_name()) == "own_name"

    async def started(*, task_status: palitra.TaskStatus[str]) -> None:
        task_status.started(await own_name())

    assert runner.start_task(started, name="mine")[1] == "mine"
    assert runner.start_task(started)[1].endswith("started")


# An end that lets work end.


def test_a_close_without_cancel_lets_running_work_end_and_refuses_new() -> None:
    runner = EventLoopThreadRunner()
    refused: list[str] = []

    async def work() -> str:
        await asyncio.sleep(0.3)
        coroutine = double(1)
        try:
            runner.submit(coroutine)
        except RuntimeError as error:
            refused.append(str(error))
        return "ended by itself"

    futures = [runner.submit(work()) for _ in range(3)]
    generator = runner.iterate(counted(3))
    assert next(generator) == 0
    consumer = threading.Thread(target=lambda: (time.sleep(0.1), list(generator)))
    consumer.start()
    runner.close(cancel=False)
    consumer.join(10)
    assert [future.result(0) for future in futures] == ["ended by itself"] * 3
    assert refused == ["Event loop is closed: this runner was closed"] * 3
    with pytest.raises(RuntimeError, match="closed"):
        runner.run(double(1))
    assert not runner.is_alive()
    assert not runner.get_loop().is_running()


async def counted(number: int) -> Any:
    for one in range(number):
        yield one


def test_what_has_not_ended_in_time_is_cancelled() -> None:
    runner = EventLoopThreadRunner()
    endless, short = runner.submit(asyncio.sleep(60)), runner.submit(double(2))
    before = time.monotonic()
    runner.close(0.3, cancel=False)
    assert 0.25 < time.monotonic() - before < 10
    assert short.result(0) == 4
    assert endless.cancelled()


def test_a_gather_that_failed_ends_with_the_others(runner: EventLoopThreadRunner) -> None:
    ended: list[str] = []

    async def later() -> None:
        await asyncio.sleep(0.2)
        ended.append("later")

    async def fail() -> None:
        await asyncio.sleep(0.01)
        raise ValueError

    with pytest.raises(ValueError):
        runner.gather(fail(), later())
    runner.close(cancel=False)
    assert ended == ["later"]


def test_an_idle_runner_drains_at_once_and_again() -> None:
    for used in (True, False):
        runner = EventLoopThreadRunner()
        assert not used or runner.run(double(1)) == 2
        runner.close(cancel=False)
        runner.close(cancel=False)
        assert not runner.is_alive()


def test_the_global_runner_drains_and_the_next_use_starts_another() -> None:
    future = palitra.submit(asyncio.sleep(0.3, "ended by itself"))
    loop = palitra.call(asyncio.get_running_loop)
    closer = threading.Thread(target=palitra.shutdown_global_runner, kwargs={"cancel": False})
    closer.start()
    wait_until(lambda: palitra.run(double(1)) and palitra.call(asyncio.get_running_loop) is not loop, "another loop")
    assert future.result(10) == "ended by itself"
    closer.join(10)
    assert not closer.is_alive()


def test_a_coroutine_of_the_runner_requests_the_drain() -> None:
    runner = EventLoopThreadRunner()
    thread = runner.call(threading.current_thread)

    async def last() -> str:
        runner.close(cancel=False)
        await asyncio.sleep(0.1)
        return "ended by itself"

    assert runner.run(last()) == "ended by itself"
    thread.join(10)
    assert not thread.is_alive()


def test_a_function_that_is_awaited_there_cannot_wait_for_the_drain(runner: EventLoopThreadRunner) -> None:
    with pytest.raises(palitra.WouldDeadlockError, match="cannot wait for the work that awaits it"):
        runner.run(palitra.to_async(runner.close)(cancel=False))
    assert runner.run(double(1)) == 2


def test_a_drain_ends_when_another_closes_the_runner_for_good() -> None:
    runner = EventLoopThreadRunner()

    runner.submit(stubborn())
    drain = threading.Thread(target=runner.close, kwargs={"cancel": False})
    drain.start()
    runner.close(0.2)
    drain.join(20)
    assert not drain.is_alive()


# Functions in threads learn that nobody waits for them.


def test_a_function_in_a_thread_learns_that_it_is_cancelled(runner: EventLoopThreadRunner) -> None:
    started, ended = threading.Event(), threading.Event()

    @palitra.to_async
    def work() -> None:
        palitra.check_cancelled()
        started.set()
        try:
            while True:
                time.sleep(0.005)
                palitra.check_cancelled()
        except palitra.CancelledError:
            ended.set()
            raise

    future = runner.submit(work())
    assert started.wait(10)
    future.cancel()
    assert ended.wait(10)


def test_it_learns_so_on_the_waiting_thread_and_after_a_nested_wait(runner: EventLoopThreadRunner) -> None:
    seen: list[str] = []

    @palitra.to_async(thread_sensitive=True)
    def work() -> None:
        try:
            palitra.to_sync(asyncio.sleep)(60)
        except palitra.CancelledError:
            seen.append("the nested wait")
        try:
            palitra.check_cancelled()
        except palitra.CancelledError:
            seen.append("check_cancelled")

    async def cancelled_soon() -> None:
        await asyncio.wait_for(work(), 0.1)

    runner.run(cancelled_soon())
    assert seen == ["the nested wait", "check_cancelled"]


def test_elsewhere_it_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="functions that to_async calls"):
        palitra.check_cancelled()
