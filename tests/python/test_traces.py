"""Tracebacks and debug output are about the user's functions: of this package, a traceback has one frame at most."""

from __future__ import annotations

import asyncio
import logging
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import palitra
import pytest
from palitra import EventLoopThreadRunner

PACKAGE = str(Path(palitra.__file__).parent)


@pytest.fixture(scope="module")
def runner() -> Iterator[EventLoopThreadRunner]:
    with EventLoopThreadRunner() as runner:
        yield runner


def blame() -> None:
    raise ValueError("on purpose")


async def fail() -> None:
    await asyncio.sleep(0)
    blame()


async def fail_at_once() -> None:
    blame()


async def fails_later() -> Any:
    yield 1
    await fail()


async def fails_at_once() -> Any:
    blame()
    yield 1


class Manager:
    """Fails where it is told to."""

    def __init__(self, where: str) -> None:
        self.where = where

    async def __aenter__(self) -> None:
        if self.where == "entering":
            await fail()

    async def __aexit__(self, *details: object) -> None:
        if self.where == "leaving":
            await fail()


def entered(runner: EventLoopThreadRunner, where: str) -> None:
    with runner.enter(Manager(where)):
        pass


#: As above, for what takes turns with its caller.
TURNS: dict[str, Callable[[EventLoopThreadRunner], object]] = {
    "iterate, later": lambda runner: list(runner.iterate(fails_later())),
    "iterate, at once": lambda runner: list(runner.iterate(fails_at_once())),
    "iterate, thrown in": lambda runner: thrown_in(runner),
    "enter": lambda runner: entered(runner, "entering"),
    "leave": lambda runner: entered(runner, "leaving"),
    "call": lambda runner: runner.call(blame),
    "start_task": lambda runner: runner.start_task(lambda task_status: fail()),
    "a face": lambda runner: runner.to_sync(fail)(),
    "a generator's face": lambda runner: list(runner.to_sync(fails_later)()),
}


def thrown_in(runner: EventLoopThreadRunner) -> None:
    generator = runner.iterate(fails_on_purpose())
    next(generator)
    generator.throw(KeyError())


async def fails_on_purpose() -> Any:
    try:
        yield 1
    except KeyError:
        await fail()


@pytest.mark.parametrize("turns", TURNS)
def test_so_has_that_of_what_takes_turns_with_its_caller(runner: EventLoopThreadRunner, turns: str) -> None:
    with pytest.raises(ValueError, match="on purpose") as raised:
        TURNS[turns](runner)
    frames = traceback.extract_tb(raised.value.__traceback__)
    assert sum(frame.filename.startswith(PACKAGE) for frame in frames) <= 1, "".join(frames.format())
    assert frames[-1].name == "blame"


WAYS: dict[str, Callable[[EventLoopThreadRunner, Any], object]] = {
    "run": lambda runner, work: runner.run(work),
    "run with a timeout": lambda runner, work: runner.run(work, timeout=20),
    "run with a factory": lambda runner, work: runner.run(work, loop_factory=asyncio.SelectorEventLoop),
    "gather": lambda runner, work: runner.gather(work, asyncio.sleep(0)),
    "submit": lambda runner, work: runner.submit(work).result(20),
    "as_completed": lambda runner, work: next(runner.as_completed(work)).result(),
    "the global one": lambda runner, work: palitra.run(work),
}


@pytest.mark.parametrize("work", [fail, fail_at_once], ids=lambda work: work.__name__)
@pytest.mark.parametrize("way", WAYS)
def test_a_traceback_has_one_frame_of_the_package_at_most(
    runner: EventLoopThreadRunner, way: str, work: Callable[[], Any]
) -> None:
    with pytest.raises(ValueError, match="on purpose") as raised:
        WAYS[way](runner, work())
    frames = traceback.extract_tb(raised.value.__traceback__)
    assert sum(frame.filename.startswith(PACKAGE) for frame in frames) <= 1, "".join(frames.format())
    assert [frame.name for frame in frames][-2:] == [work.__name__, "blame"]


def test_an_exception_among_the_results_has_no_frame_of_the_package(runner: EventLoopThreadRunner) -> None:
    (error,) = runner.gather(fail(), return_exceptions=True)
    assert isinstance(error, ValueError)
    assert [frame.name for frame in traceback.extract_tb(error.__traceback__)] == ["fail", "blame"]


def test_a_failure_of_the_packages_own_keeps_its_frames(runner: EventLoopThreadRunner) -> None:
    wrong: Any = "text"
    with pytest.raises(TypeError) as raised:
        runner.run(wrong)
    assert traceback.extract_tb(raised.value.__traceback__)[-1].filename.startswith(PACKAGE)


async def name_of_task() -> tuple[str, str]:
    task = asyncio.current_task()
    assert task is not None
    return task.get_name(), repr(task)


def test_tasks_bear_the_names_of_the_users_functions(runner: EventLoopThreadRunner) -> None:
    for name, shown in (runner.run(name_of_task()), *runner.gather(name_of_task()),
                        runner.submit(name_of_task()).result(20)):  # fmt: skip
        assert name == "name_of_task"
        assert "coro=<name_of_task()" in shown


async def slow() -> None:
    time.sleep(0.2)


def test_debug_mode_names_the_function_that_took_long(
    runner: EventLoopThreadRunner, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "asyncio"):
        runner.run(slow(), debug=True)
        with EventLoopThreadRunner(debug=True) as debugging:
            debugging.gather(slow())
    reports = [record.getMessage() for record in caplog.records if "took" in record.getMessage()]
    assert len([report for report in reports if "coro=<slow()" in report]) == 2, reports


def test_a_blocking_function_that_raises_stop_iteration_is_an_error_and_no_hang(runner: EventLoopThreadRunner) -> None:
    async def foreign(limit: int | None) -> None:
        await asyncio.wait_for(palitra.to_async(next, limit=limit)(iter(())), 20)

    for limit in (None, 1):
        with pytest.raises(RuntimeError, match="StopIteration"):
            asyncio.run(foreign(limit))
        with pytest.raises(RuntimeError, match="StopIteration"):
            runner.run(palitra.to_async(next, limit=limit)(iter(())), timeout=20)
