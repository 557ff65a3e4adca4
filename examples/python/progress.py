"""Progress bars over native work, drawn by tqdm.

pip install ./bindings/python tqdm   # in a checkout
python progress.py URL ...    # how much of each page has come
python progress.py            # how many of twenty jobs have ended
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

import palitra
from tqdm import tqdm


def results(jobs: Iterable[palitra.Job], limit: int) -> list[Any]:
    """The results of the jobs, at most ``limit`` of which run at a time, under a bar."""
    waiting = list(jobs)
    found: list[Any] = [None] * len(waiting)
    for done in tqdm(palitra.as_completed(*waiting, limit=limit), total=len(waiting), unit="job"):
        found[done.index] = done.result()
    return found


def result(job: palitra.Job) -> Any:
    """The result of one job that reports how far it is, under a bar."""
    with tqdm() as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        return palitra.run(job.with_progress(show))


def main(urls: list[str]) -> None:
    for url in urls:
        body = result(palitra.job("http.bytes", url=url))
        print(f"{len(body)} bytes of {url}")
    if not urls:
        slept = results((palitra.job("palitra.sleep", seconds=0.1) for _ in range(20)), limit=5)
        print(f"{len(slept)} jobs slept")


if __name__ == "__main__":
    main(sys.argv[1:])
