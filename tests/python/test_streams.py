"""Jobs that stream: as iterators and asynchronous iterators, read no faster than asked for, closed when dropped."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Iterator
from typing import Any

import palitra
import pytest
from waits import wait_until


@pytest.fixture(autouse=True)
def no_stream_is_left(tests: palitra.Library) -> Iterator[None]:
    yield
    gc.collect()
    wait_until(lambda: streams(tests) == 0, "no stream was left")


def streams(tests: palitra.Library) -> int:
    """How many test.stream there are now in this process."""
    return int(tests.run(tests.job("test.streams")))


def numbers(count: int) -> list[str]:
    return [str(number) for number in range(count)]


async def read(job: palitra.Job) -> list[Any]:
    return [item async for item in job]


# For synchronous code.


@pytest.mark.parametrize("count", [0, 1, 5, 1000])
def test_all_items_come_in_order(tests: palitra.Library, count: int) -> None:
    assert list(palitra.iterate(tests.job("test.stream", items=count))) == numbers(count)
    assert list(tests.iterate(tests.job("test.stream", items=count))) == numbers(count)


def test_a_failure_comes_after_the_items_before_it(tests: palitra.Library) -> None:
    seen = []
    with pytest.raises(palitra.JobError, match="failed at 3") as caught:
        seen.extend(palitra.iterate(tests.job("test.stream", items=9, fail_at=3)))
    assert seen == numbers(3)
    assert caught.value.code == 7


def test_a_slow_reader_slows_the_job(tests: palitra.Library) -> None:
    sent: list[tuple[int, int]] = []
    job = tests.job("test.stream", items=10**6).with_progress(lambda done, total: sent.append((done, total)))
    items = palitra.iterate(job)
    for _ in range(3):
        next(items)
    time.sleep(0.1)
    next(items)
    assert sent[-1][0] < 10_000
    assert sent[-1][1] == 10**6
    items.close()


def test_breaking_off_ends_the_job(tests: palitra.Library) -> None:
    for item in palitra.iterate(tests.job("test.stream", items=10**9)):
        if item == "3":
            break


def test_closing_or_dropping_the_generator_ends_the_job(tests: palitra.Library) -> None:
    closed = palitra.iterate(tests.job("test.stream", items=2, forever=True))
    next(closed)
    assert streams(tests) == 1
    closed.close()
    wait_until(lambda: streams(tests) == 0, "no stream was left")
    let_go = palitra.iterate(tests.job("test.stream", items=2, forever=True))
    next(let_go)
    del let_go


def test_a_timeout_is_for_each_item(tests: palitra.Library) -> None:
    items = palitra.iterate(tests.job("test.stream", items=2, forever=True), timeout=0.1)
    assert [next(items), next(items)] == numbers(2)
    with pytest.raises(TimeoutError, match=r"0\.1 seconds"):
        next(items)
    with pytest.raises(StopIteration):
        next(items)


def test_a_deadline_ends_the_stream(tests: palitra.Library) -> None:
    items = palitra.iterate(tests.job("test.stream", items=1, forever=True).with_deadline(0.1))
    assert next(items) == "0"
    with pytest.raises(TimeoutError):
        next(items)


def test_a_job_that_streams_nothing_is_an_empty_iteration(tests: palitra.Library) -> None:
    assert list(palitra.iterate(tests.job("test.ready"))) == []


def test_a_stream_that_was_never_started_leaves_nothing(tests: palitra.Library) -> None:
    palitra.iterate(tests.job("test.stream", items=3))
    gc.collect()
    assert streams(tests) == 0


def test_on_a_runner_of_its_own_that_is_shut_down_meanwhile(tests: palitra.Library) -> None:
    with tests.Runner() as runner:
        items = runner.iterate(runner.job("test.stream", items=1, forever=True))
        assert next(items) == "0"
        runner.shutdown()
        with pytest.raises((palitra.CancelledError, palitra.ShutDownError)):
            next(items)


# In asyncio loops.


@pytest.mark.parametrize("count", [0, 1, 1000])
def test_async_for_reads_all_items(tests: palitra.Library, run: Any, count: int) -> None:
    assert run(read(tests.job("test.stream", items=count))) == numbers(count)


def test_many_streams_beside_each_other(tests: palitra.Library, run: Any) -> None:
    async def work() -> list[list[Any]]:
        return await asyncio.gather(*[read(tests.job("test.stream", items=count)) for count in range(50)])

    assert run(work()) == [numbers(count) for count in range(50)]


def test_async_for_raises_what_the_job_failed_with(tests: palitra.Library, run: Any) -> None:
    with pytest.raises(palitra.JobError, match="failed at 2"):
        run(read(tests.job("test.stream", items=5, fail_at=2)))


def test_the_loop_turns_while_an_item_is_awaited(tests: palitra.Library, run: Any) -> None:
    async def work() -> int:
        reading, turns = asyncio.ensure_future(read(tests.job("test.stream", items=1, forever=True))), 0
        for _ in range(10):
            await asyncio.sleep(0.01)
            turns += 1
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        return turns

    assert run(work()) == 10


def test_a_slow_asynchronous_reader_slows_the_job(tests: palitra.Library, run: Any) -> None:
    async def work() -> int:
        sent = [0]
        job = tests.job("test.stream", items=10**6).with_progress(lambda done, total: sent.append(done))
        items = aiter(job)
        for _ in range(3):
            await anext(items)
        await asyncio.sleep(0.1)
        await anext(items)
        await anext(items)
        await items.aclose()
        return sent[-1]

    assert 3 <= run(work()) < 10_000


def test_aclose_cancel_and_the_loops_end_leave_no_stream(tests: palitra.Library, run: Any) -> None:
    async def close() -> None:
        items = aiter(tests.job("test.stream", items=2, forever=True))
        assert await anext(items) == "0"
        await items.aclose()

    async def cancel() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(read(tests.job("test.stream", items=2, forever=True)), 0.05)

    async def leave() -> None:
        items = aiter(tests.job("test.stream", items=2, forever=True))
        await anext(items)

    for work in (close, cancel, leave):
        run(work())
        wait_until(lambda: streams(tests) == 0, "no stream was left")


def test_through_palitras_loop_and_back(tests: palitra.Library) -> None:
    async def relay() -> Any:
        async for item in tests.job("test.stream", items=3):
            yield int(item)

    assert list(palitra.iterate(relay())) == [0, 1, 2]
    partly = palitra.iterate(relay())
    next(partly)
    partly.close()
