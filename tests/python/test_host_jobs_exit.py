"""Jobs in Python at the end of the interpreter, in forked children, and where gevent has patched threading."""

from __future__ import annotations

import os
import shutil
import textwrap
from collections.abc import Iterator
from pathlib import Path

import palitra
import programs
import pytest

COMMON = """
import asyncio, atexit, logging, os, sys, threading, time, warnings
import palitra

logging.getLogger("asyncio").setLevel(logging.ERROR)

tests = palitra.load(os.environ["PALITRA_LIBRARY_DIR"] + "/libpalitra_test_jobs.so")
runner = tests.Runner()

async def forever(_):
    started.set()
    await asyncio.sleep(600)

def block(_):
    started.set()
    time.sleep(0.5)  # No exit ends a thread: it waits for this.

async def items(_):
    started.set()
    while True:
        yield 1

async def one(_):
    return 1

started = threading.Event()

def fork():
    with warnings.catch_warnings():  # Of threads that the child does not have.
        warnings.simplefilter("ignore")
        return os.fork()

def in_daemon(call):
    threading.Thread(target=call, daemon=True).start()

"""

LEFT = {
    "a coroutine that is awaited by a thread": """
        runner.register("host.job", forever)
        in_daemon(lambda: runner.run(runner.job("host.job")))
        assert started.wait(20)
        """,
    "a coroutine of a submitted job": """
        runner.register("host.job", forever)
        future = runner.submit(runner.job("host.job"))
        assert started.wait(20)
        """,
    "a coroutine of the global runner": """
        palitra.register("host.job", forever)
        future = palitra.submit(palitra.job("host.job"))
        assert started.wait(20)
        """,
    "a stream that waits for its reader": """
        runner.register("host.job", items)
        stream = runner.iterate(runner.job("host.job"))
        next(stream)
        """,
    "a blocking function": """
        runner.register("host.job", block)
        future = runner.submit(runner.job("host.job"))
        assert started.wait(20)
        """,
    "calls that come while it ends": """
        runner.register("host.job", one)
        def call():
            started.set()
            while True:
                runner.gather(*[runner.job("host.job")] * 10, return_exceptions=True)
        for _ in range(3):
            in_daemon(call)
        assert started.wait(20)
        time.sleep(0.05)
        """,
    "a call after the loop has ended": """
        import palitra._loop.at_exit
        runner.register("host.job", one)
        def late():
            try:
                runner.run(runner.job("host.job"))
            except palitra.JobError as error:
                print(error.message)
        # Called after palitra's own, which was registered later.
        atexit.unregister(palitra._loop.at_exit._close_all)
        atexit.register(late)
        atexit.register(palitra._loop.at_exit._close_all)
        """,
}

PRINTED = {"a call after the loop has ended": "the queue of the job was closed: the host takes no more calls\n"}


@pytest.mark.parametrize("what", LEFT)
def test_an_interpreter_ends_with(what: str) -> None:
    ended = programs.check(COMMON + textwrap.dedent(LEFT[what]), output=PRINTED.get(what, ""))
    assert ended.seconds < 15, str(ended)


def test_a_forked_child_answers_the_calls_of_its_own_global_runner() -> None:
    programs.check(
        COMMON
        + """
@palitra.register("host.process")
async def process(_):
    return os.getpid()

async def own(_):
    return "own"

def child():
    assert palitra.run(palitra.job("host.process"), timeout=20) == os.getpid()
    palitra.register("host.own", own)
    assert palitra.run(palitra.job("host.own"), timeout=20) == "own"
    try:
        runner.register("host.other", own)
    except palitra.ForkedError:
        return 0

assert palitra.run(palitra.job("host.process")) == os.getpid()
runner.register("host.job", forever)
future = runner.submit(runner.job("host.job"))
assert started.wait(20)
pid = fork()
if pid == 0:
    os._exit(child())
assert os.waitpid(pid, 0)[1] == 0
assert palitra.run(palitra.job("host.process")) == os.getpid()
assert not future.done()
print("kept")
"""
    )


def test_no_call_of_a_forked_child_passes_by_the_jobs_in_python() -> None:
    programs.check(
        COMMON
        + """
async def own(_):
    return "own"

# One that only Python has, and one in the place of the library's own.
palitra.register("host.own", own)
palitra.register("palitra.echo", own, input="bytes", output="json")

def call(name):
    try:
        replies.append(palitra.run(palitra.job(name, payloads[name])))
    except palitra.Error as error:
        replies.append(repr(error))

replies, payloads = [], {"host.own": 1, "palitra.echo": b"the library's"}
make_loop = asyncio.new_event_loop

def child(name):
    def make_loop_late():
        # The first call has made the child's runner and not registered its jobs yet: the second comes.
        second.start()
        second.join(1)
        return make_loop()

    asyncio.new_event_loop = make_loop_late
    second = threading.Thread(target=call, args=(name,))
    call("host.own")
    second.join()
    assert replies == ["own", "own"], replies
    return 0

for name in payloads:
    assert palitra.run(palitra.job(name, payloads[name])) == "own"
for name in payloads:
    pid = fork()
    if pid == 0:
        try:
            os._exit(child(name))
        except BaseException as error:
            print(repr(error))
        os._exit(1)
    assert os.waitpid(pid, 0)[1] == 0
print("kept")
"""
    )


def test_greenlets_run_while_a_call_is_answered() -> None:
    programs.check(
        "from gevent import monkey\nmonkey.patch_all()\n"
        + COMMON
        + """
import gevent

turns = 0

def count():
    global turns
    while True:
        gevent.sleep(0.002)
        turns += 1

gevent.spawn(count)

@runner.register("host.later")
async def later(value):
    await asyncio.sleep(0.3)
    return value

@runner.register("host.blocking")
def blocking(value):
    gevent.sleep(0.3)
    return value

@runner.register("host.items")
async def items(to):
    for number in range(to):
        yield number

for name in ("host.later", "host.blocking"):
    before = turns
    assert runner.run(runner.job(name, 5)) == 5
    assert turns > before + 5, (name, turns - before)
assert list(runner.iterate(runner.job("host.items", 50))) == list(range(50))
print("kept")
"""
    )


def other_pythons() -> Iterator[tuple[str, Path]]:
    """Those that are installed, in the path or by pyenv, and that have no palitra."""
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    for minor in (10, 12, 13, 14):
        found = [*root.glob(f"versions/3.{minor}.*/bin/python3"), shutil.which(f"python3.{minor}")]
        python = next((str(one) for one in found if one and "shims" not in str(one)), None)
        if python is not None:
            yield f"3.{minor}", Path(python)


@pytest.mark.parametrize("python", [pytest.param(path, id=version) for version, path in other_pythons()])
def test_other_pythons_end_with_a_call_in_flight(python: Path) -> None:
    package = Path(palitra.__file__).parents[1]
    path = f"import sys; sys.path.append({str(package)!r})\n"
    for what in ("a coroutine that is awaited by a thread", "calls that come while it ends"):
        ended = programs.run(path + COMMON + textwrap.dedent(LEFT[what]), python=python)
        assert (ended.status, ended.output, ended.errors) == (0, "", ""), f"{what}: {ended}"
