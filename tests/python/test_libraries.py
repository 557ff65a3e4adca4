"""Other job libraries, and runners of one's own: their jobs, options, stats, and errors of loading."""

from __future__ import annotations

import gc
import os
import weakref
from pathlib import Path

import palitra
import programs
import pytest
from waits import wait_until


@pytest.fixture
def tests(test_jobs: Path) -> palitra.Library:
    return palitra.load(test_jobs)


@pytest.fixture
def examples(example_jobs: Path) -> palitra.Library:
    return palitra.load(example_jobs)


def test_the_jobs_that_come_with_palitra() -> None:
    described = {one.name: one for one in palitra.jobs()}
    assert {"palitra.echo", "palitra.sleep", "http.get", "http.request", "http.bytes"} <= set(described)
    assert (described["palitra.echo"].input, described["palitra.echo"].output) == ("bytes", "bytes")
    assert (described["palitra.sleep"].input, described["http.bytes"].output) == ("json", "bytes")
    assert all(one.doc for one in palitra.jobs())
    assert [one.name for one in palitra.jobs()] == sorted(one.name for one in palitra.jobs())


def test_another_library_has_its_jobs_and_palitras(examples: palitra.Library, example_jobs: Path) -> None:
    described = {one.name: one for one in examples.jobs()}
    assert {"text.upper", "account.add", "text.pair", "text.later", "palitra.echo"} <= set(described)
    assert described["text.upper"].doc == "Upper-cases its payload."
    assert (described["text.upper"].input, described["account.add"].output) == ("text", "json")
    assert examples.path == os.fspath(example_jobs)
    assert examples.path in repr(examples)
    assert examples.version() == palitra.load(os.environ.get("PALITRA_LIBRARY", examples.path)).version()


def test_a_job_is_described_in_full(tests: palitra.Library) -> None:
    price = tests.describe_job("typed.price")
    assert price["payload"]["format"] == "json"
    assert price["payload"]["schema"]["title"] == "Order"
    assert "items" not in price
    assert tests.describe_job("typed.lines")["items"] == {"format": "text"}
    described = tests.describe_jobs()
    assert described["schemas"] is True
    assert [one["name"] for one in described["jobs"]] == [one.name for one in tests.jobs()]
    assert price in described["jobs"]
    with pytest.raises(palitra.UnknownJobError, match=r"the nearest is 'typed\.price'"):
        tests.describe_job("typed.prices")


def test_it_runs_them_in_every_way(examples: palitra.Library) -> None:
    upper = examples.job("text.upper", "a")
    assert examples.run(upper) == palitra.run(upper) == "A"
    assert examples.gather(upper, upper, limit=1) == palitra.gather(upper, upper) == ["A", "A"]
    assert examples.submit(upper).result(20) == palitra.submit(upper).result(20) == "A"
    with pytest.raises(palitra.JobError, match="holds only") as caught:
        examples.run(examples.job("account.add", amount=-(10**15)))
    assert caught.value.code == 402


def test_state_lives_with_its_runner(examples: palitra.Library) -> None:
    with examples.Runner() as first, examples.Runner() as second:
        add = {"amount": 5}
        assert [first.run(first.job("account.add", add)) for _ in range(2)] == [{"total": 5}, {"total": 10}]
        assert second.run(second.job("account.add", add)) == {"total": 5}


def test_libraries_have_runners_of_their_own(tests: palitra.Library, examples: palitra.Library) -> None:
    tests.run(tests.job("palitra.echo", b"x"))
    examples.run(examples.job("palitra.echo", b"x"))
    tests.shutdown_global_runner()
    assert not tests.is_runner_alive()
    assert examples.is_runner_alive()
    assert tests.run(tests.job("palitra.echo", b"x")) == b"x"
    assert tests.is_runner_alive()


def test_stats_count_the_jobs_of_a_runner(tests: palitra.Library) -> None:
    with tests.Runner(worker_threads=2) as runner:
        for _ in range(3):
            runner.run(runner.job("palitra.echo", b"x"), timeout=20)
        with pytest.raises(palitra.JobError):
            runner.run(runner.job("test.fail", code=1, message="m"), timeout=20)
        with pytest.raises(palitra.JobPanickedError):
            runner.run(runner.job("test.panic", "p"), timeout=20)
        with pytest.raises(TimeoutError):
            runner.run(runner.job("test.never").with_deadline(0.01))
        # A job is counted when it has been dropped, soon after its caller was notified.
        wait_until(lambda: runner.stats()["deadline"] == 1, "the deadline is counted")
        stats = runner.stats()
        assert stats["threads"] == 3
        assert stats["submitted"] == 6
        assert stats["succeeded"] == 3
        assert (stats["failed"], stats["panicked"], stats["running"]) == (1, 1, 0)
        assert stats["longest_poll_ns"] >= 0


