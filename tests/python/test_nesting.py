"""``to_sync`` and ``to_async`` inside each other: threads, loops, context variables and cancellation on the way."""

from __future__ import annotations

import asyncio
import contextvars
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import palitra
import pytest

variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")


def current() -> threading.Thread:
    return threading.current_thread()


def narrow(workers: int) -> ThreadPoolExecutor:
    """An executor with few threads, as that of a machine with few cores."""
    executor = ThreadPoolExecutor(workers)
    asyncio.get_running_loop().set_default_executor(executor)
    return executor


# Threads.


@pytest.mark.timeout(20)
@pytest.mark.parametrize("level", [1, 2, 5])
def test_nesting_needs_no_thread_that_is_not_there(level: int) -> None:
    everybody = threading.Barrier(6)

    def innermost() -> str:
        return "inner"

    def sync(depth: int) -> Any:
        async def middle() -> Any:
            return await palitra.to_async(innermost if depth == 0 else lambda: sync(depth - 1))()

        return palitra.to_sync(middle)()

    def outer() -> Any:
        everybody.wait(10)  # All of the executor's threads are taken now.
        return sync(level)

    async def main() -> list[Any]:
        with narrow(6):
            return await asyncio.gather(*[palitra.to_async(outer)() for _ in range(6)])

    assert asyncio.run(main()) == ["inner"] * 6
    with palitra.EventLoopThreadRunner() as runner:
        assert runner.run(main()) == ["inner"] * 6


@pytest.mark.timeout(20)
def test_functions_of_a_nested_coroutine_still_run_side_by_side() -> None:
    meeting = threading.Barrier(2)

    async def middle() -> None:
        await asyncio.gather(palitra.to_async(meeting.wait)(10), palitra.to_async(meeting.wait)(10))

    asyncio.run(palitra.to_async(palitra.to_sync(middle))())


def test_a_timeout_holds_in_a_nested_call() -> None:
    released = threading.Event()

    async def middle() -> None:
        await palitra.to_async(released.wait)(20)

    def outer() -> None:
        with pytest.raises(TimeoutError):
            palitra.run(middle(), timeout=0.1)
        released.set()

    asyncio.run(palitra.to_async(outer)())
    assert released.is_set()


@pytest.mark.parametrize("wait", ["run", "to_sync", "gather", "as_completed", "iterate", "enter", "object"])
def test_thread_sensitive_functions_run_on_the_thread_that_waits(wait: str) -> None:
    thread = palitra.to_async(current, thread_sensitive=True)

    class Object:
        async def thread(self) -> threading.Thread:
            return await thread()

        async def __aenter__(self) -> threading.Thread:
            return await thread()

        async def __aexit__(self, *details: Any) -> None:
            assert await thread() is threading.main_thread()

    async def items() -> Any:
        yield await thread()

    async def once_somebody_waits() -> threading.Thread:
        while await thread() is not threading.main_thread():
            await asyncio.sleep(0.01)
        return await thread()

    def entered() -> threading.Thread:
        with palitra.enter(Object()) as one:
            return one

    ways: dict[str, Any] = {
        "run": lambda: palitra.run(thread()),
        "to_sync": lambda: palitra.to_sync(thread)(),
        "gather": lambda: palitra.gather(asyncio.sleep(0), thread())[1],
        "as_completed": lambda: next(palitra.as_completed(once_somebody_waits(), timeout=20)).result(),
        "iterate": lambda: next(palitra.iterate(items())),
        "enter": entered,
        "object": lambda: palitra.to_sync(Object)().thread(),
    }
    assert ways[wait]() is current()


def test_thread_sensitive_functions_stay_on_one_thread_however_deep() -> None:
    seen: list[threading.Thread] = []

    @palitra.to_async(thread_sensitive=True)
    def record(depth: int) -> None:
        seen.append(current())
        if depth:
            palitra.to_sync(record)(depth - 1)

    palitra.to_sync(record)(3)
    assert seen == [current()] * 4

    async def twice() -> None:
        await record(2)
        await asyncio.create_task(record(2))

    seen.clear()
    asyncio.run(twice())  # Nobody waits: there is one thread for them.
    assert len(seen) == 6
    assert len(set(seen)) == 1
    assert seen[0] is not current()


def test_a_task_that_outlives_the_wait_finds_another_thread() -> None:
    go, tasks = asyncio.Event(), []

    async def later() -> threading.Thread:
        await go.wait()
        return await palitra.to_async(current, thread_sensitive=True)()

    async def start() -> None:
        tasks.append(asyncio.create_task(later()))

    async def release() -> threading.Thread:
        go.set()
        thread: threading.Thread = await tasks[0]
        return thread

    palitra.run(start())
    assert palitra.submit(release()).result(10) is not current()


def test_a_thread_that_runs_the_loop_cannot_be_waited_for() -> None:
    async def inner() -> None:
        await palitra.to_async(current, thread_sensitive=True)()

    @palitra.to_async(thread_sensitive=True)
    def outer() -> None:
        with pytest.raises(palitra.WouldDeadlockError, match="call it there directly"):
            asyncio.run(inner())

    palitra.run(outer())


def test_an_executor_of_ones_own() -> None:
    with ThreadPoolExecutor(1) as executor:
        own = executor.submit(current).result()
        assert palitra.run(palitra.to_async(current, executor=executor)()) is own
        with pytest.raises(TypeError, match="not both"):
            palitra.to_async(current, executor=executor, thread_sensitive=True)


