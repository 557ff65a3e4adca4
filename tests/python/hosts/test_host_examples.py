"""The examples for hosts do what their pages say: examples/python/flask_app.py, celery_app.py, celery_throughput.py."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from processes import Server, get
from worker import Worker

#: Where the two first examples are shown: Python whose first line is a comment with the name of its file.
PAGE = Path(__file__).parents[3] / "bindings/python/README.md"


def test_the_flask_view_gathers_three_urls(
    gunicorn: Callable[..., tuple[Server, str]], examples: Path, pages: str
) -> None:
    _, address = gunicorn("--workers", "2", place=examples, application="flask_app:app")
    urls = [f"{pages}{number}" for number in range(3)]
    query = "&".join(f"url={url}" for url in urls)
    for _ in range(4):
        status, body = get(f"{address}/?{query}")
        assert (status, json.loads(body)) == (200, dict.fromkeys(urls, len("page")))
        status, body = get(f"{address}/async?{query}")
        assert status == 200
        assert json.loads(body).items() <= dict.fromkeys(urls, len("page")).items()


def test_the_celery_tasks_run_coroutines(start_worker: Callable[..., Worker], examples: Path, pages: str) -> None:
    worker = start_worker(place=examples, application="celery_app")
    assert worker.result("total", [pages] * 3) == 3 * len("page")
    assert [worker.result("length", pages) for _ in range(4)] == [len("page")] * 4


def copy_of_shown(name: str, place: Path, pages: str, redis: str = "") -> Path:
    """The example as a file, its addresses those of the servers of the tests."""
    shown = re.search(rf"```python\n(# {re.escape(name)}\n.*?)```", PAGE.read_text(), re.DOTALL)
    assert shown is not None, f"{PAGE} shows no {name}"
    numbers = iter(range(100))
    program = re.sub(r"https://[^\"]*", lambda _: f"{pages}{next(numbers)}", shown[1])
    (place / name).write_text(program.replace("redis://127.0.0.1/0", redis))
    return place


@pytest.mark.parametrize("kind", ["sync", "gthread", "gevent"])
def test_the_flask_view_of_the_page_works(
    gunicorn: Callable[..., tuple[Server, str]], tmp_path: Path, pages: str, kind: str
) -> None:
    place = copy_of_shown("app.py", tmp_path, pages)
    options = ["--preload", "--workers", "2", "--worker-class", kind]
    _, address = gunicorn(*options, place=place, application="app:app")
    for _ in range(4):
        status, body = get(address)
        assert (status, json.loads(body)) == (200, {f"{pages}{number}": len("page") for number in range(3)})


def test_the_celery_tasks_of_the_page_work(
    start_worker: Callable[..., Worker], tmp_path: Path, pages: str, redis_port: int
) -> None:
    redis = f"redis://127.0.0.1:{redis_port}/63"
    place = copy_of_shown("tasks.py", tmp_path, pages, redis)
    worker = start_worker(place=place, application="tasks", redis=redis)
    assert worker.result("total", [1, 2, 3]) == 12
    assert worker.result("length", pages) == len("page")


def test_the_throughput_is_measured(examples: Path) -> None:
    command = [sys.executable, str(examples / "celery_throughput.py"), "--tasks", "8", "--rounds", "1"]
    measured = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert measured.returncode == 0, measured.stderr
    for way in ("palitra", "asyncio.run", "asgiref"):
        assert measured.stdout.count(f" {way}  ") == 2
