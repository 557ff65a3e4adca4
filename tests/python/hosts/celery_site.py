"""The Celery application that the tests run in real workers; its parent has used palitra before it forks.

Read from the environment: PAGES, the address of a server to fetch from; NOTES, a file that gets a line for each
event; REDIS_URL, the address of broker and backend.
"""

from __future__ import annotations

import asyncio
import os
from typing import Any

import celery
import palitra
import palitra.celery
from celery import Celery
from celery.exceptions import SoftTimeLimitExceeded

app = Celery("celery_site", broker=os.environ["REDIS_URL"], backend=os.environ["REDIS_URL"])
app.conf.update(broker_connection_retry_on_startup=True, worker_prefetch_multiplier=1, result_expires=600)


def note(line: str) -> None:
    with open(os.environ["NOTES"], "a") as notes:
        notes.write(f"{line}\n")


async def add_slowly(left: int, right: int) -> int:
    await asyncio.sleep(0.001)
    return left + right


def fetch() -> palitra.Job:
    return palitra.job("http.get", url=os.environ["PAGES"])


async def noted_sleep(seconds: float) -> str:
    note("started")
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        note("cancelled")
        raise
    note("ended")
    return "slept"


# Plain tasks, which call palitra.


@app.task
def run_coroutine(left: int, right: int) -> int:
    return palitra.run(add_slowly(left, right))


@app.task
def run_job() -> str:
    return palitra.run(fetch())["body"]


@app.task
def gather_both() -> list[Any]:
    first, number, last = palitra.gather(fetch(), add_slowly(1, 2), fetch())
    return [first["body"], number, last["body"]]


@app.task
def sleep_in_coroutine(seconds: float) -> str:
    return palitra.run(noted_sleep(seconds))


@app.task
def sleep_in_job(seconds: float) -> str:
    note("started")
    palitra.run(palitra.job("palitra.sleep", seconds=seconds))
    note("ended")
    return "slept"


@app.task
def process() -> int:
    """The worker's process, which has used palitra."""
    assert palitra.run(add_slowly(1, 1)) == 2
    assert palitra.run(fetch())["status"] == 200
    return os.getpid()


@app.task
def sleep_until_interrupted(seconds: float) -> str:
    try:
        return palitra.run(noted_sleep(seconds))
    except SoftTimeLimitExceeded:
        note("interrupted")
        return "interrupted"


# Tasks that are coroutines.


@app.task(base=palitra.celery.Task)
async def add(left: int, right: int) -> int:
    return await add_slowly(left, right)


@app.task(base=palitra.celery.Task)
async def fetch_and_add() -> list[Any]:
    page, number = await asyncio.gather(fetch(), add_slowly(2, 2))
    return [page["body"], number]


@app.task(base=palitra.celery.Task)
async def loop() -> tuple[int, int]:
    return os.getpid(), id(asyncio.get_running_loop())


@app.task(base=palitra.celery.Task, bind=True)
async def see_request(self: palitra.celery.Task) -> list[Any]:
    """The request, in the body, after a wait, and in the coroutines that it starts."""

    async def seen() -> Any:
        await asyncio.sleep(0.001)
        return self.request.id

    return [self.request.id, *await asyncio.gather(seen(), seen()), celery.current_task.name]


@app.task(base=palitra.celery.Task, bind=True, max_retries=3)
async def retry_twice(self: palitra.celery.Task) -> int:
    await asyncio.sleep(0.001)
    if self.request.retries < 2:
        raise self.retry(countdown=0, exc=OSError("not yet"))
    return self.request.retries


@app.task(base=palitra.celery.Task, bind=True, autoretry_for=(OSError,), retry_backoff=0, default_retry_delay=0)
async def retry_by_itself(self: palitra.celery.Task) -> int:
    await asyncio.sleep(0.001)
    if self.request.retries < 2:
        raise OSError("not yet")
    return self.request.retries


@app.task(base=palitra.celery.Task)
async def fail() -> None:
    await asyncio.sleep(0.001)
    raise LookupError("nothing there")


@app.task(base=palitra.celery.Task)
async def sleep(seconds: float) -> str:
    return await noted_sleep(seconds)


@app.task(base=palitra.celery.Task)
async def send_another() -> str:
    """Its child's identity."""
    await asyncio.sleep(0.001)
    return add_to_parent.delay().id


@app.task(base=palitra.celery.Task, bind=True)
async def add_to_parent(self: palitra.celery.Task) -> str:
    return self.request.parent_id


class Base(palitra.celery.Task):
    async def run(self, number: int) -> int:
        await asyncio.sleep(0.001)
        return number * 2


class Derived(Base):
    name = "celery_site.class_based"

    async def run(self, number: int) -> int:
        return 1 + await super().run(number)


app.register_task(Derived())

# In the parent, before the pool's processes are forked.
assert palitra.run(add_slowly(1, 1)) == 2
if hasattr(palitra, "job"):
    assert palitra.run(fetch())["body"] == "page"
