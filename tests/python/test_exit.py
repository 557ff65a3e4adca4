"""An interpreter ends with work in flight: silently, within two seconds, generators closed and coroutines ended."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future
from functools import partial

import programs
import pytest

COMMON = """
import asyncio, atexit, logging, os, sys, threading, time
import palitra

logging.getLogger("asyncio").setLevel(logging.ERROR)
tests = palitra.load(os.environ["PALITRA_LIBRARY_DIR"] + "/libpalitra_test_jobs.so")

begun = threading.Event()

async def endless():
    begun.set()
    try:
        await asyncio.sleep(600)
    finally:
        await asyncio.sleep(0.01)
        print("ended")

async def submitting():
    begun.set()
    try:
        await asyncio.sleep(600)
    finally:
        try:
            palitra.submit(asyncio.sleep(0))
        except RuntimeError:
            pass  # Python starts no threads any more since 3.12.
        print("ended")

class Client:
    async def use(self):
        begun.set()
        try:
            await asyncio.sleep(600)
        finally:
            await CLIENT.close.aio()

    async def close(self):
        await asyncio.sleep(0.01)
        print("ended")

async def stubborn():
    begun.set()
    while True:
        try:
            await asyncio.sleep(600)
        except asyncio.CancelledError:
            pass

async def items():
    try:
        while True:
            yield 1
    finally:
        await asyncio.sleep(0)
        print("ended")

async def first(generator):
    return await generator.__anext__()

async def block():
    begun.set()
    time.sleep(600)

def in_daemon(call):
    threading.Thread(target=call, daemon=True).start()

def begin():
    assert begun.wait(8)

def pause():
    time.sleep(0.2)

stream = tests.job("test.stream", items=10**9)

