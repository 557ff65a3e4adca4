"""nest_asyncio without its patches of asyncio, for nest_asyncio's own tests: a plugin of pytest.

``run_until_complete`` and ``asyncio.run`` inside a running loop run their coroutine on the loop of a palitra runner of
their own, and wait.
"""

import asyncio

import nest_asyncio
import palitra

outermost_run = asyncio.run


def run_beside(awaitable):
    with palitra.EventLoopThreadRunner() as runner:
        return runner.run(awaitable)


def apply(loop):
    outermost = loop.run_until_complete

    def run_until_complete(awaitable):
        return outermost(awaitable) if asyncio._get_running_loop() is None else run_beside(awaitable)

    def run(awaitable):
        return outermost_run(awaitable) if asyncio._get_running_loop() is None else run_beside(awaitable)

    loop.run_until_complete = run_until_complete
    asyncio.run = run


nest_asyncio.apply = apply
