"""download: gets many URLs at once, each into a file.

pip install ./bindings/python   # in a checkout
python download.py FOLDER URL [URL ...]

Prints one line for each download as it ends: its bytes and its file, or why there is none. Meanwhile it shows a bar of
the bytes that have come, if standard error is a terminal. It exits with 0 if every file was written, with 1 if any was
not, with 2 for wrong usage. A file of any size takes some hundred kilobytes of memory: it is never held whole.

How a program uses palitra, from top to bottom: main makes one http.download for each URL, each of which reports to a
bar how far it is; as_completed runs them and gives each as it ends.
"""

from __future__ import annotations

import re
import sys
import threading
from functools import partial
from pathlib import Path

import palitra


class Bar:
    """The bytes that have come, of those that the servers have announced so far; drawn on a terminal only.

    Progress is reported on the thread of palitra's loop, beside the one that prints the lines.
    """

    WIDTH = 30

    def __init__(self) -> None:
        self._parts: dict[int, tuple[int, int]] = {}
        self._is_drawn = sys.stderr.isatty()
        self._lock = threading.Lock()

    def show(self, number: int, done: int, total: int) -> None:
        with self._lock:
            self._parts[number] = done, total
            if self._is_drawn:
                self._draw()

    def print_above(self, line: str) -> None:
        with self._lock:
            if self._is_drawn:
                print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            print(line, flush=True)

    def _draw(self) -> None:
        done, total = (sum(part) for part in zip(*self._parts.values()))
        filled = done * self.WIDTH // total if total else 0
        bar = "#" * filled + "." * (self.WIDTH - filled)
        print(f"\r[{bar}] {done // 1_000_000} of {total // 1_000_000} MB\x1b[K", end="", file=sys.stderr, flush=True)


def file_name(number: int, url: str) -> str:
    """``3-page.html``: numbered, so that no two are the same."""
    return f"{number}-" + re.split("[?#]", url)[0].rpartition("/")[2]


def download(folder: Path, number: int, url: str, bar: Bar) -> palitra.Job:
    path = folder / file_name(number, url)
    job = palitra.job("http.download", url=url, path=str(path), overwrite=True)
    return job.with_progress(partial(bar.show, number))


def download_all(folder: Path, urls: list[str]) -> bool:
    """Whether every page is in its file: it gets its name when all of it has come."""
    bar, all_came = Bar(), True
    for ended in palitra.as_completed(*(download(folder, number, url, bar) for number, url in enumerate(urls, 1))):
        try:
            reply = ended.result()
            bar.print_above(f"{reply['bytes']} bytes {reply['path']}")
        except palitra.JobError as error:
            bar.print_above(f"failed: {error}")
            all_came = False
    return all_came


def main(arguments: list[str]) -> int:
    if len(arguments) < 2:
        print("usage: download.py FOLDER URL [URL ...]", file=sys.stderr)
        return 2
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    return 0 if download_all(folder, arguments[1:]) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
