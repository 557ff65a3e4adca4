"""Asynchronous things that several tests use: a generator that tells when it is closed, a server, what never ends."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp.web


def counting() -> tuple[Callable[[int], AsyncIterator[int]], threading.Event]:
    """An asynchronous generator function that counts up to its argument, and the event of its end."""
    closed = threading.Event()

    async def count(number: int) -> AsyncIterator[int]:
        try:
            for one in range(number):
                yield one
        finally:
            closed.set()

    return count, closed


@contextlib.asynccontextmanager
async def serving(connections: set[Any]) -> AsyncIterator[str]:
    """A server that responds to each request with its path, as JSON, and notes the connections that it had."""

    async def respond(request: aiohttp.web.Request) -> aiohttp.web.Response:
        connections.add(request.transport)
        return aiohttp.web.json_response({"path": request.path})

    application = aiohttp.web.Application()
    application.router.add_get("/{name}", respond)
    server = aiohttp.web.AppRunner(application)
    await server.setup()
    await aiohttp.web.TCPSite(server, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{server.addresses[0][1]}"
    await server.cleanup()


async def stubborn() -> None:
    """Never ends, whatever cancels it."""
    while True:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            pass
