"""Code written for palitra 0.1.0 works unchanged: names, keywords, messages, loops, how runners start and end."""

from __future__ import annotations

import asyncio
import concurrent.futures
import gc
import inspect
import pickle
import threading
import types
import weakref
from collections.abc import Iterator

import palitra
import pytest
import uvloop
from palitra import EventLoopThreadRunner


@pytest.fixture
def runner() -> Iterator[EventLoopThreadRunner]:
    with EventLoopThreadRunner() as runner:
        yield runner


@pytest.fixture(autouse=True)
def no_global_runner() -> Iterator[None]:
    palitra.shutdown_global_runner()
    yield
    palitra.shutdown_global_runner()


async def double(number: int) -> int:
    await asyncio.sleep(0)
    return 2 * number


async def fail() -> None:
    raise ValueError("failed on purpose")


def test_the_names_are_there() -> None:
    names = {"EventLoopThreadRunner", "gather", "is_runner_alive", "run", "shutdown_global_runner"}
    assert names <= set(palitra.__all__)
    assert all(callable(getattr(palitra, name)) for name in palitra.__all__)


def test_pickles_name_public_objects_by_modules_that_stay() -> None:
    modules = {"palitra", "palitra._errors", "palitra._runner", "palitra._bridges", "builtins"}
    for name in palitra.__all__:
        public = getattr(palitra, name)
        if isinstance(public, type | types.FunctionType):
            assert public.__module__ in modules
            assert pickle.loads(pickle.dumps(public)) is public
    description = palitra.jobs()[0]
    assert pickle.loads(pickle.dumps(description)) == description


@pytest.mark.parametrize("owner", [palitra, EventLoopThreadRunner])
def test_the_keywords_are_there(owner: object) -> None:
    def keywords(name: str) -> set[str]:
        parameters = inspect.signature(getattr(owner, name)).parameters.values()
        return {parameter.name for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY}

    assert {"timeout", "debug", "loop_factory"} <= keywords("run")
    assert {"return_exceptions", "timeout"} <= keywords("gather")


def test_coro_may_be_passed_by_name(runner: EventLoopThreadRunner) -> None:
    assert runner.run(coro=double(2)) == 4
    assert palitra.run(coro=double(3)) == 6


def test_a_global_run_and_gather(no_global_runner: None) -> None:
    assert palitra.run(double(2)) == 4
    assert palitra.gather(double(1), double(2)) == [2, 4]


def test_gather_returns_a_list_in_order(runner: EventLoopThreadRunner) -> None:
    async def later(number: int) -> int:
        await asyncio.sleep(0.02 / number)
        return number

    result = runner.gather(later(1), later(2), later(3))
    assert type(result) is list
    assert result == [1, 2, 3]
    assert runner.gather() == []


def test_gather_returns_exceptions_if_asked(runner: EventLoopThreadRunner) -> None:
    first, second = runner.gather(double(1), fail(), return_exceptions=True)
    assert first == 2
    assert isinstance(second, ValueError)
    assert str(second) == "failed on purpose"


def test_the_loop_is_a_real_one(runner: EventLoopThreadRunner) -> None:
    loop = runner.get_loop()
    assert isinstance(loop, asyncio.AbstractEventLoop)
    assert loop.is_running()
    assert not loop.is_closed()
    assert loop is runner.get_loop()

    async def running() -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    assert runner.run(running()) is loop
    future = asyncio.run_coroutine_threadsafe(double(4), loop)
    assert future.result(10) == 8


def test_tasks_of_the_loop_can_be_listed(runner: EventLoopThreadRunner) -> None:
    async def count() -> int:
        task = asyncio.ensure_future(asyncio.sleep(60))
        try:
            return len(asyncio.all_tasks() & {task})
        finally:
            task.cancel()

    assert runner.run(count()) == 1
    assert isinstance(asyncio.all_tasks(runner.get_loop()), set)


def test_the_loop_is_the_threads_current_one(runner: EventLoopThreadRunner) -> None:
    async def current() -> bool:
        return asyncio.get_event_loop() is asyncio.get_running_loop()

    assert runner.run(current())


def test_the_thread_keeps_its_name(runner: EventLoopThreadRunner) -> None:
    async def thread() -> tuple[str, bool]:
        return threading.current_thread().name, threading.current_thread().daemon

    assert runner.run(thread()) == ("LoopThread", True)


def test_a_timeout_is_caught_by_every_name(runner: EventLoopThreadRunner) -> None:
    for name in (TimeoutError, asyncio.TimeoutError, concurrent.futures.TimeoutError):
        with pytest.raises(name):
            runner.run(asyncio.sleep(60), timeout=0.01)
        with pytest.raises(name):
            runner.gather(asyncio.sleep(60), timeout=0.01)


def test_an_exception_comes_as_it_is(runner: EventLoopThreadRunner) -> None:
    with pytest.raises(ValueError, match=r"^failed on purpose$") as caught:
        runner.run(fail())
    assert "fail" in [entry.name for entry in caught.traceback]
    with pytest.raises(ValueError, match=r"^failed on purpose$"):
        runner.gather(double(1), fail())


