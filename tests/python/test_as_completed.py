"""``as_completed``: futures, done, in order of time; when they are dropped, the rest is cancelled."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections.abc import Iterator

import palitra
import pytest
from palitra import EventLoopThreadRunner


@pytest.fixture
def runner() -> Iterator[EventLoopThreadRunner]:
    with EventLoopThreadRunner() as runner:
        yield runner


async def later(value: int, seconds: float) -> int:
    await asyncio.sleep(seconds)
    return value


async def fail() -> None:
    raise ValueError("failed on purpose")


class Counting:
    def __init__(self) -> None:
        self.running = self.started = self.most = 0
        self.ended = threading.Event()

    async def work(self, seconds: float = 60) -> None:
        self.started += 1
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await asyncio.sleep(seconds)
        finally:
            self.running -= 1
            if self.running == 0:
                self.ended.set()


def test_futures_come_in_order_of_time(runner: EventLoopThreadRunner) -> None:
    futures = list(runner.as_completed(later(0, 0.2), later(1, 0.1), later(2, 0)))
    assert [future.result() for future in futures] == [2, 1, 0]
    assert [future.index for future in futures] == [2, 1, 0]  # type: ignore[attr-defined]
    assert all(future.done() for future in futures)


def test_the_first_comes_before_the_last_has_ended(runner: EventLoopThreadRunner) -> None:
    counting = Counting()
    futures = runner.as_completed(counting.work(), later(1, 0))
    assert next(futures).result() == 1
    assert counting.running == 1
    futures.close()
    assert counting.ended.wait(10)


def test_errors_are_in_their_futures(runner: EventLoopThreadRunner) -> None:
    by_index = {future.index: future for future in runner.as_completed(fail(), later(1, 0))}  # type: ignore[attr-defined]
    assert isinstance(by_index[0].exception(), ValueError)
    assert by_index[1].result() == 1


def test_a_cancelled_future_is_yielded_like_the_others(runner: EventLoopThreadRunner) -> None:
    async def cancelled() -> None:
        raise asyncio.CancelledError

    (future,) = runner.as_completed(cancelled())
    with pytest.raises(palitra.CancelledError):
        future.result()


def test_no_more_than_the_limit_run_at_a_time(runner: EventLoopThreadRunner) -> None:
    counting = Counting()
    assert len(list(runner.as_completed(*[counting.work(0.01) for _ in range(9)], limit=2))) == 9
    assert counting.most == 2


def test_closing_it_cancels_the_rest_and_closes_what_never_started(runner: EventLoopThreadRunner) -> None:
    counting = Counting()
    futures = runner.as_completed(later(1, 0), *[counting.work() for _ in range(5)], limit=3)
    assert next(futures).result() == 1
    futures.close()
    assert counting.ended.wait(10)
    gc.collect()
    assert counting.started <= 3


def test_a_timeout_cancels_the_rest(runner: EventLoopThreadRunner) -> None:
    counting = Counting()
    futures = runner.as_completed(later(1, 0), counting.work(), timeout=0.2)
    assert next(futures).result() == 1
    with pytest.raises(TimeoutError, match=r"timed out after 0\.2 seconds"):
        next(futures)
    assert counting.ended.wait(10)


def test_none_is_none(runner: EventLoopThreadRunner) -> None:
    assert list(runner.as_completed()) == []


def test_a_wrong_argument_is_an_error(runner: EventLoopThreadRunner) -> None:
    with pytest.raises(TypeError, match=r"An asyncio\.Future, a coroutine or an awaitable is required"):
        list(runner.as_completed(later(1, 0), "text"))  # type: ignore[arg-type]
    gc.collect()


def test_what_is_never_stepped_leaves_no_warning(runner: EventLoopThreadRunner) -> None:
    futures = runner.as_completed(later(1, 0), later(2, 0))
    del futures
    gc.collect()


def test_closing_the_runner_meanwhile_ends_it() -> None:
    runner = EventLoopThreadRunner()
    counting = Counting()
    futures = runner.as_completed(later(1, 0), *[counting.work() for _ in range(4)], limit=3)
    assert next(futures).result() == 1
    start = time.monotonic()
    runner.close()
    with pytest.raises((asyncio.CancelledError, RuntimeError)):
        [future.result() for future in futures]
    assert time.monotonic() - start < 10
    gc.collect()


def test_stepping_it_on_the_loops_own_thread_is_an_error(runner: EventLoopThreadRunner) -> None:
    futures = runner.as_completed(later(1, 0.01))

    async def step() -> None:
        next(futures)

    with pytest.raises(RuntimeError, match="loop thread"):
        runner.run(step(), timeout=20)


def test_the_global_one() -> None:
    assert [future.result() for future in palitra.as_completed(later(1, 0), limit=1)] == [1]
