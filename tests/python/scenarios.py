"""The defects of palitra 0.1.0, one program each, for it and for this package alike.

Where the promise is kept, a program writes ``kept`` to stdout and nothing to stderr. ``shown`` is how the original
fails it: a pattern in what it writes, or HANGS.
"""

from __future__ import annotations

from dataclasses import dataclass

HANGS = "hangs"


@dataclass
class Scenario:
    row: int
    promise: str
    shown: str
    code: str


COMMON = """
import asyncio, concurrent.futures, contextvars, gc, inspect, logging, os, signal, sys, threading, time, weakref
import palitra
from palitra import EventLoopThreadRunner

async def one():
    return 1

# In debug mode asyncio reports callbacks that block the loop, as some do here.
logging.getLogger("asyncio").setLevel(logging.ERROR)
"""

SCENARIOS = [
    Scenario(1, "SystemExit in a coroutine reaches the caller and the runner continues", HANGS, """
        async def leave():
            sys.exit(3)

        try:
            palitra.run(leave())
        except SystemExit as error:
            assert error.code == 3
        assert palitra.run(one()) == 1 and palitra.is_runner_alive()
        print("kept")
    """),
    Scenario(2, "close ends what another thread waits for", "the waiter hangs", """
        runner = EventLoopThreadRunner()
        waits, raised = threading.Event(), []

        async def wait():
            waits.set()
            await asyncio.sleep(60)

        def call():
            try:
                runner.run(wait())
            except BaseException as error:
                raised.append(error)

        waiter = threading.Thread(target=call, daemon=True)
        waiter.start()
        waits.wait()
        runner.close()
        waiter.join(float(sys.argv[1]))
        print("kept" if raised else "the waiter hangs")
    """),
    Scenario(3, "a coroutine may ask whether the runner is alive while it is shut down", HANGS, """
        asks = threading.Event()

        async def ask():
            asks.set()
            time.sleep(0.3)  # Until the main thread is in the shutdown.
            palitra.is_runner_alive()

        def call():
            try:
                palitra.run(ask())
            except BaseException:
                pass

        asker = threading.Thread(target=call, daemon=True)
        asker.start()
        asks.wait()
        palitra.shutdown_global_runner()
        assert not palitra.is_runner_alive()
        print("kept")
    """),
    Scenario(4, "run works after a fork", HANGS, """
        palitra.run(one())
        child = os.fork()
        if child == 0:
            alive = palitra.is_runner_alive()
            os._exit(palitra.run(one()) == 1 and not alive and 7)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        print("kept")
    """),
    Scenario(5, "close on the loop's own thread is a clean end for the caller", HANGS, """
        runner = EventLoopThreadRunner()

        async def end():
            runner.close()
            await asyncio.sleep(0.05)

        try:
            runner.run(end())
        except (asyncio.CancelledError, RuntimeError):
            print("kept")
    """),
    Scenario(6, "a runner that nobody refers to leaves nothing", "kept alive|left", """
        def used():
            return threading.active_count(), len(os.listdir("/proc/self/fd"))

        def closed():
            runner = EventLoopThreadRunner()
            runner.run(one())
            runner.close()
            return weakref.ref(runner)

        reference = closed()
        gc.collect()
        before = used()
        for _ in range(10):
            EventLoopThreadRunner().run(one())
        end = time.monotonic() + float(sys.argv[1])
        while used() > before and time.monotonic() < end:
            gc.collect()
            time.sleep(0.01)
        if reference() is not None:
            print("a closed runner is kept alive")
        elif used() > before:
            print(f"threads and files left: {used()}, {before} before")
        else:
            print("kept")
    """),
    Scenario(7, "a timeout holds though the work takes no cancellation or blocks the loop", "too late", """
        released = threading.Event()

        async def swallow():
            while not released.is_set():
                try:
                    await asyncio.sleep(0.02)
                except asyncio.CancelledError:
                    pass

        async def block():
            released.wait(2)

        late = []
        for work in (swallow, block):
            threading.Timer(2, released.set).start()
            start = time.monotonic()
            try:
                palitra.run(work(), timeout=0.2)
            except asyncio.TimeoutError:
                pass
            if time.monotonic() - start > 1.5:
                late.append(work.__name__)
            released.set()
            palitra.run(one())
            released.clear()
        print(f"too late: {late}" if late else "kept")
        os._exit(0)
    """),
    Scenario(8, "use after close is one clear error and no warning", "never awaited", """
        runner = EventLoopThreadRunner()
        runner.close()
        for use in (runner.run, runner.gather):
            try:
                use(one())
            except RuntimeError:
                gc.collect()
        print("kept")
    """),
    Scenario(9, "a cancellation is caught by the names of asyncio and of concurrent.futures",
             "concurrent.futures._base.CancelledError", """
        async def cancel():
            raise asyncio.CancelledError

        for name in (concurrent.futures.CancelledError, asyncio.CancelledError):
            try:
                palitra.run(cancel())
            except name:
                pass
        print("kept")
    """),
    Scenario(10, "Ctrl-C cancels and awaits the coroutine", "keeps running", """
        ended = []

        async def wait():
            threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
            try:
                await asyncio.sleep(60)
            finally:
                await asyncio.sleep(0.01)
                ended.append(True)

        try:
            palitra.run(wait())
        except KeyboardInterrupt:
            print("kept" if ended else "the coroutine keeps running")
    """),
    Scenario(11, "an exit with work in flight is silent and closes generators", "Task was destroyed|^$", """
        async def items():
            try:
                yield 1
            finally:
                await asyncio.sleep(0)
                print("kept")

        async def start():
            global task, generator
            task = asyncio.ensure_future(asyncio.sleep(60))
            generator = items()
            await generator.__anext__()

        palitra.run(start())
    """),
    Scenario(12, "debug is for one call, and a loop_factory works", "debug sticks", """
        async def debug():
            return asyncio.get_running_loop().get_debug()

        async def loop():
            return asyncio.get_running_loop()

        class Loop(asyncio.SelectorEventLoop):
            pass

        assert palitra.run(debug(), debug=True) is True
        palitra.run(debug(), debug=False)
        before = palitra.run(debug())
        palitra.run(debug(), debug=not before)
        if palitra.run(debug()) is not before:
            print("debug sticks")
        elif isinstance(palitra.run(loop(), loop_factory=Loop), Loop):
            print("kept")
    """),
    Scenario(13, "timeout is a keyword, in the code and in its documentation", "documented as positional", """
        coroutine = one()
        try:
            palitra.run(coroutine, 5)
        except TypeError:
            coroutine.close()
        kind = inspect.signature(palitra.run).parameters["timeout"].kind
        assert kind is inspect.Parameter.KEYWORD_ONLY
        documented = inspect.getdoc(EventLoopThreadRunner)
        print("documented as positional" if "run(coro, timeout=None)" in documented else "kept")
    """),
    Scenario(14, "run on the loop's own thread is a clear error and no warning", "never awaited", """
        async def nested():
            palitra.run(one())

        try:
            palitra.run(nested())
        except RuntimeError as error:
            assert "loop thread" in str(error)
        gc.collect()
        print("kept")
    """),
    Scenario(15, "one task drives an asynchronous generator: context variables keep their tokens",
             "created in a different Context", """
        variable = contextvars.ContextVar("variable")

        async def items():
            token = variable.set(1)
            yield 1
            variable.reset(token)

        def step(generator):
            while True:
                try:
                    yield palitra.run(generator.__anext__())
                except StopAsyncIteration:
                    return

        assert list(getattr(palitra, "iterate", step)(items())) == [1]
        print("kept")
    """),
]  # fmt: skip
