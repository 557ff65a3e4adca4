"""Prints how fast the Python package is, as ratios to rivals that ran in turns with it in the same process.

    python benches/python/bench.py                `make bench-python` runs this
    python benches/python/bench.py --quick        a tenth of the work, to see that it all runs
    python benches/python/bench.py --only gather  the lines with this word in their title
    python benches/python/bench.py --plot F       the table, and its ratios as a picture: ../plot.py

The figure is how many times the rival's speed was reached: the median over the rounds of a paired ratio; in
brackets its quartiles, which show how much the machine wandered. A line without a goal is there to be watched.
The microseconds are those of this machine in this minute: compare them with nothing.

The rivals are palitra 0.1.0 (imported from where it was installed, under another name), anyio's blocking
portal, asgiref's AsyncToSync, asyncio.run; the least that hands a coroutine to a loop in another thread, a lock
and a task (call_soon_threadsafe); and asyncio.Runner on the caller's own thread, which hands nothing over to a
thread and so is the floor for coroutines: asyncio's own cost of a task. subjects.py has them all. Jobs that are
awaited meet pyo3-async-runtimes: awaits.py.

Nothing is pinned to a core, and the load of the machine is printed: a figure from a busy machine says little.
"""

import argparse
import dataclasses
import os
import pathlib
import statistics
import sys
import time
from collections.abc import Callable

import awaits
import subjects
import website

#: How long a subject's turn may take, about, in seconds.
TURN = 0.004


@dataclasses.dataclass
class Pair:
    """Two subjects timed in turns. A subject does one operation when it is called."""

    title: str
    ours: Callable[[], object]
    rival: Callable[[], object]
    goal: float | None = None
    rounds: int = 200
    #: How many operations one call does.
    times: int = 1


ROW = "{:50}  {:>14}  {:>7}  {:7}  {:18}  {:>20}"


def main():
    options = parse_options()
    with subjects.prepared(options.original) as known, website.serving() as address:
        print(f"Python {sys.version.split()[0]}, {known.loops}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}")
        print(ROW.format("ours / rival", "goal", "figure", "reached", "quartiles", "microseconds"))
        chosen = (pair for pair in pairs(known, address, options.rival) if options.only in pair.title)
        bars = [report(pair, options.quick) for pair in chosen]
    print(f"\nMicroseconds are for one operation, ours / rival. Load {os.getloadavg()[0]:.1f}.")
    sys.stdout.flush()
    if options.plot:
        draw(bars, options.plot)
    if options.check and not all(goal is None or cost <= goal for _, cost, _, _, goal in bars):
        os._exit(1)


def draw(bars, path):
    """The picture that ../plot.py makes of them."""
    sys.path.append(str(pathlib.Path(__file__).parent.parent))
    import plot

    caption = f"medians and quartiles of paired runs; goals in orange. {plot.machine()}"
    plot.draw([plot.Bar(*bar) for bar in bars], path, caption)


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the work")
    parser.add_argument("--only", default="", metavar="WORD", help="only the lines with this word in their title")
    parser.add_argument("--check", action="store_true", help="fail if a goal is not reached")
    parser.add_argument("--plot", metavar="FILE", help="the SVG to draw the ratios in")
    parser.add_argument("--original", metavar="FOLDER", help="the folder of palitra 0.1.0's package",
                        default=subjects.installed_original())  # fmt: skip
    parser.add_argument("--rival", metavar="FILE", help="the extension module of pyo3-async-runtimes",
                        default="target/python-rival/release/libpalitra_python_rival.so")  # fmt: skip
    return parser.parse_args()