# Loops.


def test_a_nested_coroutine_runs_on_the_loop_that_awaits_the_function() -> None:
    async def loop() -> asyncio.AbstractEventLoop:
        await asyncio.sleep(0)
        return asyncio.get_running_loop()

    async def main() -> bool:
        return await palitra.to_async(palitra.to_sync(loop))() is asyncio.get_running_loop()

    assert asyncio.run(main())
    assert palitra.run(main())


def test_objects_stay_on_the_runners_loop() -> None:
    class Object:
        async def loop(self) -> asyncio.AbstractEventLoop:
            return asyncio.get_running_loop()

    face = palitra.to_sync(Object)()

    async def main() -> bool:
        return await palitra.to_async(face.loop)() is asyncio.get_running_loop()

    assert not asyncio.run(main())


@pytest.mark.timeout(20)
def test_a_loop_that_ends_ends_the_wait() -> None:
    outcome: list[BaseException] = []
    entered, ended = threading.Event(), threading.Event()

    def outer() -> None:
        entered.set()
        try:
            palitra.to_sync(asyncio.sleep)(60)
        except BaseException as error:
            outcome.append(error)
        ended.set()

    loop = asyncio.new_event_loop()
    task = loop.create_task(palitra.to_async(outer)())
    loop.run_until_complete(asyncio.sleep(0))
    assert entered.wait(10)
    loop.run_until_complete(asyncio.sleep(0.05))
    task._log_destroy_pending = False  # type: ignore[attr-defined]
    loop.close()
    assert ended.wait(10)
    assert isinstance(outcome[0], asyncio.CancelledError | RuntimeError)


def test_a_forked_child_does_not_look_for_its_parents_loop() -> None:
    async def five() -> int:
        return 5

    def fork() -> int:
        child = os.fork()
        if child == 0:
            os._exit(palitra.to_sync(five)())
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    async def main() -> int:
        return await palitra.to_async(fork)()

    assert asyncio.run(main()) == 5


# Context variables.


def test_context_variables_go_through_every_level_and_come_back() -> None:
    def innermost() -> None:
        assert variable.get() == "middle"
        variable.set("innermost")

    async def middle() -> None:
        assert variable.get() == "outer"
        variable.set("middle")
        await palitra.to_async(innermost)()
        assert variable.get() == "innermost"

    def outer() -> None:
        variable.set("outer")
        palitra.to_sync(middle)()
        assert variable.get() == "innermost"

    async def main() -> str:
        await palitra.to_async(outer)()
        return variable.get()

    assert asyncio.run(main()) == "innermost"
    assert palitra.run(main()) == "innermost"


# Cancellation.


@pytest.mark.timeout(20)
@pytest.mark.parametrize("level", [0, 3])
def test_cancelling_the_outermost_await_reaches_the_innermost_coroutine(level: int) -> None:
    events: list[str] = []

    async def main() -> None:
        started = asyncio.Event()

        async def innermost() -> None:
            started.set()
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                await asyncio.sleep(0.01)
                events.append("cleaned up")
                raise

        def sync(depth: int) -> Any:
            async def middle() -> Any:
                await palitra.to_async(sync)(depth - 1)

            try:
                palitra.to_sync(middle if depth else innermost)()
            except asyncio.CancelledError:
                events.append(f"cancelled {depth}")
                raise

        task = asyncio.create_task(palitra.to_async(sync)(level))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert events == ["cleaned up", *[f"cancelled {depth}" for depth in range(level + 1)]]


def test_a_coroutine_that_swallows_its_cancellation_completes_the_call() -> None:
    async def main() -> str:
        started = asyncio.Event()

        async def stubborn() -> str:
            started.set()
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                return "completed"
            return "not cancelled"

        task = asyncio.create_task(palitra.to_async(palitra.to_sync(stubborn))())
        await started.wait()
        task.cancel()
        return await task

    assert asyncio.run(main()) == "completed"


@pytest.mark.timeout(20)
def test_a_timeout_of_run_cancels_through_every_level() -> None:
    cancelled = threading.Event()

    async def innermost() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            cancelled.set()

    with pytest.raises(TimeoutError):
        palitra.run(palitra.to_async(palitra.to_sync(innermost))(), timeout=0.1)
    assert cancelled.wait(10)


def test_a_function_that_was_not_started_when_its_caller_was_cancelled_never_is() -> None:
    released, ran = threading.Event(), []

    async def main() -> None:
        with narrow(1):
            first = asyncio.create_task(palitra.to_async(released.wait)(20))
            second = asyncio.create_task(palitra.to_async(ran.append)(1))
            await asyncio.sleep(0.01)
            second.cancel()
            with pytest.raises(asyncio.CancelledError):
                await second
            released.set()
            await first

    asyncio.run(main())
    assert ran == []


# What cannot cross.


@pytest.mark.timeout(20)
@pytest.mark.parametrize("thread_sensitive", [False, True])
def test_a_stop_iteration_is_an_error_and_not_a_hang(thread_sensitive: bool) -> None:
    step: Any = palitra.to_async(next, thread_sensitive=thread_sensitive)
    with pytest.raises(RuntimeError, match="StopIteration"):
        palitra.run(asyncio.wait_for(step(iter(())), 10))
    assert palitra.run(step(iter([5]))) == 5
