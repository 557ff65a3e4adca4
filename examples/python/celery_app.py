"""Celery tasks that run coroutines. A worker, and beside it its tasks::

    celery --app celery_app --workdir examples/python worker

    cd examples/python
    python -c 'import celery_app; print(celery_app.total.delay(["https://www.python.org/"] * 3).get(timeout=30))'
    python -c 'import celery_app; print(celery_app.length.delay("https://www.python.org/").get(timeout=30))'

The broker is the Redis at $REDIS_URL, or else the one on this machine.
"""

import functools
import os

import httpx
import palitra
import palitra.celery
from celery import Celery

redis = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0")
app = Celery("celery_app", broker=redis, backend=redis)


@functools.cache
def client():
    """One for each worker process: its loop lives from task to task, and so do the connections."""
    return httpx.AsyncClient(timeout=10)


async def fetch(url):
    return (await client().get(url)).text


@app.task
def total(urls):
    """A task that runs coroutines: the length of all pages together, ten fetched at a time."""
    return sum(map(len, palitra.gather(*map(fetch, urls), limit=10)))


@app.task(base=palitra.celery.Task, autoretry_for=(httpx.TransportError,), retry_backoff=True)
async def length(url):
    """A task that is a coroutine."""
    return len(await fetch(url))