def thread_names() -> list[str]:
    return [Path(task, "comm").read_text().strip() for task in Path("/proc/self/task").iterdir()]


def test_options_reach_the_runner(tests: palitra.Library) -> None:
    with tests.Runner(
        worker_threads=1, thread_name="its-own", thread_stack_size=1 << 20, max_blocking_threads=4, max_in_flight=1
    ) as runner:
        assert runner.run(runner.job("palitra.echo", b"x")) == b"x"
        # A thread takes its name when it starts.
        wait_until(
            lambda: sum(name.startswith("its-own") for name in thread_names()) == 3,
            "the runner's thread, its worker and its watchdog have the name",
        )
        never = runner.submit(runner.job("test.never"))
        with pytest.raises(palitra.BusyError):
            runner.submit(runner.job("test.never"))
        never.cancel()
    assert not any(name.startswith("its-own") for name in thread_names())


@pytest.mark.parametrize(
    "options", [{"worker_threads": 5000}, {"thread_stack_size": 1}, {"max_blocking_threads": 5000}], ids=str
)
def test_invalid_options_are_an_error(tests: palitra.Library, options: dict[str, int]) -> None:
    with pytest.raises(palitra.InvalidArgumentError):
        tests.Runner(**options)


@pytest.mark.parametrize(
    "options", [{"max_in_flight": -1}, {"worker_threads": -1}, {"worker_threads": 1 << 40}], ids=str
)
def test_numbers_that_do_not_fit_an_option_are_an_error(tests: palitra.Library, options: dict[str, int]) -> None:
    with pytest.raises((ValueError, OverflowError)):
        tests.Runner(**options)


def test_a_dropped_runner_is_shut_down(tests: palitra.Library) -> None:
    runner = tests.Runner(thread_name="let-go")
    reference = weakref.ref(runner)
    runner.run(runner.job("palitra.echo", b"x"))
    del runner
    gc.collect()
    assert reference() is None
    assert not any(name.startswith("let-go") for name in thread_names())


def test_a_runner_lives_as_long_as_its_futures(tests: palitra.Library) -> None:
    future = (lambda runner: runner.submit(runner.job("palitra.sleep", seconds=0.2)))(tests.Runner())
    gc.collect()
    assert future.result(20) == {"seconds": 0.2}


def test_what_is_no_library_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        palitra.load(tmp_path / "nowhere.so")
    text = tmp_path / "text.so"
    text.write_text("no library")
    with pytest.raises(OSError, match=r"text\.so"):
        palitra.load(text)
    libc = next(line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines() if "libc.so" in line)
    with pytest.raises(ImportError, match="is not a palitra library"):
        palitra.load(libc)


def test_loading_again_is_the_same_jobs(test_jobs: Path) -> None:
    first, again = palitra.load(test_jobs), palitra.load(str(test_jobs))
    assert [one.name for one in first.jobs()] == [one.name for one in again.jobs()]
    assert palitra.gather(first.job("palitra.echo", b"a"), again.job("palitra.echo", b"b")) == [b"a", b"b"]


def test_many_threads_that_need_the_library_first_load_it_once() -> None:
    programs.check("""
        import threading, palitra

        errors = []

        def work():
            ready.wait()
            try:
                assert palitra.run(palitra.job("palitra.echo", b"x")) == b"x"
            except BaseException as error:
                errors.append(error)

        ready = threading.Barrier(8)
        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not errors, errors
        print("kept")
    """)


def test_coroutines_need_no_library() -> None:
    programs.check("""
        import asyncio, os
        os.environ["PALITRA_LIBRARY"] = "/nowhere/libpalitra.so"
        import palitra

        assert palitra.run(asyncio.sleep(0, 1)) == 1 and palitra.is_runner_alive()
        try:
            palitra.job("palitra.echo", b"x")
        except OSError as error:
            assert "/nowhere/libpalitra.so" in str(error)
            print("kept")
        palitra.shutdown_global_runner()
    """)
