"""``run``: one result or one error, in time, whatever the awaitable is and does."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import gc
import math
import sys
import threading
import time
import weakref
from collections.abc import Generator, Iterator
from typing import Any

import palitra
import programs
import pytest
import uvloop
from palitra import EventLoopThreadRunner
from palitra._loop import work


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def runner(request: pytest.FixtureRequest) -> Iterator[EventLoopThreadRunner]:
    with EventLoopThreadRunner(loop_factory=request.param) as runner:
        yield runner


async def double(number: int) -> int:
    await asyncio.sleep(0)
    return 2 * number


class Swallowing:
    """Work that takes no cancellation until it is released."""

    def __init__(self) -> None:
        self.released = threading.Event()
        self.cancelled = 0

    async def __call__(self) -> str:
        while not self.released.is_set():
            try:
                await asyncio.sleep(0.01)
            except asyncio.CancelledError:
                self.cancelled += 1
        return "released"


def test_any_awaitable_runs(runner: EventLoopThreadRunner) -> None:
    class Awaitable:
        def __await__(self) -> Generator[Any, None, int]:
            return double(2).__await__()

    async def future() -> asyncio.Future[int]:
        return asyncio.ensure_future(double(3))

    assert runner.run(double(1)) == 2
    assert runner.run(Awaitable()) == 4
    assert runner.run(runner.run(future())) == 6


@pytest.mark.parametrize(
    "error",
    [ValueError("v"), SystemExit(3), KeyboardInterrupt(), GeneratorExit(), StopAsyncIteration()],
    ids=lambda error: type(error).__name__,
)
def test_whatever_is_raised_reaches_the_caller_and_the_runner_continues(
    runner: EventLoopThreadRunner, error: BaseException
) -> None:
    async def fail() -> None:
        await asyncio.sleep(0)
        raise error

    with pytest.raises(type(error)) as caught:
        runner.run(fail())
    assert caught.value is error
    assert runner.run(double(1)) == 2


def test_a_cancellation_has_the_names_of_both_libraries(runner: EventLoopThreadRunner) -> None:
    async def cancelled() -> None:
        raise asyncio.CancelledError("why")

    for name in (palitra.CancelledError, asyncio.CancelledError, concurrent.futures.CancelledError):
        with pytest.raises(name, match="why"):
            runner.run(cancelled())


def test_a_timeout_cancels_the_work_and_awaits_its_end(runner: EventLoopThreadRunner) -> None:
    async def work(ended: list[bool]) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0)
            ended.append(True)

    def time_out() -> list[bool]:
        ended: list[bool] = []
        with pytest.raises(TimeoutError, match=r"timed out after 0\.5 seconds"):
            runner.run(work(ended), timeout=0.5)
        return ended

    # It is awaited for a tenth of a second, in which the loop's thread may have no processor: not five times in a row.
    assert any(time_out() == [True] for _ in range(5))


def test_a_timeout_holds_though_the_work_swallows_it(runner: EventLoopThreadRunner) -> None:
    work = Swallowing()
    start = time.monotonic()
    with pytest.raises(TimeoutError):
        runner.run(work(), timeout=0.1)
    assert time.monotonic() - start < 5
    assert work.cancelled == 1
    work.released.set()
    assert runner.run(double(1)) == 2


def test_a_timeout_holds_though_the_loop_is_blocked(runner: EventLoopThreadRunner) -> None:
    released = threading.Event()

    async def block() -> None:
        released.wait(10)

    blocker = runner.submit(block())
    start = time.monotonic()
    with pytest.raises(TimeoutError):
        runner.run(double(1), timeout=0.1)
    assert time.monotonic() - start < 5
    released.set()
    blocker.result(10)


def test_a_timeout_of_work_that_never_started_closes_its_coroutine(runner: EventLoopThreadRunner) -> None:
    # filterwarnings = error: Python would warn of a coroutine that was never awaited.
    released = threading.Event()
    steps = []

    blocks = threading.Event()

    async def block() -> None:
        blocks.set()
        released.wait(10)

    async def work() -> None:
        steps.append(True)

    blocker = runner.submit(block())
    assert blocks.wait(10)
    with pytest.raises(TimeoutError):
        runner.run(work(), timeout=0.01)
    released.set()
    blocker.result(10)
    runner.run(double(1))
    gc.collect()
    assert steps == []


@pytest.mark.parametrize("timeout", [0, -1, -math.inf])
def test_a_timeout_that_has_passed_already(runner: EventLoopThreadRunner, timeout: float) -> None:
    with pytest.raises(TimeoutError):
        runner.run(asyncio.sleep(60), timeout=timeout)


@pytest.mark.parametrize("timeout", [math.inf, 1e300, sys.maxsize])
def test_a_timeout_longer_than_the_system_can_express(runner: EventLoopThreadRunner, timeout: float) -> None:
    assert runner.run(double(1), timeout=timeout) == 2


@pytest.mark.parametrize("timeout", [math.nan, "5"])
def test_a_timeout_that_is_no_number_is_refused_before_anything_runs(
    runner: EventLoopThreadRunner, timeout: Any
) -> None:
    ran = []

    async def work() -> None:
        ran.append(True)

    for call in (runner.run, runner.gather):
        with pytest.raises((ValueError, TypeError)):
            call(work(), timeout=timeout)
    runner.run(double(1))
    gc.collect()
    assert ran == []


def test_an_error_leaves_no_cycle(runner: EventLoopThreadRunner) -> None:
    class OneError(Exception):
        pass

    async def fail() -> None:
        raise OneError

    def caught(call: Any) -> weakref.ref[Any]:
        try:
            call()
        except OneError as error:
            return weakref.ref(error)
        raise AssertionError("no error")

    def returned() -> weakref.ref[Any]:
        return weakref.ref(runner.gather(fail(), return_exceptions=True)[0])

    def lives(reference: weakref.ref[Any]) -> bool:
        runner.run(double(1))  # The loop's thread has dropped what it worked on.
        return reference() is not None

    class Argument:
        pass

    def timed_out() -> weakref.ref[Any]:
        argument = Argument()

        async def work(argument: Argument) -> None:
            await asyncio.sleep(60)

        with pytest.raises(TimeoutError):
            runner.run(work(argument), timeout=0.01)
        return weakref.ref(argument)

    gc.collect()
    gc.disable()
    try:
        assert not lives(caught(lambda: runner.run(fail())))
        assert not lives(caught(lambda: runner.gather(fail())))
        assert not lives(returned())
        assert not lives(timed_out())
    finally:
        gc.enable()


def test_debug_is_for_the_length_of_one_call(runner: EventLoopThreadRunner) -> None:
    async def debug(seconds: float = 0) -> bool:
        await asyncio.sleep(seconds)
        return asyncio.get_running_loop().get_debug()

    usual = runner.run(debug())
    assert runner.run(debug(), debug=not usual) is not usual
    assert runner.run(debug()) is usual
    with pytest.raises(TimeoutError):
        runner.run(debug(60), debug=not usual, timeout=0.01)
    assert runner.run(debug()) is usual


def test_a_factorys_loop_is_kept_and_goes_with_its_runner(runner: EventLoopThreadRunner) -> None:
    class Loop(asyncio.SelectorEventLoop):
        pass

    async def loop() -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    first = runner.run(loop(), loop_factory=Loop)
    assert isinstance(first, Loop)
    assert runner.run(loop(), loop_factory=Loop) is first
    runner.close()
    assert first.is_closed()
    with pytest.raises(RuntimeError, match="closed"):
        runner.run(loop(), loop_factory=Loop)
    with pytest.raises(RuntimeError, match="closed"):
        runner.run(loop(), loop_factory=lambda: Loop())


def test_factories_that_come_and_go_leave_no_threads(runner: EventLoopThreadRunner) -> None:
    for _ in range(40):
        assert runner.run(double(1), loop_factory=lambda: asyncio.new_event_loop()) == 2
    gc.collect()
    end = time.monotonic() + 10
    while threading.active_count() > 20 and time.monotonic() < end:
        time.sleep(0.01)
    assert threading.active_count() <= 20


def test_a_callbacks_system_exit_does_not_end_the_loop(runner: EventLoopThreadRunner) -> None:
    called = threading.Event()
    loop = runner.get_loop()
    loop.set_exception_handler(lambda loop, context: called.set())
    loop.call_soon_threadsafe(sys.exit)
    assert called.wait(10)
    loop.call_soon_threadsafe(loop.stop)
    assert runner.run(double(1)) == 2


def test_a_closed_runner_refuses_and_closes_the_coroutine() -> None:
    runner = EventLoopThreadRunner()
    runner.close()
    for call in (runner.run, runner.gather, runner.submit, runner.as_completed):
        with pytest.raises(RuntimeError, match="closed"):
            call(double(1))
    gc.collect()


def test_closing_ends_work_that_refuses_to_end_at_the_deadline() -> None:
    runner, work = EventLoopThreadRunner(), Swallowing()
    future = runner.submit(work())
    runner.run(double(1))
    start = time.monotonic()
    runner.close(timeout=0.1)
    assert time.monotonic() - start < 5
    with pytest.raises(palitra.CancelledError):
        future.result(10)
    work.released.set()


def test_closing_leaves_what_refuses_to_end_behind_with_a_warning() -> None:
    # A program of its own: Python reports the generator wherever it collects it.
    programs.check(
        """
        import asyncio, logging, os, queue, time
        import palitra

        warnings = queue.Queue()

        class Kept(logging.Handler):
            def emit(self, record):
                warnings.put(record.getMessage())

        logging.getLogger("palitra").addHandler(Kept())

        async def refuses():
            while True:
                try:
                    await asyncio.sleep(60)
                except asyncio.CancelledError:
                    pass

        async def items():
            try:
                yield 1
            finally:
                await refuses()

        async def first(generator):
            return await generator.__anext__()

        def seconds_to_close(runner):
            start = time.monotonic()
            runner.close(timeout=1)
            return time.monotonic() - start

        runner = palitra.EventLoopThreadRunner()
        futures = [runner.submit(refuses()) for _ in range(2)]
        runner.run(asyncio.sleep(0))
        assert 0.9 < seconds_to_close(runner) < 20
        warning = warnings.get(timeout=20)
        assert warning == "closed a runner although 2 of its tasks refused to be cancelled", warning

        generator = items()
        runner = palitra.EventLoopThreadRunner()
        assert runner.run(first(generator)) == 1
        assert 0.9 < seconds_to_close(runner) < 20
        warning = warnings.get(timeout=20)
        assert warning == "closed a runner although an asynchronous generator refused to be closed"

        assert warnings.empty()
        print("kept")
        os._exit(0)
        """
    )


def test_closing_waits_for_work_that_takes_its_time() -> None:
    ended = []

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.05)
            ended.append("task")

    async def items() -> Any:
        try:
            yield 1
        finally:
            await asyncio.sleep(0.05)
            ended.append("generator")

    async def start() -> Any:
        generator = items()
        await generator.__anext__()
        return generator, asyncio.ensure_future(work()), await asyncio.sleep(0)

    runner = EventLoopThreadRunner()
    kept = runner.run(start())
    runner.close()
    assert ended == ["task", "generator"]
    assert kept


def test_closing_awaits_the_executors_threads() -> None:
    ended = []
    runner = EventLoopThreadRunner()
    started = threading.Event()

    def block() -> None:
        started.set()
        time.sleep(0.1)
        ended.append(True)

    runner.submit(asyncio.to_thread(block))
    assert started.wait(10)
    runner.close()
    assert ended == [True]


def test_a_thread_that_cannot_be_started_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[asyncio.AbstractEventLoop] = []

    def factory() -> asyncio.AbstractEventLoop:
        made.append(asyncio.new_event_loop())
        return made[0]

    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError, match="can't start new thread"):
            EventLoopThreadRunner(loop_factory=factory)
    assert made[0].is_closed()


def test_a_task_takes_its_first_step_at_once_but_never_inside_another_tasks_step() -> None:
    async def first_step() -> str:
        name = asyncio.current_task().get_name()  # type: ignore[union-attr]
        steps.append(name)
        return name

    async def from_a_task() -> list[Any]:
        task = work.make_task(loop, first_step(), contextvars.copy_context(), first_step)
        return [await task, task.get_name()]

    def from_a_callback() -> None:
        task = work.make_task(loop, first_step(), contextvars.copy_context(), first_step)
        assert task.done()
        assert steps == [task.result()] == [task.get_name()]

    steps: list[str] = []
    loop = asyncio.new_event_loop()
    failures: list[Any] = []
    loop.set_exception_handler(lambda _, context: failures.append(context))
    loop.call_soon(from_a_callback)
    try:
        inner, name = loop.run_until_complete(from_a_task())
    finally:
        loop.close()
    assert inner == name
    assert len(steps) == 2
    assert failures == []
