"""What is timed: the package beside its rivals, each operation a function without arguments."""

import asyncio
import contextlib
import glob
import importlib.util
import os
import sys
import threading
import types

import aiohttp
import anyio.from_thread
import asgiref.sync
import palitra
import uvloop

HUNDRED = range(100)
PAYLOAD = b"hello world"


async def noop():
    pass


class Asynchronous:
    async def method(self):
        pass


def hundred_awaits_of(function):
    async def awaits():
        for _ in HUNDRED:
            await function()

    return lambda: asyncio.run(awaits())


async def pending():
    await asyncio.sleep(0)


async def gathered():
    return await asyncio.gather(*[noop() for _ in HUNDRED])


def installed_original():
    """Where `make bench-python` has installed palitra 0.1.0."""
    found = glob.glob("target/venv-original/lib/python3*/site-packages/palitra")
    return found[0] if found else None


def import_original(folder):
    """palitra 0.1.0 from the folder it is installed in, under a name that is free."""
    if folder is None:
        sys.exit("palitra 0.1.0 is not installed: make bench-python does it, --original says where it is")
    location = os.path.join(folder, "__init__.py")
    spec = importlib.util.spec_from_file_location("palitra_original", location, submodule_search_locations=[folder])
    module = importlib.util.module_from_spec(spec)
    sys.modules["palitra_original"] = module
    spec.loader.exec_module(module)
    return module


@contextlib.contextmanager
def uvloop_policy():
    before = asyncio.get_event_loop_policy()
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    try:
        yield
    finally:
        asyncio.set_event_loop_policy(before)


@contextlib.contextmanager
def prepared(original_folder):
    """Every subject, with its runner alive."""
    original = import_original(original_folder)
    with contextlib.ExitStack() as stack:
        known = types.SimpleNamespace(loops=f"asyncio and uvloop {uvloop.__version__}")
        theirs = stack.enter_context(original.EventLoopThreadRunner())
        with uvloop_policy():
            theirs_on_uvloop = stack.enter_context(original.EventLoopThreadRunner())
        add_ours(known, stack)
        add_original(known, theirs, theirs_on_uvloop)
        add_locks(known, stack)
        add_others(known, stack)
        add_fetching(known, theirs, stack)
        yield known


def add_ours(known, stack):
    runner = stack.enter_context(palitra.EventLoopThreadRunner())
    on_uvloop = stack.enter_context(palitra.EventLoopThreadRunner(loop_factory=uvloop.new_event_loop))
    known.run = lambda: runner.run(noop())
    known.run_with_timeout = lambda: runner.run(noop(), timeout=5)
    known.run_pending = lambda: runner.run(pending())
    known.to_sync = palitra.to_sync(noop)
    known.method = palitra.to_sync(Asynchronous()).method
    known.to_async = hundred_awaits_of(palitra.to_async(int))
    known.uvloop_run = lambda: on_uvloop.run(noop())
    known.gather = lambda: runner.gather(*[noop() for _ in HUNDRED])
    known.gather_pending = lambda: runner.gather(*[pending() for _ in HUNDRED])
    known.uvloop_gather = lambda: on_uvloop.gather(*[noop() for _ in HUNDRED])
    echo = palitra.job("palitra.echo", PAYLOAD)
    assert palitra.run(echo) == PAYLOAD
    known.run_job = lambda: palitra.run(echo)
    known.run_job_with_timeout = lambda: palitra.run(echo, timeout=5)
    known.run_named_job = lambda: palitra.run(palitra.job("palitra.echo", PAYLOAD))
    known.gather_jobs = lambda: palitra.gather(*[echo for _ in HUNDRED])


def add_original(known, theirs, on_uvloop):
    known.original_run = lambda: theirs.run(noop())
    known.original_run_with_timeout = lambda: theirs.run(noop(), timeout=5)
    known.original_run_pending = lambda: theirs.run(pending())
    known.original_uvloop_run = lambda: on_uvloop.run(noop())
    known.original_gather = lambda: theirs.gather(*[noop() for _ in HUNDRED])
    known.original_gather_pending = lambda: theirs.gather(*[pending() for _ in HUNDRED])
    known.original_uvloop_gather = lambda: on_uvloop.gather(*[noop() for _ in HUNDRED])


class LockAndTask:
    """The least that hands a coroutine to a loop in another thread: a lock, and one task that wraps it."""

    def __init__(self, loop):
        self.loop = loop
        self.thread = threading.Thread(target=loop.run_forever, daemon=True)
        self.thread.start()

    def run(self, coroutine):
        lock = threading.Lock()
        lock.acquire()
        results = []

        async def wrapper():
            try:
                results.append(await coroutine)
            finally:
                lock.release()

        self.loop.call_soon_threadsafe(self.loop.create_task, wrapper())
        lock.acquire()
        return results[0]

    def close(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


def add_locks(known, stack):
    theirs, on_uvloop = LockAndTask(asyncio.new_event_loop()), LockAndTask(uvloop.new_event_loop())
    stack.callback(theirs.close)
    stack.callback(on_uvloop.close)
    known.lock_run = lambda: theirs.run(noop())
    known.lock_uvloop_run = lambda: on_uvloop.run(noop())


def add_others(known, stack):
    portal = stack.enter_context(anyio.from_thread.start_blocking_portal("asyncio"))
    on_uvloop = stack.enter_context(anyio.from_thread.start_blocking_portal("asyncio", {"use_uvloop": True}))
    known.anyio_run = lambda: portal.call(noop)
    known.anyio_uvloop_run = lambda: on_uvloop.call(noop)
    known.asgiref_run = asgiref.sync.async_to_sync(noop)
    known.asgiref_to_async = hundred_awaits_of(asgiref.sync.sync_to_async(int, thread_sensitive=False))
    known.asyncio_run = lambda: asyncio.run(noop())

    def asyncio_uvloop_run():
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(noop())

    known.asyncio_uvloop_run = asyncio_uvloop_run
    # asyncio.Runner.run sets the signal handler of Ctrl-C at each call; that is no part of the floor.
    loop = asyncio.new_event_loop()
    stack.callback(loop.close)
    known.same_thread_run = lambda: loop.run_until_complete(noop())
    known.same_thread_gather = lambda: loop.run_until_complete(gathered())
    known.same_thread_eager_gather = None
    if sys.version_info >= (3, 12):
        eager = asyncio.new_event_loop()
        stack.callback(eager.close)
        eager.set_task_factory(asyncio.eager_task_factory)
        known.same_thread_eager_gather = lambda: eager.run_until_complete(gathered())


def add_fetching(known, theirs, stack):
    """Both keep their connections from call to call, and look at every page."""

    async def open_session():
        return aiohttp.ClientSession()

    session = theirs.run(open_session())
    stack.callback(lambda: theirs.run(session.close()))

    async def fetch_one(url):
        async with session.get(url) as response:
            return response.status, await response.text()

    def check(pages, urls):
        assert len(pages) == len(urls)
        assert all(status == 200 and len(body) == 512 for status, body in pages)

    def original_fetch(urls):
        return lambda: check(theirs.gather(*[fetch_one(url) for url in urls]), urls)

    def fetch(urls):
        def once():
            pages = palitra.gather(*[palitra.job("http.get", url=url) for url in urls], limit=100)
            check([(page["status"], page["body"]) for page in pages], urls)

        return once

    known.original_fetch = original_fetch
    known.fetch = fetch