@pytest.mark.parametrize("wrong", ["text", 5, None, double], ids=["text", "number", "None", "function"])
def test_what_cannot_be_awaited_is_named(runner: EventLoopThreadRunner, wrong: object) -> None:
    kind = type(wrong).__name__
    message = rf"(object {kind} can't be used in 'await' expression|'{kind}' object can't be awaited)"
    with pytest.raises(TypeError, match=message):
        runner.run(wrong)  # type: ignore[arg-type]


def test_gather_of_none_is_named(runner: EventLoopThreadRunner) -> None:
    with pytest.raises(TypeError, match=r"An asyncio\.Future, a coroutine or an awaitable is required"):
        runner.gather(None)  # type: ignore[arg-type]


def test_a_coroutine_is_not_run_twice(runner: EventLoopThreadRunner) -> None:
    coroutine = double(1)
    assert runner.run(coroutine) == 2
    with pytest.raises(RuntimeError, match="cannot reuse already awaited coroutine"):
        runner.run(coroutine)
    closed = double(1)
    closed.close()
    with pytest.raises(RuntimeError, match="cannot reuse already awaited coroutine"):
        runner.run(closed)


def test_debug_reaches_the_loop(runner: EventLoopThreadRunner) -> None:
    async def debug() -> bool:
        return asyncio.get_running_loop().get_debug()

    assert runner.run(debug(), debug=True) is True
    assert runner.run(debug(), debug=False) is False


@pytest.mark.filterwarnings("ignore:.*olicy.*:DeprecationWarning")
def test_the_policy_makes_the_loop() -> None:
    before = asyncio.get_event_loop_policy()
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    try:
        with EventLoopThreadRunner() as runner:
            assert isinstance(runner.get_loop(), uvloop.Loop)
            assert runner.gather(double(1), double(2)) == [2, 4]

            async def loop() -> asyncio.AbstractEventLoop:
                return asyncio.get_running_loop()

        assert isinstance(palitra.run(loop()), uvloop.Loop)
    finally:
        asyncio.set_event_loop_policy(before)


def test_a_factory_makes_the_loop(runner: EventLoopThreadRunner) -> None:
    async def loop() -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    for run in (runner.run, palitra.run):
        first = run(loop(), loop_factory=uvloop.new_event_loop)
        assert isinstance(first, uvloop.Loop)
        assert run(loop(), loop_factory=uvloop.new_event_loop) is first
        assert not isinstance(run(loop()), uvloop.Loop)


def test_closing_is_idempotent() -> None:
    runner = EventLoopThreadRunner()
    loop = runner.get_loop()
    runner.run(double(1))
    for _ in range(3):
        runner.close()
    assert loop.is_closed()
    assert runner.get_loop() is loop
    with pytest.raises(RuntimeError, match=r"[Cc]losed"):
        runner.run(double(1))
    with pytest.raises(RuntimeError, match=r"[Cc]losed"):
        runner.gather(double(1))


def test_a_with_block_closes_it() -> None:
    with EventLoopThreadRunner() as runner:
        assert isinstance(runner, EventLoopThreadRunner)
        loop = runner.get_loop()
    assert loop.is_closed()
    with pytest.raises(ValueError, match="out of the block"), EventLoopThreadRunner() as runner:
        raise ValueError("out of the block")
    assert runner.get_loop().is_closed()


def test_the_global_runner_lives_from_first_use_to_shutdown() -> None:
    assert palitra.is_runner_alive() is False
    palitra.shutdown_global_runner()
    palitra.run(double(1))
    assert palitra.is_runner_alive() is True
    palitra.shutdown_global_runner()
    assert palitra.is_runner_alive() is False
    assert palitra.run(double(1)) == 2
    assert palitra.is_runner_alive() is True


def test_the_global_runner_keeps_its_loop() -> None:
    async def loop() -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    first = palitra.run(loop())
    assert palitra.run(loop()) is first
    palitra.shutdown_global_runner()
    assert first.is_closed()
    assert palitra.run(loop()) is not first


def test_state_lives_on_between_calls(runner: EventLoopThreadRunner) -> None:
    async def make() -> asyncio.Queue[int]:
        queue: asyncio.Queue[int] = asyncio.Queue()
        await queue.put(7)
        return queue

    queue = runner.run(make())
    assert runner.run(queue.get()) == 7


def test_a_runner_can_be_referred_to_weakly_and_collected() -> None:
    others = set(threading.enumerate())
    runner = EventLoopThreadRunner()
    runner.run(double(1))
    loop, reference = runner.get_loop(), weakref.ref(runner)
    (thread,) = set(threading.enumerate()) - others
    del runner
    gc.collect()
    assert reference() is None
    thread.join(10)
    assert not thread.is_alive()
    assert loop.is_closed()


def test_run_under_a_callers_own_running_loop() -> None:
    async def outer() -> int:
        return palitra.run(double(5))

    assert asyncio.run(outer()) == 10


def test_run_on_the_loops_own_thread_says_what_to_do_instead(runner: EventLoopThreadRunner) -> None:
    async def nested() -> None:
        runner.run(double(1))

    with pytest.raises(RuntimeError, match=r"Cannot call run\(\) from the loop thread.*await"):
        runner.run(nested())
