"""Native jobs awaited in asyncio loops, uvloop's too: where they are polled, handed over, cancelled and refused."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import palitra
import pytest
from native import Run, drops, drops_of_others, each_loop, until_started
from palitra._native import loops
from waits import wait_until


def hand_over(library: Any) -> None:
    """From now on `palitra.sleep` is handed over, as after one that has pended."""
    library.invoker.completions.pended.add(b"palitra.sleep")


def test_a_job_is_awaited(run: Run) -> None:
    async def work() -> tuple[Any, Any]:
        return await palitra.job("palitra.echo", b"x"), await palitra.job("palitra.sleep", seconds=0.01)

    assert run(work()) == (b"x", {"seconds": 0.01})


def test_the_loop_turns_meanwhile(run: Run) -> None:
    async def work() -> int:
        turns = 0
        job = asyncio.ensure_future(palitra.job("palitra.sleep", seconds=0.2))
        while not job.done():
            turns += 1
            await asyncio.sleep(0.005)
        return turns

    assert run(work()) > 2  # One that a job blocks has one turn; a busy machine gives few.


def test_a_thousand_at_once(run: Run) -> None:
    async def work() -> list[Any]:
        jobs = [palitra.job("palitra.sleep", seconds=0.001 * (number % 7)) for number in range(500)]
        echoes = [palitra.job("palitra.echo", str(number).encode()) for number in range(500)]
        return await asyncio.gather(*jobs, *echoes)

    results = run(work())
    assert results[500:] == [str(number).encode() for number in range(500)]
    assert [result["seconds"] for result in results[:500]] == [0.001 * (number % 7) for number in range(500)]


def test_jobs_and_coroutines_in_one_gather(run: Run) -> None:
    async def coroutine() -> str:
        await asyncio.sleep(0.001)
        return "coroutine"

    async def work() -> Any:
        return await asyncio.gather(coroutine(), palitra.job("palitra.echo", b"job"))

    assert run(work()) == ["coroutine", b"job"]
    assert palitra.gather(coroutine(), palitra.job("palitra.echo", b"job"), coroutine()) == [
        "coroutine",
        b"job",
        "coroutine",
    ]


def test_many_loops_in_many_threads(run: Run) -> None:
    errors: list[BaseException] = []

    def thread(number: int) -> None:
        async def work() -> None:
            for turn in range(30):
                text = f"{number} {turn}".encode()
                assert await palitra.job("palitra.echo", text) == text
                await palitra.job("palitra.sleep", seconds=0.0005)

        try:
            run(work())
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=thread, args=(number,)) for number in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert not errors
    assert not any(one.is_alive() for one in threads)


def test_cancelling_reaps_the_job(tests: palitra.Library, run: Run) -> None:
    async def work() -> None:
        task = asyncio.ensure_future(tests.job("test.never"))
        await until_started(tests)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        task = asyncio.ensure_future(tests.job("test.never"))
        await until_started(tests)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(task, 0.02)

    before = drops_of_others(tests)
    run(work())
    wait_until(lambda: drops(tests) == before + 2, "both jobs were dropped")


def test_a_task_cancelled_at_the_moment_of_the_end_is_one_or_the_other(run: Run) -> None:
    async def work() -> None:
        for number in range(300):
            task = asyncio.ensure_future(palitra.job("palitra.sleep", seconds=0.0005))
            await asyncio.sleep(0.0001 * (number % 12))
            task.cancel()
            try:
                assert await task == {"seconds": 0.0005}
            except asyncio.CancelledError:
                pass
        assert await palitra.job("palitra.echo", b"x") == b"x"

    run(work())


def test_a_loop_closed_with_jobs_under_way_leaves_nothing(tests: palitra.Library) -> None:
    left: list[Any] = []

    async def leave() -> None:
        left.extend(asyncio.ensure_future(tests.job("test.never")) for _ in range(10))
        await until_started(tests)

    before = drops_of_others(tests)
    asyncio.run(leave())
    wait_until(lambda: drops(tests) == before + 10, "all ten jobs were dropped")


@each_loop
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_loop_closed_without_cancelling_harms_nobody(tests: palitra.Library, factory: Any) -> None:
    async def wait(job: palitra.Job) -> None:
        await job

    for _ in range(5):
        loop = factory()
        loop.set_exception_handler(lambda loop, context: None)
        tasks = [loop.create_task(wait(tests.job("palitra.sleep", seconds=0.05))) for _ in range(5)]
        loop.run_until_complete(asyncio.sleep(0.01))
        for task in tasks:
            task._log_destroy_pending = False
        loop.close()
        del tasks, loop
    gc.collect()
    time.sleep(0.1)  # The jobs end now, and their loops are gone.
    assert asyncio.run(asyncio.wait_for(tests.job("palitra.echo", b"x"), 20)) == b"x"


@contextlib.contextmanager
def counted_readers() -> Iterator[list[int]]:
    """The descriptors that the running loop begins to watch meanwhile."""
    watched: list[int] = []
    loop = asyncio.get_running_loop()
    add = loop.add_reader
    loop.add_reader = lambda fd, *rest: (watched.append(fd), add(fd, *rest))  # type: ignore
    yield watched
    loop.add_reader = add  # type: ignore[method-assign]


@contextlib.contextmanager
def counted_descriptors(library: Any) -> Iterator[list[int]]:
    """The queues whose descriptors are asked for meanwhile."""
    asked: list[int] = []
    ask = library.functions.queue_fd
    library.functions.queue_fd = lambda queue: (asked.append(queue), ask(queue))[1]
    yield asked
    library.functions.queue_fd = ask


def test_a_loop_watches_one_descriptor_from_the_first_job_that_pends() -> None:
    async def work() -> None:
        with counted_readers() as watched:
            for _ in range(100):
                await palitra.job("palitra.echo", b"x")
            assert watched == []
            for _ in range(100):
                await palitra.job("palitra.sleep", seconds=0.0001)
                await asyncio.gather(*[palitra.job("palitra.sleep", seconds=0.0001) for _ in range(10)])
            assert len(watched) == 1

    asyncio.run(work())


def test_a_ready_inline_job_is_polled_on_the_loops_thread_without_a_turn(tests: palitra.Library, run: Run) -> None:
    async def work() -> int:
        turns = 0

        def turn() -> None:
            nonlocal turns
            turns += 1
            loop.call_soon(turn)

        loop = asyncio.get_running_loop()
        loop.call_soon(turn)
        for _ in range(100):
            await tests.job("palitra.echo", b"x")
            await tests.job("palitra.echo", b"x").with_deadline(60)
        before = turns
        # A gather that the system keeps waiting lets the loop turn between two polls.
        await palitra.gather_async(*[tests.job("palitra.echo", b"x").with_deadline(60)] * 3)
        return before

    with counted_descriptors(tests) as asked:
        assert run(work()) == 0
    assert asked == []


def test_only_an_inline_job_ever_runs_on_the_loops_thread(tests: palitra.Library, run: Run) -> None:
    # The author's word: a job that spins, or starts slowly, must keep no loop from turning, not even the first time.
    async def ends_in_its_first_step(make: Callable[[], Any]) -> bool:
        awaited = asyncio.ensure_future(make())
        await asyncio.sleep(0)
        # Polled inline, it has ended by now: the task has had its step, and the loop has not looked for events.
        ended = awaited.done()
        await awaited
        return ended

    async def work(job: palitra.Job) -> list[bool]:
        bounded = job.with_deadline(60)
        makes: list[Callable[[], Any]] = [
            lambda: awaiting(job),
            lambda: awaiting(bounded),
            lambda: palitra.gather_async(job, job),
            lambda: palitra.gather_async(bounded, job),
        ]
        return [await ends_in_its_first_step(make) for make in makes * 2]

    async def awaiting(job: palitra.Job) -> Any:
        return await job

    for job in tests.job("test.spin", seconds=0.01), tests.job("test.slow_start", hold=0.01), tests.job("test.ready"):
        tests.invoker.completions.pended.clear()
        assert run(work(job)) == [False] * 8
    inline = tests.job("test.inline_hold", seconds=0, pends=False)
    assert run(work(inline)) == [True] * 8


def test_a_deadline_holds_for_an_awaited_job_that_never_yields(tests: palitra.Library, run: Run) -> None:
    # Promise 3: timeouts and deadlines hold.
    async def work() -> None:
        for call in (lambda job: job, palitra.gather_async):
            began = time.monotonic()
            with pytest.raises(TimeoutError):
                await call(tests.job("test.spin", seconds=3).with_deadline(0.05))
            assert time.monotonic() - began < 2.5

    run(work())


def test_a_job_that_pends_is_tried_inline_again_later() -> None:
    pended = loops.Pended()
    pended.add(b"job")
    for _ in range(loops.AFTER_PENDING):
        assert b"job" in pended
        pended.count(b"job")
    assert b"job" not in pended


def test_jobs_that_are_handed_over_in_one_turn_go_in_one_call(run: Run) -> None:
    library = palitra.job("palitra.sleep", seconds=0).library
    invoker = library.invoker
    calls = []
    submit = invoker._submit_many

    def counted(*arguments: Any) -> Any:
        calls.append(arguments[2])
        return submit(*arguments)

    async def work() -> None:
        hand_over(library)
        calls.clear()
        await asyncio.gather(*[palitra.job("palitra.sleep", seconds=0.001) for _ in range(50)])

    invoker._submit_many = counted
    try:
        run(work())
    finally:
        invoker._submit_many = submit
    assert calls == [50]


def test_a_refusal_is_raised_where_the_job_is_awaited(tests: palitra.Library, run: Run) -> None:
    async def work(runner: palitra.Runner) -> list[Any]:
        hand_over(tests)
        jobs = [runner.job("palitra.sleep", seconds=0.5) for _ in range(5)]
        large = runner.job("palitra.sleep", b" " * 200)
        return await asyncio.gather(*jobs[:2], large, *jobs[2:], return_exceptions=True)

    with tests.Runner(max_in_flight=3, max_payload=100) as runner:
        results = run(work(runner))
    assert [type(one) for one in results] == [dict, dict, palitra.TooLargeError, dict, palitra.BusyError,
                                              palitra.BusyError]  # fmt: skip


def test_jobs_that_no_runner_takes_are_errors_where_they_are_awaited(tests: palitra.Library, run: Run) -> None:
    async def work(jobs: list[palitra.Job]) -> list[Any]:
        hand_over(tests)
        return await asyncio.gather(*jobs, return_exceptions=True)

    runner = tests.Runner()
    jobs = [runner.job("palitra.sleep", seconds=0) for _ in range(300)]
    runner.shutdown()
    assert {type(one) for one in run(work(jobs))} == {palitra.ShutDownError}
    runner.close()
    assert {type(one) for one in run(work(jobs))} == {palitra.InvalidHandleError}


def test_what_a_handler_raises_amid_a_submission_is_raised_where_the_jobs_are_awaited(
    tests: palitra.Library, run: Run
) -> None:
    class Strike(Exception):
        pass

    def strike(*_: Any) -> int:
        raise Strike

    async def work() -> list[Any]:
        hand_over(tests)
        jobs = [runner.job("palitra.sleep", seconds=0.001) for runner in (first, first, second)]
        return await asyncio.gather(*jobs, return_exceptions=True)

    with tests.Runner() as first, tests.Runner() as second:
        first.invoker._submit_many = strike
        assert [type(one) for one in run(work())] == [Strike, Strike, dict]


def test_jobs_of_several_runners_in_one_turn_go_each_to_its_own(tests: palitra.Library, run: Run) -> None:
    with tests.Runner() as first, tests.Runner() as second:

        async def work() -> None:
            await tests.job("palitra.sleep", seconds=0.0001)
            jobs = [runner.job("palitra.sleep", seconds=0.001) for runner in [first, second] * 10]
            await asyncio.gather(*jobs)

        run(work())
        assert first.stats()["submitted"] == second.stats()["submitted"] == 10


def test_a_job_cancelled_before_the_end_of_the_turn_is_not_submitted(tests: palitra.Library, run: Run) -> None:
    with tests.Runner() as runner:

        async def work() -> None:
            hand_over(tests)
            before = runner.stats()["submitted"]
            job = runner.job("palitra.sleep", seconds=600).__await__()
            next(job)
            job.close()
            await asyncio.sleep(0.01)
            assert runner.stats()["submitted"] == before

        run(work())


def test_a_stream_that_is_awaited_is_refused_as_by_run(tests: palitra.Library, run: Run) -> None:
    async def work() -> None:
        for _ in range(2):
            with pytest.raises(palitra.JobError, match="nobody reads the stream"):
                await tests.job("test.stream", items=100)

    run(work())


def test_no_wake_up_is_lost_between_threads_that_keep_each_other_busy(run: Run) -> None:
    # Sleeps of no length, whose ends meet every moment of the loop's turn.
    async def one(number: int) -> None:
        for turn in range(40):
            await palitra.job("palitra.sleep", seconds=0.00001 * ((number + turn) % 50))

    async def work() -> None:
        await asyncio.gather(*[one(number) for number in range(50)])

    run(work())


def test_a_job_is_awaited_on_palitras_own_loop_and_runner(tests: palitra.Library) -> None:
    with tests.Runner(thread_name="its own") as runner:

        async def work() -> Any:
            return await runner.job("palitra.echo", b"x")

        assert palitra.run(work()) == b"x"
        assert runner.stats()["submitted"] == 1


def test_awaiting_outside_a_loop_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="no running event loop"):
        palitra.job("palitra.echo", b"x").__await__().__next__()


def test_asyncio_tools_take_a_job(run: Run) -> None:
    async def work() -> None:
        job = palitra.job("palitra.echo", b"x")
        assert await asyncio.wait_for(job, 20) == b"x"
        assert await asyncio.shield(asyncio.ensure_future(job)) == b"x"
        done, _ = await asyncio.wait([asyncio.ensure_future(job)], timeout=20)
        assert done.pop().result() == b"x"
        assert [await one for one in asyncio.as_completed([asyncio.ensure_future(job)])] == [b"x"]

    run(work())
