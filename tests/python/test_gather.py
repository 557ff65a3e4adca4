"""``gather``: results in order, the first failure in time, a limit that holds, nothing left waiting."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import sys
import threading
import time
from collections.abc import Generator, Iterator
from typing import Any

import palitra
import pytest
import uvloop
from palitra import EventLoopThreadRunner
from waits import wait_until


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def runner(request: pytest.FixtureRequest) -> Iterator[EventLoopThreadRunner]:
    with EventLoopThreadRunner(loop_factory=request.param) as runner:
        yield runner


async def ready(value: int) -> int:
    return value


async def later(value: int, seconds: float = 0.01) -> int:
    await asyncio.sleep(seconds)
    return value


async def fail(seconds: float = 0) -> None:
    await asyncio.sleep(seconds)
    raise ValueError(f"after {seconds}")


class Counting:
    """Coroutines that count how many of them run at a time, and how many started and ended."""

    def __init__(self) -> None:
        self.running = self.most = self.started = self.ended = 0

    async def work(self, seconds: float = 0.01) -> None:
        self.started += 1
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await asyncio.sleep(seconds)
        finally:
            self.running -= 1
            self.ended += 1


@pytest.mark.parametrize("make", [ready, later])
@pytest.mark.parametrize("limit", [None, 1, 3, 1000])
def test_results_are_in_order(runner: EventLoopThreadRunner, make: Any, limit: int | None) -> None:
    assert runner.gather(*map(make, range(20)), limit=limit) == list(range(20))


def test_all_run_at_the_same_time(runner: EventLoopThreadRunner) -> None:
    async def meet(barrier: list[asyncio.Event], index: int) -> int:
        barrier[index].set()
        for event in barrier:
            await event.wait()
        return index

    async def events() -> list[asyncio.Event]:
        return [asyncio.Event() for _ in range(50)]

    barrier = runner.run(events())
    assert runner.gather(*[meet(barrier, index) for index in range(50)], timeout=20) == list(range(50))


@pytest.mark.parametrize("limit", [1, 3])
def test_no_more_than_the_limit_run_at_a_time(runner: EventLoopThreadRunner, limit: int) -> None:
    counting = Counting()
    runner.gather(*[counting.work() for _ in range(12)], limit=limit)
    assert (counting.most, counting.ended) == (limit, 12)


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_that_lets_nothing_through_is_refused(runner: EventLoopThreadRunner, limit: int) -> None:
    coroutine = ready(1)
    for call in (runner.gather, runner.as_completed):
        with pytest.raises(ValueError, match="limit must be at least 1"):
            call(coroutine, limit=limit)
    coroutine.close()


def test_the_first_failure_in_time_is_raised_and_the_others_run_on(runner: EventLoopThreadRunner) -> None:
    released, ended = asyncio.Event(), threading.Event()

    async def other() -> None:
        await released.wait()
        ended.set()

    async def release() -> None:
        released.set()

    with pytest.raises(ValueError, match=r"after 0\.01"):
        runner.gather(other(), fail(0.05), fail(0.01))
    assert not ended.is_set()
    runner.run(release())
    assert ended.wait(10)


def test_a_failure_closes_what_the_limit_kept_from_starting(runner: EventLoopThreadRunner) -> None:
    counting = Counting()
    with pytest.raises(ValueError, match="after 0"):
        runner.gather(fail(), *[counting.work() for _ in range(5)], limit=1)
    runner.run(later(1, 0.05))
    gc.collect()
    assert counting.started == 0


def test_exceptions_are_among_the_results(runner: EventLoopThreadRunner) -> None:
    async def cancelled() -> None:
        raise asyncio.CancelledError

    results = runner.gather(later(1), fail(), ready(2), cancelled(), return_exceptions=True, limit=2)
    assert type(results[1]) is ValueError
    assert results[0] == 1
    assert results[2] == 2
    assert isinstance(results[3], asyncio.CancelledError)


def test_system_exit_is_raised_even_where_exceptions_are_returned(runner: EventLoopThreadRunner) -> None:
    async def leave() -> None:
        sys.exit(3)

    with pytest.raises(SystemExit):
        runner.gather(leave(), later(1), return_exceptions=True)
    assert runner.run(ready(1)) == 1


@pytest.mark.parametrize("limit", [None, 2])
def test_a_timeout_cancels_all(runner: EventLoopThreadRunner, limit: int | None) -> None:
    counting = Counting()
    with pytest.raises(TimeoutError, match=r"timed out after 0\.5 seconds"):
        runner.gather(*[counting.work(60) for _ in range(5)], timeout=0.5, limit=limit)
    gc.collect()
    wait_until(lambda: counting.running == 0, "all were cancelled")
    assert counting.started == (limit or 5)


def test_a_timeout_holds_though_one_swallows_it(runner: EventLoopThreadRunner) -> None:
    released = threading.Event()

    async def swallow() -> None:
        while not released.is_set():
            try:
                await asyncio.sleep(0.01)
            except asyncio.CancelledError:
                pass

    start = time.monotonic()
    with pytest.raises(TimeoutError):
        runner.gather(swallow(), later(1), timeout=0.1)
    assert time.monotonic() - start < 5
    released.set()


def test_the_same_coroutine_twice_runs_once(runner: EventLoopThreadRunner) -> None:
    coroutine = later(7)
    assert runner.gather(coroutine, ready(1), coroutine) == [7, 1, 7]


def test_the_same_awaitable_twice_keeps_the_limit_and_the_context(runner: EventLoopThreadRunner) -> None:
    counting = Counting()
    variable: contextvars.ContextVar[int] = contextvars.ContextVar("variable", default=0)
    variable.set(7)

    async def work() -> int:
        await counting.work()
        return variable.get()

    class Awaitable:
        def __await__(self) -> Generator[Any, None, int]:
            return work().__await__()

    twice = Awaitable()
    assert runner.gather(twice, twice, *[work() for _ in range(8)], limit=2) == [7] * 10
    assert counting.most <= 2


def test_a_future_of_the_loop_is_awaited(runner: EventLoopThreadRunner) -> None:
    async def start() -> asyncio.Future[int]:
        return asyncio.ensure_future(later(5))

    future = runner.run(start())
    assert runner.gather(future, ready(1), future) == [5, 1, 5]


@pytest.mark.parametrize("times", [1, 2])
def test_a_future_of_another_loop_is_an_error(runner: EventLoopThreadRunner, times: int) -> None:
    other = asyncio.new_event_loop()
    future = other.create_future()
    with pytest.raises((ValueError, RuntimeError), match="loop"):
        runner.gather(*[future] * times, timeout=20)
    other.close()
    assert runner.run(ready(1)) == 1


def test_a_wrong_argument_closes_the_others(runner: EventLoopThreadRunner) -> None:
    with pytest.raises(TypeError, match=r"An asyncio\.Future, a coroutine or an awaitable is required"):
        runner.gather(ready(1), "text", ready(2))  # type: ignore[arg-type]
    gc.collect()


def test_a_task_factory_that_fails_is_an_error_and_no_hang(runner: EventLoopThreadRunner) -> None:
    def refuse(loop: Any, coroutine: Any, **options: Any) -> Any:
        raise ValueError("no task")

    async def set_factory(factory: Any) -> None:
        asyncio.get_running_loop().set_task_factory(factory)

    runner.run(set_factory(refuse))
    for call in (runner.run, runner.gather):
        with pytest.raises(ValueError, match="no task"):
            call(ready(1), timeout=20)
    runner.get_loop().set_task_factory(None)
    assert runner.gather(ready(1)) == [1]


@pytest.mark.parametrize("limit", [None, 2])
def test_closing_meanwhile_ends_it(limit: int | None) -> None:
    counting = Counting()
    runner = EventLoopThreadRunner()

    async def close_soon() -> None:
        while counting.running < 2:
            await asyncio.sleep(0.001)
        threading.Thread(target=runner.close).start()

    closer = runner.submit(close_soon())
    with pytest.raises((asyncio.CancelledError, RuntimeError)):
        runner.gather(*[counting.work(60) for _ in range(6)], limit=limit)
    closer.result(10)
    gc.collect()
    assert counting.running == 0
    assert counting.started == (limit or 6)


def test_context_variables_are_each_ones_own(runner: EventLoopThreadRunner) -> None:
    variable: contextvars.ContextVar[int] = contextvars.ContextVar("variable")
    variable.set(1)

    async def change(number: int) -> tuple[int, int]:
        before = variable.get()
        variable.set(number)
        await asyncio.sleep(0)
        return before, variable.get()

    assert runner.gather(*map(change, range(5))) == [(1, number) for number in range(5)]
    assert variable.get() == 1


def test_on_the_loops_own_thread_it_is_an_error(runner: EventLoopThreadRunner) -> None:
    async def nested() -> None:
        runner.gather(ready(1))

    with pytest.raises(RuntimeError, match=r"Cannot call gather\(\) from the loop thread"):
        runner.run(nested())
    gc.collect()


def test_the_global_one() -> None:
    assert palitra.gather(ready(1), later(2), limit=1) == [1, 2]