def pairs(known, address, rival):
    """Every line of the table."""
    ours, original = known.run, known.original_run
    yield Pair("run(coroutine) / palitra 0.1.0", ours, original, 1.6)
    yield Pair("run(coroutine) / anyio portal", ours, known.anyio_run)
    yield Pair("run(coroutine) / a lock and a task", ours, known.lock_run, 1.25)
    yield Pair("run(coroutine) / asgiref", ours, known.asgiref_run, rounds=50)
    yield Pair("to_sync(function) / asgiref", known.to_sync, known.asgiref_run, rounds=50)
    yield Pair("to_sync(object)'s method / run(coroutine)", known.method, ours)
    yield Pair("100 awaits of to_async / asgiref", known.to_async, known.asgiref_to_async, rounds=50, times=100)
    yield Pair("run(coroutine) / asyncio.run", ours, known.asyncio_run, rounds=50)
    yield Pair("run(coroutine) / same thread", ours, known.same_thread_run)
    yield Pair("run(coroutine, timeout) / palitra 0.1.0", known.run_with_timeout, known.original_run_with_timeout)
    yield Pair("run(sleep(0)) / palitra 0.1.0", known.run_pending, known.original_run_pending)
    yield Pair("uvloop: run(coroutine) / palitra 0.1.0", known.uvloop_run, known.original_uvloop_run, 1.6)
    yield Pair("uvloop: run(coroutine) / a lock and a task", known.uvloop_run, known.lock_uvloop_run, 1.25)
    yield Pair("uvloop: run(coroutine) / anyio portal", known.uvloop_run, known.anyio_uvloop_run)
    yield Pair("uvloop: run(coroutine) / asyncio.Runner", known.uvloop_run, known.asyncio_uvloop_run, rounds=50)
    yield Pair("gather of 100 / palitra 0.1.0", known.gather, known.original_gather, 1.1)
    yield Pair("gather of 100 / same thread, the floor", known.gather, known.same_thread_gather)
    if known.same_thread_eager_gather is not None:
        yield Pair("gather of 100 / same thread, eager tasks", known.gather, known.same_thread_eager_gather)
    yield Pair("gather of 100 pending / palitra 0.1.0", known.gather_pending, known.original_gather_pending)
    yield Pair("uvloop: gather of 100 / palitra 0.1.0", known.uvloop_gather, known.original_uvloop_gather, 1.1)
    yield Pair("run(job) / palitra 0.1.0's run(coroutine)", known.run_job, original, 20)
    yield Pair("run(job by name) / its run(coroutine)", known.run_named_job, original, 20)
    yield Pair("run(job, timeout) / run(job)", known.run_job_with_timeout, known.run_job, 0.5)
    yield Pair("gather of 100 jobs / its gather", known.gather_jobs, known.original_gather)
    urls = [f"{address}{index}" for index in range(1000)]
    fetch, aiohttp_fetch = known.fetch(urls), known.original_fetch(urls)
    yield Pair("1,000 URLs / aiohttp under palitra 0.1.0", fetch, aiohttp_fetch, 4, rounds=11)
    for loop, subject in awaits.loops():
        for one in awaits.awaits(awaits.import_rival(rival)):
            operations = subject(one.ours, one.times), subject(one.rival, one.times)
            yield Pair(f"{loop}: {one.title} / pyo3", *operations, one.goal, rounds=21, times=one.times)


def report(pair, quick):
    """Times one pair in turns and prints its line. Returns its bar: title, cost, lower and upper quartile, and goal."""
    operations = max(1, int(TURN / max(once(pair.rival), once(pair.ours))))
    rounds = max(3, pair.rounds // (10 if quick else 1))
    times = []
    for turn in range(rounds):
        if turn % 2:
            rival, ours = timed(pair.rival, operations), timed(pair.ours, operations)
        else:
            ours, rival = timed(pair.ours, operations), timed(pair.rival, operations)
        times.append((ours, rival))
    ratios = [rival / ours for ours, rival in times]
    figure = statistics.median(ratios)
    lower, _, upper = statistics.quantiles(ratios, n=4)
    ours, rival = (statistics.median(column) / pair.times * 1e6 for column in zip(*times, strict=True))
    goal, verdict = (
        ("", "") if pair.goal is None else (f"at least {pair.goal:g}x", "yes" if figure >= pair.goal else "NO")
    )
    absolutes = f"{ours:.1f} / {rival:.1f}"
    row = ROW.format(pair.title, goal, f"{figure:.2f}x", verdict, f"[{lower:.2f} - {upper:.2f}]", absolutes)
    print(row.rstrip(), flush=True)
    return pair.title, 1 / figure, 1 / upper, 1 / lower, pair.goal and 1 / pair.goal


def once(subject):
    """How long one operation takes, when it is warm."""
    subject()
    return min(timed(subject, 1) for _ in range(3))


def timed(subject, operations):
    began = time.perf_counter()
    for _ in range(operations):
        subject()
    return (time.perf_counter() - began) / operations


if __name__ == "__main__":
    main()
