"""Many threads at once: every call ends, with its own result or a clear error, and nobody hangs."""

from __future__ import annotations

import asyncio
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import palitra
import pytest
from palitra import EventLoopThreadRunner

#: What may be raised where a runner ends meanwhile.
CLOSED = (RuntimeError, asyncio.CancelledError)


@pytest.fixture(autouse=True)
def switching_often() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


async def later(value: int, seconds: float = 0) -> int:
    await asyncio.sleep(seconds)
    return value


def in_threads(number: int, work: Callable[[int], Any], timeout: float = 40) -> list[Any]:
    """The results of so many threads that start together. Fails if one hangs; raises what one raised."""
    results: list[Any] = [None] * number
    errors: list[BaseException] = []
    ready = threading.Barrier(number)

    def call(index: int) -> None:
        ready.wait()
        try:
            results[index] = work(index)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=call, args=(index,), daemon=True) for index in range(number)]
    for thread in threads:
        thread.start()
    end = time.monotonic() + timeout
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    assert not any(thread.is_alive() for thread in threads), "a thread hangs"
    if errors:
        raise errors[0]
    return results


def test_every_thread_gets_its_own_result() -> None:
    with EventLoopThreadRunner() as runner:

        def work(index: int) -> None:
            for turn in range(50):
                number = 1000 * index + turn
                assert runner.run(later(number)) == number
                assert runner.gather(later(number), later(-number)) == [number, -number]
                assert runner.submit(later(number)).result(20) == number
                assert runner.run(palitra.job("palitra.echo", str(number).encode())) == str(number).encode()

        in_threads(8, work)


def test_the_first_use_of_the_global_runner_by_many_makes_one() -> None:
    async def loop() -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    for _ in range(20):
        palitra.shutdown_global_runner()
        assert len(set(in_threads(8, lambda index: palitra.run(loop())))) == 1


def test_a_factory_met_by_many_makes_one_loop() -> None:
    async def loop() -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    def factory() -> asyncio.AbstractEventLoop:
        return asyncio.new_event_loop()

    for _ in range(10):
        with EventLoopThreadRunner() as runner:
            assert len(set(in_threads(6, lambda index: runner.run(loop(), loop_factory=factory)))) == 1


def calls_of(runner: Any) -> list[Callable[[], object]]:
    async def items() -> Any:
        yield 1
        await asyncio.sleep(0)
        yield 2

    return [
        lambda: runner.run(later(1)),
        lambda: runner.run(later(1, 0.001), timeout=20),
        lambda: runner.gather(*[later(number) for number in range(5)], limit=2),
        lambda: runner.submit(later(1)).result(20),
        lambda: [future.result() for future in runner.as_completed(later(1), later(2))],
        lambda: list(runner.iterate(items())),
        lambda: runner.run(later(1), loop_factory=asyncio.new_event_loop),
    ]


def test_close_racing_every_call() -> None:
    for turn in range(40):
        runner = EventLoopThreadRunner()
        calls = calls_of(runner)

        def work(index: int, runner: Any = runner, calls: Any = calls, turn: int = turn) -> None:
            if index < 2:
                time.sleep(random.uniform(0, 0.01))
                return runner.close()
            try:
                while True:
                    calls[(index + turn) % len(calls)]()
            except CLOSED:
                pass

        in_threads(6, work)
        assert runner.get_loop().is_closed()


def test_shutdown_racing_every_call() -> None:
    # None of them is the caller's mistake: work may be cancelled by the shutdown, and the next call succeeds.
    stop = threading.Event()
    ends: set[str] = set()

    def work(index: int) -> int:
        done = 0
        calls = [*calls_of(palitra), lambda: palitra.run(palitra.job("palitra.echo", b"x"))]
        if index == 0:
            end = time.monotonic() + 3
            while time.monotonic() < end:
                palitra.shutdown_global_runner()
                palitra.is_runner_alive()
                time.sleep(random.uniform(0, 0.005))
            stop.set()
        while not stop.is_set():
            try:
                calls[random.randrange(len(calls))]()
                done += 1
            except (RuntimeError, asyncio.CancelledError) as error:
                ends.add(type(error).__name__)
        return done

    results = in_threads(6, work)
    assert all(results[1:])
    assert palitra.run(later(1)) == 1


