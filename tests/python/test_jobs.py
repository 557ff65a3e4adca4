"""Native jobs from synchronous code: formats, errors, bounds, deadlines, progress, cancelling."""

from __future__ import annotations

import asyncio
import concurrent.futures
import gc
import json
import logging
import math
import pickle
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import palitra
import pytest
from native import drops, in_flight
from palitra._native import payload
from waits import wait_until


@pytest.fixture
def runner(tests: palitra.Library) -> Iterator[palitra.Runner]:
    with tests.Runner() as runner:
        yield runner


def until_one_is_dropped(tests: palitra.Library, attempt: Callable[[], object]) -> None:
    """Repeats what starts jobs test.never and ends them by the time, until one of them has been dropped. On a busy
    machine a job may run out of time before it starts: then there is nothing to drop."""
    before = drops(tests)
    for _ in range(20):
        attempt()
        end = time.monotonic() + 1
        while time.monotonic() < end:
            if drops(tests) > before:
                return
            time.sleep(0.005)
    pytest.fail("no job was dropped")


# Payloads and replies.


@pytest.mark.parametrize("data", [b"", b"bytes\0\xff", bytearray(b"array"), memoryview(b"view"), b"x" * (1 << 20)])
def test_bytes_come_back_as_bytes(data: Any) -> None:
    assert palitra.run(palitra.job("palitra.echo", data)) == bytes(data)


def test_text_is_text() -> None:
    assert palitra.run(palitra.job("palitra.echo", "tëxt")) == "tëxt".encode()


def test_text_and_json_by_the_jobs_declared_format(tests: palitra.Library, example_jobs: Path) -> None:
    examples = palitra.load(example_jobs)
    assert examples.run(examples.job("text.upper", "grüße")) == "GRÜSSE"
    assert examples.run(examples.job("text.pair", ["a", "b"])) == "A and B"
    assert examples.run(examples.job("account.add", amount=5)) == {"total": 5}
    assert examples.run(examples.job("account.add", {"amount": 2})) == {"total": 7}
    assert examples.run(examples.job("account.add", b'{"amount": 1}')) == {"total": 8}


def test_a_payload_that_the_format_cannot_express_is_an_error(tests: palitra.Library) -> None:
    for wrong in (5, 1.5, [1], {"a": 1}, object()):
        with pytest.raises(TypeError):
            palitra.job("palitra.echo", wrong)
    with pytest.raises(TypeError, match="not fields"):
        palitra.job("palitra.echo", text="a")
    with pytest.raises(TypeError, match="not both"):
        palitra.job("palitra.sleep", {"seconds": 1}, seconds=1)
    with pytest.raises(TypeError):
        palitra.job("palitra.sleep", {"seconds": object()})


@pytest.mark.parametrize(
    "value", [{}, {"a": [1, 2.5, None, True, 'tëxt "\n\\']}, "text", "", 1e300, [[]], False, 10**30]
)
def test_json_is_that_of_the_standard_library(value: Any) -> None:
    assert payload._to_json(value) == json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for text in (json.dumps(value), json.dumps(value, indent=2), f" \n{json.dumps(value)}\t "):
        assert payload._from_json(text) == value


def test_json_that_is_none_is_an_error() -> None:
    circle: list[Any] = []
    circle.append(circle)
    with pytest.raises(ValueError, match="Circular reference"):
        palitra.job("palitra.sleep", circle)
    for number in (math.nan, math.inf, -math.inf):
        with pytest.raises(ValueError, match="JSON compliant"):
            palitra.job("palitra.sleep", seconds=number)
    for text in ("", "{", "1 2", "nothing"):
        with pytest.raises(json.JSONDecodeError):
            payload._from_json(text)


def test_a_job_may_have_no_payload(tests: palitra.Library) -> None:
    assert palitra.run(palitra.job("palitra.echo")) == b""
    assert tests.run(tests.job("test.ready")) in (b"", None, "")
    assert tests.run(tests.job("test.drops")).isdigit()


