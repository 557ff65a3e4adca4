"""The examples for hosts do what their pages say: examples/python/flask_app.py, celery_app.py, celery_throughput.py."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from conftest import Worker
from processes import Server, get


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


def test_the_throughput_is_measured(examples: Path) -> None:
    command = [sys.executable, str(examples / "celery_throughput.py"), "--tasks", "8", "--rounds", "1"]
    measured = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert measured.returncode == 0, measured.stderr
    for way in ("palitra", "asyncio.run", "asgiref"):
        assert measured.stdout.count(f" {way}  ") == 2
