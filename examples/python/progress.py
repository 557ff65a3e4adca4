"""A progress bar over native work: tqdm shows how many of the jobs have ended, and how long the rest will take.

    pip install palitra tqdm
    python progress.py [JOBS [SECONDS]]

For one job that tells how far it is, hand the bar to the job: ``job.with_progress(show)``, below.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

import palitra
from tqdm import tqdm


def results(jobs: Iterable[palitra.Job], limit: int) -> list[object]:
    """The results of the jobs, at most ``limit`` of which run at a time, under a bar."""
    waiting = list(jobs)
    found: list[object] = [None] * len(waiting)
    for done in tqdm(palitra.as_completed(*waiting, limit=limit), total=len(waiting), unit="job"):
        found[done.index] = done.result()
    return found


def result(job: palitra.Job) -> object:
    """The result of one job that tells how far it is, under a bar."""
    with tqdm() as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        return palitra.run(job.with_progress(show))


def main(count: int = 20, seconds: float = 0.1) -> None:
    slept = results((palitra.job("palitra.sleep", seconds=seconds) for _ in range(count)), limit=5)
    print(f"{len(slept)} jobs slept for {seconds} seconds each")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]), *map(float, sys.argv[2:3]))