def test_a_job_may_run_again_and_again_and_at_once() -> None:
    job = palitra.job("palitra.echo", b"again")
    assert [palitra.run(job) for _ in range(3)] == [b"again"] * 3
    assert palitra.gather(*[job] * 3) == [b"again"] * 3
    assert "palitra.echo" in repr(job)


def test_a_large_reply(tests: palitra.Library) -> None:
    assert len(tests.run(tests.job("test.large", bytes=20_000_000))) == 20_000_000


# Errors.


def calls(job: palitra.Job) -> list[Any]:
    """Every way to have a job's outcome."""

    async def await_job() -> Any:
        return await job

    return [
        lambda: palitra.run(job),
        lambda: palitra.run(job, timeout=60),
        lambda: palitra.run(job.with_deadline(60)),
        lambda: palitra.run(job.with_progress(lambda done, total: None)),
        lambda: palitra.gather(job),
        lambda: palitra.submit(job).result(60),
        lambda: palitra.run(await_job()),
        lambda: asyncio.run(await_job()),
        lambda: next(palitra.as_completed(job)).result(),
    ]


def test_a_failure_has_the_jobs_code_and_message(tests: palitra.Library) -> None:
    for call in calls(tests.job("test.fail", code=42, message="failed on purpose")):
        with pytest.raises(palitra.JobError) as caught:
            call()
        assert (caught.value.code, caught.value.message) == (42, "failed on purpose")
        assert caught.value.status == "PALITRA_JOB_FAILED"
        assert "failed on purpose" in str(caught.value)
        assert isinstance(caught.value, palitra.Error)


def test_a_failure_has_the_details_that_its_job_gave_it(tests: palitra.Library) -> None:
    details = {"sqlstate": "23505", "fields": ["name"]}
    for call in calls(tests.job("test.fail", code=42, message="taken", details=details)):
        with pytest.raises(palitra.JobError, match="taken") as caught:
            call()
        assert caught.value.details == details
        copy = pickle.loads(pickle.dumps(caught.value))
        assert (copy.code, copy.message, copy.details) == (42, "taken", details)
    for job in (tests.job("test.fail", code=42, message="taken"), tests.job("test.fail", code="none")):
        with pytest.raises(palitra.JobError) as caught:
            palitra.run(job)
        assert caught.value.details is None


@pytest.mark.parametrize("name", ["test.panic", "test.panic_later"])
def test_a_panic_has_its_message_and_the_runner_continues(tests: palitra.Library, name: str) -> None:
    for call in calls(tests.job(name, "panicked on purpose")):
        with pytest.raises(palitra.JobPanickedError, match="panicked on purpose"):
            call()
    assert tests.run(tests.job("palitra.echo", b"x")) == b"x"


def test_a_refused_payload_says_what_was_wrong() -> None:
    with pytest.raises(palitra.BadPayloadError, match=r'^the payload does not fit.*string "long"') as caught:
        palitra.run(palitra.job("palitra.sleep", b'{"seconds": "long"}'))
    assert caught.value.status == "PALITRA_BAD_PAYLOAD"
    for kind in (palitra.JobError, ValueError):  # who knows only these catches it still
        with pytest.raises(kind):
            palitra.run(palitra.job("palitra.sleep", b"no json"))
    with pytest.raises(palitra.JobError) as failed:
        palitra.run(palitra.job("palitra.sleep", seconds=-1))
    assert not isinstance(failed.value, palitra.BadPayloadError), "it fits"


def test_a_deadline_that_has_passed_is_one(tests: palitra.Library) -> None:
    late = tests.job("test.never").with_deadline(0)
    for call in (palitra.run, palitra.gather, lambda job: palitra.submit(job).result(20)):
        with pytest.raises(palitra.TimeoutError, match="deadline"):
            call(late)


