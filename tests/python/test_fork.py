"""Forked children use palitra as if they were the first process, and touch nothing that is their parent's."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import programs
import pytest

COMMON = """
import asyncio, contextlib, gc, logging, multiprocessing, os, signal, sys, threading, time
import ctypes
import palitra

start_child = os.fork
logging.getLogger("asyncio").setLevel(logging.ERROR)
tests = palitra.load(os.environ["PALITRA_LIBRARY_DIR"] + "/libpalitra_test_jobs.so")

async def later(value, seconds=0.001):
    await asyncio.sleep(seconds)
    return value

async def items(number=3):
    for one in range(number):
        yield one

def use_everything():
    assert palitra.run(later(1)) == 1
    assert palitra.gather(later(1), later(2)) == [1, 2]
    assert palitra.submit(later(3)).result(20) == 3
    assert list(palitra.iterate(items())) == [0, 1, 2]
    assert palitra.run(palitra.job("palitra.echo", b"x")) == b"x"
    assert palitra.run(palitra.job("palitra.sleep", seconds=0.001), timeout=20) == {"seconds": 0.001}
    assert palitra.gather(*[palitra.job("palitra.echo", b"y")] * 3) == [b"y"] * 3
    assert palitra.submit(palitra.job("palitra.echo", b"z")).result(20) == b"z"
    assert palitra.gather(later(1), palitra.job("palitra.echo", b"z")) == [1, b"z"]
    assert list(palitra.iterate(tests.job("test.stream", items=2))) == ["0", "1"]
    assert asyncio.run(awaiting()) == b"a"

async def awaiting():
    return await palitra.job("palitra.echo", b"a")

def in_child(function, *arguments):
    child = start_child()
    if child == 0:
        status = 1
        try:
            function(*arguments)
            status = 0
        except BaseException:
            import traceback
            traceback.print_exc()
        finally:
            os._exit(status)
    return child

def join(*children):
    statuses = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    assert not any(statuses), statuses

def system_fork():
    # Without Python's own care for its lock, no other thread may be about to take it.
    time.sleep(0.1)
    return ctypes.PyDLL(None).fork()

def raises(kind, call, *arguments):
    try:
        call(*arguments)
    except kind:
        return
    raise AssertionError(f"no {kind}")