"""

ENDED = "ended\n"

LEFT = {
    "nothing": ("palitra.run(asyncio.sleep(0))", ""),
    "a coroutine": ("future = palitra.submit(endless()); begin()", ENDED),
    "a coroutine whose future nobody keeps": ("palitra.submit(endless()); begin()", ENDED),
    "a coroutine that submits at its end": ("palitra.submit(submitting()); begin()", ENDED),
    "a coroutine that awaits its runner at its end": (
        "CLIENT = palitra.to_sync(Client()); palitra.submit(CLIENT.wrapped.use()); begin()", ENDED),
    "a coroutine that refuses to end": ("palitra.submit(stubborn()); begin()", ""),
    "a blocked loop": ("palitra.submit(block()); begin()", ""),
    "a coroutine behind a blocked loop": ("palitra.submit(block()); begin(); palitra.submit(endless())", ""),
    "a task of its own": ("palitra.run(asyncio.sleep(0)); palitra.get = asyncio.run_coroutine_threadsafe("
                          "endless(), palitra._global._runner.get_loop()); begin()", ENDED),
    "an iteration": ("stepped = palitra.iterate(items()); next(stepped)", ENDED),
    "an asynchronous generator": ("generator = items(); palitra.run(first(generator))", ENDED),
    "an entered manager": (
        "manager = palitra.enter(__import__('contextlib').aclosing(items())); manager.__enter__()", ""),
    "a runner of its own": ("runner = palitra.EventLoopThreadRunner(); runner.submit(endless()); begin()", ENDED),
    "many runners": ("runners = [palitra.EventLoopThreadRunner() for _ in range(20)];"
                     "[one.submit(stubborn()) for one in runners]; begin()", ""),
    "a daemon thread that waits": ("in_daemon(lambda: palitra.run(endless())); begin()", ENDED),
    "a daemon thread in an endless loop": ("in_daemon(lambda: [palitra.run(asyncio.sleep(0)) for _ in iter(int, 1)]);"
                                            "pause()", ""),
    "a daemon thread in gather": ("in_daemon(lambda: palitra.gather(stubborn(), stubborn())); begin()", ""),
    "a daemon thread in as_completed": ("in_daemon(lambda: list(palitra.as_completed(stubborn()))); begin()", ""),
    "a daemon thread that iterates": ("in_daemon(lambda: list(palitra.iterate(items()))); pause()", None),
    "a daemon thread that waits for a future": ("in_daemon(lambda: palitra.submit(stubborn()).result()); begin()", ""),
    "a daemon thread that submits and waits": (
        "in_daemon(lambda: [palitra.submit(asyncio.sleep(0)).result() for _ in iter(int, 1)]); pause()", ""),
    "a daemon thread that completes": (
        "in_daemon(lambda: [list(palitra.as_completed(asyncio.sleep(0))) for _ in iter(int, 1)]); pause()", ""),
    "native jobs": ("futures = [palitra.submit(tests.job('test.never')) for _ in range(100)]", ""),
    "a native job that never yields": ("palitra.submit(tests.job('test.spin', seconds=20)); pause()", ""),
    "a daemon thread in a native run": ("in_daemon(lambda: palitra.run(tests.job('test.never'))); pause()", ""),
    "a daemon thread in a native gather": (
        "in_daemon(lambda: palitra.gather(*[tests.job('test.never')] * 3)); pause()", ""),
    "a native stream": ("stepped = palitra.iterate(stream); next(stepped)", ""),
    "a daemon thread in a native stream": ("in_daemon(lambda: list(palitra.iterate(stream))); pause()", ""),
    "a native runner": ("runner = tests.Runner(worker_threads=2); runner.submit(runner.job('test.never'))", ""),
    "an awaited native job": ("palitra.submit(asyncio.wait_for(tests.job('test.never'), 600)); pause()", ""),
    "a native stream in a coroutine": ("generator = aiter(stream); palitra.run(first(generator))", ""),
    "a daemon thread with a loop of its own": (
        "in_daemon(lambda: asyncio.run(asyncio.wait_for(tests.job('test.never'), 600))); pause()", ""),
}  # fmt: skip


def leave(code: str) -> programs.Ended:
    """Runs a program to its last line, and from there to its end; ``seconds`` is how long the latter took."""
    ended = programs.run(COMMON + code + "\nos.write(2, f'{time.monotonic()}\\n'.encode())")
    now = time.monotonic()
    left, _, ended.errors = ended.errors.partition("\n")
    ended.seconds = now - float(left)
    return ended


@pytest.fixture(scope="module")
def ends() -> Iterator[dict[str, Future[programs.Ended]]]:
    with programs.together({left: partial(leave, code) for left, (code, _) in LEFT.items()}) as ends:
        yield ends


@pytest.mark.parametrize("left", LEFT)
def test_it_ends_silently_and_soon(left: str, ends: dict[str, Future[programs.Ended]]) -> None:
    ended = ends[left].result()
    assert (ended.status, ended.errors) == (0, ""), str(ended)
    # What a daemon thread still does while the process ends is left to chance.
    code, output = LEFT[left]
    assert output is None or ended.output == output, str(ended)
    # On a busy machine one may come late, but not each time.
    seconds = ended.seconds if ended.seconds < 2 else leave(code).seconds
    assert seconds < 2, str(ended)


@pytest.mark.parametrize("way", ["sys.exit(3)", "raise SystemExit(3)", "os._exit(3)"])
def test_every_way_out_is_silent_and_soon(way: str) -> None:
    code = "palitra.submit(endless()); palitra.submit(tests.job('test.never')); pause()\n" + way
    ended = programs.run(COMMON + code)
    assert (ended.status, ended.errors) == (3, ""), str(ended)
    assert ended.seconds < 10, str(ended)


def test_the_programs_own_error_is_all_that_is_printed() -> None:
    ended = programs.run(COMMON + "palitra.submit(endless()); pause(); raise ValueError('its own')")
    assert (ended.status, ended.output) == (1, ENDED), str(ended)
    assert ended.errors.count("Traceback") == 1, str(ended)
    assert ended.errors.endswith("ValueError: its own\n"), str(ended)


def test_a_thread_that_is_no_daemon_is_waited_for_and_gets_its_result() -> None:
    programs.check(
        COMMON
        + """
def work():
    time.sleep(0.3)
    print(palitra.run(asyncio.sleep(0.3, "kept")))