def test_shutdown_racing_native_calls() -> None:
    stop = threading.Event()

    def work(index: int) -> None:
        if index < 2:
            end = time.monotonic() + 2
            while time.monotonic() < end:
                palitra.shutdown_global_runner()
                time.sleep(random.uniform(0, 0.003))
            stop.set()
        calls: list[Callable[[], object]] = [
            lambda: palitra.run(palitra.job("palitra.echo", b"x")),
            lambda: palitra.run(palitra.job("palitra.sleep", seconds=0.001)),
            lambda: palitra.run(palitra.job("palitra.echo", b"x"), timeout=20),
            lambda: palitra.gather(*[palitra.job("palitra.sleep", seconds=0.001)] * 3),
            lambda: palitra.submit(palitra.job("palitra.sleep", seconds=0.001)).result(20),
        ]
        while not stop.is_set():
            try:
                calls[random.randrange(len(calls))]()
            except asyncio.CancelledError:
                pass

    in_threads(6, work)


def test_cancelling_racing_the_end_of_the_work() -> None:
    with EventLoopThreadRunner() as runner:

        def work(index: int) -> None:
            for _ in range(200):
                future = runner.submit(later(1))
                if index % 2:
                    time.sleep(0)
                if not future.cancel():
                    assert future.result(20) == 1
                job = palitra.submit(palitra.job("palitra.echo", b"x"))
                if not job.cancel():
                    assert job.result(20) == b"x"

        in_threads(4, work)


def test_a_runner_closed_by_many_at_once() -> None:
    for _ in range(40):
        runner = EventLoopThreadRunner()
        ended: list[int] = []

        async def work(ended: list[int] = ended) -> None:
            try:
                await asyncio.sleep(600)
            finally:
                await asyncio.sleep(0)
                ended.append(1)

        futures = [runner.submit(work()) for _ in range(5)]
        runner.run(later(0))
        in_threads(4, lambda index, runner=runner: runner.close())
        assert len(ended) == 5
        assert all(future.done() for future in futures)


def test_a_coroutine_may_ask_and_shut_down_while_others_do() -> None:
    async def ask() -> bool:
        return palitra.is_runner_alive()

    async def shut_down() -> None:
        palitra.shutdown_global_runner()
        await asyncio.sleep(600)

    def work(index: int) -> None:
        for _ in range(15):
            try:
                palitra.run(shut_down() if index == 0 else ask())
            except CLOSED:
                pass
            if index == 1:
                palitra.shutdown_global_runner()

    in_threads(5, work)


def test_generators_closed_on_other_threads_than_they_were_made_on() -> None:
    async def items() -> Any:
        while True:
            yield 1

    with EventLoopThreadRunner() as runner:
        for _ in range(30):
            generators = [runner.iterate(items()) for _ in range(4)]
            for generator in generators:
                next(generator)
            in_threads(4, lambda index, generators=generators: (next(generators[index]), generators[index].close()))
        assert not [task for task in asyncio.all_tasks(runner.get_loop()) if not task.done()] or runner.run(later(1))


def test_threads_that_wrap_a_class_at_once_get_one_class_of_faces() -> None:
    both = threading.Barrier(2, timeout=10)

    class Slow(type):
        """Has both threads between the look for the class of faces and its making."""

        def __getattribute__(cls, name: str) -> Any:
            if name == "__doc__":
                both.wait()
            return super().__getattribute__(name)

    class Client(metaclass=Slow):
        async def get(self) -> int:
            return 1

    first, second = in_threads(2, lambda index: palitra.to_sync(Client))
    assert first is second
    assert isinstance(first(), second)
