"""``submit``: a real concurrent.futures future of work on the loop."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import contextvars
import gc
import logging
import threading
import weakref
from collections.abc import Iterator
from typing import Any

import palitra
import pytest
from palitra import EventLoopThreadRunner


@pytest.fixture
def runner() -> Iterator[EventLoopThreadRunner]:
    with EventLoopThreadRunner() as runner:
        yield runner


async def later(value: int, seconds: float = 0.01) -> int:
    await asyncio.sleep(seconds)
    return value


async def after(first: concurrent.futures.Future[Any], value: int) -> int:
    await asyncio.wrap_future(first)
    return value


async def fail() -> None:
    raise ValueError("failed on purpose")


class Endless:
    """Work that shows whether it started, and how it ended."""

    def __init__(self) -> None:
        self.started, self.cancelled = threading.Event(), threading.Event()

    async def __call__(self) -> None:
        self.started.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            self.cancelled.set()
            raise


def test_a_future_has_the_result(runner: EventLoopThreadRunner) -> None:
    future = runner.submit(later(5))
    assert isinstance(future, concurrent.futures.Future)
    assert future.result(10) == 5
    assert future.done()
    assert not future.cancelled()
    assert future.exception() is None


def test_a_future_has_the_error(runner: EventLoopThreadRunner) -> None:
    future = runner.submit(fail())
    assert isinstance(future.exception(10), ValueError)
    with pytest.raises(ValueError, match="on purpose"):
        future.result()


def test_the_error_of_a_future_that_nobody_reads_is_not_reported(runner: EventLoopThreadRunner) -> None:
    runner.submit(fail())
    runner.run(later(1))
    gc.collect()


def test_a_wait_that_times_out_leaves_the_work_running(runner: EventLoopThreadRunner) -> None:
    future = runner.submit(later(5, 0.1))
    with pytest.raises(TimeoutError):
        future.result(0.001)
    assert future.result(10) == 5


def test_cancelling_cancels_the_work(runner: EventLoopThreadRunner) -> None:
    work = Endless()
    future = runner.submit(work())
    assert work.started.wait(10)
    assert future.cancel() is True
    assert future.cancelled()
    assert work.cancelled.wait(10)
    with pytest.raises(concurrent.futures.CancelledError):
        future.result()


def test_cancelling_again_or_too_late_is_harmless(
    runner: EventLoopThreadRunner, caplog: pytest.LogCaptureFixture
) -> None:
    future = runner.submit(Endless()())
    with caplog.at_level(logging.DEBUG, "concurrent.futures"):
        assert [future.cancel() for _ in range(3)] == [True] * 3
        done = runner.submit(later(1))
        done.result(10)
        assert done.cancel() is False
        assert done.result() == 1
    assert caplog.records == []


def test_work_that_never_started_is_closed_when_cancelled(runner: EventLoopThreadRunner) -> None:
    released, blocks, steps = threading.Event(), threading.Event(), []

    async def block() -> None:
        blocks.set()
        released.wait(10)

    async def work() -> None:
        steps.append(True)

    blocker = runner.submit(block())
    assert blocks.wait(10)
    future = runner.submit(work())
    assert future.cancel()
    released.set()
    blocker.result(10)
    runner.run(later(1))
    gc.collect()
    assert steps == []


def test_concurrent_futures_wait_and_as_completed_take_them(runner: EventLoopThreadRunner) -> None:
    futures = [runner.submit(later(number, 0.05 * number)) for number in (2, 1, 0)]
    cancelled = runner.submit(Endless()())
    cancelled.cancel()
    done, waiting = concurrent.futures.wait([*futures, cancelled], timeout=20)
    assert not waiting
    assert cancelled in done
    assert {future.result() for future in concurrent.futures.as_completed(futures, timeout=20)} == {0, 1, 2}
    first = concurrent.futures.wait([runner.submit(later(1)), runner.submit(Endless()())], 20, "FIRST_COMPLETED")
    assert len(first.done) == 1
    for one in first.not_done:
        one.cancel()


def test_asyncio_awaits_them_in_any_loop(runner: EventLoopThreadRunner) -> None:
    async def elsewhere() -> int:
        return await asyncio.wrap_future(runner.submit(later(5)))

    assert asyncio.run(elsewhere()) == 5
    assert runner.run(elsewhere()) == 5


def test_a_wrapped_future_that_is_cancelled_cancels_the_work(runner: EventLoopThreadRunner) -> None:
    work = Endless()

    async def elsewhere() -> None:
        await asyncio.wait_for(asyncio.wrap_future(runner.submit(work())), 0.1)

    with pytest.raises(asyncio.TimeoutError):
        asyncio.run(elsewhere())
    assert work.cancelled.wait(10)


def test_callbacks_are_called_once_and_their_errors_hurt_nobody(
    runner: EventLoopThreadRunner, caplog: pytest.LogCaptureFixture
) -> None:
    notified: list[Any] = []
    future = runner.submit(later(5))

    def broken(future: Any) -> None:
        raise ValueError("in a callback")

    with caplog.at_level(logging.CRITICAL + 1, "concurrent.futures"):
        future.add_done_callback(broken)
        future.add_done_callback(notified.append)
        future.result(10)
        runner.run(later(1))
    assert notified == [future]


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt])
def test_a_callback_that_wants_to_end_the_process_does_not_end_the_loop(
    runner: EventLoopThreadRunner, error: type[BaseException]
) -> None:
    runner.get_loop().set_exception_handler(lambda loop, context: None)

    def leave(future: Any) -> None:
        raise error

    # Not before they have the callbacks: those of a future that is done are called where they are added.
    ready = threading.Event()
    first = runner.submit(asyncio.to_thread(ready.wait, 10))
    futures = [runner.submit(after(first, number)) for number in range(3)]
    for future in futures:
        future.add_done_callback(leave)
    ready.set()
    assert [future.result(10) for future in futures] == [0, 1, 2]
    assert runner.run(later(1), timeout=10) == 1


def test_waiting_in_a_callback_on_the_loops_thread_is_an_error(runner: EventLoopThreadRunner) -> None:
    raised: list[BaseException] = []
    notified = threading.Event()
    endless = runner.submit(Endless()())

    def wait(future: Any) -> None:
        for call in (endless.result, endless.exception):
            try:
                call(5)
            except BaseException as error:
                raised.append(error)
        notified.set()

    # Not before it has its callback, which would be called here then.
    ready = threading.Event()
    runner.submit(asyncio.to_thread(ready.wait, 10)).add_done_callback(wait)
    ready.set()
    assert notified.wait(20)
    endless.cancel()
    assert [type(error) for error in raised] == [palitra.WouldDeadlockError] * 2


def test_waiting_in_a_coroutine_of_the_same_loop_is_an_error(runner: EventLoopThreadRunner) -> None:
    async def wait() -> None:
        runner.submit(later(1)).result()

    with pytest.raises(palitra.WouldDeadlockError, match="wrap_future"):
        runner.run(wait(), timeout=20)


def test_a_future_that_is_done_may_be_asked_anywhere(runner: EventLoopThreadRunner) -> None:
    future = runner.submit(later(3))
    future.result(10)

    async def ask() -> int:
        return future.result()

    assert runner.run(ask()) == 3


def test_submitting_on_the_loops_own_thread(runner: EventLoopThreadRunner) -> None:
    async def submit() -> concurrent.futures.Future[int]:
        return runner.submit(later(4))

    assert runner.run(submit()).result(10) == 4


def test_it_takes_the_callers_context(runner: EventLoopThreadRunner) -> None:
    variable: contextvars.ContextVar[int] = contextvars.ContextVar("variable")
    variable.set(3)

    async def read() -> int:
        return variable.get()

    assert runner.submit(read()).result(10) == 3


def test_closing_settles_every_future() -> None:
    runner = EventLoopThreadRunner()
    futures = [runner.submit(Endless()()) for _ in range(20)]
    runner.close()
    assert len(concurrent.futures.wait(futures, timeout=10).done) == 20
    for future in futures:
        with pytest.raises((concurrent.futures.CancelledError, RuntimeError)):
            future.result()


def test_a_future_leaves_no_cycle(runner: EventLoopThreadRunner) -> None:
    class Value:
        pass

    class OneError(Exception):
        pass

    async def value() -> Value:
        return Value()

    async def error() -> None:
        raise OneError

    def result() -> weakref.ref[Any]:
        return weakref.ref(runner.submit(value()).result(10))

    def exception() -> weakref.ref[Any]:
        return weakref.ref(runner.submit(error()).exception(10))

    def raised() -> weakref.ref[Any]:
        local = Value()
        with contextlib.suppress(OneError):
            runner.submit(error()).result(10)
        return weakref.ref(local)

    gc.collect()
    gc.disable()
    try:
        for reference in (result(), exception(), raised()):
            runner.run(later(1))
            runner.run(later(1))
            assert reference() is None
    finally:
        gc.enable()


def test_the_global_one() -> None:
    assert palitra.submit(later(2)).result(10) == 2
