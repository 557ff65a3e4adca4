"""In a process that gevent has patched nothing hangs, and other greenlets run while one waits for palitra.

Each program counts the turns of the hub while it waits. eventlet's locks do not reach from thread to thread: what would
hang there is an error.
"""

from __future__ import annotations

import programs
import pytest

PATCH = """
from gevent import monkey
monkey.patch_all()
"""

COMMON = """
import asyncio, concurrent.futures, logging, os, threading, time
import gevent
import palitra
{late}

tests = palitra.load(os.environ["PALITRA_LIBRARY_DIR"] + "/libpalitra_test_jobs.so")
turns = 0
logging.getLogger("asyncio").setLevel(logging.ERROR)  # A busy machine is slow.

def count():
    global turns
    while True:
        gevent.sleep(0.002)
        turns += 1

gevent.spawn(count)

async def later(value, seconds=0.4):
    await asyncio.sleep(seconds)
    return value

async def items():
    for number in range(3):
        await asyncio.sleep(0.1)
        yield number

async def fail():
    raise ValueError("on purpose")

def nap(seconds=0.4):
    return palitra.job("palitra.sleep", seconds=seconds)

def raises(kind, call, *arguments, **keywords):
    try:
        call(*arguments, **keywords)
    except kind:
        return True

def check(call, least=3):
    for _ in range(3):  # A machine that has other things to do may give the hub no turn in so short a time.
        before = turns
        start = time.monotonic()
        value = call()
        took = time.monotonic() - start
        if turns - before >= least:
            return value
    raise AssertionError((turns - before, took))

with gevent.Timeout(20, SystemExit("it hangs")):
"""

WAITS = {
    "run": "assert check(lambda: palitra.run(later(1))) == 1",
    "run with a timeout": "assert check(lambda: palitra.run(later(1), timeout=5)) == 1",
    "run past its timeout": "assert check(lambda: raises(TimeoutError, palitra.run, later(1, 60), timeout=0.4))",
    "gather": "assert check(lambda: palitra.gather(later(1), later(2))) == [1, 2]",
    "submit": "assert check(lambda: palitra.submit(later(1)).result(5)) == 1",
    "as_completed": "assert check(lambda: [one.result() for one in palitra.as_completed(later(1), later(2, 0.1))])"
                    " == [2, 1]",
    "as_completed past its timeout": "assert check(lambda: raises(TimeoutError, list, palitra.as_completed(later(1, 9),"
                                     " timeout=0.4)))",
    "iterate": "assert check(lambda: list(palitra.iterate(items()))) == [0, 1, 2]",
    "an error": "assert raises(ValueError, palitra.run, fail())",
    "to_thread": "assert check(lambda: palitra.run(asyncio.to_thread(lambda: time.sleep(0.4) or 1))) == 1",
    "to_async": "assert check(lambda: palitra.run(palitra.to_async(time.sleep)(0.4))) is None",
    "a name that is looked up": "assert palitra.run(asyncio.wait_for(look_up(), 10))",
    "a native run": "assert check(lambda: palitra.run(nap())) == {'seconds': 0.4}",
    "a native run with a timeout": "assert check(lambda: palitra.run(nap(), timeout=5)) == {'seconds': 0.4}",
    "a native run past its timeout": "assert check(lambda: raises(TimeoutError, palitra.run, nap(60), timeout=0.4))",
    "a native run past its deadline":
        "assert check(lambda: raises(TimeoutError, palitra.run, nap(60).with_deadline(0.4)))",
    "a native run with progress": "assert check(lambda: palitra.run(nap().with_progress(print))) == {'seconds': 0.4}",
    "a native gather": "assert check(lambda: palitra.gather(*[nap()] * 3, limit=2)) == [{'seconds': 0.4}] * 3",
    "a native submit": "assert check(lambda: palitra.submit(nap()).result(2)) == {'seconds': 0.4}",
    "a native submit that is waited for": "check(lambda: concurrent.futures.wait([palitra.submit(nap())]))",
    "a native stream": "assert check(lambda: list(palitra.iterate(tests.job('test.stream', items=3))), 0)"
                       " == ['0', '1', '2']",
    "a native stream that pends": "assert check(lambda: raises(TimeoutError, list, palitra.iterate("
                                  "tests.job('test.stream', items=3, forever=True), timeout=0.4)))",
    "a mixed gather": "assert check(lambda: palitra.gather(later(1), nap())) == [1, {'seconds': 0.4}]",
    "an awaited job": "assert check(lambda: palitra.run(asyncio.wait_for(nap(), 9))) == {'seconds': 0.4}",
    "a shutdown": "palitra.submit(later(1, 60)); palitra.shutdown_global_runner()\n"
                  "assert palitra.run(later(1)) == 1",
    "a native shutdown": "runner = tests.Runner(); future = runner.submit(runner.job('palitra.sleep', seconds=0.4));\n"
                         "assert check(lambda: runner.shutdown(5)); assert future.result(5)",
    "a second runner": "palitra.run(later(1, 0))\n"
                       "with palitra.EventLoopThreadRunner() as one: assert check(lambda: one.run(later(1))) == 1",
    "uvloop": "import uvloop\n"
              "assert check(lambda: palitra.run(later(1), loop_factory=uvloop.new_event_loop)) == 1",
    "no running loop beside": "palitra.submit(later(1)); gevent.sleep(0.05); assert raises(RuntimeError,"
                              " asyncio.get_running_loop)",
    "a loop of the caller's": "palitra.submit(later(1)); assert asyncio.run(later(2)) == 2",
}  # fmt: skip