def test_an_unknown_job_is_an_error_at_once(tests: palitra.Library) -> None:
    for make in (palitra.job, tests.job):
        with pytest.raises(palitra.UnknownJobError, match=r"no.such") as caught:
            make("no.such")
        assert isinstance(caught.value, LookupError)
    with pytest.raises(palitra.UnknownJobError):
        palitra.job("test.fail", code=1, message="of the other library")
    for make, name in ((palitra.job, "http.gett"), (palitra.job, "HTTP.get"), (tests.job, "palitra.ech\0")):
        with pytest.raises(palitra.UnknownJobError) as caught:
            make(name)
        assert ("; the nearest is 'http.get'" in str(caught.value)) is ("http" in name.lower())


def test_a_full_runner_is_busy(tests: palitra.Library) -> None:
    with tests.Runner(max_in_flight=2) as runner:
        never = runner.job("test.never")
        futures = [runner.submit(never) for _ in range(2)]
        for call in (runner.run, runner.submit, lambda job: runner.gather(job)):
            with pytest.raises(palitra.BusyError):
                call(runner.job("palitra.echo", b"x"))
        for future in futures:
            future.cancel()
        # One that is cancelled while it is queued is in flight until the runner has dropped it.
        wait_until(lambda: in_flight(runner) == 0, "no job was in flight")
        assert runner.run(runner.job("palitra.echo", b"x")) == b"x"


def test_gather_waits_for_room_in_its_own_runner(tests: palitra.Library) -> None:
    with tests.Runner(max_in_flight=2) as runner:
        sleeps = [runner.job("palitra.sleep", seconds=0.001) for _ in range(10)]
        assert len(runner.gather(*sleeps)) == 10


def test_too_large_a_payload_is_refused(tests: palitra.Library) -> None:
    with tests.Runner(max_payload=10) as runner:
        assert runner.run(runner.job("palitra.echo", b"x" * 10)) == b"x" * 10
        for call in (runner.run, runner.submit, lambda job: runner.gather(job)):
            with pytest.raises(palitra.TooLargeError):
                call(runner.job("palitra.echo", b"x" * 11))


def test_a_configuration_of_the_process_is_for_the_runners_that_are_made_after_it(tests: palitra.Library) -> None:
    def text(config: object = None) -> object:
        with tests.Runner(config=config) as runner:
            return runner.run(runner.job("test.configured"))

    tests.configure({"test.configured": {"text": "of all"}})
    assert text() == "of all"
    assert text({"test.configured": {"text": "own"}}) == "own"
    assert text('{"test.configured": {"text": "as text"}}') == "as text"
    for wrong in ("{", "[]", "{}\0"):
        with pytest.raises(palitra.InvalidArgumentError):
            tests.configure(wrong)
        with pytest.raises(palitra.InvalidArgumentError):
            text(wrong)
    tests.configure(None)
    with pytest.raises(palitra.JobError, match="missing field `text`"):
        text()


@pytest.mark.parametrize("limit", [None, 0, 5e-6, 1e-3])
def test_a_runner_works_with_every_spin_limit(tests: palitra.Library, limit: float | None) -> None:
    with tests.Runner(spin_limit=limit) as runner:
        assert runner.submit(runner.job("palitra.echo", b"x")).result(20) == b"x"


def test_a_spin_limit_above_a_millisecond_is_refused(tests: palitra.Library) -> None:
    with pytest.raises(palitra.InvalidArgumentError):
        tests.Runner(spin_limit=0.0011)


# Time.


def test_a_timeout_cancels_the_job(tests: palitra.Library) -> None:
    for call in (palitra.run, lambda job, timeout: palitra.gather(job, job, timeout=timeout)):

        def time_out(call: Callable[..., object] = call) -> None:
            with pytest.raises(TimeoutError, match=r"0\.05 seconds"):
                call(tests.job("test.never"), timeout=0.05)

        until_one_is_dropped(tests, time_out)


