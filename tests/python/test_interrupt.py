"""Ctrl-C, a real SIGINT, ends every blocking call in time, and the work with it.

Each program blocks in one call, says so, and is then sent the signal.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import palitra
import programs
import pytest
from native import in_flight
from palitra._loop.work import Work
from waits import PATIENCE, wait_until

COMMON = """
import asyncio, contextlib, logging, os, signal, sys, threading, time
import palitra

logging.getLogger("asyncio").setLevel(logging.ERROR)
ended = []
tests = palitra.load(os.environ["PALITRA_LIBRARY_DIR"] + "/libpalitra_test_jobs.so")

def blocked():
    # When the caller waits, as it most likely does after 0.05 seconds.
    threading.Timer(0.05, print, ("blocked",)).start()

async def work():
    blocked()
    try:
        await asyncio.sleep(60)
    finally:
        await asyncio.sleep(0.01)
        ended.append("work")

async def items():
    yield 1
    await work()

@contextlib.asynccontextmanager
async def entering():
    await work()
    yield

@contextlib.asynccontextmanager
async def leaving():
    yield
    await work()

def leave():
    with palitra.enter(leaving()):
        pass

never = tests.job("test.never")
runner = tests.Runner()

def native(call):
    blocked()
    return call()

CALLS = {
    "run": lambda: palitra.run(work()),
    "run with a timeout": lambda: palitra.run(work(), timeout=60),
    "gather": lambda: palitra.gather(work(), asyncio.sleep(60)),
    "gather with a limit": lambda: palitra.gather(work(), asyncio.sleep(60), limit=1),
    "as_completed": lambda: next(palitra.as_completed(work())),
    "iterate": lambda: list(palitra.iterate(items())),
    "enter": lambda: palitra.enter(entering()).__enter__(),
    "leave": leave,
    "submit": lambda: palitra.submit(work()).result(),
    "submit with a timeout": lambda: palitra.submit(work()).result(60),
    "to_sync": lambda: palitra.to_sync(work)(),
    "native run": lambda: native(lambda: palitra.run(never)),
    "native run with a timeout": lambda: native(lambda: palitra.run(never, timeout=60)),
    "native run with progress": lambda: native(lambda: palitra.run(never.with_progress(print))),
    "native gather": lambda: native(lambda: palitra.gather(never, never)),
    "native submit": lambda: native(lambda: palitra.submit(never).result()),
    "native stream": lambda: native(lambda: list(palitra.iterate(tests.job("test.stream", items=0, forever=True)))),
    "native shutdown": lambda: native(lambda: (runner.submit(runner.job("test.never")), runner.shutdown(grace=None))),
    "both": lambda: palitra.gather(never, work()),
}
call = CALLS[sys.argv[1]]
"""

COROUTINES = [
    "run",
    "run with a timeout",
    "gather",
    "gather with a limit",
    "as_completed",
    "iterate",
    "enter",
    "leave",
    "to_sync",
    "both",
]
NATIVE = [
    "native run",
    "native run with a timeout",
    "native run with progress",
    "native gather",
    "native stream",
    "native shutdown",
]
#: Where a caller that stops waiting for the future must also drop it.
FUTURES = ["submit", "submit with a timeout", "native submit"]


def interrupted(code: str, *arguments: str, signals: int = 1, timeout: float = 20) -> programs.Ended:
    """Runs a program that says "blocked", sends it SIGINT then, and again after half a second for each further one."""
    with tempfile.TemporaryFile("w+") as errors:
        program = programs.start(code, *arguments, stdout=subprocess.PIPE, stderr=errors)
        try:
            assert program.stdout is not None
            line = program.stdout.readline()
            start = time.monotonic()
            for number in range(signals):
                if number:
                    time.sleep(0.5)
                os.kill(program.pid, signal.SIGINT)
            output, _ = program.communicate(timeout=timeout)
            seconds = time.monotonic() - start
        finally:
            programs.kill(program)
        errors.seek(0)
        ended = programs.Ended(program.returncode, output, errors.read(), seconds)
        assert line == "blocked\n", str(ended)
        return ended


CATCHING = COMMON + textwrap.dedent("""
    try:
        call()
    except KeyboardInterrupt:
        print("interrupted", *ended)
    runner.close()
