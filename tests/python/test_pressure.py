"""Submits that are bounded, failures that nobody asked for, and the runner in numbers."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import wait
from typing import Any

import palitra
import pytest
from asynchronous import stubborn
from palitra import EventLoopThreadRunner
from palitra._loop.futures import Submission, SubmittedFuture
from waits import wait_until


async def double(number: int) -> int:
    await asyncio.sleep(0.01)
    return 2 * number


async def fail() -> None:
    raise ValueError("failed on purpose")


@pytest.fixture
def bounded() -> Iterator[EventLoopThreadRunner]:
    with EventLoopThreadRunner(limit=2) as runner:
        yield runner


# The bound.


def test_a_submit_waits_for_a_place(bounded: EventLoopThreadRunner) -> None:
    most = 0
    now = 0

    async def work() -> None:
        nonlocal most, now
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.005)
        now -= 1

    futures = [bounded.submit(work()) for _ in range(20)]
    assert not wait(futures, 10).not_done
    assert most == 2


def test_a_submit_that_must_not_wait_raises_and_closes_the_coroutine(bounded: EventLoopThreadRunner) -> None:
    held = [bounded.submit(asyncio.sleep(60)) for _ in range(2)]
    with pytest.raises(palitra.BusyError, match="2 coroutines that were submitted"):
        bounded.submit(double(1), block=False)
    held[0].cancel()
    assert bounded.submit(double(1)).result(10) == 2


def test_on_the_loops_own_thread_it_never_waits(bounded: EventLoopThreadRunner) -> None:
    async def work() -> int:
        bounded.submit(asyncio.sleep(60))
        bounded.submit(asyncio.sleep(60))
        with pytest.raises(palitra.BusyError):
            bounded.submit(double(1))
        return 1

    assert bounded.run(work()) == 1  # A wait in place takes no place.


def test_a_submit_that_waits_ends_with_the_runner() -> None:
    runner = EventLoopThreadRunner(limit=1)
    runner.submit(asyncio.sleep(60))
    errors: list[BaseException] = []

    def submit() -> None:
        try:
            runner.submit(double(1))
        except RuntimeError as error:
            errors.append(error)

    threads = [threading.Thread(target=submit) for _ in range(3)]
    for thread in threads:
        thread.start()
    time.sleep(0.05)
    runner.close()
    for thread in threads:
        thread.join(10)
    assert [str(error) for error in errors] == ["Event loop is closed: this runner was closed"] * 3


def test_work_that_is_given_up_frees_its_place() -> None:
    runner = EventLoopThreadRunner(limit=1)
    runner.submit(stubborn())
    with pytest.raises(palitra.BusyError):
        runner.submit(double(1), block=False)
    runner.close(0.05)
    with pytest.raises(palitra.ShutDownError):
        runner.submit(double(1))


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_below_one_is_an_error(limit: int) -> None:
    with pytest.raises(ValueError):
        EventLoopThreadRunner(limit=limit)


# Failures that nobody asked for.


@pytest.fixture
def reported(caplog: pytest.LogCaptureFixture) -> Callable[[int], list[str]]:
    """The messages of so many reports; there must be no more."""

    def messages(number: int) -> list[str]:
        def reports() -> list[str]:
            return [one.getMessage() for one in caplog.records if "nobody asked" in one.getMessage()]

        gc.collect()
        if number:
            wait_until(lambda: len(reports()) >= number, "the failures are reported")
        palitra.run(asyncio.sleep(0.05))
        return reports()

    return messages


def test_a_forgotten_failure_is_reported_once_with_the_functions_name(reported: Callable[[int], list[str]]) -> None:
    palitra.submit(fail())
    palitra.submit(double(1))
    palitra.submit(asyncio.sleep(0.01)).cancel()
    assert reported(1) == ["fail was submitted and failed, and nobody asked for its result"]


def test_a_failure_that_somebody_asked_for_is_not_reported(reported: Callable[[int], list[str]]) -> None:
    with pytest.raises(ValueError):
        palitra.submit(fail()).result(10)
    assert isinstance(palitra.submit(fail()).exception(10), ValueError)

    async def awaits() -> None:
        with pytest.raises(ValueError):
            await asyncio.wrap_future(palitra.submit(fail()))

    asyncio.run(awaits())
    with pytest.raises(ValueError):
        palitra.run(fail())
    with pytest.raises(ValueError):
        palitra.gather(fail(), fail())
    assert reported(0) == []


def test_who_only_waited_did_not_ask(reported: Callable[[int], list[str]]) -> None:
    future = palitra.submit(fail(), name="named")
    wait([future], 10)
    assert future.done()
    del future
    assert reported(1) == ["named was submitted and failed, and nobody asked for its result"]


def test_the_loops_own_handler_gets_it_on_the_loops_thread() -> None:
    got: list[tuple[str, BaseException, str]] = []
    arrived = threading.Event()

    def handler(_: Any, context: dict[str, Any]) -> None:
        got.append((context["message"], context["exception"], threading.current_thread().name))
        arrived.set()

    with EventLoopThreadRunner(name="mine") as runner:
        runner.call(runner.get_loop().set_exception_handler, handler)
        runner.submit(fail())
        assert arrived.wait(10)
    ((message, error, thread),) = got
    assert (type(error), thread) == (ValueError, "mine")
    assert message.startswith("fail ")


def test_a_future_that_outlives_the_runner_reports_too(reported: Callable[[int], list[str]]) -> None:
    with EventLoopThreadRunner() as runner:
        future = runner.submit(fail())
        wait_until(future.done, "it has failed")
    del future
    assert len(reported(1)) == 1


def test_a_forgotten_native_job_is_reported_too(reported: Callable[[int], list[str]]) -> None:
    palitra.submit(palitra.job("http.get", url="no address"))
    assert reported(1) == ["the job http.get was submitted and failed, and nobody asked for its result"]


def test_what_is_forgotten_while_the_interpreter_exits_makes_no_noise(run_python: Callable[..., Any]) -> None:
    code = "import palitra, asyncio\nasync def fail(): raise ValueError\nkept = palitra.submit(fail())\n"
    ended = run_python(code + "import time\nwhile not kept.done(): time.sleep(0.001)")
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_future_whose_work_ends_meanwhile_is_cancelled_and_waited_for_all_the_same() -> None:
    class Ending(SubmittedFuture[Any]):
        """The loop's thread completes it between any two steps of another thread."""

        @property
        def _submission(self) -> Any:
            submission, self.submission = self.submission, None
            return submission

        @_submission.setter
        def _submission(self, submission: Any) -> None:
            self.submission = submission

    with EventLoopThreadRunner() as runner:
        coroutine = double(1)
        submission = Submission(runner._live_thread(), coroutine)
        Ending(submission)._cancel_work()
        Ending(submission)._check_may_wait()
        coroutine.close()