def test_a_timeout_holds_for_a_job_that_never_yields(tests: palitra.Library) -> None:
    with tests.Runner() as runner:
        start = time.monotonic()
        with pytest.raises(TimeoutError):
            runner.run(runner.job("test.spin", seconds=2), timeout=0.1)
        assert time.monotonic() - start < 1.5


# Promise 2: a job that is ready at once costs no hand-off.
def test_a_bounded_call_polls_an_inline_job_on_this_thread(tests: palitra.Library) -> None:
    with tests.Runner() as runner:
        holding = runner.submit(runner.job("test.hold", seconds=60))
        echo = runner.job("palitra.echo", b"here")
        assert runner.run(echo, timeout=60) == b"here"
        assert runner.run(echo.with_deadline(60)) == b"here"
        assert runner.gather(echo, echo.with_deadline(60), timeout=60) == [b"here"] * 2
        assert runner.run(echo, timeout=0) == b"here"  # A reply that is there is a reply.
        with pytest.raises(palitra.BadPayloadError):
            runner.run(runner.job("palitra.sleep", minutes=1), timeout=60)
        for pending in (runner.job("palitra.sleep", seconds=60), runner.job("test.ready")):
            for call in (runner.run, runner.gather):
                with pytest.raises(TimeoutError):
                    call(pending, timeout=0.02)
        assert not holding.done()
        runner.run(runner.job("test.let_go"))
        holding.result(60)


def test_a_call_that_cannot_read_a_stream_refuses_it_at_once(tests: palitra.Library) -> None:
    job = tests.job("test.stream", items=400)
    for call in tests.run, tests.gather:
        for one, bound in (job, {}), (job, {"timeout": 60}), (job.with_deadline(60), {}):
            with pytest.raises(palitra.JobError, match="nobody reads"):
                call(one, **bound)


def test_a_deadline_is_the_jobs_own(tests: palitra.Library) -> None:
    never = tests.job("test.never").with_deadline(0.03)
    for call in [*calls(never)[3:], lambda: palitra.run(never), lambda: palitra.run(never, timeout=60)]:

        def time_out(call: Callable[[], object] = call) -> None:
            with pytest.raises(TimeoutError):
                call()

        until_one_is_dropped(tests, time_out)
    job = palitra.job("palitra.echo", b"x")
    assert palitra.run(job.with_deadline(60)) == b"x"
    assert job.deadline is None


@pytest.mark.parametrize("timeout", [math.inf, 1e300])
def test_a_timeout_longer_than_the_system_can_express(timeout: float) -> None:
    sleep = palitra.job("palitra.sleep", seconds=0.001)
    assert palitra.run(sleep, timeout=timeout) == {"seconds": 0.001}
    assert palitra.gather(sleep, timeout=timeout) == [{"seconds": 0.001}]
    assert palitra.run(sleep.with_deadline(timeout)) == {"seconds": 0.001}


@pytest.mark.parametrize("timeout", [math.nan, "5"])
def test_a_timeout_that_is_no_number_is_an_error(timeout: Any) -> None:
    for call in (palitra.run, palitra.gather):
        with pytest.raises((ValueError, TypeError)):
            call(palitra.job("palitra.echo", b"x"), timeout=timeout)


def test_a_timeout_that_has_passed_already(tests: palitra.Library) -> None:
    for timeout in (0, -1):
        with pytest.raises(TimeoutError):
            palitra.run(tests.job("test.never"), timeout=timeout)


# Progress.


def test_progress_is_reported_in_order_and_to_its_end(tests: palitra.Library) -> None:
    steps = [[number, 200] for number in range(1, 201)]
    job = tests.job("test.progress", steps=steps, finish=True)

    async def await_job(job: palitra.Job) -> None:
        await job

    for call in (palitra.run, lambda job: palitra.run(await_job(job)), lambda job: palitra.run(job, timeout=60)):
        reports: list[tuple[int, int]] = []
        call(job.with_progress(lambda done, total, reports=reports: reports.append((done, total))))
        assert reports == sorted(reports)
        assert reports[-1] == (200, 200)
        assert len(reports) >= 2


