"""``enter``: an asynchronous context manager for ``with``; one task enters and leaves it."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio
import palitra
import pytest
import uvloop
from palitra import EventLoopThreadRunner


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def runner(request: pytest.FixtureRequest) -> Iterator[EventLoopThreadRunner]:
    with EventLoopThreadRunner(loop_factory=request.param) as runner:
        yield runner


class Manager:
    """Records in which tasks it was entered and left, and with what; may suppress."""

    def __init__(self, suppress: bool = False) -> None:
        self.suppress = suppress
        self.tasks: list[Any] = []
        self.left_with: Any = "not left"

    async def __aenter__(self) -> str:
        self.tasks.append(asyncio.current_task())
        await asyncio.sleep(0)
        return "entered"

    async def __aexit__(self, kind: Any, error: Any, traceback: Any) -> bool:
        self.tasks.append(asyncio.current_task())
        await asyncio.sleep(0)
        self.left_with = error
        return self.suppress


def test_it_is_entered_and_left_in_one_task(runner: EventLoopThreadRunner) -> None:
    manager = Manager()
    with runner.enter(manager) as value:
        assert value == "entered"
        assert manager.left_with == "not left"
    assert manager.left_with is None
    assert len(set(manager.tasks)) == 1


@pytest.mark.parametrize(
    "error",
    [ValueError("v"), KeyboardInterrupt(), SystemExit(2), StopIteration(1), GeneratorExit()],
    ids=lambda error: type(error).__name__,
)
def test_it_sees_an_error_that_it_does_not_suppress(runner: EventLoopThreadRunner, error: BaseException) -> None:
    manager = Manager()
    with pytest.raises(type(error)) as caught, runner.enter(manager):
        raise error
    assert caught.value is error
    assert manager.left_with is error


def test_it_may_suppress_an_error(runner: EventLoopThreadRunner) -> None:
    with runner.enter(Manager(suppress=True)):
        raise ValueError("to be suppressed")


def test_a_generators_manager_sees_the_error_at_its_yield(runner: EventLoopThreadRunner) -> None:
    seen: list[BaseException] = []

    @contextlib.asynccontextmanager
    async def manager(swallow: bool) -> AsyncIterator[int]:
        try:
            yield 1
        except ValueError as error:
            seen.append(error)
            if not swallow:
                raise

    error = ValueError("in the block")
    with runner.enter(manager(True)) as value:
        assert value == 1
        raise error
    with pytest.raises(ValueError, match="in the block") as caught, runner.enter(manager(False)):
        raise error
    assert caught.value is error
    assert seen == [error, error]


def test_an_error_of_its_own_replaces_the_blocks(runner: EventLoopThreadRunner) -> None:
    @contextlib.asynccontextmanager
    async def manager() -> AsyncIterator[None]:
        try:
            yield
        finally:
            raise LookupError("at the end")

    with pytest.raises(LookupError, match="at the end"), runner.enter(manager()):
        raise ValueError("in the block")


def test_an_error_on_entering(runner: EventLoopThreadRunner) -> None:
    @contextlib.asynccontextmanager
    async def manager() -> AsyncIterator[None]:
        raise LookupError("at the start")
        yield

    with pytest.raises(LookupError, match="at the start"), runner.enter(manager()):
        raise AssertionError("the block was entered")


def test_context_variables_keep_their_tokens(runner: EventLoopThreadRunner) -> None:
    variable: contextvars.ContextVar[int] = contextvars.ContextVar("variable", default=0)

    @contextlib.asynccontextmanager
    async def manager() -> AsyncIterator[None]:
        token = variable.set(1)
        yield
        variable.reset(token)

    with runner.enter(manager()):
        pass


def test_anyio_task_groups_and_cancel_scopes(runner: EventLoopThreadRunner) -> None:
    ticks: list[int] = []

    @contextlib.asynccontextmanager
    async def ticking() -> AsyncIterator[None]:
        async def tick() -> None:
            while True:
                ticks.append(1)
                await anyio.sleep(0.001)

        async with anyio.create_task_group() as group:
            group.start_soon(tick)
            yield
            group.cancel_scope.cancel()

    with runner.enter(ticking()):
        runner.run(asyncio.sleep(0.05))
    assert ticks


def test_the_block_may_use_the_runner(runner: EventLoopThreadRunner) -> None:
    async def make() -> asyncio.Lock:
        return asyncio.Lock()

    lock = runner.run(make())
    with runner.enter(lock):
        assert lock.locked()
        assert runner.run(asyncio.sleep(0, 5)) == 5
    assert not lock.locked()


def test_what_is_no_manager_is_an_error_at_once(runner: EventLoopThreadRunner) -> None:
    for wrong in (5, None, threading.Lock()):
        with pytest.raises(TypeError, match="does not support the asynchronous context manager protocol"):
            runner.enter(wrong)  # type: ignore[arg-type]


def test_it_is_entered_once(runner: EventLoopThreadRunner) -> None:
    entered = runner.enter(Manager())
    with entered:
        pass
    with pytest.raises(RuntimeError), entered:
        raise AssertionError("the block was entered")
    with pytest.raises(RuntimeError):
        entered.__exit__(None, None, None)


def test_entering_it_again_is_an_error_and_does_not_leave(runner: EventLoopThreadRunner) -> None:
    manager = Manager()
    entered = runner.enter(manager)
    with entered:
        with pytest.raises(RuntimeError, match="it was entered before"):
            entered.__enter__()
        assert manager.left_with == "not left"
    assert manager.left_with is None


def test_leaving_what_was_not_entered_is_an_error(runner: EventLoopThreadRunner) -> None:
    entered = runner.enter(Manager())
    with pytest.raises(RuntimeError, match="it was not entered"):
        entered.__exit__(None, None, None)
    with entered as value:
        assert value == "entered"


def test_leaving_on_the_loops_own_thread_is_an_error(runner: EventLoopThreadRunner) -> None:
    entered = runner.enter(Manager())
    entered.__enter__()

    async def leave() -> None:
        entered.__exit__(None, None, None)

    with pytest.raises(RuntimeError, match="loop thread"):
        runner.run(leave(), timeout=20)
    entered.__exit__(None, None, None)


def test_closing_the_runner_leaves_the_manager() -> None:
    runner = EventLoopThreadRunner()
    manager = Manager()
    entered = runner.enter(manager)
    entered.__enter__()
    runner.close()
    assert isinstance(manager.left_with, asyncio.CancelledError)
    with pytest.raises((asyncio.CancelledError, RuntimeError)):
        entered.__exit__(None, None, None)


def test_the_global_one() -> None:
    with palitra.enter(Manager()) as value:
        assert value == "entered"
