"""``iterate``: one task drives an asynchronous generator, from its start to its ``aclose``."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import threading
import time
import weakref
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
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


class Source:
    """An asynchronous generator that says how far it came and whether it was closed."""

    def __init__(self, number: int = 10**9, pause: float = 0) -> None:
        self.number, self.pause = number, pause
        self.sent = 0
        self.closed = threading.Event()
        self.tasks: set[int] = set()

    async def items(self) -> AsyncIterator[int]:
        try:
            for number in range(self.number):
                self.tasks.add(id(asyncio.current_task()))
                await asyncio.sleep(self.pause)
                self.sent += 1
                yield number
        finally:
            self.tasks.add(id(asyncio.current_task()))
            await asyncio.sleep(0)
            self.closed.set()


async def nothing() -> None:
    pass


def test_all_items_come_and_the_generator_is_closed(runner: EventLoopThreadRunner) -> None:
    source = Source(5)
    assert list(runner.iterate(source.items())) == [0, 1, 2, 3, 4]
    assert source.closed.is_set()


def test_items_come_as_they_are_asked_for(runner: EventLoopThreadRunner) -> None:
    source = Source()
    items = runner.iterate(source.items())
    assert source.sent == 0
    assert [next(items), next(items)] == [0, 1]
    runner.run(asyncio.sleep(0.02))
    assert source.sent == 2
    items.close()
    assert source.closed.is_set()


def test_one_task_drives_it(runner: EventLoopThreadRunner) -> None:
    source = Source()
    items = runner.iterate(source.items())
    for _ in range(5):
        next(items)
    items.close()
    assert len(source.tasks) == 1


def test_context_variables_keep_their_tokens(runner: EventLoopThreadRunner) -> None:
    variable: contextvars.ContextVar[int] = contextvars.ContextVar("variable", default=0)
    variable.set(1)

    async def items() -> AsyncIterator[int]:
        token = variable.set(2)
        try:
            yield variable.get()
            yield variable.get()
        finally:
            variable.reset(token)
            assert variable.get() == 1

    assert list(runner.iterate(items())) == [2, 2]
    partly = runner.iterate(items())
    next(partly)
    partly.close()
    assert variable.get() == 1


def test_anyio_task_groups_and_cancel_scopes_live_across_items(runner: EventLoopThreadRunner) -> None:
    async def items() -> AsyncIterator[int]:
        send, receive = anyio.create_memory_object_stream[int](1)

        async def produce() -> None:
            async with send:
                for number in range(3):
                    await send.send(number)

        async with anyio.create_task_group() as group, receive:
            group.start_soon(produce)
            with anyio.fail_after(20):
                async for number in receive:
                    yield number

    async def scoped() -> AsyncIterator[int]:
        with anyio.CancelScope() as scope, anyio.fail_after(20):
            yield 1
            scope.cancel()
            await anyio.sleep(20)
        yield 2

    assert list(runner.iterate(items())) == [0, 1, 2]
    assert list(runner.iterate(scoped())) == [1, 2]
    partly = runner.iterate(scoped())
    assert next(partly) == 1
    partly.close()


def test_any_asynchronous_iterable_will_do(runner: EventLoopThreadRunner) -> None:
    class Countdown:
        def __init__(self) -> None:
            self.left = 3

        def __aiter__(self) -> Countdown:
            return self

        async def __anext__(self) -> int:
            if self.left == 0:
                raise StopAsyncIteration
            self.left -= 1
            return self.left

    assert list(runner.iterate(Countdown())) == [2, 1, 0]


@pytest.mark.parametrize("wrong", [5, None, [1, 2]], ids=repr)
def test_what_is_no_asynchronous_iterable_is_an_error_at_once(runner: EventLoopThreadRunner, wrong: Any) -> None:
    with pytest.raises(TypeError, match=f"requires an object with __aiter__ method, got {type(wrong).__name__}"):
        runner.iterate(wrong)


@pytest.mark.parametrize("error", [ValueError("on purpose"), SystemExit(3)], ids=repr)
def test_an_error_comes_after_the_items_before_it(runner: EventLoopThreadRunner, error: BaseException) -> None:
    async def items() -> AsyncIterator[int]:
        yield 1
        raise error

    seen = []
    with pytest.raises(type(error)) as caught:
        seen.extend(runner.iterate(items()))
    assert seen == [1]
    assert caught.value is error
    runner.run(nothing())


def test_breaking_off_closes_it_at_once(runner: EventLoopThreadRunner) -> None:
    source = Source()
    for item in runner.iterate(source.items()):
        if item == 3:
            break
    gc.collect()
    assert source.closed.wait(10)


def test_a_dropped_iteration_is_closed(runner: EventLoopThreadRunner) -> None:
    source = Source()
    items = runner.iterate(source.items())
    next(items)
    del items
    gc.collect()
    assert source.closed.wait(10)


def test_an_error_in_the_generators_end_reaches_the_one_who_closes_it(runner: EventLoopThreadRunner) -> None:
    async def items() -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            raise ValueError("at the end")

    stepped = runner.iterate(items())
    next(stepped)
    with pytest.raises(ValueError, match="at the end"):
        stepped.close()


def test_a_timeout_is_for_each_item_and_ends_the_iteration(runner: EventLoopThreadRunner) -> None:
    source = Source(4, pause=0.05)
    assert len(list(runner.iterate(source.items(), timeout=20))) == 4
    slow = Source(pause=60)
    with pytest.raises(TimeoutError, match=r"timed out after 0\.5 seconds"):
        next(runner.iterate(slow.items(), timeout=0.5))
    assert slow.closed.wait(10)


def test_it_runs_in_the_callers_context(runner: EventLoopThreadRunner) -> None:
    variable: contextvars.ContextVar[int] = contextvars.ContextVar("variable")
    variable.set(9)

    async def items() -> AsyncIterator[int]:
        yield variable.get()

    assert list(runner.iterate(items())) == [9]


def test_no_item_is_kept_longer_than_the_caller_keeps_it(runner: EventLoopThreadRunner) -> None:
    class Item:
        pass

    async def source() -> AsyncIterator[Item]:
        while True:
            yield Item()

    items = runner.iterate(source())
    reference = weakref.ref(next(items))
    runner.run(nothing())
    assert reference() is None
    items.close()


def test_stepping_it_on_the_loops_own_thread_is_an_error(runner: EventLoopThreadRunner) -> None:
    items = runner.iterate(Source(2).items())

    async def step() -> int:
        return next(items)

    with pytest.raises(RuntimeError, match="loop thread"):
        runner.run(step(), timeout=20)


@pytest.mark.parametrize("blocked", [False, True])
def test_closing_the_runner_meanwhile_ends_it_in_time(blocked: bool) -> None:
    runner = EventLoopThreadRunner()
    released = threading.Event()

    async def source() -> AsyncIterator[int]:
        yield 1
        if blocked:
            released.wait(20)
        await asyncio.sleep(60)
        yield 2

    items = runner.iterate(source())
    assert next(items) == 1
    threading.Timer(0.1, runner.close, (0.1,)).start()
    start = time.monotonic()
    with pytest.raises((asyncio.CancelledError, RuntimeError)):
        next(items)
    assert time.monotonic() - start < 3
    released.set()


def test_starting_it_after_the_runner_was_closed_is_an_error() -> None:
    runner = EventLoopThreadRunner()
    items = runner.iterate(Source(3).items())
    runner.close()
    with pytest.raises(RuntimeError, match="closed"):
        next(items)


def test_two_iterations_take_turns(runner: EventLoopThreadRunner) -> None:
    assert list(zip(runner.iterate(Source(3).items()), runner.iterate(Source(3).items()), strict=True)) == [
        (0, 0),
        (1, 1),
        (2, 2),
    ]


def test_nested_iterations(runner: EventLoopThreadRunner) -> None:
    inner = sum(sum(runner.iterate(Source(3).items())) for _ in runner.iterate(Source(3).items()))
    assert inner == 9


def test_the_global_one() -> None:
    assert list(palitra.iterate(Source(2).items())) == [0, 1]


# What is sent and thrown, and whose the generator is.


async def echo() -> AsyncGenerator[Any, Any]:
    received: Any = "started"
    while True:
        try:
            received = yield received
        except ValueError as error:
            received = error


def test_values_and_errors_reach_the_generator(runner: EventLoopThreadRunner) -> None:
    items: Any = runner.iterate(echo())
    assert next(items) == "started"
    assert items.send("sent") == "sent"
    error = ValueError("thrown")
    assert items.throw(error) is error
    assert next(items) is None
    with pytest.raises(LookupError, match="not caught"):
        items.throw(LookupError("not caught"))
    with pytest.raises(StopIteration):
        next(items)


def test_an_iterator_that_takes_nothing(runner: EventLoopThreadRunner) -> None:
    class Numbers:
        def __aiter__(self) -> Numbers:
            return self

        async def __anext__(self) -> int:
            return 1

    items: Any = runner.iterate(Numbers())
    assert next(items) == 1
    with pytest.raises(TypeError, match="takes no values"):
        items.send(5)
    items = runner.iterate(Numbers())
    assert next(items) == 1
    error = ValueError("thrown")
    with pytest.raises(ValueError, match="thrown") as caught:
        items.throw(error)
    assert caught.value is error


def test_a_generator_that_the_caller_keeps_stays_open(runner: EventLoopThreadRunner) -> None:
    source = Source()
    kept = source.items()
    for item in runner.iterate(kept):
        if item == 1:
            break
    assert not source.closed.is_set()
    assert next(runner.iterate(kept)) == 2
    runner.run(kept.aclose())  # type: ignore[attr-defined]
    assert source.closed.is_set()


def test_a_kept_generator_that_is_dropped_later_is_closed_then(runner: EventLoopThreadRunner) -> None:
    source = Source()
    kept = source.items()
    next(runner.iterate(kept))
    assert not source.closed.is_set()
    del kept
    gc.collect()
    assert source.closed.wait(10)


def test_a_stream_of_the_callers_stays_open(runner: EventLoopThreadRunner) -> None:
    closed: list[bool] = []

    class Stream:
        def __aiter__(self) -> Stream:
            return self

        async def __anext__(self) -> int:
            return 1

        async def aclose(self) -> None:
            closed.append(True)

    class Streams:
        def __aiter__(self) -> Stream:
            return Stream()

    stream = Stream()
    for _ in runner.iterate(stream):
        break
    assert closed == []
    for _ in runner.iterate(Streams()):
        break  # This one was made for the iteration.
    assert closed == [True]


def test_one_task_drives_and_closes_a_generator(runner: EventLoopThreadRunner) -> None:
    tasks = []

    async def items() -> AsyncIterator[int]:
        tasks.append(asyncio.current_task())
        try:
            yield 1
            yield 2
        finally:
            tasks.append(asyncio.current_task())

    for _ in runner.iterate(items()):
        break
    assert len(tasks) == 2
    assert tasks[0] is tasks[1]
