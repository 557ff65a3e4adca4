"""What was cancelled says so: futures are cancelled, errors have every library's name, no task group loses one."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import palitra
import pytest
from native import Run
from palitra import EventLoopThreadRunner

NAMES = [palitra.CancelledError, asyncio.CancelledError, concurrent.futures.CancelledError]


@pytest.fixture(scope="module")
def runner() -> Iterator[EventLoopThreadRunner]:
    with EventLoopThreadRunner() as runner:
        yield runner


async def cancel_itself() -> None:
    raise asyncio.CancelledError("by itself")


def check_cancelled(future: concurrent.futures.Future[Any], message: str = "") -> None:
    """The future is cancelled, and every name catches what it raises."""
    assert concurrent.futures.wait([future], 20).done
    assert (future.cancelled(), future.done(), future.running()) == (True, True, False)
    for name in NAMES:
        for ask in (future.result, future.exception):
            for timeout in (None, 0, 20):
                with pytest.raises(name) as raised:
                    ask(timeout)
                assert type(raised.value) is palitra.CancelledError
                assert message in str(raised.value)


def test_a_cancelled_future_raises_what_every_name_catches(runner: EventLoopThreadRunner) -> None:
    for work in (asyncio.sleep(600), palitra.job("palitra.sleep", seconds=600)):
        future = runner.submit(work)
        assert future.cancel()
        check_cancelled(future)
        assert future.cancel()


def test_the_future_of_work_that_cancels_itself_is_cancelled(runner: EventLoopThreadRunner) -> None:
    called: list[bool] = []
    future = runner.submit(cancel_itself())
    future.add_done_callback(lambda future: called.append(future.cancelled()))
    check_cancelled(future, "by itself")
    (completed,) = runner.as_completed(cancel_itself(), timeout=20)
    check_cancelled(completed, "by itself")
    assert called == [True]


def test_futures_of_a_closed_runner_are_cancelled(tests: palitra.Library) -> None:
    with EventLoopThreadRunner() as runner:
        future = runner.submit(asyncio.sleep(600))
        runner.run(asyncio.sleep(0))  # The other has started by now: what never starts is refused.
    check_cancelled(future)
    with tests.Runner() as native:
        job = native.submit(native.job("test.never"))
    check_cancelled(job)


def test_a_wrapped_future_is_cancelled_with_it(runner: EventLoopThreadRunner) -> None:
    async def wrap() -> bool:
        wrapped = asyncio.wrap_future(runner.submit(cancel_itself()))
        await asyncio.wait([wrapped], timeout=20)
        return wrapped.cancelled()

    assert asyncio.run(wrap())


async def alone(native: palitra.Runner) -> None:
    await native.job("test.never")


async def with_a_deadline(native: palitra.Runner) -> None:
    await native.job("test.never").with_deadline(600)


async def together(native: palitra.Runner) -> None:
    await palitra.gather_async(native.job("test.never"), native.job("test.never"))


async def streamed(native: palitra.Runner) -> None:
    async for _ in native.job("test.stream", items=1, forever=True):
        pass


@pytest.mark.parametrize("wait", [alone, with_a_deadline, together, streamed], ids=lambda wait: wait.__name__)
def test_a_task_whose_job_ends_with_its_runner_fails_and_is_not_cancelled(
    tests: palitra.Library, run: Run, wait: Callable[[palitra.Runner], Awaitable[None]]
) -> None:
    async def work() -> None:
        native = tests.Runner()
        task = asyncio.ensure_future(wait(native))
        while native.stats()["running"] == 0:
            await asyncio.sleep(0.001)
        await asyncio.to_thread(native.close)
        await asyncio.wait([task], timeout=20)
        assert task.done() and not task.cancelled()
        assert isinstance(task.exception(), palitra.ShutDownError)

    run(work())


@pytest.mark.skipif(not hasattr(asyncio, "TaskGroup"), reason="Python 3.11 has task groups")
def test_a_task_group_does_not_end_as_if_its_job_had_succeeded(tests: palitra.Library, run: Run) -> None:
    async def work() -> None:
        native = tests.Runner()
        with pytest.raises(BaseExceptionGroup) as raised:  # noqa: F821
            async with asyncio.TaskGroup() as group:
                group.create_task(alone(native))
                while native.stats()["running"] == 0:
                    await asyncio.sleep(0.001)
                await asyncio.to_thread(native.close)
        assert isinstance(raised.value.exceptions[0], palitra.ShutDownError)

    run(work())


def test_a_job_that_its_task_cancels_cancels_the_task(tests: palitra.Library, run: Run) -> None:
    async def work() -> bool:
        task = asyncio.ensure_future(tests.job("test.never").__aiter__().__anext__())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task], timeout=20)
        return task.cancelled()

    assert run(work())