LOOK_UP = """
async def look_up():
    return await asyncio.get_running_loop().getaddrinfo("127.0.0.1", 80)
"""


#: What keeps gevent's hub busy in these programs.
COUNTER = "gevent.spawn(count)\n"
BOUND = 'with gevent.Timeout(20, SystemExit("it hangs")):'


def program(body: str, late: bool = False) -> str:
    common = COMMON.format(late=PATCH if late else "").replace("async def items", LOOK_UP + "\nasync def items", 1)
    indented = "".join(f"    {line}\n" for line in body.splitlines())
    return ("" if late else PATCH) + common + indented + "print('kept')\n"


@pytest.mark.parametrize("wait", WAITS)
def test_greenlets_run_while_one_waits(wait: str) -> None:
    ended = programs.run(program(WAITS[wait]))
    assert (ended.status, ended.output[-5:], ended.errors) == (0, "kept\n", ""), str(ended)


def test_a_hub_that_has_nothing_else_to_do_waits() -> None:
    for wait in ("run", "gather", "submit", "as_completed", "iterate", "a native run", "a native gather",
                 "a native submit", "a native submit that is waited for", "a shutdown"):  # fmt: skip
        alone = program(WAITS[wait].replace("check(lambda: ", "(")).replace(COUNTER, "").replace(BOUND, "if True:")
        programs.check(alone)


@pytest.mark.parametrize("wait", ["run", "submit", "a native run", "a native submit", "a second runner"])
def test_a_process_may_be_patched_after_the_import(wait: str) -> None:
    programs.check(program(WAITS[wait], late=True))


def test_a_thousand_waits_of_a_hundred_greenlets_lose_none() -> None:
    body = """
async def soon(number): await asyncio.sleep(0.001); return number
def work(number):
    for _ in range(3):
        assert palitra.run(soon(number)) == number
        assert palitra.submit(soon(number)).result(9) == number
        assert palitra.run(nap(0.001)) == {'seconds': 0.001}
        assert palitra.submit(palitra.job("palitra.echo", b"%d" % number)).result(9) == b"%d" % number
greenlets = [gevent.spawn(work, number) for number in range(100)]
gevent.joinall(greenlets, raise_error=True)
assert threading.active_count() < 120, threading.active_count()
"""
    programs.check(program(body))


def test_the_first_use_by_many_greenlets_makes_one_runner() -> None:
    body = """
def loop(_): return palitra.run(running())
async def running(): return id(asyncio.get_running_loop())
greenlets = [gevent.spawn(loop, number) for number in range(20)]
gevent.joinall(greenlets, raise_error=True)
assert len({one.value for one in greenlets}) == 1
"""
    programs.check(program(body, late=True))
    programs.check(program(body))


@pytest.mark.parametrize("call", ["submit(nap)", "run(nap)", "run(nap, timeout=5)", "gather(nap, nap)"])
def test_where_eventlet_patched_threading_a_native_wait_is_an_error_that_says_so(call: str) -> None:
    check_eventlet(f"""
nap = palitra.job("palitra.sleep", seconds=0.2)
try:
    palitra.{call}
except RuntimeError as error:
    assert "eventlet" in str(error), error
    print("kept")
""")


def test_where_eventlet_patched_threading_one_runner_runs_coroutines() -> None:
    check_eventlet("""
for number in range(10):
    assert palitra.run(asyncio.sleep(0.001, number)) == number
try:
    palitra.EventLoopThreadRunner()
except RuntimeError as error:
    assert "another loop" in str(error), error
    print("kept")
""")


def check_eventlet(code: str) -> None:
    # It warns of its own end.
    start = "import warnings\nwarnings.simplefilter('ignore')\nimport eventlet\neventlet.monkey_patch()\n"
    ended = programs.run(start + "import asyncio, palitra\n" + code)
    assert (ended.status, ended.output) == (0, "kept\n"), str(ended)
