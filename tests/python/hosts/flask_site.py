"""The site that the tests run under gunicorn. Every view that waits does so through palitra.

Read from the environment: PAGES, the address of a server to fetch from; NOTES, a file that gets a line for each
event; BEFORE_FORK, whether the module uses palitra when it is imported.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator

import palitra
from flask import Flask, Response, g, request

app = Flask(__name__)
if hasattr(palitra, "to_sync"):  # palitra 0.1.0 has it not, and runs the first views as they are.
    app.async_to_sync = palitra.to_sync  # type: ignore[method-assign]


def note(line: str) -> None:
    with open(os.environ["NOTES"], "a") as notes:
        notes.write(f"{line}\n")


async def double(number: int) -> int:
    await asyncio.sleep(0.001)
    return number * 2


def fetch() -> palitra.Job:
    return palitra.job("http.get", url=os.environ["PAGES"])


@app.get("/plain")
def plain() -> str:
    return "plain"


@app.get("/coroutine")
def coroutine() -> str:
    return str(palitra.run(double(21)))


@app.get("/gather")
def gather() -> str:
    return ",".join(map(str, palitra.gather(double(1), double(2), double(3))))


@app.get("/job")
def job() -> str:
    return palitra.run(fetch())["body"]


@app.get("/submit")
def submit() -> str:
    number, page = palitra.submit(double(21)), palitra.submit(fetch())
    return f"{number.result(5)},{page.result(5)['body']}"


@app.get("/alive")
def alive() -> str:
    return str(palitra.is_runner_alive())


@app.get("/mixed")
def mixed() -> str:
    first, number, last = palitra.gather(fetch(), double(2), fetch())
    return f"{first['body']},{number},{last['body']}"


@app.get("/worker")
def worker() -> str:
    return str(os.getpid())


async def noted_sleep(seconds: float) -> None:
    note("started")
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        note("cancelled")
        raise


@app.get("/slow/coroutine/<seconds>")
def slow_coroutine(seconds: str) -> str:
    palitra.run(noted_sleep(float(seconds)))
    return "slept"


@app.get("/slow/job/<seconds>")
def slow_job(seconds: str) -> str:
    note("started")
    palitra.run(palitra.job("palitra.sleep", seconds=float(seconds)))
    return "slept"


# Flask's own asynchronous views, through palitra.to_sync.


class Refused(Exception):
    pass


@app.before_request
def remember_visitor() -> None:
    g.visitor = request.args.get("visitor", "nobody")


@app.errorhandler(Refused)
async def refused(error: Refused) -> tuple[str, int]:
    await asyncio.sleep(0)
    return f"refused {error} to {g.visitor}", 418


@app.get("/async/context")
async def async_context() -> str:
    async def path() -> str:
        await asyncio.sleep(0.01)
        return f"{request.path} for {g.visitor}"

    g.seen = "seen"
    first, second = await asyncio.gather(path(), path())
    return f"{first}; {second}"


@app.after_request
def tell_seen(response: Response) -> Response:
    response.headers["X-Seen"] = g.get("seen", "")
    return response


@app.get("/async/job")
async def async_job() -> str:
    page, number = await asyncio.gather(fetch(), double(3))
    return f"{page['body']},{number}"


@app.get("/async/refusal")
async def async_refusal() -> str:
    await asyncio.sleep(0.001)
    raise Refused("entry")


@app.get("/async/failure")
async def async_failure() -> str:
    await asyncio.sleep(0.001)
    raise LookupError("nobody handles this")


@app.get("/async/loop")
async def async_loop() -> str:
    """Another for each loop."""
    return str(id(asyncio.get_running_loop()))


@app.get("/stream/<int:length>")
def stream(length: int) -> Response:
    async def items() -> AsyncIterator[str]:
        try:
            for number in range(length):
                await asyncio.sleep(0.001)
                yield f"{number}\n"
        finally:
            note("closed")

    return Response(palitra.iterate(items()), mimetype="text/plain")


if os.environ.get("BEFORE_FORK"):
    # In the parent, where gunicorn preloads.
    assert palitra.run(double(1)) == 2
    if hasattr(palitra, "job"):
        assert palitra.run(fetch())["body"] == "page"