""")


@pytest.fixture(scope="module")
def ends() -> Iterator[dict[str, Future[programs.Ended]]]:
    calls = COROUTINES + NATIVE + FUTURES
    with programs.together({call: partial(interrupted, CATCHING, call) for call in calls}) as ends:
        yield ends


@pytest.mark.parametrize("call", COROUTINES + NATIVE + FUTURES)
def test_ctrl_c_ends_the_call_and_the_work(call: str, ends: dict[str, Future[programs.Ended]]) -> None:
    ended = ends[call].result()
    expected = "interrupted work\n" if call in COROUTINES else "interrupted\n"
    assert (ended.status, ended.output, ended.errors) == (0, expected, ""), str(ended)
    assert ended.seconds < 5, str(ended)


@pytest.mark.parametrize("call", ["run", "native run", "gather"])
def test_ctrl_c_that_nobody_catches_ends_the_process_as_python_does(call: str) -> None:
    ended = interrupted(COMMON + "call()\n", call)
    assert ended.status == -signal.SIGINT, str(ended)
    assert ended.errors.endswith("KeyboardInterrupt\n"), str(ended)


@pytest.mark.parametrize("call", ["run", "native run", "gather", "native gather"])
def test_what_another_signals_handler_raises_comes_through(call: str) -> None:
    code = COMMON + textwrap.dedent("""
        class Reload(Exception):
            pass

        def reload(number, frame):
            raise Reload

        signal.signal(signal.SIGINT, reload)
        try:
            call()
        except Reload:
            print("reload", *ended)
        runner.close()
    """)
    ended = interrupted(code, call)
    expected = "reload\n" if "native" in call else "reload work\n"
    assert (ended.status, ended.output, ended.errors) == (0, expected, ""), str(ended)


@pytest.mark.parametrize("call", ["run", "native run"])
def test_a_handler_that_only_notes_the_signal_is_called_at_once_and_the_wait_continues(call: str) -> None:
    code = COMMON + textwrap.dedent("""
        start = time.monotonic()
        signal.signal(signal.SIGINT, lambda number, frame: print("noted", time.monotonic() - start < 5))
        try:
            palitra.run(never if "native" in sys.argv[1] else asyncio.sleep(60), timeout=1) if blocked() is None else 0
        except TimeoutError:
            print("timed out")
        runner.close()
    """)
    ended = interrupted(code, call)
    assert (ended.status, ended.output, ended.errors) == (0, "noted True\ntimed out\n", ""), str(ended)


def test_a_second_ctrl_c_ends_the_wait_for_work_that_takes_its_time() -> None:
    code = COMMON + textwrap.dedent("""
        async def stubborn():
            blocked()
            while not released.is_set():
                try:
                    await asyncio.sleep(0.02)
                except asyncio.CancelledError:
                    pass

        released = threading.Event()
        try:
            palitra.run(stubborn())
        except KeyboardInterrupt:
            print("interrupted")
        released.set()
        palitra.run(asyncio.sleep(0))
        runner.close()
    """)
    # The wait alone would be two seconds, and a busy machine adds to what the second signal leaves of it.
    for _ in range(5):
        ended = interrupted(code, "run", signals=2)
        assert (ended.status, ended.output, ended.errors) == (0, "interrupted\n", ""), str(ended)
        if ended.seconds < 1.9:
            break
    assert ended.seconds < 1.9, str(ended)


def test_ctrl_c_at_any_moment_leaves_no_work_running() -> None:
    # A storm: signals fall into every part of the calls, into posting and taking the outcome too.
    code = COMMON + textwrap.dedent("""
        running, most = set(), 0

        async def brief(number):
            running.add(number)
            try:
                await asyncio.sleep(0.0005 * (number % 4))
            finally:
                running.discard(number)

        main, stop = threading.main_thread().ident, threading.Event()

        def storm():
            while not stop.wait(0.0021):
                signal.pthread_kill(main, signal.SIGINT)

        class Strike(Exception):
            pass

        def strike(number, frame):
            if armed:
                raise Strike

        armed, struck = False, 0
        signal.signal(signal.SIGINT, strike)
        storming = threading.Thread(target=storm)
        storming.start()
        for number in range(600):
            try:
                armed = True
                if number % 2:
                    palitra.run(brief(number))
                else:
                    palitra.run(tests.job("palitra.sleep", seconds=0.001))
                armed = False
            except Strike:
                armed = False
                struck += 1
        stop.set()
        storming.join()
        time.sleep(0.1)
        print("blocked", struck > 20, running)
        runner.close()
    """)
    ended = programs.run(code, "run")
    # Python warns of a coroutine that was made but not passed to palitra yet.
    errors = [line for line in ended.errors.splitlines() if "never awaited" in line]
    assert (ended.status, ended.output) == (0, "blocked True set()\n"), str(ended)
    assert len(errors) < 50, str(ended)


def test_ctrl_c_while_another_thread_waits_is_the_main_threads() -> None:
    code = COMMON + textwrap.dedent("""
        done = []
        thread = threading.Thread(target=lambda: done.append(palitra.run(asyncio.sleep(0.5, 5))))
        thread.start()
        try:
            call()
        except KeyboardInterrupt:
            thread.join()
            print("interrupted", *ended, *done)
        runner.close()
    """)
    ended = interrupted(code, "run")
    assert (ended.status, ended.output, ended.errors) == (0, "interrupted work 5\n", ""), str(ended)


# Handlers that raise at each step, one after the other: signals would need luck.


class Strike(Exception):
    """What a signal's handler raises."""


