"""Jobs in Python: registered on a native runner, called by name as any other, answered by the loop of palitra.run.

How they end with the interpreter and in forked children: test_host_jobs_exit.py.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import itertools
import math
import subprocess
import threading
import time
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import palitra
import programs
import pytest
from waits import wait_until


@pytest.fixture
def runner(tests: palitra.Library) -> Iterator[palitra.Runner]:
    with tests.Runner() as runner:
        yield runner


def test_a_coroutine_function_is_a_job_by_its_name(runner: palitra.Runner) -> None:
    @runner.register("shop.price")
    async def price(article: Any) -> Any:
        """What an article costs."""
        await asyncio.sleep(0.001)
        return {"article": article, "loop": threading.current_thread().name}

    job = runner.job("shop.price", {"id": 7})
    expected = {"article": {"id": 7}, "loop": "LoopThread"}
    assert runner.run(job) == expected
    assert runner.run(job, timeout=20) == expected
    assert palitra.run(job) == expected
    assert runner.gather(job, job) == [expected, expected]
    assert runner.submit(job).result(20) == expected
    assert asyncio.run(await_it(job)) == expected
    assert palitra.run(await_it(job)) == expected, "in the loop that answers"


async def await_it(job: palitra.Job) -> Any:
    return await job


def test_a_blocking_function_runs_beside_the_loop(runner: palitra.Runner) -> None:
    started, go_on = threading.Event(), threading.Event()

    def block(payload: Any) -> Any:
        started.set()
        assert go_on.wait(20)
        return [payload, threading.current_thread().name]

    runner.register("host.block", block)
    future = runner.submit(runner.job("host.block", 1))
    assert started.wait(20)
    assert palitra.run(asyncio.sleep(0, "the loop turns")) == "the loop turns"
    go_on.set()
    payload, name = future.result(20)
    assert payload == 1
    assert "LoopThread" not in name


@pytest.mark.parametrize(
    ("format", "payload", "value"),
    [
        ("json", {"a": [1, None, "ä"]}, {"a": [1, None, "ä"]}),
        ("text", "Käse", "Käse"),
        ("text", "", ""),
        ("bytes", b"\0\xff", b"\0\xff"),
        ("bytes", b"", b""),
    ],
)
def test_payload_and_reply_have_the_format_that_it_declares(
    runner: palitra.Runner, format: Any, payload: Any, value: Any
) -> None:
    seen: list[Any] = []

    async def echo(payload: Any) -> Any:
        seen.append(payload)
        return payload

    runner.register("host.echo", echo, input=format, output=format)
    assert runner.run(runner.job("host.echo", payload)) == value
    assert seen == [value]


def test_a_payload_or_a_result_of_another_format_fails_the_job(runner: palitra.Runner) -> None:
    async def number(_: Any) -> int:
        return 7

    runner.register("host.text", number, output="text")
    with pytest.raises(palitra.BadPayloadError):
        runner.run(runner.job("host.text", b"{"))
    with pytest.raises(palitra.JobError, match=r"TypeError: host\.text returns text, not int"):
        runner.run(runner.job("host.text", 1))
    runner.register("host.json", lambda _: object())
    with pytest.raises(palitra.JobError, match="TypeError: .*object"):
        runner.run(runner.job("host.json", 1))
    runner.register("host.nan", lambda _: {"nested": [math.nan]})
    with pytest.raises(palitra.JobError, match="ValueError: Out of range float values are not JSON compliant"):
        runner.run(runner.job("host.nan", 1))


class OwnError(Exception):
    pass


class SpeechlessError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


SOLD_OUT = "sold out (its code {} is no 32-bit number)"


@pytest.mark.parametrize(
    ("error", "kind", "code", "message"),
    [
        (ValueError("no such article"), palitra.JobError, 0, "ValueError: no such article"),
        (OwnError(), palitra.JobError, 0, "OwnError: "),
        (SpeechlessError(), palitra.JobError, 0, "SpeechlessError: <exception str() failed>"),
        (SystemExit(3), palitra.JobError, 0, "SystemExit: 3"),
        (palitra.JobError("sold out", 7), palitra.JobError, 7, "sold out"),
        (palitra.BadPayloadError("no id", 8), palitra.BadPayloadError, 8, "no id"),
        (palitra.JobError("sold out", 1 << 31), palitra.JobError, 0, SOLD_OUT.format(1 << 31)),
        (palitra.JobError("sold out", "E7"), palitra.JobError, 0, SOLD_OUT.format("'E7'")),  # type: ignore[arg-type]
        (palitra.JobError(None, -(1 << 31)), palitra.JobError, -(1 << 31), "None"),  # type: ignore[arg-type]
    ],
)
def test_what_it_raises_fails_the_job(
    runner: palitra.Runner, error: BaseException, kind: type[palitra.JobError], code: int, message: str
) -> None:
    async def coroutine(_: Any) -> None:
        raise error

    def blocking(_: Any) -> None:
        raise error

    runner.register("host.coroutine", coroutine)
    runner.register("host.blocking", blocking)
    for name in ("host.coroutine", "host.blocking"):
        with pytest.raises(palitra.JobError) as failed:
            runner.run(runner.job(name))
        assert type(failed.value) is kind
        assert (failed.value.code, failed.value.message) == (code, message)


def test_a_reply_or_an_item_that_no_memory_holds_twice_fails_the_job() -> None:
    programs.check(
        """
        import os, resource
        import palitra

        tests = palitra.load(os.environ["PALITRA_LIBRARY_DIR"] + "/libpalitra_test_jobs.so")
        large = bytes(1 << 28)

        async def reply(payload):
            return b"small" if payload == b"small" else large

        async def items(_):
            yield b"first"
            yield large

        runner = tests.Runner()
        runner.register("host.reply", reply, input="bytes", output="bytes")
        runner.register("host.items", items, input="bytes", output="bytes")
        assert runner.run(runner.job("host.reply", b"small")) == b"small"
        with open("/proc/self/statm") as file:
            mapped = int(file.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (mapped + len(large) // 2, resource.RLIM_INFINITY))
        seen = []

        def read():
            for item in runner.iterate(runner.job("host.items")):
                seen.append(item)

        for call in (lambda: runner.run(runner.job("host.reply")), read):
            try:
                call()
            except palitra.JobError as error:
                assert error.message == "TooLargeError: no memory holds a copy of what the job made", error.message
            else:
                raise AssertionError("there was memory enough")
        assert seen == [b"first"], seen
        assert runner.run(runner.job("host.reply", b"small")) == b"small"
        runner.close()
        print("kept")
        """
    )


def test_a_panic_and_a_cancel_of_its_own_are_told_as_such(runner: palitra.Runner) -> None:
    async def panic(_: Any) -> None:
        raise palitra.JobPanickedError("all is lost")

    async def cancel(_: Any) -> None:
        raise asyncio.CancelledError

    runner.register("host.panic", panic)
    runner.register("host.cancel", cancel)
    with pytest.raises(palitra.JobPanickedError, match="all is lost"):
        runner.run(runner.job("host.panic"))
    with pytest.raises(palitra.CancelledError):
        runner.run(runner.job("host.cancel"))


class Waiting:
    """A job that waits until it is cancelled."""

    def __init__(self) -> None:
        self.started = threading.Event()
        self.cancelled = threading.Event()

    async def __call__(self, _: Any) -> None:
        self.started.set()
        try:
            await asyncio.sleep(600)
        except asyncio.CancelledError:
            self.cancelled.set()
            raise


def test_whatever_ends_the_job_cancels_the_coroutine(tests: palitra.Library) -> None:
    def cancel(_: palitra.Runner, future: Future[Any]) -> None:
        future.cancel()

    def shut_down(runner: palitra.Runner, _: Future[Any]) -> None:
        assert runner.shutdown()

    def close(runner: palitra.Runner, _: Future[Any]) -> None:
        runner.close()

    def nothing(_: palitra.Runner, __: Future[Any]) -> None:
        pass

    for end, deadline in ((cancel, None), (shut_down, None), (close, None), (nothing, 0.05)):
        with tests.Runner() as runner:
            waiting = Waiting()
            runner.register("host.wait", waiting)
            job = runner.job("host.wait")
            future = runner.submit(job.with_deadline(deadline) if deadline else job)
            assert waiting.started.wait(20) or deadline
            end(runner, future)
            assert waiting.cancelled.wait(20) or (deadline and not waiting.started.is_set())
    with tests.Runner() as runner:
        waiting = Waiting()
        runner.register("host.wait", waiting)
        # It may pass before anybody takes the call, on a busy machine: then once more.
        for timeout in (0.05, 0.5, 5):
            with pytest.raises(TimeoutError):
                runner.run(runner.job("host.wait"), timeout=timeout)
            if waiting.started.is_set():
                break
        assert waiting.cancelled.wait(20)


def test_a_blocking_function_asks_whether_it_is_wanted_and_reports_progress(runner: palitra.Runner) -> None:
    ended = threading.Event()

    def work(_: Any) -> None:
        call = palitra.current_call()
        assert call.name == "host.work"
        call.progress(1, 3)
        end = time.monotonic() + 20
        while not call.is_cancelled():
            assert time.monotonic() < end
            time.sleep(0.001)
        ended.set()

    runner.register("host.work", work)
    future = runner.submit(runner.job("host.work"))
    wait_until(lambda: future.progress() == (1, 3), "the job reports its progress")
    future.cancel()
    assert ended.wait(20)
    with pytest.raises(LookupError, match="current_call"):
        palitra.current_call()


def test_an_asynchronous_and_a_blocking_generator_stream(runner: palitra.Runner) -> None:
    async def count(to: Any) -> AsyncIterator[int]:
        for number in range(to):
            yield number

    def count_blocking(to: Any) -> Iterator[int]:
        yield from range(to)

    runner.register("host.count", count)
    runner.register("host.count_blocking", count_blocking)
    for name in ("host.count", "host.count_blocking"):
        assert list(runner.iterate(runner.job(name, 100))) == list(range(100))

        async def read(name: str = name) -> list[Any]:
            return [item async for item in runner.job(name, 50)]

        assert palitra.run(read()) == list(range(50))
        with pytest.raises(palitra.JobError, match="nobody reads the stream"):
            runner.run(runner.job(name, 1))


def test_a_slow_reader_slows_a_generator_and_one_that_leaves_closes_it(runner: palitra.Runner) -> None:
    made, closed = 0, threading.Event()

    async def count(_: Any) -> AsyncIterator[int]:
        nonlocal made
        try:
            while True:
                made += 1
                yield made
        finally:
            await asyncio.sleep(0)
            closed.set()

    runner.register("host.count", count)
    items = runner.iterate(runner.job("host.count"))
    assert next(items) == 1
    wait_until(lambda: made >= 17, "the stream is full")
    time.sleep(0.05)
    assert made <= 18
    items.close()
    assert closed.wait(20)


@pytest.mark.parametrize("pause", [0, 0.05], ids=["between", "during a step"])
def test_a_blocking_generator_that_nobody_reads_ends_beside_the_loop(runner: palitra.Runner, pause: float) -> None:
    ended_on: list[int] = []

    def count(_: Any) -> Iterator[int]:
        try:
            for number in itertools.count():
                yield number
                time.sleep(pause)
        finally:
            ended_on.append(threading.get_ident())

    async def loop_thread() -> int:
        return threading.get_ident()

    runner.register("host.count", count)
    for _ in range(5):
        items = runner.iterate(runner.job("host.count"))
        assert next(items) == 0
        items.close()
    wait_until(lambda: len(ended_on) == 5, "all generators have ended")
    assert palitra.run(loop_thread()) not in ended_on


def test_it_comes_before_the_librarys_job_whose_formats_it_has(tests: palitra.Library, runner: palitra.Runner) -> None:
    asked: list[Any] = []

    @runner.register("palitra.echo")
    async def fake(payload: Any) -> bytes:
        asked.append(payload)
        return b"replaced"

    # A job of the library's calls it.
    assert runner.run(tests.job("test.nested", b"asked")) == "replaced"
    assert asked == [b"asked"]
    with tests.Runner() as other:
        assert other.run(other.job("palitra.echo", b"own")) == b"own"


def test_a_name_is_registered_once_on_a_runner_and_lasts_as_long(tests: palitra.Library) -> None:
    async def one(_: Any) -> int:
        return 1

    with tests.Runner() as runner:
        runner.register("host.one", one)
        with pytest.raises(palitra.InvalidArgumentError, match=r"'host\.one' is registered on this runner already"):
            runner.register("host.one", one)
        job = runner.job("host.one")
        runner.shutdown()
        with pytest.raises(palitra.ShutDownError):
            runner.register("host.other", one)
        with pytest.raises(palitra.UnknownJobError):
            runner.run(job)
    with tests.Runner() as other, pytest.raises(palitra.UnknownJobError):
        other.job("host.one")


def test_what_is_no_job_is_refused(runner: palitra.Runner) -> None:
    no_function: Any = 7
    no_format: Any = "xml"
    with pytest.raises(TypeError, match="a function of its payload, not int"):
        runner.register("host.number", no_function)
    with pytest.raises(palitra.InvalidArgumentError, match="a format is one of bytes, text, json, and not 'xml'"):
        runner.register("host.xml", print, input=no_format)
    for name in ("", "a\0b"):
        with pytest.raises(palitra.InvalidArgumentError):
            runner.register(name, print)


def test_waiting_where_it_would_be_answered_is_refused(runner: palitra.Runner) -> None:
    async def one(_: Any) -> int:
        return 1

    runner.register("host.one", one)
    job = runner.job("host.one")

    async def block(wait: Callable[[], Any]) -> None:
        wait()

    future = runner.submit(job)
    for wait in (
        lambda: runner.run(job),
        lambda: runner.run(job, timeout=5),
        lambda: runner.gather(job),
        lambda: next(runner.iterate(job)),
    ):
        with pytest.raises(palitra.WouldDeadlockError):
            palitra.run(block(wait), timeout=20)
    assert future.result(20) == 1


def test_it_ends_with_the_loop_and_can_be_registered_again(tests: palitra.Library) -> None:
    async def one(_: Any) -> int:
        return 1

    async def two(_: Any) -> int:
        return 2

    with tests.Runner() as runner:
        runner.register("host.one", one)
        job = runner.job("host.one")
        assert runner.run(job) == 1
        waiting = Waiting()
        runner.register("host.wait", waiting)
        future = runner.submit(runner.job("host.wait"))
        assert waiting.started.wait(20)
        palitra.shutdown_global_runner()
        with pytest.raises(palitra.CancelledError):
            future.result(20)
        with pytest.raises(palitra.JobError, match="the queue of the job was closed"):
            runner.run(job)
        # A new loop answers them all.
        runner.register("host.two", two)
        assert runner.run(runner.job("host.two")) == 2
        assert runner.run(job) == 1


def test_the_global_runner_has_it_until_it_is_shut_down() -> None:
    @palitra.register("host.global", input="text", output="text")
    async def upper(text: str) -> str:
        return text.upper()

    assert palitra.run(palitra.job("host.global", "shout")) == "SHOUT"
    palitra.shutdown_global_runner()
    with pytest.raises(palitra.UnknownJobError):
        palitra.job("host.global", "shout")
    palitra.register("host.global", upper, input="text", output="text")
    assert palitra.run(palitra.job("host.global", "again")) == "AGAIN"
    palitra.shutdown_global_runner()


def test_a_shutdown_that_cancels_nothing_lets_the_calls_end() -> None:
    started, release = threading.Semaphore(0), threading.Event()

    async def turn(_: Any) -> str:
        started.release()
        while not release.is_set():
            await asyncio.sleep(0.005)
        return "ended by itself"

    def block(_: Any) -> str:
        started.release()
        assert release.wait(30)
        return "ended by itself"

    for limit in (None, 30):
        release.clear()
        palitra.register("host.turn", turn)
        palitra.register("host.block", block)
        futures = [palitra.submit(palitra.job(name, 1)) for name in ("host.turn", "host.block")]
        assert all(started.acquire(timeout=20) for _ in futures)
        end = threading.Thread(target=palitra.shutdown_global_runner, args=(limit,), kwargs={"cancel": False})
        end.start()
        wait_until(lambda: not palitra.is_runner_alive(), "the runner refuses new jobs")
        release.set()
        assert [future.result(20) for future in futures] == ["ended by itself"] * 2
        end.join(20)
        assert not end.is_alive()


def test_a_shutdown_on_the_loop_that_answers_returns_and_lets_the_calls_end() -> None:
    programs.check("""
        import asyncio, threading
        import palitra

        started, returned = threading.Event(), threading.Event()

        @palitra.register("host.turn")
        async def turn(_):
            started.set()
            while not returned.is_set():
                await asyncio.sleep(0.005)
            return "ended by itself"

        async def stop():
            loop.append(threading.current_thread())
            palitra.shutdown_global_runner(cancel=False)
            returned.set()

        loop = []
        future = palitra.submit(palitra.job("host.turn", 1))
        nap = palitra.submit(palitra.job("palitra.sleep", seconds=600))
        assert started.wait(20)
        palitra.submit(stop())
        assert future.result(20) == "ended by itself"
        assert loop[0].is_alive() and not nap.done()
        nap.cancel()
        loop[0].join(20)
        assert not loop[0].is_alive()
        assert palitra.run(palitra.job("palitra.echo", b"x")) == b"x", "a new runner"
        print("kept")
    """)


def test_a_job_cannot_wait_for_its_runner_to_end() -> None:
    programs.check("""
        import palitra

        library = palitra.job("palitra.echo").library
        own = library.Runner()
        for runner, shut_down in ((library, library.shutdown_global_runner), (own, own.shutdown)):
            def refused():
                for grace in (None, 10):
                    try:
                        shut_down(grace)
                    except palitra.WouldDeadlockError:
                        continue
                    return "no WouldDeadlockError"
                return "refused"

            @runner.register("host.turn")
            async def turn(_):
                return refused()

            @runner.register("host.block")
            def block(_):
                return refused()

            @runner.register("host.blocking_items")
            def items(_):
                yield refused()

            assert runner.run(runner.job("host.turn")) == "refused"
            assert runner.run(runner.job("host.block")) == "refused"
            assert list(runner.iterate(runner.job("host.blocking_items"))) == ["refused"]
            shut_down(None)
        print("kept")
    """)


def test_more_calls_than_may_wait_fail(runner: palitra.Runner) -> None:
    async def one(_: Any) -> int:
        return 1

    runner.register("host.one", one, max_waiting=3)
    job = runner.job("host.one")
    hold, held = threading.Event(), threading.Event()

    async def block() -> None:
        held.set()
        hold.wait(20)

    blocked = palitra.submit(block())
    assert held.wait(20)
    futures = [runner.submit(job) for _ in range(5)]
    failed = [future for future in futures if "3 calls of the job wait" in str(_error_within(future))]
    hold.set()
    blocked.result(20)
    assert len(failed) == 2
    assert [future.result(20) for future in futures if future not in failed] == [1, 1, 1]


def _error_within(future: Future[Any]) -> BaseException | None:
    try:
        return future.exception(0.5)
    except TimeoutError:
        return None


def test_a_thousand_calls_leave_nothing_behind(runner: palitra.Runner) -> None:
    class Payload:
        pass

    alive: weakref.WeakSet[Payload] = weakref.WeakSet()

    async def keep(_: Any) -> int:
        local = Payload()
        alive.add(local)
        await asyncio.sleep(0)
        return 1

    runner.register("host.keep", keep)
    assert runner.gather(*[runner.job("host.keep")] * 1000, limit=100) == [1] * 1000
    gc.collect()
    assert not alive
    assert runner.stats()["running"] == 0


def test_a_runner_that_is_dropped_leaves_no_descriptor(tests: palitra.Library) -> None:
    def descriptors() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    async def one(_: Any) -> int:
        return 1

    def use() -> None:
        runner = tests.Runner()
        runner.register("host.one", one)
        assert runner.run(runner.job("host.one")) == 1

    use()
    gc.collect()
    before = descriptors()
    for _ in range(20):
        use()
    gc.collect()
    wait_until(lambda: descriptors() <= before + 1, "the queues are freed")


def test_it_is_called_from_c(tests: palitra.Library, tmp_path: Path, root: Path) -> None:
    """A C library of the same process calls the job through the ABI, on a thread of its own."""
    source = """
    #include <palitra.h>
    #include <string.h>
    palitra_status ask(uint64_t runner, const char *question, char *answer, size_t size) {
        palitra_reply reply;
        palitra_status status = palitra_runner_run((palitra_runner){runner}, "host.answer", question,
                                                   strlen(question), PALITRA_SECONDS(20), &reply);
        if (reply.len < size) memcpy(answer, reply.data, reply.len + 1);
        palitra_reply_free(&reply);
        return status;
    }
    """
    library = tmp_path / "libasker.so"
    folder, name = Path(tests.path).parent, Path(tests.path).stem.removeprefix("lib")
    command = ["cc", "-shared", "-fPIC", "-x", "c", "-", "-o", str(library), f"-I{root}/include", f"-L{folder}"]
    subprocess.run([*command, f"-l{name}", f"-Wl,-rpath,{folder}"], input=source, text=True, check=True, timeout=60)
    asker = ctypes.CDLL(str(library))
    asker.ask.argtypes = [ctypes.c_uint64, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_size_t]
    answer = ctypes.create_string_buffer(100)
    with tests.Runner() as runner:

        @runner.register("host.answer", input="text", output="text")
        async def reply(question: str) -> str:
            if not question:
                raise ValueError("no question")
            return f"{question} 42"

        assert asker.ask(runner.invoker.runner.value, b"how much?", answer, 100) == 0
        assert answer.value == b"how much? 42"
        assert asker.ask(runner.invoker.runner.value, b"", answer, 100) == 10
        assert answer.value == b"ValueError: no question"