def test_an_error_in_the_progress_function_cancels_the_job(tests: palitra.Library) -> None:
    def fail(done: int, total: int) -> None:
        raise LookupError("in the progress function")

    job = tests.job("test.progress", steps=[[1, 2]], finish=False).with_progress(fail)

    async def await_job() -> None:
        await job

    with pytest.raises(LookupError):
        palitra.run(job)
    with pytest.raises(LookupError):
        palitra.run(await_job())
    assert int(tests.run(tests.job("test.drops"))) >= 0


# Futures.


def test_a_future_of_a_job(tests: palitra.Library) -> None:
    future = palitra.submit(palitra.job("palitra.sleep", seconds=0.01))
    assert isinstance(future, concurrent.futures.Future)
    assert future.result(20) == {"seconds": 0.01}
    progress = palitra.submit(tests.job("test.progress", steps=[[1, 2]], finish=False))
    wait_until(lambda: progress.progress() == (1, 2), "the job had told its progress")
    progress.cancel()


def test_cancelling_a_future_cancels_the_job(tests: palitra.Library, caplog: pytest.LogCaptureFixture) -> None:
    before = drops(tests)
    future = palitra.submit(tests.job("test.never"))
    # The second starts after the first, on the same thread. A job that is cancelled before it starts leaves no drop.
    palitra.submit(tests.job("palitra.sleep", seconds=0.001)).result(10)
    assert not future.done()
    with caplog.at_level(logging.DEBUG, "concurrent.futures"):
        assert future.cancel()
        assert future.cancel()
        assert future.cancelled()
    assert caplog.records == []
    wait_until(lambda: drops(tests) > before, "the job was dropped")
    done, waiting = concurrent.futures.wait([future], timeout=10)
    assert done
    assert not waiting


def test_a_dropped_future_leaves_the_job_running(tests: palitra.Library) -> None:
    def drop_the_future() -> None:
        palitra.submit(tests.job("test.never").with_deadline(0.05))
        gc.collect()

    until_one_is_dropped(tests, drop_the_future)