palitra.run(asyncio.sleep(0))  # Python 3.12 starts no thread any more once the main one has ended.
threading.Thread(target=work).start()
"""
    )


def test_work_in_an_exit_handler_runs_or_is_an_error_and_never_noise() -> None:
    programs.check("""
        import asyncio, atexit

        def late():
            coroutine = asyncio.sleep(0, "late")
            try:
                assert palitra.run(coroutine) == "late"
            except RuntimeError:
                pass  # Python starts no threads any more since 3.12.

        atexit.register(late)
        import palitra
        palitra.run(asyncio.sleep(0))
        atexit.register(lambda: print(palitra.run(asyncio.sleep(0, "kept"))))
    """)


AT_THE_VERY_END = {
    "run": "palitra.run(coroutine)",
    "a runner of its own": "palitra.EventLoopThreadRunner()",
    "submit": "palitra.submit(coroutine).result()",
    "submit of a job": "palitra.submit(nap).result()",
    "an older future": "older.result()",
    "an older future of a job": "older_job.result()",
    "a native run": "palitra.run(nap)",
    "a native gather": "palitra.gather(nap, nap)",
    "a native stream": "next(palitra.iterate(stream))",
    "close": "runner.close()",
    "shutdown": "palitra.shutdown_global_runner()",
}


@pytest.mark.parametrize("before", ["", "palitra.run(asyncio.sleep(0)); palitra.submit(nap).result()"],
                         ids=["first-use", "used-before"])  # fmt: skip
def test_a_finalizer_that_outlives_the_threads_gets_an_error_and_hangs_nowhere(before: str) -> None:
    def run(call: str) -> programs.Ended:
        return programs.run(
            COMMON
            + f"""
coroutine, nap = asyncio.sleep(0), tests.job("palitra.sleep", seconds=0.01)
older, older_job = palitra.submit(endless()), palitra.submit(tests.job("test.never"))
{before}
if "older" not in {call!r}:
    older.cancel(), older_job.cancel()
    palitra.shutdown_global_runner()
runner = palitra.EventLoopThreadRunner() if "close" in {call!r} else None

class Late:
    # What it needs is still there when the module's names have been cleared.
    def __del__(self, palitra=palitra, coroutine=coroutine, nap=nap, older=older, older_job=older_job, stream=stream,
                runner=runner, write=os.write):
        try:
            {call}
        except (RuntimeError, asyncio.CancelledError):
            pass
        coroutine.close()
        write(1, b"late")

late = Late()
""",
        )

    calls = AT_THE_VERY_END.values()
    with programs.together({call: partial(run, call) for call in calls}) as ends:
        for call in calls:
            ended = ends[call].result()
            assert (ended.status, ended.output[-4:]) == (0, "late"), f"{call}: {ended}"


def test_a_wait_in_an_exit_handler_of_before_the_import_ends() -> None:
    programs.check(
        """
        import atexit, asyncio, concurrent.futures, threading

        def wait():
            done, pending = concurrent.futures.wait(futures, 20)
            assert not pending, pending
            assert all(future.cancelled() for future in futures)
            print("kept")

        atexit.register(wait)
        import palitra

        futures = [palitra.submit(asyncio.sleep(600)) for _ in range(3)]
        palitra.run(asyncio.sleep(0))  # They have started by now: what never starts is refused.
        threading.Thread(target=futures[0].result, daemon=True).start()
    """,
    )


def test_exit_waits_for_a_blocking_function_in_the_executor() -> None:
    ended = leave("palitra.submit(asyncio.to_thread(lambda: (time.sleep(1), os.write(1, b'done')))); pause()")
    assert (ended.status, ended.output, ended.errors) == (0, "done", "")


#: What starts a loop's thread, by the lock under which it does so.
STARTS = {
    "run": "palitra.run(asyncio.sleep(0))",
    "a loop factory": "palitra.run(asyncio.sleep(0), loop_factory=make_loop)",
    "register": "palitra.register('host.one', print)",
}


@pytest.mark.parametrize("start", STARTS)
def test_a_daemon_thread_that_the_exit_puts_to_sleep_holds_no_lock(start: str) -> None:
    programs.check(
        f"""
        import asyncio, atexit, sys, threading, time

        def late():
            # palitra's own handler has been called: it was registered later.
            exiting.set()
            end = time.monotonic() + 30
            while sys._current_frames()[thread.ident].f_code.co_name != "sleep_if_exiting":
                assert time.monotonic() < end
                time.sleep(0.005)
            palitra.shutdown_global_runner()
            try:
                palitra.run(coroutine, loop_factory=make_loop)
            except RuntimeError:
                pass  # Python starts no threads any more since 3.12.
            print("kept")

        atexit.register(late)
        import palitra

        def make_loop():
            return asyncio.new_event_loop()

        def start():
            exiting.wait()
            {STARTS[start]}

        coroutine, exiting = asyncio.sleep(0), threading.Event()
        palitra.run(asyncio.sleep(0))
        palitra.register("host.other", print)
        thread = threading.Thread(target=start, daemon=True)
        thread.start()
        """
    )
