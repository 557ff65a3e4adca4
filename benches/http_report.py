"""The HTTP jobs beside their rivals: GETs with keep-alive from an nginx on this machine, in turns.

    http_report.py FOLDER PYTHON [--rounds N] [WORDS]

FOLDER holds the programs that make bench-http builds: http (http_requests.c: palitra and libcurl's multi interface),
http_hyper (bare hyper) and http_go (palitra and net/http); PYTHON runs http_python.py. With WORDS only the rows whose
titles have all of them are measured.

A row is a speed-up: how many times the rival's throughput palitra reaches, in time and in processor time, the median of
the paired ratios of the rounds, with the goal of each and whether it is reached. In brackets are the quartiles. The
microseconds are those of a request, ours / rival, time and processor time: they are of this machine in this minute.
"""

import argparse
import dataclasses
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import tempfile
import time

#: The pages, and their bytes.
PAGES = {"/small": 100, "/large": 100_000}


@dataclasses.dataclass
class Row:
    """Two subjects, each a program and its first argument, that ask for the same number of the same page."""

    title: str
    ours: tuple[str, str]
    rival: tuple[str, str]
    in_flight: int
    requests: int
    goal: float  # of the time
    processor_goal: float | None = None
    path: str = "/small"


def beside_curl(in_flight, requests, goal, **more):
    title = f"libcurl multi, {in_flight} in flight" + (", 100 kB" if more else "")
    return Row(title, ("http", "palitra"), ("http", "curl"), in_flight, requests, goal, goal, **more)


def beside_hyper(in_flight, requests):
    return Row(f"bare hyper, {in_flight} in flight", ("http", "palitra"), ("http_hyper", "hyper"),
               in_flight, requests, 0.97)  # fmt: skip


def in_python(rival, goal):
    return Row(f"Python: gather / {rival}, 256 in flight", ("python", "palitra"), ("python", rival), 256, 2048, goal)


ROWS = [
    beside_curl(1, 1000, 0.9),
    beside_curl(8, 4000, 1),
    beside_curl(64, 4000, 1),
    beside_curl(256, 4000, 1),
    beside_curl(32, 1000, 1, path="/large"),
    beside_hyper(1, 1000),
    beside_hyper(8, 4000),
    beside_hyper(64, 4000),
    beside_hyper(256, 4000),
    in_python("pycurl", 1),
    in_python("aiohttp", 5),
    Row("Go: Run / net/http, 64 goroutines", ("http_go", "palitra"), ("http_go", "net/http"), 64, 4000, 0.9),
]

LINE = "{:41} {:>13} {:>6} {:7} {:15} {:>15}"

CONFIGURATION = """
daemon off; master_process off; pid nginx.pid; error_log error.log;
events {{ worker_connections 2000; }}
http {{
    access_log off; root www; keepalive_requests 1000000000;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    server {{ listen 127.0.0.1:{port} backlog=1024; }}
}}
"""


class Nginx:
    """A server in a folder of its own, for the time of a with block."""

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        (self.folder / "www").mkdir()
        for path, length in PAGES.items():
            (self.folder / "www" / path[1:]).write_bytes(b"." * length)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        (self.folder / "nginx.conf").write_text(CONFIGURATION.format(port=port))
        program = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
        self.process = subprocess.Popen([program, "-p", self.folder, "-c", "nginx.conf", "-e", "error.log"])
        for _ in range(1000):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                time.sleep(0.01)
        return f"http://127.0.0.1:{port}"

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder)


def command(options, program):
    if program == "python":
        return [options.python, "-B", pathlib.Path(__file__).parent / "http_python.py"]
    return [options.folder / program]


def measure(options, subject, url, row):
    """The microseconds of a request, and those of the processors."""
    program, name = subject
    arguments = [*command(options, program), name, url, str(row.requests), str(row.in_flight)]
    output = subprocess.run(arguments, check=True, capture_output=True, text=True, timeout=120).stdout
    return [float(number) for number in output.split()]


def pair(options, row, url, turn):
    """Both subjects, each first in every other round."""
    subjects = [row.ours, row.rival]
    figures = {subject: measure(options, subject, url, row) for subject in subjects[:: 1 if turn % 2 else -1]}
    return figures[row.ours], figures[row.rival]


def print_figure(title, goal, ratios, ours, rival):
    lower, figure, upper = statistics.quantiles(ratios, n=4)
    wanted = "" if goal is None else f"at least {goal:g}x"
    reached = "" if goal is None else "yes" if figure >= goal else "NO"
    spread = f"[{lower:.2f} - {upper:.2f}]"
    print(LINE.format(title, wanted, f"{figure:.2f}x", reached, spread, f"{ours:.1f} / {rival:.1f}"), flush=True)


def report(options, row, base):
    pairs = [pair(options, row, base + row.path, turn) for turn in range(options.rounds)]
    for index, (title, goal) in enumerate([(row.title, row.goal), ("  the same, processor time", row.processor_goal)]):
        ratios = [rival[index] / ours[index] for ours, rival in pairs]
        ours, rival = (statistics.median(figures[index] for figures in side) for side in zip(*pairs))
        print_figure(title, goal, ratios, ours, rival)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("python")
    parser.add_argument("words", nargs="*")
    parser.add_argument("--rounds", type=int, default=11)
    options = parser.parse_intermixed_args()
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"
    print(f"{options.rounds} rounds, load {os.getloadavg()[0]:.1f}")
    print(LINE.format("palitra / rival", "goal", "figure", "reached", "quartiles", "us a request"))
    with Nginx() as base:
        for row in ROWS:
            if all(word in row.title for word in options.words):
                report(options, row, base)


if __name__ == "__main__":
    main()