"""


def check(code: str, fork: str = "os.fork") -> None:
    programs.check(COMMON + f"\nstart_child = {fork}\n" + textwrap.dedent(code) + "\nprint('kept')\n")


#: By Python, and by a host that calls none of Python's handlers, as uWSGI does.
each_fork = pytest.mark.parametrize("fork", ["os.fork", "system_fork"], ids=["python's", "the-system's"])


@each_fork
def test_a_hundred_children_use_all_that_their_parent_used(fork: str) -> None:
    check(
        """
        use_everything()
        for _ in range(10):
            join(*[in_child(use_everything) for _ in range(10)])
        use_everything()
    """,
        fork,
    )


def test_a_child_uses_palitra_with_work_of_the_parents_in_flight() -> None:
    check("""
        futures = [palitra.submit(later(number, 0.5)) for number in range(10)]
        jobs = [palitra.submit(palitra.job("palitra.sleep", seconds=0.5)) for _ in range(10)]
        stream = palitra.iterate(items(10))
        assert next(stream) == 0
        join(*[in_child(use_everything) for _ in range(5)])
        assert [future.result(20) for future in futures] == list(range(10))
        assert all(job.result(20) == {"seconds": 0.5} for job in jobs)
        assert list(stream) == list(range(1, 10))
    """)


def test_the_parents_loops_and_files_are_left_alone() -> None:
    check("""
        def child():
            use_everything()
            palitra.shutdown_global_runner()
            gc.collect()

        async def serve():
            server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
            return server, server.sockets[0].getsockname()[1]

        async def connect(port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            assert await reader.read() == b""
            writer.close()
            await writer.wait_closed()

        async def close(server):
            server.close()
            await server.wait_closed()

        server, port = palitra.run(serve())
        for _ in range(5):
            join(in_child(child))
            palitra.run(connect(port), timeout=20)
        palitra.run(close(server))
    """)


def test_a_fork_in_a_thread_and_on_the_loops_own_thread() -> None:
    check("""
        use_everything()
        children = []
        thread = threading.Thread(target=lambda: children.append(in_child(use_everything)))
        thread.start()
        thread.join()

        async def fork():
            return in_child(use_everything_beside)

        def use_everything_beside():
            thread = threading.Thread(target=use_everything)
            thread.start()
            thread.join()

        children.append(palitra.run(fork()))
        join(*children)
    """)


def test_a_fork_while_many_threads_use_it() -> None:
    check("""
        stop = threading.Event()

        def busy():
            while not stop.is_set():
                palitra.run(later(1, 0))
                palitra.run(palitra.job("palitra.echo", b"x"))
                palitra.gather(*[palitra.job("palitra.sleep", seconds=0.0001)] * 3)

        threads = [threading.Thread(target=busy) for _ in range(4)]
        for thread in threads:
            thread.start()
        for _ in range(15):
            join(in_child(use_everything))
        stop.set()
        for thread in threads:
            thread.join()
    """)


def test_many_threads_of_a_child_start_at_the_same_time() -> None:
    check("""
        def child():
            errors = []
            ready = threading.Barrier(8)

            def use():
                ready.wait()
                try:
                    assert palitra.run(palitra.job("palitra.echo", b"x")) == b"x"
                    assert palitra.run(later(1)) == 1
                    assert palitra.submit(palitra.job("palitra.echo", b"x")).result(20) == b"x"
                except BaseException as error:
                    errors.append(error)

            threads = [threading.Thread(target=use) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert not errors, errors

        use_everything()
        for _ in range(15):
            join(in_child(child))
    """)


@each_fork
def test_what_is_the_parents_is_an_error_in_the_child_and_no_hang(fork: str) -> None:
    check(
        """
        # Longer than a busy machine takes to come to the fork: what is done before is the child's, too.
        future, job_future = palitra.submit(later(1, 2)), palitra.submit(palitra.job("palitra.sleep", seconds=2))
        stream, native_stream = palitra.iterate(items()), palitra.iterate(tests.job("test.stream", items=9))
        next(stream), next(native_stream)

        @contextlib.asynccontextmanager
        async def manager():
            yield 1

        entered = palitra.enter(manager())
        entered.__enter__()
        runner = tests.Runner()
        completed = palitra.as_completed(later(1, 2))

        def child():
            start = time.monotonic()
            raises(palitra.ForkedError, future.result, 20)
            raises(palitra.ForkedError, job_future.result, 20)
            raises(palitra.ForkedError, next, stream)
            raises(palitra.ForkedError, next, native_stream)
            raises(palitra.ForkedError, entered.__exit__, None, None, None)
            raises(palitra.ForkedError, next, completed)
            raises(palitra.ForkedError, runner.run, runner.job("palitra.echo", b"x"))
            raises(palitra.ForkedError, runner.stats)
            runner.close()
            assert time.monotonic() - start < 5

        join(in_child(child))
        assert future.result(20) == 1 and job_future.result(20)
        assert list(stream) == [1, 2] and len(list(native_stream)) == 8
        entered.__exit__(None, None, None)
        assert next(completed).result() == 1
        runner.close()
    """,
        fork,
    )


@each_fork
def test_dropping_what_is_the_parents_takes_no_time(fork: str) -> None:
    check(
        """
        stream = palitra.iterate(items())
        next(stream)

        def child():
            global stream
            start = time.monotonic()
            del stream
            gc.collect()
            assert time.monotonic() - start < 2

        join(in_child(child))
        assert list(stream) == [1, 2]
    """,
        fork,
    )


@each_fork
def test_a_programs_own_runners_start_anew_in_a_child(fork: str) -> None:
    check(
        """
        runner = palitra.EventLoopThreadRunner()
        closed = palitra.EventLoopThreadRunner()
        closed.close()
        loop = runner.get_loop()

        def child():
            assert runner.run(later(1)) == 1
            assert runner.get_loop() is not loop
            raises(RuntimeError, closed.run, later(1))
            runner.close()

        join(*[in_child(child) for _ in range(3)])
        assert runner.run(later(1)) == 1 and runner.get_loop() is loop
        runner.close()
    """,
        fork,
    )


@each_fork
def test_a_wait_whose_thread_forks_meanwhile_ends_in_the_child(fork: str) -> None:
    check(
        """
        fork_here = palitra.to_async(start_child, thread_sensitive=True)
        where = palitra.to_async(threading.get_ident, thread_sensitive=True)
        done = []

        async def until_the_main_thread_waits():
            # Where it does not yet, another thread does its calls, and forks.
            while await where() != threading.main_thread().ident:
                await asyncio.sleep(0.001)

        async def second():
            await palitra.to_async(done.append, thread_sensitive=True)(os.getpid())

        async def forking():
            await until_the_main_thread_waits()
            # The other call lies on the desk of the waiting thread meanwhile: the child leaves it to the parent.
            after = asyncio.create_task(second())
            child = await fork_here()
            await after
            return child

        async def forking_items():
            await until_the_main_thread_waits()
            yield await fork_here()

        WAITS = [
            lambda: palitra.run(forking()),
            lambda: palitra.gather(forking())[0],
            lambda: next(palitra.as_completed(forking())).result(),
            lambda: next(palitra.iterate(forking_items())),
        ]

        parent = os.getpid()
        for wait in WAITS:
            done.clear()
            try:
                child = wait()
            except palitra.ForkedError:
                assert parent not in done
                assert palitra.run(later(1)) == 1
                os._exit(0)
            assert child and os.getpid() == parent
            join(child)
    """,
        fork,
    )


@each_fork
def test_a_child_counts_its_own_native_jobs_from_the_first_question_on(fork: str) -> None:
    check(
        """
        def child():
            assert palitra.native_stats()["succeeded"] == 0

        assert palitra.native_stats()["succeeded"] == 0, "before the first job"
        palitra.run(palitra.job("palitra.echo", b"x"))
        assert palitra.native_stats()["succeeded"] == 1
        join(in_child(child))
    """,
        fork,
    )


def test_a_childs_thread_may_have_the_number_of_the_parents_loop() -> None:
    check(
        """
        import threading

        async def number():
            return threading.get_ident()

        USES = [
            lambda: palitra.run(palitra.job("palitra.echo", b"x")),
            lambda: palitra.run(later(1)),
            lambda: palitra.gather(palitra.job("palitra.echo", b"y")),
            lambda: palitra.gather(later(1), palitra.job("palitra.echo", b"z")),
            lambda: list(palitra.iterate(items())),
            lambda: list(palitra.iterate(tests.job("test.stream", items=2))),
            lambda: palitra.submit(palitra.job("palitra.echo", b"z")).result(20),
            lambda: palitra.to_sync(number)(),
            palitra.shutdown_global_runner,
        ]

        def child(use):
            # As if the first thread of the child had the stack of the loop's thread, which some C libraries give it.
            from palitra._global import _runner as runner
            runner._refuser = runner._thread.ident = threading.get_ident()
            use()

        use_everything()
        for use in USES:
            join(in_child(child, use))
    """,
        "system_fork",
    )


@each_fork
def test_a_grandchild_too(fork: str) -> None:
    check(
        """
        def child():
            use_everything()
            join(in_child(use_everything))

        use_everything()
        join(in_child(child))
    """,
        fork,
    )


@each_fork
def test_a_child_says_truly_whether_its_runner_is_alive(fork: str) -> None:
    check(
        """
        use_everything()
        assert palitra.is_runner_alive()

        def child():
            assert not palitra.is_runner_alive()
            palitra.run(later(1))
            assert palitra.is_runner_alive()
            palitra.shutdown_global_runner()
            assert not palitra.is_runner_alive()

        join(in_child(child))
        assert palitra.is_runner_alive()
    """,
        fork,
    )


def test_generations_of_children_keep_their_files_and_memory_bounded() -> None:
    check("""
        def used():
            gc.collect()
            with open("/proc/self/statm") as file:
                pages = int(file.read().split()[1])
            return len(os.listdir("/proc/self/fd")), pages * os.sysconf("SC_PAGE_SIZE")

        def child(files, memory):
            use_everything()
            for _ in range(20):
                use_everything()
            now_files, now_memory = used()
            assert now_files <= files + 12, (files, now_files)
            assert now_memory <= memory + (32 << 20), (memory, now_memory)

        use_everything()
        before = used()
        for _ in range(10):
            join(in_child(child, *before))
        after = used()
        assert after[0] <= before[0] and after[1] <= before[1] + (8 << 20), (before, after)
    """)


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(method: str, tmp_path: Path) -> None:
    code = """
        import asyncio
        import logging
        import multiprocessing
        import sys

        import palitra

        logging.getLogger("asyncio").setLevel(logging.ERROR)  # A busy machine makes slow callbacks.

        async def double(number):
            await asyncio.sleep(0)
            return 2 * number

        def work(number):
            assert palitra.run(palitra.job("palitra.echo", b"x")) == b"x"
            return palitra.run(double(number)) + palitra.gather(double(number))[0]

        if __name__ == "__main__":
            assert work(1) == 4
            with multiprocessing.get_context(sys.argv[1]).Pool(2) as pool:
                assert pool.map(work, range(20)) == [4 * number for number in range(20)]
                pool.close()
                pool.join()
            print("kept")
    """
    # spawn and forkserver import the program anew: it has to be a file.
    program = tmp_path / "program.py"
    program.write_text(textwrap.dedent(code))
    command = [sys.executable, "-X", "dev", "-W", "error", "-W", programs.FORK_IS_MEANT, str(program), method]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "kept\n", "")


def test_a_child_that_ends_normally_is_silent_and_quick() -> None:
    check("""
        use_everything()
        future = palitra.submit(later(1, 60))
        child = os.fork()
        if child == 0:
            palitra.run(later(1))
            palitra.submit(later(1, 60))
            sys.exit(0)
        join(child)
        future.cancel()
    """)
