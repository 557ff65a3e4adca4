"""What a runner refuses is an error by its own name, at once, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import math
import pickle
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import cloudpickle  # type: ignore[import-untyped]
import palitra
import programs
import pytest
from palitra import EventLoopThreadRunner


@pytest.fixture(scope="module")
def runner() -> Iterator[EventLoopThreadRunner]:
    with EventLoopThreadRunner() as runner:
        yield runner


async def items() -> AsyncIterator[int]:
    yield 1


@asynccontextmanager
async def manager() -> AsyncIterator[int]:
    yield 1


def echo() -> palitra.Job:
    return palitra.job("palitra.echo", b"x")


#: Every way to make a runner work, but for ``submit`` ways to wait for it.
CALLS: dict[str, Callable[[EventLoopThreadRunner], Any]] = {
    "run": lambda runner: runner.run(asyncio.sleep(0)),
    "run with a factory": lambda runner: runner.run(asyncio.sleep(0), loop_factory=asyncio.SelectorEventLoop),
    "gather": lambda runner: runner.gather(asyncio.sleep(0), asyncio.sleep(0)),
    "a mixed gather": lambda runner: runner.gather(asyncio.sleep(0), echo()),
    "as_completed": lambda runner: runner.as_completed(asyncio.sleep(0)),
    "iterate": lambda runner: runner.iterate(items()),
    "enter": lambda runner: runner.enter(manager()),
    "a native run": lambda runner: runner.run(echo()),
    "a native run with a timeout": lambda runner: runner.run(echo(), timeout=5),
    "a native gather": lambda runner: runner.gather(echo(), echo()),
    "a native stream": lambda runner: runner.iterate(echo()),
    "submit": lambda runner: runner.submit(asyncio.sleep(0)),
    "a native submit": lambda runner: runner.submit(echo()),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_closed_runner_refuses_jobs_and_coroutines_alike(call: str) -> None:
    runner = EventLoopThreadRunner()
    runner.close()
    with pytest.raises(palitra.ShutDownError) as raised:
        CALLS[call](runner)
    assert isinstance(raised.value, RuntimeError)


@pytest.mark.parametrize("call", [call for call in CALLS if "submit" not in call and "factory" not in call])
def test_whoever_would_wait_on_the_loops_own_thread_is_refused(runner: EventLoopThreadRunner, call: str) -> None:
    async def work() -> None:
        with pytest.raises(palitra.WouldDeadlockError) as raised:
            CALLS[call](runner)
        assert isinstance(raised.value, RuntimeError)
        assert "await" in str(raised.value)

    runner.run(work(), timeout=20)


@pytest.mark.parametrize("limit", [math.inf, 1e300, 10**20])
def test_every_timeout_may_be_longer_than_the_system_can_express(limit: float) -> None:
    with EventLoopThreadRunner() as runner:
        assert [one.result(limit) for one in runner.as_completed(asyncio.sleep(0, 1), timeout=limit)] == [1]
        for work in (asyncio.sleep(0.01), palitra.job("palitra.sleep", seconds=0.01)):
            future = runner.submit(work)
            future.result(limit)
            assert future.exception(limit) is None
        runner.close(limit)
    palitra.run(asyncio.sleep(0))
    palitra.shutdown_global_runner(limit)


@pytest.mark.parametrize("wrong", ["5", math.nan, object()])
def test_a_wrong_timeout_closes_nothing_and_the_runner_can_still_be_closed(wrong: Any) -> None:
    runner = EventLoopThreadRunner()
    with pytest.raises((TypeError, ValueError)):
        runner.close(wrong)
    assert runner.is_alive()
    assert runner.run(asyncio.sleep(0, "alive")) == "alive"
    loop = runner.get_loop()
    runner.close()
    assert loop.is_closed()
    palitra.run(asyncio.sleep(0))
    with pytest.raises((TypeError, ValueError)):
        palitra.shutdown_global_runner(wrong)
    assert palitra.is_runner_alive()


WRONG: dict[str, Callable[[EventLoopThreadRunner], Any]] = {
    "gather with a limit of 0": lambda runner: runner.gather(asyncio.sleep(0), asyncio.sleep(0), limit=0),
    "gather with a timeout of text": lambda runner: runner.gather(asyncio.sleep(0), timeout="5"),  # type: ignore[call-overload]
    "as_completed with a limit of 0": lambda runner: runner.as_completed(asyncio.sleep(0), limit=0),
    "as_completed with a timeout of text": lambda runner: runner.as_completed(asyncio.sleep(0), timeout="5"),  # type: ignore[arg-type]
    "as_completed with no number": lambda runner: runner.as_completed(asyncio.sleep(0), timeout=math.nan),
    "run with a timeout of text": lambda runner: runner.run(asyncio.sleep(0), timeout="5"),  # type: ignore[arg-type]
    "iterate with a timeout of text": lambda runner: runner.iterate(items(), timeout="5"),  # type: ignore[arg-type]
    "run with a factory that fails": lambda runner: runner.run(asyncio.sleep(0), loop_factory=lambda: 1 / 0),  # type: ignore[arg-type, return-value]
}


# A coroutine that is never awaited is a warning, and warnings are errors here.
@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_argument_leaves_no_coroutine_behind(runner: EventLoopThreadRunner, wrong: str) -> None:
    with pytest.raises((TypeError, ValueError, ZeroDivisionError)):
        WRONG[wrong](runner)


def test_finalizers_that_submit_while_a_lock_is_held_do_not_deadlock() -> None:
    programs.check(
        """
        import asyncio, gc, logging, sys
        import palitra

        logging.getLogger("asyncio").setLevel(logging.ERROR)  # A busy machine is slow.

        class Garbage:
            def __init__(self):
                self.itself = self

            def __del__(self):
                futures.append(palitra.submit(palitra.job("palitra.echo", b"x")))
                futures.append(palitra.submit(asyncio.sleep(0, b"x")))

        def collect(frame, event, argument):
            # As if garbage were collected at every line of the package.
            line = frame.f_code.co_filename, frame.f_lineno
            if "palitra" in line[0] and line not in seen:
                seen.add(line)
                Garbage()
                gc.collect()
            return collect

        futures, seen = [], set()
        gc.disable()
        gc.freeze()  # What is there already is not garbage: not to look at it is quicker by far.
        sys.settrace(collect)
        futures.append(palitra.submit(palitra.job("palitra.echo", b"x")))
        futures.append(palitra.submit(asyncio.sleep(0, b"x")))
        sys.settrace(None)
        assert len(futures) > 100
        assert {future.result(20) for future in futures} == {b"x"}
        print("kept")
    """,
    )


FUNCTIONS = ["run", "gather", "submit", "as_completed", "iterate", "enter", "is_runner_alive", "shutdown_global_runner",
             "configure", "job", "jobs", "load", "to_sync", "to_async", "gather_async"]  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_packages_functions_are_pickled_by_their_names(name: str) -> None:
    function = getattr(palitra, name)
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(function, protocol)) == function
    assert cloudpickle.loads(cloudpickle.dumps(function)) == function


def test_a_function_that_uses_them_is_run_in_another_process() -> None:
    run = palitra.run

    def work(number: int) -> Any:
        return run(asyncio.sleep(0, number))

    program = "import pickle, sys; print(pickle.load(sys.stdin.buffer)(7))"
    pickled = cloudpickle.dumps(work)
    ended = subprocess.run([sys.executable, "-c", program], input=pickled, capture_output=True, timeout=30, check=False)
    assert (ended.stdout, ended.stderr) == (b"7\n", b"")