class Striking:
    """Raises Strike at one line of the named files of ``palitra._native``, counted from the first that is executed on
    this thread; or else, at last, where ``is_over`` says so."""

    def __init__(self, at: int, files: set[str], is_over: Callable[[FrameType], bool] = lambda frame: False) -> None:
        self._lines_left = at
        self._files = files
        self._is_over = is_over
        #: Whether it was over before that line.
        self.was_late = False

    def _trace(self, frame: FrameType, event: str, argument: object) -> Any:
        path = Path(frame.f_code.co_filename)
        if path.parent.name != "_native" or path.name not in self._files:
            return None
        if event == "call" and self._is_over(frame):
            self.was_late = True
            raise Strike
        if event == "line":
            self._lines_left -= 1
            if self._lines_left == 0:
                raise Strike
        return self._trace

    def __enter__(self) -> Striking:
        self._before = sys.gettrace()
        sys.settrace(self._trace)
        return self

    def __exit__(self, *arguments: object) -> None:
        sys.settrace(self._before)


def gather(runner: palitra.Runner, jobs: list[palitra.Job], **options: Any) -> None:
    runner.gather(*jobs, **options)


def gather_async(runner: palitra.Runner, jobs: list[palitra.Job], **options: Any) -> None:
    asyncio.run(palitra.gather_async(*jobs, **options))


@pytest.mark.parametrize("return_exceptions", [True, False], ids=["returned", "raised"])
@pytest.mark.parametrize("gather", [gather, gather_async])
def test_a_handler_that_raises_at_any_step_of_a_gather_ends_it_and_its_jobs(
    gather: Callable[..., None], return_exceptions: bool, tests: palitra.Library
) -> None:
    with tests.Runner() as runner:
        never, brief = runner.job("test.never"), runner.job("palitra.sleep", seconds=0.001)
        # One is ready, one pends when it is polled inline, one has a deadline, three are submitted in one call, and the
        # last two when one of those has ended.
        jobs = [runner.job("palitra.echo", b"x"), never, never.with_deadline(600), never, brief, brief, never, never]

        def is_over(frame: FrameType) -> bool:
            return frame.f_code.co_name == "submit_more" and None not in frame.f_locals["self"].values[4:6]

        for step in range(1, 2000):
            striking = Striking(step, {"batch.py", "invoke.py", "payload.py"}, is_over)
            with pytest.raises(Strike), striking:
                gather(runner, jobs, limit=5, return_exceptions=return_exceptions)
            if striking.was_late:
                break
        assert striking.was_late
        assert step > 100
        wait_until(lambda: in_flight(runner) == 0, "no job of an interrupted gather runs")


@pytest.mark.parametrize("name", ["test.never", "palitra.echo"])
def test_a_handler_that_raises_at_any_step_of_a_submit_leaves_no_job_running(name: str, tests: palitra.Library) -> None:
    with tests.Runner() as runner:
        job = runner.job(name)
        for step in range(1, 500):
            try:
                with Striking(step, {"futures.py", "invoke.py"}):
                    future = runner.submit(job)
            except Strike:
                continue
            future.cancel()
            break
        assert 10 < step < 499
        wait_until(lambda: in_flight(runner) == 0, "no job of an interrupted submit runs")


def test_a_handler_that_raises_when_the_work_has_just_ended_waits_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Work.interrupt, "__defaults__", (PATIENCE,))

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        # The caller was woken, and has not looked why yet.
        if event == "line" and frame.f_code is Work._wait.__code__ and "woken" in frame.f_locals:
            raise Strike
        return trace

    before = sys.gettrace()
    for seconds in (0, 0.01):
        began = time.monotonic()
        sys.settrace(trace)
        try:
            with pytest.raises(Strike):
                palitra.run(asyncio.sleep(seconds))
        finally:
            sys.settrace(before)
        assert time.monotonic() - began < PATIENCE
