"""A runner's loop: one that cannot run is an error where the runner is made, and what the factory set up is kept."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import os
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import native
import palitra
import programs
import pytest
from palitra import EventLoopThreadRunner
from waits import wait_until

COMMON = """
import asyncio, threading
import palitra

def refused(factory, kind, words):
    for make in (lambda: palitra.EventLoopThreadRunner(loop_factory=factory),
                 lambda: palitra.run(asyncio.sleep(0), loop_factory=factory)):
        try:
            make()
        except kind as error:
            assert words in str(error), error
        else:
            raise AssertionError("a runner was made")

"""

WRONG = {
    "a running loop": """
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever)
        thread.start()
        refused(lambda: loop, RuntimeError, "running already")
        assert loop.is_running() and loop._default_executor is None
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
    """,
    "a runner's own loop": """
        with palitra.EventLoopThreadRunner() as runner:
            refused(runner.get_loop, RuntimeError, "running already")
            assert runner.run(asyncio.sleep(0, 1)) == 1
    """,
    "a closed loop": """
        loop = asyncio.new_event_loop()
        loop.close()
        refused(lambda: loop, RuntimeError, "closed already")
    """,
    "no loop": """
        refused(lambda: None, TypeError, "NoneType")
    """,
    "a loop that does not run": """
        class Broken(asyncio.SelectorEventLoop):
            def run_forever(self):
                raise OSError("broken")

        refused(Broken, RuntimeError, "broken")
    """,
    "a loop that ends at once": """
        class Brief(asyncio.SelectorEventLoop):
            def run_forever(self):
                pass

        refused(Brief, RuntimeError, "ends at once")
    """,
    "a factory that fails": """
        def fail():
            raise ValueError("on purpose")

        refused(fail, ValueError, "on purpose")
    """,
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_loop_that_cannot_run_is_an_error_where_the_runner_is_made(wrong: str) -> None:
    import textwrap

    end = "\nassert threading.active_count() == 1, threading.enumerate()\nprint('kept')\n"
    programs.check(COMMON + textwrap.dedent(WRONG[wrong]) + end)


def test_a_loop_that_turns_no_more_ends_its_runners_waits_and_the_next_use_makes_another(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Failing(asyncio.SelectorEventLoop):
        broken = False

        def _run_once(self) -> None:
            if self.broken:
                raise OSError("broken")
            super()._run_once()  # type: ignore[misc]

    with EventLoopThreadRunner(loop_factory=Failing) as runner:
        first: Any = runner.get_loop()
        future = runner.submit(asyncio.sleep(600))
        first.broken = True
        first.call_soon_threadsafe(int)
        with pytest.raises((palitra.CancelledError, RuntimeError)):
            future.result(20)
        assert runner.run(asyncio.sleep(0, "again"), timeout=20) == "again"
        assert runner.get_loop() is not first
    assert "the event loop of a runner has ended" in caplog.text


@native.each_loop
def test_an_executor_that_the_factory_set_is_kept(factory: Callable[[], asyncio.AbstractEventLoop]) -> None:
    def make() -> asyncio.AbstractEventLoop:
        loop = factory()
        loop.set_default_executor(ThreadPoolExecutor(1, thread_name_prefix="the-factorys"))
        return loop

    with EventLoopThreadRunner(loop_factory=make) as runner:
        name = runner.run(asyncio.to_thread(lambda: threading.current_thread().name))
    assert name.startswith("the-factorys")
    with EventLoopThreadRunner(loop_factory=factory) as runner:
        name = runner.run(asyncio.to_thread(lambda: threading.current_thread().name))
    assert not name.startswith("the-factorys")


class Request:
    """What a web framework keeps in a context variable."""


request: contextvars.ContextVar[Request] = contextvars.ContextVar("request")


@native.each_loop
def test_the_first_callers_context_does_not_live_as_long_as_the_loop(
    factory: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    def call(runner: EventLoopThreadRunner | None = None) -> weakref.ref[Request]:
        first = Request()
        request.set(first)
        runner = runner or EventLoopThreadRunner(loop_factory=factory)
        assert runner.run(asyncio.sleep(0.001, "ran")) == "ran"
        assert runner.run(asyncio.wait_for(palitra.job("palitra.sleep", seconds=0.001), 20))
        runners.append(runner)
        return weakref.ref(first)

    runners: list[EventLoopThreadRunner] = []
    seen = contextvars.copy_context().run(call)
    try:
        runners[0].run(asyncio.sleep(0))
        gc.collect()
        assert seen() is None, gc.get_referrers(seen())
    finally:
        runners[0].close()


def files() -> set[str]:
    """What the open files of this process are."""
    found = set()
    for number in os.listdir("/proc/self/fd"):
        try:
            found.add(f"{number} {os.readlink(f'/proc/self/fd/{number}')}")
        except FileNotFoundError:
            pass
    return found


@native.each_loop
def test_descriptors_go_with_close_and_wait_for_no_garbage_collection(
    factory: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    def use(runner: EventLoopThreadRunner) -> None:
        runner.run(asyncio.sleep(0))
        runner.run(asyncio.wait_for(palitra.job("palitra.sleep", seconds=0.001), 20))

    with EventLoopThreadRunner(loop_factory=factory) as runner:
        use(runner)  # What is made once in a process is there now.
    gc.collect()
    gc.disable()
    try:
        before = files()
        runners = [EventLoopThreadRunner(loop_factory=factory) for _ in range(3)]
        for runner in runners:
            use(runner)
        assert len(files()) > len(before)
        for runner in runners:
            runner.close()
        # The thread that told of the last job's end releases the queue when it has a processor again.
        wait_until(lambda: files() <= before, "the descriptors are closed")
    finally:
        gc.enable()
