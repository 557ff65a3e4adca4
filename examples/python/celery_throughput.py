"""How many tasks two Celery workers on Redis do: with palitra, with asyncio.run and with asgiref in the same task::

    python examples/python/celery_throughput.py [--tasks 400] [--rounds 7]

Starts a redis-server (it must be installed) and two workers of one process each, and sends them rounds of tasks, the
three ways in turns. A task awaits either asyncio.sleep(0) or a reply of Redis over an asynchronous client. Under
palitra one client lives as long as the worker; otherwise each task has a client of its own, as it has a loop of its
own. It prints medians of the rounds: tasks a second, most of which is Celery's own work, and microseconds in the
task's body. The figures depend on the machine; compare the ratios.
"""

import argparse
import asyncio
import contextlib
import functools
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import palitra
import redis
import redis.asyncio
from asgiref.sync import async_to_sync
from celery import Celery

URL = os.environ.get("REDIS_URL", "")
app = Celery("celery_throughput", broker=URL, task_ignore_result=True, worker_prefetch_multiplier=64)


@functools.cache
def store():
    return redis.Redis.from_url(URL)


@functools.cache
def kept_client():
    return redis.asyncio.Redis.from_url(URL)


async def sleep(keeps_loop):
    await asyncio.sleep(0)


async def ask(keeps_loop):
    if keeps_loop:
        await kept_client().ping()
    else:
        async with redis.asyncio.Redis.from_url(URL) as client:
            await client.ping()


WORK = {"asyncio.sleep(0)": sleep, "redis ping": ask}
WAYS = {
    "palitra": lambda work: palitra.run(work(True)),
    "asyncio.run": lambda work: asyncio.run(work(False)),
    "asgiref": lambda work: async_to_sync(work)(False),
}


@app.task
def body(way, work, tasks):
    begun = time.perf_counter_ns()
    WAYS[way](WORK[work])
    spent = time.perf_counter_ns() - begun
    spent_together, done = store().pipeline().incrby("spent", spent).incr("done").execute()
    if done == tasks:
        store().rpush("ended", spent_together)


def measure(way, work, tasks):
    """Tasks a second, and microseconds in a task's body."""
    store().delete("spent", "done")
    begun = time.perf_counter()
    with app.producer_or_acquire() as producer:
        for _ in range(tasks):
            body.apply_async((way, work, tasks), producer=producer)
    ended = store().blpop("ended", timeout=120)
    if ended is None:
        sys.exit(f"the workers did not do {tasks} tasks in 120 seconds")
    return tasks / (time.perf_counter() - begun), int(ended[1]) / tasks / 1000


def compare(tasks, rounds):
    print(f"{'two workers, medians':<22}{'way':<14}{'tasks/s':>10}{'ratio':>8}{'µs in body':>13}{'ratio':>8}")
    for work in WORK:
        figures = {way: [] for way in WAYS}
        for way in WAYS:
            measure(way, work, tasks // 4)
        for number in range(rounds):
            ways = list(WAYS)
            for way in ways[number % 3 :] + ways[: number % 3]:
                figures[way].append(measure(way, work, tasks))
        medians = {way: [statistics.median(each) for each in zip(*figures[way], strict=True)] for way in WAYS}
        own_rate, own_time = medians["palitra"]
        for way, (rate, spent) in medians.items():
            print(f"{work:<22}{way:<14}{rate:>10.0f}{own_rate / rate:>8.2f}{spent:>13.0f}{spent / own_time:>8.2f}")
    print("ratio: how many times palitra is as fast")


@contextlib.contextmanager
def running(*command, log):
    """A process in a group of its own, which ends with the block."""
    with open(log, "wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for(log, text, process):
    end = time.monotonic() + 30
    while text not in Path(log).read_text():
        if process.poll() is not None or time.monotonic() > end:
            sys.exit(f"{process.args[0]} did not start:\n{Path(log).read_text()}")
        time.sleep(0.05)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--tasks", type=int, default=400)
    arguments.add_argument("--rounds", type=int, default=7)
    asked = arguments.parse_args()
    here = os.path.dirname(os.path.abspath(__file__))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    os.environ["REDIS_URL"] = f"redis://127.0.0.1:{port}/0"
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        log = f"{folder}/redis.log"
        server = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
        wait_for(log, "Ready to accept connections", stack.enter_context(running(*server, log=log)))
        for name in ("one", "two"):
            celery = [sys.executable, "-m", "celery", "--app", "celery_throughput", "--workdir", here, "worker"]
            options = ["--hostname", name, "--concurrency", "1", "--loglevel", "warning"]
            quiet = ["--without-gossip", "--without-mingle"]
            stack.enter_context(running(*celery, *options, *quiet, log=f"{folder}/{name}.log"))
        # As a module, for the workers know the task by that name.
        sys.path.insert(0, here)
        import celery_throughput

        end = time.monotonic() + 30
        while len(celery_throughput.app.control.ping(timeout=0.5)) < 2:
            if time.monotonic() > end:
                sys.exit("\n".join(Path(f"{folder}/{name}.log").read_text() for name in ("one", "two")))
        celery_throughput.compare(asked.tasks, asked.rounds)


if __name__ == "__main__":
    main()