# Numbers.


def test_the_numbers_say_what_runs_waits_and_how_it_ended() -> None:
    with EventLoopThreadRunner() as runner:
        assert set(runner.stats().values()) == {0}
        runner.run(double(1))
        runner.gather(double(1), double(2), fail(), return_exceptions=True)
        with pytest.raises(ValueError):
            runner.run(fail())
        endless = runner.submit(asyncio.sleep(60))
        waits = threading.Thread(target=lambda: runner.gather(*[asyncio.sleep(0.3)] * 1, asyncio.sleep(0.3), limit=1))
        waits.start()
        wait_until(lambda: runner.stats()["waiting"] == 1 and runner.stats()["running"] == 2, "one waits for the limit")
        assert runner.stats() == {"running": 2, "waiting": 1, "finished": 3, "failed": 2, "cancelled": 0}
        endless.cancel()
        waits.join(10)
        wait_until(lambda: runner.stats()["running"] == 0, "all have ended")
        assert runner.stats() == {"running": 0, "waiting": 0, "finished": 5, "failed": 2, "cancelled": 1}


def test_work_behind_a_blocked_loop_waits() -> None:
    release = threading.Event()
    with EventLoopThreadRunner() as runner:
        runner.submit(blocks(release))
        wait_until(lambda: runner.stats()["running"] == 1, "the loop is blocked")
        later = [runner.submit(double(1)) for _ in range(3)]
        assert runner.stats()["waiting"] == 3
        release.set()
        assert [future.result(10) for future in later] == [2, 2, 2]


async def blocks(release: threading.Event) -> None:
    release.wait(10)


def test_the_global_runners_numbers_are_beside_those_of_native_jobs() -> None:
    palitra.shutdown_global_runner()
    palitra.run(double(1))
    palitra.run(palitra.job("palitra.echo", b"echo"))
    palitra.run(double(1), loop_factory=asyncio.new_event_loop)
    assert palitra.stats()["finished"] == 2
    assert palitra.native_stats()["succeeded"] == 1


def test_the_numbers_of_native_jobs_can_be_read_after_the_shutdown_until_the_next_use() -> None:
    palitra.shutdown_global_runner()
    for _ in range(2):
        palitra.run(palitra.job("palitra.echo", b"echo"))
    palitra.shutdown_global_runner()
    assert palitra.native_stats()["succeeded"] == 2
    palitra.run(palitra.job("palitra.echo", b"echo"))
    assert palitra.native_stats()["succeeded"] == 1


def test_a_callback_of_a_failure_is_no_report(caplog: pytest.LogCaptureFixture) -> None:
    done = threading.Event()
    with caplog.at_level(logging.ERROR):
        future = palitra.submit(fail())
        future.add_done_callback(lambda one: (one.exception(), done.set()))
        assert done.wait(10)
        del future
        palitra.run(asyncio.sleep(0.01))
    assert not caplog.records