@pytest.mark.parametrize("error", [ValueError, SystemExit, KeyboardInterrupt])
def test_a_callback_that_raises_hurts_no_other_future(
    tests: palitra.Library, error: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    def broken(future: Any) -> None:
        raise error

    with caplog.at_level(logging.CRITICAL + 1):
        # Long enough that none is done before it has its callback, which would be called here then.
        futures = [palitra.submit(palitra.job("palitra.sleep", seconds=1)) for _ in range(20)]
        for future in futures:
            future.add_done_callback(broken)
        assert all(future.result(10) for future in futures)
        assert palitra.submit(palitra.job("palitra.echo", b"x")).result(10) == b"x"


def test_waiting_in_a_callback_for_another_future_is_an_error(tests: palitra.Library) -> None:
    never, raised, called = palitra.submit(tests.job("test.never")), [], threading.Event()

    def wait(future: Any) -> None:
        try:
            never.result(5)
        except BaseException as error:
            raised.append(type(error))
        called.set()

    # Long enough that it is not done before it has its callback, which would be called here then.
    tests.submit(tests.job("palitra.sleep", seconds=1)).add_done_callback(wait)
    assert called.wait(20)
    never.cancel()
    assert raised == [palitra.WouldDeadlockError]


# Runners.


def test_blocking_inside_a_job_is_refused_by_the_library(tests: palitra.Library) -> None:
    assert tests.run(tests.job("test.block")) == "PALITRA_WOULD_DEADLOCK"
    assert tests.run(tests.job("test.nested", "by way of another")) == "by way of another"


def test_a_shutdown_waits_for_the_grace_period_and_cancels_the_rest(tests: palitra.Library) -> None:
    runner = tests.Runner()
    brief, never = runner.submit(runner.job("palitra.sleep", seconds=0.1)), runner.submit(runner.job("test.never"))
    assert runner.shutdown(grace=0.5) is True
    assert brief.result(10) == {"seconds": 0.1}
    with pytest.raises(palitra.CancelledError):
        never.result(10)
    assert not runner.is_alive()
    for call in (runner.run, runner.submit, runner.gather):
        with pytest.raises(palitra.ShutDownError):
            call(runner.job("palitra.echo", b"x"))
    runner.close()
    runner.close()
    with pytest.raises(palitra.InvalidHandleError):
        runner.run(runner.job("palitra.echo", b"x"))
    with pytest.raises(palitra.InvalidHandleError):
        runner.stats()


@pytest.mark.parametrize("end", ["shutdown", "close", "shutdown_global_runner"])
def test_futures_are_done_when_a_shutdown_returns(tests: palitra.Library, end: str) -> None:
    # The thread that completes futures is busy with a callback of the first one when the shutdown ends the others.
    for _ in range(20):
        runner: Any = tests if end == "shutdown_global_runner" else tests.Runner()
        futures = [runner.submit(runner.job("test.never")) for _ in range(5)]
        futures[0].add_done_callback(lambda _: time.sleep(0.02))
        getattr(runner, end)()
        assert all(future.done() for future in futures)
        assert all(future.cancelled() for future in futures)


def test_a_shutdown_waits_for_no_callback_for_long_nor_in_one(tests: palitra.Library) -> None:
    with tests.Runner() as runner:
        within: list[bool] = []
        future = runner.submit(runner.job("palitra.sleep", seconds=0.001))
        last = runner.submit(runner.job("test.never"))
        future.add_done_callback(lambda _: within.append(runner.shutdown()))
        with pytest.raises(palitra.CancelledError):
            last.result(20)
        assert within == [True]
    go_on = threading.Event()
    with tests.Runner() as runner:
        futures = [runner.submit(runner.job("test.never")) for _ in range(2)]
        futures[0].add_done_callback(lambda _: go_on.wait(20))
        began = time.monotonic()
        runner.shutdown()
        assert time.monotonic() - began < 10
        go_on.set()
        with pytest.raises(palitra.CancelledError):
            futures[1].exception(20)


def test_a_shutdown_is_bounded_by_a_job_that_never_yields(tests: palitra.Library) -> None:
    runner = tests.Runner()
    runner.submit(runner.job("test.spin", seconds=2))
    wait_until(lambda: runner.stats()["running"] == 1, "the job ran")
    start = time.monotonic()
    assert runner.shutdown() is False
    assert time.monotonic() - start < 1.9
    runner.close()


def test_a_job_of_another_library_is_refused(tests: palitra.Library, runner: palitra.Runner) -> None:
    other = palitra.job("palitra.echo", b"x")
    for call in (runner.run, runner.gather, runner.submit, lambda job: next(runner.iterate(job))):
        with pytest.raises(palitra.InvalidArgumentError, match="another library"):
            call(other)


def test_jobs_of_several_libraries_and_runners_in_one_gather(tests: palitra.Library, runner: palitra.Runner) -> None:
    jobs = []
    for number in range(5):
        text = str(number).encode()
        jobs += [palitra.job("palitra.echo", text), tests.job("palitra.echo", text), runner.job("palitra.echo", text)]
        jobs += [palitra.job("palitra.sleep", seconds=0.001), tests.job("palitra.sleep", seconds=0.001)]
    results = palitra.gather(*jobs, timeout=20)
    slept = {"seconds": 0.001}
    expected = [one for number in range(5) for one in [*[str(number).encode()] * 3, slept, slept]]
    assert results == expected
    assert palitra.gather(*jobs, limit=2, timeout=20) == expected
